// A kernel loaded on a device: its code checked against the device's limits, ready to launch.
#pragma once

#include "runtime/drivers/cuda/cuda_context.h"
#include "runtime/drivers/cuda/tensor_maps.h"

#include <memory>

namespace tilewright::cuda {

// Immutable, thread-safe.
class CudaKernel : public Executable, public std::enable_shared_from_this<CudaKernel> {
 public:
  // Throws Error TW3303 for code that is not for this device or does not load, TW2310 to TW2312 for a launch shape beyond its limits.
  CudaKernel(std::shared_ptr<const CudaContext> context, Artifact artifact);
  ~CudaKernel() override;

  const Artifact& artifact() const override { return artifact_; }
  const CudaContext& context() const { return *context_; }
  CUfunction function() const { return function_; }
  const CudaKernelUsage& usage() const { return usage_; }

  std::size_t slots() const { return slots_; }  // of the arguments
  const TensorMaps& maps() const { return maps_; }
  bool has_assertions() const { return !artifact_.assertions.empty(); }

 private:
  void check_artifact() const;
  void load_code();
  void check_parameters() const;
  void read_usage();
  void check_block() const;
  void prepare_shared_memory() const;
  void read_occupancy();
  int attribute(CUfunctionAttribute which) const;

  std::shared_ptr<const CudaContext> context_;
  Artifact artifact_;
  CUmodule module_ = nullptr;
  CUfunction function_ = nullptr;
  std::size_t slots_ = 0;
  TensorMaps maps_;
  CudaKernelUsage usage_;
};

// Whether code for `target` runs on a device of this compute capability; binary: a cubin, not PTX. False for what is not a target of this driver.
bool target_fits(const std::string& target, bool binary, int capability_major, int capability_minor);

// The launch of `kernel` over `grid`, its attributes written to `attributes`. Throws Error TW3305 for a grid beyond the device's, naming the kernel.
CUlaunchConfig launch_config(const CudaKernel& kernel, const GridSize& grid, CUstream stream, CUlaunchAttribute (&attributes)[2]);

}  // namespace tilewright::cuda
