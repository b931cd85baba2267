// Settings for NVIDIA's Hopper, found on an H100; bench/results has what they were compared with.
#include "runtime/shipped_settings.h"

namespace tilewright::kernels {

namespace {

const std::vector<DType> kHalves = {DType::BF16, DType::F16};
const std::vector<DType> kFloat8 = {DType::F8E4M3, DType::F8E5M2};

const RegisterShippedSettings registered("sm_90a", {
  // Two groups of warps, 64 x 256 each: the largest product, so that the fewest bytes come from shared memory for each.
  {.kernel = "matmul", .dtypes = {{"a", kHalves}}, .whole_rows = {"a", "b"}, .tunables = {{"block_m", 128}, {"block_n", 256}, {"block_k", 64}, {"stages", 4}, {"warps", 8}}},
  {.kernel = "matmul", .dtypes = {{"a", kFloat8}}, .constants = {{"b_transposed", {1}}}, .whole_rows = {"a", "b"},
   .tunables = {{"block_m", 128}, {"block_n", 256}, {"block_k", 128}, {"stages", 4}, {"warps", 8}}},
});

}  // namespace

}  // namespace tilewright::kernels
