// RUN: tilewright-opt %s | FileCheck %s
// RUN: tilewright-opt %s --mlir-print-op-generic | tilewright-opt | FileCheck %s

// CHECK-LABEL: func.func @arithmetic
func.func @arithmetic(%x: i64, %t: tensor<4xi32>, %v: vector<16xi32>, %f: f32, %g: tensor<4x4xf64>, %h: vector<8xf32>, %b: i1) {
  // CHECK: tile.divs %{{.*}}, %{{.*}} : i64
  %0 = tile.divs %x, %x : i64
  // CHECK: tile.divu %{{.*}}, %{{.*}} : tensor<4xi32>
  %1 = tile.divu %t, %t : tensor<4xi32>
  // CHECK: tile.rems %{{.*}}, %{{.*}} : vector<16xi32>
  %2 = tile.rems %v, %v : vector<16xi32>
  // CHECK: tile.remu %{{.*}}, %{{.*}} : i1
  %3 = tile.remu %b, %b : i1
  // CHECK: tile.fptosi_sat %{{.*}} : f32 to i8
  %4 = tile.fptosi_sat %f : f32 to i8
  // CHECK: tile.fptoui_sat %{{.*}} : tensor<4x4xf64> to tensor<4x4xi16>
  %5 = tile.fptoui_sat %g : tensor<4x4xf64> to tensor<4x4xi16>
  // CHECK: tile.fptosi_sat %{{.*}} : vector<8xf32> to vector<8xi64>
  %6 = tile.fptosi_sat %h : vector<8xf32> to vector<8xi64>
  return
}

// CHECK-LABEL: func.func @extern
func.func @extern(%x: f32, %t: tensor<4xi32>, %h: tensor<4xf16>, %b: tensor<4xi1>) {
  // CHECK: tile.extern "cuda" "gelu"(%{{.*}}) source "float gelu(float);" dtypes ["f32", "f32"] : (f32) -> f32
  %0 = tile.extern "cuda" "gelu"(%x) source "float gelu(float);" dtypes ["f32", "f32"] : (f32) -> f32
  // CHECK: tile.extern "cuda" "ns::f"(%{{.*}}, %{{.*}}, %{{.*}}) source "..." dtypes ["u32", "f16", "bool", "i8"] : (tensor<4xi32>, tensor<4xf16>, tensor<4xi1>) -> tensor<4xi8>
  %1 = tile.extern "cuda" "ns::f"(%t, %h, %b) source "..." dtypes ["u32", "f16", "bool", "i8"] : (tensor<4xi32>, tensor<4xf16>, tensor<4xi1>) -> tensor<4xi8>
  return
}
