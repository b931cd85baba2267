// How Tune and Const members find the kernel they belong to, while its struct is constructed. Internal.
#pragma once

#include "dsl/program/kernel.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tilewright::detail {

// While one lives on this thread, settings made either enter themselves into `described` or take their values from `values`.
class SettingScope {
 public:
  explicit SettingScope(std::string kernel, const std::map<std::string, std::int64_t>* values);  // nullptr: describe
  ~SettingScope();
  SettingScope(const SettingScope&) = delete;
  SettingScope& operator=(const SettingScope&) = delete;

  static SettingScope* current();

  std::int64_t enter(program::KernelSetting setting, std::int64_t least, std::int64_t most);
  std::vector<program::KernelSetting>& described() { return described_; }
  // Values taken, by order of declaration.
  const std::vector<std::pair<std::string, std::int64_t>>& taken() const { return taken_; }

 private:
  std::string kernel_;
  const std::map<std::string, std::int64_t>* values_;
  std::vector<program::KernelSetting> described_;
  std::vector<std::pair<std::string, std::int64_t>> taken_;
  SettingScope* previous_;
};

}  // namespace tilewright::detail
