// RUN: tilewright-opt %s -tile-widen-f8-dots | FileCheck %s

// Each operand by its own format, to f16, which is exact; the author is told.
// CHECK-LABEL: func.func @mixed
// CHECK: %[[L:.*]] = tile.decode_f8 f8E4M3FN %arg0 : tensor<4x8xi8> to tensor<4x8xf32>
// CHECK: %[[A:.*]] = arith.truncf %[[L]] : tensor<4x8xf32> to tensor<4x8xf16>
// CHECK: %[[R:.*]] = tile.decode_f8 f8E5M2 %arg1 : tensor<8x6xi8> to tensor<8x6xf32>
// CHECK: %[[B:.*]] = arith.truncf %[[R]] : tensor<8x6xf32> to tensor<8x6xf16>
// CHECK: tile.dot %[[A]], %[[B]], %arg2 {tile.note = "8-bit floats are multiplied as f16{{.*}}"} : tensor<4x8xf16>, tensor<8x6xf16>, tensor<4x6xf32>
func.func @mixed(%a: tensor<4x8xi8>, %b: tensor<8x6xi8>, %acc: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %0 = tile.dot %a, %b, %acc formats f8E4M3FN, f8E5M2 : tensor<4x8xi8>, tensor<8x6xi8>, tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// Before a transposition.
// CHECK-LABEL: func.func @transposed
// CHECK: %[[R:.*]] = tile.decode_f8 f8E4M3FN %arg1 : tensor<6x8xi8> to tensor<6x8xf32>
// CHECK: %[[H:.*]] = arith.truncf %[[R]] : tensor<6x8xf32> to tensor<6x8xf16>
// CHECK: %[[B:.*]] = tile.transpose %[[H]] [1, 0] : tensor<6x8xf16> -> tensor<8x6xf16>
// CHECK: tile.dot %{{.*}}, %[[B]], %arg2
func.func @transposed(%a: tensor<4x8xi8>, %b: tensor<6x8xi8>, %acc: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %t = tile.transpose %b [1, 0] : tensor<6x8xi8> -> tensor<8x6xi8>
  %0 = tile.dot %a, %t, %acc formats f8E4M3FN, f8E4M3FN : tensor<4x8xi8>, tensor<8x6xi8>, tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// Integers are none of its business.
// CHECK-LABEL: func.func @integers
// CHECK-NEXT: tile.dot %arg0, %arg1, %arg2 : tensor<4x8xi8>, tensor<8x6xi8>, tensor<4x6xi32>
func.func @integers(%a: tensor<4x8xi8>, %b: tensor<8x6xi8>, %acc: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %0 = tile.dot %a, %b, %acc : tensor<4x8xi8>, tensor<8x6xi8>, tensor<4x6xi32>
  return %0 : tensor<4x6xi32>
}
