// RUN: tilewright-opt %s -tile-gpu-allocate-shared -verify-diagnostics

// expected-error @+1 {{TW2310: kernel 'both' needs 300000 bytes of shared memory a block; sm_90a has 232448; smaller tiles need less. At its fullest it holds, in bytes: 200000}}
func.func @both(%x: i32) attributes {tile_gpu.kernel} {
  %a = tile_gpu.buffer 0 of 200000 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  %b = tile_gpu.buffer 1 of 100000 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
  llvm.store %x, %b {tile_gpu.access = #tile_gpu.access<store of 1>} : i32, !llvm.ptr<3>
  llvm.store %x, %a {tile_gpu.access = #tile_gpu.access<store of 0>} : i32, !llvm.ptr<3>
  return
}
