#include "tests/gpu/machine.h"

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
    if (const char* wrong = current->races_.load(current->running_, reinterpret_cast<const std::byte*>(address), bytes))
      current->problem((is_shared ? "shared memory " : "global memory ") + std::string(wrong));
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
  }

  static void copy_async(std::uint64_t to, std::uint64_t from, std::int32_t bytes, std::int32_t source_bytes) {
    Copy copy{reinterpret_cast<std::byte*>(to), {}, static_cast<std::size_t>(bytes)};
    current->touch(to, bytes, true);
    current->touch(from, bytes, false);
    if (source_bytes > 0) {
      std::memcpy(copy.content.data(), reinterpret_cast<const void*>(from), source_bytes);
      if (const char* wrong = current->races_.load(current->running_, reinterpret_cast<const std::byte*>(from), source_bytes)) current->problem("global memory " + std::string(wrong));
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
  return {{"simt_thread_id", reinterpret_cast<void*>(&Hooks::thread_id)},
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
  std::fill(shared_.begin(), shared_.end(), kPoison);
  for (Thread& thread : threads_) {
    thread.waits = Meeting::kNone;
    thread.begun.clear();
    thread.groups.clear();
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
    if (all_finished) return problem_;
    if (release()) continue;
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
  bool any = false;
  for (std::size_t first = 0; first < threads_.size(); first += configuration_.lanes) {
    const std::span<Thread> warp(threads_.data() + first, configuration_.lanes);
    if (warp.front().waits == Meeting::kNone || warp.front().waits == Meeting::kBarrier || !together(warp)) continue;
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
