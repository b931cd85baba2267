// RUN: tilewright-opt %s | FileCheck %s
// RUN: tilewright-opt %s --mlir-print-op-generic | tilewright-opt | FileCheck %s

// CHECK-LABEL: func.func @dot
func.func @dot(%a: tensor<4x8xbf16>, %b: tensor<8x6xbf16>, %acc: tensor<4x6xf32>, %x: tensor<2x3x4xf64>, %y: tensor<2x4x5xf64>,
               %sum: tensor<2x3x5xf64>, %i: tensor<4x4xi8>, %j: tensor<4x4xi32>, %f: tensor<4x4xf32>) {
  // CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x8xbf16>, tensor<8x6xbf16>, tensor<4x6xf32>
  %0 = tile.dot %a, %b, %acc : tensor<4x8xbf16>, tensor<8x6xbf16>, tensor<4x6xf32>
  // CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x3x4xf64>, tensor<2x4x5xf64>, tensor<2x3x5xf64>
  %1 = tile.dot %x, %y, %sum : tensor<2x3x4xf64>, tensor<2x4x5xf64>, tensor<2x3x5xf64>
  // CHECK: tile.dot unsigned %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x4xi8>, tensor<4x4xi8>, tensor<4x4xi32>
  %2 = tile.dot unsigned %i, %i, %j : tensor<4x4xi8>, tensor<4x4xi8>, tensor<4x4xi32>
  // CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} formats f8E4M3FN, f8E5M2 : tensor<4x4xi8>, tensor<4x4xi8>, tensor<4x4xf32>
  %3 = tile.dot %i, %i, %f formats f8E4M3FN, f8E5M2 : tensor<4x4xi8>, tensor<4x4xi8>, tensor<4x4xf32>
  // CHECK: %[[WIDE:.*]] = tile.decode_f8 f8E5M2 %{{.*}} : tensor<4x4xi8> to tensor<4x4xf32>
  %4 = tile.decode_f8 f8E5M2 %i : tensor<4x4xi8> to tensor<4x4xf32>
  // CHECK: tile.encode_f8 f8E4M3FN %[[WIDE]] : tensor<4x4xf32> to tensor<4x4xi8>
  %5 = tile.encode_f8 f8E4M3FN %4 : tensor<4x4xf32> to tensor<4x4xi8>
  return
}
