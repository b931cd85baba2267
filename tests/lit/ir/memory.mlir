// RUN: tilewright-opt %s | FileCheck %s
// RUN: tilewright-opt %s --mlir-print-op-generic | tilewright-opt | FileCheck %s

// CHECK-LABEL: func.func @grid
// CHECK-SAME: attributes {tile.kernel}
func.func @grid(%x: !tile.view<?x?xf32> {tile.name = "x", tile.kind = "in", tile.unit_inner_stride, tile.aligned16, tile.fits32},
                %n: i64 {tile.name = "n", tile.kind = "scalar"}) attributes {tile.kernel} {
  // CHECK: tile.program_id 2
  %row = tile.program_id 2
  // CHECK: tile.num_programs 0
  %rows = tile.num_programs 0
  // CHECK: tile.size %{{.*}} axis 1 : !tile.view<?x?xf32>
  %size = tile.size %x axis 1 : !tile.view<?x?xf32>
  // CHECK: tile.narrow %{{.*}} axis 0 from %{{.*}} size %{{.*}} : !tile.view<?x?xf32>
  %part = tile.narrow %x axis 0 from %row size %size : !tile.view<?x?xf32>
  return
}

// CHECK-LABEL: func.func @views
// CHECK-SAME: !tile.view<f64>, %{{.*}}: !tile.view<?xi1>, %{{.*}}: !tile.view<?x?x?x?xbf16>
func.func @views(%scalar: !tile.view<f64>, %flags: !tile.view<?xi1>, %four: !tile.view<?x?x?x?xbf16>) {
  return
}

// CHECK-LABEL: func.func @load
func.func @load(%x: !tile.view<?x?xf32>, %n: !tile.view<i32>, %i: i64, %rows: tensor<4xi32>, %cols: tensor<8xi64>, %all: tensor<4x8xi64>,
                %mask: tensor<4x8xi1>, %zero: f32, %other: tensor<4x8xf32>, %flag: i1) {
  // CHECK: tile.load %{{.*}}[] : !tile.view<i32> -> i32
  %0 = tile.load %n[] : !tile.view<i32> -> i32
  // CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}}] mask %{{.*}} other %{{.*}} : f32 : !tile.view<?x?xf32> -> f32
  %1 = tile.load %x[%i, %i] mask %flag other %zero : f32 : !tile.view<?x?xf32> -> f32
  // CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}} along 0] : !tile.view<?x?xf32> -> tensor<8xf32>
  %2 = tile.load %x[%i, %i along 0] : !tile.view<?x?xf32> -> tensor<8xf32>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 1, %{{.*}} along 0] mask %{{.*}} : !tile.view<?x?xf32> -> tensor<4x8xf32>
  %3 = tile.load %x[%i along 1, %i along 0] mask %mask : !tile.view<?x?xf32> -> tensor<4x8xf32>
  // CHECK: tile.load %{{.*}}[%{{.*}} along 0 : tensor<4xi32>, %{{.*}} along 1 : tensor<8xi64>] : !tile.view<?x?xf32> -> tensor<4x8xf32>
  %4 = tile.load %x[%rows along 0 : tensor<4xi32>, %cols along 1 : tensor<8xi64>] : !tile.view<?x?xf32> -> tensor<4x8xf32>
  // CHECK: tile.load %{{.*}}[%{{.*}} whole : tensor<4x8xi64>, %{{.*}}] other %{{.*}} : tensor<4x8xf32> : !tile.view<?x?xf32> -> tensor<4x8xf32>
  %5 = tile.load %x[%all whole : tensor<4x8xi64>, %i] other %other : tensor<4x8xf32> : !tile.view<?x?xf32> -> tensor<4x8xf32>
  return
}

// CHECK-LABEL: func.func @store
func.func @store(%x: !tile.view<?x?xf16>, %tile: tensor<4x8xf16>, %value: f16, %i: i64, %mask: tensor<4x8xi1>, %flag: i1, %rows: tensor<4xi32>) {
  // CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] mask %{{.*}} : f16, !tile.view<?x?xf16>
  tile.store %value, %x[%i, %i] mask %flag : f16, !tile.view<?x?xf16>
  // CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}} along 0 : tensor<4xi32>, %{{.*}} along 1] mask %{{.*}} : tensor<4x8xf16>, !tile.view<?x?xf16>
  tile.store %tile, %x[%rows along 0 : tensor<4xi32>, %i along 1] mask %mask : tensor<4x8xf16>, !tile.view<?x?xf16>
  return
}

// CHECK-LABEL: @atomic
// CHECK-SAME: (%[[X:.*]]: !tile.view<?xi32>, %[[Y:.*]]: !tile.view<?x?xf32>, %[[BINS:.*]]: tensor<64xi32>, %[[I:.*]]: i64
func.func @atomic(%x: !tile.view<?xi32>, %y: !tile.view<?x?xf32>, %bins: tensor<64xi32>, %i: i64, %ones: tensor<64xi32>, %m: tensor<64xi1>, %v: tensor<8x64xf32>,
                  %one: i32) {
  // CHECK: tile.atomic add %{{.*}}, %[[X]][%[[BINS]] along 0 : tensor<64xi32>] mask %{{.*}} : tensor<64xi32>, !tile.view<?xi32>
  %0 = tile.atomic add %ones, %x[%bins along 0 : tensor<64xi32>] mask %m : tensor<64xi32>, !tile.view<?xi32>
  // CHECK: tile.atomic maxf %{{.*}}, %[[Y]][%[[I]] along 0, %[[I]] along 1] : tensor<8x64xf32>, !tile.view<?x?xf32>
  %1 = tile.atomic maxf %v, %y[%i along 0, %i along 1] : tensor<8x64xf32>, !tile.view<?x?xf32>
  // CHECK: tile.atomic minu %{{.*}}, %[[X]][%[[BINS]] whole : tensor<64xi32>] : tensor<64xi32>, !tile.view<?xi32>
  %2 = tile.atomic minu %ones, %x[%bins whole : tensor<64xi32>] : tensor<64xi32>, !tile.view<?xi32>
  // CHECK: tile.atomic compare_exchange %{{.*}}, %[[X]][%[[I]]] expected %{{.*}} : i32, !tile.view<?xi32>
  %3 = tile.atomic compare_exchange %one, %x[%i] expected %one : i32, !tile.view<?xi32>
  // CHECK: tile.atomic compare_exchange %{{.*}}, %[[X]][%[[I]] along 0] expected %{{.*}} mask %{{.*}} : tensor<64xi32>, !tile.view<?xi32>
  %4 = tile.atomic compare_exchange %ones, %x[%i along 0] expected %0 mask %m : tensor<64xi32>, !tile.view<?xi32>
  return
}

// CHECK-LABEL: func.func @fence
func.func @fence() {
  // CHECK-NEXT: tile.fence acquire
  // CHECK-NEXT: tile.fence release
  // CHECK-NEXT: tile.fence acquire_release
  tile.fence acquire
  tile.fence release
  tile.fence acquire_release
  return
}
