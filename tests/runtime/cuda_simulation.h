// A library that stands in for libcuda in tests: the functions of cuda_functions.def, on host memory, for two made-up devices. It checks what a real library would punish or
// overlook (calls without a current context, launches with a wrong parameter buffer, handles used after their end), counts what is alive, and fails on demand.
//
// Work is done at once, but for work on a stream that records a graph. Modules are PTX texts; an entry runs as the host code of that name in cuda_simulation_code.cpp.
#pragma once

#include "runtime/drivers/cuda/cuda_api.h"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace tilewright::testing::simulation {

using namespace cuda;

constexpr int kDevices = 2;
constexpr std::size_t kMemory = std::size_t{1} << 30, kSharedLimit = 227 << 10;

using Clock = std::chrono::steady_clock;
using Work = std::function<CUresult()>;
using Kernel = CUresult (*)(const std::uint64_t* args, const std::int64_t* id, const std::int64_t* num);

struct Context {
  int device = 0, retained = 0;
  CUresult lost = CUDA_SUCCESS;
};

struct Graph {
  std::vector<Work> work;
};

struct Stream {
  Context* context = nullptr;
  Graph* recording = nullptr;  // not owned
  bool began = false;
};

struct Event {
  Clock::time_point time;
  Stream* stream = nullptr;  // whose recording it is a point of
};

struct Function {
  Kernel kernel = nullptr;
  Context* context = nullptr;
  std::size_t parameter_bytes = 0;
  int declared_shared = 0, shared_limit = 48 << 10;
};

struct Module {
  std::map<std::string, Function> functions;
};

struct Block {
  std::size_t bytes = 0;
  int device = 0;
  bool host = false;
};

struct State {
  std::recursive_mutex mutex;
  bool started = false;
  Context contexts[kDevices];
  std::map<std::uintptr_t, Block> blocks;
  std::set<void*> streams, events, modules, graphs, executables;
  std::map<std::string, std::pair<int, CUresult>> failures;  // function: calls until it fails, and how
};

inline State& state() {
  static State* const one = new State;  // threads may outlast the destructors of static objects
  return *one;
}

// Of this thread.
inline thread_local std::vector<Context*> context_stack;
inline thread_local CUcaptureMode capture_mode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;

inline Context* current() { return context_stack.empty() ? nullptr : context_stack.back(); }

// The failure a test has asked for.
inline CUresult planned(const char* function) {
  const auto found = state().failures.find(function);
  if (found == state().failures.end() || found->second.first-- > 0) return CUDA_SUCCESS;
  const CUresult result = found->second.second;
  state().failures.erase(found);
  return result;
}

// What every function does first.
#define SIMULATED()                    \
  std::lock_guard lock(state().mutex); \
  if (const CUresult result = planned(__func__); result != CUDA_SUCCESS) return result

#define SIMULATED_IN_CONTEXT()                                 \
  SIMULATED();                                                 \
  if (!state().started) return CUDA_ERROR_NOT_INITIALIZED;     \
  if (current() == nullptr) return static_cast<CUresult>(201); \
  if (current()->lost != CUDA_SUCCESS) return current()->lost

template <class T>
T* known(std::set<void*>& all, void* handle) {
  return all.count(handle) != 0 ? static_cast<T*>(handle) : nullptr;
}

// Null stands for the default stream of the current context.
Stream* stream_of(CUstream handle);

// Does work of a stream, or records it.
CUresult give(CUstream handle, Work work);

}  // namespace tilewright::testing::simulation
