#include "cli/operators.h"

#include "runtime/support/error.h"
#include "runtime/support/log.h"

#include <charconv>
#include <set>

#include <dlfcn.h>

namespace tilewright::cli {

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

void add_load_option(CLI::App& verb, OperatorArguments& arguments) {
  verb.add_option("--load", arguments.libraries, "A shared library that registers operators; may be given several times")
      ->type_name("LIB.so")
      ->allow_extra_args(false);
}

void add_operator_options(CLI::App& verb, OperatorArguments& arguments) {
  verb.add_option("KERNEL", arguments.name, "The operator; `tilewright list` shows them")->required();
  add_load_option(verb, arguments);
  verb.add_option("--set", arguments.settings, "A setting of the operator, or a tunable or constant of its kernels; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void load_libraries(const std::vector<std::string>& libraries) {
  for (const std::string& library : libraries) {
    const std::size_t before = all_operators().size();
    // Without a slash the loader would search its own folders.
    const std::string path = library.find('/') == std::string::npos ? "./" + library : library;
    if (::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
      const char* reason = ::dlerror();
      throw Error(3502, "'" + library + "' cannot be loaded: " + (reason != nullptr ? reason : "unknown reason"));
    }
    if (all_operators().size() == before) log(LogLevel::Warn, "'" + library + "' registers no operator");
  }
}

const Operator& require_operator(const OperatorArguments& arguments) {
  load_libraries(arguments.libraries);
  if (const Operator* op = find_operator(arguments.name)) return *op;
  std::set<std::string> names;
  for (const Operator* op : all_operators()) names.insert(op->name());
  Error error(3501, "there is no operator '" + arguments.name + "'");
  error.help(names.empty() ? "no operators are registered; --load adds a library of them" : "there are: " + join(names));
  throw error;
}

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
    if (equals == std::string::npos || equals == 0) throw Error(3503, "'--set " + word + "' is not NAME=VALUE");
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

}  // namespace tilewright::cli
