// RUN: tilewright-opt %s -split-input-file -verify-diagnostics

func.func @print_flags(%x: f32) {
  // expected-error@+1 {{has 2 entries in 'unsigned_operands' for 1 operands}}
  tile.print "x" %x : f32 {unsigned_operands = array<i1: false, true>}
  return
}

// -----

func.func @print_view(%x: !tile.view<?xf32>) {
  // expected-error@+1 {{operand #0 must be variadic of scalar or tile, but got '!tile.view<?xf32>'}}
  tile.print "x" %x : !tile.view<?xf32>
  return
}

// -----

func.func @assert_type(%x: i32) {
  // expected-error@+1 {{operand #0 must be i1, or tile of i1, but got 'i32'}}
  tile.assert %x, "x" : i32
  return
}

// -----

// expected-error@+1 {{cannot carry 'tile.kernel': only 'func.func' can}}
module attributes {tile.kernel} {}

// -----

// expected-error@+1 {{'tile.kernel' must be a unit attribute}}
func.func @kernel_value() attributes {tile.kernel = 1 : i64} {
  return
}

// -----

// expected-error@+1 {{is a kernel and so must have no results}}
func.func @kernel_results(%x: f32) -> f32 attributes {tile.kernel} {
  return %x : f32
}

// -----

// expected-error@+1 {{is a kernel, whose arguments are views and scalars, not 'tensor<4xf32>'}}
func.func @kernel_arguments(%x: tensor<4xf32>) attributes {tile.kernel} {
  return
}

// -----

// expected-error@+1 {{carries 'tile.fast', which the tile dialect does not know}}
func.func @unknown() attributes {tile.fast} {
  return
}

// -----

// expected-error@+1 {{argument #1: carries 'tile.fast', which the tile dialect does not know}}
func.func @unknown_of_argument(%x: f32, %y: f32 {tile.fast}) {
  return
}

// -----

// expected-error@+1 {{argument #0: 'tile.name' must be a string}}
func.func @name(%x: f32 {tile.name = 1 : i64}) {
  return
}

// -----

// expected-error@+1 {{argument #0: 'tile.kind' must be "in", "out", "inout" or "scalar"}}
func.func @kind(%x: f32 {tile.kind = "input"}) {
  return
}

// -----

// expected-error@+1 {{argument #0: is '!tile.view<?xf32>', which 'tile.kind' = "scalar" is not for}}
func.func @kind_of_view(%x: !tile.view<?xf32> {tile.kind = "scalar"}) {
  return
}

// -----

// expected-error@+1 {{argument #0: is 'f32', which 'tile.kind' = "in" is not for}}
func.func @kind_of_scalar(%x: f32 {tile.kind = "in"}) {
  return
}

// -----

// expected-error@+1 {{argument #0: 'tile.aligned16' must be a unit attribute}}
func.func @fact_value(%x: !tile.view<?xf32> {tile.aligned16 = true}) {
  return
}

// -----

// expected-error@+1 {{argument #0: 'tile.fits32' is for views, not 'f32'}}
func.func @fact_of_scalar(%x: f32 {tile.fits32}) {
  return
}

// -----

// expected-error@+1 {{cannot carry 'tile.stages': only 'scf.for' can}}
func.func @stages_of_function() attributes {tile.stages = 2 : i64} {
  return
}

// -----

func.func @stages(%n: i64) {
  // expected-error@+1 {{'tile.stages' must be an i64 of at least 1}}
  scf.for %i = %n to %n step %n : i64 {
  } {tile.stages = 0 : i64}
  return
}

// -----

func.func @uniform_warps(%n: i64) {
  // expected-error@+1 {{'tile.uniform_warps' must be a unit attribute beside 'tile.stages'}}
  scf.for %i = %n to %n step %n : i64 {
  } {tile.uniform_warps}
  return
}
