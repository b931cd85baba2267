// RUN: tilewright-opt %s -split-input-file -verify-diagnostics

func.func @division_of_floats(%x: f32) {
  // expected-error@+1 {{'tile.divs' op operand #0 must be integer-like, but got 'f32'}}
  %0 = tile.divs %x, %x : f32
  return
}

// -----

func.func @mixed_widths(%x: i32, %y: i64) {
  // expected-error@+1 {{'tile.remu' op requires the same type for all operands and results}}
  %0 = "tile.remu"(%x, %y) : (i32, i64) -> i32
  return
}

// -----

func.func @conversion_of_integers(%x: i32) {
  // expected-error@+1 {{'tile.fptosi_sat' op operand #0 must be float-like, but got 'i32'}}
  %0 = tile.fptosi_sat %x : i32 to i32
  return
}

// -----

func.func @conversion_to_float(%x: f32) {
  // expected-error@+1 {{'tile.fptoui_sat' op result #0 must be integer-like, but got 'f64'}}
  %0 = tile.fptoui_sat %x : f32 to f64
  return
}

// -----

func.func @conversion_of_shape(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tile.fptoui_sat' op requires the same shape for all operands and results}}
  %0 = tile.fptoui_sat %x : tensor<4xf32> to tensor<8xi32>
  return
}

// -----

func.func @conversion_of_half_width(%x: f32) {
  // expected-error@+1 {{'tile.fptosi_sat' op result #0 must be integer-like, but got 'i24'}}
  %0 = tile.fptosi_sat %x : f32 to i24
  return
}

// -----

func.func @extern_without_arguments() {
  // expected-error@+1 {{'tile.extern' op expected 1 or more operands, but found 0}}
  %0 = tile.extern "cuda" "f"() source "..." dtypes ["f32"] : () -> f32
  return
}

// -----

func.func @extern_without_source(%x: f32) {
  // expected-error@+1 {{'tile.extern' op needs a language, a name and a source}}
  %0 = tile.extern "cuda" "f"(%x) source "" dtypes ["f32", "f32"] : (f32) -> f32
  return
}

// -----

func.func @extern_shapes(%x: tensor<4xf32>, %y: tensor<8xf32>) {
  // expected-error@+1 {{'tile.extern' op requires the same shape for all operands and results}}
  %0 = tile.extern "cuda" "f"(%x, %y) source "..." dtypes ["f32", "f32", "f32"] : (tensor<4xf32>, tensor<8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @extern_dtypes_missing(%x: f32) {
  // expected-error@+1 {{'tile.extern' op has 1 dtypes for 1 arguments and a result}}
  %0 = tile.extern "cuda" "f"(%x) source "..." dtypes ["f32"] : (f32) -> f32
  return
}

// -----

func.func @extern_dtype_of_argument(%x: i32) {
  // expected-error@+1 {{'tile.extern' op dtype 'u64' does not stand for elements of 'i32'}}
  %0 = tile.extern "cuda" "f"(%x) source "..." dtypes ["u64", "f32"] : (i32) -> f32
  return
}

// -----

func.func @extern_dtype_of_result(%x: i32) {
  // expected-error@+1 {{'tile.extern' op dtype 'float' does not stand for elements of 'f32'}}
  %0 = tile.extern "cuda" "f"(%x) source "..." dtypes ["u32", "float"] : (i32) -> f32
  return
}
