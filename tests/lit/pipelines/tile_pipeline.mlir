// RUN: tilewright-opt %s -tile-pipeline | FileCheck %s

// A kernel that computes every coordinate and checks every bound comes out as one that names where its tile starts.
// CHECK-LABEL: func.func @add_one
// CHECK-SAME: %[[X:.*]]: !tile.view<?xf32> {{.*}}, %[[Y:.*]]: !tile.view<?xf32>
// CHECK: %[[ID:.*]] = tile.program_id 0
// CHECK: %[[START:.*]] = arith.muli %[[ID]], %{{.*}} : i64
// CHECK: %[[T:.*]] = tile.load %[[X]][%[[START]] along 0] : !tile.view<?xf32> -> tensor<64xf32>
// CHECK: %[[S:.*]] = arith.addf %[[T]], %{{.*}} : tensor<64xf32>
// CHECK: tile.store %[[S]], %[[Y]][%[[START]] along 0] : tensor<64xf32>, !tile.view<?xf32>
// CHECK-NEXT: return
func.func @add_one(%x: !tile.view<?xf32> {tile.kind = "in", tile.name = "x"}, %y: !tile.view<?xf32> {tile.kind = "out", tile.name = "y"})
    attributes {tile.kernel} {
  %id = tile.program_id 0
  %block = arith.constant 64 : i64
  %start = arith.muli %id, %block : i64
  %starts = tile.splat %start : i64 -> tensor<64xi64>
  %i = tile.arange 0 : tensor<64xi32>
  %wide = arith.extsi %i : tensor<64xi32> to tensor<64xi64>
  %at = arith.addi %starts, %wide : tensor<64xi64>
  %n = tile.size %x axis 0 : !tile.view<?xf32>
  %limit = tile.splat %n : i64 -> tensor<64xi64>
  %inside = arith.cmpi slt, %at, %limit : tensor<64xi64>
  %t = tile.load %x[%at along 0 : tensor<64xi64>] mask %inside : !tile.view<?xf32> -> tensor<64xf32>
  %one = arith.constant 1.0 : f32
  %ones = tile.splat %one : f32 -> tensor<64xf32>
  %sum = arith.addf %t, %ones : tensor<64xf32>
  %m = tile.size %y axis 0 : !tile.view<?xf32>
  %last = tile.splat %m : i64 -> tensor<64xi64>
  %fits = arith.cmpi slt, %at, %last : tensor<64xi64>
  tile.store %sum, %y[%at along 0 : tensor<64xi64>] mask %fits : tensor<64xf32>, !tile.view<?xf32>
  return
}
