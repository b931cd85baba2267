// The passes of the GPU level that know no vendor; in the order in which they run.
#pragma once

#include "compiler/gpu/target.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace tilewright::gpu {

// "tile-gpu-assign-layouts": every tile gets a layout, and conversions between layouts become operations. The target outlives the pass.
std::unique_ptr<mlir::Pass> create_assign_layouts(const GpuTarget& target);

// "tile-gpu-sink-past-loops": tiles that are first used behind a loop are loaded and converted there.
std::unique_ptr<mlir::Pass> create_sink_past_loops();

// "tile-gpu-split-roles": in loops that ask for stages, loads of operands of matrix products go to a warp of their own, where the target has such roles.
std::unique_ptr<mlir::Pass> create_split_roles(const GpuTarget& target);

// "tile-gpu-overlap-products": a product whose result other operations of its loop need is begun a turn ahead, where that takes few registers.
std::unique_ptr<mlir::Pass> create_overlap_products(const GpuTarget& target);

// "tile-gpu-begin-products": products of a turn that do not need each other are begun together, and waited for where their results are needed.
std::unique_ptr<mlir::Pass> create_begin_products(const GpuTarget& target);

// "tile-gpu-stage-loads": loads that become operands of matrix instructions go to shared memory by asynchronous copies; in loops that ask for stages, iterations ahead.
std::unique_ptr<mlir::Pass> create_stage_loads(const GpuTarget& target);

// "convert-tile-gpu": code of one thread, in arith, math, scf and the LLVM dialect. The module then says what a launch needs (TileGpuDialect.h), but for shared memory, which is
// buffers without addresses; accesses to it are marked, and nobody waits for anybody yet because of them.
std::unique_ptr<mlir::Pass> create_convert_tile_gpu(const GpuTarget& target);

// "tile-gpu-allocate-shared": buffers get addresses, and the kernel a table of them (kBuffersAttr). Fails where they do not fit.
std::unique_ptr<mlir::Pass> create_allocate_shared(const GpuTarget& target);

// "tile-gpu-insert-barriers": the barriers that the marked accesses need. Fails with TW9521 where no barrier would do.
std::unique_ptr<mlir::Pass> create_insert_barriers(const GpuTarget& target);

// "tile-gpu-check-shared": that kernels without structured control flow, as they come out of the lowering, have every barrier that they need (else TW9521, TW9522) and that
// every access is marked (TW9524); warns of others (TW9523). Marks and notes are gone afterwards.
std::unique_ptr<mlir::Pass> create_check_shared();

}  // namespace tilewright::gpu
