// RUN: tilewright-opt %s -tile-gpu-assign-layouts -tile-gpu-split-roles | FileCheck %s

// The producer walks the loop with scalars alone; consumers receive both operands, multiply, and give them back.
// CHECK-LABEL: func.func @product
// CHECK-DAG: %[[A:.*]] = tile_gpu.channel : <{{[23]}}, [128, 64], bf16>
// CHECK-DAG: %[[B:.*]] = tile_gpu.channel : <{{[23]}}, [64, 256], bf16>
// CHECK: tile_gpu.roles
// CHECK-SAME: produce
// CHECK: scf.for
// CHECK: tile_gpu.send %arg0[%{{.*}}, %{{.*}}] maps [0, 1] to %[[A]]
// CHECK: tile_gpu.send %arg1[%{{.*}}, %{{.*}}] maps [0, 1] to %[[B]]
// CHECK: consume
// CHECK: scf.for
// CHECK-NEXT: %[[X:.*]] = tile_gpu.receive %[[A]]
// CHECK-NEXT: %[[Y:.*]] = tile_gpu.receive %[[B]]
// CHECK-NEXT: tile_gpu.group_dot received %[[A]] at %[[X]] {{.*}} times %[[B]] at %[[Y]]
// CHECK-NEXT: tile_gpu.release %[[B]] at %[[Y]]
// CHECK-NEXT: tile_gpu.release %[[A]] at %[[X]]
// CHECK-NEXT: scf.yield
// CHECK: tile.store
func.func @product(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                   %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 8 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x256xf32>
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<128x256xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xbf16> -> tensor<128x64xbf16>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x256xbf16>
    %next = tile.dot %x, %y, %acc : tensor<128x64xbf16>, tensor<64x256xbf16>, tensor<128x256xf32>
    scf.yield %next : tensor<128x256xf32>
  } {tile.stages = 3 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<128x256xf32>, !tile.view<?x?xf32>
  return
}

// A tensor that is not known to be aligned: nothing changes, and the dot says why.
// CHECK-LABEL: func.func @unaligned
// CHECK-NOT: tile_gpu.roles
// CHECK: tile.dot {{.*}} {tile_gpu.reason = "of its right operand: its tensor is not of contiguous rows
func.func @unaligned(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.fits32},
                     %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 4 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<64x64xf32>
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<64x64xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xbf16> -> tensor<64x64xbf16>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x64xbf16>
    %next = tile.dot %x, %y, %acc : tensor<64x64xbf16>, tensor<64x64xbf16>, tensor<64x64xf32>
    scf.yield %next : tensor<64x64xf32>
  } {tile.stages = 3 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<64x64xf32>, !tile.view<?x?xf32>
  return
}
