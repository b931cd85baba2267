// What the host functions of the kernels share: allocating, launching with the settings that a kernel knows, checking views.
#pragma once

#include "kernels_src/common/sequences.h"
#include "runtime/session.h"

#include <cstdint>
#include <vector>

namespace tilewright::kernels {

// The starts of the sequences on the session's device, as the kernels read them. Without packing no kernel reads them; they are then one element.
struct DeviceStarts {
  DeviceTensor queries, keys;
};

DeviceStarts upload_starts(Session& session, const Sequences& sequences);

// A tensor of shape [1] for an argument that the kernel does not use.
DeviceTensor unused_argument(Session& session, DType dtype);

DeviceTensor allocate(Session& session, DType dtype, const std::vector<std::int64_t>& shape);

// Launches with the constants given and with those of the user's tunables that the kernel knows.
void launch(Session& session, const program::TraceableKernel& kernel, const std::vector<Argument>& arguments, KernelSettings constants,
            const KernelSettings& tunables);

// Throws Error TW3111 or TW3112 unless the view has that rank, or those sizes, and that dtype.
void expect_view(const char* name, const TensorView& view, int rank, DType dtype);
void expect_sizes(const char* name, const TensorView& view, const std::vector<std::int64_t>& sizes, DType dtype);

// A bound on the queries of a sequence for which a kernel is specialised: the next power of two, so that few queries do not pay for a large tile.
std::int64_t query_limit(const Sequences& sequences);

}  // namespace tilewright::kernels
