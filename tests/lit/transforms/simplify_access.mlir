// RUN: tilewright-opt %s -tile-simplify-access -canonicalize | FileCheck %s

// CHECK-LABEL: func.func @contiguous
// CHECK-SAME: %[[X:.*]]: !tile.view<?x?xf32>, %[[ROW:.*]]: i64
func.func @contiguous(%x: !tile.view<?x?xf32>, %row: i64) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
  %zero = arith.constant 0 : i64
  %start = tile.splat %row : i64 -> tensor<8xi64>
  %i = tile.arange 3 : tensor<8xi64>
  %rows = arith.addi %start, %i : tensor<8xi64>
  %cols = tile.arange 5 : tensor<16xi32>
  // CHECK-DAG: %[[THREE:.*]] = arith.constant 3 : i64
  // CHECK-DAG: %[[FIVE:.*]] = arith.constant 5 : i64
  // CHECK: %[[FIRST:.*]] = arith.addi %[[ROW]], %[[THREE]] : i64
  // CHECK: tile.load %[[X]][%[[FIRST]] along 0, %[[FIVE]] along 1] :
  %0 = tile.load %x[%rows along 0 : tensor<8xi64>, %cols along 1 : tensor<16xi32>] : !tile.view<?x?xf32> -> tensor<8x16xf32>
  // One coordinate an element, each the same along the other axis.
  %column = tile.reshape %rows : tensor<8xi64> -> tensor<8x1xi64>
  %all_rows = tile.broadcast %column : tensor<8x1xi64> -> tensor<8x16xi64>
  %line = tile.reshape %cols : tensor<16xi32> -> tensor<1x16xi32>
  %all_cols = tile.broadcast %line : tensor<1x16xi32> -> tensor<8x16xi32>
  // CHECK: tile.load %[[X]][%{{.*}} along 0, %[[FIVE]] along 1] :
  %1 = tile.load %x[%all_rows whole : tensor<8x16xi64>, %all_cols whole : tensor<8x16xi32>] : !tile.view<?x?xf32> -> tensor<8x16xf32>
  return %0, %1 : tensor<8x16xf32>, tensor<8x16xf32>
}

// Indices of narrow types, extended on the way.
// CHECK-LABEL: func.func @narrow
func.func @narrow(%x: !tile.view<?xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %i = tile.arange 101 : tensor<8xi8>
  %ten = arith.constant dense<10> : tensor<8xi8>
  %low = arith.subi %i, %ten : tensor<8xi8>
  %index = arith.extsi %low : tensor<8xi8> to tensor<8xi32>
  // CHECK-DAG: %[[START:.*]] = arith.constant 91 : i64
  // CHECK: tile.load %{{.*}}[%[[START]] along 0] :
  %0 = tile.load %x[%index along 0 : tensor<8xi32>] : !tile.view<?xf32> -> tensor<8xf32>
  // 101 + 7 + 10 + 10 does not fit.
  %high = arith.addi %i, %ten : tensor<8xi8>
  %higher = arith.addi %high, %ten : tensor<8xi8>
  %wrapped = arith.extsi %higher : tensor<8xi8> to tensor<8xi32>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0 : tensor<8xi32>] :
  %1 = tile.load %x[%wrapped along 0 : tensor<8xi32>] : !tile.view<?xf32> -> tensor<8xf32>
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}

// CHECK-LABEL: func.func @transposed
func.func @transposed(%x: !tile.view<?x?xf32>, %v: tensor<8x16xf32>) {
  %i = tile.arange 0 : tensor<16xi64>
  %column = tile.reshape %i : tensor<16xi64> -> tensor<16x1xi64>
  %square = tile.broadcast %column : tensor<16x1xi64> -> tensor<16x8xi64>
  %turned = tile.transpose %square [1, 0] : tensor<16x8xi64> -> tensor<8x16xi64>
  %zero = arith.constant 0 : i64
  // CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}} along 1, %{{.*}} along 0] :
  tile.store %v, %x[%turned whole : tensor<8x16xi64>, %zero along 0] : tensor<8x16xf32>, !tile.view<?x?xf32>
  return
}

// What steps by two, counts down, differs along two axes, may wrap or is not known stays a gather; so does a second index along one axis.
// CHECK-LABEL: func.func @gathers
func.func @gathers(%x: !tile.view<?xf32>, %y: !tile.view<?x?xf32>, %index: tensor<8xi64>, %small: i32)
    -> (tensor<8xf32>, tensor<8xf32>, tensor<8x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8x8xf32>) {
  %i = tile.arange 0 : tensor<8xi64>
  %two = arith.constant dense<2> : tensor<8xi64>
  %even = arith.muli %i, %two : tensor<8xi64>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0 : tensor<8xi64>]
  %0 = tile.load %x[%even along 0 : tensor<8xi64>] : !tile.view<?xf32> -> tensor<8xf32>
  %down = arith.subi %two, %i : tensor<8xi64>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0 : tensor<8xi64>]
  %1 = tile.load %x[%down along 0 : tensor<8xi64>] : !tile.view<?xf32> -> tensor<8xf32>
  %column = tile.reshape %i : tensor<8xi64> -> tensor<8x1xi64>
  %a = tile.broadcast %column : tensor<8x1xi64> -> tensor<8x8xi64>
  %line = tile.reshape %i : tensor<8xi64> -> tensor<1x8xi64>
  %b = tile.broadcast %line : tensor<1x8xi64> -> tensor<8x8xi64>
  %both = arith.addi %a, %b : tensor<8x8xi64>
  // CHECK: tile.load %{{.*}}[%{{.*}} whole : tensor<8x8xi64>]
  %2 = tile.load %x[%both whole : tensor<8x8xi64>] : !tile.view<?xf32> -> tensor<8x8xf32>
  %j = tile.arange 0 : tensor<8xi32>
  %from = tile.splat %small : i32 -> tensor<8xi32>
  %narrow = arith.addi %from, %j : tensor<8xi32>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0 : tensor<8xi32>]
  %3 = tile.load %x[%narrow along 0 : tensor<8xi32>] : !tile.view<?xf32> -> tensor<8xf32>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0 : tensor<8xi64>]
  %4 = tile.load %x[%index along 0 : tensor<8xi64>] : !tile.view<?xf32> -> tensor<8xf32>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0, %{{.*}} whole : tensor<8x8xi64>]
  %5 = tile.load %y[%a whole : tensor<8x8xi64>, %a whole : tensor<8x8xi64>] : !tile.view<?x?xf32> -> tensor<8x8xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<8xf32>, tensor<8xf32>, tensor<8x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8x8xf32>
}

// CHECK-LABEL: func.func @within_bounds
// CHECK-SAME: %[[X:.*]]: !tile.view<?x?xf32>, %[[ROW:.*]]: i64
func.func @within_bounds(%x: !tile.view<?x?xf32>, %row: i64, %v: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>) {
  %zero = arith.constant 0 : i64
  %start = tile.splat %row : i64 -> tensor<8xi64>
  %i = tile.arange 0 : tensor<8xi64>
  %rows = arith.addi %start, %i : tensor<8xi64>
  %n = tile.size %x axis 0 : !tile.view<?x?xf32>
  %limit = tile.splat %n : i64 -> tensor<8xi64>
  %below = arith.cmpi slt, %rows, %limit : tensor<8xi64>
  %zeros = arith.constant dense<0> : tensor<8xi64>
  %above = arith.cmpi sge, %rows, %zeros : tensor<8xi64>
  %inside = arith.andi %below, %above : tensor<8xi1>
  %column = tile.reshape %inside : tensor<8xi1> -> tensor<8x1xi1>
  %mask = tile.broadcast %column : tensor<8x1xi1> -> tensor<8x16xi1>
  // CHECK: tile.load %[[X]][%[[ROW]] along 0, %{{.*}} along 1] :
  %0 = tile.load %x[%row along 0, %zero along 1] mask %mask : !tile.view<?x?xf32> -> tensor<8x16xf32>
  // CHECK: tile.store %{{.*}}, %[[X]][%[[ROW]] along 0, %{{.*}} along 1] : tensor
  tile.store %v, %x[%row along 0, %zero along 1] mask %mask : tensor<8x16xf32>, !tile.view<?x?xf32>

  // i < n - row, and n > row + i.
  %left = arith.subi %n, %row : i64
  %lefts = tile.splat %left : i64 -> tensor<8xi64>
  %fits = arith.cmpi slt, %i, %lefts : tensor<8xi64>
  %more = arith.cmpi sgt, %limit, %rows : tensor<8xi64>
  %same = arith.andi %fits, %more : tensor<8xi1>
  %same_column = tile.reshape %same : tensor<8xi1> -> tensor<8x1xi1>
  %same_mask = tile.broadcast %same_column : tensor<8x1xi1> -> tensor<8x16xi1>
  // CHECK: tile.load %[[X]][%[[ROW]] along 0, %{{.*}} along 1] :
  %1 = tile.load %x[%row along 0, %zero along 1] mask %same_mask : !tile.view<?x?xf32> -> tensor<8x16xf32>

  // rows <= n - 1.
  %one = arith.constant 1 : i64
  %last = arith.subi %n, %one : i64
  %lasts = tile.splat %last : i64 -> tensor<8xi64>
  %upto = arith.cmpi sle, %rows, %lasts : tensor<8xi64>
  %upto_column = tile.reshape %upto : tensor<8xi1> -> tensor<8x1xi1>
  %upto_mask = tile.broadcast %upto_column : tensor<8x1xi1> -> tensor<8x16xi1>
  // CHECK: tile.load %[[X]][%[[ROW]] along 0, %{{.*}} along 1] :
  %2 = tile.load %x[%row along 0, %zero along 1] mask %upto_mask : !tile.view<?x?xf32> -> tensor<8x16xf32>
  return %0, %1, %2 : tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>
}

// What is not implied stays: another size, a tighter bound, a strict one at 0, the size of the other dimension.
// CHECK-LABEL: func.func @not_implied
// CHECK-SAME: %[[X:.*]]: !tile.view<?xf32>, %[[Y:.*]]: !tile.view<?xf32>
func.func @not_implied(%x: !tile.view<?xf32>, %y: !tile.view<?xf32>, %row: i64, %n: i64)
    -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %start = tile.splat %row : i64 -> tensor<8xi64>
  %i = tile.arange 0 : tensor<8xi64>
  %rows = arith.addi %start, %i : tensor<8xi64>
  %zeros = arith.constant dense<0> : tensor<8xi64>
  %one = arith.constant 1 : i64
  %limit = tile.splat %n : i64 -> tensor<8xi64>
  %below = arith.cmpi slt, %rows, %limit : tensor<8xi64>
  // CHECK: tile.load {{.*}} mask
  %0 = tile.load %x[%row along 0] mask %below : !tile.view<?xf32> -> tensor<8xf32>
  %size = tile.size %x axis 0 : !tile.view<?xf32>
  %last = arith.subi %size, %one : i64
  %lasts = tile.splat %last : i64 -> tensor<8xi64>
  %but_last = arith.cmpi slt, %rows, %lasts : tensor<8xi64>
  // CHECK: tile.load {{.*}} mask
  %1 = tile.load %x[%row along 0] mask %but_last : !tile.view<?xf32> -> tensor<8xf32>
  %positive = arith.cmpi sgt, %rows, %zeros : tensor<8xi64>
  // CHECK: tile.load {{.*}} mask
  %2 = tile.load %x[%row along 0] mask %positive : !tile.view<?xf32> -> tensor<8xf32>
  %sizes = tile.splat %size : i64 -> tensor<8xi64>
  %of_x = arith.cmpi slt, %rows, %sizes : tensor<8xi64>
  // CHECK: tile.load {{.*}} mask
  %3 = tile.load %y[%row along 0] mask %of_x : !tile.view<?xf32> -> tensor<8xf32>
  return %0, %1, %2, %3 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// Only the implied part of a conjunction leaves.
// CHECK-LABEL: func.func @partly
// CHECK-SAME: %[[X:.*]]: !tile.view<?xf32>, %[[ROW:.*]]: i64, %[[M:.*]]: tensor<8xi1>
func.func @partly(%x: !tile.view<?xf32>, %row: i64, %m: tensor<8xi1>) -> tensor<8xf32> {
  %start = tile.splat %row : i64 -> tensor<8xi64>
  %i = tile.arange 0 : tensor<8xi64>
  %rows = arith.addi %start, %i : tensor<8xi64>
  %n = tile.size %x axis 0 : !tile.view<?xf32>
  %limit = tile.splat %n : i64 -> tensor<8xi64>
  %below = arith.cmpi slt, %rows, %limit : tensor<8xi64>
  %both = arith.andi %m, %below : tensor<8xi1>
  // CHECK: tile.load %[[X]][%[[ROW]] along 0] mask %[[M]] :
  %0 = tile.load %x[%rows along 0 : tensor<8xi64>] mask %both : !tile.view<?xf32> -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// A scalar coordinate under its own check, seen through the splat; and a view narrowed along another axis.
// CHECK-LABEL: func.func @points
func.func @points(%x: !tile.view<?x?xf32>, %row: i64, %start: i64) -> tensor<8xf32> {
  %zero = arith.constant 0 : i64
  %n = tile.size %x axis 0 : !tile.view<?x?xf32>
  %part = tile.narrow %x axis 1 from %start size %n : !tile.view<?x?xf32>
  %ok = arith.cmpi slt, %row, %n : i64
  %mask = tile.splat %ok : i1 -> tensor<8xi1>
  // CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}} along 0] :
  %0 = tile.load %part[%row, %zero along 0] mask %mask : !tile.view<?x?xf32> -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// Static extents settle some comparisons.
// CHECK-LABEL: func.func @static_extents
func.func @static_extents(%x: !tile.view<?xf32>, %row: i64) -> (tensor<8xf32>, tensor<8xf32>) {
  %i = tile.arange 0 : tensor<8xi64>
  %eight = arith.constant dense<8> : tensor<8xi64>
  %seven = arith.constant dense<7> : tensor<8xi64>
  %all = arith.cmpi slt, %i, %eight : tensor<8xi64>
  %most = arith.cmpi slt, %i, %seven : tensor<8xi64>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0] :
  %0 = tile.load %x[%row along 0] mask %all : !tile.view<?xf32> -> tensor<8xf32>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0] mask
  %1 = tile.load %x[%row along 0] mask %most : !tile.view<?xf32> -> tensor<8xf32>
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}

// A position along an axis of extent 1 stands still when that axis is repeated: that row + i >= 0 says nothing of row >= 0.
// CHECK-LABEL: func.func @repeated
func.func @repeated(%x: !tile.view<?x?xf32>, %row: i64, %zero: i64) -> tensor<8x8xf32> {
  %i = tile.arange 0 : tensor<1xi64>
  %start = tile.splat %row : i64 -> tensor<1xi64>
  %first = arith.addi %start, %i : tensor<1xi64>
  %zeros = arith.constant dense<0> : tensor<1xi64>
  %above = arith.cmpi sge, %first, %zeros : tensor<1xi64>
  %one = tile.reshape %above : tensor<1xi1> -> tensor<1x1xi1>
  %mask = tile.broadcast %one : tensor<1x1xi1> -> tensor<8x8xi1>
  // CHECK: tile.load {{.*}} mask
  %0 = tile.load %x[%row along 0, %zero along 1] mask %mask : !tile.view<?x?xf32> -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}

// CHECK-LABEL: func.func @atomic
func.func @atomic(%x: !tile.view<?xi32>, %row: i64, %v: tensor<8xi32>) {
  %i = tile.arange 0 : tensor<8xi64>
  %start = tile.splat %row : i64 -> tensor<8xi64>
  %at = arith.addi %start, %i : tensor<8xi64>
  // CHECK: tile.atomic add %{{.*}}, %{{.*}}[%{{.*}} along 0] : tensor<8xi32>
  %old = tile.atomic add %v, %x[%at along 0 : tensor<8xi64>] : tensor<8xi32>, !tile.view<?xi32>
  return
}
