// import_samples NAME [--locations]: builds a small program of that name, imports it, and prints the module. Tests under tests/lit/import
// check the text.
#include "compiler/import/import.h"
#include "dsl/program/builder.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

#include <functional>
#include <iostream>
#include <limits>
#include <map>

namespace {

using namespace tilewright;
using namespace tilewright::program;

Type tile(DType dtype, Shape shape = {}) { return {dtype, std::move(shape)}; }
Type view(DType dtype, std::size_t rank) { return {dtype, Shape(rank, -1), true}; }

// Stores `value` to a fresh output, so that it is used.
void keep(Builder& b, ValueId value) {
  const Type type = b.type(value);
  const ValueId out = b.add_param("out" + std::to_string(b.program().params.size()), ParamKind::Output, view(type.dtype, type.rank()));
  const ValueId zero = b.integer(DType::I64, 0);
  std::vector<std::int64_t> maps;
  for (std::size_t axis = 0; axis < type.rank(); ++axis) maps.push_back(static_cast<std::int64_t>(axis));
  b.store(out, std::vector<ValueId>(type.rank(), zero), maps, value);
}

void interface(Builder& b) {
  const ValueId x = b.add_param("x", ParamKind::Input, view(DType::F32, 2), {true, true, true});
  b.add_param("y", ParamKind::InOut, view(DType::Bool, 1));
  b.add_param("n", ParamKind::Scalar, tile(DType::U32));
  b.at("kernel.cpp", 3, 7);
  const ValueId row = b.op(Opcode::ProgramId, {}, {1});
  const ValueId rows = b.op(Opcode::NumPrograms, {}, {0});
  b.at("kernel.cpp", 4, 9);
  const ValueId size = b.op(Opcode::ViewSize, {x}, {1});
  const ValueId part = b.op(Opcode::ViewNarrow, {x, row, size}, {0});
  b.at("helper.h", 12, 1);
  keep(b, b.load(part, {rows, row}, {kMapPoint, 0}, {8}));
}

void memory(Builder& b) {
  const ValueId x = b.add_param("x", ParamKind::Input, view(DType::F16, 2));
  const ValueId y = b.add_param("y", ParamKind::Output, view(DType::F16, 2));
  const ValueId zero = b.integer(DType::I64, 0);
  auto arange = [&](DType dtype, std::int64_t extent) { return b.op(Opcode::Arange, {}, {0}, tile(dtype, {extent})); };
  const ValueId mask = b.integer(DType::Bool, 1, {4, 8});
  keep(b, b.load(x, {arange(DType::U8, 4), zero}, {0, 1}, {4, 8}));
  keep(b, b.load(x, {arange(DType::U32, 4), zero}, {0, 1}, {4, 8}, mask, b.real(DType::F16, 1)));
  keep(b, b.load(x, {arange(DType::I32, 4), arange(DType::U64, 8)}, {0, 1}, {4, 8}));
  const ValueId whole = b.broadcast(b.reshape(arange(DType::I16, 4), {4, 1}), {4, 8});
  const ValueId gathered = b.load(x, {whole, zero}, {kMapFull, kMapPoint}, {4, 8}, kNone, b.real(DType::F16, 0, {4, 8}));
  b.store(y, {zero, zero}, {1, 0}, b.transpose(gathered, {1, 0}), b.transpose(mask, {1, 0}));
  b.store(y, {zero, zero}, {kMapPoint, kMapPoint}, b.load(x, {b.integer(DType::I8, 3), zero}, {kMapFull, kMapPoint}, {}));
}

void atomics(Builder& b) {
  const auto inout = [&](const char* name, DType dtype) { return b.add_param(name, ParamKind::InOut, view(dtype, 1)); };
  const ValueId i = inout("i", DType::I32), u = inout("u", DType::U32), f = inout("f", DType::F64), h = inout("h", DType::BF16);
  const ValueId zero = b.integer(DType::I64, 0), mask = b.integer(DType::Bool, 1, {4});
  const ValueId each = b.op(Opcode::Arange, {}, {0}, tile(DType::U8, {4}));
  b.atomic(AtomicKind::Add, i, {each}, {0}, b.integer(DType::I32, 1, {4}), mask);
  b.atomic(AtomicKind::Min, i, {zero}, {0}, b.integer(DType::I32, 1, {4}));
  keep(b, b.atomic(AtomicKind::Max, u, {zero}, {kMapPoint}, b.integer(DType::U32, 2)));
  b.atomic(AtomicKind::Min, f, {each}, {kMapFull}, b.real(DType::F64, 1, {4}));
  b.atomic(AtomicKind::Add, h, {zero}, {0}, b.real(DType::BF16, 1, {4}));
  b.atomic(AtomicKind::Exchange, f, {zero}, {kMapPoint}, b.real(DType::F64, 3));
  b.atomic(AtomicKind::CompareExchange, u, {zero}, {kMapPoint}, b.integer(DType::U32, 2), kNone, b.integer(DType::U32, 5));
  for (MemoryOrder order : {MemoryOrder::Acquire, MemoryOrder::Release, MemoryOrder::AcquireRelease}) b.ops(Opcode::Fence, {}, {static_cast<std::int64_t>(order)});
}

void floats(Builder& b) {
  const ValueId x = b.add_param("x", ParamKind::Scalar, tile(DType::BF16)), y = b.add_param("y", ParamKind::Scalar, tile(DType::F32));
  const ValueId wide = b.broadcast(x, {4});
  for (Opcode opcode : {Opcode::Neg, Opcode::Exp2, Opcode::IsNan}) keep(b, b.op(opcode, {wide}));
  keep(b, b.op(Opcode::Max, {x, x}));
  keep(b, b.op(Opcode::Fma, {wide, wide, wide}));
  keep(b, b.op(Opcode::Select, {b.op(Opcode::Ne, {y, y}), x, x}));
  for (Opcode opcode : {Opcode::Eq, Opcode::Lt, Opcode::Le, Opcode::Gt, Opcode::Ge}) keep(b, b.op(opcode, {y, y}));
  for (Opcode opcode : {Opcode::Abs, Opcode::Exp, Opcode::Log, Opcode::Log2, Opcode::Sqrt, Opcode::Rsqrt, Opcode::Sin, Opcode::Cos, Opcode::Tanh,
                        Opcode::Floor, Opcode::Ceil})
    keep(b, b.op(opcode, {y}));
  for (Opcode opcode : {Opcode::Add, Opcode::Sub, Opcode::Mul, Opcode::Div, Opcode::Min}) keep(b, b.op(opcode, {y, y}));
  keep(b, b.real(DType::BF16, 0.1, {2}));
}

void integers(Builder& b) {
  const ValueId s = b.add_param("s", ParamKind::Scalar, tile(DType::I32)), u = b.add_param("u", ParamKind::Scalar, tile(DType::U32));
  const ValueId flag = b.add_param("flag", ParamKind::Scalar, tile(DType::Bool));
  for (ValueId x : {s, u}) {
    for (Opcode opcode : {Opcode::Div, Opcode::Rem, Opcode::Min, Opcode::Max, Opcode::Shl, Opcode::Shr, Opcode::Lt, Opcode::Ge, Opcode::Add,
                          Opcode::Sub, Opcode::Mul, Opcode::And, Opcode::Or, Opcode::Xor})
      keep(b, b.op(opcode, {x, x}));
    for (Opcode opcode : {Opcode::Neg, Opcode::Abs, Opcode::Not}) keep(b, b.op(opcode, {x}));
  }
  keep(b, b.op(Opcode::Not, {flag}));
  keep(b, b.op(Opcode::Eq, {flag, flag}));
}

void casts(Builder& b) {
  auto param = [&](DType dtype) { return b.add_param("p" + std::to_string(b.program().params.size()), ParamKind::Scalar, tile(dtype)); };
  auto convert = [&](DType from, DType to) { keep(b, b.cast(param(from), to)); };
  convert(DType::I8, DType::I32);
  convert(DType::U8, DType::I32);
  convert(DType::I64, DType::I16);
  convert(DType::I32, DType::U32);
  convert(DType::Bool, DType::I64);
  convert(DType::Bool, DType::F16);
  convert(DType::I32, DType::Bool);
  convert(DType::F16, DType::Bool);
  convert(DType::F16, DType::I8);
  convert(DType::F64, DType::U16);
  convert(DType::F16, DType::BF16);
  convert(DType::BF16, DType::F64);
  convert(DType::F64, DType::F32);
  convert(DType::U64, DType::F32);
  convert(DType::I64, DType::F16);
  keep(b, b.op(Opcode::Bitcast, {param(DType::F32)}, {}, tile(DType::U32)));
  keep(b, b.op(Opcode::Bitcast, {param(DType::I32)}, {}, tile(DType::U32)));
}

void f64_to_bf16(Builder& b) { keep(b, b.cast(b.add_param("x", ParamKind::Scalar, tile(DType::F64)), DType::BF16)); }

void i64_to_bf16(Builder& b) { keep(b, b.cast(b.add_param("x", ParamKind::Scalar, tile(DType::I64)), DType::BF16)); }

void float8(Builder& b) {
  const ValueId wide = b.add_param("wide", ParamKind::Scalar, tile(DType::F64)), whole = b.add_param("whole", ParamKind::Scalar, tile(DType::I64));
  const ValueId half = b.add_param("half", ParamKind::Scalar, tile(DType::BF16)), byte = b.add_param("byte", ParamKind::Scalar, tile(DType::F8E5M2));
  keep(b, b.cast(wide, DType::F8E4M3));
  keep(b, b.cast(whole, DType::F8E4M3));
  keep(b, b.cast(half, DType::F8E5M2));
  keep(b, b.cast(byte, DType::F8E4M3));
  keep(b, b.cast(byte, DType::BF16));
  keep(b, b.cast(byte, DType::U16));
  keep(b, b.real(DType::F8E4M3, 1e6));
  keep(b, b.real(DType::F8E5M2, -1.1, {2}));
  const ValueId left = b.real(DType::F8E4M3, 1, {4, 8}), right = b.real(DType::F8E5M2, 1, {8, 2});
  keep(b, b.dot(left, right, b.real(DType::F32, 0, {4, 2})));
}

void constants(Builder& b) {
  keep(b, b.integer(DType::U8, 200, {2}));
  keep(b, b.integer(DType::U64, -1));
  keep(b, b.integer(DType::Bool, 1));
  keep(b, b.real(DType::F16, 1.0 / 3, {2, 2}));
  keep(b, b.real(DType::F64, std::numeric_limits<double>::infinity()));
  keep(b, b.op(Opcode::Arange, {}, {-3}, tile(DType::I8, {4})));
}

void shapes(Builder& b) {
  const ValueId x = b.add_param("x", ParamKind::Scalar, tile(DType::F32));
  const ValueId one = b.reshape(x, {1, 1});
  keep(b, b.reshape(one, {}));
  const ValueId column = b.broadcast(b.broadcast(x, {4, 1}), {4, 6});
  const ValueId both = b.op(Opcode::Concat, {column, column}, {0});
  const ValueId index = b.integer(DType::U64, 3, {8, 2});
  const ValueId part = b.op(Opcode::Take, {both, index}, {1});
  keep(b, b.slice(b.transpose(part, {1, 0}), 1, 2, 3));
  keep(b, b.op(Opcode::Transpose, {x}));
}

void reductions(Builder& b) {
  const ValueId x = b.broadcast(b.add_param("x", ParamKind::Scalar, tile(DType::BF16)), {4, 8});
  const ValueId u = b.broadcast(b.add_param("u", ParamKind::Scalar, tile(DType::U16)), {8});
  keep(b, b.dot(x, b.transpose(x, {1, 0})));
  const ValueId bytes = b.integer(DType::U8, 7, {2, 2});
  keep(b, b.dot(bytes, bytes));
  keep(b, b.reduce(ReduceKind::Sum, x, 1));
  keep(b, b.reduce(ReduceKind::Max, u, 0));
  keep(b, b.reduce(ReduceKind::And, b.integer(DType::Bool, 1, {8}), 0));
  keep(b, b.scan(ReduceKind::Min, x, 0, true));
  keep(b, b.op(Opcode::ArgMax, {x}, {1}));
  keep(b, b.op(Opcode::ArgMin, {u}, {0}));
  const std::vector<ValueId> best = b.ops(Opcode::TopK, {x}, {1, 3, 1});
  keep(b, best[0]);
  keep(b, best[1]);
  const ValueId index = b.op(Opcode::Arange, {}, {0}, tile(DType::I32, {8}));
  const std::vector<ValueId> args = b.begin_combiner(Opcode::Reduce, {u, index}, 0);
  const ValueId left = b.op(Opcode::Ge, {args[0], args[2]});
  const std::vector<ValueId> found =
      b.end_combiner({b.op(Opcode::Select, {left, args[0], args[2]}), b.op(Opcode::Select, {left, args[1], args[3]})});
  keep(b, found[1]);
}

void control(Builder& b) {
  const ValueId n = b.add_param("n", ParamKind::Scalar, tile(DType::I64)), x = b.add_param("x", ParamKind::Scalar, tile(DType::F32));
  const ValueId zero = b.integer(DType::I64, 0), one = b.integer(DType::I64, 1);
  const std::vector<ValueId> loop = b.begin_for(zero, n, one, {x}, 3);
  b.begin_if(b.op(Opcode::Lt, {loop[0], one}));
  const ValueId twice = b.op(Opcode::Add, {loop[1], loop[1]});
  b.begin_else();
  const ValueId chosen = b.end_if({twice}, {loop[1]})[0];
  keep(b, b.end_for({chosen})[0]);

  b.begin_for(zero, n, one, {});
  b.begin_if(b.op(Opcode::Eq, {n, one}));
  b.ops(Opcode::Print, {n}, {}, nullptr, "one");
  b.end_if({}, {});
  b.end_for({});

  const ValueId start = b.begin_while({n})[0];
  const ValueId carried = b.begin_while_body(b.op(Opcode::Gt, {start, one}))[0];
  keep(b, b.end_while({b.op(Opcode::Div, {carried, b.integer(DType::I64, 2)})})[0]);
}

void effects(Builder& b) {
  const ValueId n = b.add_param("n", ParamKind::Scalar, tile(DType::U8)), x = b.add_param("x", ParamKind::Scalar, tile(DType::I32));
  b.ops(Opcode::Print, {x}, {}, nullptr, "x");
  b.ops(Opcode::Print, {x, n}, {}, nullptr, "both");
  b.ops(Opcode::Assert, {b.op(Opcode::Gt, {x, b.integer(DType::I32, 0)})}, {}, nullptr, "x is positive");
}

void external(Builder& b) {
  const ValueId x = b.add_param("x", ParamKind::Scalar, tile(DType::BF16)), wide = b.broadcast(x, {4});
  keep(b, b.external({"cuda", "pick", "__device__ int pick(__nv_bfloat16, unsigned char);"}, {wide, b.integer(DType::U8, 3)}, DType::I32));
}

void roles(Builder& b) {
  const ValueId x = b.add_param("x", ParamKind::Input, view(DType::BF16, 3));
  const ValueId y = b.add_param("y", ParamKind::InOut, view(DType::BF16, 3)), sums_of = b.add_param("s", ParamKind::InOut, view(DType::BF16, 2));
  const ValueId zero = b.integer(DType::I64, 0);
  const ValueId tiles = b.op(Opcode::Channel, {}, {}, program::Type{DType::BF16, {64, 64}, false, program::Shared::Channel, 2});
  const ValueId kept = b.op(Opcode::SharedTile, {}, {}, program::Type{DType::BF16, {64, 64}, false, program::Shared::Tile});
  const ValueId turns = b.op(Opcode::Turns, {});
  b.begin_roles(24, 240);
  b.ops(Opcode::Send, {x, zero, zero, zero, tiles}, {kMapPoint, 0, 1});
  b.begin_consumers();
  b.ops(Opcode::SharedStore, {kept, b.real(DType::BF16, 1, {64, 64})});
  b.ops(Opcode::CopyOut, {y, zero, zero, zero, kept}, {kMapPoint, 0, 1, 0});
  b.ops(Opcode::CopyOut, {sums_of, zero, zero, kept}, {0, 1, 1});
  const ValueId received = b.op(Opcode::Receive, {tiles});
  b.ops(Opcode::TakeTurn, {turns});
  const ValueId begun = b.op(Opcode::GroupProduct, {kept, received, b.real(DType::F32, 0, {64, 64})}, {0, 1, 1});
  b.ops(Opcode::PassTurn, {turns});
  const ValueId sums = b.op(Opcode::GroupWait, {begun});
  const ValueId again = b.op(Opcode::GroupProduct, {b.cast(sums, DType::BF16), received, sums}, {0, 0, 0});
  keep(b, b.op(Opcode::GroupProduct, {received, received, again}, {1, 0, 0}));
  b.ops(Opcode::Release, {received});
  b.end_roles();
}

const std::map<std::string, std::function<void(Builder&)>> kSamples = {
    {"interface", interface}, {"memory", memory}, {"atomics", atomics},           {"floats", floats},           {"integers", integers},
    {"float8", float8},       {"casts", casts},         {"f64_to_bf16", f64_to_bf16}, {"i64_to_bf16", i64_to_bf16}, {"constants", constants},
    {"shapes", shapes},       {"reductions", reductions},   {"control", control},         {"effects", effects},     {"external", external},
    {"roles", roles},
};

}  // namespace

int main(int argc, char** argv) {
  const auto sample = argc > 1 ? kSamples.find(argv[1]) : kSamples.end();
  if (sample == kSamples.end()) {
    std::cerr << "usage: import_samples NAME [--locations], NAME one of\n";
    for (const auto& [name, build] : kSamples) std::cerr << "  " << name << "\n";
    return 2;
  }
  try {
    Builder builder(sample->first);
    sample->second(builder);
    const Program program = std::move(builder).finish();
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    mlir::OpPrintingFlags flags;
    if (argc > 2 && std::string(argv[2]) == "--locations") flags.enableDebugInfo(true, true);
    import_program(context, program)->print(llvm::outs(), flags);
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
