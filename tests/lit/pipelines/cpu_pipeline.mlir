// RUN: tilewright-opt %s -cpu-pipeline | FileCheck %s

// Nothing of the tile dialect, of scf or of vector is left.
// CHECK-NOT: tile.
// CHECK: llvm.func @twice
// CHECK: vector<16xf32>
// CHECK-NOT: {{(tile|scf|vector|func)\.[a-z]}}
func.func @twice(%x: !tile.view<?xf32> {tile.kind = "in", tile.name = "x", tile.unit_inner_stride},
                 %y: !tile.view<?xf32> {tile.kind = "out", tile.name = "y", tile.unit_inner_stride}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %t = tile.load %x[%zero along 0] : !tile.view<?xf32> -> tensor<64xf32>
  %s = arith.addf %t, %t : tensor<64xf32>
  tile.store %s, %y[%zero along 0] : tensor<64xf32>, !tile.view<?xf32>
  return
}
