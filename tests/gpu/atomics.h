// Atomic operations of the simulated GPU, in plain C++.
#pragma once

#include <cstdint>
#include <string>

namespace tilewright::simt {

// The elements of an atomic operation.
enum class AtomicElement : std::int32_t { kInteger32, kInteger64, kHalf, kBfloat, kFloat, kDouble };

std::int32_t bytes_of(AtomicElement element);

// What is written for a kind by the name it has in the tile dialect ("add", "mins", …), given what is there, the value and what is expected; all as bits.
std::uint64_t combined(const std::string& kind, AtomicElement element, std::uint64_t old, std::uint64_t value, std::uint64_t expected);

}  // namespace tilewright::simt
