// Keys and entries to test with.
#pragma once

#include "runtime/cache/entry.h"
#include "tests/fuzz/generator.h"

#include <string>

namespace tilewright::testing {

inline cache::CodeOrigin sample_origin() { return {"host", "znver9 +avx2,-avx512f", "LLVM 22.1.8 0123456789abcdef", false}; }

// An entry of a random program; every field of its artifact is set, the code `bytes` long.
inline cache::Entry sample_entry(std::uint64_t seed, std::size_t bytes = 300) {
  const program::Program program = fuzz::generate(seed).program;
  cache::Entry entry;
  entry.key = cache::content_key(program, sample_origin());
  entry.positions = cache::hash128("positions");
  Artifact& artifact = entry.artifact;
  artifact.kernel = program.name;
  artifact.target = "host";
  artifact.entry = "entry_point";
  for (std::size_t i = 0; i < bytes; ++i) artifact.code.push_back(static_cast<char>((i * i + seed) % 251));
  artifact.scratch_bytes = 4096 + seed;
  artifact.launch = {128, 2, 65536, true};
  artifact.maps = {{1, {1, 64, 64}}, {0, {128, 64}}};
  artifact.assertions = {"a.cpp:1:2: x < y", ""};
  artifact.compile_ms = 12.5;
  artifact.phases = {{"import", 1.5}, {"passes", 11}};
  artifact.usage = {96, 3, 16, 8, 4, 1024, 2, 0.25, "registers"};
  artifact.assembler = "nvJitLink 13.0";
  artifact.remarks = {"a.cpp:3:4: not vectorised", "b"};
  return entry;
}

}  // namespace tilewright::testing
