// RUN: tilewright-opt %s | FileCheck %s
// RUN: tilewright-opt %s --mlir-print-op-generic | tilewright-opt | FileCheck %s

// CHECK-LABEL: func.func @reduce
func.func @reduce(%x: tensor<4x8xf32>, %i: tensor<4x8xi32>, %v: tensor<8xf32>, %m: tensor<8xi1>) {
  // CHECK: tile.reduce sum %{{.*}} axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %0 = tile.reduce sum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  // CHECK: tile.reduce prod %{{.*}} axis 0 : tensor<8xf32> -> f32
  %1 = tile.reduce prod %v axis 0 : tensor<8xf32> -> f32
  // CHECK: tile.reduce minf
  %2 = tile.reduce minf %v axis 0 : tensor<8xf32> -> f32
  // CHECK: tile.reduce maxf
  %3 = tile.reduce maxf %v axis 0 : tensor<8xf32> -> f32
  // CHECK: tile.reduce mins
  %4 = tile.reduce mins %i axis 0 : tensor<4x8xi32> -> tensor<8xi32>
  // CHECK: tile.reduce minu
  %5 = tile.reduce minu %i axis 0 : tensor<4x8xi32> -> tensor<8xi32>
  // CHECK: tile.reduce maxs
  %6 = tile.reduce maxs %i axis 0 : tensor<4x8xi32> -> tensor<8xi32>
  // CHECK: tile.reduce maxu
  %7 = tile.reduce maxu %i axis 0 : tensor<4x8xi32> -> tensor<8xi32>
  // CHECK: tile.reduce and %{{.*}} axis 0 : tensor<8xi1> -> i1
  %8 = tile.reduce and %m axis 0 : tensor<8xi1> -> i1
  // CHECK: tile.reduce or
  %9 = tile.reduce or %m axis 0 : tensor<8xi1> -> i1
  // CHECK: tile.reduce xor
  %10 = tile.reduce xor %i axis 1 : tensor<4x8xi32> -> tensor<4xi32>
  return
}

// CHECK-LABEL: func.func @custom
func.func @custom(%x: tensor<4x8xf32>, %i: tensor<4x8xi32>) -> (tensor<8xf32>, tensor<8xi32>) {
  // CHECK: %[[R:.*]]:2 = tile.reduce custom %{{.*}}, %{{.*}} axis 0 : tensor<4x8xf32>, tensor<4x8xi32> -> tensor<8xf32>, tensor<8xi32> {
  // CHECK-NEXT: ^bb0(%[[A:.*]]: f32, %[[I:.*]]: i32, %[[B:.*]]: f32, %[[J:.*]]: i32):
  %value, %at = tile.reduce custom %x, %i axis 0 : tensor<4x8xf32>, tensor<4x8xi32> -> tensor<8xf32>, tensor<8xi32> {
  ^bb0(%a: f32, %ai: i32, %b: f32, %bi: i32):
    %more = arith.cmpf ogt, %a, %b : f32
    %best = arith.select %more, %a, %b : f32
    %where = arith.select %more, %ai, %bi : i32
    // CHECK: tile.yield %{{.*}}, %{{.*}} : f32, i32
    tile.yield %best, %where : f32, i32
  }
  return %value, %at : tensor<8xf32>, tensor<8xi32>
}

// CHECK-LABEL: func.func @scan
func.func @scan(%x: tensor<4x8xf32>) {
  // CHECK: tile.scan sum %{{.*}} axis 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  %0 = tile.scan sum %x axis 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  // CHECK: tile.scan maxf %{{.*}} axis 0 reverse : tensor<4x8xf32> -> tensor<4x8xf32>
  %1 = tile.scan maxf %x axis 0 reverse : tensor<4x8xf32> -> tensor<4x8xf32>
  // CHECK: tile.scan custom %{{.*}} axis 0 reverse : tensor<4x8xf32> -> tensor<4x8xf32> {
  %2 = tile.scan custom %x axis 0 reverse : tensor<4x8xf32> -> tensor<4x8xf32> {
  ^bb0(%a: f32, %b: f32):
    %c = arith.mulf %a, %b : f32
    tile.yield %c : f32
  }
  return
}
