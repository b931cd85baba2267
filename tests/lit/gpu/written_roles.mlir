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

// Tiles are read from channels in the layouts that their users want, each where it was to be read: here in those of a matrix instruction's operand. Nothing that teams load is staged through shared memory.
// CHECK-LABEL: func.func @teams
// CHECK: tile_gpu.roles
// CHECK-SAME: teams = 4
// CHECK: tile_gpu.send_tile
// CHECK: consume
// CHECK: tile_gpu.team
// CHECK: %[[S:.*]] = tile_gpu.receive %{{.*}} : <2, [64, 64], bf16>
// CHECK-NEXT: %[[B:.*]] = tile_gpu.channel_load transposed %{{.*}} at %[[S]] : <2, [64, 64], bf16> -> tensor<64x64xbf16, #tile_gpu.layout
// CHECK-NEXT: tile.dot %{{.*}}, %[[B]]
// CHECK: tile_gpu.release
func.func @teams(%q: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %k: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                 %o: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 1 : i64} {
  %zero = arith.constant 0 : i64
  %rows = arith.constant 16 : i64
  %keys = tile_gpu.channel : !tile_gpu.channel<2, [64, 64], bf16>
  %lists = tile_gpu.channel : !tile_gpu.channel<2, [32], i32>
  tile_gpu.roles attributes {written, teams = 4 : i64} produce {
    %numbers = tile.arange 0 : tensor<32xi32>
    %sent = tile_gpu.send_tile %numbers to %lists : tensor<32xi32>, !tile_gpu.channel<2, [32], i32>
    %first = tile_gpu.channel_element %lists at %sent[%zero] : !tile_gpu.channel<2, [32], i32> -> i32
    %place = arith.extsi %first : i32 to i64
    tile_gpu.send %k[%place, %zero] maps [0, 1] to %keys : !tile.view<?x?xbf16>, !tile_gpu.channel<2, [64, 64], bf16>
  } consume {
    %none = arith.constant dense<0.0> : tensor<16x64xf32>
    %team = tile_gpu.team
    %row = arith.muli %team, %rows : i64
    %queries = tile.load %q[%row along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<16x64xbf16>
    %list = tile_gpu.receive %lists : !tile_gpu.channel<2, [32], i32>
    tile_gpu.release %lists at %list : !tile_gpu.channel<2, [32], i32>
    %slot = tile_gpu.receive %keys : !tile_gpu.channel<2, [64, 64], bf16>
    %key = tile_gpu.channel_load transposed %keys at %slot : !tile_gpu.channel<2, [64, 64], bf16> -> tensor<64x64xbf16>
    %product = tile.dot %queries, %key, %none : tensor<16x64xbf16>, tensor<64x64xbf16>, tensor<16x64xf32>
    tile_gpu.release %keys at %slot : !tile_gpu.channel<2, [64, 64], bf16>
    tile.store %product, %o[%row along 0, %zero along 1] : tensor<16x64xf32>, !tile.view<?x?xf32>
  }
  return
}
