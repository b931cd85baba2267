// RUN: tilewright-opt %s -split-input-file -verify-diagnostics

func.func @none() {
  // expected-error@+1 {{needs at least one operand}}
  "tile.reduce"() <{axis = 0 : i64, kind = 0 : i32}> ({}) : () -> ()
  return
}

// -----

func.func @count(%x: tensor<4xf32>) {
  // expected-error@+1 {{has 1 operands and 2 results}}
  %0, %1 = tile.reduce sum %x axis 0 : tensor<4xf32> -> f32, f32
  return
}

// -----

func.func @shapes(%x: tensor<4xf32>, %y: tensor<8xf32>) {
  // expected-error@+1 {{operand #1, 'tensor<8xf32>', does not have the shape of the first, 'tensor<4xf32>'}}
  %0, %1 = tile.reduce custom %x, %y axis 0 : tensor<4xf32>, tensor<8xf32> -> f32, f32 {
  ^bb0(%a: f32, %b: f32, %c: f32, %d: f32):
    tile.yield %a, %b : f32, f32
  }
  return
}

// -----

func.func @axis(%x: tensor<4xf32>) {
  // expected-error@+1 {{axis 1 is not one of 'tensor<4xf32>'}}
  %0 = tile.reduce sum %x axis 1 : tensor<4xf32> -> f32
  return
}

// -----

func.func @no_region(%x: tensor<4xf32>) {
  // expected-error@+1 {{of kind 'custom' needs a region}}
  %0 = tile.reduce custom %x axis 0 : tensor<4xf32> -> f32
  return
}

// -----

func.func @needless_region(%x: tensor<4xf32>) {
  // expected-error@+1 {{of kind 'sum' has a region, which only 'custom' has}}
  %0 = tile.reduce sum %x axis 0 : tensor<4xf32> -> f32 {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @two_for_a_sum(%x: tensor<4xf32>) {
  // expected-error@+1 {{of kind 'sum' takes one operand, not 2}}
  %0, %1 = tile.reduce sum %x, %x axis 0 : tensor<4xf32>, tensor<4xf32> -> f32, f32
  return
}

// -----

func.func @float_kind(%x: tensor<4xi32>) {
  // expected-error@+1 {{kind 'minf' is for floats, not 'i32'}}
  %0 = tile.reduce minf %x axis 0 : tensor<4xi32> -> i32
  return
}

// -----

func.func @int_kind(%x: tensor<4xf32>) {
  // expected-error@+1 {{kind 'maxu' is for integers, not 'f32'}}
  %0 = tile.reduce maxu %x axis 0 : tensor<4xf32> -> f32
  return
}

// -----

func.func @bitwise_kind(%x: tensor<4xf32>) {
  // expected-error@+1 {{kind 'and' is for integers, not 'f32'}}
  %0 = tile.scan and %x axis 0 : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @reduce_result(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{result #0 must be 'tensor<8xf32>', not 'tensor<4xf32>'}}
  %0 = tile.reduce sum %x axis 0 : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @scan_result(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{result #0 must be 'tensor<4x8xf32>', not 'tensor<4xf32>'}}
  %0 = tile.scan sum %x axis 0 : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @region_arguments(%x: tensor<4xf32>) {
  // expected-error@+1 {{the region must take 2 scalars, not 1}}
  %0 = tile.reduce custom %x axis 0 : tensor<4xf32> -> f32 {
  ^bb0(%a: f32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @region_argument_type(%x: tensor<4xf32>) {
  // expected-error@+1 {{argument #1 of the region must be 'f32', not 'i32'}}
  %0 = tile.reduce custom %x axis 0 : tensor<4xf32> -> f32 {
  ^bb0(%a: f32, %b: i32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @region_end(%x: tensor<4xf32>, %c: i1) {
  // expected-error@+1 {{the region must end with 'tile.yield'}}
  %0 = "tile.reduce"(%x) <{axis = 0 : i64, kind = 11 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    llvm.unreachable
  }) : (tensor<4xf32>) -> f32
  return
}

// -----

func.func @yield_count(%x: tensor<4xf32>) {
  // expected-error@+1 {{the region must yield 1 scalars, not 2}}
  %0 = tile.reduce custom %x axis 0 : tensor<4xf32> -> f32 {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a, %b : f32, f32
  }
  return
}

// -----

func.func @yield_type(%x: tensor<4xf32>, %i: i32) {
  // expected-error@+1 {{yield #0 must be 'f32', not 'i32'}}
  %0 = tile.reduce custom %x axis 0 : tensor<4xf32> -> f32 {
  ^bb0(%a: f32, %b: f32):
    tile.yield %i : i32
  }
  return
}

// -----

func.func @side_effects(%x: tensor<4xf32>) {
  // expected-error@+1 {{the region must have no side effects}}
  %0 = tile.reduce custom %x axis 0 : tensor<4xf32> -> f32 {
  ^bb0(%a: f32, %b: f32):
    // expected-note@+1 {{'tile.print' has some}}
    tile.print "a" %a : f32
    tile.yield %a : f32
  }
  return
}

// -----

func.func @yield_outside(%x: f32) {
  // expected-error@+1 {{'tile.yield' op expects parent op to be one of 'tile.reduce, tile.scan'}}
  tile.yield %x : f32
}
