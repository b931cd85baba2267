// Launches a kernel from C++: y = silu(x) * gate, on tensors of this program's own, and checks a few elements.
#include <tilewright/compiler/compiler.h>
#include <tilewright/runtime/session.h>
#include <tilewright/runtime/support/error.h>
#include <tilewright/tilewright.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace {

using namespace tilewright;

struct SwiGlu {
  Tune<int> block{"block", {512, 1024}};
  Grid grid(In x) const { return {ceil_div(x.size(0), block)}; }
  void body(In x, In gate, Out y) const {
    Index i = program_id(0) * block;
    Tile t = load(x, {i}, {block});
    store(y, {i}, t * sigmoid(t) * load(gate, {i}, {block}));
  }
};
TW_KERNEL(SwiGlu, "swi_glu", "x", "gate", "y")

// Memory of the program itself goes in as a view: nothing is copied on the device "cpu".
TensorView view_of(std::vector<float>& values) {
  const std::int64_t size = static_cast<std::int64_t>(values.size());
  return TensorView::contiguous(values.data(), f32, {&size, 1});
}

}  // namespace

int main() {
  try {
    constexpr int kElements = 100'003;
    std::vector<float> x(kElements), gate(kElements), y(kElements);
    for (int i = 0; i < kElements; ++i) {
      x[i] = static_cast<float>(std::sin(0.01 * i) * 4);
      gate[i] = static_cast<float>(std::cos(0.02 * i));
    }

    const std::unique_ptr<Session> session = make_session("cpu", make_compiler());
    for (int call = 0; call < 2; ++call) {
      session->launch(kernel_of<SwiGlu>(), std::vector<Argument>{view_of(x), view_of(gate), view_of(y)}, {{"block", 1024}});
      std::printf("call %d: compiled %d kernel(s) in %.1f ms, ran in %.3f ms\n", call + 1, session->stats().compiles, session->stats().compile_ms, session->stats().run_ms);
      session->stats() = {};
    }

    double worst = 0;
    for (int i = 0; i < kElements; ++i) {
      const double t = x[i];
      worst = std::max(worst, std::abs(t / (1 + std::exp(-t)) * gate[i] - y[i]));
    }
    std::printf("largest error %.2e\n", worst);
    return worst < 1e-5 ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
