#include "kernels_src/common/inputs.h"

#include "runtime/support/error.h"

namespace tilewright::kernels {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

const HostTensor& input(const TensorMap& tensors, const std::string& name) {
  const HostTensor* found = optional_input(tensors, name);
  if (found == nullptr) {
    std::string given;
    for (const auto& [key, tensor] : tensors) given += (given.empty() ? "" : ", ") + key;
    throw Error(3110, "there is no input '" + name + "'").note("the inputs given are: " + (given.empty() ? "none" : given));
  }
  return *found;
}

const HostTensor* optional_input(const TensorMap& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

void expect_rank(const std::string& name, const HostTensor& tensor, std::size_t rank) {
  if (tensor.shape().size() == rank) return;
  throw Error(3111, "input '" + name + "' has shape " + shape_text(tensor.shape()) + ", expected rank " + std::to_string(rank));
}

void expect_shape(const std::string& name, const HostTensor& tensor, const std::vector<std::int64_t>& shape, const std::string& letters) {
  if (tensor.shape() == shape) return;
  throw Error(3111, "input '" + name + "' has shape " + shape_text(tensor.shape()) + ", expected " + shape_text(shape)).note("its shape is " + letters);
}

void expect_dtype(const std::string& name, const HostTensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return;
  throw Error(3112, "input '" + name + "' has dtype " + std::string(name_of(tensor.dtype())) + ", expected " + std::string(name_of(dtype)));
}

void expect_float_dtype(const std::string& name, const HostTensor& tensor) {
  if (tensor.dtype() == DType::F32 || tensor.dtype() == DType::F16 || tensor.dtype() == DType::BF16) return;
  throw Error(3112, "input '" + name + "' has dtype " + std::string(name_of(tensor.dtype())) + ", expected f32, f16 or bf16");
}

void expect_index_dtype(const std::string& name, const HostTensor& tensor) {
  if (tensor.dtype() == DType::I32 || tensor.dtype() == DType::I64) return;
  throw Error(3112, "input '" + name + "' has dtype " + std::string(name_of(tensor.dtype())) + ", expected i32 or i64");
}

void expect_not_empty(const std::string& name, const HostTensor& tensor, std::initializer_list<int> axes) {
  for (int axis : axes) {
    if (tensor.shape()[axis] > 0) continue;
    throw Error(3111, "input '" + name + "' has shape " + shape_text(tensor.shape()) + ": axis " + std::to_string(axis) + " is empty");
  }
}

std::int64_t integer_or(const OperatorSettings& settings, const std::string& name, std::int64_t otherwise, std::int64_t least) {
  return settings.text(name).empty() ? otherwise : settings.integer(name, least);
}

double number_or(const OperatorSettings& settings, const std::string& name, double otherwise) {
  return settings.text(name).empty() ? otherwise : settings.number(name);
}

DType float_dtype(const OperatorSettings& settings) {
  const DType dtype = settings.dtype();
  if (dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16) return dtype;
  throw Error(3002, "setting 'dtype' is '" + settings.text("dtype") + "', expected f32, f16 or bf16");
}

}  // namespace tilewright::kernels
