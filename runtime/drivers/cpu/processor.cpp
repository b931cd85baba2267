#include "runtime/drivers/cpu/processor.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <cpuid.h>

namespace tilewright {

namespace {

// Registers whose contents the operating system must save.
enum State : std::uint8_t { kGeneral, kAvx, kAvx512 };

enum Register : std::uint8_t { kEax, kEbx, kEcx, kEdx };

// Where CPUID tells of a feature.
struct Feature {
  std::string_view name;
  std::uint32_t leaf, subleaf;
  Register word;
  int bit;
  State state;
};

// Instruction sets that a code generator uses of its own accord, by LLVM's names.
constexpr Feature kFeatures[] = {
    {"cx8", 1, 0, kEdx, 8, kGeneral},
    {"cmov", 1, 0, kEdx, 15, kGeneral},
    {"mmx", 1, 0, kEdx, 23, kGeneral},
    {"sse", 1, 0, kEdx, 25, kGeneral},
    {"sse2", 1, 0, kEdx, 26, kGeneral},
    {"sse3", 1, 0, kEcx, 0, kGeneral},
    {"pclmul", 1, 0, kEcx, 1, kGeneral},
    {"ssse3", 1, 0, kEcx, 9, kGeneral},
    {"fma", 1, 0, kEcx, 12, kAvx},
    {"cx16", 1, 0, kEcx, 13, kGeneral},
    {"sse4.1", 1, 0, kEcx, 19, kGeneral},
    {"sse4.2", 1, 0, kEcx, 20, kGeneral},
    {"crc32", 1, 0, kEcx, 20, kGeneral},
    {"movbe", 1, 0, kEcx, 22, kGeneral},
    {"popcnt", 1, 0, kEcx, 23, kGeneral},
    {"aes", 1, 0, kEcx, 25, kGeneral},
    {"avx", 1, 0, kEcx, 28, kAvx},
    {"f16c", 1, 0, kEcx, 29, kAvx},
    {"bmi", 7, 0, kEbx, 3, kGeneral},
    {"avx2", 7, 0, kEbx, 5, kAvx},
    {"bmi2", 7, 0, kEbx, 8, kGeneral},
    {"avx512f", 7, 0, kEbx, 16, kAvx512},
    {"avx512dq", 7, 0, kEbx, 17, kAvx512},
    {"adx", 7, 0, kEbx, 19, kGeneral},
    {"avx512ifma", 7, 0, kEbx, 21, kAvx512},
    {"avx512cd", 7, 0, kEbx, 28, kAvx512},
    {"sha", 7, 0, kEbx, 29, kGeneral},
    {"avx512bw", 7, 0, kEbx, 30, kAvx512},
    {"avx512vl", 7, 0, kEbx, 31, kAvx512},
    {"avx512vbmi", 7, 0, kEcx, 1, kAvx512},
    {"avx512vbmi2", 7, 0, kEcx, 6, kAvx512},
    {"gfni", 7, 0, kEcx, 8, kGeneral},
    {"vaes", 7, 0, kEcx, 9, kAvx},
    {"vpclmulqdq", 7, 0, kEcx, 10, kAvx},
    {"avx512vnni", 7, 0, kEcx, 11, kAvx512},
    {"avx512bitalg", 7, 0, kEcx, 12, kAvx512},
    {"avx512vpopcntdq", 7, 0, kEcx, 14, kAvx512},
    {"movdiri", 7, 0, kEcx, 27, kGeneral},
    {"movdir64b", 7, 0, kEcx, 28, kGeneral},
    {"avx512vp2intersect", 7, 0, kEdx, 8, kAvx512},
    {"serialize", 7, 0, kEdx, 14, kGeneral},
    {"avx512fp16", 7, 0, kEdx, 23, kAvx512},
    {"sha512", 7, 1, kEax, 0, kAvx},
    {"sm3", 7, 1, kEax, 1, kAvx},
    {"sm4", 7, 1, kEax, 2, kAvx},
    {"avxvnni", 7, 1, kEax, 4, kAvx},
    {"avx512bf16", 7, 1, kEax, 5, kAvx512},
    {"cmpccxadd", 7, 1, kEax, 7, kGeneral},
    {"avxifma", 7, 1, kEax, 23, kAvx},
    {"avxvnniint8", 7, 1, kEdx, 4, kAvx},
    {"avxneconvert", 7, 1, kEdx, 5, kAvx},
    {"avxvnniint16", 7, 1, kEdx, 10, kAvx},
    {"sahf", 0x80000001, 0, kEcx, 0, kGeneral},
    {"lzcnt", 0x80000001, 0, kEcx, 5, kGeneral},
    {"sse4a", 0x80000001, 0, kEcx, 6, kGeneral},
    {"prfchw", 0x80000001, 0, kEcx, 8, kGeneral},
    {"xop", 0x80000001, 0, kEcx, 11, kAvx},
    {"fma4", 0x80000001, 0, kEcx, 16, kAvx},
    {"tbm", 0x80000001, 0, kEcx, 21, kGeneral},
    {"64bit", 0x80000001, 0, kEdx, 29, kGeneral},
};

// Instructions that stand in code only where a program asks for them by name, which no kernel can.
constexpr std::string_view kNeverChosen[] = {
    "amx-avx512", "amx-bf16",  "amx-complex", "amx-fp16", "amx-fp8",  "amx-int8", "amx-movrs", "amx-tf32", "amx-tile", "cldemote", "clflushopt",
    "clwb",       "clzero",    "enqcmd",      "fsgsbase", "fxsr",     "hreset",   "invpcid",   "kl",       "lwp",      "mwaitx",   "pconfig",
    "pku",        "prefetchi", "ptwrite",     "raoint",   "rdpid",    "rdpru",    "rdrnd",     "rdseed",   "rtm",      "sgx",      "shstk",
    "tsxldtrk",   "uintr",     "usermsr",     "waitpkg",  "wbnoinvd", "widekl",   "xsave",     "xsavec",   "xsaveopt", "xsaves"};

// The levels of the x86-64 psABI. Each contains those before it.
struct Level {
  std::string_view name, features;
};
constexpr Level kLevels[] = {{"x86-64-v2", "+cx16,+sahf,+popcnt,+sse3,+sse4.1,+sse4.2,+ssse3"},
                             {"x86-64-v3", "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe"},
                             {"x86-64-v4", "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"}};

std::uint32_t cpuid(std::uint32_t leaf, std::uint32_t subleaf, Register word) {
  std::array<std::uint32_t, 4> words{};
  __get_cpuid_count(leaf, subleaf, &words[kEax], &words[kEbx], &words[kEcx], &words[kEdx]);
  return words[word];
}

bool system_saves(State state) {
  if (state == kGeneral) return true;
  constexpr std::uint32_t kOsUsesXsave = 1u << 27;
  if ((cpuid(1, 0, kEcx) & kOsUsesXsave) == 0) return false;
  std::uint32_t low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  const std::uint32_t wanted = state == kAvx512 ? 0xE6 : 0x6;  // SSE and AVX registers; masks and the upper halves of AVX-512
  return (low & wanted) == wanted;
}

bool runs(std::string_view name) {
  for (std::string_view never : kNeverChosen) {
    if (name == never) return true;
  }
  for (const Feature& feature : kFeatures) {
    if (name == feature.name) return (cpuid(feature.leaf, feature.subleaf, feature.word) >> feature.bit & 1) != 0 && system_saves(feature.state);
  }
  return false;
}

// The first "+feature" of a list that does not run here.
std::string missing_in(std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", "), list.size());
    const std::string_view word = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (word.substr(0, 1) == "+" && !runs(word.substr(1))) return std::string(word.substr(1));
  }
  return {};
}

}  // namespace

std::string missing_feature(std::string_view target, std::string_view processor) {
  if (target == "host") return missing_in(processor);
  for (const Level& level : kLevels) {
    if (std::string missing = missing_in(level.features); !missing.empty()) return missing;
    if (level.name == target) return missing_in(processor);
  }
  return std::string(target);
}

}  // namespace tilewright
