// Evaluation, ranges and printing of index expressions, and the groups of registers that hold neighbours.
#include "compiler/layout/index_expression.h"

#include <algorithm>
#include <bit>
#include <map>

namespace tilewright::layout {
namespace {

std::uint32_t xor_of(const std::vector<std::uint32_t>& columns, int index) {
  std::uint32_t value = 0;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    if (has_bit(index, static_cast<int>(j))) value ^= columns[j];
  }
  return value;
}

std::vector<Bits> all_columns(const IndexExpression::Word& word) {
  std::vector<Bits> columns(word.lane.begin(), word.lane.end());
  columns.insert(columns.end(), word.warp.begin(), word.warp.end());
  columns.insert(columns.end(), word.block.begin(), word.block.end());
  return columns;
}

int number(const Slot& slot, Place place) { return place == Place::kWarp ? slot.warp : slot.block; }

// Splits the columns of one place into fields: maximal runs of consecutive bits that move by the same distance.
void add_fields(Place place, std::vector<std::uint32_t> columns, std::vector<BitField>& fields) {
  for (int from = 0; from < static_cast<int>(columns.size()); ++from) {
    while (columns[from] != 0) {
      const int to = std::countr_zero(columns[from]);
      int count = 0;
      while (from + count < static_cast<int>(columns.size()) && has_bit(columns[from + count], to + count)) {
        columns[from + count] ^= static_cast<std::uint32_t>(bit(to + count));
        ++count;
      }
      fields.push_back({place, from, count, to});
    }
  }
}

}  // namespace

std::uint32_t IndexExpression::Word::of_thread(const Slot& slot) const {
  return xor_of(lane, slot.lane) ^ xor_of(warp, slot.warp) ^ xor_of(block, slot.block);
}

std::uint32_t IndexExpression::Word::thread_mask() const {
  std::uint32_t mask = 0;
  for (Bits column : all_columns(*this)) mask |= static_cast<std::uint32_t>(column);
  return mask;
}

std::vector<BitField> IndexExpression::Word::fields() const {
  std::vector<BitField> list;
  add_fields(Place::kLane, lane, list);
  add_fields(Place::kWarp, warp, list);
  add_fields(Place::kBlock, block, list);
  return list;
}

std::int64_t IndexExpression::at(const Slot& slot) const {
  std::int64_t value = registers[slot.reg];
  for (const Word& word : words) value += word.stride * static_cast<std::int64_t>(word.of_thread(slot) ^ word.registers[slot.reg]);
  for (const Digit& digit : digits) value += digit.stride * (number(slot, digit.place) / digit.divisor % digit.count);
  return value;
}

std::int64_t IndexExpression::of_thread(const Slot& slot) const {
  std::int64_t value = 0;
  for (const Word& word : words) value += word.stride * static_cast<std::int64_t>(word.of_thread(slot));
  for (const Digit& digit : digits) value += digit.stride * (number(slot, digit.place) / digit.divisor % digit.count);
  return value;
}

bool IndexExpression::register_adds() const {
  for (const Word& word : words) {
    const std::uint32_t mask = word.thread_mask();
    for (std::uint32_t constant : word.registers) {
      if (constant & mask) return false;
    }
  }
  return true;
}

std::int64_t IndexExpression::register_offset(int reg) const {
  std::int64_t value = registers[reg];
  for (const Word& word : words) value += word.stride * static_cast<std::int64_t>(word.registers[reg]);
  return value;
}

std::vector<IndexExpression::Range> IndexExpression::ranges() const {
  std::int64_t digits_greatest = 0;
  for (const Digit& digit : digits) digits_greatest += digit.stride * (digit.count - 1);
  std::vector<Range> result;
  for (std::int64_t constant : registers) result.push_back({constant, constant + digits_greatest});
  for (const Word& word : words) {
    const Subspace threads(all_columns(word));
    const Bits all = low_bits(32);
    for (std::size_t reg = 0; reg < result.size(); ++reg) {
      // The smallest member of a coset, and the one farthest from all ones.
      result[reg].least += word.stride * static_cast<std::int64_t>(threads.reduce(word.registers[reg]));
      result[reg].greatest += word.stride * static_cast<std::int64_t>(all ^ threads.reduce(all ^ word.registers[reg]));
    }
  }
  return result;
}

std::int64_t IndexExpression::thread_alignment(std::int64_t limit) const {
  std::int64_t alignment = limit;
  for (const Word& word : words) {
    if (const std::uint32_t mask = word.thread_mask()) alignment = std::min(alignment, power_of_two_factor(word.stride) * power_of_two_factor(mask));
    // A register's constant must not carry or be xored across the boundary.
    if (word.thread_mask() != 0 && !is_power_of_two(word.stride)) alignment = std::min(alignment, power_of_two_factor(word.stride));
  }
  for (const Digit& digit : digits) {
    if (digit.count > 1) alignment = std::min(alignment, power_of_two_factor(digit.stride));
  }
  return alignment;
}

std::string IndexExpression::to_string() const {
  std::string text;
  for (const Word& word : words) {
    std::string inner;
    for (const BitField& f : word.fields()) {
      std::string source = place_name(f.place);
      if (f.from > 0) source += " >> " + std::to_string(f.from);
      source = "(" + source + " & " + std::to_string(low_bits(f.count)) + ")";
      if (f.to > 0) source = "(" + source + " << " + std::to_string(f.to) + ")";
      inner += (inner.empty() ? "" : " ^ ") + source;
    }
    if (inner.empty()) inner = "0";
    if (word.stride != 1) inner = std::to_string(word.stride) + " * (" + inner + ")";
    text += (text.empty() ? "" : " + ") + inner;
  }
  for (const Digit& d : digits) {
    text += (text.empty() ? "" : " + ") + std::to_string(d.stride) + " * (" + place_name(d.place);
    if (d.divisor > 1) text += " / " + std::to_string(d.divisor);
    text += " % " + std::to_string(d.count) + ")";
  }
  if (text.empty()) text = "0";
  text += register_adds() ? "; registers +" : "; registers ^";
  for (std::size_t i = 0; i < registers.size(); ++i) text += (i ? ", " : " ") + std::to_string(register_offset(static_cast<int>(i)));
  return text;
}

IndexExpression coordinate_expression(const Layout& layout, int axis) {
  const LinearMap along = layout.atom().restricted(place_names(), {axis_name(axis)});
  auto columns = [&](Place place) {
    std::vector<std::uint32_t> list;
    for (int k = 0; k < along.input_bits(place_name(place)); ++k) list.push_back(along.basis(place_name(place), k)[0]);
    return list;
  };
  IndexExpression expression;
  IndexExpression::Word word{1, columns(Place::kLane), columns(Place::kWarp), columns(Place::kBlock), {}};
  int divisors[4];
  for (Place place : kPlaces) divisors[static_cast<int>(place)] = 1 << along.input_bits(place_name(place));
  const std::vector<std::uint32_t> of_register = columns(Place::kRegister);
  const int in_atom = divisors[0];
  for (int reg = 0; reg < layout.registers(); ++reg) {
    word.registers.push_back(xor_of(of_register, reg % in_atom));
    std::int64_t added = 0;
    int rest = reg / in_atom;
    for (const Repeat& r : layout.repeats()) {
      if (r.place != Place::kRegister) continue;
      if (r.axis == axis) added += rest % r.count * r.stride;
      rest /= r.count;
    }
    expression.registers.push_back(added);
  }
  expression.words.push_back(std::move(word));
  for (const Repeat& r : layout.repeats()) {
    if (r.place == Place::kRegister) continue;
    int& divisor = divisors[static_cast<int>(r.place)];
    if (r.axis == axis && r.count > 1) expression.digits.push_back({r.place, r.stride, divisor, r.count});
    divisor *= r.count;
  }
  return expression;
}

std::vector<IndexExpression> coordinate_expressions(const Layout& layout) {
  std::vector<IndexExpression> expressions;
  for (int axis = 0; axis < layout.rank(); ++axis) expressions.push_back(coordinate_expression(layout, axis));
  return expressions;
}

std::optional<std::vector<RegisterGroup>> consecutive_registers(const IndexExpression& expression, const std::vector<IndexExpression>& fixed,
                                                                int width) {
  if (expression.thread_alignment(width) < width) return std::nullopt;
  // Registers of one group differ, whatever the thread, in the low bits of one value only. Those bits come from constants alone, and no word of another stride
  // may turn a difference of constants into one that depends on the thread.
  struct Group {
    std::vector<std::vector<int>> at;
  };
  std::map<std::vector<std::int64_t>, Group> groups;
  for (int reg = 0; reg < static_cast<int>(expression.registers.size()); ++reg) {
    std::vector<std::int64_t> key;
    auto describe = [&](const IndexExpression& e, std::int64_t low) {
      std::int64_t plain = e.registers[reg];
      for (const IndexExpression::Word& word : e.words) {
        if (word.thread_mask() == 0) {
          plain += word.stride * static_cast<std::int64_t>(word.registers[reg]);
          continue;
        }
        // Of a word that is xored with a thread's part, only the bits below the alignment are plain numbers.
        const std::int64_t free = std::max<std::int64_t>(1, low / word.stride);
        plain += word.stride * (word.registers[reg] % free);
        key.push_back(word.registers[reg] / free * free);
      }
      key.push_back(plain - plain % low);
      return plain % low;
    };
    const std::int64_t position = describe(expression, width);
    for (const IndexExpression& e : fixed) describe(e, 1);
    Group& group = groups[key];
    group.at.resize(width);
    group.at[position].push_back(reg);
  }
  std::vector<RegisterGroup> result;
  for (const auto& [key, group] : groups) {
    for (const auto& holders : group.at) {
      if (holders.size() != group.at[0].size()) return std::nullopt;
    }
    for (std::size_t i = 0; i < group.at[0].size(); ++i) {
      RegisterGroup& registers = result.emplace_back();
      for (const auto& holders : group.at) registers.push_back(holders[i]);
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace tilewright::layout
