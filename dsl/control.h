// Control flow that happens when the kernel runs: range, when, while_. Ordinary C++ `if` and `for` happen while tracing.
//
// A Var declared before may be assigned inside; its value is carried. Everything else made inside stays inside (TW1401). The bodies are traced
// once: a C++ variable changed inside changes once.
#pragma once

#include "dsl/operators.h"

namespace tilewright {

// How the iterations of a range may overlap.
struct Pipeline {
  int stages = 1;                // iterations in flight at once
  bool warp_specialize = true;   // where the target can: warps of their own fetch operands of matrix products while the others multiply; false: all warps do both
};

// for (Index i : range(lo, hi, step)): i is lo, lo + step, ... below hi. Bounds are Index or C++ numbers; step > 0.
// Leaving the loop early by break, return or goto is an error (TW1404). `continue` ends the body for all iterations: use when instead.
class Range {
 public:
  Range(const Arg& lower, const Arg& upper, const Arg& step, Pipeline pipeline, Loc at);
  ~Range() noexcept(false);
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

  struct End {};
  class Iterator {
   public:
    explicit Iterator(Range* range) : range_(range) {}
    bool operator!=(End) const { return range_->open_; }
    Index operator*() const { return Index(range_->induction_); }
    void operator++() { range_->close(); }

   private:
    Range* range_;
  };
  Iterator begin();
  End end() { return {}; }

 private:
  void close();

  Arg lower_, upper_, step_;
  Pipeline pipeline_;
  Loc at_;
  detail::Ref induction_{};
  bool open_ = false;
  int uncaught_ = 0;
};

inline Range range(const Arg& upper, Loc at = Loc::current()) { return Range(0, upper, 1, {}, at); }
inline Range range(const Arg& lower, const Arg& upper, Loc at = Loc::current()) { return Range(lower, upper, 1, {}, at); }
inline Range range(const Arg& lower, const Arg& upper, Pipeline pipeline, Loc at = Loc::current()) { return Range(lower, upper, 1, pipeline, at); }
inline Range range(const Arg& lower, const Arg& upper, const Arg& step, Loc at = Loc::current()) { return Range(lower, upper, step, {}, at); }
inline Range range(const Arg& lower, const Arg& upper, const Arg& step, Pipeline pipeline, Loc at = Loc::current()) {
  return Range(lower, upper, step, pipeline, at);
}

namespace detail {

class WhenScope {
 public:
  explicit WhenScope(const Arg& condition);
  ~WhenScope();
  WhenScope(const WhenScope&) = delete;
  WhenScope& operator=(const WhenScope&) = delete;
  void otherwise();
  void close();

 private:
  bool open_ = true;
};

class WhileScope {
 public:
  explicit WhileScope(Loc at);
  ~WhileScope();
  WhileScope(const WhileScope&) = delete;
  WhileScope& operator=(const WhileScope&) = delete;
  void body(const TileArg& condition);
  void close();

 private:
  bool open_ = true;
};

}  // namespace detail

// Runs `then` where the scalar bool `condition` holds, `otherwise` where not: when(i < n, [&] { ... }, [&] { ... }).
template <class Then>
void when(TileArg condition, Then&& then) {
  detail::WhenScope scope(condition);
  then();
  scope.close();
}
template <class Then, class Otherwise>
void when(TileArg condition, Then&& then, Otherwise&& otherwise) {
  detail::WhenScope scope(condition);
  then();
  scope.otherwise();
  otherwise();
  scope.close();
}

// while_([&] { return i < n; }, [&] { ... }): the condition is a scalar bool, computed before each round; it may load, not store or assign.
template <class Condition, class Body>
void while_(Condition&& condition, Body&& body, Loc at = Loc::current()) {
  detail::WhileScope scope(at);
  scope.body(TileArg(condition(), at));
  body();
  scope.close();
}

}  // namespace tilewright
