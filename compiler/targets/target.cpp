#include "compiler/targets/target.h"

#include "compiler/targets/amd/amd_backend.h"
#include "compiler/targets/amd/amd_target.h"
#include "compiler/targets/cpu/cpu_backend.h"
#include "compiler/targets/nvidia/nvidia_backend.h"
#include "compiler/targets/nvidia/nvidia_target.h"
#include "runtime/support/error.h"

namespace tilewright {

namespace {

struct Family {
  std::vector<std::string> (*names)();
  std::unique_ptr<const Target> (*make)(std::string_view name);
};

constexpr Family kFamilies[] = {{cpu::target_names, cpu::make_target}, {nvidia::target_names, nvidia::make_target}, {amd::target_names, amd::make_target}};

}  // namespace

std::unique_ptr<const Target> make_target(std::string_view name) {
  std::string known;
  for (const Family& family : kFamilies) {
    for (const std::string& candidate : family.names()) {
      if (candidate == name) return family.make(name);
      known += (known.empty() ? "" : ", ") + candidate;
    }
  }
  throw Error(2001, "unknown target '" + std::string(name) + "'").help("known targets: " + known);
}

void start_tools(std::string_view driver) {
  if (driver == "cuda") nvidia::start_tools();
}

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) {
    for (std::string& name : family.names()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace tilewright
