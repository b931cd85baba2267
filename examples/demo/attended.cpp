#include "examples/demo/attended.h"

#include "runtime/support/error.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <numeric>

namespace tilewright::demo {

namespace {

// Row (token, head) of a [1, T, heads, width] tensor.
std::vector<double> row_of(const HostTensor& tensor, std::int64_t token, std::int64_t head) {
  const std::int64_t heads = tensor.shape()[2], width = tensor.shape()[3];
  std::vector<double> row(width);
  for (std::int64_t i = 0; i < width; ++i) row[i] = tensor.at((token * heads + head) * width + i);
  return row;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

std::vector<double> softmax(std::vector<double> x) {
  const double largest = x.empty() ? 0 : *std::max_element(x.begin(), x.end());
  double total = 0;
  for (double& value : x) total += value = std::exp(value - largest);
  for (double& value : x) value /= total;
  return x;
}

// Positions of the `count` largest values, largest first.
std::vector<std::int64_t> largest_of(const std::vector<double>& values, std::size_t count) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return values[a] > values[b]; });
  order.resize(std::min(order.size(), count));
  return order;
}

// Words begin .. end as text: pieces of a word joined again, cut where it gets long.
std::string text_of(const Words& words, std::int64_t begin, std::int64_t end) {
  constexpr std::size_t kLongest = 88;
  std::string text;
  for (std::int64_t t = begin; t < std::min<std::int64_t>(end, words.size()); ++t) {
    const std::string& word = words[t];
    if (word.starts_with("##")) {
      text += word.substr(2);
    } else {
      if (!text.empty()) text += ' ';
      text += word;
    }
  }
  if (text.size() > kLongest) text = text.substr(0, kLongest - 3) + "...";
  return text;
}

std::string quoted(const Words& words, std::int64_t begin, std::int64_t end) { return words.empty() ? "" : "  \"" + text_of(words, begin, end) + "\""; }

// The weights of a query over keys of one head.
std::vector<double> weights_over(const std::vector<double>& query, const HostTensor& keys, const std::vector<std::int64_t>& tokens, std::int64_t head, double scale) {
  std::vector<double> logits;
  for (std::int64_t token : tokens) logits.push_back(scale * dot(query, row_of(keys, token, head)));
  return softmax(std::move(logits));
}

std::vector<std::int64_t> counted(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> all(std::max<std::int64_t>(end - begin, 0));
  std::iota(all.begin(), all.end(), begin);
  return all;
}

}  // namespace

Words read_words(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(3100, "cannot read '" + path + "'");
  Words words;
  for (std::string line; std::getline(file, line);) words.push_back(line);
  return words;
}

void print_nsa(const TensorMap& inputs, const TensorMap& outputs, const kernels::NsaGeometry& geometry, const Words& words, std::int64_t head,
               const std::vector<std::int64_t>& tokens) {
  const HostTensor &q = inputs.at("q"), &k = inputs.at("k"), &indices = outputs.at("indices");
  const std::int64_t heads = q.shape()[2], kv_heads = k.shape()[2], kv_head = head / (heads / kv_heads), slots = indices.shape()[3];
  const double scale = 1 / std::sqrt(static_cast<double>(q.shape()[3]));

  for (std::int64_t token : tokens) {
    const std::vector<double> query = row_of(q, token, head);
    const auto gate = [&](const char* name) { return inputs.at(name).at(token * heads + head); };
    std::printf("    token %lld%s\n", static_cast<long long>(token), quoted(words, token, token + 1).c_str());

    const std::int64_t windows = geometry.visible_windows(token);
    const std::vector<double> compressed = weights_over(query, outputs.at("k_cmp"), counted(0, windows), kv_head, scale);
    std::printf("      gate %.2f  compressed: %lld windows, most on\n", gate("g_cmp"), static_cast<long long>(windows));
    for (std::int64_t c : largest_of(compressed, 3)) {
      const std::int64_t begin = c * geometry.compress_stride, end = begin + geometry.compress_length;
      std::printf("        %5.1f%%  tokens %lld to %lld%s\n", 100 * compressed[c], static_cast<long long>(begin), static_cast<long long>(end - 1),
                  quoted(words, begin, end).c_str());
    }

    std::vector<std::int64_t> blocks, selected_tokens;
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      const auto block = static_cast<std::int64_t>(indices.at((token * kv_heads + kv_head) * slots + slot));
      if (block < 0) continue;
      blocks.push_back(block);
      for (std::int64_t t : counted(block * geometry.block_size, std::min((block + 1) * geometry.block_size, token + 1))) selected_tokens.push_back(t);
    }
    const std::vector<double> selected = weights_over(query, k, selected_tokens, kv_head, scale);
    std::printf("      gate %.2f  selected: %zu of %lld blocks\n", gate("g_slc"), blocks.size(), static_cast<long long>(token / geometry.block_size + 1));
    for (std::int64_t block : blocks) {
      double weight = 0;
      for (std::size_t i = 0; i < selected_tokens.size(); ++i) {
        if (selected_tokens[i] / geometry.block_size == block) weight += selected[i];
      }
      std::printf("        %5.1f%%  block %lld%s\n", 100 * weight, static_cast<long long>(block),
                  quoted(words, block * geometry.block_size, std::min((block + 1) * geometry.block_size, token + 1)).c_str());
    }

    const std::vector<std::int64_t> seen = counted(std::max<std::int64_t>(0, token - geometry.window + 1), token + 1);
    const std::vector<double> sliding = weights_over(query, k, seen, kv_head, scale);
    std::printf("      gate %.2f  sliding: tokens %lld to %lld, most on", gate("g_swa"), static_cast<long long>(seen.front()), static_cast<long long>(token));
    for (std::int64_t i : largest_of(sliding, 3)) {
      std::printf(" %lld%s (%.1f%%)", static_cast<long long>(seen[i]), quoted(words, seen[i], seen[i] + 1).c_str(), 100 * sliding[i]);
    }
    std::printf("\n");
  }
}

void print_gsa(const TensorMap& inputs, const Words& words, std::int64_t head, const std::vector<std::int64_t>& tokens) {
  const HostTensor &q = inputs.at("q"), &k = inputs.at("k"), &s = inputs.at("s"), &g = inputs.at("g");
  const std::int64_t length = q.shape()[1], dim = q.shape()[3], slots = s.shape()[3], kv_head = head / (q.shape()[2] / k.shape()[2]);
  const double scale = 1 / std::sqrt(static_cast<double>(dim));
  std::vector<double> memory(dim * slots), mean_decay(slots);

  for (std::int64_t t = 0; t < length; ++t) {
    const std::vector<double> key = row_of(k, t, kv_head), write = row_of(s, t, kv_head), decay = row_of(g, t, kv_head);
    for (std::int64_t m = 0; m < slots; ++m) {
      for (std::int64_t i = 0; i < dim; ++i) memory[i * slots + m] = memory[i * slots + m] * std::exp(decay[m]) + key[i] * write[m];
      mean_decay[m] += decay[m] / static_cast<double>(length);
    }
    if (std::find(tokens.begin(), tokens.end(), t) == tokens.end()) continue;

    const std::vector<double> query = row_of(q, t, head);
    std::vector<double> logits(slots);
    for (std::int64_t m = 0; m < slots; ++m) {
      for (std::int64_t i = 0; i < dim; ++i) logits[m] += scale * query[i] * memory[i * slots + m];
    }
    const std::vector<double> read = softmax(std::move(logits));
    std::printf("    token %lld%s reads slots", static_cast<long long>(t), quoted(words, t, t + 1).c_str());
    for (std::int64_t m : largest_of(read, 4)) std::printf("  %lld: %.1f%%", static_cast<long long>(m), 100 * read[m]);
    std::printf("\n");
  }

  const auto [fastest, slowest] = std::minmax_element(mean_decay.begin(), mean_decay.end());
  std::printf("    half of what a slot holds is gone after %.1f to %.1f tokens\n", std::log(0.5) / *fastest, std::log(0.5) / *slowest);
}

}  // namespace tilewright::demo
