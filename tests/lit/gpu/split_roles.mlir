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

// A scalar for each column comes through a channel too. Threads read what they hold of the product's layout, and give it back at the turn's end. That of a tensor which is not known to be aligned the consumers load.
// CHECK-LABEL: func.func @scalars_of_columns
// CHECK: %[[ROW:.*]] = tile_gpu.channel : <2, [64], f32>
// CHECK: produce
// CHECK: scf.for
// CHECK: tile_gpu.send %arg2[%{{.*}}, %{{.*}}] maps [-1, 0] to %[[ROW]]
// CHECK-NOT: tile_gpu.send
// CHECK: consume
// CHECK: scf.for
// CHECK: tile_gpu.group_dot
// CHECK: %[[SLOT:.*]] = tile_gpu.receive %[[ROW]]
// CHECK-NEXT: tile_gpu.channel_load %[[ROW]] at %[[SLOT]] : <2, [64], f32> -> tensor<64xf32
// CHECK: tile.load %arg3
// CHECK: tile_gpu.release %[[ROW]] at %[[SLOT]]
// CHECK-NEXT: scf.yield
func.func @scalars_of_columns(%k: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %q: !tile.view<?x?xbf16> {tile.unit_inner_stride, tile.aligned16, tile.fits32},
                              %s: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}, %t: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.fits32},
                              %o: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16, tile.fits32}) attributes {tile.kernel, tile.warps = 4 : i64} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 64 : i64
  %length = tile.size %q axis 0 : !tile.view<?x?xbf16>
  %none = arith.constant dense<0.0> : tensor<64x64xf32>
  %keys = tile.load %k[%zero along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x64xbf16>
  %sum = scf.for %i = %zero to %length step %step iter_args(%all = %none) -> (tensor<64x64xf32>) : i64 {
    %queries = tile.load %q[%i along 0, %zero along 1] : !tile.view<?x?xbf16> -> tensor<64x64xbf16>
    %columns = tile.transpose %queries [1, 0] : tensor<64x64xbf16> -> tensor<64x64xbf16>
    %scores = tile.dot %keys, %columns, %none : tensor<64x64xbf16>, tensor<64x64xbf16>, tensor<64x64xf32>
    %factor = tile.load %s[%zero, %i along 0] : !tile.view<?x?xf32> -> tensor<64xf32>
    %factors = tile.reshape %factor : tensor<64xf32> -> tensor<1x64xf32>
    %each = tile.broadcast %factors : tensor<1x64xf32> -> tensor<64x64xf32>
    %scaled = arith.mulf %scores, %each : tensor<64x64xf32>
    %shift = tile.load %t[%zero, %i along 0] : !tile.view<?x?xf32> -> tensor<64xf32>
    %shifts = tile.reshape %shift : tensor<64xf32> -> tensor<1x64xf32>
    %every = tile.broadcast %shifts : tensor<1x64xf32> -> tensor<64x64xf32>
    %shifted = arith.addf %scaled, %every : tensor<64x64xf32>
    %next = arith.addf %all, %shifted : tensor<64x64xf32>
    scf.yield %next : tensor<64x64xf32>
  } {tile.stages = 2 : i64}
  tile.store %sum, %o[%zero along 0, %zero along 1] : tensor<64x64xf32>, !tile.view<?x?xf32>
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
