// RUN: tilewright-opt %s -tile-gpu-allocate-shared | FileCheck %s

// One after the other: the same bytes, but that small ones stay for a phase longer, so that who writes next does not wait.
// CHECK-LABEL: func.func @one_after_the_other
// CHECK-SAME: tile_gpu.buffers = [array<i64: 0, 16384, 1>, array<i64: 0, 16384, 1>, array<i64: 0, 64, 1>, array<i64: 64, 64, 1>, array<i64: 0, 64, 1>]
// CHECK-NOT: tile_gpu.buffer
func.func @one_after_the_other(%x: i32) attributes {tile_gpu.kernel} {
  %a = tile_gpu.buffer 0 of 16384 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %x, %a {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  %0 = llvm.load %a {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
  %b = tile_gpu.buffer 1 of 16384 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %0, %b {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  %1 = llvm.load %b {tile_gpu.access = #tile_gpu.access<load of 1>} : !llvm.ptr<3> -> i32
  %c = tile_gpu.buffer 2 of 64 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %1, %c {tile_gpu.access = #tile_gpu.access<store of 2>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  %2 = llvm.load %c {tile_gpu.access = #tile_gpu.access<load of 2>} : !llvm.ptr<3> -> i32
  %d = tile_gpu.buffer 3 of 64 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %2, %d {tile_gpu.access = #tile_gpu.access<store of 3>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  %3 = llvm.load %d {tile_gpu.access = #tile_gpu.access<load of 3>} : !llvm.ptr<3> -> i32
  %e = tile_gpu.buffer 4 of 64 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %3, %e {tile_gpu.access = #tile_gpu.access<store of 4>} : i32, !llvm.ptr<3>
  tile_gpu.note phase
  %4 = llvm.load %e {tile_gpu.access = #tile_gpu.access<load of 4>} : !llvm.ptr<3> -> i32
  return
}

// What a loop reads stays for all of the loop; what is opened in it does not.
// CHECK-LABEL: func.func @loop
// CHECK-SAME: tile_gpu.buffers = [array<i64: 0, 20000, 1>, array<i64: 20000, 10000, 1>, array<i64: 20000, 10000, 1>, array<i64: 0, 30000, 1>]
func.func @loop(%x: i32, %from: i64, %to: i64, %step: i64) attributes {tile_gpu.kernel} {
  %a = tile_gpu.buffer 0 of 20000 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %x, %a {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  scf.for %i = %from to %to step %step : i64 {
    tile_gpu.note together
    tile_gpu.note phase
    %0 = llvm.load %a {tile_gpu.access = #tile_gpu.access<load of 0>} : !llvm.ptr<3> -> i32
    %b = tile_gpu.buffer 1 of 10000 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
    llvm.store %0, %b {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
    tile_gpu.note phase
    %1 = llvm.load %b {tile_gpu.access = #tile_gpu.access<load of 1>} : !llvm.ptr<3> -> i32
    %c = tile_gpu.buffer 2 of 10000 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
    llvm.store %0, %c {tile_gpu.access = #tile_gpu.access<store of 2>} : i32, !llvm.ptr<3>
    tile_gpu.note phase
    %2 = llvm.load %c {tile_gpu.access = #tile_gpu.access<load of 2>} : !llvm.ptr<3> -> i32
  }
  %d = tile_gpu.buffer 3 of 30000 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %x, %d {tile_gpu.access = #tile_gpu.access<store of 3>} : i32, !llvm.ptr<3>
  return
}

// Until copies have arrived their bytes are nobody else's.
// CHECK-LABEL: func.func @copies
// CHECK-SAME: tile_gpu.buffers = [array<i64: 0, 40000, 1>, array<i64: 40000, 30000, 1>, array<i64: 0, 30000, 1>]
func.func @copies(%x: i32) attributes {tile_gpu.kernel} {
  %a = tile_gpu.buffer 0 of 40000 bytes, 1 tiles aligned to 1024 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.inline_asm has_side_effects {tile_gpu.access = #tile_gpu.access<copy of 0>} "copy $0", "r" %a : (!llvm.ptr<3>) -> ()
  tile_gpu.note commit
  %b = tile_gpu.buffer 1 of 30000 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %x, %b {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
  tile_gpu.note wait 0
  %c = tile_gpu.buffer 2 of 30000 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  tile_gpu.note phase
  llvm.store %x, %c {tile_gpu.access = #tile_gpu.access<store of 2>} : i32, !llvm.ptr<3>
  return
}

// Both roles run at one time, so nothing of one lies where the other has something; what was opened before them and is read in the first stays until the second is done. What each team has lies by itself: three
// times 112 bytes, buffers of one team below each other where they are not needed together.
// CHECK-LABEL: func.func @roles
// CHECK-SAME: tile_gpu.buffers = [array<i64: 0, 512, 1>, array<i64: 512, 96, 1>, array<i64: 512, 112, 1>, array<i64: 848, 256, 1>]
// CHECK: %[[STRIDE:.*]] = llvm.mlir.constant(112 : i32)
// CHECK: arith.muli %{{.*}}, %[[STRIDE]]
func.func @roles(%x: i32, %team: i32, %consumes: i1) attributes {tile_gpu.kernel} {
  %tiles = tile_gpu.buffer 0 of 512 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  scf.if %consumes {
    tile_gpu.note together
    %0 = llvm.load %tiles {tile_gpu.access = #tile_gpu.access<handed of 0>} : !llvm.ptr<3> -> i32
    %a = tile_gpu.buffer 1 of 96 bytes, 1 tiles aligned to 16 {teams = 3 : i64} : !llvm.ptr<3>
    %stride = tile_gpu.team_stride
    %offset = arith.muli %team, %stride : i32
    %mine = llvm.getelementptr %a[%offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    llvm.store %0, %mine {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
    tile_gpu.note phase
    tile_gpu.note phase
    tile_gpu.note phase
    %b = tile_gpu.buffer 2 of 112 bytes, 1 tiles aligned to 16 {teams = 3 : i64} : !llvm.ptr<3>
    llvm.store %0, %b {tile_gpu.access = #tile_gpu.access<store of 2>} : i32, !llvm.ptr<3>
  } else {
    tile_gpu.note together
    %c = tile_gpu.buffer 3 of 256 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
    llvm.store %x, %c {tile_gpu.access = #tile_gpu.access<store of 3>} : i32, !llvm.ptr<3>
  } {tile_gpu.consumers = 3 : i64}
  return
}
