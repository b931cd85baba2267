#include "dsl/program/program.h"

#include <array>

namespace tilewright::program {

namespace {

struct OpcodeInfo {
  std::string_view mnemonic;
  OpClass cls;
};

constexpr OpcodeInfo kOpcodes[] = {
#define TW_OPCODE(Name, mnemonic, Class) {#mnemonic, OpClass::Class},
#include "dsl/program/opcodes.def"
};

}  // namespace

OpClass class_of(Opcode opcode) { return kOpcodes[static_cast<std::size_t>(opcode)].cls; }
std::string_view mnemonic_of(Opcode opcode) { return kOpcodes[static_cast<std::size_t>(opcode)].mnemonic; }

std::string_view function_of(AtomicKind kind) {
  switch (kind) {
    case AtomicKind::Add: return "atomic_add";
    case AtomicKind::Min: return "atomic_min";
    case AtomicKind::Max: return "atomic_max";
    case AtomicKind::And: return "atomic_and";
    case AtomicKind::Or: return "atomic_or";
    case AtomicKind::Xor: return "atomic_xor";
    case AtomicKind::Exchange: return "atomic_exchange";
    case AtomicKind::CompareExchange: return "atomic_compare_exchange";
  }
  return "atomic";
}

std::string_view name_of(MemoryOrder order) {
  switch (order) {
    case MemoryOrder::Relaxed: return "Relaxed";
    case MemoryOrder::Acquire: return "Acquire";
    case MemoryOrder::Release: return "Release";
    case MemoryOrder::AcquireRelease: return "AcquireRelease";
  }
  return "?";
}

std::int64_t Type::elements() const {
  std::int64_t count = 1;
  for (std::int64_t extent : shape) count *= extent;
  return count;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (std::int64_t extent : shape) {
    if (!text.empty()) text += 'x';
    text += extent < 0 ? "?" : std::to_string(extent);
  }
  return text;
}

std::string to_string(const Type& type) {
  const std::string element(name_of(type.dtype));
  const std::string tile = type.shape.empty() ? element : to_string(type.shape) + "x" + element;
  if (type.shared == Shared::Channel) return "channel<" + std::to_string(type.slots) + ", " + tile + ">";
  if (type.shared == Shared::Turns) return "turns";
  if (type.shared == Shared::Tile) return "shared<" + tile + ">";
  return type.is_view ? "view<" + tile + ">" : tile;
}

}  // namespace tilewright::program
