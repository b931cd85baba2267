#include "dsl/program/canonical.h"

#include "dsl/program/fold.h"
#include "dsl/program/liveness.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace tilewright::program {

namespace {

// Rebuilds a program by demand. A first run without an order of reads finds the order in which reads are demanded; the second uses it to place
// reads that must stand before a write although something later asks for them.
class Rebuild {
 public:
  Rebuild(const Program& source, const Liveness& live, const std::vector<std::uint32_t>* read_order)
      : source_(source),
        live_(live),
        read_order_(read_order),
        mapped_(source.values.size(), kNone),
        done_(source.ops.size()),
        number_(source.ops.size(), kNone) {}

  Program run() {
    out_.name = source_.name;
    out_.bindings = source_.bindings;
    out_.files = source_.files;
    const std::uint32_t interface = open(kNone, false);
    for (const Param& param : source_.params) {
      mapped_[param.value] = new_value(source_.type(param.value), kNone);
      out_.params.push_back(param);
      out_.params.back().value = mapped_[param.value];
    }
    out_.grid = top_region(source_.grid, interface);
    out_.body = top_region(source_.body, interface);
    return std::move(out_);
  }

  // When each operation of the source was placed.
  const std::vector<std::uint32_t>& numbers() const { return number_; }

 private:
  struct Frame {
    std::uint32_t parent;
    bool isolated;
    bool role = false;     // no tile comes in from outside
    bool ordered = false;  // in a role: operations stand where the author wrote them
    Region region;
    std::unordered_map<std::string, ValueId> known;  // first result of the operation described by the key
  };

  struct Pending {
    OpId op;
    std::size_t next = 0;
  };

  std::uint32_t open(std::uint32_t parent, bool isolated) {
    frames_.push_back({parent, isolated, false, parent != kNone && frames_[parent].ordered, {}, {}});
    return static_cast<std::uint32_t>(frames_.size() - 1);
  }

  ValueId new_value(const Type& type, OpId def) {
    out_.values.push_back({type, def});
    return static_cast<ValueId>(out_.values.size() - 1);
  }

  Region top_region(const Region& region, std::uint32_t parent) {
    const std::uint32_t frame = open(parent, false);
    contents(region, frame);
    for (ValueId old : region.yields) {
      const ValueId value = demand(old);
      frames_[frame].region.yields.push_back(value);
    }
    return std::move(frames_[frame].region);
  }

  // Places the effects of a region and what they need; yields are the caller's.
  void contents(const Region& region, std::uint32_t frame) {
    frame_of_[&region] = frame;
    std::vector<OpId> reads;
    for (OpId id : region.ops) {
      if (!live_.op(id)) continue;
      if (frames_[frame].ordered) {
        place_with_operands(id);
        epoch_ += live_.memory(id) == Memory::Writes;
        continue;
      }
      if (live_.memory(id) == Memory::Reads) reads.push_back(id);
      if (live_.memory(id) != Memory::Writes) continue;
      if (read_order_ != nullptr) {
        std::sort(reads.begin(), reads.end(), [&](OpId a, OpId b) { return (*read_order_)[a] < (*read_order_)[b]; });
        for (OpId read : reads) place_with_operands(read);
      }
      reads.clear();
      place_with_operands(id);
      ++epoch_;
    }
  }

  // The new value for `value`, with everything it needs placed before.
  ValueId demand(ValueId value) {
    value = live_.resolve(value);
    if (mapped_[value] == kNone) place_with_operands(source_.values[value].def);
    return mapped_[value];
  }

  void place_with_operands(OpId root) {
    std::vector<Pending> stack{{root}};
    while (!stack.empty()) {
      const OpId id = stack.back().op;
      if (done_[id]) {
        stack.pop_back();
        continue;
      }
      const Op& op = source_.ops[id];
      bool ready = true;
      for (std::size_t& next = stack.back().next; next < op.operands.size(); ++next) {
        if (!live_.operand(id, next)) continue;
        const ValueId operand = live_.resolve(op.operands[next]);
        if (mapped_[operand] != kNone) continue;
        ++next;
        stack.push_back({source_.values[operand].def});
        ready = false;
        break;
      }
      if (!ready) continue;
      stack.pop_back();
      place(id);
    }
  }

  // Places an operation whose operands are placed.
  void place(OpId id) {
    const Op& op = source_.ops[id];
    const std::uint32_t frame = frame_of_.at(live_.home(id));
    done_[id] = true;
    if (op.regions.empty()) {
      Op copy = op;
      for (ValueId& operand : copy.operands) operand = demand(operand);
      place_simple(id, std::move(copy), frame);
    } else {
      place_with_regions(id, frame);
    }
    number_[id] = placed_++;
  }

  void place_simple(OpId id, Op op, std::uint32_t frame) {
    const std::vector<ValueId> old_results = op.results;
    const OpClass cls = class_of(op.opcode);
    if (old_results.empty() || cls == OpClass::Write) {
      std::vector<Type> types;
      for (ValueId result : old_results) types.push_back(source_.type(result));
      const std::vector<ValueId> results = append(std::move(op), types, frame);
      for (std::size_t i = 0; i < results.size(); ++i) mapped_[old_results[i]] = results[i];
      return;
    }
    if (cls == OpClass::Pure && old_results.size() == 1) {
      const Type& type = source_.type(old_results[0]);
      const Folded folded = fold(out_, op, type);
      if (folded.value != kNone) {
        mapped_[old_results[0]] = folded.value;
        return;
      }
      if (folded.changed) op = folded.op;
      op.results.clear();
      mapped_[old_results[0]] = share(std::move(op), type, frame);
      return;
    }
    op.results.clear();
    std::vector<Type> types;
    types.reserve(old_results.size());
    for (ValueId result : old_results) types.push_back(source_.type(result));
    const std::string key = key_of(op, types[0], cls == OpClass::Read ? epoch_ : 0);
    ValueId first = cls == OpClass::Read ? lookup_here(key, frame) : lookup(key, types[0], frame);
    if (first == kNone) {
      first = append(std::move(op), types, frame)[0];
      frames_[frame].known[key] = first;
    }
    const std::vector<ValueId>& results = out_.ops[out_.values[first].def].results;
    for (std::size_t i = 0; i < results.size(); ++i) mapped_[old_results[i]] = results[i];
  }

  ValueId share(Op op, const Type& type, std::uint32_t frame) {
    const std::string key = key_of(op, type, 0);
    const ValueId known = lookup(key, type, frame);
    if (known != kNone) return known;
    const std::vector<Type> types{type};
    const ValueId value = append(std::move(op), types, frame)[0];
    frames_[frame].known[key] = value;
    return value;
  }

  ValueId lookup_here(const std::string& key, std::uint32_t frame) const {
    const auto found = frames_[frame].known.find(key);
    return found == frames_[frame].known.end() ? kNone : found->second;
  }

  ValueId lookup(const std::string& key, const Type& type, std::uint32_t frame) const {
    const auto is_closed = [&](const Frame& f) { return f.isolated || (f.role && type.is_tile() && type.rank() > 0); };
    for (std::uint32_t f = frame; f != kNone; f = is_closed(frames_[f]) ? kNone : frames_[f].parent) {
      const ValueId value = lookup_here(key, f);
      if (value != kNone) return value;
    }
    return kNone;
  }

  static std::string key_of(const Op& op, const Type& type, std::uint64_t epoch) {
    std::string key;
    const auto add = [&key](const auto& item) { key.append(reinterpret_cast<const char*>(&item), sizeof item); };
    add(op.opcode);
    add(epoch);
    add(type.dtype);
    add(type.is_view);
    add(type.shared);
    add(type.slots);
    add(type.shape.size());
    for (std::int64_t extent : type.shape) add(extent);
    add(op.operands.size());
    for (ValueId operand : op.operands) add(operand);
    for (std::int64_t i : op.ints) add(i);
    key += op.text;
    return key;
  }

  std::vector<ValueId> append(Op op, const std::vector<Type>& types, std::uint32_t frame) {
    const OpId id = static_cast<OpId>(out_.ops.size());
    op.results.clear();
    for (const Type& type : types) op.results.push_back(new_value(type, id));
    std::vector<ValueId> results = op.results;
    out_.ops.push_back(std::move(op));
    frames_[frame].region.ops.push_back(id);
    return results;
  }

  void place_with_regions(OpId id, std::uint32_t frame) {
    const Op& op = source_.ops[id];
    Op copy{op.opcode, {}, {}, op.ints, op.text, {}, op.loc};
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      if (live_.operand(id, i)) copy.operands.push_back(demand(op.operands[i]));
    }
    const bool isolated = class_of(op.opcode) != OpClass::Control;
    for (std::size_t r = 0; r < op.regions.size(); ++r) {
      const Region& region = op.regions[r];
      const std::uint32_t inner = open(frame, isolated);
      if (op.opcode == Opcode::Roles) frames_[inner].role = frames_[inner].ordered = true;
      for (std::size_t i = 0; i < region.args.size(); ++i) {
        if (!live_.arg(id, r, i)) continue;
        mapped_[region.args[i]] = new_value(source_.type(region.args[i]), kNone);
        frames_[inner].region.args.push_back(mapped_[region.args[i]]);
      }
      contents(region, inner);
      for (std::size_t i = 0; i < region.yields.size(); ++i) {
        if (live_.yield(id, r, i)) {
          const ValueId value = demand(region.yields[i]);
          frames_[inner].region.yields.push_back(value);
        }
      }
      copy.regions.push_back(std::move(frames_[inner].region));
    }
    std::vector<Type> types;
    std::vector<ValueId> old_results;
    for (std::size_t i = 0; i < op.results.size(); ++i) {
      if (!live_.result(id, i)) continue;
      old_results.push_back(op.results[i]);
      types.push_back(source_.type(op.results[i]));
    }
    const std::vector<ValueId> results = append(std::move(copy), types, frame);
    for (std::size_t i = 0; i < results.size(); ++i) mapped_[old_results[i]] = results[i];
  }

  const Program& source_;
  const Liveness& live_;
  const std::vector<std::uint32_t>* read_order_;
  Program out_;
  std::vector<Frame> frames_;
  std::unordered_map<const Region*, std::uint32_t> frame_of_;
  std::vector<ValueId> mapped_;
  std::vector<bool> done_;
  std::vector<std::uint32_t> number_;
  std::uint32_t placed_ = 0;
  std::uint64_t epoch_ = 0;  // writes placed so far
};

// Numbers values, operations and files in the order of the listing, and drops what is in no region.
class Renumber {
 public:
  explicit Renumber(Program source) : source_(std::move(source)), values_(source_.values.size(), kNone), files_(source_.files.size(), kNone) {}

  Program run() {
    out_.name = std::move(source_.name);
    out_.bindings = std::move(source_.bindings);
    for (Param& param : source_.params) {
      param.value = value(param.value, kNone);
      out_.params.push_back(std::move(param));
    }
    out_.grid = region(source_.grid);
    out_.body = region(source_.body);
    return std::move(out_);
  }

 private:
  ValueId value(ValueId old, OpId def) {
    values_[old] = static_cast<ValueId>(out_.values.size());
    out_.values.push_back({std::move(source_.values[old].type), def});
    return values_[old];
  }

  Region region(Region& old) {
    Region fresh;
    for (ValueId arg : old.args) fresh.args.push_back(value(arg, kNone));
    for (OpId id : old.ops) fresh.ops.push_back(operation(source_.ops[id]));
    for (ValueId yield : old.yields) fresh.yields.push_back(values_[yield]);
    return fresh;
  }

  OpId operation(Op& old) {
    const OpId id = static_cast<OpId>(out_.ops.size());
    out_.ops.emplace_back();
    Op op{old.opcode, {}, {}, std::move(old.ints), std::move(old.text), {}, old.loc};
    for (ValueId operand : old.operands) op.operands.push_back(values_[operand]);
    for (ValueId result : old.results) op.results.push_back(value(result, id));
    if (op.loc.line != 0) op.loc.file = file(op.loc.file);
    for (Region& inner : old.regions) op.regions.push_back(region(inner));
    out_.ops[id] = std::move(op);
    return id;
  }

  std::uint32_t file(std::uint32_t old) {
    if (files_[old] == kNone) {
      files_[old] = static_cast<std::uint32_t>(out_.files.size());
      out_.files.push_back(source_.files[old]);
    }
    return files_[old];
  }

  Program source_, out_;
  std::vector<ValueId> values_;
  std::vector<std::uint32_t> files_;
};

Program rebuilt(const Program& program) {
  const Liveness live(program);
  Rebuild first(program, live, nullptr);
  first.run();
  Rebuild second(program, live, &first.numbers());
  return Renumber(second.run()).run();
}

}  // namespace

// Folding can make values dead or equal, so the rebuild is repeated until nothing gets smaller.
Program canonicalize(const Program& program) {
  Program current = rebuilt(program);
  for (;;) {
    Program next = rebuilt(current);
    if (next.ops.size() == current.ops.size() && next.values.size() == current.values.size()) return next;
    current = std::move(next);
  }
}

}  // namespace tilewright::program
