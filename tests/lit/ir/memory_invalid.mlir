// RUN: tilewright-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{a view's sizes are known only when the kernel runs: write '?' for each}}
func.func private @view_of_static_size(!tile.view<?x4xf32>)

// -----

// expected-error@+1 {{a view's elements must be i1, i8, i16, i32, i64, f16, bf16, f32 or f64, not 'i4'}}
func.func private @view_of_i4(!tile.view<?xi4>)

// -----

func.func @program_id_axis() {
  // expected-error@+1 {{64-bit signless integer attribute whose minimum value is 0 whose maximum value is 2}}
  %0 = tile.program_id 3
  return
}

// -----

func.func @size_axis(%x: !tile.view<?xf32>) {
  // expected-error@+1 {{axis 1 is not one of '!tile.view<?xf32>'}}
  %0 = tile.size %x axis 1 : !tile.view<?xf32>
  return
}

// -----

func.func @narrow_axis(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{axis -1 is not one of '!tile.view<?xf32>'}}
  %0 = tile.narrow %x axis -1 from %i size %i : !tile.view<?xf32>
  return
}

// -----

func.func @load_element(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{the elements of the tile, 'tensor<4xf16>', are not those of '!tile.view<?xf32>'}}
  %0 = tile.load %x[%i along 0] : !tile.view<?xf32> -> tensor<4xf16>
  return
}

// -----

func.func @load_rank(%x: !tile.view<?x?xf32>, %i: i64) {
  // expected-error@+1 {{has 1 indices for '!tile.view<?x?xf32>', which needs 2}}
  %0 = tile.load %x[%i along 0] : !tile.view<?x?xf32> -> tensor<4xf32>
  return
}

// -----

func.func @load_maps(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{has 2 maps for 1 indices}}
  %0 = "tile.load"(%x, %i) <{maps = array<i64: 0, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}> : (!tile.view<?xf32>, i64) -> tensor<4xf32>
  return
}

// -----

func.func @load_point_of_tile(%x: !tile.view<?xf32>, %i: tensor<4xi64>) {
  // expected-error@+1 {{index #0: a coordinate must be a scalar, not 'tensor<4xi64>'}}
  %0 = tile.load %x[%i : tensor<4xi64>] : !tile.view<?xf32> -> tensor<4xf32>
  return
}

// -----

func.func @load_whole_of_other_shape(%x: !tile.view<?xf32>, %i: tensor<4xi64>) {
  // expected-error@+1 {{index #0: 'tensor<4xi64>' does not have the shape of the tile, 'tensor<8xf32>'}}
  %0 = tile.load %x[%i whole : tensor<4xi64>] : !tile.view<?xf32> -> tensor<8xf32>
  return
}

// -----

func.func @load_whole_scalar(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{index #0: 'i64' does not have the shape of the tile, 'f32'}}
  %0 = tile.load %x[%i whole] : !tile.view<?xf32> -> f32
  return
}

// -----

func.func @load_no_such_axis(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{index #0: the tile, 'tensor<8xf32>', has no axis 1}}
  %0 = tile.load %x[%i along 1] : !tile.view<?xf32> -> tensor<8xf32>
  return
}

// -----

func.func @load_no_such_map(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{index #0: the tile, 'tensor<4xf32>', has no axis -3}}
  %0 = "tile.load"(%x, %i) <{maps = array<i64: -3>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}> : (!tile.view<?xf32>, i64) -> tensor<4xf32>
  return
}

// -----

func.func @load_axis_twice(%x: !tile.view<?x?xf32>, %i: i64) {
  // expected-error@+1 {{index #1: axis 0 of the tile is taken by an earlier index}}
  %0 = tile.load %x[%i along 0, %i along 0] : !tile.view<?x?xf32> -> tensor<8xf32>
  return
}

// -----

func.func @load_gather_extent(%x: !tile.view<?xf32>, %i: tensor<4xi32>) {
  // expected-error@+1 {{index #0: 'tensor<4xi32>' must be a scalar or have rank 1 and extent 8}}
  %0 = tile.load %x[%i along 0 : tensor<4xi32>] : !tile.view<?xf32> -> tensor<8xf32>
  return
}

// -----

func.func @load_index_type(%x: !tile.view<?xf32>, %i: i32) {
  // expected-error@+1 {{operand #1 must be variadic of i64, or tile of i32 or i64, but got 'i32'}}
  %0 = tile.load %x[%i : i32] : !tile.view<?xf32> -> f32
  return
}

// -----

func.func @load_mask(%x: !tile.view<?xf32>, %i: i64, %m: tensor<4xi1>) {
  // expected-error@+1 {{the mask, 'tensor<4xi1>', does not have the shape of the tile, 'tensor<8xf32>'}}
  %0 = "tile.load"(%x, %i, %m) <{maps = array<i64: 0>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}>
      : (!tile.view<?xf32>, i64, tensor<4xi1>) -> tensor<8xf32>
  return
}

// -----

func.func @load_other(%x: !tile.view<?xf32>, %i: i64, %o: f64) {
  // expected-error@+1 {{'other' must be 'tensor<8xf32>' or 'f32', not 'f64'}}
  %0 = tile.load %x[%i along 0] other %o : f64 : !tile.view<?xf32> -> tensor<8xf32>
  return
}

// -----

func.func @load_dynamic(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{result #0 must be scalar or tile, but got 'tensor<?xf32>'}}
  %0 = tile.load %x[%i along 0] : !tile.view<?xf32> -> tensor<?xf32>
  return
}

// -----

func.func @load_rank_zero_tensor(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{result #0 must be scalar or tile, but got 'tensor<f32>'}}
  %0 = tile.load %x[%i] : !tile.view<?xf32> -> tensor<f32>
  return
}

// -----

func.func @load_empty(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{result #0 must be scalar or tile, but got 'tensor<0xf32>'}}
  %0 = tile.load %x[%i along 0] : !tile.view<?xf32> -> tensor<0xf32>
  return
}

// -----

func.func @coordinates(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{expected an axis of the tile}}
  %0 = tile.load %x[%i along -1] : !tile.view<?xf32> -> tensor<4xf32>
  return
}

// -----

func.func @no_coordinate(%x: !tile.view<?xf32>, %i: i64) {
  // expected-error@+1 {{expected an index}}
  %0 = tile.load %x[4] : !tile.view<?xf32> -> tensor<4xf32>
  return
}

// -----

func.func @store_element(%x: !tile.view<?xf32>, %i: i64, %v: tensor<4xf16>) {
  // expected-error@+1 {{the elements of the tile, 'tensor<4xf16>', are not those of '!tile.view<?xf32>'}}
  tile.store %v, %x[%i along 0] : tensor<4xf16>, !tile.view<?xf32>
  return
}

// -----

func.func @store_axis_twice(%x: !tile.view<?x?xf32>, %i: i64, %v: tensor<4xf32>) {
  // expected-error@+1 {{index #1: axis 0 of the tile is taken by an earlier index}}
  tile.store %v, %x[%i along 0, %i along 0] : tensor<4xf32>, !tile.view<?x?xf32>
  return
}

// -----

func.func @atomic_element(%x: !tile.view<?xi8>, %i: i64, %v: tensor<4xi8>) {
  // expected-error@+1 {{'add' does not take elements of 'i8'}}
  %0 = tile.atomic add %v, %x[%i along 0] : tensor<4xi8>, !tile.view<?xi8>
  return
}

// -----

func.func @atomic_kind(%x: !tile.view<?xf32>, %i: i64, %v: tensor<4xf32>) {
  // expected-error@+1 {{'and' does not take elements of 'f32'}}
  %0 = tile.atomic and %v, %x[%i along 0] : tensor<4xf32>, !tile.view<?xf32>
  return
}

// -----

func.func @atomic_narrow_exchange(%x: !tile.view<?xf16>, %i: i64, %v: f16) {
  // expected-error@+1 {{'exchange' does not take elements of 'f16'}}
  %0 = tile.atomic exchange %v, %x[%i] : f16, !tile.view<?xf16>
  return
}

// -----

func.func @atomic_expects(%x: !tile.view<?xi32>, %i: i64, %v: i32) {
  // expected-error@+1 {{'compare_exchange' needs 'expected'}}
  %0 = tile.atomic compare_exchange %v, %x[%i] : i32, !tile.view<?xi32>
  return
}

// -----

func.func @atomic_expects_nothing(%x: !tile.view<?xi32>, %i: i64, %v: i32) {
  // expected-error@+1 {{'add' has no 'expected'}}
  %0 = tile.atomic add %v, %x[%i] expected %v : i32, !tile.view<?xi32>
  return
}

// -----

func.func @atomic_expected_type(%x: !tile.view<?xi32>, %i: i64, %v: i32, %e: i64) {
  // expected-error@+1 {{'expected' must be 'i32', not 'i64'}}
  %0 = "tile.atomic"(%v, %x, %i, %e) <{kind = 11 : i32, maps = array<i64: -1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}>
      : (i32, !tile.view<?xi32>, i64, i64) -> i32
  return
}

// -----

func.func @atomic_view(%x: !tile.view<?xi64>, %i: i64, %v: i32) {
  // expected-error@+1 {{the elements of the tile, 'i32', are not those of '!tile.view<?xi64>'}}
  %0 = tile.atomic add %v, %x[%i] : i32, !tile.view<?xi64>
  return
}

// -----

func.func @atomic_axis_twice(%x: !tile.view<?x?xi32>, %i: i64, %v: tensor<4xi32>) {
  // expected-error@+1 {{index #1: axis 0 of the tile is taken by an earlier index}}
  %0 = tile.atomic add %v, %x[%i along 0, %i along 0] : tensor<4xi32>, !tile.view<?x?xi32>
  return
}
