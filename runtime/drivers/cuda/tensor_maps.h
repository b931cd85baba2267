// The descriptors by which the copy engine finds boxes of a kernel's arguments.
#pragma once

#include "runtime/artifact.h"
#include "runtime/drivers/cuda/cuda_context.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tilewright::cuda {

// Those of one kernel. Immutable, thread-safe.
class TensorMaps {
 public:
  TensorMaps() = default;
  // Throws Error TW3303 for an artifact whose maps do not fit its program, or a device without such copies.
  TensorMaps(std::shared_ptr<const CudaContext> context, const Artifact& artifact);

  bool empty() const { return maps_.empty(); }
  // Of all parameters, `slots` of 8 bytes and the maps, without what lies between them.
  std::size_t parameter_bytes(std::size_t slots) const;
  // Those of a launch with these arguments. Throws Error TW3305 for a view that cannot be described.
  void make(std::span<const std::uint64_t> arguments, std::vector<CUtensorMap>& maps) const;

 private:
  struct Map {
    std::string kernel, name;
    std::size_t slot = 0;  // of the view's address
    CUtensorMapDataType type{};
    std::vector<unsigned> box;  // the last dimension first
    std::size_t element_bytes = 2;
    bool is_written = false;
  };
  CUtensorMap encode(const Map& map, std::span<const std::uint64_t> arguments) const;

  std::shared_ptr<const CudaContext> context_;
  std::vector<Map> maps_;
  std::shared_ptr<void> zeros_;  // of the device: an element to read in place of a view without any, and one to write
};

// Where the parameters of a launch are that has maps among them. For one thread at a time.
class MappedParameters {
 public:
  // Of each parameter, which stay where they are, and of each map behind them. Throws what TensorMaps::make() does.
  void set(const TensorMaps& maps, std::span<const std::uint64_t> arguments, std::span<const std::uint64_t> parameters);
  // Null without maps.
  void** list() { return addresses_.empty() ? nullptr : addresses_.data(); }

 private:
  std::vector<CUtensorMap> maps_;
  std::vector<void*> addresses_;
};

}  // namespace tilewright::cuda
