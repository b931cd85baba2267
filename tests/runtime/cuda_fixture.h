// A device of the driver "cuda" for a test: a real one where this machine has it, and the simulated one everywhere.
#pragma once

#include "runtime/arguments.h"
#include "runtime/drivers/cuda/cuda_driver.h"
#include "runtime/support/dynamic_library.h"
#include "tests/runtime/cuda_kernels.h"
#include "tests/runtime/errors.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace tilewright::testing {

// The file of libcuda for the simulated device.
inline const std::string kSimulation = TILEWRIGHT_CUDA_SIMULATION;

// What the simulation offers tests beside libcuda's functions; cuda_simulation.h describes it.
struct Simulation {
  Simulation() {
    std::string problem;
    library = DynamicLibrary::open(std::vector{kSimulation}, problem);
    if (!library) throw std::runtime_error(problem);
    fail = reinterpret_cast<decltype(fail)>(library->find("simulation_fail"));
    alive = reinterpret_cast<decltype(alive)>(library->find("simulation_alive"));
    context_depth = reinterpret_cast<decltype(context_depth)>(library->find("simulation_context_depth"));
    capture_mode = reinterpret_cast<decltype(capture_mode)>(library->find("simulation_capture_mode"));
    repair = reinterpret_cast<decltype(repair)>(library->find("simulation_repair"));
  }
  std::unique_ptr<DynamicLibrary> library;
  void (*fail)(const char* function, int result, int after) = nullptr;
  int (*alive)(const char* kind) = nullptr;
  int (*context_depth)() = nullptr;
  int (*capture_mode)() = nullptr;
  void (*repair)() = nullptr;
};

// The parameter is the file of libcuda; empty: the real one.
class CudaFixture : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    options_.library = GetParam();
    const auto driver = make_cuda_driver(options_);
    if (driver->enumerate().empty()) GTEST_SKIP() << error_of([&] { driver->open(0); }).message();
    device_ = open_cuda_device(0, options_);
  }

  bool simulated() const { return !GetParam().empty(); }

  void* memory(std::size_t bytes) {
    memory_.push_back(std::shared_ptr<void>(device_->allocate(bytes), [device = device_](void* p) { device->release(p); }));
    return memory_.back().get();
  }

  template <class T>
  T* upload(Stream& stream, const std::vector<T>& values) {
    T* there = static_cast<T*>(memory(values.size() * sizeof(T)));
    stream.copy_to_device(there, values.data(), values.size() * sizeof(T));
    stream.synchronize();
    return there;
  }

  template <class T>
  std::vector<T> download(Stream& stream, const T* there, std::size_t count) {
    std::vector<T> values(count);
    stream.copy_to_host(values.data(), there, count * sizeof(T));
    stream.synchronize();
    return values;
  }

  static std::uint64_t slot(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }
  // The slots of a view of rank 1 with stride 1.
  static std::vector<std::uint64_t> view_slots(const void* address, std::uint64_t size) { return {slot(address), size, 1}; }
  static std::vector<std::uint64_t> joined(std::initializer_list<std::vector<std::uint64_t>> parts) {
    std::vector<std::uint64_t> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  }

  CudaDriverOptions options_;
  std::shared_ptr<CudaDevice> device_;
  std::vector<std::shared_ptr<void>> memory_;
};

inline std::string library_name(const ::testing::TestParamInfo<std::string>& info) { return info.param.empty() ? "device" : "simulated"; }

}  // namespace tilewright::testing
