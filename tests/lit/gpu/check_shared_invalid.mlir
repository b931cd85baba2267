// RUN: tilewright-opt %s -tile-gpu-check-shared -split-input-file -verify-diagnostics

// Nothing between a store and a load on one of two ways.
func.func @missing(%x: i32, %c: i1, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  // expected-note @+1 {{the access before}}
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  cf.cond_br %c, ^wait, ^go
^wait:
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  cf.br ^go
^go:
  // expected-error-re @+1 {{TW9522: no barrier between 'llvm.store' at {{.*}}check_shared_invalid.mlir:6:3, which touches buffer 0 of shared memory, and 'llvm.load' at {{.*}}, which touches buffer 0}}
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  return
}

// -----

// Around a loop.
func.func @missing_around(%x: i32, %c: i1, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  cf.br ^loop
^loop:
  tile_gpu.note phase
  // expected-error-re @+1 {{TW9522: no barrier between 'llvm.load' at {{.*}} and 'llvm.store'}}
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  // expected-note @+1 {{the access before}}
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  cf.cond_br %c, ^loop, ^end
^end:
  return
}

// -----

// Different buffers at the same bytes.
func.func @missing_alias(%x: i32, %p: !llvm.ptr<3>, %q: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>, array<i64: 48, 64, 1>]} {
  // expected-note @+1 {{the access before}}
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  // expected-error @+1 {{TW9522}}
  llvm.store %x, %q {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
  return
}

// -----

// A barrier of the warp, where other warps read.
func.func @missing_across(%x: i32, %mask: i32, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  // expected-note @+1 {{the access before}}
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0 warps 1>} : i32, !llvm.ptr<3>
  nvvm.bar.warp.sync %mask {tile_gpu.barrier = #tile_gpu.barrier<warp 0>} : i32
  // expected-error @+1 {{TW9522}}
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0 warps 2>} : !llvm.ptr<3> -> i32
  return
}

// -----

// The copy is in the one group that may be pending.
func.func @missing_wait(%p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  // expected-note @+1 {{the access before}}
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  tile_gpu.note wait 1
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  // expected-error @+1 {{TW9521: no wait for an asynchronous copy between}}
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  return
}

// -----

// The tile of this turn is read before anyone waits for those who filled it.
func.func @missing_turn(%c: i1, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 2048, 2>]} {
  tile_gpu.note restart of [0]
  // expected-note @+1 {{the access before}}
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 0>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  cf.br ^loop
^loop:
  tile_gpu.note wait 0
  tile_gpu.note phase
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 1>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  // expected-error @+1 {{TW9522}}
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0 turn 0>} : !llvm.ptr<3> -> i32
  tile_gpu.note turn of [0]
  cf.cond_br %c, ^loop, ^end
^end:
  return
}

// -----

// Two barriers of which one would do: either could go.
func.func @superfluous(%x: i32, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  // expected-warning @+1 {{TW9523: barrier 0 is superfluous: without it no two accesses to shared memory are in conflict}}
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  // expected-warning @+1 {{TW9523: barrier 1 is superfluous}}
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 1>}
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  return
}

// -----

// A barrier between accesses to bytes that are apart.
func.func @superfluous_apart(%x: i32, %p: !llvm.ptr<3>, %q: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>, array<i64: 64, 64, 1>]} {
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  // expected-warning @+1 {{TW9523}}
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 7>}
  %0 = llvm.load %q {tile_gpu.access = #tile_gpu.access<load of 1>} : !llvm.ptr<3> -> i32
  return
}

// -----

// A barrier of the block where one of the warp would do, before one of the warp.
func.func @superfluous_warp(%x: i32, %mask: i32, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0 warps 1>} : i32, !llvm.ptr<3>
  // expected-warning @+1 {{TW9523}}
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  // expected-warning @+1 {{TW9523}}
  nvvm.bar.warp.sync %mask {tile_gpu.barrier = #tile_gpu.barrier<warp 1>} : i32
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0 warps 1>} : !llvm.ptr<3> -> i32
  return
}

// -----

func.func @unmarked(%x: i32, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = []} {
  // expected-error @+1 {{TW9524: an access to shared memory that says nothing of its buffer}}
  llvm.store %x, %p : i32, !llvm.ptr<3>
  return
}

// -----

// A copy to global memory reads the tile until the note says that it is done, whatever asynchronous copies to shared memory are waited for.
func.func @missing_drained(%x: i32, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  // expected-note @+1 {{the access before}}
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<sent of 0>} "send $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  tile_gpu.note wait 0
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  // expected-error @+1 {{TW9521: no wait for an asynchronous copy between}}
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  return
}

// -----

// One thread has waited; the others have not heard of it.
func.func @drained_without_barrier(%x: i32, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  // expected-note @+1 {{the access before}}
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<sent of 0>} "send $0", "r" %p : (!llvm.ptr<3>) -> ()
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  tile_gpu.note drained
  // expected-error @+1 {{TW9522}}
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  return
}
