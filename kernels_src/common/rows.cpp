#include "kernels_src/common/rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

namespace tilewright::kernels {

namespace {

// SplitMix64: the choice of rows must not depend on a library.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

DoubleRows::DoubleRows(const HostTensor& tensor) : data_(tensor.to_doubles()), width_(tensor.shape().empty() ? 1 : tensor.shape().back()) {}

std::vector<double> row_of(const HostTensor& tensor, std::int64_t row) {
  const std::int64_t width = tensor.shape().back();
  std::vector<double> values(static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < width; ++i) values[i] = tensor.at(row * width + i);
  return values;
}

std::vector<std::int64_t> choose_numbers(std::int64_t count, std::int64_t most) {
  std::vector<std::int64_t> chosen;
  if (count <= most) {
    for (std::int64_t i = 0; i < count; ++i) chosen.push_back(i);
    return chosen;
  }
  std::set<std::int64_t> numbers = {0, count - 1};
  for (std::uint64_t i = 0; static_cast<std::int64_t>(numbers.size()) < std::max<std::int64_t>(most, 2); ++i) {
    numbers.insert(static_cast<std::int64_t>(mix(i) % static_cast<std::uint64_t>(count)));
  }
  return {numbers.begin(), numbers.end()};
}

std::vector<RowId> choose_rows(const Sequences& sequences, std::int64_t heads, std::int64_t most) {
  // Number all queries of all heads: sequence by sequence, token by token.
  std::vector<std::int64_t> first;
  std::int64_t count = 0;
  for (const Sequence& s : sequences.list) {
    first.push_back(count);
    count += s.q_length * heads;
  }
  std::vector<std::int64_t> numbers = choose_numbers(count, most);
  if (count > most) {
    // Ends of sequences break first: add them for up to eight sequences, each with another head.
    for (std::int64_t n : choose_numbers(sequences.count(), 8)) {
      const std::int64_t length = sequences.list[n].q_length;
      for (std::int64_t t : {std::int64_t{0}, std::int64_t{1}, length - 2, length - 1}) {
        if (t >= 0 && t < length) numbers.push_back(first[n] + t * heads + (n + t) % heads);
      }
    }
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  }
  std::vector<RowId> rows;
  for (std::int64_t number : numbers) {
    const auto after = std::upper_bound(first.begin(), first.end(), number);
    const std::int64_t n = after - first.begin() - 1;
    rows.push_back({n, (number - first[n]) / heads, (number - first[n]) % heads});
  }
  return rows;
}

std::int64_t query_row(const Sequences& sequences, const RowId& id, std::int64_t heads) {
  return (sequences.list[id.sequence].q_start + id.token) * heads + id.head;
}

CheckReport compare_rows(const std::string& output, const HostTensor& actual, const std::vector<std::int64_t>& rows, std::int64_t width,
                         const std::vector<double>& reference, double tolerance) {
  HostTensor gathered(actual.dtype(), {static_cast<std::int64_t>(rows.size()), width});
  const std::size_t bytes = static_cast<std::size_t>(width) * size_of(actual.dtype());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(static_cast<char*>(gathered.data()) + i * bytes, static_cast<const char*>(actual.data()) + static_cast<std::size_t>(rows[i]) * bytes, bytes);
  }
  CheckReport report = compare(output, gathered, reference, tolerance);
  const std::int64_t all = width == 0 ? 0 : actual.elements() / width;
  if (static_cast<std::int64_t>(rows.size()) < all) {
    report.notes.push_back(output + ": checked " + std::to_string(rows.size()) + " of " + std::to_string(all) + " rows");
  }
  if (!report.ok && width > 0) {
    // The position in the comparison's own note counts chosen rows; say where the worst of them is in the tensor.
    double worst = -1;
    std::size_t at = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const double x = gathered.at(static_cast<std::int64_t>(i));
      const bool same = x == reference[i] || (std::isnan(x) && std::isnan(reference[i]));
      const double error = same ? 0 : std::isfinite(x) && std::isfinite(reference[i]) ? std::fabs(x - reference[i]) : INFINITY;
      if (error > worst) worst = error, at = i;
    }
    report.notes.push_back(output + ": the worst element is in row " + std::to_string(rows[at / static_cast<std::size_t>(width)]) + " of the flattened tensor");
  }
  return report;
}

double tolerance_for_logits(DType dtype, double largest_logit) {
  return std::max(tolerance_for(dtype), 4 * 0x1p-23 * largest_logit);
}

}  // namespace tilewright::kernels
