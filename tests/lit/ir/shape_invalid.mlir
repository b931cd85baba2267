// RUN: tilewright-opt %s -split-input-file -verify-diagnostics

func.func @arange_rank() {
  // expected-error@+1 {{must have rank 1, not 'tensor<2x2xi32>'}}
  %0 = tile.arange 0 : tensor<2x2xi32>
  return
}

// -----

func.func @arange_start() {
  // expected-error@+1 {{start 256 does not fit in 'i8'}}
  %0 = tile.arange 256 : tensor<4xi8>
  return
}

// -----

func.func @arange_float() {
  // expected-error@+1 {{result #0 must be tile (static tensor of rank >= 1, no empty extent) of integers, but got 'tensor<4xf32>'}}
  %0 = tile.arange 0 : tensor<4xf32>
  return
}

// -----

func.func @splat_element(%x: f32) {
  // expected-error@+1 {{must not change the element type: 'f32' to 'tensor<4xf16>'}}
  %0 = tile.splat %x : f32 -> tensor<4xf16>
  return
}

// -----

func.func @splat_of_tile(%x: tensor<1xf32>) {
  // expected-error@+1 {{operand #0 must be scalar, but got 'tensor<1xf32>'}}
  %0 = tile.splat %x : tensor<1xf32> -> tensor<4xf32>
  return
}

// -----

func.func @broadcast_element(%x: tensor<1xf32>) {
  // expected-error@+1 {{must not change the element type: 'tensor<1xf32>' to 'tensor<4xf16>'}}
  %0 = tile.broadcast %x : tensor<1xf32> -> tensor<4xf16>
  return
}

// -----

func.func @broadcast_rank(%x: tensor<1xf32>) {
  // expected-error@+1 {{must not change the rank: 'tensor<1xf32>' to 'tensor<4x4xf32>'}}
  %0 = tile.broadcast %x : tensor<1xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @broadcast_extent(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{axis 1 of 'tensor<4x2xf32>' has extent 2, which is neither 1 nor 4}}
  %0 = tile.broadcast %x : tensor<4x2xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @reshape_element(%x: tensor<4xf32>) {
  // expected-error@+1 {{must not change the element type: 'tensor<4xf32>' to 'tensor<2x2xi32>'}}
  %0 = tile.reshape %x : tensor<4xf32> -> tensor<2x2xi32>
  return
}

// -----

func.func @reshape_count(%x: tensor<4xf32>) {
  // expected-error@+1 {{must keep the number of elements: 'tensor<4xf32>' has 4, 'tensor<3xf32>' has 3}}
  %0 = tile.reshape %x : tensor<4xf32> -> tensor<3xf32>
  return
}

// -----

func.func @reshape_to_scalar(%x: tensor<4xf32>) {
  // expected-error@+1 {{must keep the number of elements: 'tensor<4xf32>' has 4, 'f32' has 1}}
  %0 = tile.reshape %x : tensor<4xf32> -> f32
  return
}

// -----

func.func @transpose_element(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{must not change the element type: 'tensor<4x2xf32>' to 'tensor<2x4xf16>'}}
  %0 = tile.transpose %x [1, 0] : tensor<4x2xf32> -> tensor<2x4xf16>
  return
}

// -----

func.func @transpose_rank(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{the permutation has 3 entries for 'tensor<4x2xf32>'}}
  %0 = tile.transpose %x [1, 0, 2] : tensor<4x2xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @transpose_axis(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{axis 2 in the permutation is not one of 'tensor<4x2xf32>'}}
  %0 = tile.transpose %x [1, 2] : tensor<4x2xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @transpose_twice(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{axis 1 appears twice in the permutation}}
  %0 = tile.transpose %x [1, 1] : tensor<4x2xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @transpose_result(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{the result must be 'tensor<2x4xf32>', not 'tensor<4x2xf32>'}}
  %0 = tile.transpose %x [1, 0] : tensor<4x2xf32> -> tensor<4x2xf32>
  return
}

// -----

func.func @concat_none() {
  // expected-error@+1 {{needs at least one operand}}
  %0 = "tile.concat"() <{axis = 0 : i64}> : () -> tensor<4xf32>
  return
}

// -----

func.func @concat_axis(%x: tensor<4xf32>) {
  // expected-error@+1 {{axis 1 is not one of 'tensor<8xf32>'}}
  %0 = tile.concat %x, %x axis 1 : tensor<4xf32>, tensor<4xf32> -> tensor<8xf32>
  return
}

// -----

func.func @concat_shape(%x: tensor<4x2xf32>, %y: tensor<4x3xf32>) {
  // expected-error@+1 {{operand #1, 'tensor<4x3xf32>', differs from the result, 'tensor<8x2xf32>', in more than axis 0}}
  %0 = tile.concat %x, %y axis 0 : tensor<4x2xf32>, tensor<4x3xf32> -> tensor<8x2xf32>
  return
}

// -----

func.func @concat_element(%x: tensor<4xf16>) {
  // expected-error@+1 {{operand #0, 'tensor<4xf16>', differs from the result, 'tensor<4xf32>', in more than axis 0}}
  %0 = tile.concat %x axis 0 : tensor<4xf16> -> tensor<4xf32>
  return
}

// -----

func.func @concat_extent(%x: tensor<4xf32>) {
  // expected-error@+1 {{the operands have 8 elements along axis 0, the result has 9}}
  %0 = tile.concat %x, %x axis 0 : tensor<4xf32>, tensor<4xf32> -> tensor<9xf32>
  return
}

// -----

func.func @slice_element(%x: tensor<4xf32>) {
  // expected-error@+1 {{must not change the element type: 'tensor<4xf32>' to 'tensor<2xf16>'}}
  %0 = tile.slice %x axis 0 from 0 : tensor<4xf32> -> tensor<2xf16>
  return
}

// -----

func.func @slice_axis(%x: tensor<4xf32>) {
  // expected-error@+1 {{axis 1 is not one of 'tensor<4xf32>'}}
  %0 = tile.slice %x axis 1 from 0 : tensor<4xf32> -> tensor<2xf32>
  return
}

// -----

func.func @slice_shape(%x: tensor<4x4xf32>) {
  // expected-error@+1 {{the result, 'tensor<2x2xf32>', differs from the operand, 'tensor<4x4xf32>', in more than axis 0}}
  %0 = tile.slice %x axis 0 from 0 : tensor<4x4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @slice_end(%x: tensor<4xf32>) {
  // expected-error@+1 {{[3, 5) is not inside axis 0 of 'tensor<4xf32>'}}
  %0 = tile.slice %x axis 0 from 3 : tensor<4xf32> -> tensor<2xf32>
  return
}

// -----

func.func @slice_start(%x: tensor<4xf32>) {
  // expected-error@+1 {{[-1, 1) is not inside axis 0 of 'tensor<4xf32>'}}
  %0 = tile.slice %x axis 0 from -1 : tensor<4xf32> -> tensor<2xf32>
  return
}

// -----

func.func @take_axis(%x: tensor<4xf32>, %i: tensor<2xi32>) {
  // expected-error@+1 {{axis 1 is not one of 'tensor<4xf32>'}}
  %0 = tile.take %x[%i] axis 1 : tensor<4xf32>, tensor<2xi32> -> tensor<2xf32>
  return
}

// -----

func.func @take_result(%x: tensor<4xf32>, %i: tensor<2xi32>) {
  // expected-error@+1 {{the result, 'tensor<3xf32>', does not have the shape of the index, 'tensor<2xi32>'}}
  %0 = tile.take %x[%i] axis 0 : tensor<4xf32>, tensor<2xi32> -> tensor<3xf32>
  return
}

// -----

func.func @take_shape(%x: tensor<4x4xf32>, %i: tensor<2x2xi32>) {
  // expected-error@+1 {{the index, 'tensor<2x2xi32>', differs from the operand, 'tensor<4x4xf32>', in more than axis 1}}
  %0 = tile.take %x[%i] axis 1 : tensor<4x4xf32>, tensor<2x2xi32> -> tensor<2x2xf32>
  return
}

// -----

func.func @take_element(%x: tensor<4xf32>, %i: tensor<2xi32>) {
  // expected-error@+1 {{failed to verify that all of {input, result} have same element type}}
  %0 = tile.take %x[%i] axis 0 : tensor<4xf32>, tensor<2xi32> -> tensor<2xf16>
  return
}

// -----

func.func @take_index(%x: tensor<4xf32>, %i: tensor<2xi16>) {
  // expected-error@+1 {{operand #1 must be tile (static tensor of rank >= 1, no empty extent) of i32 or i64, but got 'tensor<2xi16>'}}
  %0 = tile.take %x[%i] axis 0 : tensor<4xf32>, tensor<2xi16> -> tensor<2xf32>
  return
}
