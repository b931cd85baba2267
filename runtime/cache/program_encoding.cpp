#include "runtime/cache/program_encoding.h"

#include "runtime/cache/encoding.h"

#include <map>

namespace tilewright::cache {

namespace {

using program::kNone;

void encode(Encoder& out, const program::Type& type) {
  out.text(name_of(type.dtype));
  out.u8(static_cast<std::uint8_t>(type.is_view | static_cast<unsigned>(type.shared) << 1));
  if (type.shared == program::Shared::Channel) out.i64(type.slots);
  out.u32(static_cast<std::uint32_t>(type.rank()));
  for (std::int64_t extent : type.shape) out.i64(extent);
}

std::string_view word(program::ParamKind kind) {
  constexpr std::string_view kWords[] = {"in", "out", "inout", "scalar"};
  static_assert(static_cast<int>(program::ParamKind::Input) == 0 && static_cast<int>(program::ParamKind::Scalar) == 3);
  return kWords[static_cast<std::size_t>(kind)];
}

class RegionEncoder {
 public:
  explicit RegionEncoder(const program::Program& program) : program_(program), numbers_(program.values.size(), kNone) {
    for (const program::Param& param : program.params) number(param.value);
  }

  std::string encode_top(const program::Region& region) {
    Encoder out;
    out.u64(region.ops.size());
    for (program::OpId id : region.ops) out.text(operation(program_.ops[id]));
    values(out, region.yields);
    return std::move(out).take();
  }

 private:
  void number(program::ValueId value) { numbers_[value] = next_++; }

  void values(Encoder& out, const std::vector<program::ValueId>& ids) {
    out.u64(ids.size());
    for (program::ValueId id : ids) out.u32(numbers_[id]);
  }

  void define(Encoder& out, const std::vector<program::ValueId>& ids) {
    out.u64(ids.size());
    for (program::ValueId id : ids) {
      number(id);
      encode(out, program_.type(id));
    }
  }

  std::string operation(const program::Op& op) {
    Encoder out;
    out.text(mnemonic_of(op.opcode));
    values(out, op.operands);
    out.u64(op.ints.size());
    for (std::int64_t i : op.ints) out.i64(i);
    out.text(op.text);
    out.u64(op.regions.size());
    for (const program::Region& region : op.regions) {
      define(out, region.args);
      out.text(encode_top(region));
    }
    define(out, op.results);
    return std::move(out).take();
  }

  const program::Program& program_;
  std::vector<std::uint32_t> numbers_;
  std::uint32_t next_ = 0;
};

class PositionEncoder {
 public:
  PositionEncoder(const program::Program& program, Positions which) : program_(program), which_(which) {}

  std::string run() {
    walk(program_.grid);
    walk(program_.body);
    return std::move(out_).take();
  }

 private:
  void walk(const program::Region& region) {
    for (program::OpId id : region.ops) {
      const program::Op& op = program_.ops[id];
      if (which_ == Positions::All || op.opcode == program::Opcode::Assert) add(op.loc);
      for (const program::Region& inner : op.regions) walk(inner);
    }
  }

  void add(const program::Location& loc) {
    out_.u32(loc.line);
    if (loc.line == 0) return;
    out_.u32(loc.column);
    const auto [file, is_new] = files_.try_emplace(loc.file, static_cast<std::uint32_t>(files_.size()));
    out_.u32(file->second);
    if (is_new) out_.text(program_.files[loc.file]);
  }

  const program::Program& program_;
  Positions which_;
  Encoder out_;
  std::map<std::uint32_t, std::uint32_t> files_;
};

std::string mnemonic_in(std::string_view operation) { return std::string(Decoder(operation).text()); }

}  // namespace

std::string encode_parameters(const program::Program& program) {
  Encoder out;
  out.u64(program.params.size());
  for (const program::Param& param : program.params) {
    out.text(param.name);
    out.text(word(param.kind));
    encode(out, program.type(param.value));
    out.u8(static_cast<std::uint8_t>(param.facts.unit_inner_stride | param.facts.aligned16 << 1 | param.facts.fits32 << 2 | param.facts.whole_rows16 << 3));
  }
  return std::move(out).take();
}

std::string encode_bindings(const program::Program& program) {
  Encoder out;
  out.u64(program.bindings.size());
  for (const auto& [name, value] : program.bindings) {
    out.text(name);
    out.i64(value);
  }
  return std::move(out).take();
}

std::string encode_grid(const program::Program& program) { return RegionEncoder(program).encode_top(program.grid); }
std::string encode_body(const program::Program& program) { return RegionEncoder(program).encode_top(program.body); }
std::string encode_positions(const program::Program& program, Positions which) { return PositionEncoder(program, which).run(); }

std::string first_difference(std::string_view a, std::string_view b) {
  Decoder left(a), right(b);
  const std::uint64_t left_count = left.u64(), right_count = right.u64();
  for (std::uint64_t i = 0; i < left_count && i < right_count; ++i) {
    const std::string_view one = left.text(), other = right.text();
    if (!left.ok() || !right.ok()) break;
    if (one == other) continue;
    const std::string was = mnemonic_in(one), is = mnemonic_in(other), where = "operation " + std::to_string(i + 1) + " of " + std::to_string(left_count);
    if (was == is) return where + ": " + was + ", with other operands, attributes or types";
    return where + ": " + was + " in the one, " + is + " in the other";
  }
  if (left_count != right_count) return std::to_string(left_count) + " operations in the one, " + std::to_string(right_count) + " in the other";
  return a == b ? "" : "other results";
}

}  // namespace tilewright::cache
