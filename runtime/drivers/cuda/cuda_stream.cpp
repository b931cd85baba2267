#include "runtime/drivers/cuda/cuda_stream.h"

#include "runtime/drivers/cuda/cuda_event.h"
#include "runtime/drivers/cuda/launch_text.h"

#include <algorithm>

namespace tilewright::cuda {

namespace {

CUdeviceptr device_address(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }

std::string copy_text(std::size_t bytes, const void* from, const void* to) {
  return "of " + std::to_string(bytes) + " bytes from " + address_text(from) + " to " + address_text(to);
}

std::string launch_text(const CudaKernel& kernel, const GridSize& grid, std::span<const std::uint64_t> arguments) {
  const Artifact& artifact = kernel.artifact();
  return "kernel '" + artifact.kernel + "', " + shape_text(grid, artifact.launch) + ", arguments: " + arguments_text(*artifact.program, arguments);
}

// Whether a grid has no programs. Throws Error TW3305 for one that cannot be.
bool is_empty(const CudaKernel& kernel, const GridSize& grid) {
  const auto within = [](std::int64_t size) { return size > 0 && size <= INT32_MAX; };
  return !(within(grid[0]) && within(grid[1]) && within(grid[2])) && programs_of(grid, kernel.artifact().kernel) == 0;
}

// The parameters of a launch as one block of bytes, in the form that the library takes. Stays where it is made.
class ParameterBuffer {
 public:
  explicit ParameterBuffer(std::span<const std::uint64_t> parameters)
      : bytes_(parameters.size_bytes()),
        extra_{word(CU_LAUNCH_PARAM_BUFFER_POINTER), const_cast<std::uint64_t*>(parameters.data()), word(CU_LAUNCH_PARAM_BUFFER_SIZE), &bytes_,
               word(CU_LAUNCH_PARAM_END)} {}
  ParameterBuffer(const ParameterBuffer&) = delete;
  ParameterBuffer& operator=(const ParameterBuffer&) = delete;

  void** extra() { return bytes_ != 0 ? extra_ : nullptr; }

 private:
  static void* word(std::uintptr_t value) { return reinterpret_cast<void*>(value); }

  std::size_t bytes_;
  void* extra_[5];
};

// The launch of an empty grid.
class NothingToRun : public BoundLaunch {
 public:
  void run() override {}
};

// Keeps `kernel` in a list that names each once. Launches of one kernel tend to follow each other, so the end is looked at first.
void keep(std::vector<std::shared_ptr<const CudaKernel>>& kernels, const CudaKernel& kernel) {
  for (auto it = kernels.rbegin(); it != kernels.rend(); ++it) {
    if (it->get() == &kernel) return;
  }
  kernels.push_back(kernel.shared_from_this());
}

}  // namespace

CudaStreamImpl::CudaStreamImpl(std::shared_ptr<const CudaContext> context) : context_(std::move(context)), owned_(true) {
  const SetupScope scope(*context_);
  context_->check(context_->api().cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
}

CudaStreamImpl::CudaStreamImpl(std::shared_ptr<const CudaContext> context, CUstream stream)
    : context_(std::move(context)), stream_(stream), owned_(false) {
  const SetupScope scope(*context_);
  CUcontext owner = nullptr;
  context_->check(context_->api().cuStreamGetCtx(stream_, &owner), "cuStreamGetCtx");
  if (owner != context_->handle()) throw Error(3306, "the stream " + address_text(stream_) + " is not of device '" + context_->device_name() + "'");
}

CudaStreamImpl::~CudaStreamImpl() {
  const SetupScope scope(*context_, std::nothrow);
  if (!scope) return;
  const CudaApi& api = context_->api();
  if (began_recording_) {
    recording_->open = false;
    CUgraph graph = nullptr;
    if (api.cuStreamEndCapture(stream_, &graph) == CUDA_SUCCESS && graph != nullptr) api.cuGraphDestroy(graph);
  }
  if (!owned_) {
    // What kernels and graphs of this object still use must not go; while another library records, nothing runs.
    CUcaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
    const bool idle = api.cuStreamIsCapturing(stream_, &status) != CUDA_SUCCESS || status != CU_STREAM_CAPTURE_STATUS_NONE;
    if (!idle && (assertions_ || !graphs_in_flight_.empty())) api.cuStreamSynchronize(stream_);
    return;
  }
  api.cuStreamSynchronize(stream_);
  api.cuStreamDestroy(stream_);
}

void CudaStreamImpl::copy_to_device(void* device, const void* host, std::size_t bytes) {
  if (bytes == 0) return;
  check_range(device, bytes);
  const ContextScope scope(*context_);
  const CUresult result = context_->api().cuMemcpyHtoDAsync(device_address(device), host, bytes, stream_);
  if (result != CUDA_SUCCESS) throw failure(result, "cuMemcpyHtoDAsync", copy_text(bytes, host, device));
}

void CudaStreamImpl::copy_to_host(void* host, const void* device, std::size_t bytes) {
  if (bytes == 0) return;
  check_range(device, bytes);
  const ContextScope scope(*context_);
  const CUresult result = context_->api().cuMemcpyDtoHAsync(host, device_address(device), bytes, stream_);
  if (result != CUDA_SUCCESS) throw failure(result, "cuMemcpyDtoHAsync", copy_text(bytes, device, host));
}

void CudaStreamImpl::fill(void* device, unsigned char value, std::size_t bytes) {
  if (bytes == 0) return;
  check_range(device, bytes);
  const ContextScope scope(*context_);
  const CUresult result = context_->api().cuMemsetD8Async(device_address(device), value, bytes, stream_);
  if (result != CUDA_SUCCESS) throw failure(result, "cuMemsetD8Async", "of " + std::to_string(bytes) + " bytes at " + address_text(device));
}

const CudaKernel& CudaStreamImpl::check_launch(const Executable& executable, std::span<const std::uint64_t> arguments) const {
  const auto* kernel = dynamic_cast<const CudaKernel*>(&executable);
  if (kernel == nullptr || &kernel->context() != context_.get())
    throw Error(3306, "kernel '" + executable.artifact().kernel + "' was loaded on another device");
  if (arguments.size() != kernel->slots())
    throw Error(3305, "kernel '" + executable.artifact().kernel + "' takes " + std::to_string(kernel->slots()) + " argument slots, given are " +
                          std::to_string(arguments.size()));
  return *kernel;
}

void CudaStreamImpl::launch(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) {
  const CudaKernel& kernel = check_launch(executable, arguments);
  if (is_empty(kernel, grid)) return;
  CUlaunchAttribute attributes[2];
  const CUlaunchConfig config = launch_config(kernel, grid, stream_, attributes);
  const ContextScope scope(*context_);
  std::span<const std::uint64_t> parameters = arguments;
  if (kernel.has_assertions()) {
    parameters_.assign(arguments.begin(), arguments.end());
    parameters_.push_back(assertion_word_of(kernel));
    parameters = parameters_;
  }
  ParameterBuffer buffer(parameters);
  mapped_.set(kernel.maps(), arguments, parameters);
  submit(kernel, config, mapped_.list(), buffer.extra(), grid, arguments);
}

// Everything that a launch hands to the library, made once.
class CudaStreamImpl::Bound : public BoundLaunch {
 public:
  Bound(CudaStreamImpl& stream, const CudaKernel& kernel, const GridSize& grid, std::span<const std::uint64_t> arguments)
      : stream_(stream),
        kernel_(kernel),
        grid_(grid),
        slots_(arguments.size()),
        parameters_(with_word(kernel, arguments)),
        config_(launch_config(kernel, grid, stream.stream_, attributes_)),
        buffer_(parameters_) {
    const ContextScope scope(*stream.context_);
    mapped_.set(kernel.maps(), arguments, parameters_);
  }

  void run() override {
    const ContextScope scope(*stream_.context_);
    if (kernel_.has_assertions()) parameters_.back() = stream_.assertion_word_of(kernel_);
    stream_.submit(kernel_, config_, mapped_.list(), buffer_.extra(), grid_, std::span(parameters_).first(slots_));
  }

 private:
  static std::vector<std::uint64_t> with_word(const CudaKernel& kernel, std::span<const std::uint64_t> arguments) {
    std::vector<std::uint64_t> parameters(arguments.begin(), arguments.end());
    if (kernel.has_assertions()) parameters.push_back(0);
    return parameters;
  }

  CudaStreamImpl& stream_;
  const CudaKernel& kernel_;
  GridSize grid_;
  std::size_t slots_;
  std::vector<std::uint64_t> parameters_;
  CUlaunchAttribute attributes_[2];
  CUlaunchConfig config_;
  ParameterBuffer buffer_;
  MappedParameters mapped_;
};

std::unique_ptr<BoundLaunch> CudaStreamImpl::bind(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) {
  const CudaKernel& kernel = check_launch(executable, arguments);
  if (is_empty(kernel, grid)) return std::make_unique<NothingToRun>();
  return std::make_unique<Bound>(*this, kernel, grid, arguments);
}

// Maps are passed one by one with the other parameters: from a buffer the library does not take them.
void CudaStreamImpl::submit(const CudaKernel& kernel, const CUlaunchConfig& config, void** list, void** extra, const GridSize& grid, std::span<const std::uint64_t> arguments) {
  const CUresult result = context_->api().cuLaunchKernelEx(&config, kernel.function(), list, list != nullptr ? nullptr : extra);
  if (result != CUDA_SUCCESS) [[unlikely]]
    throw failure(result, "cuLaunchKernelEx", "of kernel '" + kernel.artifact().kernel + "'").note(launch_text(kernel, grid, arguments));
  remember(kernel, grid, arguments);
}

// The word that a kernel with assertions takes behind its arguments.
CUdeviceptr CudaStreamImpl::assertion_word_of(const CudaKernel& kernel) {
  Recording* const recording = open_recording();
  std::unique_ptr<AssertionBoard>& board = recording != nullptr ? recording->assertions : assertions_;
  if (!board) board = std::make_unique<AssertionBoard>(context_);
  return board->word_of(kernel);
}

void CudaStreamImpl::remember(const CudaKernel& kernel, const GridSize& grid, std::span<const std::uint64_t> arguments) {
  if (Recording* const recording = open_recording()) return keep(recording->kernels, kernel);
  keep(in_flight_, kernel);
  PastLaunch& past = past_[launches_++ % kRemembered];
  past.kernel = &kernel;
  past.grid = grid;
  past.arguments.assign(arguments.begin(), arguments.end());
}

// The graph that launches go to; null: they run.
Recording* CudaStreamImpl::open_recording() {
  if (recording_ && !recording_->open) [[unlikely]]
    recording_.reset();
  return recording_.get();
}

Error CudaStreamImpl::failure(CUresult result, const char* call, const std::string& doing) const {
  Error error = context_->library().failure(result, call, doing + (doing.empty() ? "on device '" : " on device '") + context_->device_name() + "'");
  const std::size_t shown = std::min(launches_, kRemembered);
  if (launches_ > shown) error.note("launches on this stream since it was synchronized: " + std::to_string(launches_) + ", the last of which are");
  for (std::size_t i = launches_ - shown; i < launches_; ++i) {
    const PastLaunch& past = past_[i % kRemembered];
    error.note("launched: " + launch_text(*past.kernel, past.grid, past.arguments));
  }
  for (const auto& graph : graphs_in_flight_) error.note("launched: " + graph->kernel_names());
  return error;
}

void CudaStreamImpl::record(Event& event) {
  auto* own = dynamic_cast<CudaEvent*>(&event);
  if (own == nullptr || &own->context() != context_.get()) throw Error(3306, "an event of another device");
  const ContextScope scope(*context_);
  const CUresult result = context_->api().cuEventRecord(own->handle(), stream_);
  if (result != CUDA_SUCCESS) throw failure(result, "cuEventRecord", {});
  open_recording();
  own->set_recorded(recording_);
}

void CudaStreamImpl::wait(const Event& event) {
  const auto* own = dynamic_cast<const CudaEvent*>(&event);
  if (own == nullptr || &own->context() != context_.get()) throw Error(3306, "an event of another device");
  const ContextScope scope(*context_);
  const CUresult result = context_->api().cuStreamWaitEvent(stream_, own->handle(), 0);
  if (result != CUDA_SUCCESS) throw failure(result, "cuStreamWaitEvent", {});
  if (own->recording() && own->recording()->open) recording_ = own->recording();
}

void CudaStreamImpl::synchronize() {
  if (recording()) {
    throw Error(3307, "a stream that records a graph cannot be waited for: nothing runs until the graph is launched")
        .help("compile, tune and read results before or after the recording");
  }
  const ContextScope scope(*context_);
  const CUresult result = context_->api().cuStreamSynchronize(stream_);
  if (result != CUDA_SUCCESS) throw failure(result, "cuStreamSynchronize", {});
  launches_ = 0;
  in_flight_.clear();
  const auto graphs = std::move(graphs_in_flight_);
  graphs_in_flight_.clear();
  if (assertions_) assertions_->throw_if_failed(false);
  for (const auto& graph : graphs) {
    if (graph->assertions() != nullptr) graph->assertions()->throw_if_failed(true);
  }
}

bool CudaStreamImpl::recording() const {
  if (recording_ && recording_->open) return true;
  const ContextScope scope(*context_);
  CUcaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  const CUresult result = context_->api().cuStreamIsCapturing(stream_, &status);
  if (result != CUDA_SUCCESS) throw failure(result, "cuStreamIsCapturing", {});
  return status != CU_STREAM_CAPTURE_STATUS_NONE;
}

void CudaStreamImpl::begin_recording() {
  if (recording()) throw Error(3307, "this stream records a graph already");
  const ContextScope scope(*context_);
  const CUresult result = context_->api().cuStreamBeginCapture(stream_, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  if (result != CUDA_SUCCESS) throw failure(result, "cuStreamBeginCapture", {});
  recording_ = std::make_shared<Recording>();
  began_recording_ = true;
}

std::shared_ptr<CudaGraph> CudaStreamImpl::end_recording() {
  if (!began_recording_) throw Error(3307, "no recording was begun on this stream");
  const std::shared_ptr<Recording> recording = std::move(recording_);
  recording->open = false;
  began_recording_ = false;
  const ContextScope scope(*context_);
  CUgraph graph = nullptr;
  const CUresult result = context_->api().cuStreamEndCapture(stream_, &graph);
  if (result != CUDA_SUCCESS) throw failure(result, "cuStreamEndCapture", {});
  const auto destroy = [this](CUgraph handle) { context_->api().cuGraphDestroy(handle); };
  const std::unique_ptr<std::remove_pointer_t<CUgraph>, decltype(destroy)> holder(graph, destroy);
  return std::make_shared<InstantiatedGraph>(context_, graph, recording);
}

void CudaStreamImpl::launch(const std::shared_ptr<CudaGraph>& graph) {
  const auto own = std::dynamic_pointer_cast<InstantiatedGraph>(graph);
  if (own == nullptr || &own->context() != context_.get()) throw Error(3306, "a graph of another device");
  if (open_recording() != nullptr) throw Error(3307, "a stream that records a graph cannot launch another");
  const ContextScope scope(*context_);
  if (std::find(graphs_in_flight_.begin(), graphs_in_flight_.end(), own) == graphs_in_flight_.end()) graphs_in_flight_.push_back(own);
  const CUresult result = context_->api().cuGraphLaunch(own->handle(), stream_);
  if (result != CUDA_SUCCESS) throw failure(result, "cuGraphLaunch", "of " + own->kernel_names());
}

void CudaStreamImpl::check_range(const void* device, std::size_t bytes) const {
  if (device == nullptr || !is_accessible(*context_, device, bytes)) {
    throw Error(3304,
                std::to_string(bytes) + " bytes at " + address_text(device) + " lie outside the memory of device '" + context_->device_name() + "'");
  }
}

bool is_accessible(const CudaContext& context, const void* address, std::size_t bytes) {
  if (bytes == 0) return true;
  const CUdeviceptr first = device_address(address);
  if (first == 0 || bytes > UINT64_MAX - first) return false;
  const SetupScope scope(context);
  // Memory mapped in pieces, as PyTorch's expandable segments are, is one range for each piece.
  for (CUdeviceptr at = first; at < first + bytes;) {
    unsigned type = 0, managed = 0;
    int ordinal = -1;
    CUdeviceptr here = 0, start = 0;
    std::size_t size = 0;
    CUpointerAttribute which[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,    CU_POINTER_ATTRIBUTE_IS_MANAGED,       CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL,
                                  CU_POINTER_ATTRIBUTE_DEVICE_POINTER, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, CU_POINTER_ATTRIBUTE_RANGE_SIZE};
    void* values[] = {&type, &managed, &ordinal, &here, &start, &size};
    context.check(context.api().cuPointerGetAttributes(std::size(which), which, values, at), "cuPointerGetAttributes");
    const bool ours =
        managed != 0 || (type == CU_MEMORYTYPE_DEVICE && ordinal == context.properties().ordinal) || (type == CU_MEMORYTYPE_HOST && here == at);
    if (!ours) return false;
    if (size == 0) return true;  // memory whose extent the library does not tell
    if (at < start || at - start >= size) return false;
    at = start + size;
  }
  return true;
}

}  // namespace tilewright::cuda
