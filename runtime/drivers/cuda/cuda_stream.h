// Work in order on a CUstream, of this driver or of another library.
#pragma once

#include "runtime/drivers/cuda/cuda_graph.h"

#include <array>
#include <memory>
#include <vector>

namespace tilewright::cuda {

class CudaStreamImpl : public CudaStream {
 public:
  // A stream of its own.
  explicit CudaStreamImpl(std::shared_ptr<const CudaContext> context);
  // A stream of another library. Throws Error TW3306 when it belongs to another context.
  CudaStreamImpl(std::shared_ptr<const CudaContext> context, CUstream stream);
  ~CudaStreamImpl() override;
  CudaStreamImpl(const CudaStreamImpl&) = delete;
  CudaStreamImpl& operator=(const CudaStreamImpl&) = delete;

  void copy_to_device(void* device, const void* host, std::size_t bytes) override;
  void copy_to_host(void* host, const void* device, std::size_t bytes) override;
  void fill(void* device, unsigned char value, std::size_t bytes) override;
  void launch(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) override;
  std::unique_ptr<BoundLaunch> bind(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) override;
  void record(Event& event) override;
  void wait(const Event& event) override;
  void synchronize() override;

  void* handle() const override { return stream_; }
  bool recording() const override;
  void begin_recording() override;
  std::shared_ptr<CudaGraph> end_recording() override;
  void launch(const std::shared_ptr<CudaGraph>& graph) override;

 private:
  class Bound;

  // The last launches, for the message when one fails later.
  struct PastLaunch {
    const CudaKernel* kernel = nullptr;  // in in_flight_
    GridSize grid{};
    std::vector<std::uint64_t> arguments;
  };
  static constexpr std::size_t kRemembered = 4;

  void check_range(const void* device, std::size_t bytes) const;
  const CudaKernel& check_launch(const Executable& executable, std::span<const std::uint64_t> arguments) const;
  CUdeviceptr assertion_word_of(const CudaKernel& kernel);
  void submit(const CudaKernel& kernel, const CUlaunchConfig& config, void** list, void** extra, const GridSize& grid, std::span<const std::uint64_t> arguments);
  void remember(const CudaKernel& kernel, const GridSize& grid, std::span<const std::uint64_t> arguments);
  Recording* open_recording();
  Error failure(CUresult result, const char* call, const std::string& doing) const;

  std::shared_ptr<const CudaContext> context_;
  CUstream stream_ = nullptr;
  bool owned_;

  // Since the last synchronize().
  std::vector<std::shared_ptr<const CudaKernel>> in_flight_;
  std::vector<std::shared_ptr<InstantiatedGraph>> graphs_in_flight_;
  std::unique_ptr<AssertionBoard> assertions_;  // null: no kernel launched so far has any
  std::array<PastLaunch, kRemembered> past_;
  std::size_t launches_ = 0;

  std::shared_ptr<Recording> recording_;   // the graph this stream records, or has joined; may be over
  bool began_recording_ = false;           // by begin_recording() here
  std::vector<std::uint64_t> parameters_;  // of the launch under way, as are the others
  MappedParameters mapped_;
};

// Whether [address, address + bytes) is memory that kernels of this context's device may access.
bool is_accessible(const CudaContext& context, const void* address, std::size_t bytes);

}  // namespace tilewright::cuda
