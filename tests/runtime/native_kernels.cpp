// The kernels of test_kernels.h as native code: one relocatable object, which the tests load as they would a compiler's.
#include "runtime/artifact.h"

#include <algorithm>
#include <bit>
#include <cstring>

using tilewright::ScratchPrefix;

extern "C" {

void count(const std::uint64_t* args, const std::int64_t* id, const std::int64_t* num, char*) {
  const std::int64_t n = id[0] + num[0] * (id[1] + num[1] * id[2]);
  if (n >= static_cast<std::int64_t>(args[1])) return;
  reinterpret_cast<std::int64_t*>(args[0])[n * static_cast<std::int64_t>(args[2])] += n + 1;
}

// f32, a block of 64 and b = 1: what the tests of the CPU use.
void axpb(const std::uint64_t* args, const std::int64_t* id, const std::int64_t*, char* scratch) {
  const auto* x = reinterpret_cast<const float*>(args[0]);
  auto* y = reinterpret_cast<float*>(args[3]);
  const auto size = static_cast<std::int64_t>(args[1]), x_stride = static_cast<std::int64_t>(args[2]), y_stride = static_cast<std::int64_t>(args[5]);
  const float a = std::bit_cast<float>(static_cast<std::uint32_t>(args[6]));
  auto* products = reinterpret_cast<float*>(scratch + sizeof(ScratchPrefix));
  const std::int64_t first = id[0] * 64, count = std::min<std::int64_t>(64, size - first);
  for (std::int64_t i = 0; i < count; ++i) products[i] = a * x[(first + i) * x_stride];
  for (std::int64_t i = 0; i < count; ++i) y[(first + i) * y_stride] = products[i] + 1;
}

// Elements of 4 bytes.
void copy(const std::uint64_t* args, const std::int64_t* id, const std::int64_t*, char*) {
  const auto* x = reinterpret_cast<const std::uint32_t*>(args[0]);
  auto* y = reinterpret_cast<std::uint32_t*>(args[5]);
  const auto stride = [&](int slot) { return static_cast<std::int64_t>(args[slot]); };
  for (std::int64_t j = id[1] * 16; j < id[1] * 16 + 16 && j < static_cast<std::int64_t>(args[2]); ++j)
    y[id[0] * stride(8) + j * stride(9)] = x[id[0] * stride(3) + j * stride(4)];
}

// Thirteen views of rank 1 and seven scalars: out[0] = the sum of the others' first elements and of the scalars, all f32 but for the scalars' slots, which hold integers.
void twenty(const std::uint64_t* args, const std::int64_t*, const std::int64_t*, char*) {
  float sum = 0;
  for (int view = 1; view < 13; ++view) sum += *reinterpret_cast<const float*>(args[3 * view]);
  for (int scalar = 0; scalar < 7; ++scalar) sum += static_cast<float>(args[39 + scalar]);
  *reinterpret_cast<float*>(args[0]) = sum;
}

void bound(const std::uint64_t* args, const std::int64_t* id, const std::int64_t*, char* scratch) {
  const std::int64_t x = reinterpret_cast<const std::int64_t*>(args[0])[id[0] * static_cast<std::int64_t>(args[2])];
  if (x < static_cast<std::int64_t>(args[3])) return;
  ScratchPrefix prefix;
  std::memcpy(&prefix, scratch, sizeof prefix);
  prefix.callbacks.assert_failed(prefix.callbacks.context, "x is below the limit (bound.cpp:7:3)");
}
}
