#include "kernels_src/nsa/check.h"

#include "kernels_src/attention/check.h"
#include "kernels_src/common/inputs.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace tilewright::kernels {

namespace {

// Scores below this are equal: they may be flushed to zero.
constexpr double kSmallestScore = 1e-36;

std::string row_text(const RowId& id) {
  return "sequence " + std::to_string(id.sequence) + ", query " + std::to_string(id.token) + ", head " + std::to_string(id.head);
}

// Empty when the row has the promised form, else what is wrong with it.
std::string fault_of_row(const std::vector<std::int64_t>& slots, std::int64_t count, std::int64_t own_block) {
  std::int64_t valid = 0;
  while (valid < static_cast<std::int64_t>(slots.size()) && slots[valid] >= 0) ++valid;
  if (count != valid) return "count " + std::to_string(count) + " of " + std::to_string(valid) + " blocks";
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(slots.size()); ++i) {
    if (i >= valid && slots[i] != -1) return "slot " + std::to_string(i) + " is " + std::to_string(slots[i]) + ", expected -1";
    if (i < valid && slots[i] > own_block) return "block " + std::to_string(slots[i]) + " is after the query's own, " + std::to_string(own_block);
    if (i > 0 && i < valid && slots[i] <= slots[i - 1]) return "block " + std::to_string(slots[i]) + " follows block " + std::to_string(slots[i - 1]);
  }
  return "";
}

}  // namespace

Sequences window_sequences(const Sequences& sequences, const NsaGeometry& geometry) {
  Sequences result = sequences;
  std::int64_t start = 0;
  for (Sequence& s : result.list) {
    s.k_start = start;
    s.k_length = geometry.windows(s.k_length);
    start += s.k_length;
  }
  return result;
}

std::vector<std::int64_t> window_rows(const Sequences& windows, std::int64_t sequence, std::int64_t heads, std::int64_t h) {
  const Sequence& s = windows.list[sequence];
  std::vector<std::int64_t> rows;
  for (std::int64_t c = 0; c < s.k_length; ++c) rows.push_back((s.k_start + c) * heads + h);
  return rows;
}

std::vector<std::int64_t> blocks_of_row(const HostTensor& indices, const HostTensor* counts, std::int64_t row) {
  const std::int64_t slots = indices.shape().back();
  const std::int64_t count = counts == nullptr ? slots : std::min(slots, static_cast<std::int64_t>(counts->at(row)));
  std::vector<std::int64_t> blocks;
  for (std::int64_t i = 0; i < count; ++i) blocks.push_back(static_cast<std::int64_t>(indices.at(row * slots + i)));
  return blocks;
}

reference::AttentionRow compressed_reference(const AttentionProblem& problem, const NsaGeometry& geometry, const Sequences& windows, const HostTensor& q,
                                             const DoubleRows& k_cmp, const DoubleRows& v_cmp, const RowId& id) {
  const std::vector<std::int64_t> all = window_rows(windows, id.sequence, problem.kv_heads, id.head / problem.group());
  const std::int64_t visible = geometry.visible_windows(problem.sequences.list[id.sequence].position(id.token));
  return reference::attend(row_of(q, query_row(problem.sequences, id, problem.q_heads)), {all.begin(), all.begin() + visible}, k_cmp, v_cmp, problem.scale);
}

reference::AttentionRow selected_reference(const AttentionProblem& problem, const NsaGeometry& geometry, const HostTensor& q, const DoubleRows& k, const DoubleRows& v,
                                           const HostTensor& indices, const HostTensor* counts, const RowId& id) {
  const Sequence& s = problem.sequences.list[id.sequence];
  const std::int64_t h = id.head / problem.group();
  const std::vector<std::int64_t> blocks = blocks_of_row(indices, counts, query_row(problem.sequences, {id.sequence, id.token, h}, problem.kv_heads));
  const std::vector<std::int64_t> keys = reference::keys_of_blocks(blocks, s.position(id.token), s.k_length, geometry.block_size);
  return reference::attend(row_of(q, query_row(problem.sequences, id, problem.q_heads)), reference::rows_of_keys(keys, s.k_start, problem.kv_heads, h), k, v,
                           problem.scale);
}

reference::AttentionRow window_reference(const AttentionProblem& problem, std::int64_t window, double scale, const HostTensor& q, const DoubleRows& k,
                                         const DoubleRows& v, const RowId& id) {
  const Sequence& s = problem.sequences.list[id.sequence];
  const std::vector<std::int64_t> keys = reference::visible_keys(s.position(id.token), s.k_length, true, window);
  return reference::attend(row_of(q, query_row(problem.sequences, id, problem.q_heads)),
                           reference::rows_of_keys(keys, s.k_start, problem.kv_heads, id.head / problem.group()), k, v, scale);
}

CheckReport check_compression(const std::string& name, const HostTensor& y, const HostTensor& x, const Sequences& sequences, const NsaGeometry& geometry,
                              const reference::PoolingParameters& parameters) {
  const std::int64_t heads = x.shape()[2], dim = x.shape()[3];
  const Sequences windows = window_sequences(sequences, geometry);
  expect_shape(name, y, {x.shape()[0], windows.packed ? windows.total_k() : windows.longest_k(), heads, dim}, "[B, TC, H, D]");
  // Windows take the part of queries in the choice of rows.
  Sequences chosen_from = windows;
  for (Sequence& s : chosen_from.list) s.q_start = s.k_start, s.q_length = s.k_length;
  const double work = static_cast<double>(geometry.compress_length * dim * (parameters.kind == Pooling::Linear ? dim : 1));
  const DoubleRows tokens(x);
  std::vector<std::int64_t> rows;
  std::vector<double> expected;
  for (const RowId& id : choose_rows(chosen_from, heads, affordable_rows(work))) {
    const std::vector<double> pooled = reference::compress_window(tokens, sequences.list[id.sequence], heads, id.head, id.token, geometry, parameters);
    rows.push_back(query_row(chosen_from, id, heads));
    expected.insert(expected.end(), pooled.begin(), pooled.end());
  }
  return compare_rows(name, y, rows, dim, expected, tolerance_for(y.dtype()));
}

CheckReport check_selection(const AttentionProblem& problem, const NsaGeometry& geometry, const HostTensor& q, const HostTensor& k_cmp, const HostTensor* lse,
                            const HostTensor& indices, const HostTensor& counts) {
  CheckReport report;
  report.ok = true;
  report.mismatched_scores = 0;
  const auto fail = [&](const std::string& note) {
    if (report.ok || report.notes.size() < 8) report.notes.push_back(note);
    report.ok = false;
  };

  for (const RowId& id : choose_rows(problem.sequences, problem.kv_heads, std::numeric_limits<std::int64_t>::max())) {
    const std::int64_t row = query_row(problem.sequences, id, problem.kv_heads);
    const std::int64_t position = problem.sequences.list[id.sequence].position(id.token);
    const std::string fault =
        fault_of_row(blocks_of_row(indices, nullptr, row), static_cast<std::int64_t>(counts.at(row)), position / geometry.block_size);
    if (!fault.empty()) fail("indices: " + row_text(id) + ": " + fault);
  }
  if (!report.ok) return report;

  const Sequences windows = window_sequences(problem.sequences, geometry);
  const DoubleRows keys(k_cmp);
  const double work = static_cast<double>(windows.longest_k()) * static_cast<double>(problem.group() * problem.dim);
  double largest_logit = 0;
  std::vector<double> differences;  // of the scores of picks of one rank, relative
  for (const RowId& id : choose_rows(problem.sequences, problem.kv_heads, affordable_rows(work))) {
    const std::int64_t row = query_row(problem.sequences, id, problem.kv_heads);
    const std::int64_t position = problem.sequences.list[id.sequence].position(id.token);
    const std::vector<std::int64_t> rows = window_rows(windows, id.sequence, problem.kv_heads, id.head);
    const std::vector<std::int64_t> visible(rows.begin(), rows.begin() + std::min<std::int64_t>(geometry.visible_windows(position), rows.size()));
    std::vector<std::vector<double>> queries;
    std::vector<double> lses;
    for (std::int64_t i = 0; i < problem.group(); ++i) {
      const std::int64_t query = query_row(problem.sequences, {id.sequence, id.token, id.head * problem.group() + i}, problem.q_heads);
      queries.push_back(row_of(q, query));
      const reference::AttentionRow attended = reference::attend(queries.back(), visible, keys, keys, problem.scale);
      lses.push_back(lse != nullptr ? lse->at(query) : attended.lse);
      largest_logit = std::max(largest_logit, attended.largest_logit);
    }
    const std::vector<double> scores = reference::block_scores(queries, lses, keys, rows, problem.scale, position, geometry);
    const std::vector<std::int64_t> best = reference::select_blocks(scores, position, geometry);
    const std::vector<std::int64_t> picked = blocks_of_row(indices, &counts, row);
    if (picked.size() != best.size()) {
      fail("indices: " + row_text(id) + ": " + std::to_string(picked.size()) + " blocks, the reference " + std::to_string(best.size()));
      continue;
    }
    const auto ranked = [&](const std::vector<std::int64_t>& blocks) {
      std::vector<double> values;
      for (std::int64_t j : blocks) {
        if (reference::is_forced(j, position, geometry)) {
          if (!std::binary_search(best.begin(), best.end(), j)) fail("indices: " + row_text(id) + ": forced block " + std::to_string(j) + " before a lower one");
          values.push_back(std::numeric_limits<double>::infinity());
        } else {
          values.push_back(std::isnan(scores[j]) ? -std::numeric_limits<double>::infinity() : scores[j]);
        }
      }
      std::sort(values.begin(), values.end(), std::greater<>());
      return values;
    };
    const std::vector<double> expected = ranked(best), actual = ranked(picked);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (expected[i] == actual[i]) continue;
      const double larger = std::max(std::fabs(expected[i]), std::fabs(actual[i]));
      if (larger < kSmallestScore) continue;
      differences.push_back(std::fabs(expected[i] - actual[i]) / larger);
      report.max_abs = std::max(report.max_abs, std::fabs(expected[i] - actual[i]));
    }
  }
  // Scores are exponentials of logits: see tolerance_for_logits. The kernel's arithmetic is f32 whatever the inputs' dtype.
  report.tolerance = 2 * tolerance_for_logits(DType::F32, largest_logit);
  for (double difference : differences) {
    if (!(difference <= report.tolerance)) ++report.mismatched_scores;
  }
  if (report.mismatched_scores > 0) fail("indices: " + std::to_string(report.mismatched_scores) + " picks have scores below those of the best blocks");
  report.notes.push_back("indices: " + std::to_string(differences.size()) + " picks differ from the reference's, " + std::to_string(report.mismatched_scores) +
                         " of them in score");
  return report;
}

}  // namespace tilewright::kernels
