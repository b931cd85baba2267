// RUN: tilewright-opt %s -canonicalize -cse -tile-gpu-assign-layouts -tile-gpu-split-roles -tile-gpu-overlap-products | FileCheck %s

// Roles that an author wrote get layouts and stay as they are. The constant stays in its role, whatever folding does with it.
// CHECK-LABEL: func.func @written
// CHECK-DAG: %[[K:.*]] = tile_gpu.channel : <2, [64, 64], bf16>
// CHECK-DAG: %[[Q:.*]] = tile_gpu.alloc : <1, [128, 64], bf16>
// CHECK-DAG: %[[T:.*]] = tile_gpu.turns
// CHECK-NOT: arith.constant dense
// CHECK: tile_gpu.roles
// CHECK-SAME: consumer_registers = 240
// CHECK-SAME: written
// CHECK: produce
// CHECK: tile_gpu.send
// CHECK: consume
// CHECK: arith.constant dense
// CHECK: tile_gpu.local_store %{{.*}} to %[[Q]]
// CHECK: scf.for
// CHECK-NEXT: %[[S:.*]] = tile_gpu.receive %[[K]]
// CHECK-NEXT: tile_gpu.take_turn %[[T]]
// CHECK-NEXT: %[[P:.*]] = tile_gpu.group_dot stored %[[Q]] {{.*}} times %[[K]] at %[[S]] {{.*}} {b_transposed, in_flight}
// CHECK-NEXT: tile_gpu.pass_turn %[[T]]
// CHECK-NEXT: %[[D:.*]] = tile_gpu.group_wait %[[P]]
// CHECK: tile_gpu.release %[[K]] at %[[S]]
// CHECK: tile.store
func.func @written(%q: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %k: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                   %o: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 8 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %length = tile.size %k axis 0 : !tile.view<?x?xbf16>
  %keys = tile_gpu.channel : !tile_gpu.channel<2, [64, 64], bf16>
  %rows = tile_gpu.alloc : !tile_gpu.shared<1, [128, 64], bf16>
  %turns = tile_gpu.turns : !tile_gpu.turns
  tile_gpu.roles attributes {written, producer_registers = 24 : i64, consumer_registers = 240 : i64} produce {
    scf.for %j = %zero to %length step %step : i64 {
      tile_gpu.send %k[%j, %zero] maps [0, 1] to %keys : !tile.view<?x?xbf16>, !tile_gpu.channel<2, [64, 64], bf16>
    }
  } consume {
    %none = arith.constant dense<0.0> : tensor<128x64xf32>
    %queries = tile.load %q[%zero along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<128x64xbf16>
    tile_gpu.local_store %queries to %rows : tensor<128x64xbf16>, !tile_gpu.shared<1, [128, 64], bf16>
    scf.for %j = %zero to %length step %step : i64 {
      %slot = tile_gpu.receive %keys : !tile_gpu.channel<2, [64, 64], bf16>
      tile_gpu.take_turn %turns : !tile_gpu.turns
      %begun = tile_gpu.group_dot stored %rows : !tile_gpu.shared<1, [128, 64], bf16> times %keys at %slot : !tile_gpu.channel<2, [64, 64], bf16> plus %none {b_transposed, in_flight} : tensor<128x64xf32>
      tile_gpu.pass_turn %turns : !tile_gpu.turns
      %scores = tile_gpu.group_wait %begun : tensor<128x64xf32>
      tile_gpu.release %keys at %slot : !tile_gpu.channel<2, [64, 64], bf16>
      tile.store %scores, %o[%j along 0, %zero along 1] : tensor<128x64xf32>, !tile.view<?x?xf32>
    }
  }
  return
}
