// RUN: tilewright-opt %s | FileCheck %s
// RUN: tilewright-opt %s --mlir-print-op-generic | tilewright-opt | FileCheck %s

// CHECK-LABEL: func.func @order
func.func @order(%x: tensor<4x8xf32>, %v: tensor<8xi16>) {
  // CHECK: tile.argmax %{{.*}} axis 1 : tensor<4x8xf32> -> tensor<4xi32>
  %0 = tile.argmax %x axis 1 : tensor<4x8xf32> -> tensor<4xi32>
  // CHECK: tile.argmin unsigned %{{.*}} axis 0 : tensor<8xi16> -> i32
  %1 = tile.argmin unsigned %v axis 0 : tensor<8xi16> -> i32
  // CHECK: tile.topk 3 descending %{{.*}} axis 1 : tensor<4x8xf32> -> tensor<4x3xf32>, tensor<4x3xi32>
  %2, %3 = tile.topk 3 descending %x axis 1 : tensor<4x8xf32> -> tensor<4x3xf32>, tensor<4x3xi32>
  // CHECK: tile.topk 8 unsigned %{{.*}} axis 0 : tensor<8xi16> -> tensor<8xi16>, tensor<8xi32>
  %4, %5 = tile.topk 8 unsigned %v axis 0 : tensor<8xi16> -> tensor<8xi16>, tensor<8xi32>
  return
}
