// What is carried through nested control flow: random kernels run by the reference interpreter against the same statements run in C++, and the
// canonical form under every order of evaluation.
#include "compiler/reference/interpreter.h"
#include "compiler/reference/slots.h"
#include "dsl/program/canonical.h"
#include "dsl/program/liveness.h"
#include "dsl/program/verify.h"
#include "tests/dsl/random_kernel.h"
#include "tests/dsl/trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tilewright::random_kernel {

static const std::vector<Statement>* g_statements = nullptr;

struct RandomKernel {
  Grid grid(InOut) const { return {1}; }
  void body(InOut y) const { LanguageRun(y).run(*g_statements); }
};
TW_KERNEL(RandomKernel, "random_kernel", "y")

namespace {

using program::OpId;
using program::Program;
using program::Region;
using program::ValueId;

Program traced(const std::vector<Statement>& statements) {
  g_statements = &statements;
  return trace<RandomKernel>({view_type(DType::I64, 1)});
}

std::vector<std::int64_t> interpreted(const Program& program, std::vector<std::int64_t> cells) {
  cells.resize(kCells + kVariables);
  std::vector<std::uint64_t> slots;
  const std::int64_t size = static_cast<std::int64_t>(cells.size()), stride = 1;
  reference::append_view(slots, cells.data(), std::span(&size, 1), std::span(&stride, 1));
  reference::Interpreter(program).run_all(slots.data());
  return cells;
}

// Reorders the operations of every region at random, keeping operands before their use and the order of reads and writes.
class Shuffle {
 public:
  Shuffle(Program& program, std::uint64_t seed) : program_(program), live_(program), random_(seed) {}

  void run() { region(program_.body); }

 private:
  void used_by(const program::Op& op, std::set<OpId>& uses) const {
    for (ValueId value : op.operands) uses.insert(program_.values[value].def);
    for (const Region& inner : op.regions) {
      for (ValueId value : inner.yields) uses.insert(program_.values[value].def);
      for (OpId id : inner.ops) used_by(program_.ops[id], uses);
    }
  }

  void region(Region& region) {
    std::vector<OpId> left = region.ops, order;
    std::set<OpId> placed;
    std::vector<std::set<OpId>> uses(program_.ops.size());
    for (OpId id : left) used_by(program_.ops[id], uses[id]);
    while (!left.empty()) {
      std::vector<std::size_t> ready;
      bool write_before = false, read_before = false;
      for (std::size_t i = 0; i < left.size(); ++i) {
        const auto memory = live_.memory(left[i]);
        bool ok = !(memory == program::Memory::Writes && (write_before || read_before)) && !(memory == program::Memory::Reads && write_before);
        for (std::size_t j = 0; j < left.size() && ok; ++j) ok = !uses[left[i]].contains(left[j]);
        if (ok) ready.push_back(i);
        write_before |= memory == program::Memory::Writes;
        read_before |= memory == program::Memory::Reads;
      }
      const std::size_t chosen = ready[std::uniform_int_distribution<std::size_t>(0, ready.size() - 1)(random_)];
      order.push_back(left[chosen]);
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    region.ops = order;
    for (OpId id : order) {
      for (Region& inner : program_.ops[id].regions) this->region(inner);
    }
  }

  Program& program_;
  program::Liveness live_;
  std::mt19937_64 random_;
};

TEST(Carry, RandomKernelsComputeWhatCxxComputes) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const std::vector<Statement> statements = Generator(seed).body(3);
    const std::vector<std::int64_t> cells = {3, -1, 7, 2, static_cast<std::int64_t>(seed), 5};
    ASSERT_EQ(interpreted(traced(statements), cells), HostRun(cells).run(statements)) << "seed " << seed << "\n" << to_text(traced(statements));
  }
}

TEST(Carry, CanonicalFormIgnoresTheOrderOfEvaluation) {
  int moved = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const std::vector<Statement> statements = Generator(seed).body(3);
    const Program program = traced(statements);
    ASSERT_EQ(to_text(canonicalize(program)), to_text(program)) << "seed " << seed;
    Program shuffled = program;
    Shuffle(shuffled, seed).run();
    program::verify(shuffled);
    moved += to_text(shuffled) != to_text(program);
    ASSERT_EQ(to_text(canonicalize(shuffled)), to_text(program)) << "seed " << seed << "\n" << to_text(shuffled);
  }
  EXPECT_GT(moved, 300);
}

}  // namespace
}  // namespace tilewright::random_kernel
