// RUN: tilewright-opt %s -tile-gpu-assign-layouts | FileCheck %s

// Loads have vectors of 16 bytes and lanes along memory; the accumulator has the fragments of the matrix instruction, its warps in a grid of 2 x 2; operands are converted to theirs.
// CHECK: module attributes {tile_gpu.lanes = 32 : i64, tile_gpu.warps = 4 : i64}
// CHECK-LABEL: func.func @product
// CHECK: arith.constant dense<0.000000e+00> : tensor<64x64xf32, #tile_gpu.layout<[64, 64] register [0, 1] and [8, 0] lane [0, 2] and [0, 4] and [1, 0] and [2, 0] and [4, 0] warp [16, 0] and [0, 8] repeat 1 * 16 by 4 register repeat 0 * 32 by 2 register>>
// CHECK: scf.for
// CHECK: %[[X:.*]] = tile.load {{.*}} -> tensor<64x32xbf16, #tile_gpu.layout<[64, 32] register [0, 1] and [0, 2] and [0, 4] lane [0, 8] and [0, 16] and [1, 0]
// CHECK-NEXT: %[[A:.*]] = tile_gpu.convert_layout %[[X]] {{.*}} -> tensor<64x32xbf16, #tile_gpu.layout<[64, 32] register [0, 1] and [8, 0] and [0, 8] lane [0, 2] and [0, 4]
// CHECK: %[[B:.*]] = tile_gpu.convert_layout {{.*}} -> tensor<32x64xbf16, #tile_gpu.layout<[32, 64] register [1, 0] and [8, 0] lane [2, 0] and [4, 0]
// CHECK: tile.dot %[[A]], %[[B]]
// CHECK: tile_gpu.convert_layout
// CHECK-NEXT: tile.store
func.func @product(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16},
                   %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16}) attributes {tile.kernel, tile.warps = 4 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 32 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<64x64xf32>
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<64x64xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xbf16> -> tensor<64x32xbf16>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<32x64xbf16>
    %next = tile.dot %x, %y, %acc : tensor<64x32xbf16>, tensor<32x64xbf16>, tensor<64x64xf32>
    scf.yield %next : tensor<64x64xf32>
  } {tile.stages = 3 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<64x64xf32>, !tile.view<?x?xf32>
  return
}

// A range compared with a scalar is made in the layout of the tile it masks; a row maximum is held by the threads that hold the row.
// CHECK-LABEL: func.func @masked
// CHECK: %[[X:.*]] = tile.load {{.*}} -> tensor<16x256xf32, #[[ROWS:tile_gpu.layout<\[16, 256\][^>]*>]]>
// CHECK-NOT: convert_layout
// CHECK: arith.select {{.*}} : tensor<16x256xi1, #[[ROWS]]>, tensor<16x256xf32, #[[ROWS]]>
// CHECK: tile.reduce maxf {{.*}} -> tensor<16xf32, #tile_gpu.layout<[16]
func.func @masked(%x: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16}, %y: !tile.view<?xf32> {tile.unit_inner_stride, tile.aligned16}, %n: i32) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %low = arith.constant dense<0xFF800000> : tensor<16x256xf32>
  %position = tile.arange 0 : tensor<256xi32>
  %limit = tile.splat %n : i32 -> tensor<256xi32>
  %inside = arith.cmpi slt, %position, %limit : tensor<256xi32>
  %row = tile.reshape %inside : tensor<256xi1> -> tensor<1x256xi1>
  %mask = tile.broadcast %row : tensor<1x256xi1> -> tensor<16x256xi1>
  %t = tile.load %x[%zero along 0, %zero along 1] : !tile.view<?x?xf32> -> tensor<16x256xf32>
  %s = arith.select %mask, %t, %low : tensor<16x256xi1>, tensor<16x256xf32>
  %m = tile.reduce maxf %s axis 1 : tensor<16x256xf32> -> tensor<16xf32>
  tile.store %m, %y[%zero along 0] : tensor<16xf32>, !tile.view<?xf32>
  return
}
