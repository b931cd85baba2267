#include "cli/devices.h"

#include "compiler/compiler.h"
#include "compiler/reference/interpreter.h"

namespace tilewright::cli {

std::shared_ptr<Compiler> compiler() {
  static const std::shared_ptr<Compiler> instance = make_compiler();
  return instance;
}

InterpreterHook interpreter(std::FILE* print_to, Stepping stepping) {
  return [=](const program::Program& program, const GridSize& grid, std::span<const std::uint64_t> arguments) {
    reference::Hooks hooks;
    hooks.print = [print_to](std::string_view line) {
      std::fwrite(line.data(), 1, line.size(), print_to);
      std::fputc('\n', print_to);
    };
    Stepper stepper(stepping);
    if (stepping != Stepping::Off) hooks.step = [&](const reference::Interpreter& at, program::OpId op) { stepper.before(at, op); };
    reference::Interpreter interpreter(program, hooks);
    for (std::int64_t z = 0; z < grid[2]; ++z) {
      for (std::int64_t y = 0; y < grid[1]; ++y) {
        for (std::int64_t x = 0; x < grid[0]; ++x) interpreter.run(arguments.data(), {x, y, z}, grid);
      }
    }
  };
}

}  // namespace tilewright::cli
