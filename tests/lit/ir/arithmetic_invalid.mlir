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
