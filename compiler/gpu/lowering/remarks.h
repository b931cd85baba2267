// What the layouts of a kernel predict of its accesses to memory, in words for the author.
#pragma once

#include "compiler/gpu/access.h"
#include "compiler/layout/banks.h"
#include "compiler/layout/shared_access.h"

#include <string>

namespace tilewright::gpu {

// What one instruction of a warp takes from global memory, which is moved in sectors of 32 bytes; of the instructions of a load or store, the one that touches most.
struct SectorCount {
  std::int64_t touched = 0;
  std::int64_t needed = 0;  // what its bytes fill
  std::int64_t bytes = 0;
};

// For an access by runs of `width` elements along its contiguous axis. Rows begin at sectors; strides but the known unit one, and index tiles, put their elements into sectors of their own.
SectorCount sectors_of(const AccessShape& access, const layout::Layout& layout, int width);

// Texts, empty where there is nothing to say: twice as many sectors as needed, twice as many wavefronts as without conflicts.
std::string coalescing_remark(const AccessShape& access, const layout::Layout& layout, int width);
std::string bank_remark(const layout::AccessCost& cost, const char* what);

}  // namespace tilewright::gpu
