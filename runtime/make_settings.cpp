#include "runtime/make_settings.h"

#include "runtime/support/error.h"

#include <charconv>
#include <set>

namespace tilewright {

namespace {

std::string join(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::int64_t parse_tunable(const std::string& name, const std::string& value) {
  if (value == "true") return 1;
  if (value == "false") return 0;
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc{} || stop != end) throw Error(3002, "setting '" + name + "' is '" + value + "', expected an integer, true or false");
  return number;
}

}  // namespace

OperatorSettings make_settings(const Operator& op, const std::vector<std::string>& given) {
  std::map<std::string, std::string> values;
  for (const OperatorSetting& setting : op.settings()) values[setting.name] = setting.default_value;
  std::set<std::string> kernel_settings, known;
  for (const program::TraceableKernel* kernel : op.kernels()) {
    for (const program::KernelSetting& setting : kernel->settings()) kernel_settings.insert(setting.name);
  }
  known = kernel_settings;
  for (const auto& [name, value] : values) known.insert(name);

  KernelSettings tunables;
  for (const std::string& word : given) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) throw Error(3508, "setting '" + word + "' is not NAME=VALUE");
    const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
    if (const auto found = values.find(name); found != values.end()) {
      found->second = value;
    } else if (kernel_settings.count(name) != 0) {
      tunables[name] = parse_tunable(name, value);
    } else {
      Error error(3001, "operator '" + op.name() + "' has no setting '" + name + "'");
      if (!known.empty()) error.help("it has: " + join(known));
      throw error;
    }
  }
  OperatorSettings settings(std::move(values));
  settings.tunables = std::move(tunables);
  return settings;
}

}  // namespace tilewright
