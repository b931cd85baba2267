// RUN: tilewright-opt %s -canonicalize | FileCheck %s

// CHECK-LABEL: func.func @divisions
func.func @divisions() -> (tensor<6xi8>, tensor<6xi8>, tensor<6xi8>, tensor<6xi8>) {
  %x = arith.constant dense<[7, -7, -7, 5, -128, -128]> : tensor<6xi8>
  %y = arith.constant dense<[2, 2, -2, 0, -1, 0]> : tensor<6xi8>
  // CHECK-DAG: %[[DIVS:.*]] = arith.constant dense<[3, -3, 3, 0, -128, 0]>
  %0 = tile.divs %x, %y : tensor<6xi8>
  // CHECK-DAG: %[[REMS:.*]] = arith.constant dense<[1, -1, -1, 5, 0, -128]>
  %1 = tile.rems %x, %y : tensor<6xi8>
  // CHECK-DAG: %[[DIVU:.*]] = arith.constant dense<[3, 124, 0, 0, 0, 0]>
  %2 = tile.divu %x, %y : tensor<6xi8>
  // CHECK-DAG: %[[REMU:.*]] = arith.constant dense<[1, 1, -7, 5, -128, -128]>
  %3 = tile.remu %x, %y : tensor<6xi8>
  // CHECK: return %[[DIVS]], %[[REMS]], %[[DIVU]], %[[REMU]]
  return %0, %1, %2, %3 : tensor<6xi8>, tensor<6xi8>, tensor<6xi8>, tensor<6xi8>
}

// CHECK-LABEL: func.func @by_one
// CHECK-SAME: %[[X:.*]]: tensor<4xi32>, %[[B:.*]]: i1
func.func @by_one(%x: tensor<4xi32>, %b: i1) -> (tensor<4xi32>, tensor<4xi32>, i1) {
  %one = arith.constant dense<1> : tensor<4xi32>
  %true = arith.constant true
  %0 = tile.divs %x, %one : tensor<4xi32>
  %1 = tile.divu %x, %one : tensor<4xi32>
  // CHECK: %[[D:.*]] = tile.divs %[[B]]
  %2 = tile.divs %b, %true : i1
  // CHECK: return %[[X]], %[[X]], %[[D]]
  return %0, %1, %2 : tensor<4xi32>, tensor<4xi32>, i1
}

// CHECK-LABEL: func.func @conversions
func.func @conversions() -> (tensor<6xi8>, tensor<6xi8>, i64) {
  %x = arith.constant dense<[1.9, -1.9, 300.0, -300.0, 0x7FC00000, 0x7F800000]> : tensor<6xf32>
  // CHECK-DAG: %[[S:.*]] = arith.constant dense<[1, -1, 127, -128, 0, 127]>
  %0 = tile.fptosi_sat %x : tensor<6xf32> to tensor<6xi8>
  // CHECK-DAG: %[[U:.*]] = arith.constant dense<[1, 0, -1, 0, 0, -1]>
  %1 = tile.fptoui_sat %x : tensor<6xf32> to tensor<6xi8>
  %y = arith.constant 1.0e30 : f64
  // CHECK-DAG: %[[L:.*]] = arith.constant 9223372036854775807
  %2 = tile.fptosi_sat %y : f64 to i64
  // CHECK: return %[[S]], %[[U]], %[[L]]
  return %0, %1, %2 : tensor<6xi8>, tensor<6xi8>, i64
}
