// RUN: tilewright-opt %s | FileCheck %s
// RUN: tilewright-opt %s --mlir-print-op-generic | tilewright-opt | FileCheck %s

// CHECK-LABEL: func.func @effects
func.func @effects(%x: f32, %t: tensor<4xi32>, %ok: i1, %all: tensor<4xi1>) {
  // CHECK: tile.print "nothing"{{$}}
  tile.print "nothing"
  // CHECK: tile.print "both " %{{.*}}, %{{.*}} : f32, tensor<4xi32> {unsigned_operands = array<i1: false, true>}
  tile.print "both " %x, %t : f32, tensor<4xi32> {unsigned_operands = array<i1: false, true>}
  // CHECK: tile.assert %{{.*}}, "one" : i1
  tile.assert %ok, "one" : i1
  // CHECK: tile.assert %{{.*}}, "all" : tensor<4xi1>
  tile.assert %all, "all" : tensor<4xi1>
  return
}

// CHECK-LABEL: func.func @kernel
// CHECK-SAME: {tile.aligned16, tile.fits32, tile.kind = "inout", tile.name = "y", tile.unit_inner_stride}
// CHECK-SAME: {tile.kind = "scalar", tile.name = "n"}
// CHECK-SAME: attributes {tile.kernel}
func.func @kernel(%y: !tile.view<?xf32> {tile.kind = "inout", tile.name = "y", tile.unit_inner_stride, tile.aligned16, tile.fits32},
                  %n: i64 {tile.kind = "scalar", tile.name = "n"}) attributes {tile.kernel} {
  %one = arith.constant 1 : i64
  // CHECK: scf.for
  scf.for %i = %one to %n step %one : i64 {
  // CHECK: } {tile.stages = 3 : i64}
  } {tile.stages = 3 : i64}
  // CHECK: } {tile.stages = 2 : i64, tile.uniform_warps}
  scf.for %i = %one to %n step %one : i64 {
  } {tile.stages = 2 : i64, tile.uniform_warps}
  return
}
