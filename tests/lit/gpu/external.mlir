// RUN: tilewright-opt %s -split-input-file -tile-gpu-assign-layouts -convert-tile-gpu | FileCheck %s

// A call for each register, of one declaration for each function. What is narrower than a word crosses as a word.
// CHECK-LABEL: func.func @calls(
// CHECK-COUNT-2: llvm.call @tilewright_extern_0(%{{.*}}) : (f32) -> f32
// CHECK-NOT: llvm.call @tilewright_extern_0
// CHECK: %[[BITS:.*]] = llvm.bitcast %{{.*}} : f16 to i16
// CHECK: %[[WORD:.*]] = llvm.zext %[[BITS]] : i16 to i32
// CHECK: %[[BYTE:.*]] = llvm.sext %{{.*}} : i8 to i32
// CHECK: %[[OUT:.*]] = llvm.call @tilewright_extern_1(%[[WORD]], %[[BYTE]]) : (i32, i32) -> i32
// CHECK: llvm.trunc %[[OUT]] : i32 to i8
// CHECK: llvm.func @tilewright_extern_0(f32) -> f32 attributes {{{.*}}no_unwind, tile_gpu.cuda_function = {dtypes = ["f32", "f32"], name = "gelu", source = "..."}, will_return}
// CHECK: llvm.func @tilewright_extern_1(i32, i32) -> i32
func.func @calls(%x: !tile.view<?xf32>, %y: !tile.view<?xf32>, %h: f16, %b: i8, %z: !tile.view<?xi8>) attributes {tile.kernel} {
  %zero = arith.constant 0 : i64
  %0 = tile.load %x[%zero along 0] : !tile.view<?xf32> -> tensor<256xf32>
  %1 = tile.extern "cuda" "gelu"(%0) source "..." dtypes ["f32", "f32"] : (tensor<256xf32>) -> tensor<256xf32>
  tile.store %1, %y[%zero along 0] : tensor<256xf32>, !tile.view<?xf32>
  %2 = tile.extern "cuda" "mix"(%h, %b) source "..." dtypes ["f16", "i8", "u8"] : (f16, i8) -> i8
  tile.store %2, %z[%zero] : i8, !tile.view<?xi8>
  return
}
