#include "kernels_src/nsa/combine_kernel.h"

#include "dsl/tilewright.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/nsa/nsa.h"
#include "runtime/support/error.h"

namespace tilewright::kernels {

namespace {

struct NsaCombine {
  Tune<int> tokens{"tokens", {4, 8, 2, 16}};
  Tune<int> heads{"heads", {16, 8, 32, 4}};
  Tune<int> warps{"warps", {4, 8}};
  Const<int> value_dim{"value_dim"};
  Const<bool> three{"three"};

  Grid grid(In a, In x) const { return {ceil_div(x.size(1), tokens), ceil_div(x.size(2), heads), x.size(0)}; }

  void body(In a, In x, In b, In y, In c, In z, Out o) const {
    const Index token = program_id(0) * tokens, head = program_id(1) * heads, batch = program_id(2);
    const auto term = [&](const View& factor, const View& values) {
      const Tile gate = cast(load(factor, {batch, token, head}, {tokens, heads}), f32);
      return reshape(gate, {tokens, heads, 1}) * cast(load(values, {batch, token, head, 0}, {tokens, heads, value_dim}), f32);
    };
    Var sum = term(a, x) + term(b, y);
    if (three) sum += term(c, z);
    store(o, {batch, token, head, 0}, cast(sum, o.dtype()));
  }
};
TW_KERNEL(NsaCombine, "nsa_combine", "a", "x", "b", "y", "c", "z", "o")

}  // namespace

const program::TraceableKernel& nsa_combine_kernel() { return kernel_of<NsaCombine>(); }

DeviceTensor nsa_combine(Session& session, const TensorView& a, const TensorView& x, const TensorView& b, const TensorView& y, const std::optional<TensorView>& c,
                         const std::optional<TensorView>& z, const KernelSettings& tunables) {
  expect_view("x", x, 4, x.dtype);
  const std::vector<std::int64_t> values(x.sizes.begin(), x.sizes.begin() + 4), factors(values.begin(), values.begin() + 3);
  expect_sizes("a", a, factors, x.dtype);
  expect_sizes("b", b, factors, x.dtype);
  expect_sizes("y", y, values, x.dtype);
  if (c.has_value() != z.has_value()) throw Error(3110, "a third term needs both its factor and its values");
  if (c) {
    expect_sizes("c", *c, factors, x.dtype);
    expect_sizes("z", *z, values, x.dtype);
  }
  const DeviceTensor o = allocate(session, x.dtype, values);
  if (x.elements() == 0) return o;
  launch(session, nsa_combine_kernel(), {a, x, b, y, c.value_or(a), z.value_or(x), o.view()}, {{"value_dim", x.sizes[3]}, {"three", c.has_value()}}, tunables);
  return o;
}

}  // namespace tilewright::kernels
