// RUN: tilewright-opt %s -tile-gpu-assign-layouts -convert-tile-gpu | FileCheck %s

// Integers that a warp reduces along its lanes are one instruction. Where lanes hold copies, one of each counts.
// CHECK-LABEL: func.func @sum_of_copies
// CHECK: %[[OWN:.*]] = arith.select
// CHECK: nvvm.redux.sync add %[[OWN]]
// CHECK-NOT: nvvm.shfl
func.func @sum_of_copies(%x: !tile.view<?xi32>, %y: !tile.view<?xi32>) attributes {tile.kernel, tile.warps = 1 : i64} {
  %zero = arith.constant 0 : i64
  %tile = tile.load %x[%zero along 0] : !tile.view<?xi32> -> tensor<16xi32>
  %sum = tile.reduce sum %tile axis 0 : tensor<16xi32> -> i32
  tile.store %sum, %y[%zero] : i32, !tile.view<?xi32>
  return
}

// What an author combines is exchanged: there is no element that changes nothing.
// CHECK-LABEL: func.func @custom
// CHECK-NOT: nvvm.redux
// CHECK: nvvm.shfl.sync
func.func @custom(%x: !tile.view<?xi32>, %y: !tile.view<?xi32>) attributes {tile.kernel, tile.warps = 1 : i64} {
  %zero = arith.constant 0 : i64
  %tile = tile.load %x[%zero along 0] : !tile.view<?xi32> -> tensor<16xi32>
  %all = tile.reduce custom %tile axis 0 : tensor<16xi32> -> i32 {
  ^bb0(%a: i32, %b: i32):
    %c = arith.muli %a, %b : i32
    tile.yield %c : i32
  }
  tile.store %all, %y[%zero] : i32, !tile.view<?xi32>
  return
}
