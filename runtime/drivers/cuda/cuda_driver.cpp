#include "runtime/drivers/cuda/cuda_driver.h"

#include "runtime/drivers/cuda/cuda_event.h"
#include "runtime/drivers/cuda/cuda_stream.h"
#include "runtime/drivers/cuda/explicit_levels.h"

namespace tilewright {

namespace {

using namespace cuda;

DeviceProperties neutral_properties(const CudaDeviceProperties& device) {
  DeviceProperties properties;
  properties.name = "cuda:" + std::to_string(device.ordinal);
  properties.description = device.model + ", " + device.target + ", CUDA " + version_text(device.driver_version);
  properties.compile_target = device.target;
  properties.explicit_levels = explicit_levels(device.target);
  properties.memory_bytes = device.memory_bytes;
  properties.parallelism = device.multiprocessors;
  return properties;
}

class CudaDeviceImpl : public CudaDevice {
 public:
  explicit CudaDeviceImpl(std::shared_ptr<const CudaContext> context)
      : context_(std::move(context)), properties_(neutral_properties(context_->properties())) {}

  const DeviceProperties& properties() const override { return properties_; }
  const CudaDeviceProperties& cuda_properties() const override { return context_->properties(); }
  void* context() const override { return context_->handle(); }

  void* allocate(std::size_t bytes) override {
    const SetupScope scope(*context_);
    const CudaApi& api = context_->api();
    CUdeviceptr address = 0;
    CUresult result = CUDA_ERROR_OUT_OF_MEMORY;
    if (bytes <= properties_.memory_bytes) result = api.cuMemAlloc(&address, bytes == 0 ? 1 : bytes);
    if (result == CUDA_SUCCESS) return reinterpret_cast<void*>(address);
    const std::string doing = "of " + std::to_string(bytes) + " bytes";
    if (result != CUDA_ERROR_OUT_OF_MEMORY) context_->fail(result, "cuMemAlloc", doing);
    Error error(3302, "device '" + properties_.name + "' has no memory for " + std::to_string(bytes) + " bytes");
    std::size_t free = 0, total = 0;
    if (api.cuMemGetInfo(&free, &total) == CUDA_SUCCESS) error.note(std::to_string(free) + " of " + std::to_string(total) + " bytes are free");
    throw error;
  }

  void release(void* memory) noexcept override {
    if (memory == nullptr) return;
    const SetupScope scope(*context_, std::nothrow);
    if (scope) context_->api().cuMemFree(reinterpret_cast<std::uintptr_t>(memory));
  }

  bool accessible(const void* address, std::size_t bytes) const override { return is_accessible(*context_, address, bytes); }

  std::shared_ptr<Executable> load(Artifact artifact) override { return std::make_shared<CudaKernel>(context_, std::move(artifact)); }

  std::unique_ptr<Stream> make_stream() override { return make_cuda_stream(); }
  std::unique_ptr<CudaStream> make_cuda_stream() override { return std::make_unique<CudaStreamImpl>(context_); }
  std::unique_ptr<CudaStream> wrap_stream(void* stream) override { return std::make_unique<CudaStreamImpl>(context_, static_cast<CUstream>(stream)); }
  std::unique_ptr<Event> make_event() override { return std::make_unique<CudaEvent>(context_); }

  CudaKernelUsage usage(const Executable& executable) const override {
    const auto* kernel = dynamic_cast<const CudaKernel*>(&executable);
    if (kernel == nullptr || &kernel->context() != context_.get())
      throw Error(3306, "kernel '" + executable.artifact().kernel + "' was loaded on another device");
    return kernel->usage();
  }

 private:
  std::shared_ptr<const CudaContext> context_;
  DeviceProperties properties_;
};

class CudaDriver : public Driver {
 public:
  explicit CudaDriver(CudaDriverOptions options) : options_(std::move(options)) {}

  std::string name() const override { return "cuda"; }

  std::vector<DeviceProperties> enumerate() const override {
    std::vector<DeviceProperties> found;
    std::string missing;
    const auto library = CudaLibrary::load(options_.library, missing);
    try {
      for (int i = 0; library && i < library->device_count(); ++i) found.push_back(neutral_properties(read_properties(*library, i)));
    } catch (const Error&) {
      // A device that cannot even be asked is no device to offer; open() says what is the matter with it.
    }
    return found;
  }

  std::shared_ptr<Device> open(int ordinal) override { return open_cuda(ordinal); }

  std::shared_ptr<CudaDevice> open_cuda(int ordinal) const {
    const std::string none = "there is no device 'cuda:" + std::to_string(ordinal) + "'";
    std::string missing;
    const auto library = CudaLibrary::load(options_.library, missing);
    if (!library) throw Error(3301, none + ": " + missing);
    if (ordinal < 0 || ordinal >= library->device_count())
      throw Error(3301, none).help("there are cuda:0 to cuda:" + std::to_string(library->device_count() - 1));
    return std::make_shared<CudaDeviceImpl>(std::make_shared<const CudaContext>(library, read_properties(*library, ordinal)));
  }

 private:
  CudaDriverOptions options_;
};

}  // namespace

std::unique_ptr<Driver> make_cuda_driver(CudaDriverOptions options) { return std::make_unique<CudaDriver>(std::move(options)); }

std::shared_ptr<CudaDevice> open_cuda_device(int ordinal, CudaDriverOptions options) { return CudaDriver(std::move(options)).open_cuda(ordinal); }

}  // namespace tilewright
