// Calls of functions written in another language, for what tiles do not say. docs/language.md explains them.
#pragma once

#include "dsl/tile.h"

namespace tilewright {

namespace program {
struct External;
}

// An argument of such a call.
class ExternArg {
 public:
  ExternArg() = default;
  ExternArg(const Tile& value, Loc at = Loc::current()) : at(at), is_given(true), ref(value.ref()) {}
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  ExternArg(T) = delete;  // a C++ number has no dtype: write scalar(f32, x)

  Loc at;
  bool is_given = false;
  detail::Ref ref{};
};

// A function of scalars in another language. Called with tiles it is applied to each element; shapes broadcast as operators' do. Arguments may be of different dtypes and are
// passed as they are. It must compute from its arguments alone: it may be called for fewer elements than the tile has, more often, or not at all.
//
// Errors are thrown by the call, at its position: TW1230 for a name that is no function's or an empty source, TW1204 for shapes that do not match; by the compiler TW2330 where a
// target does not know the language. Immutable, thread-safe.
class ExternFunction {
 public:
  // Copies its strings and keeps them as long as the process lives; the same function made twice is kept once.
  ExternFunction(const char* language, const char* source, const char* name, DType result);

  Tile operator()(ExternArg a, ExternArg b = {}, ExternArg c = {}, ExternArg d = {}, ExternArg e = {}, ExternArg f = {}, ExternArg g = {}, ExternArg h = {}) const;

 private:
  const program::External* function_;
  DType result_;
};

// A __device__ function of CUDA C++. The dtypes of arguments and result are float for f32, double for f64, __half for f16, __nv_bfloat16 for bf16, integers of their width and sign, bool; C++
// converts between them and the function's own types.
//
//   inline const ExternFunction gelu = extern_cuda(R"(__device__ float gelu(float x) { return 0.5f * x * erfcf(x * -0.70710678f); })", "gelu", f32);
//   ...
//   Tile y = gelu(x);
ExternFunction extern_cuda(const char* source, const char* name, DType result);

}  // namespace tilewright
