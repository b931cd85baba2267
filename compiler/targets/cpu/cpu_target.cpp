#include "compiler/targets/cpu/cpu_target.h"

#include "runtime/support/error.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

#include <algorithm>
#include <vector>

namespace tilewright::cpu {

namespace {

CpuTarget host() {
  CpuTarget target;
  target.name = "host";
  target.cpu = llvm::sys::getHostCPUName().str();
  const llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  std::vector<std::string> list;
  for (const auto& feature : features) list.push_back((feature.second ? "+" : "-") + feature.first().str());
  std::sort(list.begin(), list.end());
  for (const std::string& feature : list) target.features += (target.features.empty() ? "" : ",") + feature;

  const auto has = [&](const char* name) { return features.lookup(name); };
  const bool v4 = has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl");
  target.vector_bits = v4 ? 512 : has("avx2") ? 256 : 128;
  target.vector_registers = v4 ? 32 : 16;
  target.has_fma = has("fma");
  target.has_f16_conversion = has("f16c");
  return target;
}

}  // namespace

CpuTarget resolve_target(std::string_view name) {
  if (name == "host" || name == "cpu") return host();
  CpuTarget target;
  target.name = target.cpu = std::string(name);
  if (name == "x86-64-v2") return target;
  target.has_fma = target.has_f16_conversion = true;
  target.vector_bits = 256;
  if (name == "x86-64-v3") return target;
  target.vector_bits = 512;
  target.vector_registers = 32;
  target.features = "-prefer-256-bit";
  if (name == "x86-64-v4") return target;
  throw Error(2001, "unknown CPU target '" + std::string(name) + "'").help("known targets: host, x86-64-v2, x86-64-v3, x86-64-v4");
}

std::string describe(const CpuTarget& target) {
  return target.cpu + (target.features.empty() ? "" : " " + target.features);
}

}  // namespace tilewright::cpu
