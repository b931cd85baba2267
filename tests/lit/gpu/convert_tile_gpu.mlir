// RUN: tilewright-opt %s -tile-gpu-assign-layouts -convert-tile-gpu | FileCheck %s

// The whole runs of a tile inside the view are loaded and stored at once, else element by element under a predicate.
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: i64
// CHECK-SAME: tile_gpu.kernel
// CHECK: scf.if
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK: } else {
// CHECK: ld.global.b32
// CHECK: arith.addf
// CHECK: scf.if
// CHECK: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xf32>
func.func @twice(%x: !tile.view<?xf32> {tile.unit_inner_stride, tile.aligned16}, %y: !tile.view<?xf32> {tile.unit_inner_stride, tile.aligned16}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %t = tile.load %x[%zero along 0] : !tile.view<?xf32> -> tensor<512xf32>
  %s = arith.addf %t, %t : tensor<512xf32>
  tile.store %s, %y[%zero along 0] : tensor<512xf32>, !tile.view<?xf32>
  return
}

// What goes through shared memory is marked with its buffer; nobody waits yet.
// CHECK-LABEL: func.func @largest(
// CHECK: %[[SCRATCH:.*]] = tile_gpu.buffer 0 of {{.*}} bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
// CHECK-NEXT: tile_gpu.note phase
// CHECK: llvm.store {{.*}} {alignment = 4 : i64, tile_gpu.access = #tile_gpu.access<store of 0>}
// CHECK: tile_gpu.note phase
// CHECK: llvm.load {{.*}} {alignment = 4 : i64, tile_gpu.access = #tile_gpu.access<load of 0>}
// CHECK-NOT: nvvm.barrier
// CHECK: return
func.func @largest(%x: !tile.view<?xf32> {tile.unit_inner_stride, tile.aligned16}, %y: !tile.view<?xf32> {tile.unit_inner_stride, tile.aligned16}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %t = tile.load %x[%zero along 0] : !tile.view<?xf32> -> tensor<512xf32>
  %m = tile.reduce maxf %t axis 0 : tensor<512xf32> -> f32
  tile.store %m, %y[%zero] : f32, !tile.view<?xf32>
  return
}
