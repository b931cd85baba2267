// RUN: tilewright-opt %s -tile-gpu-assign-layouts -tile-gpu-split-roles -tile-gpu-overlap-products | FileCheck %s

// The queries lie in shared memory. The product with the next keys is begun before the scores of these are touched, and completed behind the product with the values; its keys are given back then. The producer sends
// the first keys before its loop, and in it those of the next turn.
// CHECK-LABEL: func.func @attention
// CHECK-DAG: %[[K:.*]] = tile_gpu.channel : <2, [128, 128], bf16>
// CHECK-DAG: %[[V:.*]] = tile_gpu.channel : <2, [128, 128], bf16>
// CHECK: tile_gpu.roles
// CHECK-SAME: produce
// CHECK: tile_gpu.send %arg1[%[[ZERO:.*]], %{{.*}}] maps [0, 1] to %[[K]]
// CHECK: scf.for %[[J:.*]] = %[[ZERO]] to
// CHECK: %[[NEXT:.*]] = arith.addi %[[J]], %{{.*}} : i64
// CHECK: tile_gpu.send %arg1[%[[NEXT]], %{{.*}}] maps [0, 1] to %[[K]]
// CHECK: tile_gpu.send %arg2[%[[J]], %{{.*}}] maps [0, 1] to %[[V]]
// CHECK: consume
// CHECK: %[[Q:.*]] = tile_gpu.alloc : <1, [128, 128], bf16>
// CHECK: tile_gpu.local_store %{{.*}} to %[[Q]]
// CHECK: %[[S0:.*]] = tile_gpu.receive %[[K]]
// CHECK-NEXT: %[[FIRST:.*]] = tile_gpu.group_dot stored %[[Q]] {{.*}} times %[[K]] at %[[S0]]
// CHECK-NOT: in_flight
// CHECK: tile_gpu.release %[[K]] at %[[S0]]
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[SCORES:.*]] = %[[FIRST]])
// CHECK-NEXT: %[[S1:.*]] = tile_gpu.receive %[[K]]
// CHECK-NEXT: %[[BEGUN:.*]] = tile_gpu.group_dot stored %[[Q]] {{.*}} times %[[K]] at %[[S1]] {{.*}} in_flight
// CHECK: math.exp2 %[[SCORES]]
// CHECK: tile_gpu.group_dot registers {{.*}} times %[[V]]
// CHECK: %[[COMPLETE:.*]] = tile_gpu.group_wait %[[BEGUN]]
// CHECK-NEXT: tile_gpu.release %[[K]] at %[[S1]]
// CHECK-NEXT: scf.yield %{{.*}}, %[[COMPLETE]]
func.func @attention(%q: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %k: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                     %v: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %o: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32})
    attributes {tile.kernel, tile.warps = 8 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 128 : i64
  %length = tile.size %k axis 0 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x128xf32>
  %queries = tile.load %q[%zero along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<128x128xbf16>
  %sum = scf.for %j = %zero to %length step %step iter_args(%acc = %none) -> (tensor<128x128xf32>) : i64 {
    %keys = tile.load %k[%j along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<128x128xbf16>
    %turned = tile.transpose %keys [1, 0] : tensor<128x128xbf16> -> tensor<128x128xbf16>
    %scores = tile.dot %queries, %turned, %none : tensor<128x128xbf16>, tensor<128x128xbf16>, tensor<128x128xf32>
    %weights = math.exp2 %scores : tensor<128x128xf32>
    %narrow = arith.truncf %weights : tensor<128x128xf32> to tensor<128x128xbf16>
    %values = tile.load %v[%j along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<128x128xbf16>
    %next = tile.dot %narrow, %values, %acc : tensor<128x128xbf16>, tensor<128x128xbf16>, tensor<128x128xf32>
    scf.yield %next : tensor<128x128xf32>
  } {tile.stages = 2 : i64}
  tile.store %sum, %o[%zero along 0, %zero along 1] : tensor<128x128xf32>, !tile.view<?x?xf32>
  return
}
