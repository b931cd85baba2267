#include "runtime/drivers/cuda/assertion_board.h"

#include <atomic>
#include <cstring>

namespace tilewright::cuda {

AssertionBoard::~AssertionBoard() {
  const SetupScope scope(*context_, std::nothrow);
  if (!scope) return;
  for (const Page& page : pages_) context_->api().cuMemFreeHost(page.host);
}

CUdeviceptr AssertionBoard::word_of(const CudaKernel& kernel) {
  std::size_t index = 0;
  while (index < kernels_.size() && kernels_[index].get() != &kernel) ++index;
  if (index == kernels_.size()) {
    if (index / kWordsOfPage == pages_.size()) add_page();
    kernels_.push_back(kernel.shared_from_this());
  }
  return pages_[index / kWordsOfPage].device + index % kWordsOfPage * sizeof(std::uint32_t);
}

void AssertionBoard::add_page() {
  const SetupScope scope(*context_);
  const CudaApi& api = context_->api();
  constexpr std::size_t bytes = kWordsOfPage * sizeof(std::uint32_t);
  void* host = nullptr;
  context_->check(api.cuMemHostAlloc(&host, bytes, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP), "cuMemHostAlloc");
  std::memset(host, 0, bytes);
  CUdeviceptr device = 0;
  if (const CUresult result = api.cuMemHostGetDevicePointer(&device, host, 0); result != CUDA_SUCCESS) {
    api.cuMemFreeHost(host);
    context_->fail(result, "cuMemHostGetDevicePointer", {});
  }
  pages_.push_back({static_cast<std::uint32_t*>(host), device});
}

void AssertionBoard::throw_if_failed(bool keep) {
  std::shared_ptr<const CudaKernel> failed;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const std::uint32_t value = std::atomic_ref(word(i)).exchange(0);
    if (value == 0 || failed) continue;
    failed = kernels_[i];
    number = value;
  }
  if (!keep) kernels_.clear();
  if (!failed) return;
  const Artifact& artifact = failed->artifact();
  const std::string text = number <= artifact.assertions.size() ? artifact.assertions[number - 1]
                                                                : "number " + std::to_string(number) + " (the kernel names no such assertion)";
  throw Error(3401, "an assertion of kernel '" + artifact.kernel + "' failed: " + text);
}

}  // namespace tilewright::cuda
