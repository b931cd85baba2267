// A device's primary context, held; and the scopes in which calls on it are made.
#pragma once

#include "runtime/drivers/cuda/cuda_driver.h"
#include "runtime/drivers/cuda/cuda_library.h"

#include <memory>
#include <new>
#include <string>

namespace tilewright::cuda {

// Immutable, thread-safe. One for each Device: its objects hold it, and are told apart from those of another device by it.
class CudaContext {
 public:
  CudaContext(std::shared_ptr<const CudaLibrary> library, CudaDeviceProperties properties);
  ~CudaContext();
  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;

  const CudaApi& api() const { return library_->api(); }
  const CudaLibrary& library() const { return *library_; }
  const CudaDeviceProperties& properties() const { return properties_; }
  CUcontext handle() const { return handle_; }
  std::string device_name() const { return "cuda:" + std::to_string(properties_.ordinal); }

  void check(CUresult result, const char* call) const {
    if (result != CUDA_SUCCESS) [[unlikely]]
      fail(result, call, {});
  }
  // Throws CudaLibrary::failure with the name of the device.
  [[noreturn]] void fail(CUresult result, const char* call, const std::string& doing) const;

 private:
  std::shared_ptr<const CudaLibrary> library_;
  CudaDeviceProperties properties_;
  CUdevice device_ = 0;
  CUcontext handle_ = nullptr;
};

// Makes the context current for this thread while it lives, and afterwards the one that was. Throws when that cannot be; with std::nothrow, for destructors, it is then false.
class ContextScope {
 public:
  explicit ContextScope(const CudaContext& context) : ContextScope(context, std::nothrow) {
    if (result_ != CUDA_SUCCESS) [[unlikely]]
      context.fail(result_, "cuCtxPushCurrent", {});
  }
  ContextScope(const CudaContext& context, std::nothrow_t) noexcept : api_(context.api()) {
    CUcontext current = nullptr;
    if (api_.cuCtxGetCurrent(&current) == CUDA_SUCCESS && current == context.handle()) return;
    result_ = api_.cuCtxPushCurrent(context.handle());
    pushed_ = result_ == CUDA_SUCCESS;
  }
  ~ContextScope() {
    CUcontext popped = nullptr;
    if (pushed_) api_.cuCtxPopCurrent(&popped);
  }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;
  explicit operator bool() const { return result_ == CUDA_SUCCESS; }

 private:
  const CudaApi& api_;
  CUresult result_ = CUDA_SUCCESS;
  bool pushed_ = false;
};

// The same for calls that allocate, load or ask, which a recording of a graph anywhere in the process could forbid to this thread. They have no part in any recording.
class SetupScope {
 public:
  explicit SetupScope(const CudaContext& context) : context_(context), api_(context.api()) { api_.cuThreadExchangeStreamCaptureMode(&mode_); }
  SetupScope(const CudaContext& context, std::nothrow_t) noexcept : context_(context, std::nothrow), api_(context.api()) {
    api_.cuThreadExchangeStreamCaptureMode(&mode_);
  }
  ~SetupScope() { api_.cuThreadExchangeStreamCaptureMode(&mode_); }
  SetupScope(const SetupScope&) = delete;
  SetupScope& operator=(const SetupScope&) = delete;
  explicit operator bool() const { return static_cast<bool>(context_); }

 private:
  ContextScope context_;
  const CudaApi& api_;
  CUcaptureMode mode_ = CU_STREAM_CAPTURE_MODE_RELAXED;  // then the mode to go back to
};

// The properties of a device that exists. Needs no context. Throws Error TW3411.
CudaDeviceProperties read_properties(const CudaLibrary& library, int ordinal);

// "0x7f0012345600".
std::string address_text(std::uint64_t address);
inline std::string address_text(const void* address) { return address_text(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(address))); }

}  // namespace tilewright::cuda
