#include "dsl/control.h"

#include "dsl/tracer.h"

#include <exception>

namespace tilewright {

using detail::Tracer;

Range::Range(const Arg& lower, const Arg& upper, const Arg& step, Pipeline pipeline, Loc at)
    : lower_(lower), upper_(upper), step_(step), pipeline_(pipeline), at_(at) {}

Range::Iterator Range::begin() {
  Tracer& tracer = Tracer::get(at_);
  induction_ = tracer.ref(tracer.open_range(lower_, upper_, step_, pipeline_.stages, pipeline_.warp_specialize, at_));
  open_ = true;
  uncaught_ = std::uncaught_exceptions();
  return Iterator(this);
}

void Range::close() {
  open_ = false;
  Tracer::get(at_).close_range();
}

Range::~Range() noexcept(false) {
  if (!open_) return;
  Tracer::current()->abandon();
  if (std::uncaught_exceptions() > uncaught_) return;
  detail::fail(1404, "a range is left before its end", at_,
               "break, return and goto happen while tracing, not when the kernel runs; use while_, or when(...) around the rest of the body");
}

namespace detail {

// A close that throws leaves its region to the trace, which the error ends.
WhenScope::WhenScope(const Arg& condition) { Tracer::get(condition.at).open_when(condition); }

WhenScope::~WhenScope() {
  if (open_) Tracer::current()->abandon();
}

void WhenScope::otherwise() { Tracer::current()->otherwise(); }

void WhenScope::close() {
  open_ = false;
  Tracer::current()->close_when();
}

WhileScope::WhileScope(Loc at) { Tracer::get(at).open_while(at); }

WhileScope::~WhileScope() {
  if (open_) Tracer::current()->abandon();
}

void WhileScope::body(const TileArg& condition) { Tracer::current()->while_body(condition); }

void WhileScope::close() {
  open_ = false;
  Tracer::current()->close_while();
}

}  // namespace detail

}  // namespace tilewright
