// RUN: tilewright-opt %s -tile-hoist-loads | FileCheck %s

// CHECK-LABEL: func.func @invariant
func.func @invariant(%x: !tile.view<?x?xf32>, %n: i64, %zero: i64, %one: i64, %init: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[ROW:.*]] = arith.addi
  // CHECK-NEXT: %[[T:.*]] = tile.load %{{.*}}[%[[ROW]], %{{.*}} along 0]
  // CHECK-NEXT: %[[E:.*]] = math.exp %[[T]]
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: tile.load
  // CHECK-NEXT: tile.print
  // CHECK-NEXT: arith.mulf
  %0 = scf.for %i = %zero to %n step %one iter_args(%acc = %init) -> (tensor<4xf32>) : i64 {
    %row = arith.addi %n, %one : i64
    %t = tile.load %x[%row, %zero along 0] : !tile.view<?x?xf32> -> tensor<4xf32>
    %e = math.exp %t : tensor<4xf32>
    %u = tile.load %x[%i, %zero along 0] : !tile.view<?x?xf32> -> tensor<4xf32>
    tile.print "u" %u : tensor<4xf32>
    %p = arith.mulf %e, %u : tensor<4xf32>
    %s = arith.addf %acc, %p : tensor<4xf32>
    scf.yield %s : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// A store anywhere in the loop may change what the load reads; what is pure moves all the same.
// CHECK-LABEL: func.func @written
func.func @written(%x: !tile.view<?xf32>, %n: i64, %zero: i64, %one: i64, %c: i1) {
  // CHECK: arith.addi
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: tile.load
  scf.for %i = %zero to %n step %one : i64 {
    %at = arith.addi %n, %one : i64
    %t = tile.load %x[%at along 0] : !tile.view<?xf32> -> tensor<4xf32>
    scf.if %c {
      tile.store %t, %x[%i along 0] : tensor<4xf32>, !tile.view<?xf32>
    }
  }
  return
}

// Out of both loops, and out of both regions of a while; a load that only some iterations ask for stays.
// CHECK-LABEL: func.func @nested
func.func @nested(%x: !tile.view<i64>, %n: i64, %zero: i64, %one: i64, %c: i1) {
  // CHECK-COUNT-3: tile.load
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK-NOT: tile.load
  // CHECK: scf.while
  // CHECK-NOT: tile.load
  // CHECK: scf.if
  // CHECK-NEXT: tile.load
  scf.for %i = %zero to %n step %one : i64 {
    scf.for %j = %zero to %i step %one : i64 {
      %a = tile.load %x[] : !tile.view<i64> -> i64
      tile.print "a" %a : i64
    }
    %w = scf.while (%v = %i) : (i64) -> i64 {
      %limit = tile.load %x[] : !tile.view<i64> -> i64
      %more = arith.cmpi slt, %v, %limit : i64
      scf.condition(%more) %v : i64
    } do {
    ^bb0(%v: i64):
      %step = tile.load %x[] : !tile.view<i64> -> i64
      %next = arith.addi %v, %step : i64
      scf.if %c {
        %b = tile.load %x[] : !tile.view<i64> -> i64
        tile.print "b" %b : i64
      }
      scf.yield %next : i64
    }
  }
  return
}

// What an atomic operation changes is loaded every time.
// CHECK-LABEL: func.func @between_atomics
func.func @between_atomics(%x: !tile.view<i64>, %n: i64) {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  // CHECK: scf.for
  // CHECK-NEXT: tile.load
  scf.for %i = %zero to %n step %one : i64 {
    %a = tile.load %x[] : !tile.view<i64> -> i64
    tile.print "a" %a : i64
    %old = tile.atomic add %one, %x[] : i64, !tile.view<i64>
  }
  return
}

// What others have written shows behind a fence.
// CHECK-LABEL: func.func @behind_fences
func.func @behind_fences(%x: !tile.view<i64>, %n: i64) {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  // CHECK: scf.for
  // CHECK-NEXT: tile.fence acquire
  // CHECK-NEXT: tile.load
  scf.for %i = %zero to %n step %one : i64 {
    tile.fence acquire
    %a = tile.load %x[] : !tile.view<i64> -> i64
    tile.print "a" %a : i64
  }
  return
}
