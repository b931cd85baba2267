// Hand-written PTX kernels for tests of the driver "cuda", with its calling convention: the kernels of test_kernels.h, and some that show what devices do.
#pragma once

#include "runtime/drivers/cuda/cuda_driver.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tilewright::testing {

// A kernel in PTX: count, copy or bound for a program of that name; or one of
//   vector_add       out[i] = a[i] + b[i] over f32 views, 128 elements a program (a, b, out)
//   shared_reverse   out[i] = the i-th from last of 0 .. 127, exchanged through the ends of `bytes` bytes of shared memory (out f32[128], bytes)
//   cluster_rank     out[c * n + r] = r for block r of cluster c of n blocks (out i64[])
//   add_one          x[i] += 1 over i64[1] after its predecessor in the stream; for programmatic launches (x)
//   spin             waits until flag[0] != 0, two seconds at most, then out[0] = what it saw (flag i64[], out i64[])
//   delay            takes `nanoseconds`, then out[0] = 1 (out i64[], nanoseconds)
//   fault            writes to address 8
struct PtxKernel {
  std::string text;
  std::shared_ptr<const program::Program> program;  // parameters only, where the kernel is not of test_kernels.h
  std::string target = "sm_80";
  LaunchShape launch{32, 1, 0, false};
  std::vector<std::string> assertions;
};

PtxKernel ptx_kernel(const std::string& name);

// The names of all of them.
std::vector<std::string> ptx_kernel_names();

Artifact artifact_of(const PtxKernel& kernel);

// For the conformance suite: an artifact for a program of count, copy or bound.
Artifact ptx_artifact(std::shared_ptr<const program::Program> program);

}  // namespace tilewright::testing
