// Kernels: how a struct becomes something that can be traced.
//
//   struct Scale {
//     Tune<int> block{"block", {256, 512}};
//     Grid grid(In x) const { return {ceil_div(x.size(0), block)}; }       // takes the first parameters of body, as many as it likes
//     void body(In x, Out y, Scalar factor) const {
//       Index i = program_id(0) * block;
//       store(y, {i}, load(x, {i}, {block}) * factor);
//     }
//   };
//   TW_KERNEL(Scale, "scale", "x", "y", "factor")                           // in the struct's namespace
//
//   const program::TraceableKernel& kernel = kernel_of<Scale>();
//
// A kernel struct is default constructible and made anew for every trace; grid and body are const and leave no trace outside. Parameters of body are
// In, Out, InOut (views of memory) and Scalar.
#pragma once

#include "dsl/tile.h"
#include "dsl/view.h"

#include <cstddef>

namespace tilewright {

namespace program {
class TraceableKernel;
}

// How many programs a launch runs: one to three extents, computed from sizes and scalar parameters.
class Grid {
 public:
  Grid(const Arg& x, const Arg& y = 1, const Arg& z = 1);
  detail::Ref extents[3];
};

namespace detail {

template <std::size_t N>
struct Names {
  const char* text[N];  // the kernel, then its parameters
};
template <class... T>
constexpr Names<sizeof...(T)> names(T... text) {
  return {{text...}};
}

template <class P>
struct ParamTraits {
  static constexpr bool ok = false;
};
template <program::ParamKind K>
struct KnownParam {
  static constexpr bool ok = true;
  static constexpr program::ParamKind kind = K;
};
template <>
struct ParamTraits<In> : KnownParam<program::ParamKind::Input> {};
template <>
struct ParamTraits<Out> : KnownParam<program::ParamKind::Output> {};
template <>
struct ParamTraits<InOut> : KnownParam<program::ParamKind::InOut> {};
template <>
struct ParamTraits<Scalar> : KnownParam<program::ParamKind::Scalar> {};

template <int... I>
struct Sequence {};
template <int N, int... I>
struct Count : Count<N - 1, N - 1, I...> {};
template <int... I>
struct Count<0, I...> {
  using type = Sequence<I...>;
};

// Calls a const member function with one handle a parameter.
template <class F>
struct MethodTraits;
template <class K, class R, class... P>
struct MethodTraits<R (K::*)(P...) const> {
  static constexpr int count = sizeof...(P);
  static_assert((ParamTraits<std::remove_cvref_t<P>>::ok && ...), "parameters of a kernel are In, Out, InOut or Scalar");
  static constexpr program::ParamKind kinds[count + 1] = {ParamTraits<std::remove_cvref_t<P>>::kind...};
  static R call(const K& self, R (K::*method)(P...) const, const Ref* handles) { return call(self, method, handles, typename Count<count>::type()); }
  template <int... I>
  static R call(const K& self, R (K::*method)(P...) const, const Ref* handles, Sequence<I...>) {
    return (self.*method)(std::remove_cvref_t<P>(handles[I])...);
  }
};

template <class K, class R, class... P>
struct MethodTraits<R (K::*)(P...)> : MethodTraits<R (K::*)(P...) const> {
  static_assert(sizeof(K) == 0, "grid and body of a kernel are const member functions");
};

// A kernel struct with its type erased.
struct KernelSpec {
  const char* const* names;  // the kernel, then `params` parameters
  const program::ParamKind* kinds;
  int params;
  int grid_params;
  const program::ParamKind* grid_kinds;
  void* (*make)();
  void (*destroy)(void*);
  Grid (*grid)(const void* self, const Ref* handles);
  void (*body)(const void* self, const Ref* handles);
};

// The kernel of a specification; owned by the library, made once per specification. Throws TW15xx when the struct is not a kernel.
const program::TraceableKernel& kernel_from(const KernelSpec& spec);

template <class K>
concept Named = requires {
  tilewright_kernel_names(static_cast<const K*>(nullptr));
};

template <class K>
struct KernelTraits {
  static_assert(Named<K>, "name the kernel with TW_KERNEL, in the namespace of its struct");
  using Body = MethodTraits<decltype(&K::body)>;
  using GridMethod = MethodTraits<decltype(&K::grid)>;
  static_assert(GridMethod::count <= Body::count, "grid takes the first parameters of body");
  static constexpr auto names = tilewright_kernel_names(static_cast<const K*>(nullptr));
  static constexpr KernelSpec spec = {
      names.text,
      Body::kinds,
      Body::count,
      GridMethod::count,
      GridMethod::kinds,
      []() -> void* { return new K(); },
      [](void* self) { delete static_cast<K*>(self); },
      [](const void* self, const Ref* handles) -> Grid { return GridMethod::call(*static_cast<const K*>(self), &K::grid, handles); },
      [](const void* self, const Ref* handles) { Body::call(*static_cast<const K*>(self), &K::body, handles); }};
};

}  // namespace detail

// The kernel of a struct named with TW_KERNEL. Thread-safe; the same object every time.
template <class K>
const program::TraceableKernel& kernel_of() {
  static const program::TraceableKernel& kernel = detail::kernel_from(detail::KernelTraits<K>::spec);
  return kernel;
}

}  // namespace tilewright

// TW_KERNEL(Struct, "kernel_name", "first_parameter", ...): names the kernel and the parameters of its body, in order.
#define TW_KERNEL(Struct, ...)                                                                                                \
  [[maybe_unused]] constexpr auto tilewright_kernel_names(const Struct*) { return ::tilewright::detail::names(__VA_ARGS__); } \
  static_assert(sizeof(::tilewright::detail::names(__VA_ARGS__).text) / sizeof(const char*) ==                                \
                    1 + ::tilewright::detail::MethodTraits<decltype(&Struct::body)>::count,                                   \
                "TW_KERNEL names the kernel and then each parameter of its body, in order");
