// RUN: tilewright-opt %s -split-input-file -verify-diagnostics

func.func @tile_crosses(%t: tensor<4xf32>) {
  tile_gpu.roles produce {
  } consume {
    // expected-error@+1 {{'arith.addf' op takes a tile from outside of its role}}
    %0 = arith.addf %t, %t : tensor<4xf32>
  }
  return
}

// -----

func.func @producer_receives() {
  %c = tile_gpu.channel : !tile_gpu.channel<2, [64, 64], bf16>
  tile_gpu.roles produce {
    // expected-error@+1 {{'tile_gpu.receive' op is for consumers}}
    %0 = tile_gpu.receive %c : !tile_gpu.channel<2, [64, 64], bf16>
  } consume {
  }
  return
}

// -----

func.func @consumer_sends(%v: !tile.view<?x?xbf16>, %i: i64) {
  %c = tile_gpu.channel : !tile_gpu.channel<2, [64, 64], bf16>
  tile_gpu.roles produce {
  } consume {
    // expected-error@+1 {{'tile_gpu.send' op is for the producer}}
    tile_gpu.send %v[%i, %i] maps [0, 1] to %c : !tile.view<?x?xbf16>, !tile_gpu.channel<2, [64, 64], bf16>
  }
  return
}

// -----

func.func @shapes(%acc: tensor<64x32xf32>) {
  %c = tile_gpu.channel : !tile_gpu.channel<2, [64, 64], bf16>
  %s = tile_gpu.receive %c : !tile_gpu.channel<2, [64, 64], bf16>
  // expected-error@+1 {{'tile_gpu.group_dot' op 64x64 times 64x64 is no 'tensor<64x32xf32>'}}
  %0 = tile_gpu.group_dot received %c at %s : !tile_gpu.channel<2, [64, 64], bf16> times %c at %s : !tile_gpu.channel<2, [64, 64], bf16> plus %acc : tensor<64x32xf32>
  return
}

// -----

func.func @stored(%t: tensor<64x64xf16>) {
  %s = tile_gpu.alloc : !tile_gpu.shared<1, [64, 64], bf16>
  // expected-error@+1 {{'tile_gpu.local_store' op writes 'tensor<64x64xf16>' to '!tile_gpu.shared<1, [64, 64], bf16>'}}
  tile_gpu.local_store %t to %s : tensor<64x64xf16>, !tile_gpu.shared<1, [64, 64], bf16>
  return
}

// -----

func.func @touched_in_flight(%acc: tensor<64x64xf32>) {
  %q = tile_gpu.alloc : !tile_gpu.shared<1, [64, 64], bf16>
  %c = tile_gpu.channel : !tile_gpu.channel<2, [64, 64], bf16>
  %s = tile_gpu.receive %c : !tile_gpu.channel<2, [64, 64], bf16>
  // expected-error@+1 {{'tile_gpu.group_dot' op is in flight, and its result is not for one 'tile_gpu.group_wait' of its block alone}}
  %0 = tile_gpu.group_dot stored %q : !tile_gpu.shared<1, [64, 64], bf16> times %c at %s : !tile_gpu.channel<2, [64, 64], bf16> plus %acc {in_flight} : tensor<64x64xf32>
  %1 = arith.addf %0, %0 : tensor<64x64xf32>
  return
}

// -----

func.func @nothing_in_flight(%acc: tensor<64x64xf32>) {
  // expected-error@+1 {{'tile_gpu.group_wait' op waits for something else than a product in flight}}
  %0 = tile_gpu.group_wait %acc : tensor<64x64xf32>
  return
}

// -----

func.func @producer_copies_out(%v: !tile.view<?x?xbf16>, %i: i64) {
  %s = tile_gpu.alloc : !tile_gpu.shared<1, [64, 64], bf16>
  tile_gpu.roles produce {
    // expected-error@+1 {{'tile_gpu.copy_out' op is for consumers}}
    tile_gpu.copy_out %s to %v[%i, %i] maps [0, 1] : !tile_gpu.shared<1, [64, 64], bf16>, !tile.view<?x?xbf16>
  } consume {
  }
  return
}

// -----

func.func @copy_of_another_type(%v: !tile.view<?x?xf16>, %i: i64) {
  %s = tile_gpu.alloc : !tile_gpu.shared<1, [64, 64], bf16>
  // expected-error@+1 {{'tile_gpu.copy_out' op copies '!tile_gpu.shared<1, [64, 64], bf16>' to '!tile.view<?x?xf16>'}}
  tile_gpu.copy_out %s to %v[%i, %i] maps [0, 1] : !tile_gpu.shared<1, [64, 64], bf16>, !tile.view<?x?xf16>
  return
}

// -----

func.func @copy_across(%v: !tile.view<?x?xbf16>, %i: i64) {
  %s = tile_gpu.alloc : !tile_gpu.shared<1, [64, 64], bf16>
  // expected-error@+1 {{'tile_gpu.copy_out' op copies a matrix to two dimensions of the view in their order, the last one among them}}
  tile_gpu.copy_out %s to %v[%i, %i] maps [1, 0] adds : !tile_gpu.shared<1, [64, 64], bf16>, !tile.view<?x?xbf16>
  return
}
