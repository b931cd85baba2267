// RUN: tilewright-opt %s -tile-shrink-elementwise | FileCheck %s

// CHECK-LABEL: func.func @column
// CHECK-SAME: %[[X:.*]]: tensor<64x1xf32>
func.func @column(%x: tensor<64x1xf32>) -> tensor<64x128xf32> {
  // CHECK: %[[E:.*]] = math.exp %[[X]] : tensor<64x1xf32>
  // CHECK: %[[B:.*]] = tile.broadcast %[[E]] : tensor<64x1xf32> -> tensor<64x128xf32>
  // CHECK: return %[[B]]
  %wide = tile.broadcast %x : tensor<64x1xf32> -> tensor<64x128xf32>
  %0 = math.exp %wide : tensor<64x128xf32>
  return %0 : tensor<64x128xf32>
}

// CHECK-LABEL: func.func @scalars
// CHECK-SAME: %[[X:.*]]: i64, %[[Y:.*]]: i64
func.func @scalars(%x: i64, %y: i64) -> tensor<8xi1> {
  // CHECK: %[[C:.*]] = arith.cmpi slt, %[[X]], %[[Y]] : i64
  // CHECK: tile.splat %[[C]] : i1 -> tensor<8xi1>
  %a = tile.splat %x : i64 -> tensor<8xi64>
  %b = tile.splat %y : i64 -> tensor<8xi64>
  %0 = arith.cmpi slt, %a, %b : tensor<8xi64>
  return %0 : tensor<8xi1>
}

// CHECK-LABEL: func.func @constant
// CHECK-SAME: %[[X:.*]]: f32
func.func @constant(%x: f32) -> tensor<4x4xf32> {
  // CHECK: %[[C:.*]] = arith.constant 2.000000e+00 : f32
  // CHECK: %[[M:.*]] = arith.mulf %[[X]], %[[C]] : f32
  // CHECK: tile.splat %[[M]] : f32 -> tensor<4x4xf32>
  %two = arith.constant dense<2.0> : tensor<4x4xf32>
  %a = tile.splat %x : f32 -> tensor<4x4xf32>
  %0 = arith.mulf %a, %two : tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// A chain shrinks as a whole, and changes its element type on the way.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: %[[X:.*]]: tensor<4x1xf32>, %[[S:.*]]: f32
func.func @chain(%x: tensor<4x1xf32>, %s: f32) -> tensor<4x8xbf16> {
  // CHECK: %[[W:.*]] = tile.splat %[[S]] : f32 -> tensor<4x1xf32>
  // CHECK: %[[A:.*]] = arith.addf %[[X]], %[[W]] : tensor<4x1xf32>
  // CHECK: %[[T:.*]] = arith.truncf %[[A]] : tensor<4x1xf32> to tensor<4x1xbf16>
  // CHECK: tile.broadcast %[[T]] : tensor<4x1xbf16> -> tensor<4x8xbf16>
  %a = tile.broadcast %x : tensor<4x1xf32> -> tensor<4x8xf32>
  %b = tile.splat %s : f32 -> tensor<4x8xf32>
  %0 = arith.addf %a, %b : tensor<4x8xf32>
  %1 = arith.truncf %0 : tensor<4x8xf32> to tensor<4x8xbf16>
  return %1 : tensor<4x8xbf16>
}

// Two sources that repeat along different axes meet in the least shape that has both.
// CHECK-LABEL: func.func @join
// CHECK-SAME: %[[X:.*]]: tensor<2x1x1xi32>, %[[Y:.*]]: tensor<2x3x1xi32>
func.func @join(%x: tensor<2x1x1xi32>, %y: tensor<2x3x1xi32>) -> tensor<2x3x4xi32> {
  // CHECK: %[[W:.*]] = tile.broadcast %[[X]] : tensor<2x1x1xi32> -> tensor<2x3x1xi32>
  // CHECK: %[[D:.*]] = tile.divs %[[W]], %[[Y]] : tensor<2x3x1xi32>
  // CHECK: tile.broadcast %[[D]] : tensor<2x3x1xi32> -> tensor<2x3x4xi32>
  %a = tile.broadcast %x : tensor<2x1x1xi32> -> tensor<2x3x4xi32>
  %b = tile.broadcast %y : tensor<2x3x1xi32> -> tensor<2x3x4xi32>
  %0 = tile.divs %a, %b : tensor<2x3x4xi32>
  return %0 : tensor<2x3x4xi32>
}

// A row and a column need every element; so does a tile that does not repeat.
// CHECK-LABEL: func.func @whole
func.func @whole(%x: tensor<4x1xf32>, %y: tensor<1x8xf32>, %z: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  // CHECK: arith.addf %{{.*}}, %{{.*}} : tensor<4x8xf32>
  // CHECK: arith.mulf %{{.*}}, %{{.*}} : tensor<4x8xf32>
  %a = tile.broadcast %x : tensor<4x1xf32> -> tensor<4x8xf32>
  %b = tile.broadcast %y : tensor<1x8xf32> -> tensor<4x8xf32>
  %0 = arith.addf %a, %b : tensor<4x8xf32>
  %1 = arith.mulf %a, %z : tensor<4x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
}

// CHECK-LABEL: func.func @arange
func.func @arange() -> (tensor<64xi64>, tensor<64xi64>, tensor<64xi32>, tensor<64xi64>) {
  %a = tile.arange -3 : tensor<64xi32>
  // CHECK-DAG: tile.arange -3 : tensor<64xi64>
  %0 = arith.extsi %a : tensor<64xi32> to tensor<64xi64>
  %b = tile.arange 2147483640 : tensor<64xi32>
  // CHECK-DAG: arith.extsi %{{.*}} : tensor<64xi32> to tensor<64xi64>
  %1 = arith.extsi %b : tensor<64xi32> to tensor<64xi64>
  %c = tile.arange -128 : tensor<64xi8>
  // CHECK-DAG: tile.arange 128 : tensor<64xi32>
  %2 = arith.extui %c : tensor<64xi8> to tensor<64xi32>
  // CHECK-DAG: arith.extui %{{.*}} : tensor<64xi32> to tensor<64xi64>
  %3 = arith.extui %a : tensor<64xi32> to tensor<64xi64>
  return %0, %1, %2, %3 : tensor<64xi64>, tensor<64xi64>, tensor<64xi32>, tensor<64xi64>
}

// CHECK-LABEL: func.func @extern
// CHECK-SAME: %[[X:.*]]: tensor<64x1xf32>
func.func @extern(%x: tensor<64x1xf32>) -> tensor<64x128xi8> {
  // CHECK: %[[Y:.*]] = tile.extern "cuda" "f"(%[[X]]) source "..." dtypes ["f32", "i8"] : (tensor<64x1xf32>) -> tensor<64x1xi8>
  // CHECK: tile.broadcast %[[Y]] : tensor<64x1xi8> -> tensor<64x128xi8>
  %wide = tile.broadcast %x : tensor<64x1xf32> -> tensor<64x128xf32>
  %0 = tile.extern "cuda" "f"(%wide) source "..." dtypes ["f32", "i8"] : (tensor<64x128xf32>) -> tensor<64x128xi8>
  return %0 : tensor<64x128xi8>
}
