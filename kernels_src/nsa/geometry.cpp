#include "kernels_src/nsa/geometry.h"

#include "kernels_src/common/inputs.h"
#include "runtime/support/error.h"

namespace tilewright::kernels {

namespace {

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

void expect_at_least(const char* name, std::int64_t value, std::int64_t least) {
  if (value >= least) return;
  throw Error(3121, std::string(name) + " is " + std::to_string(value) + ", expected at least " + std::to_string(least));
}

void expect_divides(const char* divisor_name, std::int64_t divisor, const char* name, std::int64_t value) {
  if (value % divisor == 0) return;
  throw Error(3121, std::string(divisor_name) + " " + std::to_string(divisor) + " does not divide " + name + " " + std::to_string(value));
}

}  // namespace

std::int64_t NsaGeometry::windows(std::int64_t length) const {
  if (partial_window) return length <= 0 ? 0 : length <= compress_length ? 1 : ceil_div(length - compress_length, compress_stride) + 1;
  return length < compress_length ? 0 : (length - compress_length) / compress_stride + 1;
}

std::int64_t NsaGeometry::visible_windows(std::int64_t position) const {
  return position + 1 < compress_length ? 0 : (position + 1 - compress_length) / compress_stride + 1;
}

std::int64_t NsaGeometry::blocks(std::int64_t length) const { return ceil_div(length, block_size); }

void NsaGeometry::validate() const {
  expect_at_least("compress_length", compress_length, 1);
  expect_at_least("compress_stride", compress_stride, 1);
  expect_at_least("block_size", block_size, 1);
  expect_at_least("slots", slots, 1);
  expect_at_least("init_blocks", init_blocks, 0);
  expect_at_least("local_blocks", local_blocks, 0);
  expect_at_least("window", window, 0);
  expect_divides("compress_stride", compress_stride, "compress_length", compress_length);
  expect_divides("compress_stride", compress_stride, "block_size", block_size);
}

NsaGeometry fla_geometry(std::int64_t block_size) {
  NsaGeometry g;
  g.compress_length = g.compress_stride = g.block_size = block_size;
  g.window_scale_default = true;
  return g;
}

NsaGeometry xl_geometry() {
  NsaGeometry g;
  g.compress_length = 32;
  g.compress_stride = 16;
  g.partial_window = false;
  g.window = 513;
  return g;
}

void expect_window(const NsaGeometry& geometry) { expect_at_least("window", geometry.window, 1); }

std::vector<OperatorSetting> geometry_settings() {
  return {
      {"preset", "fla", "fla or xl: where the empty ones of the following come from"},
      {"compress_length", "", "l, tokens in a compression window (fla: block_size, xl: 32)"},
      {"compress_stride", "", "d, distance of window starts; divides l and block_size (fla: block_size, xl: 16)"},
      {"block_size", "", "l', tokens in a selection block (64)"},
      {"slots", "", "n, blocks selected for a query (16)"},
      {"init_blocks", "", "first blocks that are always selected (1)"},
      {"local_blocks", "", "last blocks up to the query's own that are always selected (2)"},
      {"window", "", "sliding window in tokens, 0 for none (512; with xl a query sees one key more than this says)"},
  };
}

NsaGeometry geometry_of(const OperatorSettings& settings) {
  const std::string& preset = settings.text("preset");
  NsaGeometry g;
  std::int64_t extra_keys = 0;
  if (preset == "fla") {
    g = fla_geometry(integer_or(settings, "block_size", 64, 1));
  } else if (preset == "xl") {
    g = xl_geometry();
    extra_keys = 1;
  } else {
    throw Error(3002, "setting 'preset' is '" + preset + "', expected fla or xl");
  }
  g.block_size = integer_or(settings, "block_size", g.block_size, 1);
  g.compress_length = integer_or(settings, "compress_length", g.compress_length, 1);
  g.compress_stride = integer_or(settings, "compress_stride", g.compress_stride, 1);
  g.slots = integer_or(settings, "slots", g.slots, 1);
  g.init_blocks = integer_or(settings, "init_blocks", g.init_blocks, 0);
  g.local_blocks = integer_or(settings, "local_blocks", g.local_blocks, 0);
  const std::int64_t window = integer_or(settings, "window", g.window - extra_keys, 0);
  g.window = window == 0 ? 0 : window + extra_keys;
  g.validate();
  return g;
}

}  // namespace tilewright::kernels
