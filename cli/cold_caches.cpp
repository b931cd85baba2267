#include "cli/cold_caches.h"

#include "dsl/tilewright.h"

#include <algorithm>
#include <vector>

namespace tilewright::cli {

namespace {

constexpr int kBlock = 8192;  // elements that a program reads

struct ReadMemory {
  Tune<int> warps{"warps", {8}};

  Grid grid(In memory) const { return {ceil_div(memory.size(0), kBlock)}; }
  void body(In memory, Out largest) const { store(largest, {program_id(0)}, reduce_max(load(memory, {program_id(0) * kBlock}, {kBlock}), 0)); }
};
TW_KERNEL(ReadMemory, "read_memory", "memory", "largest")

}  // namespace

ColdCaches::ColdCaches(Session& session, std::size_t bytes) {
  const auto elements = std::max<std::int64_t>(1, static_cast<std::int64_t>(bytes / sizeof(std::int32_t)));
  memory_ = session.allocate(DType::I32, std::vector<std::int64_t>{elements});
  largest_ = session.allocate(DType::I32, std::vector<std::int64_t>{(elements + kBlock - 1) / kBlock});
  const Argument arguments[] = {memory_.view(), largest_.view()};
  launch_ = session.prepare(kernel_of<ReadMemory>(), arguments);
}

}  // namespace tilewright::cli
