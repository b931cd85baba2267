// RUN: tilewright-opt %s -cpu-pipeline | FileCheck %s

// A loop with several iterations in flight asks for the tiles of its next iteration, once a cache line: 8 rows of 1 line and 16 rows of 2.
// CHECK-LABEL: llvm.func @pipelined(
// CHECK-COUNT-40: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
// CHECK-LABEL: llvm.func @one_in_flight(
// CHECK-NOT: llvm.intr.prefetch
// CHECK-LABEL: llvm.func @where_is_in_memory(
// CHECK-COUNT-8: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
func.func @pipelined(%a: !tile.view<?x?xf32> {tile.kind = "in", tile.name = "a", tile.unit_inner_stride},
                     %b: !tile.view<?x?xf32> {tile.kind = "in", tile.name = "b", tile.unit_inner_stride},
                     %c: !tile.view<?x?xf32> {tile.kind = "out", tile.name = "c", tile.unit_inner_stride}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 16 : i64
  %none = arith.constant dense<0.0> : tensor<8x32xf32>
  %end = tile.size %a axis 1 : !tile.view<?x?xf32>
  %sum = scf.for %k = %zero to %end step %step iter_args(%s = %none) -> (tensor<8x32xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xf32> -> tensor<8x16xf32>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xf32> -> tensor<16x32xf32>
    %next = tile.dot %x, %y, %s : tensor<8x16xf32>, tensor<16x32xf32>, tensor<8x32xf32>
    scf.yield %next : tensor<8x32xf32>
  } {tile.stages = 2 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<8x32xf32>, !tile.view<?x?xf32>
  return
}

func.func @one_in_flight(%a: !tile.view<?x?xf32> {tile.kind = "in", tile.name = "a", tile.unit_inner_stride},
                         %b: !tile.view<?x?xf32> {tile.kind = "in", tile.name = "b", tile.unit_inner_stride},
                         %c: !tile.view<?x?xf32> {tile.kind = "out", tile.name = "c", tile.unit_inner_stride}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 16 : i64
  %none = arith.constant dense<0.0> : tensor<8x32xf32>
  %end = tile.size %a axis 1 : !tile.view<?x?xf32>
  %sum = scf.for %k = %zero to %end step %step iter_args(%s = %none) -> (tensor<8x32xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xf32> -> tensor<8x16xf32>
    %y = tile.load %b[%k along 0, %zero along 1] : !tile.view<?x?xf32> -> tensor<16x32xf32>
    %next = tile.dot %x, %y, %s : tensor<8x16xf32>, tensor<16x32xf32>, tensor<8x32xf32>
    scf.yield %next : tensor<8x32xf32>
  } {tile.stages = 1 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<8x32xf32>, !tile.view<?x?xf32>
  return
}

// The row of b comes from memory that the loop has not read yet: only the tile of a is known.
func.func @where_is_in_memory(%a: !tile.view<?x?xf32> {tile.kind = "in", tile.name = "a", tile.unit_inner_stride},
                              %b: !tile.view<?x?xf32> {tile.kind = "in", tile.name = "b", tile.unit_inner_stride},
                              %rows: !tile.view<?xi64> {tile.kind = "in", tile.name = "rows", tile.unit_inner_stride},
                              %c: !tile.view<?x?xf32> {tile.kind = "out", tile.name = "c", tile.unit_inner_stride}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %step = arith.constant 16 : i64
  %none = arith.constant dense<0.0> : tensor<8x32xf32>
  %end = tile.size %a axis 1 : !tile.view<?x?xf32>
  %sum = scf.for %k = %zero to %end step %step iter_args(%s = %none) -> (tensor<8x32xf32>) : i64 {
    %x = tile.load %a[%zero along 0, %k along 1] : !tile.view<?x?xf32> -> tensor<8x16xf32>
    %row = tile.load %rows[%k] : !tile.view<?xi64> -> i64
    %y = tile.load %b[%row along 0, %zero along 1] : !tile.view<?x?xf32> -> tensor<16x32xf32>
    %next = tile.dot %x, %y, %s : tensor<8x16xf32>, tensor<16x32xf32>, tensor<8x32xf32>
    scf.yield %next : tensor<8x32xf32>
  } {tile.stages = 2 : i64}
  tile.store %sum, %c[%zero along 0, %zero along 1] : tensor<8x32xf32>, !tile.view<?x?xf32>
  return
}
