#include "kernels_src/common/launch.h"
#include "kernels_src/common/sequence_view.h"
#include "kernels_src/gsa/gates.h"
#include "kernels_src/gsa/gsa.h"
#include "kernels_src/gsa/kernels.h"
#include "kernels_src/gsa/tensors.h"

namespace tilewright::kernels {

namespace {

// One program walks one head of one sequence. Where values are wider than a tile, each of several programs takes some columns of them and repeats the first pass.
struct GsaRecurrent {
  Tune<int> block_v{"block_v", {256, 64, 128}};
  Tune<int> warps{"warps", {4, 8}};
  Const<int> dim{"dim"}, value_dim{"value_dim"}, slots{"slots"}, group{"group"};
  Const<bool> packed{"packed"}, gated{"gated"}, initial_k{"initial_k"}, initial_v{"initial_v"};

  int columns() const { return min(block_v, value_dim); }

  Grid grid(In q, In k, In v, In s, In g, In hk0, In hv0, In starts) const {
    return {ceil_div(value_dim, columns()), k.size(2), sequence_count(q, starts, packed)};
  }

  void body(In q, In k, In v, In s, In g, In hk0, In hv0, In starts, Scalar scale, Out o, Out hk, Out hv) const {
    const Index column = program_id(0) * columns(), head = program_id(1), n = program_id(2);
    const TokenSpan tokens = tokens_of(q, starts, n, packed);
    const View qs = tokens.of(q), ks = tokens.of(k), vs = tokens.of(v), ss = tokens.of(s), os = tokens.of(o);
    const View gs = gated ? tokens.of(g) : View(g);

    Var state_k = initial_k ? load(hk0, {n, head, span(0, dim), span(0, slots)}) : zeros(f32, {dim, slots});
    Var state_v = initial_v ? load(hv0, {n, head, span(0, slots), span(column, columns())}) : zeros(f32, {slots, columns()});
    Var log_total = full(f32, {slots}, -inf);  // of all write strengths so far, where gates follow from them
    for (Index t : range(0, tokens.length)) {
      Var strength = cast(load(ss, {tokens.batch, t, head, span(0, slots)}), f32);
      Var decay = zeros(f32, {slots});
      if (gated) {
        decay = exp(cast(load(gs, {tokens.batch, t, head, span(0, slots)}), f32));
      } else {
        const GatesOfStrengths gates(log_total, strength);
        decay = exp(gates.g);
        strength = gates.s;
      }
      const Tile key = cast(load(ks, {tokens.batch, t, head, span(0, dim)}), f32), value = cast(load(vs, {tokens.batch, t, head, span(column, columns())}), f32);
      state_k = state_k * decay(None, _) + key(_, None) * strength(None, _);
      state_v = state_v * decay(_, None) + strength(_, None) * value(None, _);

      const Tile query = cast(load(qs, {tokens.batch, t, span(head * group, group), span(0, dim)}), f32);
      const Tile logits = dot(query, state_k) * scale;
      const Tile weights = exp(logits - reduce_max(logits, 1)(_, None));
      const Tile p = weights / sum(weights, 1)(_, None);
      store(os, {tokens.batch, t, span(head * group, group), span(column, columns())}, cast(dot(p, state_v), o.dtype()));
    }
    when(program_id(0) == 0, [&] { store(hk, {n, head, span(0, dim), span(0, slots)}, state_k); });
    store(hv, {n, head, span(0, slots), span(column, columns())}, state_v);
  }
};
TW_KERNEL(GsaRecurrent, "gsa_recurrent_forward", "q", "k", "v", "s", "g", "hk0", "hv0", "starts", "scale", "o", "hk", "hv")

}  // namespace

const program::TraceableKernel& gsa_recurrent_kernel() { return kernel_of<GsaRecurrent>(); }

GsaResult gsa_recurrent_forward(Session& session, const GsaInputs& inputs, const Sequences& sequences, const GsaOptions& options) {
  const GsaTensors tensors = allocate_gsa(session, inputs, sequences);
  if (sequences.count() == 0) return tensors.result;
  launch(session, gsa_recurrent_kernel(),
         {inputs.q, inputs.k, inputs.v, inputs.s, inputs.g.value_or(inputs.s), tensors.hk0, tensors.hv0, tensors.starts.keys.view(), options.scale,
          tensors.result.output.view(), tensors.result.hk.view(), tensors.result.hv.view()},
         {{"dim", inputs.k.sizes[3]}, {"value_dim", inputs.v.sizes[3]}, {"slots", inputs.s.sizes[3]}, {"group", inputs.q.sizes[2] / inputs.k.sizes[2]},
          {"packed", sequences.packed}, {"gated", inputs.g.has_value()}, {"initial_k", inputs.hk0.has_value()}, {"initial_v", inputs.hv0.has_value()}},
         options.tunables);
  return tensors.result;
}

}  // namespace tilewright::kernels
