// RUN: tilewright-opt %s -tile-gpu-assign-layouts -tile-gpu-stage-loads | FileCheck %s

// Three stages: two iterations are copied before the loop, and in it one two iterations ahead, behind the product's first reads; one wait an iteration.
// CHECK-LABEL: func.func @product
// CHECK-DAG: %[[B:.*]] = tile_gpu.alloc : <3, [32, 64], bf16>
// CHECK-DAG: %[[A:.*]] = tile_gpu.alloc : <3, [64, 32], bf16>
// CHECK: tile_gpu.copy_async {{.*}} to %[[A]]
// CHECK: tile_gpu.copy_async {{.*}} to %[[B]]
// CHECK-NEXT: tile_gpu.commit
// CHECK: tile_gpu.commit
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[SLOT:.*]] = %{{.*}})
// CHECK-NEXT: tile_gpu.wait 1
// CHECK-NEXT: %[[X:.*]] = tile_gpu.local_load %[[A]] at %[[SLOT]]
// CHECK-NEXT: %[[Y:.*]] = tile_gpu.local_load %[[B]] at %[[SLOT]]
// CHECK: tile_gpu.copy_async {{.*}} to %[[A]]
// CHECK: tile_gpu.commit
// CHECK-NEXT: tile.dot %[[X]], %[[Y]]
// CHECK-NOT: tile_gpu.wait
// CHECK: scf.yield
// CHECK: tile_gpu.wait 0
// CHECK-NOT: tile.load
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

// What is loaded depends on what the loop carries: the copy is waited for where it stands.
// CHECK-LABEL: func.func @chained
// CHECK: scf.for
// CHECK: tile_gpu.alloc : <1, [32, 64], bf16>
// CHECK: tile_gpu.copy_async
// CHECK-NEXT: tile_gpu.commit
// CHECK-NEXT: tile_gpu.wait 0
// CHECK: tile_gpu.local_load
func.func @chained(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16},
                   %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16}, %next: !tile.view<?xi64>) attributes {tile.kernel, tile.warps = 4 : i64} {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %count = tile.size %next axis 0 : !tile.view<?xi64>
  %none = arith.constant dense<0.0> : tensor<64x64xf32>
  %x = tile.load %a[%zero along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x32xbf16>
  %sum, %last = scf.for %i = %zero to %count step %one iter_args(%acc = %none, %k = %zero) -> (tensor<64x64xf32>, i64) : i64 {
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<32x64xbf16>
    %more = tile.dot %x, %y, %acc : tensor<64x32xbf16>, tensor<32x64xbf16>, tensor<64x64xf32>
    %then = tile.load %next[%k] : !tile.view<?xi64> -> i64
    scf.yield %more, %then : tensor<64x64xf32>, i64
  } {tile.stages = 2 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<64x64xf32>, !tile.view<?x?xf32>
  return
}
