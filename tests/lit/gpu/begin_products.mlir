// RUN: tilewright-opt %s -tile-gpu-assign-layouts -tile-gpu-split-roles -tile-gpu-begin-products | FileCheck %s

// Both products of the turn are begun at once; the first is waited for before exp2, with the second on its way, the second before the multiplication. What exp2 takes beside the first is read before. Products with what the turn
// computes follow that at once, and are in flight to the turn's end.
// CHECK-LABEL: func.func @two_products
// CHECK: consume
// CHECK: scf.for
// CHECK-NEXT: tile_gpu.receive
// CHECK-NEXT: %[[SLOT:.*]] = tile_gpu.receive %[[ROW:.*]] : <2, [64], f32>
// CHECK-NEXT: tile_gpu.channel_load %[[ROW]] at %[[SLOT]]
// CHECK-NEXT: %[[A:.*]] = tile_gpu.group_dot stored {{.*}} in_flight
// CHECK-NEXT: tile_gpu.receive
// CHECK-NEXT: %[[B:.*]] = tile_gpu.group_dot stored {{.*}} in_flight
// CHECK: %[[SCORES:.*]] = tile_gpu.group_wait %[[A]] {begun_since = 1 : i64}
// CHECK: %[[P:.*]] = math.exp2
// CHECK: %[[DV:.*]] = tile_gpu.group_dot registers {{.*}}in_flight
// CHECK: %[[G:.*]] = tile_gpu.group_wait %[[B]] {begun_since = 1 : i64}
// CHECK: arith.mulf %[[P]], %[[G]]
// CHECK: %[[DK:.*]] = tile_gpu.group_dot registers {{.*}}in_flight
// CHECK: %[[DV_SUM:.*]] = tile_gpu.group_wait %[[DV]] {begun_since = 1 : i64}
// CHECK: %[[DK_SUM:.*]] = tile_gpu.group_wait %[[DK]] : tensor
// CHECK: scf.yield %[[DV_SUM]], %[[DK_SUM]]
func.func @two_products(%k: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %q: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                        %d: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %s: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %o: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32})
    attributes {tile.kernel, tile.warps = 8 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %length = tile.size %q axis 0 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x64xf32>
  %keys = tile.load %k[%zero along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<128x64xbf16>
  %sum:2 = scf.for %i = %zero to %length step %step iter_args(%dv = %none, %dk = %none) -> (tensor<128x64xf32>, tensor<128x64xf32>) : i64 {
    %queries = tile.load %q[%i along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x64xbf16>
    %columns = tile.transpose %queries [1, 0] : tensor<64x64xbf16> -> tensor<64x64xbf16>
    %scores = tile.dot %keys, %columns, %none : tensor<128x64xbf16>, tensor<64x64xbf16>, tensor<128x64xf32>
    %shift = tile.load %s[%zero, %i along 0] : !tile.view<?x?xf32> -> tensor<64xf32>
    %shifts = tile.reshape %shift : tensor<64xf32> -> tensor<1x64xf32>
    %each = tile.broadcast %shifts : tensor<1x64xf32> -> tensor<128x64xf32>
    %shifted = arith.subf %scores, %each : tensor<128x64xf32>
    %p = math.exp2 %shifted : tensor<128x64xf32>
    %gradients = tile.load %d[%i along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x64xbf16>
    %across = tile.transpose %gradients [1, 0] : tensor<64x64xbf16> -> tensor<64x64xbf16>
    %g = tile.dot %keys, %across, %none : tensor<128x64xbf16>, tensor<64x64xbf16>, tensor<128x64xf32>
    %ds = arith.mulf %p, %g : tensor<128x64xf32>
    %narrow_ds = arith.truncf %ds : tensor<128x64xf32> to tensor<128x64xbf16>
    %next_dk = tile.dot %narrow_ds, %queries, %dk : tensor<128x64xbf16>, tensor<64x64xbf16>, tensor<128x64xf32>
    %narrow_p = arith.truncf %p : tensor<128x64xf32> to tensor<128x64xbf16>
    %next_dv = tile.dot %narrow_p, %gradients, %dv : tensor<128x64xbf16>, tensor<64x64xbf16>, tensor<128x64xf32>
    scf.yield %next_dv, %next_dk : tensor<128x64xf32>, tensor<128x64xf32>
  } {tile.stages = 2 : i64}
  %all = arith.addf %sum#0, %sum#1 : tensor<128x64xf32>
  tile.store %all, %o[%zero along 0, %zero along 1] : tensor<128x64xf32>, !tile.view<?x?xf32>
  return
}

// The last product waits for itself, and so for the sum that is in flight: tiles are given back before its result is added to memory.
// CHECK-LABEL: func.func @with_a_product_behind
// CHECK: consume
// CHECK: scf.for
// CHECK: %[[DV:.*]] = tile_gpu.group_dot registers {{.*}}in_flight
// CHECK: tile_gpu.local_store
// CHECK: %[[DQ:.*]] = tile_gpu.group_dot stored {{.*}} times stored
// CHECK-NEXT: tile_gpu.group_wait %[[DV]] : tensor
// CHECK-NEXT: tile_gpu.release
// CHECK-NEXT: tile.atomic
// CHECK-NOT: tile_gpu.release
// CHECK: scf.yield
func.func @with_a_product_behind(%k: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %q: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                                 %d: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %o: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                                 %dq: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 8 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %length = tile.size %q axis 0 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x64xf32>
  %no_sum = arith.constant dense<0.0> : tensor<128x128xf32>
  %keys = tile.load %k[%zero along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<128x128xbf16>
  %sum = scf.for %i = %zero to %length step %step iter_args(%dv = %no_sum) -> (tensor<128x128xf32>) : i64 {
    %queries = tile.load %q[%i along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x128xbf16>
    %columns = tile.transpose %queries [1, 0] : tensor<64x128xbf16> -> tensor<128x64xbf16>
    %scores = tile.dot %keys, %columns, %none : tensor<128x128xbf16>, tensor<128x64xbf16>, tensor<128x64xf32>
    %p = math.exp2 %scores : tensor<128x64xf32>
    %gradients = tile.load %d[%i along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x128xbf16>
    %across = tile.transpose %gradients [1, 0] : tensor<64x128xbf16> -> tensor<128x64xbf16>
    %g = tile.dot %keys, %across, %none : tensor<128x128xbf16>, tensor<128x64xbf16>, tensor<128x64xf32>
    %ds = arith.mulf %p, %g : tensor<128x64xf32>
    %narrow_p = arith.truncf %p : tensor<128x64xf32> to tensor<128x64xbf16>
    %next_dv = tile.dot %narrow_p, %gradients, %dv : tensor<128x64xbf16>, tensor<64x128xbf16>, tensor<128x128xf32>
    %narrow_ds = arith.truncf %ds : tensor<128x64xf32> to tensor<128x64xbf16>
    %upright = tile.transpose %keys [1, 0] : tensor<128x128xbf16> -> tensor<128x128xbf16>
    %part = tile.dot %upright, %narrow_ds, %none : tensor<128x128xbf16>, tensor<128x64xbf16>, tensor<128x64xf32>
    %old = tile.atomic add %part, %dq[%zero along 0, %i along 1] : tensor<128x64xf32>, !tile.view<?x?xf32>
    scf.yield %next_dv : tensor<128x128xf32>
  } {tile.stages = 2 : i64}
  tile.store %sum, %o[%zero along 0, %zero along 1] : tensor<128x128xf32>, !tile.view<?x?xf32>
  return
}
