// Arguments of a launch: checked, described for the trace, and packed for the device.
#pragma once

#include "dsl/program/kernel.h"
#include "runtime/session.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tilewright {

// Throws Error naming the kernel, the argument and the value that is wrong:
//   TW3201 their number   TW3202 a scalar where a tensor stands, or the reverse   TW3203 rank outside 0 .. kMaxRank   TW3204 null data of a tensor with elements
//   TW3205 a negative size, or an extent beyond 2^63 bytes   TW3206 an output two elements of which lie at one address   TW3212 an address that is not a multiple of the element size
// With memory that is not yet there TW3204 is not looked for. Overlap is found between any two dimensions; layouts that overlap only through three or more together are not searched for.
enum class ArgumentMemory { There, NotYetThere };
void check_arguments(const program::TraceableKernel& kernel, std::span<const Argument> arguments, ArgumentMemory memory = ArgumentMemory::There);

// The bytes that a view's elements span: [first, first + bytes). No elements: bytes is 0. The view has passed check_arguments.
struct MemoryRange {
  const std::byte* first = nullptr;
  std::size_t bytes = 0;
};
MemoryRange range_of(const TensorView& view);

// The type of each argument, as the trace sees it. A floating-point scalar is f64 where a tensor of the call is f64 and f32 elsewhere; an integer scalar is i64.
program::Type type_of(const TensorView& view);
std::vector<program::Type> types_of(std::span<const Argument> arguments);

// What holds of a view at this call.
program::ArgumentFacts facts_of(const TensorView& view);

// The settings of a launch with every default filled in. Throws Error TW3208 for a name the kernel does not have, TW3209 for a constant that has no default and is not given.
KernelSettings complete_settings(const program::TraceableKernel& kernel, const KernelSettings& settings);

// The argument slots of runtime/artifact.h, scalars converted to their parameter's dtype. Throws Error TW3210 for a scalar that its parameter cannot hold: integers out of
// range, a fraction where an integer stands.
std::vector<std::uint64_t> pack_arguments(const program::Program& program, std::span<const Argument> arguments);

}  // namespace tilewright
