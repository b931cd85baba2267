// Copies to and from the device, and the bytes around them.
#include "tests/fuzz/device_target.h"

#include "compiler/reference/interpreter.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace tilewright::fuzz {

namespace {

// On either side of a tensor. More than any access of the generator's programs is wide, and a multiple of every alignment that matters.
constexpr std::size_t kMargin = 4096;
constexpr std::uint8_t kMarginByte = 0xa7;

// A tensor on the device, at the same offset from a multiple of kMargin as the original.
class DeviceCopy {
 public:
  DeviceCopy(Device& device, Stream& stream, const Guarded& original) : device_(device), original_(original) {
    offset_ = kMargin + reinterpret_cast<std::uintptr_t>(original.data()) % kMargin;
    image_.assign(offset_ + original.bytes() + kMargin, std::byte{kMarginByte});
    std::memcpy(image_.data() + offset_, original.data(), original.bytes());
    memory_ = static_cast<std::byte*>(device.allocate(image_.size() + kMargin));
    first_ = memory_ + (kMargin - reinterpret_cast<std::uintptr_t>(memory_) % kMargin) % kMargin;
    stream.copy_to_device(first_, image_.data(), image_.size());
  }
  ~DeviceCopy() { device_.release(memory_); }
  DeviceCopy(const DeviceCopy&) = delete;
  DeviceCopy& operator=(const DeviceCopy&) = delete;

  bool holds(std::uint64_t address) const { return original_.contains(reinterpret_cast<const void*>(static_cast<std::uintptr_t>(address))); }
  std::uint64_t translate(std::uint64_t address) const {
    return address - reinterpret_cast<std::uintptr_t>(original_.data()) + reinterpret_cast<std::uintptr_t>(first_ + offset_);
  }

  void fetch(Stream& stream) { stream.copy_to_host(image_.data(), first_, image_.size()); }

  // After fetch(): what was stored outside of the tensor, or into an input; empty when nothing was.
  std::string check_and_return(bool writable) const {
    const std::size_t end = offset_ + original_.bytes();
    for (std::size_t i = 0; i < image_.size(); ++i) {
      if ((i < offset_ || i >= end) && image_[i] != std::byte{kMarginByte})
        return "a store at byte " + std::to_string(static_cast<std::ptrdiff_t>(i - offset_)) + " of " + std::to_string(original_.bytes());
    }
    if (std::memcmp(original_.data(), image_.data() + offset_, original_.bytes()) == 0) return {};
    if (!writable) return "a store to an input";
    std::memcpy(original_.data(), image_.data() + offset_, original_.bytes());
    return {};
  }

 private:
  Device& device_;
  const Guarded& original_;
  std::vector<std::byte> image_;
  std::size_t offset_ = 0;
  std::byte *memory_ = nullptr, *first_ = nullptr;
};

// The bytes of what a case's program may write, one string after another.
class Contents {
 public:
  Contents(const Case& test, const Memory& memory) {
    for (std::size_t i = 0; i < memory.tensors().size(); ++i) {
      if (test.program.params[i].kind == program::ParamKind::Input || memory.tensors()[i].bytes() == 0) continue;
      const Guarded& tensor = memory.tensors()[i];
      parts_.push_back({tensor.data(), {tensor.data(), tensor.data() + tensor.bytes()}, test.program.params[i].kind == program::ParamKind::InOut});
    }
  }

  void put_back() const {
    for (const Part& part : parts_) std::memcpy(part.at, part.bytes.data(), part.bytes.size());
  }
  bool is_in_place() const {
    for (const Part& part : parts_) {
      if (std::memcmp(part.at, part.bytes.data(), part.bytes.size()) != 0) return false;
    }
    return true;
  }
  // All zero, to mark() in.
  std::vector<std::vector<std::byte>> unmarked() const {
    std::vector<std::vector<std::byte>> marks;
    for (const Part& part : parts_) marks.emplace_back(part.bytes.size());
    return marks;
  }
  // Marks the bytes that a store writes of a tensor that the program may also read.
  void mark(std::vector<std::vector<std::byte>>& marks, reference::View view, const reference::Indexing& indexing, const reference::Tile& value, const reference::Tile* mask) const {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const Part& part = parts_[p];
      if (!part.is_read || view.base < part.at || view.base >= part.at + part.bytes.size()) continue;
      reference::Tile ones(value.dtype(), value.shape());
      std::memset(ones.mutable_data<std::byte>(), 0xff, ones.bytes());
      view.base = marks[p].data() + (view.base - part.at);
      return reference::store(view, indexing, ones, mask);
    }
  }

  // Takes over what memory holds now where that differs from `before`.
  void add_changes(const Contents& before) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      for (std::size_t i = 0; i < parts_[p].bytes.size(); ++i) {
        if (parts_[p].at[i] != before.parts_[p].bytes[i]) parts_[p].bytes[i] = parts_[p].at[i];
      }
    }
  }

 private:
  struct Part {
    std::byte* at;
    std::vector<std::byte> bytes;
    bool is_read;
  };
  std::vector<Part> parts_;
};

reference::GridIndex program_id(std::int64_t number, const GridSize& grid) { return {number % grid[0], number / grid[0] % grid[1], number / grid[0] / grid[1]}; }

class OnDevice : public Target {
 public:
  OnDevice(std::shared_ptr<Compiler> compiler, std::shared_ptr<Device> device)
      : compiler_(std::move(compiler)), device_(std::move(device)), stream_(device_->make_stream()) {}

  void prepare(const Case& test) override {
    CompileOptions options;
    options.target = device_->properties().compile_target;
    executable_.reset();
    executable_ = device_->load(compiler_->compile(std::make_shared<const program::Program>(test.program), options));
  }

  // A device runs the programs of a grid at once. That the order does not matter shows in three ways to run them giving the same: in order, in reverse, and each alone on what was there
  // before, their changes put together. What two programs both read and write is too little seen by that (a maximum, say), so it is looked for apart.
  bool can_judge(const Case& test, const Memory& memory) override {
    reference::Interpreter interpreter(test.program);
    const GridSize grid = interpreter.grid(memory.slots());
    const std::int64_t programs = grid[0] * grid[1] * grid[2];
    if (programs <= 1) return true;
    const auto run = [&](std::int64_t p) { interpreter.run(memory.slots(), program_id(p, grid), grid); };
    const Contents before(test, memory);
    Contents together = before;
    for (std::int64_t p = 0; p < programs; ++p) {
      run(p);
      together.add_changes(before);
      before.put_back();
    }
    if (writes_meet(test.program, memory, before, grid)) return false;
    bool same = true;
    for (const bool in_order : {true, false}) {
      for (std::int64_t p = 0; p < programs; ++p) run(in_order ? p : programs - 1 - p);
      same &= together.is_in_place();
      before.put_back();
    }
    return same;
  }

  // Whether two programs write the same byte of a tensor they may also read, be it with what is there already.
  static bool writes_meet(const program::Program& program, const Memory& memory, const Contents& before, const GridSize& grid) {
    std::vector<std::vector<std::byte>> marks, written = before.unmarked();
    reference::Hooks hooks;
    hooks.store = [&](const reference::View& view, const reference::Indexing& indexing, const reference::Tile& value, const reference::Tile* mask) { before.mark(marks, view, indexing, value, mask); };
    reference::Interpreter interpreter(program, hooks);
    for (std::int64_t p = 0; p < grid[0] * grid[1] * grid[2]; ++p) {
      marks = before.unmarked();
      interpreter.run(memory.slots(), program_id(p, grid), grid);
      before.put_back();
      for (std::size_t part = 0; part < marks.size(); ++part) {
        for (std::size_t i = 0; i < marks[part].size(); ++i) {
          if (marks[part][i] == std::byte{}) continue;
          if (written[part][i] != std::byte{}) return true;
          written[part][i] = marks[part][i];
        }
      }
    }
    return false;
  }

  std::string run(const Case& test, const Memory& memory) override {
    const GridSize grid = reference::Interpreter(test.program).grid(memory.slots());
    std::vector<std::unique_ptr<DeviceCopy>> copies;
    for (const Guarded& tensor : memory.tensors()) copies.push_back(std::make_unique<DeviceCopy>(*device_, *stream_, tensor));
    std::vector<std::uint64_t> slots(memory.slots(), memory.slots() + memory.slot_count());
    for (std::size_t i = 0, slot = 0; i < test.arguments.size(); ++i) {
      if (test.arguments[i].is_view && copies[i]->holds(slots[slot])) slots[slot] = copies[i]->translate(slots[slot]);
      slot += test.arguments[i].is_view ? 1 + 2 * test.arguments[i].tensor.sizes.size() : 1;
    }
    stream_->launch(*executable_, grid, slots);
    for (const auto& copy : copies) copy->fetch(*stream_);
    stream_->synchronize();
    for (std::size_t i = 0; i < copies.size(); ++i) {
      const program::Param& param = test.program.params[i];
      const std::string wrong = copies[i]->check_and_return(param.kind != program::ParamKind::Input);
      if (!wrong.empty()) return "'" + param.name + "': " + wrong;
    }
    return {};
  }

 private:
  std::shared_ptr<Compiler> compiler_;
  std::shared_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  std::shared_ptr<Executable> executable_;
};

}  // namespace

std::unique_ptr<Target> device_target(std::shared_ptr<Compiler> compiler, std::shared_ptr<Device> device) {
  return std::make_unique<OnDevice>(std::move(compiler), std::move(device));
}

}  // namespace tilewright::fuzz
