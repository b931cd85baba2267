// RUN: tilewright-opt %s -canonicalize | FileCheck %s

// CHECK-LABEL: func.func @size_of_narrow
// CHECK-SAME: %[[X:.*]]: !tile.view<?x?xf32>
func.func @size_of_narrow(%x: !tile.view<?x?xf32>, %i: i64) -> (i64, i64) {
  %part = tile.narrow %x axis 0 from %i size %i : !tile.view<?x?xf32>
  // CHECK: %[[PART:.*]] = tile.narrow
  // CHECK: tile.size %[[PART]] axis 0
  %0 = tile.size %part axis 0 : !tile.view<?x?xf32>
  // CHECK: tile.size %[[X]] axis 1
  %1 = tile.size %part axis 1 : !tile.view<?x?xf32>
  return %0, %1 : i64, i64
}

// CHECK-LABEL: func.func @load_mask
// CHECK-SAME: %[[X:.*]]: !tile.view<?xf32>, %[[I:.*]]: i64, %[[O:.*]]: f32
func.func @load_mask(%x: !tile.view<?xf32>, %i: i64, %o: f32) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, f32) {
  %true = arith.constant dense<true> : tensor<4xi1>
  %false = arith.constant dense<false> : tensor<4xi1>
  %never = arith.constant false
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : tensor<4xf32>
  // CHECK-DAG: %[[LOAD:.*]] = tile.load %[[X]][%[[I]] along 0] : !tile.view<?xf32> -> tensor<4xf32>
  // CHECK-DAG: %[[SPLAT:.*]] = tile.splat %[[O]]
  %0 = tile.load %x[%i along 0] mask %true : !tile.view<?xf32> -> tensor<4xf32>
  %1 = tile.load %x[%i along 0] mask %false : !tile.view<?xf32> -> tensor<4xf32>
  %2 = tile.load %x[%i along 0] mask %false other %o : f32 : !tile.view<?xf32> -> tensor<4xf32>
  %3 = tile.load %x[%i] mask %never : !tile.view<?xf32> -> f32
  // CHECK: return %[[LOAD]], %[[ZEROS]], %[[SPLAT]], %[[ZERO]]
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, f32
}

// CHECK-LABEL: func.func @load_other
// CHECK-SAME: %[[X:.*]]: !tile.view<?xf32>, %[[I:.*]]: i64, %[[O:.*]]: f32
func.func @load_other(%x: !tile.view<?xf32>, %i: i64, %o: f32) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %ones = arith.constant dense<1.0> : tensor<4xf32>
  %minus = arith.constant dense<-0.0> : tensor<4xf32>
  %splat = tile.splat %o : f32 -> tensor<4xf32>
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // CHECK-DAG: %[[MINUS:.*]] = arith.constant -0.000000e+00 : f32
  // CHECK: tile.load %[[X]][%[[I]] along 0] : !tile.view<?xf32> -> tensor<4xf32>
  %0 = tile.load %x[%i along 0] other %zero : f32 : !tile.view<?xf32> -> tensor<4xf32>
  // CHECK: tile.load %[[X]][%[[I]] along 0] other %[[ONE]] : f32 :
  %1 = tile.load %x[%i along 0] other %ones : tensor<4xf32> : !tile.view<?xf32> -> tensor<4xf32>
  // CHECK: tile.load %[[X]][%[[I]] along 0] other %[[O]] : f32 :
  %2 = tile.load %x[%i along 0] other %splat : tensor<4xf32> : !tile.view<?xf32> -> tensor<4xf32>
  // CHECK: tile.load %[[X]][%[[I]] along 0] other %[[MINUS]] : f32 :
  %3 = tile.load %x[%i along 0] other %minus : tensor<4xf32> : !tile.view<?xf32> -> tensor<4xf32>
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @store_mask
func.func @store_mask(%x: !tile.view<?xf32>, %i: i64, %v: tensor<4xf32>) {
  %true = arith.constant dense<true> : tensor<4xi1>
  %false = arith.constant dense<false> : tensor<4xi1>
  // CHECK-NEXT: tile.store %{{.*}}, %{{.*}}[%{{.*}} along 0] : tensor<4xf32>, !tile.view<?xf32>
  // CHECK-NEXT: return
  tile.store %v, %x[%i along 0] mask %true : tensor<4xf32>, !tile.view<?xf32>
  tile.store %v, %x[%i along 0] mask %false : tensor<4xf32>, !tile.view<?xf32>
  return
}

// CHECK-LABEL: func.func @assert_holds
func.func @assert_holds() {
  %true = arith.constant true
  %some = arith.constant dense<[true, false]> : tensor<2xi1>
  // CHECK-NOT: "always"
  tile.assert %true, "always" : i1
  // CHECK: tile.assert %{{.*}}, "not always"
  tile.assert %some, "not always" : tensor<2xi1>
  return
}

// CHECK-LABEL: func.func @splats
// CHECK-SAME: %[[X:.*]]: f32
func.func @splats(%x: f32) -> (tensor<4x8xf32>, f32, tensor<8x4xf32>, tensor<2x4xf32>) {
  %column = tile.splat %x : f32 -> tensor<4x1xf32>
  %wide = tile.broadcast %column : tensor<4x1xf32> -> tensor<4x8xf32>
  %one = tile.slice %column axis 0 from 3 : tensor<4x1xf32> -> tensor<1x1xf32>
  %scalar = tile.reshape %one : tensor<1x1xf32> -> f32
  %turned = tile.transpose %wide [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  %flat = tile.splat %x : f32 -> tensor<8xf32>
  %shaped = tile.reshape %flat : tensor<8xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[A:.*]] = tile.splat %[[X]] : f32 -> tensor<4x8xf32>
  // CHECK-DAG: %[[B:.*]] = tile.splat %[[X]] : f32 -> tensor<8x4xf32>
  // CHECK-DAG: %[[C:.*]] = tile.splat %[[X]] : f32 -> tensor<2x4xf32>
  // CHECK: return %[[A]], %[[X]], %[[B]], %[[C]]
  return %wide, %scalar, %turned, %shaped : tensor<4x8xf32>, f32, tensor<8x4xf32>, tensor<2x4xf32>
}

// CHECK-LABEL: func.func @constants
func.func @constants() -> (tensor<4xi32>, tensor<2x2xi32>, tensor<1xi8>, i32, tensor<2x2xi32>, tensor<4xi32>) {
  %seven = arith.constant 7 : i32
  %0 = tile.splat %seven : i32 -> tensor<4xi32>
  %row = arith.constant dense<7> : tensor<1x2xi32>
  %1 = tile.broadcast %row : tensor<1x2xi32> -> tensor<2x2xi32>
  %2 = tile.arange -3 : tensor<1xi8>
  %one = arith.constant dense<7> : tensor<1xi32>
  %3 = tile.reshape %one : tensor<1xi32> -> i32
  %different = arith.constant dense<[1, 2, 3, 4]> : tensor<4xi32>
  %4 = tile.reshape %different : tensor<4xi32> -> tensor<2x2xi32>
  %pair = arith.constant dense<7> : tensor<2xi32>
  %5 = tile.concat %pair, %pair axis 0 : tensor<2xi32>, tensor<2xi32> -> tensor<4xi32>
  // CHECK-DAG: %[[FOUR:.*]] = arith.constant dense<7> : tensor<4xi32>
  // CHECK-DAG: %[[SQUARE:.*]] = arith.constant dense<7> : tensor<2x2xi32>
  // CHECK-DAG: %[[START:.*]] = arith.constant dense<-3> : tensor<1xi8>
  // CHECK-DAG: %[[SEVEN:.*]] = arith.constant 7 : i32
  // CHECK-DAG: %[[MATRIX:.*]] = arith.constant dense<{{\[\[}}1, 2], [3, 4]]> : tensor<2x2xi32>
  // CHECK: return %[[FOUR]], %[[SQUARE]], %[[START]], %[[SEVEN]], %[[MATRIX]], %[[FOUR]]
  return %0, %1, %2, %3, %4, %5 : tensor<4xi32>, tensor<2x2xi32>, tensor<1xi8>, i32, tensor<2x2xi32>, tensor<4xi32>
}

// CHECK-LABEL: func.func @chains
// CHECK-SAME: %[[T:.*]]: tensor<2x3x4xf32>, %[[C:.*]]: tensor<1x1xf32>
func.func @chains(%t: tensor<2x3x4xf32>, %c: tensor<1x1xf32>)
    -> (tensor<24xf32>, tensor<2x3x4xf32>, tensor<4x2x3xf32>, tensor<2x3x4xf32>, tensor<4x4xf32>, tensor<2x1x4xf32>) {
  // CHECK-DAG: %[[FLAT:.*]] = tile.reshape %[[T]] : tensor<2x3x4xf32> -> tensor<24xf32>
  %0 = tile.reshape %t : tensor<2x3x4xf32> -> tensor<6x4xf32>
  %1 = tile.reshape %0 : tensor<6x4xf32> -> tensor<24xf32>
  %2 = tile.transpose %t [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %3 = tile.transpose %2 [2, 0, 1] : tensor<3x4x2xf32> -> tensor<2x3x4xf32>
  // CHECK-DAG: %[[TURNED:.*]] = tile.transpose %[[T]] [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %4 = tile.transpose %2 [1, 2, 0] : tensor<3x4x2xf32> -> tensor<4x2x3xf32>
  %5 = tile.slice %t axis 1 from 0 : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  // CHECK-DAG: %[[WIDE:.*]] = tile.broadcast %[[C]] : tensor<1x1xf32> -> tensor<4x4xf32>
  %6 = tile.broadcast %c : tensor<1x1xf32> -> tensor<4x1xf32>
  %7 = tile.broadcast %6 : tensor<4x1xf32> -> tensor<4x4xf32>
  // CHECK-DAG: %[[PART:.*]] = tile.slice %[[T]] axis 1 from 2 : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
  %8 = tile.slice %t axis 1 from 1 : tensor<2x3x4xf32> -> tensor<2x2x4xf32>
  %9 = tile.slice %8 axis 1 from 1 : tensor<2x2x4xf32> -> tensor<2x1x4xf32>
  // CHECK: return %[[FLAT]], %[[T]], %[[TURNED]], %[[T]], %[[WIDE]], %[[PART]]
  return %1, %3, %4, %5, %7, %9 : tensor<24xf32>, tensor<2x3x4xf32>, tensor<4x2x3xf32>, tensor<2x3x4xf32>, tensor<4x4xf32>, tensor<2x1x4xf32>
}

// CHECK-LABEL: func.func @slices
// CHECK-SAME: %[[A:.*]]: tensor<2x4xf32>, %[[B:.*]]: tensor<3x4xf32>
func.func @slices(%a: tensor<2x4xf32>, %b: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<1x4xf32>, tensor<2x4xf32>, tensor<4xi8>) {
  // CHECK-DAG: %[[BOTH:.*]] = tile.concat
  %both = tile.concat %a, %b axis 0 : tensor<2x4xf32>, tensor<3x4xf32> -> tensor<5x4xf32>
  %0 = tile.slice %both axis 0 from 0 : tensor<5x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[LAST:.*]] = tile.slice %[[B]] axis 0 from 2 : tensor<3x4xf32> -> tensor<1x4xf32>
  %1 = tile.slice %both axis 0 from 4 : tensor<5x4xf32> -> tensor<1x4xf32>
  // CHECK-DAG: %[[ACROSS:.*]] = tile.slice %[[BOTH]] axis 0 from 1 : tensor<5x4xf32> -> tensor<2x4xf32>
  %2 = tile.slice %both axis 0 from 1 : tensor<5x4xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[RANGE:.*]] = tile.arange -126 : tensor<4xi8>
  %range = tile.arange 126 : tensor<8xi8>
  %3 = tile.slice %range axis 0 from 4 : tensor<8xi8> -> tensor<4xi8>
  // CHECK: return %[[A]], %[[LAST]], %[[ACROSS]], %[[RANGE]]
  return %0, %1, %2, %3 : tensor<2x4xf32>, tensor<1x4xf32>, tensor<2x4xf32>, tensor<4xi8>
}

// CHECK-LABEL: func.func @nothing_to_order
// CHECK-SAME: %[[X:.*]]: tensor<4x1xf32>, %[[Y:.*]]: tensor<1xi8>
func.func @nothing_to_order(%x: tensor<4x1xf32>, %y: tensor<1xi8>) -> (tensor<4xi32>, i32, tensor<4x1xf32>, tensor<4x1xi32>) {
  // CHECK-DAG: %[[LINE:.*]] = arith.constant dense<0> : tensor<4xi32>
  // CHECK-DAG: %[[COLUMN:.*]] = arith.constant dense<0> : tensor<4x1xi32>
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : i32
  // CHECK: return %[[LINE]], %[[ZERO]], %[[X]], %[[COLUMN]]
  %0 = tile.argmax %x axis 1 : tensor<4x1xf32> -> tensor<4xi32>
  %1 = tile.argmin %y axis 0 : tensor<1xi8> -> i32
  %2, %3 = tile.topk 1 %x axis 1 : tensor<4x1xf32> -> tensor<4x1xf32>, tensor<4x1xi32>
  return %0, %1, %2, %3 : tensor<4xi32>, i32, tensor<4x1xf32>, tensor<4x1xi32>
}

// CHECK-LABEL: func.func @nothing_to_combine
// CHECK-SAME: %[[X:.*]]: tensor<4x1xf32>
func.func @nothing_to_combine(%x: tensor<4x1xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4x1xf32>) {
  // CHECK-COUNT-2: tile.reshape %[[X]] : tensor<4x1xf32> -> tensor<4xf32>
  // CHECK-NOT: tile.scan
  %0 = tile.reduce sum %x axis 1 : tensor<4x1xf32> -> tensor<4xf32>
  %1 = tile.reduce custom %x axis 1 : tensor<4x1xf32> -> tensor<4xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a : f32
  }
  %2 = tile.scan sum %x axis 1 : tensor<4x1xf32> -> tensor<4x1xf32>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4x1xf32>
}

// What nobody asks an atomic operation for does not make it disappear; a mask does.
// CHECK-LABEL: func.func @atomic_mask
func.func @atomic_mask(%x: !tile.view<?xi32>, %i: i64, %v: tensor<4xi32>, %s: i32) -> (tensor<4xi32>, i32) {
  %true = arith.constant dense<true> : tensor<4xi1>
  %false = arith.constant dense<false> : tensor<4xi1>
  %never = arith.constant false
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : i32
  // CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<0> : tensor<4xi32>
  // CHECK: tile.atomic add %{{.*}}, %{{.*}}[%{{.*}} along 0] : tensor<4xi32>, !tile.view<?xi32>
  // CHECK-NOT: tile.atomic
  %0 = tile.atomic add %v, %x[%i along 0] mask %true : tensor<4xi32>, !tile.view<?xi32>
  %1 = tile.atomic add %v, %x[%i along 0] mask %false : tensor<4xi32>, !tile.view<?xi32>
  %2 = tile.atomic exchange %s, %x[%i] mask %never : i32, !tile.view<?xi32>
  // CHECK: return %[[ZEROS]], %[[ZERO]]
  return %1, %2 : tensor<4xi32>, i32
}
