// Settings for NVIDIA's Hopper, found on an H100; bench/results has what they were compared with.
#include "runtime/shipped_settings.h"

#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace tilewright::kernels {

namespace {

const std::vector<DType> kHalves = {DType::BF16, DType::F16};
const std::vector<DType> kFloat8 = {DType::F8E4M3, DType::F8E5M2};

// Tiles of 128 queries, heads of a group among them, are two groups of warps.
std::map<std::string, std::vector<std::int64_t>> whole_tiles(std::int64_t dim, std::int64_t value_dim) {
  return {{"dim", {dim}}, {"value_dim", {value_dim}}, {"group", {1, 2, 4, 8, 16, 32, 64, 128}}, {"query_limit", {128, 256}}, {"packed", {0}}};
}

std::map<std::string, std::vector<std::int64_t>> whole_keys(std::int64_t dim) { return {{"dim", {dim}}, {"value_dim", {dim}}, {"packed", {0}}}; }

std::vector<std::int64_t> up_to(std::int64_t last) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(last));
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

const RegisterShippedSettings registered("sm_90a", {
  // Two groups of warps, 64 x 256 each: the largest product, so that the fewest bytes come from shared memory for each.
  {.kernel = "matmul", .dtypes = {{"a", kHalves}}, .whole_rows = {"a", "b"}, .tunables = {{"block_m", 128}, {"block_n", 256}, {"block_k", 64}, {"stages", 4}, {"warps", 8}}},
  {.kernel = "matmul", .dtypes = {{"a", kFloat8}}, .constants = {{"b_transposed", {1}}}, .whole_rows = {"a", "b"},
   .tunables = {{"block_m", 128}, {"block_n", 256}, {"block_k", 128}, {"stages", 4}, {"warps", 8}}},
  // As many keys at once as registers hold beside the output.
  {.kernel = "flash_forward", .dtypes = {{"q", kHalves}}, .constants = whole_tiles(128, 128), .whole_rows = {"k", "v"}, .tunables = {{"block_k", 128}, {"stages", 2}}},
  {.kernel = "flash_forward", .dtypes = {{"q", kHalves}}, .constants = whole_tiles(64, 64), .whole_rows = {"k", "v"}, .tunables = {{"block_k", 256}, {"stages", 2}}},
  {.kernel = "flash_forward", .dtypes = {{"q", kHalves}}, .constants = whole_tiles(192, 128), .whole_rows = {"k", "v"}, .tunables = {{"block_k", 96}, {"stages", 2}}},
  {.kernel = "flash_forward", .dtypes = {{"q", kHalves}}, .constants = whole_tiles(256, 256), .whole_rows = {"k", "v"}, .tunables = {{"block_k", 32}, {"stages", 2}}},
  {.kernel = "flash_backward_keys", .dtypes = {{"q", kHalves}}, .constants = whole_keys(128), .whole_rows = {"q", "d_o"}, .tunables = {{"block_m", 64}, {"block_n", 128}}},
  {.kernel = "flash_backward_keys", .dtypes = {{"q", kHalves}}, .constants = whole_keys(64), .whole_rows = {"q", "d_o"}, .tunables = {{"block_m", 128}, {"block_n", 128}}},
  {.kernel = "flash_backward_queries", .dtypes = {{"q", kHalves}}, .constants = whole_tiles(128, 128), .whole_rows = {"k", "v"}, .tunables = {{"block_k", 64}, {"stages", 2}}},
  {.kernel = "flash_backward_queries", .dtypes = {{"q", kHalves}}, .constants = whole_tiles(64, 64), .whole_rows = {"k", "v"}, .tunables = {{"block_k", 128}, {"stages", 2}}},
  // The schedule by hand: eight tokens share their blocks, each a team of one warp.
  {.kernel = "nsa_selected_forward", .dtypes = {{"q", kHalves}}, .constants = {{"dim", {128}}, {"value_dim", {128}}, {"group", {16}}, {"block_size", {64}}, {"slots", up_to(64)}, {"packed", {0}}}, .whole_rows = {"k", "v"},
   .tunables = {{"schedule", 1}, {"warps", 1}, {"stages", 5}}},
  // One token, few heads of a group: sixteen rows at most.
  {.kernel = "flash_decode_split", .dtypes = {{"q", kHalves}}, .constants = {{"dim", {128}}, {"value_dim", {128}}, {"group", {1, 2, 4, 8, 16}}, {"tokens", {1}}}, .tunables = {{"block_k", 32}, {"stages", 3}, {"warps", 2}}},
  {.kernel = "flash_decode_split", .dtypes = {{"q", kHalves}}, .tunables = {{"stages", 2}}},
});

}  // namespace

}  // namespace tilewright::kernels
