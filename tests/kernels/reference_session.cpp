// The device of these tests: the reference interpreter.
#include "compiler/reference/interpreter.h"
#include "tests/kernels/operator_test.h"

namespace tilewright::kernels::testing {

Session& session() {
  static const std::unique_ptr<Session> instance = [] {
    SessionOptions options;
    options.poison = true;
    options.interpreter = [](const program::Program& program, const GridSize& grid, std::span<const std::uint64_t> arguments) {
      reference::Interpreter interpreter(program);
      for (std::int64_t z = 0; z < grid[2]; ++z) {
        for (std::int64_t y = 0; y < grid[1]; ++y) {
          for (std::int64_t x = 0; x < grid[0]; ++x) interpreter.run(arguments.data(), {x, y, z}, grid);
        }
      }
    };
    return make_session("reference", nullptr, options);
  }();
  return *instance;
}

}  // namespace tilewright::kernels::testing
