// Sparse attention put together from its kernels.
#include "kernels_src/nsa/nsa.h"

#include "kernels_src/common/launch.h"
#include "kernels_src/nsa/check.h"
#include "runtime/support/error.h"

#include <cmath>

namespace tilewright::kernels {

AttentionResult nsa_window_forward(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const Sequences& sequences,
                                   const NsaOptions& options) {
  expect_window(options.geometry);
  return flash_forward(session, q, k, v, sequences, {options.scale, true, options.geometry.window, options.tunables});
}

NsaResult nsa_forward(Session& session, const NsaInputs& inputs, const Sequences& sequences, const NsaOptions& options) {
  const NsaGeometry& geometry = options.geometry;
  geometry.validate();
  if (inputs.k_cmp.has_value() != inputs.v_cmp.has_value()) throw Error(3110, "compressed keys and values are given both or not at all");

  NsaResult result;
  TensorView k_cmp, v_cmp;
  if (inputs.k_cmp) {
    k_cmp = *inputs.k_cmp;
    v_cmp = *inputs.v_cmp;
    result.k_cmp = DeviceTensor(k_cmp, nullptr);
    result.v_cmp = DeviceTensor(v_cmp, nullptr);
  } else {
    k_cmp = result.k_cmp = nsa_compress(session, inputs.k, sequences, geometry, inputs.pool_k, options.tunables);
    v_cmp = result.v_cmp = nsa_compress(session, inputs.v, sequences, geometry, inputs.pool_v, options.tunables);
  }

  result.compressed = nsa_compressed_forward(session, inputs.q, k_cmp, v_cmp, sequences, options);
  if (inputs.indices) {
    result.selection.indices = DeviceTensor(*inputs.indices, nullptr);
    if (inputs.counts) result.selection.counts = DeviceTensor(*inputs.counts, nullptr);
  } else {
    result.selection = nsa_topk(session, inputs.q, k_cmp, result.compressed.lse.view(), sequences, options);
  }
  const bool counted = !inputs.indices || inputs.counts;
  result.selected = nsa_selected_forward(session, inputs.q, inputs.k, inputs.v, result.selection.indices,
                                         counted ? std::optional<TensorView>(result.selection.counts) : std::nullopt, sequences, options);

  if (geometry.window == 0) {
    result.output = nsa_combine(session, inputs.g_cmp, result.compressed.output, inputs.g_slc, result.selected.output, {}, {}, options.tunables);
    return result;
  }
  NsaOptions window = options;
  if (geometry.window_scale_default) window.scale = 1 / std::sqrt(static_cast<double>(inputs.q.sizes[3]));
  result.window = nsa_window_forward(session, inputs.q, inputs.k, inputs.v, sequences, window);
  result.output = nsa_combine(session, inputs.g_cmp, result.compressed.output, inputs.g_slc, result.selected.output, inputs.g_swa, result.window.output.view(),
                              options.tunables);
  return result;
}

}  // namespace tilewright::kernels
