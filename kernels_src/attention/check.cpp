#include "kernels_src/attention/check.h"

#include "kernels_src/common/inputs.h"

#include <algorithm>

namespace tilewright::kernels {

namespace {

constexpr double kWork = 2e8;  // multiplications of a reference: some tenths of a second

}  // namespace

std::int64_t affordable_rows(double work) { return std::max<std::int64_t>(16, static_cast<std::int64_t>(kWork / std::max(work, 1.0))); }

CheckReport check_attention(const AttentionProblem& problem, const std::string& output_name, const HostTensor& output, const std::string& lse_name,
                            const HostTensor& lse, double work_per_row, const std::function<reference::AttentionRow(const RowId&)>& row) {
  expect_shape(output_name, output, query_shape(problem, problem.q_heads, problem.value_dim), "[B, TQ, HQ, V]");
  std::vector<std::int64_t> rows;
  std::vector<double> outputs, lses;
  double largest_logit = 0;
  for (const RowId& id : choose_rows(problem.sequences, problem.q_heads, affordable_rows(work_per_row))) {
    const reference::AttentionRow expected = row(id);
    rows.push_back(query_row(problem.sequences, id, problem.q_heads));
    outputs.insert(outputs.end(), expected.output.begin(), expected.output.end());
    lses.push_back(expected.lse);
    largest_logit = std::max(largest_logit, expected.largest_logit);
  }
  return merge(compare_rows(output_name, output, rows, problem.value_dim, outputs, tolerance_for_logits(output.dtype(), largest_logit)),
               compare_rows(lse_name, lse, rows, 1, lses, tolerance_for(lse.dtype())));
}

}  // namespace tilewright::kernels
