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
// Beside its body a kernel may have one schedule, which says how the same is done by warps that share the work: `void schedule(nvidia::Sm90, <the parameters of body>) const` (dsl/nvidia/sm90.h). It is traced
// where the target offers the level, and a setting "schedule" is there to switch it off. Its grid is that of the body, or its own: `Grid schedule_grid(nvidia::Sm90, <the first parameters of body>) const`.
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

// A level that schedules are written for, known by its tag: specialised beside the tag.
template <class Level>
struct LevelTraits {
  static constexpr const char* name = nullptr;
};

// Of schedule and schedule_grid.
template <class F>
struct ScheduleTraits {
  static_assert(sizeof(F) == 0, "a schedule is a const member function that takes a level, nvidia::Sm90, and then the parameters of body");
};
template <class K, class R, class Level, class... P>
struct ScheduleTraits<R (K::*)(Level, P...) const> {
  using Method = MethodTraits<R (K::*)(P...) const>;
  using Result = R;
  static constexpr const char* level = LevelTraits<Level>::name;
  static_assert(level != nullptr, "the first parameter of a schedule is a level: nvidia::Sm90");
  static R call(const K& self, R (K::*method)(Level, P...) const, const Ref* handles) { return call(self, method, handles, typename Count<Method::count>::type()); }
  template <int... I>
  static R call(const K& self, R (K::*method)(Level, P...) const, const Ref* handles, Sequence<I...>) {
    return (self.*method)(Level(), std::remove_cvref_t<P>(handles[I])...);
  }
};

// Whether the parameters of A are the first ones of B.
template <class A, class B>
constexpr bool first_parameters() {
  if (A::count > B::count) return false;
  for (int i = 0; i < A::count; ++i)
    if (A::kinds[i] != B::kinds[i]) return false;
  return true;
}

// A name that K has too is ambiguous in Both: so overloaded members are found as well.
struct NamedSchedule {
  int schedule;
};
template <class K>
struct Both : K, NamedSchedule {};
template <class K>
concept NamesSchedule = !requires { &Both<K>::schedule; };

struct Schedule {
  const char* level;  // null: there is none
  void (*run)(const void* self, const Ref* handles);
  Grid (*grid)(const void* self, const Ref* handles);  // null: that of the body
};
template <class K>
constexpr Grid (*schedule_grid_of())(const void*, const Ref*) {
  if constexpr (requires { &K::schedule_grid; }) {
    using Traits = ScheduleTraits<decltype(&K::schedule_grid)>;
    static_assert(std::is_same_v<typename Traits::Result, Grid> && first_parameters<typename Traits::Method, MethodTraits<decltype(&K::body)>>(),
                  "schedule_grid takes a level and then the first parameters of body, and returns a Grid");
    return [](const void* self, const Ref* handles) -> Grid { return Traits::call(*static_cast<const K*>(self), &K::schedule_grid, handles); };
  } else {
    return nullptr;
  }
}
template <class K>
constexpr Schedule schedule_of() {
  if constexpr (requires { &K::schedule; }) {
    using Traits = ScheduleTraits<decltype(&K::schedule)>;
    using Body = MethodTraits<decltype(&K::body)>;
    static_assert(std::is_void_v<typename Traits::Result> && Traits::Method::count == Body::count && first_parameters<typename Traits::Method, Body>(),
                  "a schedule takes a level and then the parameters of body, and returns nothing");
    return {Traits::level, [](const void* self, const Ref* handles) { Traits::call(*static_cast<const K*>(self), &K::schedule, handles); }, schedule_grid_of<K>()};
  } else {
    if constexpr (!__is_final(K)) static_assert(!NamesSchedule<K>, "a kernel has one schedule, a public member function");
    return {nullptr, nullptr, nullptr};
  }
}

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
  Schedule schedule;
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
      [](const void* self, const Ref* handles) { Body::call(*static_cast<const K*>(self), &K::body, handles); },
      schedule_of<K>()};
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
