// Finding and checking the input tensors of an operator. Each failure is an Error that names the tensor, what was given and what is allowed:
// TW3110 missing, TW3111 shape, TW3112 dtype.
#pragma once

#include "runtime/operator.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace tilewright::kernels {

// "[2, 63, 4, 64]".
std::string shape_text(const std::vector<std::int64_t>& shape);

// The tensor of that name; TW3110 when there is none.
const HostTensor& input(const TensorMap& tensors, const std::string& name);

// nullptr when there is none.
const HostTensor* optional_input(const TensorMap& tensors, const std::string& name);

void expect_rank(const std::string& name, const HostTensor& tensor, std::size_t rank);

// `letters` explains the expected sizes in the message: "[B, TQ, HQ, K]".
void expect_shape(const std::string& name, const HostTensor& tensor, const std::vector<std::int64_t>& shape, const std::string& letters);

void expect_dtype(const std::string& name, const HostTensor& tensor, DType dtype);

// f32, f16 or bf16.
void expect_float_dtype(const std::string& name, const HostTensor& tensor);

// i32 or i64.
void expect_index_dtype(const std::string& name, const HostTensor& tensor);

// The size of that axis is at least 1; zero batch, heads or head dimension have no meaning.
void expect_not_empty(const std::string& name, const HostTensor& tensor, std::initializer_list<int> axes);

// The setting named `name`, or `otherwise` where its text is empty.
std::int64_t integer_or(const OperatorSettings& settings, const std::string& name, std::int64_t otherwise, std::int64_t least = INT64_MIN);
double number_or(const OperatorSettings& settings, const std::string& name, double otherwise);

// One of the three float dtypes; TW3002 otherwise.
DType float_dtype(const OperatorSettings& settings);

}  // namespace tilewright::kernels
