// Both sides of the comparison.
#include "tests/fuzz/run.h"

#include "compiler/reference/interpreter.h"
#include "runtime/drivers/cpu/object_code.h"
#include "runtime/support/error.h"
#include "tests/fuzz/fault.h"

#include <cstring>
#include <utility>

namespace tilewright::fuzz {

namespace {

void run_reference(const program::Program& program, const Memory& memory) { reference::Interpreter(program).run_all(memory.slots()); }

Artifact compile(Compiler& compiler, const std::string& target, const Case& test) {
  CompileOptions options;
  options.target = target;
  return compiler.compile(std::make_shared<const program::Program>(test.program), options);
}

class Compiled : public Target {
 public:
  Compiled(Compiler& compiler, std::string name) : compiler_(compiler), name_(std::move(name)) {}

  void prepare(const Case& test) override {
    code_.reset();
    artifact_ = compile(compiler_, name_, test);
    code_ = load_object(artifact_, entry_);
  }

  std::string run(const Case& test, const Memory& memory) override {
    const reference::GridIndex grid = reference::Interpreter(test.program).grid(memory.slots());
    const std::size_t bytes = (std::max<std::size_t>(artifact_.scratch_bytes, sizeof(ScratchPrefix)) + 63) / 64 * 64;
    const Guarded scratch(bytes, Placement::AtEnd, 64);
    std::string failed_assert;
    ScratchPrefix prefix;
    prefix.callbacks.context = &failed_assert;
    prefix.callbacks.assert_failed = [](void* context, const char* message) { *static_cast<std::string*>(context) = message; };
    const Fault fault = run_catching_faults([&] {
      for (std::int64_t z = 0; z < grid[2]; ++z) {
        for (std::int64_t y = 0; y < grid[1]; ++y) {
          for (std::int64_t x = 0; x < grid[0]; ++x) {
            std::memset(scratch.data(), 0xff, bytes);
            std::memcpy(scratch.data(), &prefix, sizeof prefix);
            const std::int64_t id[3] = {x, y, z};
            entry_(memory.slots(), id, grid.data(), reinterpret_cast<char*>(scratch.data()));
          }
        }
      }
    });
    if (fault.signal != 0) {
      std::string at = memory.name_of(fault.address, test.program);
      if (at.empty() && scratch.contains(fault.address)) at = "scratch";
      return fault.name() + " at " + (at.empty() ? "an address outside of all tensors" : at);
    }
    return failed_assert.empty() ? "" : "assertion failed: " + failed_assert;
  }

 private:
  Compiler& compiler_;
  std::string name_;
  Artifact artifact_;
  std::shared_ptr<void> code_;
  CpuEntry entry_ = nullptr;
};

class OnlyCompiled : public Target {
 public:
  OnlyCompiled(Compiler& compiler, std::string name) : compiler_(compiler), name_(std::move(name)) {}

  void prepare(const Case& test) override { compile(compiler_, name_, test); }
  bool only_prepares() const override { return true; }
  std::string run(const Case&, const Memory&) override { return {}; }

 private:
  Compiler& compiler_;
  std::string name_;
};

class Transformed : public Target {
 public:
  explicit Transformed(std::function<program::Program(const program::Program&)> transform) : transform_(std::move(transform)) {}
  void prepare(const Case& test) override { program_ = transform_(test.program); }
  std::string run(const Case&, const Memory& memory) override {
    run_reference(program_, memory);
    return {};
  }

 private:
  std::function<program::Program(const program::Program&)> transform_;
  program::Program program_;
};

}  // namespace

std::unique_ptr<Target> compiled_target(Compiler& compiler, std::string name) { return std::make_unique<Compiled>(compiler, std::move(name)); }

std::unique_ptr<Target> compiling_target(Compiler& compiler, std::string name) { return std::make_unique<OnlyCompiled>(compiler, std::move(name)); }

std::unique_ptr<Target> transformed_reference(std::function<program::Program(const program::Program&)> transform) {
  return std::make_unique<Transformed>(std::move(transform));
}

Outcome check(const Case& test, Target& target) {
  try {
    target.prepare(test);
  } catch (const Error& error) {
    constexpr int kMoreSharedMemoryThanABlockHas = 2310;
    return {error.code() == kMoreSharedMemoryThanABlockHas ? Outcome::Skipped : Outcome::Refused, error.what()};
  }
  if (target.only_prepares()) return {};
  for (const Layout& layout : kLayouts) {
    Memory expected(test, layout), actual(test, layout);
    expected.protect_inputs(test.program);
    actual.protect_inputs(test.program);
    if (!target.can_judge(test, actual)) return {Outcome::Skipped, "its result depends on the order of the grid"};
    run_reference(test.program, expected);
    std::string wrong;
    try {
      wrong = target.run(test, actual);
    } catch (const Error& error) {
      wrong = error.what();
    }
    if (!wrong.empty()) return {Outcome::Faulted, wrong};
    const std::string differing = difference(test, expected, actual);
    if (!differing.empty()) return {Outcome::Differs, differing};
  }
  return {};
}

}  // namespace tilewright::fuzz
