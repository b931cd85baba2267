// RUN: tilewright-opt %s -tile-gpu-sink-past-loops | FileCheck %s

// A load and what is computed from it alone stand behind the loop that does not use them; what the loop uses stays.
// CHECK-LABEL: func.func @behind
// CHECK-NEXT: %[[INSIDE:.*]] = tile.load
// CHECK-NEXT: scf.for
// CHECK: %[[T:.*]] = tile.load %arg1
// CHECK-NEXT: %[[W:.*]] = arith.extf %[[T]]
// CHECK-NEXT: arith.addf
func.func @behind(%x: !tile.view<?xf32>, %y: !tile.view<?xbf16>, %n: i64, %zero: i64, %one: i64, %init: tensor<4xf32>) -> tensor<4xf32> {
  %t = tile.load %y[%zero along 0] : !tile.view<?xbf16> -> tensor<4xbf16>
  %w = arith.extf %t : tensor<4xbf16> to tensor<4xf32>
  %u = tile.load %x[%zero along 0] : !tile.view<?xf32> -> tensor<4xf32>
  %sum = scf.for %i = %zero to %n step %one iter_args(%acc = %init) -> (tensor<4xf32>) : i64 {
    %next = arith.addf %acc, %u : tensor<4xf32>
    scf.yield %next : tensor<4xf32>
  }
  %result = arith.addf %sum, %w : tensor<4xf32>
  return %result : tensor<4xf32>
}

// A loop that stores may change what a load reads; and without a loop on the way nothing moves.
// CHECK-LABEL: func.func @stays
// CHECK-NEXT: tile.load
// CHECK-NEXT: scf.for
// CHECK: }
// CHECK-NEXT: tile.load
// CHECK-NEXT: arith.negf
// CHECK-NEXT: tile.store
func.func @stays(%x: !tile.view<?xf32>, %y: !tile.view<?xf32>, %n: i64, %zero: i64, %one: i64, %init: tensor<4xf32>) {
  %t = tile.load %y[%zero along 0] : !tile.view<?xf32> -> tensor<4xf32>
  scf.for %i = %zero to %n step %one : i64 {
    tile.store %init, %y[%i along 0] : tensor<4xf32>, !tile.view<?xf32>
  }
  %u = tile.load %x[%zero along 0] : !tile.view<?xf32> -> tensor<4xf32>
  %m = arith.negf %t : tensor<4xf32>
  tile.store %m, %x[%zero along 0] : tensor<4xf32>, !tile.view<?xf32>
  tile.store %u, %x[%zero along 0] : tensor<4xf32>, !tile.view<?xf32>
  return
}

// So may one with an atomic operation.
// CHECK-LABEL: func.func @stays_before_atomics
// CHECK-NEXT: tile.load
// CHECK-NEXT: scf.for
func.func @stays_before_atomics(%x: !tile.view<?xf32>, %y: !tile.view<?xf32>, %n: i64, %zero: i64, %one: i64, %init: tensor<4xf32>) {
  %t = tile.load %y[%zero along 0] : !tile.view<?xf32> -> tensor<4xf32>
  scf.for %i = %zero to %n step %one : i64 {
    %old = tile.atomic add %init, %y[%i along 0] : tensor<4xf32>, !tile.view<?xf32>
  }
  %m = arith.negf %t : tensor<4xf32>
  tile.store %m, %x[%zero along 0] : tensor<4xf32>, !tile.view<?xf32>
  return
}

// And one with a fence.
// CHECK-LABEL: func.func @stays_before_fences
// CHECK-NEXT: tile.load
// CHECK-NEXT: scf.for
func.func @stays_before_fences(%x: !tile.view<?xf32>, %y: !tile.view<?xf32>, %n: i64, %zero: i64, %one: i64) {
  %t = tile.load %y[%zero along 0] : !tile.view<?xf32> -> tensor<4xf32>
  scf.for %i = %zero to %n step %one : i64 {
    tile.fence release
  }
  %m = arith.negf %t : tensor<4xf32>
  tile.store %m, %x[%zero along 0] : tensor<4xf32>, !tile.view<?xf32>
  return
}
