// What a driver must do, as tests over any driver. A new driver adds an instantiation: how to open its device, and how to make an artifact of one of the kernels of test_kernels.h
// for it.
#pragma once

#include "runtime/device.h"
#include "tests/runtime/test_kernels.h"

#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace tilewright::testing {

struct DriverCase {
  std::string name;
  std::function<std::unique_ptr<Driver>()> make_driver;
  // An artifact for this driver's devices of a program of count, copy or bound.
  std::function<Artifact(std::shared_ptr<const program::Program>)> make_artifact;
  // An artifact that the driver must refuse; empty: it takes any.
  std::function<Artifact(std::shared_ptr<const program::Program>)> make_foreign_artifact;
  bool runs_kernels = true;
};

inline void PrintTo(const DriverCase& driver, std::ostream* out) { *out << driver.name; }

}  // namespace tilewright::testing
