// Devices: the contract between the runtime and what runs kernels. One driver a folder under runtime/drivers; all pass tests/runtime/conformance_test.cpp.
//
//   Driver      what is there: enumerates devices and opens them
//   Device      memory, code, streams and events of one device
//   Executable  a loaded artifact
//   Stream      work in order
//   BoundLaunch a launch on a stream, made ready to be run again and again
//   Event       a point in a stream, with its time
//
// Threads. Driver, Device and Executable may be used by several threads at once. A Stream or an Event belongs to one thread at a time. Objects made by a device
// hold it: it lives as long as they do. Using an object of one device with another device is an error, not a crash.
//
// Order and errors. Work given to a stream runs in the order given; it may be finished when the call returns, and is finished when synchronize() returns. A call
// throws Error for its own arguments at once and then has done nothing. What goes wrong while a kernel runs (a failed kernel assertion: TW3401) is thrown by the next
// synchronize() of that stream, once; the stream can be used on. Memory given to a stream must stay valid until the work is finished.
//
// Codes: TW3301 no such device, TW3302 no memory, TW3303 an artifact of another target, TW3304 a range outside the device's memory, TW3305 arguments or grid do not fit the
// kernel, TW3306 an object of another device.
#pragma once

#include "runtime/artifact.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tilewright {

struct DeviceProperties {
  std::string name;                // what a user writes: "cpu", "reference", "cuda:0"
  std::string description;         // for people: the model of the processor
  std::string compile_target;      // CompileOptions::target of its code; empty: it takes artifacts that carry the program alone
  std::vector<std::string> explicit_levels = {};  // that schedules of kernels may be written for (program::CallFacts)
  std::uint64_t memory_bytes = 0;  // of the device; for host devices, of the machine
  int parallelism = 1;             // programs of a grid that run at once
  bool host_memory = false;        // the host may read and write the device's memory directly
};

// Sizes of a grid along its three axes; axis 0 varies fastest.
using GridSize = std::array<std::int64_t, 3>;

// Number of programs. Throws Error TW3305 for a negative size or more than 2^63 - 1 programs, naming the kernel.
std::int64_t programs_of(const GridSize& grid, const std::string& kernel);

// Number of 64-bit slots the arguments of a program take (see runtime/artifact.h).
std::size_t argument_slots(const program::Program& program);

class Device;

class Executable {
 public:
  virtual ~Executable() = default;
  virtual const Artifact& artifact() const = 0;
};

class Event {
 public:
  virtual ~Event() = default;
  // Whether the point has been reached. An event that was never recorded counts as reached.
  virtual bool reached() const = 0;
  // Milliseconds from `earlier` to this event; both recorded and reached, on streams of one device. Throws Error TW3305 otherwise.
  virtual double milliseconds_since(const Event& earlier) const = 0;
};

// A launch on a stream with its checks made and its storage laid out. Belongs to the thread that its stream belongs to.
class BoundLaunch {
 public:
  virtual ~BoundLaunch() = default;
  // What Stream::launch() does with the executable, grid and arguments it was bound with. A grid of one program runs without allocating memory or taking a lock; so does every grid on a GPU, but for
  // the first run after a synchronize().
  virtual void run() = 0;
};

class Stream {
 public:
  virtual ~Stream() = default;

  // Copies. `device` pointers lie in memory of this device. Zero bytes copy nothing, and the pointers may then be null.
  virtual void copy_to_device(void* device, const void* host, std::size_t bytes) = 0;
  virtual void copy_to_host(void* host, const void* device, std::size_t bytes) = 0;
  virtual void fill(void* device, unsigned char value, std::size_t bytes) = 0;

  // Runs every program of `grid` once, in no particular order and possibly at once. `arguments` are the slots that runtime/artifact.h describes, as many as
  // argument_slots() says; they are copied. An empty grid runs nothing.
  virtual void launch(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) = 0;

  // launch() in two steps: what it can check is checked here, once, and thrown here; BoundLaunch::run() does the rest. Executable and stream must outlive what is returned.
  virtual std::unique_ptr<BoundLaunch> bind(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) = 0;

  virtual void record(Event& event) = 0;
  // Work given to this stream later starts after `event` is reached.
  virtual void wait(const Event& event) = 0;
  virtual void synchronize() = 0;
};

class Device : public std::enable_shared_from_this<Device> {
 public:
  virtual ~Device() = default;
  virtual const DeviceProperties& properties() const = 0;

  // Uninitialised memory, aligned to at least 256 bytes; zero bytes give an address of their own too. Throws Error TW3302, naming the size.
  virtual void* allocate(std::size_t bytes) = 0;
  // Gives memory back; nullptr does nothing. No work on it may be unfinished.
  virtual void release(void* memory) noexcept = 0;

  // False if the device can tell that [address, address + bytes) is not memory that its kernels may access. Host devices take any host memory.
  virtual bool accessible(const void* address, std::size_t bytes) const = 0;

  // How well code for `target` suits this device: the more the better, negative when it does not run here. `processor` is what Compiler::describe_target() said of the target where the code
  // was made.
  virtual int suits(const std::string& target, const std::string& processor) const { return target == properties().compile_target ? 0 : -1; }

  // Throws Error TW3303 when the artifact is not for this device.
  virtual std::shared_ptr<Executable> load(Artifact artifact) = 0;

  virtual std::unique_ptr<Stream> make_stream() = 0;
  virtual std::unique_ptr<Event> make_event() = 0;
};

class Driver {
 public:
  virtual ~Driver() = default;
  virtual std::string name() const = 0;  // "cpu", "cuda"

  // The devices that can be opened now. Never throws: no device, no driver library, an empty list.
  virtual std::vector<DeviceProperties> enumerate() const = 0;

  // The device at a position of enumerate(). Throws Error TW3301.
  virtual std::shared_ptr<Device> open(int ordinal) = 0;
};

}  // namespace tilewright
