// RUN: tilewright-opt %s | FileCheck %s
// RUN: tilewright-opt %s --mlir-print-op-generic | tilewright-opt | FileCheck %s

// CHECK-LABEL: func.func @shapes
func.func @shapes(%x: f32, %t: tensor<4x6xf32>, %column: tensor<4x1xf32>, %index: tensor<4x2xi32>, %one: tensor<1x1xi8>) {
  // CHECK: tile.arange -2 : tensor<6xi8>
  %0 = tile.arange -2 : tensor<6xi8>
  // CHECK: tile.splat %{{.*}} : f32 -> tensor<4x6xf32>
  %1 = tile.splat %x : f32 -> tensor<4x6xf32>
  // CHECK: tile.broadcast %{{.*}} : tensor<4x1xf32> -> tensor<4x6xf32>
  %2 = tile.broadcast %column : tensor<4x1xf32> -> tensor<4x6xf32>
  // CHECK: tile.reshape %{{.*}} : tensor<4x6xf32> -> tensor<2x3x4xf32>
  %3 = tile.reshape %t : tensor<4x6xf32> -> tensor<2x3x4xf32>
  // CHECK: tile.reshape %{{.*}} : tensor<1x1xi8> -> i8
  %4 = tile.reshape %one : tensor<1x1xi8> -> i8
  // CHECK: tile.transpose %{{.*}} [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %5 = tile.transpose %3 [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  // CHECK: tile.concat %{{.*}}, %{{.*}} axis 1 : tensor<4x6xf32>, tensor<4x1xf32> -> tensor<4x7xf32>
  %6 = tile.concat %t, %column axis 1 : tensor<4x6xf32>, tensor<4x1xf32> -> tensor<4x7xf32>
  // CHECK: tile.slice %{{.*}} axis 0 from 1 : tensor<4x6xf32> -> tensor<2x6xf32>
  %7 = tile.slice %t axis 0 from 1 : tensor<4x6xf32> -> tensor<2x6xf32>
  // CHECK: tile.take %{{.*}}[%{{.*}}] axis 1 : tensor<4x6xf32>, tensor<4x2xi32> -> tensor<4x2xf32>
  %8 = tile.take %t[%index] axis 1 : tensor<4x6xf32>, tensor<4x2xi32> -> tensor<4x2xf32>
  return
}
