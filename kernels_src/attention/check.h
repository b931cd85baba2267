// Comparing an attention's outputs with its reference, over chosen rows where a problem is large.
#pragma once

#include "kernels_src/attention/problem.h"
#include "kernels_src/attention/reference.h"
#include "kernels_src/common/rows.h"
#include "runtime/operator.h"

#include <functional>
#include <string>

namespace tilewright::kernels {

// Compares an attention's output [B, TQ, HQ, V] and lse [B, TQ, HQ] on chosen rows with what `row` gives for them.
CheckReport check_attention(const AttentionProblem& problem, const std::string& output_name, const HostTensor& output, const std::string& lse_name,
                            const HostTensor& lse, double work_per_row, const std::function<reference::AttentionRow(const RowId&)>& row);

// How many rows a reference may compute that costs `work` multiplications a row.
std::int64_t affordable_rows(double work);

}  // namespace tilewright::kernels
