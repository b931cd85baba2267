// RUN: tilewright-opt %s -split-input-file -tile-gpu-assign-layouts -convert-tile-gpu -tile-gpu-allocate-shared -tile-gpu-insert-barriers | FileCheck %s

// Atomic operations of one kind need no order among themselves.
// CHECK-LABEL: func.func @histogram(
// CHECK-NOT: barrier
// CHECK: llvm.atomicrmw add %{{.*}}, %{{.*}} syncscope("device") monotonic {alignment = 4 : i64} : !llvm.ptr<1>, i32
// CHECK-NOT: barrier
// CHECK: return
func.func @histogram(%keys: !tile.view<?xi32> {tile.unit_inner_stride, tile.aligned16}, %counts: !tile.view<?xi32>) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %end = arith.constant 8 : i64
  %ones = arith.constant dense<1> : tensor<256xi32>
  scf.for %i = %zero to %end step %one : i64 {
    %bins = tile.load %keys[%i along 0] : !tile.view<?xi32> -> tensor<256xi32>
    %old = tile.atomic add %ones, %counts[%bins along 0 : tensor<256xi32>] : tensor<256xi32>, !tile.view<?xi32>
  }
  return
}

// -----

// One thread acts, and tells the others through shared memory; what is loaded afterwards waits.
// CHECK-LABEL: func.func @ticket(
// CHECK: llvm.cmpxchg %{{.*}}, %{{.*}}, %{{.*}} syncscope("device") monotonic monotonic {alignment = 4 : i64} : !llvm.ptr<1>, i32
// CHECK: llvm.store %{{.*}} : i32, !llvm.ptr<3>
// CHECK: barrier
// CHECK: llvm.load %{{.*}} : !llvm.ptr<3> -> i32
// CHECK: barrier
// CHECK: llvm.atomicrmw fmaximum %{{.*}} syncscope("device") monotonic
// CHECK: barrier
// CHECK: ld.global
func.func @ticket(%x: !tile.view<?xi32>, %y: !tile.view<?xi32>, %z: !tile.view<?xf32>, %w: !tile.view<?xf32>) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %a = arith.constant 1 : i32
  %b = arith.constant 2 : i32
  %v = arith.constant 2.0 : f32
  %0 = tile.atomic compare_exchange %b, %x[%zero] expected %a : i32, !tile.view<?xi32>
  tile.store %0, %y[%zero] : i32, !tile.view<?xi32>
  %1 = tile.atomic maxf %v, %z[%zero] : f32, !tile.view<?xf32>
  %2 = tile.load %z[%zero] : !tile.view<?xf32> -> f32
  tile.store %2, %w[%zero] : f32, !tile.view<?xf32>
  return
}

// -----

// All threads have stored before one acts, and none loads before it has.
// CHECK-LABEL: func.func @arrive(
// CHECK: llvm.store
// CHECK-NOT: atomicrmw
// CHECK: nvvm.barrier0
// CHECK-NEXT: llvm.fence syncscope("device") release
// CHECK: llvm.atomicrmw add {{.*}} syncscope("device") monotonic
// CHECK: llvm.fence syncscope("device") acquire
// CHECK-NEXT: nvvm.barrier0
// CHECK: ld.global
func.func @arrive(%x: !tile.view<?xi32> {tile.unit_inner_stride, tile.aligned16}, %arrived: !tile.view<?xi32>, %y: !tile.view<?xi32>, %v: i32) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i32
  %ones = tile.splat %v : i32 -> tensor<256xi32>
  tile.store %ones, %x[%zero along 0] : tensor<256xi32>, !tile.view<?xi32>
  tile.fence release
  %before = tile.atomic add %one, %arrived[%zero] : i32, !tile.view<?xi32>
  tile.fence acquire
  %far = arith.extui %before : i32 to i64
  %t = tile.load %y[%far along 0] : !tile.view<?xi32> -> tensor<256xi32>
  tile.store %t, %x[%zero along 0] : tensor<256xi32>, !tile.view<?xi32>
  return
}
