// Counting wavefronts.
#include "compiler/layout/banks.h"

#include <algorithm>

namespace tilewright::layout {

AccessCost& AccessCost::operator+=(const AccessCost& other) {
  accesses += other.accesses, wavefronts += other.wavefronts, least += other.least;
  return *this;
}

AccessCost access_cost(const BankModel& model, const std::vector<std::int64_t>& addresses, int bytes) {
  AccessCost cost{1, 0, 0};
  const std::size_t phase = model.phase_lanes(bytes);
  std::vector<std::int64_t> words;
  std::vector<int> load(model.banks);
  for (std::size_t first = 0; first < addresses.size(); first += phase) {
    words.clear();
    for (std::size_t lane = first; lane < std::min(first + phase, addresses.size()); ++lane) {
      if (addresses[lane] < 0) continue;
      for (std::int64_t word = addresses[lane] / model.bank_bytes; word * model.bank_bytes < addresses[lane] + bytes; ++word) words.push_back(word);
    }
    if (words.empty()) continue;
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    std::fill(load.begin(), load.end(), 0);
    for (std::int64_t word : words) ++load[word % model.banks];
    cost.wavefronts += *std::max_element(load.begin(), load.end());
    ++cost.least;
  }
  return cost;
}

}  // namespace tilewright::layout
