// RUN: tilewright-opt %s -split-input-file -verify-diagnostics

func.func @rank(%a: tensor<4xf32>, %b: tensor<4x6xf32>, %acc: tensor<4x6xf32>) {
  // expected-error@+1 {{takes three tiles of rank 2, or three of rank 3, not 'tensor<4xf32>', 'tensor<4x6xf32>' and 'tensor<4x6xf32>'}}
  %0 = tile.dot %a, %b, %acc : tensor<4xf32>, tensor<4x6xf32>, tensor<4x6xf32>
  return
}

// -----

func.func @rank_of_all(%a: tensor<4xf32>) {
  // expected-error@+1 {{takes three tiles of rank 2, or three of rank 3}}
  %0 = tile.dot %a, %a, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @batch(%a: tensor<2x4x4xf32>, %b: tensor<3x4x4xf32>) {
  // expected-error@+1 {{the batch extents of 'tensor<2x4x4xf32>', 'tensor<3x4x4xf32>' and 'tensor<2x4x4xf32>' differ}}
  %0 = tile.dot %a, %b, %a : tensor<2x4x4xf32>, tensor<3x4x4xf32>, tensor<2x4x4xf32>
  return
}

// -----

func.func @inner(%a: tensor<4x8xf32>, %b: tensor<6x4xf32>, %acc: tensor<4x4xf32>) {
  // expected-error@+1 {{the inner extents of 'tensor<4x8xf32>' and 'tensor<6x4xf32>' differ: 8 and 6}}
  %0 = tile.dot %a, %b, %acc : tensor<4x8xf32>, tensor<6x4xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @outer(%a: tensor<4x8xf32>, %b: tensor<8x6xf32>, %acc: tensor<6x4xf32>) {
  // expected-error@+1 {{the accumulator, 'tensor<6x4xf32>', does not have the outer extents of 'tensor<4x8xf32>' and 'tensor<8x6xf32>'}}
  %0 = tile.dot %a, %b, %acc : tensor<4x8xf32>, tensor<8x6xf32>, tensor<6x4xf32>
  return
}

// -----

func.func @mixed(%a: tensor<4x4xf16>, %b: tensor<4x4xbf16>, %acc: tensor<4x4xf32>) {
  // expected-error@+1 {{the element types of 'tensor<4x4xf16>' and 'tensor<4x4xbf16>' differ}}
  %0 = tile.dot %a, %b, %acc : tensor<4x4xf16>, tensor<4x4xbf16>, tensor<4x4xf32>
  return
}

// -----

func.func @element(%a: tensor<4x4xi16>, %acc: tensor<4x4xi32>) {
  // expected-error@+1 {{is not defined for elements of type 'i16'}}
  %0 = tile.dot %a, %a, %acc : tensor<4x4xi16>, tensor<4x4xi16>, tensor<4x4xi32>
  return
}

// -----

func.func @accumulator(%a: tensor<4x4xf16>) {
  // expected-error@+1 {{accumulates 'f16' in 'f32', not 'f16'}}
  %0 = tile.dot %a, %a, %a : tensor<4x4xf16>, tensor<4x4xf16>, tensor<4x4xf16>
  return
}

// -----

func.func @unsigned_floats(%a: tensor<4x4xf32>) {
  // expected-error@+1 {{'unsigned' is for integers, not 'tensor<4x4xf32>'}}
  %0 = tile.dot unsigned %a, %a, %a : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @result(%a: tensor<4x4xf32>) {
  // expected-error@+1 {{failed to verify that all of {acc, result} have same type}}
  %0 = "tile.dot"(%a, %a, %a) : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf64>
  return
}

// -----

func.func @format_of_wide_floats(%a: tensor<4x4xf16>, %acc: tensor<4x4xf32>) {
  // expected-error@+1 {{has formats of 8-bit floats, which go with i8, not 'f16'}}
  %0 = tile.dot %a, %a, %acc formats f8E4M3FN, f8E5M2 : tensor<4x4xf16>, tensor<4x4xf16>, tensor<4x4xf32>
  return
}

// -----

func.func @format_of_one(%a: tensor<4x4xi8>, %acc: tensor<4x4xf32>) {
  // expected-error@+1 {{says the format of one operand only}}
  %0 = "tile.dot"(%a, %a, %acc) {a_format = f8E4M3FN} : (tensor<4x4xi8>, tensor<4x4xi8>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @unknown_format(%a: tensor<4x4xi8>) {
  // expected-error@+1 {{attribute 'format' failed to satisfy constraint: f8E4M3FN or f8E5M2}}
  %0 = "tile.decode_f8"(%a) {format = f8E4M3FNUZ} : (tensor<4x4xi8>) -> tensor<4x4xf32>
  return
}
