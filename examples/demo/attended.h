// What a query attended, for people: weights of one head computed once more on the host, in double precision, and printed with the text they fall on.
#pragma once

#include "kernels_src/nsa/geometry.h"
#include "runtime/operator.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright::demo {

// The words of a sequence; empty where it has none.
using Words = std::vector<std::string>;

// One token a line.
Words read_words(const std::string& path);

// The three branches of NSA at these tokens, for query head `head`: gates, the windows with most weight, the selected blocks with their weights, the sliding window.
void print_nsa(const TensorMap& inputs, const TensorMap& outputs, const kernels::NsaGeometry& geometry, const Words& words, std::int64_t head,
               const std::vector<std::int64_t>& tokens);

// The slots GSA reads at these tokens, for head `head`, and how fast slots forget.
void print_gsa(const TensorMap& inputs, const Words& words, std::int64_t head, const std::vector<std::int64_t>& tokens);

}  // namespace tilewright::demo
