// RUN: tilewright-opt %s -tile-gpu-check-shared | FileCheck %s

// Marks and notes are gone once they have been looked at.
// CHECK-LABEL: func.func @checked
// CHECK-NOT: tile_gpu.note
// CHECK-NOT: tile_gpu.access
// CHECK-NOT: tile_gpu.buffers
// CHECK: llvm.store
// CHECK: nvvm.barrier0{{$}}
// CHECK: llvm.load
func.func @checked(%x: i32, %n: i32, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 64, 1>]} {
  %one = arith.constant 1 : i32
  cf.br ^loop(%n : i32)
^loop(%i: i32):
  tile_gpu.note phase
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 1>}
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  %less = arith.subi %i, %one : i32
  %more = arith.cmpi sgt, %less, %one : i32
  cf.cond_br %more, ^loop(%less : i32), ^end
^end:
  return
}

// Four tiles in turns, two groups pending.
// CHECK-LABEL: func.func @pipeline
func.func @pipeline(%c: i1, %p: !llvm.ptr<3>) attributes {tile_gpu.kernel, tile_gpu.buffers = [array<i64: 0, 4096, 4>]} {
  tile_gpu.note restart of [0]
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 0>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 1>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 2>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  cf.br ^loop
^loop:
  tile_gpu.note wait 2
  tile_gpu.note phase
  nvvm.barrier0 {tile_gpu.barrier = #tile_gpu.barrier<block 0>}
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0 turn 3>} "copy $0", "r" %p : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  %0 = llvm.load %p {tile_gpu.access = #tile_gpu.access<load of 0 turn 0>} : !llvm.ptr<3> -> i32
  tile_gpu.note turn of [0]
  cf.cond_br %c, ^loop, ^end
^end:
  return
}
