// RUN: tilewright-opt %s -split-input-file -verify-diagnostics

func.func @argmax_axis(%x: tensor<4xf32>) {
  // expected-error@+1 {{axis 2 is not one of 'tensor<4xf32>'}}
  %0 = tile.argmax %x axis 2 : tensor<4xf32> -> i32
  return
}

// -----

func.func @argmax_unsigned(%x: tensor<4xf32>) {
  // expected-error@+1 {{'unsigned' is for integers, not 'tensor<4xf32>'}}
  %0 = tile.argmax unsigned %x axis 0 : tensor<4xf32> -> i32
  return
}

// -----

func.func @argmin_result(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{the result must be 'tensor<8xi32>', not 'tensor<8xi64>'}}
  %0 = tile.argmin %x axis 0 : tensor<4x8xf32> -> tensor<8xi64>
  return
}

// -----

func.func @topk_axis(%x: tensor<4xf32>) {
  // expected-error@+1 {{axis -1 is not one of 'tensor<4xf32>'}}
  %0, %1 = tile.topk 2 %x axis -1 : tensor<4xf32> -> tensor<2xf32>, tensor<2xi32>
  return
}

// -----

func.func @topk_unsigned(%x: tensor<4xf32>) {
  // expected-error@+1 {{'unsigned' is for integers, not 'tensor<4xf32>'}}
  %0, %1 = tile.topk 2 unsigned %x axis 0 : tensor<4xf32> -> tensor<2xf32>, tensor<2xi32>
  return
}

// -----

func.func @topk_k(%x: tensor<4xf32>) {
  // expected-error@+1 {{k = 5 is not between 1 and the extent 4 of axis 0}}
  %0, %1 = tile.topk 5 %x axis 0 : tensor<4xf32> -> tensor<5xf32>, tensor<5xi32>
  return
}

// -----

func.func @topk_none(%x: tensor<4xf32>) {
  // expected-error@+1 {{k = 0 is not between 1 and the extent 4 of axis 0}}
  %0, %1 = tile.topk 0 %x axis 0 : tensor<4xf32> -> tensor<4xf32>, tensor<4xi32>
  return
}

// -----

func.func @topk_values(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{the values must be 'tensor<2x8xf32>', not 'tensor<4x2xf32>'}}
  %0, %1 = tile.topk 2 %x axis 0 : tensor<4x8xf32> -> tensor<4x2xf32>, tensor<4x2xi32>
  return
}

// -----

func.func @topk_indices(%x: tensor<4xf32>) {
  // expected-error@+1 {{failed to verify that all of {values, indices} have same shape}}
  %0, %1 = tile.topk 2 %x axis 0 : tensor<4xf32> -> tensor<2xf32>, tensor<4xi32>
  return
}

// -----

func.func @topk_element(%x: tensor<4xf32>) {
  // expected-error@+1 {{failed to verify that all of {input, values} have same element type}}
  %0, %1 = tile.topk 2 %x axis 0 : tensor<4xf32> -> tensor<2xf64>, tensor<2xi32>
  return
}
