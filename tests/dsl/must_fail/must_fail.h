// Kernels that must not trace. Each is followed by MUST_FAIL, and the line its error names carries a comment:
//
//   store(y, {0, 0}, a + b);  // error[TW1204]:24 tile shapes do not match in '+': 64x128 and 128x64
//
// which is the code, the column (as g++ counts it) and words of the message. An error without position has its comment on the line of MUST_FAIL.
#pragma once

#include "dsl/program/kernel.h"
#include "dsl/tilewright.h"

#include <map>
#include <string>
#include <vector>

namespace must_fail {

struct Case {
  std::string name, file;
  int line;  // of MUST_FAIL; the kernel stands between the case before and this line
  const tilewright::program::TraceableKernel& (*kernel)();
  std::map<std::string, std::int64_t> settings;
  tilewright::DType dtype = tilewright::DType::F32;  // of every argument
};

std::vector<Case>& cases();

struct Register {
  explicit Register(Case c) { cases().push_back(std::move(c)); }
};

}  // namespace must_fail

// MUST_FAIL(Struct, ({{"setting", value}}), "parameter", ...)
#define MUST_FAIL_STRIP(...) __VA_ARGS__
#define MUST_FAIL(Struct, settings, ...)                                                                                      \
  TW_KERNEL(Struct, #Struct __VA_OPT__(, ) __VA_ARGS__)                                                                       \
  static const ::must_fail::Register register_##Struct({#Struct, __FILE__, __LINE__, &::tilewright::kernel_of<Struct>, MUST_FAIL_STRIP settings});
// The same of a kernel's schedule, on bf16.
#define MUST_FAIL_SCHEDULE(Struct, settings, ...)                                                                             \
  TW_KERNEL(Struct, #Struct __VA_OPT__(, ) __VA_ARGS__)                                                                       \
  static const ::must_fail::Register register_##Struct({#Struct, __FILE__, __LINE__, &::tilewright::kernel_of<Struct>, MUST_FAIL_STRIP settings, ::tilewright::DType::BF16});
