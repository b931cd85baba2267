#include "kernels_src/nsa/random_blocks.h"

#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tilewright::kernels {

namespace {

constexpr int kDrawBits = 20;  // of a row's draws

class Drawer {
 public:
  Drawer(std::int64_t slots, const RandomBlocks& wanted, std::uint64_t seed) : slots_(slots), wanted_(wanted), blocks_(seed, "indices"), kept_(seed, "kept indices") {}

  // The blocks of the query in `row`, whose own is block `own`; `before` are those of the query before it.
  std::vector<std::int64_t> draw(std::int64_t row, std::int64_t own, const std::vector<std::int64_t>& before) const {
    const std::int64_t count = std::min(slots_, own + 1);
    const std::uint64_t first = static_cast<std::uint64_t>(row) << kDrawBits;
    std::vector<std::int64_t> chosen = {own};
    const auto add = [&](std::int64_t block) {
      if (static_cast<std::int64_t>(chosen.size()) < count && std::find(chosen.begin(), chosen.end(), block) == chosen.end()) chosen.push_back(block);
    };
    for (std::int64_t block = 0; block < std::min(wanted_.init_blocks, own + 1); ++block) add(block);
    for (std::int64_t block = own - 1; block >= 0 && block > own - wanted_.local_blocks; --block) add(block);
    std::vector<std::int64_t> others;
    for (std::int64_t block : before)
      if (std::find(chosen.begin(), chosen.end(), block) == chosen.end()) others.push_back(block);
    // As many as chance leaves, and each as likely as the others where there is no room for all.
    std::uint64_t draw = first;
    std::erase_if(others, [&](std::int64_t) { return kept_.block(draw++)[0] < wanted_.redraw * 0x1p32; });
    while (chosen.size() + others.size() > static_cast<std::size_t>(count)) others.erase(others.begin() + static_cast<std::ptrdiff_t>(kept_.block(draw++)[0] % others.size()));
    chosen.insert(chosen.end(), others.begin(), others.end());
    for (draw = first; static_cast<std::int64_t>(chosen.size()) < count; ++draw) add(blocks_.block(draw)[0] % static_cast<std::uint64_t>(own + 1));
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }

 private:
  std::int64_t slots_;
  RandomBlocks wanted_;
  Philox blocks_, kept_;
};

}  // namespace

OperatorSetting redraw_setting() { return {"redraw", "1", "share of its blocks that a query draws at random; the others are those of the query before it"}; }

RandomBlocks random_blocks_of(const OperatorSettings& settings) {
  RandomBlocks blocks;
  blocks.init_blocks = integer_or(settings, "init_blocks", blocks.init_blocks, 0);
  blocks.local_blocks = integer_or(settings, "local_blocks", blocks.local_blocks, 0);
  blocks.redraw = settings.number("redraw");
  if (!(blocks.redraw >= 0 && blocks.redraw <= 1)) throw Error(3002, "setting 'redraw' is '" + settings.text("redraw") + "', expected 0 to 1");
  return blocks;
}

HostTensor random_blocks(const AttentionProblem& problem, const NsaGeometry& geometry, const RandomBlocks& blocks, std::uint64_t seed) {
  HostTensor indices(DType::I32, query_shape(problem, problem.kv_heads, geometry.slots));
  const Drawer drawer(geometry.slots, blocks, seed);
  std::vector<std::vector<std::int64_t>> before(static_cast<std::size_t>(problem.kv_heads));
  for (const RowId& id : choose_rows(problem.sequences, problem.kv_heads, std::numeric_limits<std::int64_t>::max())) {  // token after token, in each all heads
    std::vector<std::int64_t>& chosen = before[static_cast<std::size_t>(id.head)];
    if (id.token == 0) chosen.clear();
    const std::int64_t row = query_row(problem.sequences, id, problem.kv_heads), own = problem.sequences.list[id.sequence].position(id.token) / geometry.block_size;
    chosen = drawer.draw(row, own, chosen);
    for (std::int64_t i = 0; i < geometry.slots; ++i) indices.set(row * geometry.slots + i, i < static_cast<std::int64_t>(chosen.size()) ? static_cast<double>(chosen[i]) : -1.0);
  }
  return indices;
}

}  // namespace tilewright::kernels
