// RUN: tilewright-opt %s -tile-gpu-assign-layouts -tile-gpu-split-roles | FileCheck %s

// The producer walks the loop with scalars alone; consumers receive both operands, multiply, and give them back.
// CHECK-LABEL: func.func @product
// CHECK-DAG: %[[A:.*]] = tile_gpu.channel : <{{[23]}}, [128, 64], bf16>
// CHECK-DAG: %[[B:.*]] = tile_gpu.channel : <{{[23]}}, [64, 256], bf16>
// CHECK: tile_gpu.roles
// CHECK-SAME: produce
// CHECK: scf.for
// CHECK: tile_gpu.send %arg0[%{{.*}}, %{{.*}}] maps [0, 1] to %[[A]]
// CHECK: tile_gpu.send %arg1[%{{.*}}, %{{.*}}] maps [0, 1] to %[[B]]
// CHECK: consume
// CHECK: scf.for
// CHECK-NEXT: %[[X:.*]] = tile_gpu.receive %[[A]]
// CHECK-NEXT: %[[Y:.*]] = tile_gpu.receive %[[B]]
// CHECK-NEXT: tile_gpu.group_dot received %[[A]] at %[[X]] {{.*}} times %[[B]] at %[[Y]]
// CHECK-NEXT: tile_gpu.release %[[B]] at %[[Y]]
// CHECK-NEXT: tile_gpu.release %[[A]] at %[[X]]
// CHECK-NEXT: scf.yield
// CHECK: tile.store
func.func @product(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                   %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 8 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x256xf32>
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<128x256xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xbf16> -> tensor<128x64xbf16>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x256xbf16>
    %next = tile.dot %x, %y, %acc : tensor<128x64xbf16>, tensor<64x256xbf16>, tensor<128x256xf32>
    scf.yield %next : tensor<128x256xf32>
  } {tile.stages = 3 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<128x256xf32>, !tile.view<?x?xf32>
  return
}

// The author has all warps do the same: nothing changes, and there is nothing to be said.
// CHECK-LABEL: func.func @uniform
// CHECK-NOT: tile_gpu.roles
// CHECK: tile.dot %{{[^{]*}} : tensor<128x64xbf16
func.func @uniform(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                   %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 8 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x256xf32>
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<128x256xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xbf16> -> tensor<128x64xbf16>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x256xbf16>
    %next = tile.dot %x, %y, %acc : tensor<128x64xbf16>, tensor<64x256xbf16>, tensor<128x256xf32>
    scf.yield %next : tensor<128x256xf32>
  } {tile.stages = 3 : i64, tile.uniform_warps}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<128x256xf32>, !tile.view<?x?xf32>
  return
}

// A tensor that is not known to be aligned: nothing changes, and the dot says why.
// CHECK-LABEL: func.func @unaligned
// CHECK-NOT: tile_gpu.roles
// CHECK: tile.dot {{.*}} {tile_gpu.reason = "of its right operand: its tensor is not of contiguous rows
func.func @unaligned(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.fits32},
                     %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 4 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<64x64xf32>
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<64x64xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xbf16> -> tensor<64x64xbf16>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x64xbf16>
    %next = tile.dot %x, %y, %acc : tensor<64x64xbf16>, tensor<64x64xbf16>, tensor<64x64xf32>
    scf.yield %next : tensor<64x64xf32>
  } {tile.stages = 3 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<64x64xf32>, !tile.view<?x?xf32>
  return
}

// 8-bit floats along the depth: rows of 128 bytes of both.
// CHECK-LABEL: func.func @float8
// CHECK-DAG: %[[A:.*]] = tile_gpu.channel : <2, [64, 128], i8>
// CHECK-DAG: %[[B:.*]] = tile_gpu.channel : <2, [32, 128], i8>
// CHECK: tile_gpu.group_dot received %[[A]] at {{.*}} times %[[B]] at {{.*}}a_format = f8E4M3FN, b_format = f8E5M2, b_transposed}
func.func @float8(%a: !tile.view<?x?xi8> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xi8> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                  %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 4 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 128 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xi8>
  %none = arith.constant dense<0.0> : tensor<64x32xf32>
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<64x32xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xi8> -> tensor<64x128xi8>
    %y = tile.load %b[%zero along 0, %k along 1] : !tile.view<?x?xi8> -> tensor<32x128xi8>
    %t = tile.transpose %y [1, 0] : tensor<32x128xi8> -> tensor<128x32xi8>
    %next = tile.dot %x, %t, %acc formats f8E4M3FN, f8E5M2 : tensor<64x128xi8>, tensor<128x32xi8>, tensor<64x32xf32>
    scf.yield %next : tensor<64x32xf32>
  } {tile.stages = 2 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<64x32xf32>, !tile.view<?x?xf32>
  return
}

// Across the depth there is no such instruction.
// CHECK-LABEL: func.func @float8_across
// CHECK-NOT: tile_gpu.roles
// CHECK: tile.dot {{.*}}tile_gpu.reason = "8-bit floats are read from shared memory along the depth only
func.func @float8_across(%a: !tile.view<?x?xi8> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xi8> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                         %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 4 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 128 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xi8>
  %none = arith.constant dense<0.0> : tensor<64x128xf32>
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<64x128xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xi8> -> tensor<64x128xi8>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xi8> -> tensor<128x128xi8>
    %next = tile.dot %x, %y, %acc formats f8E4M3FN, f8E4M3FN : tensor<64x128xi8>, tensor<128x128xi8>, tensor<64x128xf32>
    scf.yield %next : tensor<64x128xf32>
  } {tile.stages = 2 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<64x128xf32>, !tile.view<?x?xf32>
  return
}

// A producer would not wait for a fence in front of the loop; one behind it changes nothing.
// CHECK-LABEL: func.func @behind_a_fence
// CHECK-NOT: tile_gpu.roles
// CHECK: tile.dot {{.*}}"a fence may come before the loop, and copies of a producer would not wait for it"
func.func @behind_a_fence(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                          %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %f: i1) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x256xf32>
  scf.if %f {
    tile.fence acquire
  }
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<128x256xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xbf16> -> tensor<128x64xbf16>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x256xbf16>
    %next = tile.dot %x, %y, %acc : tensor<128x64xbf16>, tensor<64x256xbf16>, tensor<128x256xf32>
    scf.yield %next : tensor<128x256xf32>
  } {tile.stages = 3 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<128x256xf32>, !tile.view<?x?xf32>
  return
}

// CHECK-LABEL: func.func @before_a_fence
// CHECK: tile_gpu.roles
// CHECK: tile_gpu.group_dot
// CHECK: tile.fence acquire_release
func.func @before_a_fence(%a: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %b: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                          %c: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %depth = tile.size %a axis 1 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<128x256xf32>
  tile.fence release
  %sum = scf.for %k = %zero to %depth step %step iter_args(%acc = %none) -> (tensor<128x256xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xbf16> -> tensor<128x64xbf16>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x256xbf16>
    %next = tile.dot %x, %y, %acc : tensor<128x64xbf16>, tensor<64x256xbf16>, tensor<128x256xf32>
    scf.yield %next : tensor<128x256xf32>
  } {tile.stages = 3 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<128x256xf32>, !tile.view<?x?xf32>
  tile.fence acquire_release
  return
}
