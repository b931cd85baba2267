// Runs the body of a kernel given as a lambda, on the reference interpreter.
#pragma once

#include "compiler/reference/interpreter.h"
#include "compiler/reference/slots.h"
#include "dsl/tilewright.h"
#include "tests/dsl/trace.h"

#include <functional>
#include <numeric>
#include <string>
#include <vector>

namespace tilewright {

namespace body_under_test {

using Body = std::function<void(InOut x, InOut y, Scalar s)>;
inline const Body* g_body = nullptr;

struct LambdaKernel {
  Grid grid(InOut) const { return {1}; }
  void body(InOut x, InOut y, Scalar s) const { (*g_body)(x, y, s); }
};
TW_KERNEL(LambdaKernel, "lambda", "x", "y", "s")

}  // namespace body_under_test

// The program of a body over f32 matrices x and y and an f32 scalar s.
inline program::Program traced_body(const body_under_test::Body& body) {
  body_under_test::g_body = &body;
  const auto matrix = view_type(DType::F32, 2);
  return trace<body_under_test::LambdaKernel>({matrix, matrix, scalar_type(DType::F32)});
}

// Runs it on x = 0, 1, 2, ... (rows x cols) and y = -1 everywhere (y_rows x y_cols), s = 0.5; gives y row by row. `printed` receives lines of print.
inline std::vector<float> run_body(std::int64_t rows, std::int64_t cols, std::int64_t y_rows, std::int64_t y_cols, const body_under_test::Body& body,
                                   std::string* printed = nullptr) {
  const program::Program program = traced_body(body);
  std::vector<float> x(rows * cols), y(y_rows * y_cols, -1.0f);
  std::iota(x.begin(), x.end(), 0.0f);
  std::vector<std::uint64_t> slots;
  const std::int64_t x_sizes[] = {rows, cols}, x_strides[] = {cols, 1}, y_sizes[] = {y_rows, y_cols}, y_strides[] = {y_cols, 1};
  reference::append_view(slots, x.data(), x_sizes, x_strides);
  reference::append_view(slots, y.data(), y_sizes, y_strides);
  reference::append_scalar(slots, 0.5f);
  reference::Hooks hooks;
  if (printed != nullptr) hooks.print = [printed](std::string_view line) { printed->append(line).append("\n"); };
  reference::Interpreter(program, hooks).run_all(slots.data());
  return y;
}

}  // namespace tilewright
