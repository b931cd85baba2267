// RUN: tilewright-opt %s -tile-gpu-insert-barriers | FileCheck %s

// Between what is written and who reads it, and between who reads and who writes next; not between stores of one phase, and not where bytes are apart.
// CHECK-LABEL: func.func @straight
// CHECK: store of 0
// CHECK-NEXT: store of 0
// CHECK-NEXT: store of 2
// CHECK-NEXT: note phase
// CHECK-NEXT: nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
// CHECK-NEXT: load of 0
// CHECK-NEXT: load of 2
// CHECK-NEXT: note phase
// CHECK-NEXT: nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 1>}
// CHECK-NEXT: store of 1
// CHECK-NEXT: return
func.func @straight(%x: i32, %p: !llvm.ptr<3>, %q: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>, array<i64: 32, 64, 1>, array<i64: 96, 64, 1>]} {
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  llvm.store %x, %q {tile_gpu.access = #tile_gpu.access<store of 2>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  %1 = llvm.load %q {tile_gpu.access = #tile_gpu.access<load of 2>} : !llvm.ptr<3> -> i32
  tile_gpu.note phase
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
  return
}

// Once before the loop, not in each iteration.
// CHECK-LABEL: func.func @read_in_loop
// CHECK: store of 0
// CHECK-NEXT: nvvm.barrier0
// CHECK-NEXT: scf.for
// CHECK-NOT: nvvm.barrier0
// CHECK: return
func.func @read_in_loop(%x: i32, %p: !llvm.ptr<3>, %from: i64, %to: i64, %step: i64) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  scf.for %i = %from to %to step %step : i64 {
    tile_gpu.note together
    %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  }
  return
}

// What an iteration writes meets what the one before it has read. What threads execute apart has its barrier in front.
// CHECK-LABEL: func.func @around_the_loop
// CHECK-NOT: nvvm.barrier0
// CHECK: scf.for
// CHECK: nvvm.barrier0
// CHECK-NEXT: scf.if
// CHECK-NEXT: store of 0
// CHECK: note phase
// CHECK-NEXT: nvvm.barrier0
// CHECK-NEXT: load of 0
// CHECK-NOT: nvvm.barrier0
// CHECK: return
func.func @around_the_loop(%x: i32, %mine: i1, %p: !llvm.ptr<3>, %from: i64, %to: i64, %step: i64) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  scf.for %i = %from to %to step %step : i64 {
    tile_gpu.note together
    tile_gpu.note phase
    scf.if %mine {
      llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
    }
    tile_gpu.note phase
    %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  }
  return
}

// Two buffers in turn: who writes the one need not wait for who reads the other.
// CHECK-LABEL: func.func @in_turn
// CHECK: scf.for
// CHECK: store of 0
// CHECK: nvvm.barrier0
// CHECK-NEXT: load of 0
// CHECK-NEXT: note phase
// CHECK-NEXT: store of 1
// CHECK: nvvm.barrier0
// CHECK-NEXT: load of 1
// CHECK-NOT: nvvm.barrier0
// CHECK: return
func.func @in_turn(%x: i32, %p: !llvm.ptr<3>, %q: !llvm.ptr<3>, %from: i64, %to: i64, %step: i64) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>, array<i64: 64, 64, 1>]} {
  scf.for %i = %from to %to step %step : i64 {
    tile_gpu.note together
    tile_gpu.note phase
    llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
    tile_gpu.note phase
    %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
    tile_gpu.note phase
    llvm.store %x, %q {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
    tile_gpu.note phase
    %1 = llvm.load %q {tile_gpu.access = #tile_gpu.access<load of 1>} : !llvm.ptr<3> -> i32
  }
  return
}

// Three tiles in turns: one barrier lets everyone see the tile that has arrived, and the tile of the iteration before be filled again.
// CHECK-LABEL: func.func @pipeline
// CHECK-NOT: nvvm.barrier0
// CHECK: scf.for
// CHECK: note wait 1
// CHECK-NEXT: note phase
// CHECK-NEXT: nvvm.barrier0
// CHECK-NEXT: copy of 0 turn 2
// CHECK-NEXT: note commit
// CHECK-NEXT: load of 0 turn 0
// CHECK-NOT: nvvm.barrier0
// CHECK: return
func.func @pipeline(%p: !llvm.ptr<3>, %from: i64, %to: i64, %step: i64) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 3072, 3>]} {
  tile_gpu.note restart of [0]
  tile_gpu.note phase
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 0>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  tile_gpu.note phase
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 1>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  scf.for %i = %from to %to step %step : i64 {
    tile_gpu.note together
    tile_gpu.note wait 1
    tile_gpu.note phase
    llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 2>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
    tile_gpu.note commit
    %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0 turn 0>} : !llvm.ptr<3> -> i32
    tile_gpu.note turn of [0]
  }
  tile_gpu.note wait 0
  return
}

// Inside a warp a barrier of the warp will do; other bytes of other warps need one of the block.
// CHECK-LABEL: func.func @warps
// CHECK: store of 0 warps 1
// CHECK: nvvm.bar.warp.sync {{.*}} {tile_gpu.barrier = #tile_gpu.barrier<warp 0>}
// CHECK-NEXT: load of 0 warps 1
// CHECK: nvvm.bar.warp.sync
// CHECK-NEXT: store of 0 warps 1
// CHECK: nvvm.barrier0
// CHECK-NEXT: store of 1
// CHECK: return
func.func @warps(%x: i32, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>, array<i64: 0, 64, 1>]} {
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0 warps 1>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0 warps 1>} : !llvm.ptr<3> -> i32
  tile_gpu.note phase
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0 warps 1>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
  return
}

// A branch that all take together has barriers of its own.
// CHECK-LABEL: func.func @branch
// CHECK: store of 0
// CHECK-NOT: nvvm.barrier0
// CHECK: scf.if
// CHECK: nvvm.barrier0
// CHECK-NEXT: load of 0>{{.*}}
// CHECK-NEXT: }
// CHECK-NEXT: note phase
// CHECK-NEXT: nvvm.barrier0
// CHECK-NEXT: store of 0
// CHECK: return
func.func @branch(%x: i32, %c: i1, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  scf.if %c {
    tile_gpu.note together
    %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  }
  tile_gpu.note phase
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  return
}

// A tile that one thread copies to global memory: all have written it, and all hear that it was read before they write it again.
// CHECK-LABEL: func.func @copied_out
// CHECK: scf.for
// CHECK: note drained
// CHECK-NEXT: note phase
// CHECK-NEXT: nvvm.barrier0
// CHECK-NEXT: store of 0
// CHECK-NEXT: nvvm.barrier0
// CHECK-NEXT: sent of 0
// CHECK-NOT: nvvm.barrier0
// CHECK: return
func.func @copied_out(%p: !llvm.ptr<3>, %x: i32, %from: i64, %to: i64, %step: i64) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 1024, 1>]} {
  scf.for %i = %from to %to step %step : i64 {
    tile_gpu.note together
    tile_gpu.note drained
    tile_gpu.note phase
    llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
    llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<sent of 0>} "send $0", "r" %p : (!llvm.ptr<3>) -> ()
  }
  return
}
