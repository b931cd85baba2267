#include "runtime/shipped_settings.h"

#include "runtime/support/error.h"

#include <algorithm>
#include <mutex>

namespace tilewright {

namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::map<std::string, std::vector<ShippedSettings>>> by_target_and_kernel;
};

// Never destroyed: sessions may still launch when the process ends.
Registry& registry() {
  static Registry* instance = new Registry;
  return *instance;
}

template <class T>
bool holds(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

std::size_t number_of(const program::TraceableKernel& kernel, const std::string& parameter) {
  for (std::size_t i = 0; i < kernel.params().size(); ++i) {
    if (kernel.params()[i].name == parameter) return i;
  }
  throw Error(3213, "the settings shipped for kernel '" + kernel.name() + "' ask for its parameter '" + parameter + "', which it does not have");
}

bool has_whole_rows(const program::ArgumentFacts& facts) { return facts.unit_inner_stride && facts.aligned16 && facts.fits32 && facts.whole_rows16; }

// Defaults count for constants that are not given; one that is given nowhere meets no condition.
bool suits(const ShippedSettings& shipped, const program::TraceableKernel& kernel, const program::CallFacts& call) {
  for (const auto& [name, dtypes] : shipped.dtypes) {
    if (!holds(dtypes, call.types.at(number_of(kernel, name)).dtype)) return false;
  }
  for (const std::string& name : shipped.whole_rows) {
    if (!has_whole_rows(call.facts.at(number_of(kernel, name)))) return false;
  }
  for (const auto& [name, values] : shipped.constants) {
    const auto found = call.settings.find(name);
    if (found == call.settings.end() || !holds(values, found->second)) return false;
  }
  return true;
}

}  // namespace

RegisterShippedSettings::RegisterShippedSettings(std::string target, std::vector<ShippedSettings> settings) {
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  for (ShippedSettings& each : settings) {
    std::vector<ShippedSettings>& of_kernel = known.by_target_and_kernel[target][each.kernel];
    of_kernel.push_back(std::move(each));
  }
}

void use_shipped_settings(const std::string& target, const program::TraceableKernel& kernel, const KernelSettings& given, program::CallFacts& call) {
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  const auto of_target = known.by_target_and_kernel.find(target);
  if (of_target == known.by_target_and_kernel.end()) return;
  const auto of_kernel = of_target->second.find(kernel.name());
  if (of_kernel == of_target->second.end()) return;
  const auto shipped = std::find_if(of_kernel->second.begin(), of_kernel->second.end(), [&](const ShippedSettings& each) { return suits(each, kernel, call); });
  if (shipped == of_kernel->second.end()) return;
  for (const auto& [name, value] : shipped->tunables) {
    const auto setting = std::find_if(kernel.settings().begin(), kernel.settings().end(), [&name = name](const program::KernelSetting& s) { return s.name == name; });
    if (setting == kernel.settings().end() || !setting->is_tunable) throw Error(3213, "the settings shipped for kernel '" + kernel.name() + "' give '" + name + "', which is no tunable of it");
    if (given.count(name) == 0) call.settings[name] = value;
  }
}

}  // namespace tilewright
