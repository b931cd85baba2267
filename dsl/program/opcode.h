// The names of operations and of their kinds, by themselves: for headers that must stay light. program.h has the rest.
#pragma once

#include <cstdint>

namespace tilewright::program {

using ValueId = std::uint32_t;

enum class Opcode : std::uint8_t {
#define TW_OPCODE(Name, mnemonic, Class) Name,
#include "dsl/program/opcodes.def"
};

enum class ReduceKind : std::uint8_t { Sum, Prod, Min, Max, And, Or, Xor, Custom };

enum class AtomicKind : std::uint8_t { Add, Min, Max, And, Or, Xor, Exchange, CompareExchange };

enum class MemoryOrder : std::uint8_t { Relaxed, Acquire, Release, AcquireRelease };

enum class ParamKind : std::uint8_t { Input, Output, InOut, Scalar };

}  // namespace tilewright::program
