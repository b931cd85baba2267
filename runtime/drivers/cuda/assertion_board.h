// Words in host memory that kernels write to when an assertion fails, one for each kernel in flight.
#pragma once

#include "runtime/drivers/cuda/cuda_kernel.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace tilewright::cuda {

// For one thread at a time, but for the kernels that write to it. Must not be destroyed while such a kernel runs.
class AssertionBoard {
 public:
  explicit AssertionBoard(std::shared_ptr<const CudaContext> context) : context_(std::move(context)) {}
  ~AssertionBoard();
  AssertionBoard(const AssertionBoard&) = delete;
  AssertionBoard& operator=(const AssertionBoard&) = delete;

  // The device address of this kernel's word. Calling it twice gives one word.
  CUdeviceptr word_of(const CudaKernel& kernel);

  // The kernels have run: throws Error TW3401 for the first failed assertion, and resets every word. Words stay with their kernels when `keep`, and are free again otherwise.
  void throw_if_failed(bool keep);

 private:
  static constexpr std::size_t kWordsOfPage = 1024;
  struct Page {
    std::uint32_t* host = nullptr;
    CUdeviceptr device = 0;
  };
  std::uint32_t& word(std::size_t index) const { return pages_[index / kWordsOfPage].host[index % kWordsOfPage]; }
  void add_page();

  std::shared_ptr<const CudaContext> context_;
  std::vector<Page> pages_;
  std::vector<std::shared_ptr<const CudaKernel>> kernels_;  // whose words they are, in order
};

}  // namespace tilewright::cuda
