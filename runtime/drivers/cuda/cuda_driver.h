// The driver "cuda": NVIDIA devices through libcuda, which is loaded when devices are first asked for. Nothing of CUDA is needed to build or to start a process.
//
// Code. Artifact::code is PTX text or a cubin for Artifact::target, "sm_80", "sm_90a" and the like. A cubin runs on devices of its compute capability's major version, from its
// minor version on; PTX on any later device too; code for a target that ends in 'a' on that one capability alone. PTX is assembled when it is loaded.
//
// Calling convention. Artifact::launch must be set: a block has `threads` threads along x, and a program is a cluster of `cluster` blocks along x (1: a block).
//   program_id(0) = %clusterid.x, which is %ctaid.x without clusters; program_id(1) = %ctaid.y; program_id(2) = %ctaid.z; num_programs accordingly (%nclusterid.x, %nctaid.y, ...)
// A grid has at most 2^31 - 1 blocks along axis 0 and 65535 programs along the others.
// The parameter space of the entry is the slots of runtime/artifact.h, slot i at byte 8 i: declared as one array, `.param .align 8 .b8 args[8 * slots]`, or as that many .u64. A view
// of rank n takes 1 + 2n slots (generic address of element 0, sizes, strides in elements), a scalar one (its bits in the low bytes). Where the library can tell, load() checks
// that their total size fits the program.
//
// Assertions. When Artifact::assertions is not empty, one more slot follows: the address of a 32-bit word. Code whose assertion i fails stores i + 1 there (st.volatile or
// st.relaxed.sys; any one of several failures may win) and goes on or returns; it must not trap, since a trap destroys the context, which other libraries of the process share.
// The next synchronize() of the stream throws TW3401 with the text of assertion i.
//
// Maps. Behind that follow, at the next multiple of 64 bytes, the 128-byte descriptors of Artifact::maps, for cp.async.bulk.tensor: made anew at each launch from the view's address, sizes and strides, with
// rows of 128 bytes swizzled, and zeros for what lies outside of the view. TW3305 for a view that the device cannot describe, one with a negative stride for instance.
//
// Programmatic launch. With LaunchShape::overlaps_previous a kernel may start while its predecessor in the stream still runs, so it must execute griddepcontrol.wait before it
// touches memory; it may run griddepcontrol.launch_dependents for its successor.
//
// The context is the device's primary context, which the CUDA runtime and PyTorch use too: their pointers and streams are valid here. It is pushed for the length of a call where it
// is not current, so the caller's current context stays as it is.
//
// Errors beyond runtime/device.h: TW2310 more shared memory than a block can have, TW2311 more threads than a block can have or its registers allow, TW2312 a cluster that the
// device cannot run, TW3307 a call that a stream recording a graph cannot do, TW3410 a kernel that failed on the device (an illegal address, say), TW3411 any other failed call of
// libcuda. Texts name the call and, for launches, the kernel, its grid and its arguments. After TW3410 the context is lost: every later call on the device fails in the same way, and
// the process has to be started again.
#pragma once

#include "runtime/device.h"

#include <cstdint>
#include <memory>
#include <string>

namespace tilewright {

struct CudaDeviceProperties {
  int ordinal = 0;
  std::string model;  // "NVIDIA H100 80GB HBM3"
  std::string pci_bus_id;
  int capability_major = 0, capability_minor = 0;
  std::string target;      // "sm_90a": what to compile for
  int driver_version = 0;  // the CUDA version of libcuda: 13000 for 13.0
  int multiprocessors = 0;
  int max_threads_per_block = 0;
  int max_threads_per_multiprocessor = 0, max_blocks_per_multiprocessor = 0;
  int registers_per_block = 0, registers_per_multiprocessor = 0;  // of 32 bits
  std::uint64_t shared_bytes_per_block = 0;                       // with opting in, which this driver does; includes what the code declares itself
  std::uint64_t shared_bytes_per_multiprocessor = 0;
  std::uint64_t l2_bytes = 0, memory_bytes = 0;
  int clock_khz = 0, memory_clock_khz = 0, memory_bus_bits = 0;
  bool clusters = false;
  GridSize max_grid{};  // in blocks
};

// What the loaded code of a kernel takes.
struct CudaKernelUsage {
  int registers = 0;                        // of a thread
  std::uint64_t local_bytes = 0;            // of a thread: its stack, spilled registers among it
  std::uint64_t declared_shared_bytes = 0;  // of a block, beside LaunchShape::shared_bytes
  int max_threads = 0;                      // of a block with that many registers
  int blocks_per_multiprocessor = 0;        // resident at once, by registers, threads and shared memory; for clusters see `active_clusters`
  int active_clusters = 0;                  // resident on the device at once; 0 without clusters
};

// Launches recorded once, to be launched again as a whole with the same arguments. Holds its kernels and the device; memory of the arguments stays the caller's. May be launched on
// several streams, by one thread at a time.
class CudaGraph {
 public:
  virtual ~CudaGraph() = default;
};

class CudaStream : public Stream {
 public:
  // The CUstream (cudaStream_t).
  virtual void* handle() const = 0;

  // Whether a graph is being recorded on this stream, here or by another library. Then nothing may wait for the stream.
  virtual bool recording() const = 0;

  // From here to end_recording(), which is for the same thread, launches, copies and fills are recorded, not run. Other threads are not disturbed. Throws Error TW3307 while recording.
  virtual void begin_recording() = 0;
  // Throws Error TW3307 without begin_recording(), TW3411 when what was recorded is no graph.
  virtual std::shared_ptr<CudaGraph> end_recording() = 0;

  // Runs a graph in order with the stream's other work. Throws Error TW3306 for a graph of another device.
  virtual void launch(const std::shared_ptr<CudaGraph>& graph) = 0;
  using Stream::launch;
};

class CudaDevice : public Device {
 public:
  virtual const CudaDeviceProperties& cuda_properties() const = 0;

  // The CUcontext.
  virtual void* context() const = 0;

  // A stream of this driver: it does not wait for the legacy default stream. When it is destroyed, it waits for its work. make_stream() gives the same.
  virtual std::unique_ptr<CudaStream> make_cuda_stream() = 0;

  // A stream of another library, which keeps it; null, cudaStreamLegacy and cudaStreamPerThread are streams too. The object must be gone before the stream is, and the executables
  // launched on it must outlive their work. A kernel with assertions that another library records into a graph of its own writes to this object: it must outlive that graph.
  // Throws Error TW3306 for a stream of another context.
  virtual std::unique_ptr<CudaStream> wrap_stream(void* stream) = 0;

  // Throws Error TW3306 for an executable of another device.
  virtual CudaKernelUsage usage(const Executable& executable) const = 0;
};

struct CudaDriverOptions {
  std::string library;  // the file of libcuda; empty: libcuda.so.1, as the dynamic loader finds it
};

// Loads nothing yet; enumerate() and open() do. open() says what is missing where there is no library, no device, or too old a driver.
std::unique_ptr<Driver> make_cuda_driver(CudaDriverOptions options = {});

// make_cuda_driver(options)->open(ordinal), as the class it is.
std::shared_ptr<CudaDevice> open_cuda_device(int ordinal, CudaDriverOptions options = {});

}  // namespace tilewright
