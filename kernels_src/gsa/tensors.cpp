#include "kernels_src/gsa/tensors.h"

#include "runtime/support/error.h"

namespace tilewright::kernels {

GsaTensors allocate_gsa(Session& session, const GsaInputs& inputs, const Sequences& sequences) {
  const TensorView &q = inputs.q, &k = inputs.k, &v = inputs.v, &s = inputs.s;
  for (const auto& [name, view] : {std::pair{"q", &q}, {"k", &k}, {"v", &v}, {"s", &s}}) expect_view(name, *view, 4, q.dtype);
  const std::int64_t batch = q.sizes[0], tokens = q.sizes[1], heads = k.sizes[2], dim = q.sizes[3], value_dim = v.sizes[3], slots = s.sizes[3];
  if (heads < 1 || q.sizes[2] % heads != 0) {
    throw Error(3111, "q has " + std::to_string(q.sizes[2]) + " heads, no multiple of the " + std::to_string(heads) + " heads of k");
  }
  expect_sizes("k", k, {batch, tokens, heads, dim}, q.dtype);
  expect_sizes("v", v, {batch, tokens, heads, value_dim}, q.dtype);
  expect_sizes("s", s, {batch, tokens, heads, slots}, q.dtype);
  if (inputs.g) expect_sizes("g", *inputs.g, {batch, tokens, heads, slots}, q.dtype);
  const std::vector<std::int64_t> shape_k = {sequences.count(), heads, dim, slots}, shape_v = {sequences.count(), heads, slots, value_dim};
  if (inputs.hk0) expect_sizes("hk0", *inputs.hk0, shape_k, DType::F32);
  if (inputs.hv0) expect_sizes("hv0", *inputs.hv0, shape_v, DType::F32);

  GsaTensors tensors;
  tensors.result = {allocate(session, q.dtype, {batch, tokens, q.sizes[2], value_dim}), allocate(session, DType::F32, shape_k), allocate(session, DType::F32, shape_v)};
  tensors.starts = upload_starts(session, sequences);
  tensors.unused = allocate(session, DType::F32, {1, 1, 1, 1});
  tensors.hk0 = inputs.hk0.value_or(tensors.unused);
  tensors.hv0 = inputs.hv0.value_or(tensors.unused);
  return tensors;
}

}  // namespace tilewright::kernels
