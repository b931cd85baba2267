// RUN: tilewright-opt %s | FileCheck %s
// RUN: tilewright-opt %s --mlir-print-op-generic | tilewright-opt | FileCheck %s

// CHECK-LABEL: func.func @dot
func.func @dot(%a: tensor<4x8xbf16>, %b: tensor<8x6xbf16>, %acc: tensor<4x6xf32>, %x: tensor<2x3x4xf64>, %y: tensor<2x4x5xf64>,
               %sum: tensor<2x3x5xf64>, %i: tensor<4x4xi8>, %j: tensor<4x4xi32>) {
  // CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x8xbf16>, tensor<8x6xbf16>, tensor<4x6xf32>
  %0 = tile.dot %a, %b, %acc : tensor<4x8xbf16>, tensor<8x6xbf16>, tensor<4x6xf32>
  // CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x3x4xf64>, tensor<2x4x5xf64>, tensor<2x3x5xf64>
  %1 = tile.dot %x, %y, %sum : tensor<2x3x4xf64>, tensor<2x4x5xf64>, tensor<2x3x5xf64>
  // CHECK: tile.dot unsigned %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x4xi8>, tensor<4x4xi8>, tensor<4x4xi32>
  %2 = tile.dot unsigned %i, %i, %j : tensor<4x4xi8>, tensor<4x4xi8>, tensor<4x4xi32>
  return
}
