#include "tests/gpu/machine.h"

#include "compiler/ir/TileTypes.h"
#include "compiler/reference/half.h"
#include "tests/gpu/atomics.h"

#include <cmath>
#include <cstring>
#include <utility>

namespace tilewright::simt {

namespace {

constexpr std::size_t kStackBytes = 1 << 20;
constexpr auto kPoison = std::byte{0xa5};

Machine* current = nullptr;

alignas(kSinkBytes) std::byte sink[kSinkBytes];

bool is_sink(std::uint64_t address) { return address == reinterpret_cast<std::uint64_t>(sink); }

// Round to nearest even; the double is a float or a double of the kernel.
std::uint16_t to_bf16(double value) {
  if (std::isnan(value)) return 0x7fc0;
  auto near = static_cast<float>(value);
  std::uint32_t bits;
  std::memcpy(&bits, &near, sizeof bits);
  // A float that was rounded gets its last bit set, so that the second rounding sees that there is more.
  if (static_cast<double>(near) != value && !std::isinf(near)) {
    if (std::fabs(static_cast<double>(near)) > std::fabs(value)) --bits;
    bits |= 1;
  }
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float from_bf16(std::uint16_t bits) {
  const std::uint32_t wide = std::uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

// What LLVM calls where it keeps a bf16 as an f32 and wants it back: nothing is lost, whatever the bits mean. The result is in the low half of its register.
float keep_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits >>= 16;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

std::uint16_t to_f16(double value) {
  const auto narrow = static_cast<_Float16>(value);
  std::uint16_t bits;
  std::memcpy(&bits, &narrow, sizeof bits);
  return bits;
}

float from_f16(std::uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, sizeof value);
  return static_cast<float>(value);
}

}  // namespace

struct Machine::Hooks {
  static Thread& self() { return current->threads_[current->running_]; }

  static std::int32_t thread_id() { return current->running_; }
  static std::int64_t program_id(std::int32_t axis) { return current->program_[axis]; }
  static std::int64_t num_programs(std::int32_t axis) { return current->programs_[axis]; }

  static void barrier(std::int32_t site) { current->wait(Meeting::kBarrier, site); }
  static void warp_barrier(std::int32_t site) { current->wait(Meeting::kWarpBarrier, site); }

  static std::uint32_t shuffle(std::int32_t site, std::uint32_t word, std::uint32_t lane) {
    self().word = word;
    self().from = lane;
    current->wait(Meeting::kShuffle, site);
    return self().from;
  }

  static void matrix_operand(std::int32_t operand, std::int32_t reg, double value) {
    std::vector<double>& list = self().operands[operand];
    if (list.size() <= static_cast<std::size_t>(reg)) list.resize(reg + 1);
    list[reg] = value;
  }
  static void matrix_multiply(std::int32_t site, std::int32_t instruction) {
    self().instruction = instruction;
    current->wait(Meeting::kMatrix, site);
  }
  static double matrix_result(std::int32_t reg) { return self().operands[2][reg]; }

  static void load(std::uint64_t address, std::int32_t bytes, std::int32_t is_shared) {
    if (is_sink(address)) return;
    current->touch(address, bytes, is_shared != 0);
    const char* wrong = current->races_.load(current->running_, reinterpret_cast<const std::byte*>(address), bytes);
    if (!wrong && is_shared == 0) wrong = current->races_.global_load(current->running_);
    if (wrong) current->problem((is_shared ? "shared memory " : "global memory ") + std::string(wrong));
  }
  static void before_store(std::uint64_t address, std::int32_t bytes, std::int32_t is_shared) {
    if (is_sink(address)) return;
    current->touch(address, bytes, is_shared != 0);
    current->races_.before_store(reinterpret_cast<const std::byte*>(address), bytes);
  }
  static void after_store(std::uint64_t address, std::int32_t bytes, std::int32_t is_shared) {
    if (is_sink(address)) return;
    if (const char* wrong = current->races_.after_store(current->running_, reinterpret_cast<const std::byte*>(address), bytes))
      current->problem((is_shared ? "shared memory " : "global memory ") + std::string(wrong));
    if (is_shared == 0) current->races_.global_store(current->running_);
  }

  static std::uint64_t atomic(std::int32_t kind, std::int32_t element, std::uint64_t address, std::uint64_t value, std::uint64_t expected) {
    const auto of = static_cast<AtomicElement>(element);
    const int bytes = bytes_of(of);
    current->touch(address, bytes, false);
    if (const char* wrong = current->races_.atomic(current->running_, reinterpret_cast<const std::byte*>(address), bytes)) current->problem("global memory " + std::string(wrong));
    std::uint64_t old = 0;
    std::memcpy(&old, reinterpret_cast<const void*>(address), bytes);
    const std::uint64_t written = combined(tile::stringifyAtomicKind(static_cast<tile::AtomicKind>(kind)).str(), of, old, value, expected);
    std::memcpy(reinterpret_cast<void*>(address), &written, bytes);
    return old;
  }

  static void fence(std::int32_t releases, std::int32_t acquires) {
    if (const char* wrong = current->races_.fence(current->running_, releases != 0, acquires != 0)) current->problem("global memory " + std::string(wrong));
  }

  static void copy_async(std::uint64_t to, std::uint64_t from, std::int32_t bytes, std::int32_t source_bytes) {
    Copy copy{reinterpret_cast<std::byte*>(to), {}, static_cast<std::size_t>(bytes)};
    current->touch(to, bytes, true);
    current->touch(from, bytes, false);
    if (source_bytes > 0) {
      std::memcpy(copy.content.data(), reinterpret_cast<const void*>(from), source_bytes);
      const char* wrong = current->races_.load(current->running_, reinterpret_cast<const std::byte*>(from), source_bytes);
      if (!wrong) wrong = current->races_.global_load(current->running_);
      if (wrong) current->problem("global memory " + std::string(wrong));
    }
    Copy garbage = copy;
    garbage.content.fill(kPoison);
    current->finish(garbage);
    self().begun.push_back(copy);
  }
  static void commit_copies() { self().groups.push_back(std::exchange(self().begun, {})); }
  static void wait_copies(std::int32_t pending) {
    for (; self().groups.size() > static_cast<std::size_t>(pending); self().groups.pop_front())
      for (const Copy& copy : self().groups.front()) current->finish(copy);
  }

  static void barrier_of(std::int32_t site, std::int32_t first_thread, std::int32_t warps) {
    self().part_begin = first_thread;
    self().part = warps * current->configuration_.lanes;
    current->wait(Meeting::kPartBarrier, site);
  }
  static void make_signal(std::uint64_t signal, std::int32_t arrivals) {
    current->touch(signal, 8, true);
    current->signals_[signal] = {arrivals, arrivals, 0, 0};
  }
  static void arrive(std::uint64_t signal, std::int64_t bytes, std::int32_t takes_place) {
    if (takes_place == 0) return;
    const auto found = current->signals_.find(signal);
    if (found == current->signals_.end()) return current->problem("a thread arrives where no signal is");
    --found->second.missing;
    found->second.bytes += bytes;
    current->advance(found->second);
  }
  static void wait_signal(std::int32_t site, std::uint64_t signal, std::uint32_t phase) {
    self().signal = signal;
    self().phase = phase;
    current->wait(Meeting::kSignal, site);
  }
  static void box_dimension(std::int64_t size, std::int64_t stride, std::int32_t first, std::int32_t extent) { self().box.push_back({size, stride, first, extent}); }
  static void copy_box(std::uint64_t to, std::uint64_t from, std::int32_t element_bytes, std::uint64_t signal) { current->begin_box(to, from, element_bytes, signal); }
  static void copy_box_out(std::uint64_t from, std::uint64_t to, std::int32_t element_bytes, std::int32_t adds, std::int32_t element) {
    current->begin_box_out(from, to, element_bytes, adds != 0, element);
  }
  static void wait_boxes_out() {
    for (const BoxOut& box : std::exchange(self().boxes_out, {})) current->finish_box_out(box);
  }
  static void shared_fragment(std::int32_t operand, std::int32_t instruction, std::uint64_t tile, std::int64_t rows, std::int32_t depth_along_rows, std::int32_t first, std::int32_t depth) {
    current->load_fragment(operand, instruction, tile, rows, depth_along_rows != 0, first, depth);
  }

  static void load_matrices(std::int32_t site, std::uint64_t row, std::int32_t transposed) {
    load(row, static_cast<std::int32_t>(kSinkBytes), 1);
    self().row = reinterpret_cast<const std::byte*>(row);
    self().transposed = transposed != 0;
    current->wait(Meeting::kMatrixLoad, site);
  }
  static std::uint32_t loaded_word(std::int32_t number) { return self().words[number]; }

  static void report_assertion(std::int32_t failed, std::int32_t number) {
    if (failed != 0) current->failed_assertions_.push_back(number);
  }
};

std::vector<std::pair<const char*, void*>> Machine::hooks() {
  return {{"simt_barrier_of", reinterpret_cast<void*>(&Hooks::barrier_of)},
          {"simt_make_signal", reinterpret_cast<void*>(&Hooks::make_signal)},
          {"simt_arrive", reinterpret_cast<void*>(&Hooks::arrive)},
          {"simt_wait_signal", reinterpret_cast<void*>(&Hooks::wait_signal)},
          {"simt_box_dimension", reinterpret_cast<void*>(&Hooks::box_dimension)},
          {"simt_copy_box", reinterpret_cast<void*>(&Hooks::copy_box)},
          {"simt_copy_box_out", reinterpret_cast<void*>(&Hooks::copy_box_out)},
          {"simt_wait_boxes_out", reinterpret_cast<void*>(&Hooks::wait_boxes_out)},
          {"simt_shared_fragment", reinterpret_cast<void*>(&Hooks::shared_fragment)},
          {"simt_thread_id", reinterpret_cast<void*>(&Hooks::thread_id)},
          {"simt_program_id", reinterpret_cast<void*>(&Hooks::program_id)},
          {"simt_num_programs", reinterpret_cast<void*>(&Hooks::num_programs)},
          {"simt_barrier", reinterpret_cast<void*>(&Hooks::barrier)},
          {"simt_warp_barrier", reinterpret_cast<void*>(&Hooks::warp_barrier)},
          {"simt_shuffle", reinterpret_cast<void*>(&Hooks::shuffle)},
          {"simt_matrix_operand", reinterpret_cast<void*>(&Hooks::matrix_operand)},
          {"simt_matrix_multiply", reinterpret_cast<void*>(&Hooks::matrix_multiply)},
          {"simt_matrix_result", reinterpret_cast<void*>(&Hooks::matrix_result)},
          {"simt_load", reinterpret_cast<void*>(&Hooks::load)},
          {"simt_before_store", reinterpret_cast<void*>(&Hooks::before_store)},
          {"simt_after_store", reinterpret_cast<void*>(&Hooks::after_store)},
          {"simt_atomic", reinterpret_cast<void*>(&Hooks::atomic)},
          {"simt_fence", reinterpret_cast<void*>(&Hooks::fence)},
          {"simt_copy_async", reinterpret_cast<void*>(&Hooks::copy_async)},
          {"simt_commit_copies", reinterpret_cast<void*>(&Hooks::commit_copies)},
          {"simt_wait_copies", reinterpret_cast<void*>(&Hooks::wait_copies)},
          {"simt_load_matrices", reinterpret_cast<void*>(&Hooks::load_matrices)},
          {"simt_loaded_word", reinterpret_cast<void*>(&Hooks::loaded_word)},
          {"simt_sink", sink},
          {"simt_report_assertion", reinterpret_cast<void*>(&Hooks::report_assertion)},
          {"__truncsfbf2", reinterpret_cast<void*>(&keep_bf16)},
          {"simt_to_bf16", reinterpret_cast<void*>(&to_bf16)},
          {"simt_from_bf16", reinterpret_cast<void*>(&from_bf16)},
          {"simt_to_f16", reinterpret_cast<void*>(&to_f16)},
          {"simt_from_f16", reinterpret_cast<void*>(&from_f16)}};
}

Machine::Machine(const Configuration& configuration, int warps, std::span<std::byte> shared)
    : configuration_(configuration), shared_(shared), races_(configuration.lanes, warps) {
  for (int i = 0; i < warps * configuration.lanes; ++i) threads_.emplace_back(kStackBytes);
}

void Machine::problem(const std::string& text) {
  if (problem_.empty()) problem_ = text + ", in thread " + std::to_string(running_);
}

void Machine::touch(std::uint64_t address, int bytes, bool is_shared) {
  if (address % static_cast<std::uint64_t>(bytes) != 0) problem("an access of " + std::to_string(bytes) + " bytes is not aligned");
  if (!is_shared) return;
  const auto base = reinterpret_cast<std::uint64_t>(shared_.data());
  if (address < base || address + static_cast<std::uint64_t>(bytes) > base + shared_.size())
    problem("shared memory is accessed at " + std::to_string(static_cast<std::int64_t>(address - base)) + " of " + std::to_string(shared_.size()) + " bytes");
}

void Machine::wait(Meeting meeting, int site) {
  Thread& self = threads_[running_];
  self.waits = meeting;
  self.site = site;
  self.fiber.suspend();
}

std::string Machine::run(Entry entry, const std::uint64_t* slots, std::array<std::int64_t, 3> program, std::array<std::int64_t, 3> programs) {
  current = this;
  program_ = program;
  programs_ = programs;
  problem_.clear();
  races_.begin_block();
  signals_.clear();
  boxes_.clear();
  std::fill(shared_.begin(), shared_.end(), kPoison);
  for (Thread& thread : threads_) {
    thread.waits = Meeting::kNone;
    thread.begun.clear();
    thread.groups.clear();
    thread.box.clear();
    thread.boxes_out.clear();
    thread.fiber.start([entry, slots] { entry(slots); });
  }
  for (;;) {
    bool all_finished = true;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      Thread& thread = threads_[i];
      if (thread.fiber.finished() || thread.waits != Meeting::kNone) continue;
      running_ = static_cast<int>(i);
      thread.fiber.resume();
      all_finished &= thread.fiber.finished();
    }
    for (const Thread& thread : threads_) all_finished &= thread.fiber.finished();
    for (const Thread& thread : threads_)
      if (all_finished && !thread.boxes_out.empty()) problem("a copy to global memory is begun that nobody waits for");
    if (all_finished) return boxes_.empty() || !problem_.empty() ? problem_ : "a copy is begun that nobody waits for";
    const bool some_met = release(), some_signalled = release_signals();  // so that a tile is overwritten as soon as it has been given back
    if (some_met || some_signalled) continue;
    if (!boxes_.empty()) {
      finish_box(boxes_.front());
      boxes_.pop_front();
      continue;
    }
    return problem_.empty() ? "threads wait for each other at different places" : problem_;
  }
}

bool Machine::release() {
  const auto together = [](std::span<Thread> threads) {
    for (const Thread& thread : threads)
      if (thread.fiber.finished() || thread.waits != threads.front().waits || thread.site != threads.front().site) return false;
    return true;
  };
  if (threads_.front().waits == Meeting::kBarrier && together(threads_)) {
    races_.barrier();
    for (Thread& thread : threads_) thread.waits = Meeting::kNone;
    return true;
  }
  for (Thread& thread : threads_) {
    if (thread.waits != Meeting::kPartBarrier || thread.fiber.finished()) continue;
    const std::span<Thread> part = std::span(threads_).subspan(thread.part_begin, thread.part);
    if (!together(part)) continue;
    races_.barrier();
    for (Thread& each : part) each.waits = Meeting::kNone;
    return true;
  }
  bool any = false;
  for (std::size_t first = 0; first < threads_.size(); first += configuration_.lanes) {
    const std::span<Thread> warp(threads_.data() + first, configuration_.lanes);
    if (warp.front().waits == Meeting::kNone || warp.front().waits == Meeting::kBarrier || warp.front().waits == Meeting::kPartBarrier || warp.front().waits == Meeting::kSignal ||
        !together(warp)) continue;
    any |= release_warp(warp);
  }
  return any;
}

bool Machine::release_warp(std::span<Thread> warp) {
  if (warp.front().waits == Meeting::kMatrix) {
    multiply(warp, configuration_.instructions[warp.front().instruction].second);
  } else if (warp.front().waits == Meeting::kMatrixLoad) {
    load_matrices(warp);
  } else if (warp.front().waits == Meeting::kWarpBarrier) {
    races_.warp_barrier(static_cast<int>(&warp.front() - threads_.data()) / configuration_.lanes);
  } else {
    for (Thread& thread : warp) {
      if (thread.from >= warp.size()) {
        problem("a shuffle reads lane " + std::to_string(thread.from));
        return false;
      }
    }
    for (Thread& thread : warp) thread.from = warp[thread.from].word;
  }
  for (Thread& thread : warp) thread.waits = Meeting::kNone;
  return true;
}

bool Machine::release_signals() {
  bool any = false;
  for (Thread& thread : threads_) {
    if (thread.fiber.finished() || thread.waits != Meeting::kSignal) continue;
    const auto found = signals_.find(thread.signal);
    if (found == signals_.end()) problem("a thread waits where no signal is");
    else if (found->second.phase % 2 == thread.phase) continue;
    thread.waits = Meeting::kNone;
    any = true;
  }
  return any;
}

void Machine::advance(Signal& signal) {
  if (signal.missing < 0) problem("more threads arrive than a signal is for");
  if (signal.missing > 0 || signal.bytes != 0) return;
  ++signal.phase;
  signal.missing = signal.arrivals;
}

void Machine::begin_box(std::uint64_t to, std::uint64_t from, int element_bytes, std::uint64_t signal) {
  const std::vector<Dimension> box = std::exchange(threads_[running_].box, {});
  std::size_t elements = 1;
  for (const Dimension& dimension : box) elements *= static_cast<std::size_t>(dimension.extent);
  Box begun{to, signal, std::vector<std::byte>(elements * element_bytes)};
  touch(to, static_cast<std::size_t>(box.back().extent) == elements ? 128 : 1024, true);  // where the swizzle begins anew
  touch(to + elements * element_bytes - 1, 1, true);
  visit_box(box, element_bytes, [&](std::size_t shared, std::int64_t global, bool is_inside) {
    if (is_inside) std::memcpy(begun.content.data() + shared, reinterpret_cast<const void*>(from + global), element_bytes);
  });
  std::memset(reinterpret_cast<void*>(to), static_cast<int>(kPoison), begun.content.size());
  boxes_.push_back(std::move(begun));
}

void Machine::finish_box(const Box& box) {
  std::memcpy(reinterpret_cast<void*>(box.to), box.content.data(), box.content.size());
  const auto found = signals_.find(box.signal);
  if (found == signals_.end()) return problem("a copy tells a signal that is none");
  found->second.bytes -= static_cast<std::int64_t>(box.content.size());
  advance(found->second);
}

void Machine::visit_box(const std::vector<Dimension>& box, int element_bytes, llvm::function_ref<void(std::size_t shared, std::int64_t global, bool is_inside)> each) {
  std::size_t elements = 1;
  for (const Dimension& dimension : box) elements *= static_cast<std::size_t>(dimension.extent);
  const std::size_t row_elements = static_cast<std::size_t>(box.back().extent);
  for (std::size_t i = 0; i < elements; ++i) {
    std::int64_t at = 0;
    bool is_inside = true;
    std::size_t rest = i;
    for (std::size_t d = box.size(); d-- > 0;) {
      const std::int64_t coordinate = box[d].first + static_cast<std::int64_t>(rest % box[d].extent);
      rest /= box[d].extent;
      is_inside = is_inside && coordinate >= 0 && coordinate < box[d].size;
      at += coordinate * box[d].stride * element_bytes;
    }
    const std::size_t row = i / row_elements, byte = i % row_elements * element_bytes;
    each(row * row_elements * element_bytes + (byte ^ (row % 8 << 4)), at, is_inside);
  }
}

void Machine::read_box_out(const BoxOut& box) {
  visit_box(box.dimensions, box.element_bytes, [&](std::size_t shared, std::int64_t, bool) {
    if (const char* wrong = races_.load(running_, reinterpret_cast<const std::byte*>(box.from + shared), box.element_bytes)) problem("shared memory " + std::string(wrong) + " by a copy to global memory");
  });
}

// What it reads has to be there when it begins, and to stay until it is done: the latest time is taken for when it takes place.
void Machine::begin_box_out(std::uint64_t from, std::uint64_t to, int element_bytes, bool adds, int element) {
  BoxOut box{from, to, element_bytes, element, adds, std::exchange(threads_[running_].box, {})};
  touch(from, 1024, true);  // where the swizzle begins anew
  read_box_out(box);
  threads_[running_].boxes_out.push_back(std::move(box));
}

void Machine::finish_box_out(const BoxOut& box) {
  read_box_out(box);
  visit_box(box.dimensions, box.element_bytes, [&](std::size_t shared, std::int64_t global, bool is_inside) {
    if (!is_inside) return;
    const std::uint64_t to = box.to + global;
    touch(to, box.element_bytes, false);
    std::uint64_t value = 0, old = 0;
    std::memcpy(&value, reinterpret_cast<const void*>(box.from + shared), box.element_bytes);
    std::memcpy(&old, reinterpret_cast<const void*>(to), box.element_bytes);
    auto* const place = reinterpret_cast<std::byte*>(to);
    if (box.adds) value = combined("add", static_cast<AtomicElement>(box.element), old, value, 0);
    else races_.before_store(place, box.element_bytes);
    std::memcpy(place, &value, box.element_bytes);
    const char* wrong = box.adds ? races_.atomic(running_, place, box.element_bytes) : races_.after_store(running_, place, box.element_bytes);
    if (wrong) problem("global memory " + std::string(wrong));
  });
}

void Machine::load_fragment(int operand, int instruction, std::uint64_t tile, std::int64_t rows, bool depth_along_rows, std::int64_t first, std::int64_t depth) {
  const gpu::MatrixInstruction& what = configuration_.instructions[instruction].second;
  const layout::LinearMap map = (operand == 0 ? what.a : what.b).ordered({"register", "lane"}, {"dim0", "dim1"});
  const std::string& key = configuration_.instructions[instruction].first;
  const std::size_t dot = key.find('.');
  const std::string format = dot == std::string::npos ? key : operand == 0 ? key.substr(0, dot) : key.substr(dot + 1);
  const std::int64_t size = dot == std::string::npos ? 2 : 1, columns = 128 / size;
  std::vector<double>& held = threads_[running_].operands[operand];
  held.resize(std::size_t{1} << map.input_bits("register"));
  for (std::uint32_t reg = 0; reg < held.size(); ++reg) {
    const layout::Point at = map.apply({reg, static_cast<std::uint32_t>(running_ % configuration_.lanes)});
    const std::int64_t outer = first + at[operand == 0 ? 0 : 1], inner = depth + at[operand == 0 ? 1 : 0];
    const std::int64_t row = depth_along_rows ? outer : inner, column = depth_along_rows ? inner : outer;
    const std::uint64_t address = tile + column / columns * rows * 128 + row * 128 + (static_cast<std::uint64_t>(column % columns * size) ^ static_cast<std::uint64_t>(row % 8 << 4));
    touch(address, static_cast<int>(size), true);
    for (const Box& box : boxes_)
      if (address >= box.to && address < box.to + box.content.size()) problem("a tile is read before it has arrived");
    std::uint16_t bits = 0;
    std::memcpy(&bits, reinterpret_cast<const void*>(address), static_cast<std::size_t>(size));
    const auto byte = static_cast<std::uint8_t>(bits);
    held[reg] = format == "e4m3" ? to_float(reference::E4M3{byte}) : format == "e5m2" ? to_float(reference::E5M2{byte}) : format == "bf16" ? from_bf16(bits) : from_f16(bits);
  }
}

void Machine::finish(const Copy& copy) {
  races_.before_store(copy.to, copy.bytes);
  std::memcpy(copy.to, copy.content.data(), copy.bytes);
  if (const char* wrong = races_.after_store(running_, copy.to, copy.bytes)) problem("shared memory " + std::string(wrong) + " by an asynchronous copy, at byte " + std::to_string(copy.to - shared_.data()));
}

void Machine::load_matrices(std::span<Thread> warp) {
  constexpr int kMatrices = 4, kRows = 8;
  for (int lane = 0; lane < kMatrices * kRows; ++lane) {
    for (int matrix = 0; matrix < kMatrices; ++matrix) {
      const auto element = [&](int row, int column) {
        for (const Box& box : boxes_)
          if (reinterpret_cast<std::uint64_t>(warp[kRows * matrix + row].row) - box.to < box.content.size()) problem("a tile is read before it has arrived");
        std::uint16_t bits;
        std::memcpy(&bits, warp[kRows * matrix + row].row + 2 * column, sizeof bits);
        return std::uint32_t{bits};
      };
      const int line = lane / 4, pair = lane % 4 * 2;
      warp[lane].words[matrix] = warp[lane].transposed ? element(pair, line) | element(pair + 1, line) << 16 : element(line, pair) | element(line, pair + 1) << 16;
    }
  }
}

void Machine::multiply(std::span<Thread> warp, const gpu::MatrixInstruction& instruction) {
  const int m = instruction.m, n = instruction.n, k = instruction.k;
  std::vector<double> a(m * k), b(k * n), acc(m * n);
  const auto visit = [&](int operand, const layout::LinearMap& map, int columns, auto each) {
    const layout::LinearMap ordered = map.ordered({"register", "lane"}, {"dim0", "dim1"});
    for (std::uint32_t lane = 0; lane < warp.size(); ++lane) {
      for (std::uint32_t reg = 0; reg < (1u << ordered.input_bits("register")); ++reg) {
        const layout::Point at = ordered.apply({reg, lane});
        each(warp[lane].operands[operand][reg], static_cast<std::size_t>(at[0]) * columns + at[1]);
      }
    }
  };
  visit(0, instruction.a, k, [&](double held, std::size_t at) { a[at] = held; });
  visit(1, instruction.b, n, [&](double held, std::size_t at) { b[at] = held; });
  visit(2, instruction.acc, n, [&](double held, std::size_t at) { acc[at] = held; });
  const bool whole = configuration_.instructions[warp.front().instruction].first == "i8";
  for (int row = 0; row < m; ++row) {
    for (int column = 0; column < n; ++column) {
      double& sum = acc[row * n + column];
      for (int i = 0; i < k; ++i) {
        sum += a[row * k + i] * b[i * n + column];
        sum = whole ? static_cast<double>(static_cast<std::int32_t>(static_cast<std::int64_t>(sum))) : static_cast<double>(static_cast<float>(sum));
      }
    }
  }
  visit(2, instruction.acc, n, [&](double& held, std::size_t at) { held = acc[at]; });
}

}  // namespace tilewright::simt
