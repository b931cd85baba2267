// The verbs of the command line. Each adds its subcommand to the application; the callback stores its exit code through `code` and reports errors by exception.
#pragma once

#include "cli/exit_code.h"

#include <CLI/CLI.hpp>

namespace tilewright::cli {

void add_doctor(CLI::App& app, ExitCode& code);
void add_list(CLI::App& app, ExitCode& code);
void add_run(CLI::App& app, ExitCode& code);
void add_compile(CLI::App& app, ExitCode& code);
void add_bench(CLI::App& app, ExitCode& code);
void add_cache(CLI::App& app, ExitCode& code);

}  // namespace tilewright::cli
