// Prints the order in which this compiler evaluates operands, then programs without positions: two compilers must agree on all but the first line.
#include "tests/dsl/kernels/flash_forward.h"
#include "tests/dsl/random_kernel.h"
#include "tests/dsl/trace.h"

#include <cstdio>

namespace tilewright::random_kernel {

static const std::vector<Statement>* g_statements = nullptr;

struct RandomKernel {
  Grid grid(InOut) const { return {1}; }
  void body(InOut y) const { LanguageRun(y).run(*g_statements); }
};
TW_KERNEL(RandomKernel, "random_kernel", "y")

// Both operands read memory, carry a region's value, or make Vars.
struct OperandOrder {
  Grid grid(In x) const { return {max(x.size(0), x.size(1)) + min(x.size(1), x.size(0))}; }
  static Tile summed(View view, Index row, int count) {
    Var total = zeros(f32, {16});
    for (Index i : range(count)) total += load(view, {row + i, 0}, {16});
    return total;
  }
  void body(In x, InOut y) const {
    Index row = program_id(0) * 4;
    Var a = load(x, {row, 0}, {16}) - load(y, {row, 0}, {16}), b = exp(load(x, {row, 16}, {16})) * load(y, {row, 16}, {16});
    a = fma(summed(x, row, 2), summed(y, row, 3), where(load(x, {0, 0}) < load(y, {0, 0}), a, b));
    store(y, {row, 0}, concat({a + b, b - a}, 0));
    when(load(y, {0, 1}) > load(x, {0, 1}), [&] { b = max(b, load(y, {row, 0}, {16})) + summed(x, row, 1); });
    store(y, {row, 32}, b / (sum(a) + reduce_max(b)));
  }
};
TW_KERNEL(OperandOrder, "operand_order", "x", "y")

}  // namespace tilewright::random_kernel

static int note(const char* side) {
  std::fputs(side, stdout);
  return 0;
}
static int first(int, int) { return std::puts(""); }

int main() {
  using namespace tilewright;
  first(note("left "), note("right "));
  const auto tensor = view_type(DType::F32, 2);
  std::fputs(listing(trace<random_kernel::OperandOrder>({tensor, tensor})).c_str(), stdout);
  const auto qkv = view_type(DType::F16, 3);
  std::fputs(listing(trace<example::FlashForward>({qkv, qkv, qkv, qkv, scalar_type(DType::F32)}, {{"head_dim", 64}})).c_str(), stdout);
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto statements = random_kernel::Generator(seed).body(3);
    random_kernel::g_statements = &statements;
    std::fputs(listing(trace<random_kernel::RandomKernel>({view_type(DType::I64, 1)})).c_str(), stdout);
  }
}
