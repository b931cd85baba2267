// RUN: tilewright-opt %s -split-input-file -tile-gpu-assign-layouts -tile-gpu-stage-loads -convert-tile-gpu | FileCheck %s

// A column: every element in a sector of its own. A row beside it has nothing to say.
// CHECK: tile_gpu.remarks = ["column.cpp:3:9: uncoalesced access: a warp touches 32 sectors of 32 bytes at once for 128 bytes, since the tile does not run along the view's last dimension"]
// CHECK-LABEL: func.func @column(
func.func @column(%x: !tile.view<?x?xf32> {tile.unit_inner_stride, tile.aligned16}, %y: !tile.view<?xf32> {tile.unit_inner_stride, tile.aligned16}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %t = tile.load %x[%zero along 0, %zero] : !tile.view<?x?xf32> -> tensor<128xf32> loc("column.cpp":3:9)
  tile.store %t, %y[%zero along 0] : tensor<128xf32>, !tile.view<?xf32> loc("column.cpp":4:3)
  return
}

// -----

// Gathered rows are runs of 256 bytes; what an index tile says along the last dimension is not known.
// CHECK: tile_gpu.remarks = ["gather.cpp:5:3: uncoalesced access: a warp touches 32 sectors of 32 bytes at once for 64 bytes, since an index tile says where each element lies"]
// CHECK-LABEL: func.func @gather(
func.func @gather(%x: !tile.view<?x?xf16> {tile.unit_inner_stride, tile.aligned16}, %y: !tile.view<?xf16> {tile.unit_inner_stride, tile.aligned16},
                  %z: !tile.view<?x?xf16> {tile.unit_inner_stride, tile.aligned16}, %rows: !tile.view<?xi32> {tile.unit_inner_stride, tile.aligned16}) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %r = tile.load %rows[%zero along 0] : !tile.view<?xi32> -> tensor<128xi32> loc("gather.cpp":3:3)
  %t = tile.load %x[%r along 0 : tensor<128xi32>, %zero along 1] : !tile.view<?x?xf16> -> tensor<128x128xf16> loc("gather.cpp":4:3)
  %u = tile.load %y[%r along 0 : tensor<128xi32>] : !tile.view<?xf16> -> tensor<128xf16> loc("gather.cpp":5:3)
  tile.store %t, %z[%zero along 0, %zero along 1] : tensor<128x128xf16>, !tile.view<?x?xf16> loc("gather.cpp":6:3)
  tile.store %u, %z[%zero, %zero along 0] : tensor<128xf16>, !tile.view<?x?xf16> loc("gather.cpp":7:3)
  return
}

// -----

// Without the fact that neighbours are next to each other.
// CHECK: tile_gpu.remarks = ["strided.cpp:4:3: uncoalesced access: a warp touches 32 sectors of 32 bytes at once for 128 bytes, since the view's last dimension is not known to have stride 1"]
// CHECK-LABEL: func.func @strided(
func.func @strided(%x: !tile.view<?xf32> {tile.unit_inner_stride, tile.aligned16}, %y: !tile.view<?xf32>) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %t = tile.load %x[%zero along 0] : !tile.view<?xf32> -> tensor<128xf32> loc("strided.cpp":3:3)
  tile.store %t, %y[%zero along 0] : tensor<128xf32>, !tile.view<?xf32> loc("strided.cpp":4:3)
  return
}
