#include "kernels_src/common/launch.h"

#include "kernels_src/common/inputs.h"
#include "runtime/support/error.h"

namespace tilewright::kernels {

namespace {

constexpr std::int64_t kLargestQueryLimit = 256;

}  // namespace

DeviceStarts upload_starts(Session& session, const Sequences& sequences) {
  if (!sequences.packed) {
    const DeviceTensor unused = unused_argument(session, DType::I32);
    return {unused, unused};
  }
  return {session.upload(cu_seqlens_of_queries(sequences)), session.upload(cu_seqlens_of_keys(sequences))};
}

DeviceTensor unused_argument(Session& session, DType dtype) { return allocate(session, dtype, {1}); }

DeviceTensor allocate(Session& session, DType dtype, const std::vector<std::int64_t>& shape) { return session.allocate(dtype, shape); }

void launch(Session& session, const program::TraceableKernel& kernel, const std::vector<Argument>& arguments, KernelSettings constants,
            const KernelSettings& tunables) {
  for (const program::KernelSetting& known : kernel.settings()) {
    const auto given = tunables.find(known.name);
    if (given != tunables.end()) constants.emplace(*given);
  }
  session.launch(kernel, arguments, constants);
}

void expect_view(const char* name, const TensorView& view, int rank, DType dtype) {
  if (view.rank != rank) throw Error(3111, std::string(name) + " has rank " + std::to_string(view.rank) + ", expected " + std::to_string(rank));
  if (view.dtype != dtype) {
    throw Error(3112, std::string(name) + " has dtype " + std::string(name_of(view.dtype)) + ", expected " + std::string(name_of(dtype)));
  }
}

void expect_sizes(const char* name, const TensorView& view, const std::vector<std::int64_t>& sizes, DType dtype) {
  expect_view(name, view, static_cast<int>(sizes.size()), dtype);
  const std::vector<std::int64_t> given(view.sizes.begin(), view.sizes.begin() + view.rank);
  if (given != sizes) throw Error(3111, std::string(name) + " has shape " + shape_text(given) + ", expected " + shape_text(sizes));
}

std::int64_t query_limit(const Sequences& sequences) {
  std::int64_t limit = 1;
  while (limit < sequences.longest_q() && limit < kLargestQueryLimit) limit *= 2;
  return limit;
}

}  // namespace tilewright::kernels
