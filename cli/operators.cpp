#include "cli/operators.h"

#include "runtime/support/error.h"
#include "runtime/support/log.h"

#include <set>

#include <dlfcn.h>

namespace tilewright::cli {

namespace {

std::string join(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
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

}  // namespace tilewright::cli
