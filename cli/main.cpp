// The command line `tilewright`: one file a verb, errors to stderr, exit codes as exit_code.h says.
#include "cli/stepper.h"
#include "cli/verbs.h"
#include "runtime/support/error.h"

#include <fmt/core.h>

#include <new>

namespace tilewright::cli {
namespace {

ExitCode code_of(const Error& error) {
  if (error.code() == 3301) return kNoDevice;
  return error.code() >= 9000 ? kOurDefect : kBadInput;
}

int run(int argc, char** argv) {
  ExitCode code = kDone;
  CLI::App app("Tilewright: tile kernels, compiled where they run");
  app.set_version_flag("--version", "tilewright " TILEWRIGHT_VERSION);
  app.require_subcommand(0, 1);  // so that a word that is no verb is named
  app.failure_message(CLI::FailureMessage::simple);
  add_doctor(app, code);
  add_list(app, code);
  add_run(app, code);
  add_compile(app, code);
  add_bench(app, code);
  add_cache(app, code);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) {
      fmt::print(stderr, "a verb is missing\n{}", app.help());
      return kBadInput;
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kBadInput;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return code_of(error);
  } catch (const Stopped&) {
    return kDone;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "error: out of memory\n");
    return kBadInput;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error[TW9000]: unexpected: {}\n", error.what());
    return kOurDefect;
  }
  return code;
}

}  // namespace
}  // namespace tilewright::cli

int main(int argc, char** argv) { return tilewright::cli::run(argc, argv); }
