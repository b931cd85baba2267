#include "tests/runtime/test_kernels.h"

#include "compiler/reference/interpreter.h"
#include "dsl/program/builder.h"
#include "runtime/support/error.h"

#define TILEWRIGHT_INCLUDE_BYTES(name, path)                                                                                          \
  __asm__(".pushsection .rodata\n.p2align 4\n.globl " #name "_begin\n" #name "_begin:\n.incbin \"" path "\"\n.globl " #name "_end\n" #name "_end:\n.popsection"); \
  extern "C" const char name##_begin[], name##_end[];

TILEWRIGHT_INCLUDE_BYTES(native_kernels, TILEWRIGHT_NATIVE_KERNELS)
TILEWRIGHT_INCLUDE_BYTES(object_samples, TILEWRIGHT_OBJECT_SAMPLES)

namespace tilewright::testing {

namespace {

using program::Builder;
using program::CallFacts;
using program::Opcode;
using program::ParamKind;
using program::Program;
using program::ValueId;

std::vector<ValueId> add_params(Builder& b, const BuiltKernel& kernel, const CallFacts& facts) {
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < kernel.params().size(); ++i)
    values.push_back(b.add_param(kernel.params()[i].name, kernel.params()[i].kind, facts.types[i], facts.facts[i]));
  return values;
}

ValueId integer(Builder& b, std::int64_t value) { return b.integer(DType::I64, value); }

ValueId ceil_div(Builder& b, ValueId value, std::int64_t by) {
  return b.op(Opcode::Div, {b.op(Opcode::Add, {value, integer(b, by - 1)}), integer(b, by)});
}

void require_rank(const CallFacts& facts, std::size_t argument, std::size_t rank, const std::string& name) {
  if (facts.types[argument].rank() != rank) throw Error(1301, "'" + name + "' has rank " + std::to_string(facts.types[argument].rank()) + ", wanted " + std::to_string(rank));
}

Program build_count(const BuiltKernel& kernel, const CallFacts& facts) {
  require_rank(facts, 0, 1, "out");
  Builder b(kernel.name());
  const auto p = add_params(b, kernel, facts);
  b.begin_grid();
  b.end_grid({p[1], p[2], p[3]});
  const ValueId x = b.op(Opcode::ProgramId, {}, {0}), y = b.op(Opcode::ProgramId, {}, {1}), z = b.op(Opcode::ProgramId, {}, {2});
  const ValueId gx = b.op(Opcode::NumPrograms, {}, {0}), gy = b.op(Opcode::NumPrograms, {}, {1});
  const ValueId n = b.op(Opcode::Add, {x, b.op(Opcode::Mul, {gx, b.op(Opcode::Add, {y, b.op(Opcode::Mul, {gy, z})})})});
  const ValueId old = b.load(p[0], {n}, {program::kMapPoint}, {});
  b.store(p[0], {n}, {program::kMapPoint}, b.op(Opcode::Add, {old, b.op(Opcode::Add, {n, integer(b, 1)})}));
  return std::move(b).finish();
}

Program build_axpb(const BuiltKernel& kernel, const CallFacts& facts) {
  require_rank(facts, 0, 1, "x");
  const std::int64_t block = facts.settings.at("block");
  Builder b(kernel.name());
  const auto p = add_params(b, kernel, facts);
  const DType type = facts.types[0].dtype;
  b.bind("block", block);
  b.bind("b", facts.settings.at("b"));
  b.begin_grid();
  b.end_grid({ceil_div(b, b.op(Opcode::ViewSize, {p[0]}, {0}), block)});
  const ValueId first = b.op(Opcode::Mul, {b.op(Opcode::ProgramId, {}, {0}), integer(b, block)});
  const ValueId x = b.load(p[0], {first}, {0}, {block});
  const ValueId product = b.elementwise(Opcode::Mul, {x, b.cast(p[2], type)});
  b.store(p[1], {first}, {0}, b.elementwise(Opcode::Add, {product, b.real(type, static_cast<double>(facts.settings.at("b")))}));
  return std::move(b).finish();
}

Program build_copy(const BuiltKernel& kernel, const CallFacts& facts) {
  require_rank(facts, 0, 2, "x");
  require_rank(facts, 1, 2, "y");
  Builder b(kernel.name());
  const auto p = add_params(b, kernel, facts);
  b.begin_grid();
  b.end_grid({b.op(Opcode::ViewSize, {p[0]}, {0}), ceil_div(b, b.op(Opcode::ViewSize, {p[0]}, {1}), 16)});
  const ValueId row = b.op(Opcode::ProgramId, {}, {0}), column = b.op(Opcode::Mul, {b.op(Opcode::ProgramId, {}, {1}), integer(b, 16)});
  const ValueId tile = b.load(p[0], {row, column}, {program::kMapPoint, 0}, {16});
  b.store(p[1], {row, column}, {program::kMapPoint, 0}, tile);
  return std::move(b).finish();
}

Program build_bound(const BuiltKernel& kernel, const CallFacts& facts) {
  require_rank(facts, 0, 1, "x");
  Builder b(kernel.name());
  const auto p = add_params(b, kernel, facts);
  b.begin_grid();
  b.end_grid({b.op(Opcode::ViewSize, {p[0]}, {0})});
  const ValueId x = b.load(p[0], {b.op(Opcode::ProgramId, {}, {0})}, {program::kMapPoint}, {});
  b.at("bound.cpp", 7, 3);
  b.ops(Opcode::Assert, {b.op(Opcode::Lt, {x, p[1]})}, {}, nullptr, "x is below the limit");
  return std::move(b).finish();
}

}  // namespace

std::vector<char> native_object(const std::string& name) {
  if (name == "native_kernels") return {native_kernels_begin, native_kernels_end};
  return {object_samples_begin, object_samples_end};
}

const BuiltKernel& count_kernel() {
  static const BuiltKernel kernel("count", {{"out", ParamKind::InOut}, {"gx", ParamKind::Scalar}, {"gy", ParamKind::Scalar}, {"gz", ParamKind::Scalar}}, {}, build_count);
  return kernel;
}

const BuiltKernel& axpb_kernel() {
  static const BuiltKernel kernel("axpb", {{"x", ParamKind::Input}, {"y", ParamKind::Output}, {"a", ParamKind::Scalar}},
                                  {{"block", true, true, 64, {64, 128}}, {"b", false, false, 0, {}}}, build_axpb);
  return kernel;
}

const BuiltKernel& copy_kernel() {
  static const BuiltKernel kernel("copy", {{"x", ParamKind::Input}, {"y", ParamKind::Output}}, {}, build_copy);
  return kernel;
}

const BuiltKernel& bound_kernel() {
  static const BuiltKernel kernel("bound", {{"x", ParamKind::Input}, {"limit", ParamKind::Scalar}}, {}, build_bound);
  return kernel;
}

Artifact NativeCompiler::compile(std::shared_ptr<const program::Program> program, const CompileOptions& options) {
  ++compiles;
  if (during_compile) during_compile();
  if (fail) throw Error(2001, "the compiler was told to fail");
  Artifact artifact;
  artifact.kernel = artifact.entry = program->name;
  artifact.target = options.target;
  static const std::vector<char> code = native_object("native_kernels");
  artifact.code = code;
  artifact.scratch_bytes = sizeof(ScratchPrefix) + 64 * sizeof(float);
  artifact.program = std::move(program);
  return artifact;
}

std::string NativeCompiler::emit(const program::Program& program, const CompileOptions&, std::string_view level) { return std::string(level) + " of " + program.name; }

InterpreterHook reference_interpreter() {
  return [](const program::Program& program, const GridSize& grid, std::span<const std::uint64_t> arguments) {
    reference::Interpreter interpreter(program);
    for (std::int64_t z = 0; z < grid[2]; ++z) {
      for (std::int64_t y = 0; y < grid[1]; ++y) {
        for (std::int64_t x = 0; x < grid[0]; ++x) interpreter.run(arguments.data(), {x, y, z}, grid);
      }
    }
  };
}

}  // namespace tilewright::testing
