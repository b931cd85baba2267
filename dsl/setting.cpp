#include "dsl/setting.h"

#include "dsl/program/infer.h"
#include "dsl/setting_scope.h"
#include "runtime/support/error.h"

#include <algorithm>

namespace tilewright::detail {

namespace {

thread_local SettingScope* t_scope = nullptr;

}  // namespace

SettingScope::SettingScope(std::string kernel, const std::map<std::string, std::int64_t>* values)
    : kernel_(std::move(kernel)), values_(values), previous_(t_scope) {
  t_scope = this;
}

SettingScope::~SettingScope() { t_scope = previous_; }

SettingScope* SettingScope::current() { return t_scope; }

std::int64_t SettingScope::enter(program::KernelSetting setting, std::int64_t least, std::int64_t most) {
  const bool again = std::any_of(described_.begin(), described_.end(), [&](const auto& other) { return other.name == setting.name; });
  if (again) throw Error(1506, "kernel '" + kernel_ + "' has two settings named '" + setting.name + "'");
  std::int64_t value = setting.has_default ? setting.default_value : 1;
  if (values_ != nullptr) {
    const auto given = values_->find(setting.name);
    if (given == values_->end() && !setting.has_default)
      program::rules::fail(3502, "kernel '" + kernel_ + "' needs a value for the constant '" + setting.name + "'", {},
                           "give it: " + setting.name + "=...");
    if (given != values_->end()) value = given->second;
    if (value < least || value > most)
      throw Error(3503, "'" + setting.name + "' of kernel '" + kernel_ + "' is " + std::to_string(value) + ", outside " + std::to_string(least) +
                            " to " + std::to_string(most));
    taken_.emplace_back(setting.name, value);
  }
  described_.push_back(std::move(setting));
  return value;
}

std::int64_t tunable(const char* name, const std::int64_t* candidates, std::size_t count, std::int64_t least, std::int64_t most) {
  if (count == 0)
    program::rules::fail(1504, "tunable '" + std::string(name) + "' has no candidates", {},
                         "list them, the default first: {\"" + std::string(name) + "\", {64, 128}}");
  program::KernelSetting setting{name, true, true, candidates[0], {candidates, candidates + count}};
  if (t_scope == nullptr) return candidates[0];
  return t_scope->enter(std::move(setting), least, most);
}

std::int64_t constant(const char* name, const std::int64_t* default_value, std::int64_t least, std::int64_t most) {
  program::KernelSetting setting{name, false, default_value != nullptr, default_value != nullptr ? *default_value : 0, {}};
  if (t_scope == nullptr) return setting.default_value;
  return t_scope->enter(std::move(setting), least, most);
}

}  // namespace tilewright::detail
