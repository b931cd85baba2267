// Operators as the command line finds and sets them up: libraries to load, names, settings.
#pragma once

#include "runtime/operator.h"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace tilewright::cli {

// What the verbs that work on an operator have in common.
struct OperatorArguments {
  std::string name;
  std::vector<std::string> libraries;  // --load
  std::vector<std::string> settings;   // --set, each "name=value"
};

// Adds --load to a verb.
void add_load_option(CLI::App& verb, OperatorArguments& arguments);
// Adds KERNEL, --load and --set to a verb.
void add_operator_options(CLI::App& verb, OperatorArguments& arguments);

// Opens the libraries, which register their operators; they stay open. Throws Error TW3502, naming the file and the loader's reason.
void load_libraries(const std::vector<std::string>& libraries);

// Loads the libraries and finds the operator. Throws Error TW3501 with the names there are.
const Operator& require_operator(const OperatorArguments& arguments);

}  // namespace tilewright::cli
