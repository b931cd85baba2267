#include "kernels_src/common/launch.h"
#include "kernels_src/common/sequence_view.h"
#include "kernels_src/gsa/gates.h"
#include "kernels_src/gsa/gsa.h"
#include "kernels_src/gsa/kernels.h"
#include "kernels_src/gsa/tensors.h"
#include "runtime/support/error.h"

#include <bit>

namespace tilewright::kernels {

namespace {

// Gates and write strengths from the strengths alone, where no gates are given. One program a head of a sequence.
struct GsaGates {
  Const<int> slots{"slots"};
  Const<bool> packed{"packed"};
  Tune<int> warps{"warps", {1, 2}};

  Grid grid(In s, In starts) const { return {s.size(2), sequence_count(s, starts, packed)}; }

  void body(In s, In starts, Out g, Out strength) const {
    const Index head = program_id(0);
    const TokenSpan tokens = tokens_of(s, starts, program_id(1), packed);
    Var log_total = full(f32, {slots}, -inf);
    for (Index t : range(0, tokens.length)) {
      const GatesOfStrengths gates(log_total, cast(load(tokens.of(s), {tokens.batch, t, head, span(0, slots)}), f32));
      store(tokens.of(g), {tokens.batch, t, head, span(0, slots)}, gates.g);
      store(tokens.of(strength), {tokens.batch, t, head, span(0, slots)}, gates.s);
    }
  }
};
TW_KERNEL(GsaGates, "gsa_gates", "s", "starts", "g", "strength")

// The state before every chunk, and after the last. Of the keys' state [K, M] the decay works on the columns, of the values' [M, V] on the rows; a program takes some
// of the other axis.
struct GsaChunkStates {
  Tune<int> block{"block", {64, 128, 32}};
  Tune<int> stages{"stages", {2, 3}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};
  Const<int> width{"width"}, slots{"slots"}, chunk_size{"chunk_size"};
  Const<bool> of_values{"of_values"}, packed{"packed"}, initial{"initial"};

  int part() const { return min(block, width); }

  Grid grid(In x, In s, In g, In initial_state, In starts) const { return {ceil_div(width, part()), x.size(2), sequence_count(x, starts, packed)}; }

  void body(In x, In s, In g, In initial_state, In starts, In starts_chunks, Out states, Out final_state) const {
    const Index first = program_id(0) * part(), head = program_id(1), n = program_id(2);
    const TokenSpan tokens = tokens_of(x, starts, n, packed), chunks = tokens_of(states, starts_chunks, n, packed);
    const View xs = tokens.of(x), ss = tokens.of(s), gs = tokens.of(g), before = chunks.of(states);
    const auto rows = of_values ? span(0, slots) : span(first, part()), columns = of_values ? span(first, part()) : span(0, slots);

    Var state = initial ? load(initial_state, {n, head, rows, columns}) : of_values ? zeros(f32, {slots, part()}) : zeros(f32, {part(), slots});
    for (Index chunk : range(0, ceil_div(tokens.length, chunk_size), Pipeline{stages, warp_specialize})) {
      store(before, {chunks.batch, chunk, head, rows, columns}, cast(state, states.dtype()));
      const Index token = chunk * chunk_size;
      // Tokens behind the end have g = 0 and s = 0: the decay of the last row is that of the last token.
      const Tile decay = cumsum(cast(load(gs, {tokens.batch, span(token, chunk_size), head, span(0, slots)}), f32), 0);
      const Tile total = sum(slice(decay, 0, chunk_size - 1, 1), 0);
      const Tile strength = cast(load(ss, {tokens.batch, span(token, chunk_size), head, span(0, slots)}), f32) * exp(total(None, _) - decay);
      const Tile part_x = load(xs, {tokens.batch, span(token, chunk_size), head, span(first, part())});
      const Tile writes = cast(strength, x.dtype());
      if (of_values) {
        state = dot(trans(writes), part_x, state * exp(total)(_, None));
      } else {
        state = dot(trans(part_x), writes, state * exp(total)(None, _));
      }
    }
    store(final_state, {n, head, rows, columns}, state);
  }
};
TW_KERNEL(GsaChunkStates, "gsa_chunk_states", "x", "s", "g", "initial_state", "starts", "starts_chunks", "states", "final_state")

// The pairs of tokens of a chunk in which the later one lies in the upper half of a block of 2 * half tokens and the earlier one in the lower half of the same block.
// Over half = 1, 2, 4, .. these are all pairs, each once. The decay between the two is the product of the decays to and from the block's middle, exp(G_i - G_mid) and
// exp(G_mid - G_j), neither of which can overflow where g <= 0; so products over pairs are products of matrices.
struct Level {
  Tile decay;  // [chunk, slots]: exp(G_i - G_mid) in upper halves, exp(G_mid - G_j) in lower ones
  Tile pairs;  // [chunk, chunk] bool

  Level(const Tile& sums, int chunk, int slots, const Index& level) : Level(sums, chunk, slots, arange(chunk), cast(Index(1) << level, i32)) {}

 private:
  Level(const Tile& sums, int chunk, int slots, const Tile& token, const Tile& half)
      : Level(sums, chunk, slots, half, token / (half * 2), token / half % 2 == 1) {}
  Level(const Tile& sums, int chunk, int slots, const Tile& half, const Tile& block, const Tile& upper)
      : decay(decay_of(sums - take(sums, broadcast_to((block * 2 * half + half)(_, None), {chunk, slots}), 0), upper)),
        pairs((block(_, None) == block(None, _)) & upper(_, None) & !upper(None, _)) {}

  static Tile decay_of(const Tile& to_middle, const Tile& upper) { return exp(where(upper(_, None), to_middle, -to_middle)); }
};

// One chunk of one query head: slots' logits, their softmax, and the output.
struct GsaChunkOutput {
  Tune<int> stages{"stages", {1, 2}};
  Tune<int> warps{"warps", {8, 4}};
  Const<int> dim{"dim"}, value_dim{"value_dim"}, slots{"slots"}, group{"group"}, chunk_size{"chunk_size"};
  Const<bool> packed{"packed"};

  int levels() const { return std::countr_zero(static_cast<unsigned>(static_cast<int>(chunk_size))); }

  Grid grid(In q, In k, In v, In s, In g, In states_k, In states_v, In starts, In starts_chunks, Scalar scale, Scalar longest) const {
    return {ceil_div(longest, chunk_size), q.size(2), sequence_count(q, starts, packed)};
  }

  void body(In q, In k, In v, In s, In g, In states_k, In states_v, In starts, In starts_chunks, Scalar scale, Scalar longest, Out o) const {
    const Index chunk = program_id(0), query_head = program_id(1), head = query_head / group, token = chunk * chunk_size;
    const TokenSpan tokens = tokens_of(q, starts, program_id(2), packed), chunks = tokens_of(states_k, starts_chunks, program_id(2), packed);
    when(token < tokens.length, [&] {
      const DType dtype = q.dtype();
      const auto rows = [&](const View& view, const Index& h, int width) {
        return load(tokens.of(view), {tokens.batch, span(token, chunk_size), h, span(0, width)});
      };
      const Tile query = rows(q, query_head, dim), key = rows(k, head, dim);
      const Tile strength = cast(rows(s, head, slots), f32), sums = cumsum(cast(rows(g, head, slots), f32), 0);

      // First pass: the state before the chunk, the token itself, then pairs within the chunk.
      const Tile state_k = load(chunks.of(states_k), {chunks.batch, chunk, head, span(0, dim), span(0, slots)});
      const Tile products = dot(query, trans(key)) * scale;
      const Tile own = sum(cast(query, f32) * cast(key, f32), 1) * scale;
      Var logits = dot(query, state_k) * scale * exp(sums) + own(_, None) * strength;
      for (Index number : range(0, levels())) {
        const Level level(sums, chunk_size, slots, number);
        logits += dot(cast(where(level.pairs, products, 0.0), dtype), cast(strength * level.decay, dtype)) * level.decay;
      }
      const Tile weights = exp(logits - reduce_max(logits, 1)(_, None));
      const Tile p = weights / sum(weights, 1)(_, None);

      // Second pass.
      Var shares = zeros(f32, {chunk_size, chunk_size});
      for (Index number : range(0, levels())) {
        const Level level(sums, chunk_size, slots, number);
        shares = where(level.pairs, dot(cast(p * level.decay, dtype), trans(cast(strength * level.decay, dtype))), shares);
      }
      const Tile value = rows(v, head, value_dim);
      const Tile state_v = load(chunks.of(states_v), {chunks.batch, chunk, head, span(0, slots), span(0, value_dim)});
      const Tile from_own = sum(p * strength, 1)(_, None) * cast(value, f32);
      const Tile result = dot(cast(shares, dtype), value, dot(cast(p * exp(sums), dtype), state_v, from_own));
      store(tokens.of(o), {tokens.batch, span(token, chunk_size), query_head, span(0, value_dim)}, cast(result, o.dtype()));
    });
  }
};
TW_KERNEL(GsaChunkOutput, "gsa_chunk_output", "q", "k", "v", "s", "g", "states_k", "states_v", "starts", "starts_chunks", "scale", "longest", "o")

Sequences chunk_sequences(const Sequences& sequences, std::int64_t chunk_size) {
  Sequences result = sequences;
  std::int64_t start = 0;
  for (Sequence& s : result.list) {
    s.k_start = start;
    s.k_length = (s.q_length + chunk_size - 1) / chunk_size;
    start += s.k_length;
  }
  return result;
}

}  // namespace

const program::TraceableKernel& gsa_gates_kernel() { return kernel_of<GsaGates>(); }
const program::TraceableKernel& gsa_chunk_states_kernel() { return kernel_of<GsaChunkStates>(); }
const program::TraceableKernel& gsa_chunk_output_kernel() { return kernel_of<GsaChunkOutput>(); }

std::vector<const program::TraceableKernel*> gsa_chunk_kernels() { return {&gsa_gates_kernel(), &gsa_chunk_states_kernel(), &gsa_chunk_output_kernel()}; }

GsaResult gsa_chunk_forward(Session& session, const GsaInputs& inputs, const Sequences& sequences, const GsaOptions& options, std::int64_t chunk_size) {
  if (chunk_size < 16 || (chunk_size & (chunk_size - 1)) != 0) {
    throw Error(3127, "chunk_size is " + std::to_string(chunk_size) + ", expected a power of two of at least 16");
  }
  const GsaTensors tensors = allocate_gsa(session, inputs, sequences);
  if (sequences.count() == 0) return tensors.result;
  const std::int64_t heads = inputs.k.sizes[2], dim = inputs.k.sizes[3], value_dim = inputs.v.sizes[3], slots = inputs.s.sizes[3];
  const TensorView starts = tensors.starts.keys;

  TensorView s = inputs.s, g;
  DeviceTensor made_g, made_s;
  if (inputs.g) {
    g = *inputs.g;
  } else {
    const std::vector<std::int64_t> shape(s.sizes.begin(), s.sizes.begin() + 4);
    g = made_g = allocate(session, DType::F32, shape);
    s = made_s = allocate(session, DType::F32, shape);
    launch(session, gsa_gates_kernel(), {inputs.s, starts, g, s}, {{"slots", slots}, {"packed", sequences.packed}}, options.tunables);
  }

  const Sequences chunks = chunk_sequences(sequences, chunk_size);
  const DeviceStarts chunk_starts = upload_starts(session, chunks);
  const std::int64_t batch = sequences.packed ? 1 : sequences.count(), count = sequences.packed ? chunks.total_k() : chunks.longest_k();
  const DeviceTensor states_k = allocate(session, inputs.q.dtype, {batch, count, heads, dim, slots});
  const DeviceTensor states_v = allocate(session, inputs.q.dtype, {batch, count, heads, slots, value_dim});
  for (bool of_values : {false, true}) {
    const std::optional<TensorView>& initial = of_values ? inputs.hv0 : inputs.hk0;
    launch(session, gsa_chunk_states_kernel(),
           {of_values ? inputs.v : inputs.k, s, g, of_values ? tensors.hv0 : tensors.hk0, starts, chunk_starts.keys.view(), (of_values ? states_v : states_k).view(),
            (of_values ? tensors.result.hv : tensors.result.hk).view()},
           {{"width", of_values ? value_dim : dim}, {"slots", slots}, {"chunk_size", chunk_size}, {"of_values", of_values}, {"packed", sequences.packed},
            {"initial", initial.has_value()}},
           options.tunables);
  }
  if (tensors.result.output.view().elements() == 0) return tensors.result;
  launch(session, gsa_chunk_output_kernel(),
         {inputs.q, inputs.k, inputs.v, s, g, states_k.view(), states_v.view(), starts, chunk_starts.keys.view(), options.scale, sequences.longest_q(),
          tensors.result.output.view()},
         {{"dim", dim}, {"value_dim", value_dim}, {"slots", slots}, {"group", inputs.q.sizes[2] / heads}, {"chunk_size", chunk_size}, {"packed", sequences.packed}},
         options.tunables);
  return tensors.result;
}

}  // namespace tilewright::kernels
