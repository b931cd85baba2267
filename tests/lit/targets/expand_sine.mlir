// RUN: tilewright-opt %s -expand-math | FileCheck %s

// Arguments from 2^20 on are reduced another way, for a whole vector as soon as one lane needs it.
// CHECK-LABEL: func.func @sine
// CHECK-SAME: %[[X:.*]]: vector<8xf32>
func.func @sine(%x: vector<8xf32>) -> vector<8xf32> {
  // CHECK-NOT: math.sin
  // CHECK-DAG: %[[NEAR:.*]] = arith.constant dense<0x49800000> : vector<8xf32>
  // CHECK: %[[WIDE:.*]] = arith.extf %{{.*}} : vector<8xf32> to vector<8xf64>
  // CHECK: %[[FAR:.*]] = arith.cmpf oge, %{{.*}}, %[[NEAR]]
  // CHECK: %[[ANY:.*]] = vector.reduction <or>, %[[FAR]] : vector<8xi1> into i1
  // CHECK: %[[R:.*]]:2 = scf.if %[[ANY]] -> (vector<8xf64>, vector<8xf64>)
  // CHECK-COUNT-15: math.roundeven
  // CHECK: %[[SHORT:.*]] = arith.truncf %[[R]]#0 : vector<8xf64> to vector<8xf32>
  // CHECK: arith.fptosi %[[R]]#1 : vector<8xf64> to vector<8xi32>
  // CHECK: return %{{.*}} : vector<8xf32>
  %0 = math.sin %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// CHECK-LABEL: func.func @scalar
func.func @scalar(%x: f32) -> f32 {
  // CHECK-NOT: math.cos
  // CHECK-NOT: vector
  // CHECK: scf.if %{{.*}} -> (f64, f64)
  %0 = math.cos %x : f32
  return %0 : f32
}

// On f64 the remainder is the sum of two numbers. Far arguments are reduced with integers, and only lanes that are far take the result.
// CHECK-LABEL: func.func @double
func.func @double(%x: vector<8xf64>) -> (vector<8xf64>, vector<8xf64>) {
  // CHECK-NOT: math.sin
  // CHECK-DAG: %[[NEAR:.*]] = arith.constant dense<0x4130000000000000> : vector<8xf64>
  // CHECK: %[[FAR:.*]] = arith.cmpf oge, %{{.*}}, %[[NEAR]]
  // CHECK: %[[ANY:.*]] = vector.reduction <or>, %[[FAR]] : vector<8xi1> into i1
  // CHECK: scf.if %[[ANY]] -> (vector<8xf64>, vector<8xf64>, vector<8xi32>)
  // CHECK-COUNT-2: arith.mului_extended
  // CHECK: math.fma
  // CHECK-COUNT-2: arith.select %[[FAR]], %{{.*}} : vector<8xi1>, vector<8xf64>
  // CHECK-NOT: math.cos
  %0 = math.sin %x : vector<8xf64>
  %1 = math.cos %x : vector<8xf64>
  return %0, %1 : vector<8xf64>, vector<8xf64>
}
