// RUN: tilewright-opt %s -tile-gpu-assign-layouts -tile-gpu-split-roles | FileCheck %s

// Operands that no load brings. The tile that the loop is around is stored once for two products, the second of which reads it transposed; what the turn computes is stored in it, beside staying in registers for the product
// that takes it there.
// CHECK-LABEL: func.func @computed_right
// CHECK: %[[Q:.*]] = tile_gpu.channel : <2, [64, 128], bf16>
// CHECK: consume
// CHECK: %[[K:.*]] = tile_gpu.alloc : <1, [128, 128], bf16>
// CHECK: tile_gpu.local_store %{{.*}} to %[[K]]
// CHECK-NOT: tile_gpu.local_store
// CHECK: scf.for
// CHECK: %[[TILE:.*]] = tile_gpu.receive %[[Q]]
// CHECK: tile_gpu.group_dot stored %[[K]] {{.*}} times %[[Q]] at %[[TILE]] {{.*}} {b_transposed}
// CHECK: %[[NARROW:.*]] = arith.truncf
// CHECK: %[[P:.*]] = tile_gpu.alloc : <1, [128, 64], bf16>
// CHECK: tile_gpu.local_store %[[NARROW]] to %[[P]]
// CHECK: tile_gpu.group_dot registers %{{.*}} times %[[Q]] at %[[TILE]]
// CHECK: tile_gpu.group_dot stored %[[K]] {{.*}} times stored %[[P]] {{.*}} {a_transposed}
// CHECK: tile.atomic
func.func @computed_right(%k: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %q: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                          %sums: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %dk: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32})
    attributes {tile.kernel, tile.warps = 8 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %length = tile.size %q axis 0 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x128xf32>
  %nothing = arith.constant dense<0.0> : tensor<128x64xf32>
  %keys = tile.load %k[%zero along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<128x128xbf16>
  %turned = tile.transpose %keys [1, 0] : tensor<128x128xbf16> -> tensor<128x128xbf16>
  %sum = scf.for %i = %zero to %length step %step iter_args(%acc = %none) -> (tensor<128x128xf32>) : i64 {
    %queries = tile.load %q[%i along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x128xbf16>
    %columns = tile.transpose %queries [1, 0] : tensor<64x128xbf16> -> tensor<128x64xbf16>
    %scores = tile.dot %keys, %columns, %nothing : tensor<128x128xbf16>, tensor<128x64xbf16>, tensor<128x64xf32>
    %narrow = arith.truncf %scores : tensor<128x64xf32> to tensor<128x64xbf16>
    %next = tile.dot %narrow, %queries, %acc : tensor<128x64xbf16>, tensor<64x128xbf16>, tensor<128x128xf32>
    %part = tile.dot %turned, %narrow, %nothing : tensor<128x128xbf16>, tensor<128x64xbf16>, tensor<128x64xf32>
    %old = tile.atomic add %part, %sums[%zero along 0, %i along 1] : tensor<128x64xf32>, !tile.view<?x?xf32>
    scf.yield %next : tensor<128x128xf32>
  } {tile.stages = 2 : i64}
  tile.store %sum, %dk[%zero along 0, %zero along 1] : tensor<128x128xf32>, !tile.view<?x?xf32>
  return
}
