// The kernels of flash_backward on the simulated GPU: scalars of rows that come through channels, products of a turn that are begun together, sums that are in flight to its end.
#include "kernels_src/attention/backward_joint.h"
#include "kernels_src/attention/backward_kernels.h"
#include "tests/gpu/calls.h"
#include "tests/gpu/simt_target.h"
#include "tests/gpu/simulated.h"

#include <gtest/gtest.h>

namespace tilewright::simt {
namespace {

constexpr std::int64_t kGroup = 2, kHeads = 4, kWindow = 50;

// Tiles of `rows` and `columns`: of keys and queries, or of queries and keys in the kernel that walks along the keys.
struct Backward {
  std::int64_t queries, keys, dim, rows, columns, warps;
  bool causal, windowed;
  DType dtype = DType::F16;
};

void PrintTo(const Backward& b, std::ostream* out) {
  *out << b.queries << " queries, " << b.keys << " keys, " << b.dim << " wide, " << b.rows << " x " << b.columns << (b.causal ? ", causal" : "") << (b.windowed ? ", a window" : "") << ", " << name_of(b.dtype);
}

class BackwardTest : public ::testing::TestWithParam<Backward> {
 protected:
  const Backward& p() const { return GetParam(); }
  double tolerance() const { return p().dtype == DType::F16 ? 1e-2 : 6e-2; }

  // q, k, v, d_o, log_sum, delta.
  Call begin() const {
    Call call;
    call.tensor(p().dtype, {1, p().queries, kHeads, p().dim});
    for (int i = 0; i < 2; ++i) call.tensor(p().dtype, {1, p().keys, kHeads / kGroup, p().dim});
    call.tensor(p().dtype, {1, p().queries, kHeads, p().dim});
    for (int i = 0; i < 2; ++i) {
      call.tensor(DType::F32, {1, kHeads, p().queries});
      const std::int64_t row = (p().queries + 3) / 4 * 4;
      call.test.arguments.back().tensor.strides = {kHeads * row, row, 1};
    }
    return call;
  }

  void gradients(Call& call, std::int64_t length, std::int64_t heads, int count) const {
    for (int i = 0; i < count; ++i) call.tensor(p().dtype, {1, length, heads, p().dim}, tolerance());
  }

  std::map<std::string, std::int64_t> settings() const {
    return {{"dim", p().dim}, {"value_dim", p().dim}, {"group", kGroup}, {"causal", p().causal}, {"windowed", p().windowed}, {"stages", 2}, {"warps", p().warps}};
  }

  static void expect_agreement(const fuzz::Case& test) {
    for (const Configuration& configuration : configurations()) {
      if (!configuration.has_roles) continue;
      const auto target = simulated_target(configuration);
      const fuzz::Outcome outcome = fuzz::check(test, *target);
      EXPECT_FALSE(outcome.failed()) << configuration.name << ": " << outcome.text;
    }
  }
};

TEST_P(BackwardTest, Keys) {
  Call call = begin();
  for (int i = 0; i < 2; ++i) call.tensor(DType::I64, {2});
  call.factor(0.125f);
  call.number(kWindow);
  call.number(p().keys);
  gradients(call, p().keys, kHeads / kGroup, 2);
  auto all = settings();
  all.insert({{"packed", 0}, {"block_n", p().rows}, {"block_m", p().columns}});
  expect_agreement(call.of(kernels::flash_backward_keys_kernel(), all));
}

TEST_P(BackwardTest, Queries) {
  Call call = begin();
  for (int i = 0; i < 2; ++i) call.tensor(DType::I64, {2});
  call.factor(0.125f);
  call.number(kWindow);
  call.number(p().queries);
  gradients(call, p().queries, kHeads, 1);
  auto all = settings();
  all.insert({{"packed", 0}, {"query_limit", 256}, {"rows", p().rows}, {"block_k", p().columns}});
  expect_agreement(call.of(kernels::flash_backward_queries_kernel(), all));
}

TEST_P(BackwardTest, Joint) {
  Call call = begin();
  call.factor(0.125f);
  call.number(kWindow);
  const std::int64_t tiles = (p().queries + p().columns - 1) / p().columns;
  call.tensor(DType::F32, {1, kHeads, tiles, std::max(p().dim, p().columns), std::min(p().dim, p().columns)}, tolerance());
  gradients(call, p().keys, kHeads / kGroup, 2);
  auto all = settings();
  all.insert({{"together", 1}, {"block_n", p().rows}, {"block_m", p().columns}});
  expect_agreement(call.of(kernels::flash_backward_joint_kernel(), all));
}

INSTANTIATE_TEST_SUITE_P(Shapes, BackwardTest,
                         ::testing::Values(Backward{100, 100, 64, 64, 64, 4, true, false}, Backward{70, 150, 64, 128, 64, 8, true, true}, Backward{150, 70, 64, 64, 128, 4, true, false, DType::BF16},
                                           Backward{80, 90, 64, 64, 32, 4, false, false}, Backward{90, 130, 128, 128, 64, 8, true, false, DType::BF16}));

}  // namespace
}  // namespace tilewright::simt
