#include "runtime/session.h"

#include "dsl/program/verify.h"
#include "runtime/arguments.h"
#include "runtime/cache/artifact_cache.h"
#include "runtime/call_key.h"
#include "runtime/drivers/cpu/cpu_driver.h"
#include "runtime/drivers/cuda/cuda_driver.h"
#include "runtime/drivers/null/null_driver.h"
#include "runtime/kernel_cache.h"
#include "runtime/shipped_settings.h"
#include "runtime/support/error.h"
#include "runtime/support/log.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>

namespace tilewright {

namespace {

// A stream and the two events around a launch.
struct Lane {
  std::unique_ptr<Stream> stream;
  std::unique_ptr<Event> start, stop;
};

// Streams to use by one thread at a time, kept for the next launch.
class LanePool {
 public:
  explicit LanePool(Device& device) : device_(device) {}

  Lane take() {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Lane lane = std::move(idle_.back());
        idle_.pop_back();
        return lane;
      }
    }
    return {device_.make_stream(), device_.make_event(), device_.make_event()};
  }

  void give_back(Lane lane) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(lane));
  }

 private:
  Device& device_;
  std::mutex mutex_;
  std::vector<Lane> idle_;
};

// Copies a strided view, its bytes gathered from `span` that starts at the view's lowest element, to row-major order.
void gather(const TensorView& view, const std::byte* span, std::int64_t origin, std::byte* out) {
  const std::size_t element = size_of(view.dtype);
  std::array<std::int64_t, kMaxRank> at{};
  std::int64_t offset = origin;
  for (std::int64_t i = 0, count = view.elements(); i < count; ++i) {
    std::memcpy(out + static_cast<std::size_t>(i) * element, span + static_cast<std::size_t>(offset) * element, element);
    for (int axis = view.rank - 1; axis >= 0; --axis) {
      offset += view.strides[axis];
      if (++at[axis] < view.sizes[axis]) break;
      offset -= at[axis] * view.strides[axis];
      at[axis] = 0;
    }
  }
}

class DeviceSession : public Session {
 public:
  DeviceSession(std::shared_ptr<Device> device, std::shared_ptr<Compiler> compiler, const SessionOptions& options)
      : device_(std::move(device)), compiler_(std::move(compiler)), poison_(options.poison), lanes_(*device_) {
    const std::string& target = device_->properties().compile_target;
    settings_target_ = options.settings_target.empty() ? target : options.settings_target;
    if (target.empty() || (compiler_ && compiler_->build_id().empty())) return;
    cache_of_code_ = options.cache ? options.cache : cache::ArtifactCache::of_environment();
    if (compiler_) origin_ = cache::origin_of(*compiler_, target);
  }

  std::string device() const override { return device_->properties().name; }

  void compile(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings) override {
    check_arguments(kernel, arguments, ArgumentMemory::NotYetThere);
    loaded_kernel(kernel, arguments, settings);
  }

  PreparedLaunch prepare(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings) override {
    check_arguments(kernel, arguments);
    check_memory(kernel, arguments);
    const std::shared_ptr<const LoadedKernel> loaded = loaded_kernel(kernel, arguments, settings);
    std::vector<std::uint64_t> slots = pack_arguments(*loaded->program, arguments);
    const GridSize grid = loaded->grid.evaluate(slots);
    return {loaded->program, loaded->executable, grid, std::move(slots)};
  }

  void launch(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings) override {
    const PreparedLaunch prepared = prepare(kernel, arguments, settings);
    const GridSize& grid = prepared.grid;
    const double milliseconds = programs_of(grid, kernel.name()) == 0 ? 0 : run(prepared);
    if (log_enabled(LogLevel::Debug)) {
      log(LogLevel::Debug, "launched '" + kernel.name() + "' on " + device() + ", grid " + std::to_string(grid[0]) + " x " + std::to_string(grid[1]) +
                               " x " + std::to_string(grid[2]) + ", " + std::to_string(milliseconds) + " ms");
    }
    std::lock_guard lock(stats_mutex_);
    ++stats_.launches;
    stats_.run_ms += milliseconds;
  }

  DeviceTensor allocate(DType dtype, std::span<const std::int64_t> shape) override {
    DeviceTensor tensor = allocate_raw(dtype, shape);
    if (poison_) {
      with_lane([&](Lane& lane) {
        lane.stream->fill(tensor.view().data, 0xFF, range_of(tensor.view()).bytes);
        lane.stream->synchronize();
      });
    }
    return tensor;
  }

  DeviceTensor upload(const HostTensor& tensor) override {
    DeviceTensor copy = allocate_raw(tensor.dtype(), tensor.shape());
    with_lane([&](Lane& lane) {
      lane.stream->copy_to_device(copy.view().data, tensor.data(), tensor.bytes());
      lane.stream->synchronize();
    });
    return copy;
  }

  HostTensor download(const TensorView& tensor) override {
    HostTensor copy(tensor.dtype, {tensor.sizes.begin(), tensor.sizes.begin() + tensor.rank});
    const MemoryRange range = range_of(tensor);
    if (range.bytes == 0) return copy;
    if (!device_->accessible(range.first, range.bytes)) throw Error(3207, "a tensor to be read is not in memory of device '" + device() + "'");
    const auto fetch = [&](void* to) {
      with_lane([&](Lane& lane) {
        lane.stream->copy_to_host(to, range.first, range.bytes);
        lane.stream->synchronize();
      });
    };
    if (tensor.is_contiguous()) {
      fetch(copy.data());
    } else {
      std::vector<std::byte> span(range.bytes);
      fetch(span.data());
      const std::int64_t origin = (static_cast<const std::byte*>(tensor.data) - range.first) / static_cast<std::int64_t>(size_of(tensor.dtype));
      gather(tensor, span.data(), origin, static_cast<std::byte*>(copy.data()));
    }
    return copy;
  }

  LaunchStats& stats() override { return stats_; }

 private:
  // A lane is dropped, not given back, when `use` throws.
  template <class Use>
  void with_lane(Use use) {
    Lane lane = lanes_.take();
    use(lane);
    lanes_.give_back(std::move(lane));
  }

  // From memory, or made.
  std::shared_ptr<const LoadedKernel> loaded_kernel(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings) {
    program::CallFacts call{types_of(arguments), {}, complete_settings(kernel, settings), device_->properties().explicit_levels};
    for (const Argument& argument : arguments) {
      const TensorView* view = std::get_if<TensorView>(&argument);
      call.facts.push_back(view != nullptr ? facts_of(*view) : program::ArgumentFacts{});
    }
    use_shipped_settings(settings_target_, kernel, settings, call);
    const CallKey key = specialisations_.key(kernel, call.settings, call.types, call.facts);
    return cache_.get(key, [&] { return make_kernel(kernel, call); });
  }

  void check_memory(const program::TraceableKernel& kernel, std::span<const Argument> arguments) const {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const TensorView* view = std::get_if<TensorView>(&arguments[i]);
      if (view == nullptr) continue;
      const MemoryRange range = range_of(*view);
      if (range.bytes == 0 || device_->accessible(range.first, range.bytes)) continue;
      char address[32];
      std::snprintf(address, sizeof address, "%p", view->data);
      throw Error(3207, "kernel '" + kernel.name() + "', argument '" + kernel.params()[i].name + "': the tensor at " + address +
                            " is not in memory of device '" + device() + "'")
          .help("allocate or upload it with the session that launches");
    }
  }

  DeviceTensor allocate_raw(DType dtype, std::span<const std::int64_t> shape) {
    TensorView view = TensorView::contiguous(nullptr, dtype, shape);
    const std::size_t bytes = static_cast<std::size_t>(view.elements()) * size_of(dtype);
    view.data = device_->allocate(bytes);
    return {view, std::shared_ptr<void>(view.data, [device = device_](void* memory) { device->release(memory); })};
  }

  // Trace, find or compile, load.
  std::shared_ptr<const LoadedKernel> make_kernel(const program::TraceableKernel& kernel, const program::CallFacts& call) {
    const auto start = std::chrono::steady_clock::now();
    auto program = std::make_shared<const program::Program>(kernel.trace(call));
    program::verify(*program);
    GridExpression grid(*program);
    Code code = code_of(program);
    const double milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    log(LogLevel::Info, (code.was_compiled ? "compiled '" : "found '") + kernel.name() + "' for " + device() + " in " + std::to_string(milliseconds) + " ms");
    for (const std::string& remark : code.remarks) log(LogLevel::Info, "'" + kernel.name() + "': " + remark);
    {
      std::lock_guard lock(stats_mutex_);
      ++(code.was_compiled ? stats_.compiles : stats_.cache_hits);
      (code.was_compiled ? stats_.compile_ms : stats_.cache_ms) += milliseconds;
    }
    return std::make_shared<const LoadedKernel>(LoadedKernel{std::move(program), std::move(code.executable), std::move(grid)});
  }

  struct Code {
    std::shared_ptr<Executable> executable;
    std::vector<std::string> remarks;
    bool was_compiled = true;
  };

  Code load(Artifact artifact, const std::shared_ptr<const program::Program>& program, bool was_compiled = true) {
    if (!artifact.program) artifact.program = program;
    std::vector<std::string> remarks = artifact.remarks;
    return {device_->load(std::move(artifact)), std::move(remarks), was_compiled};
  }

  Code code_of(const std::shared_ptr<const program::Program>& program) {
    const std::string& target = device_->properties().compile_target;
    if (target.empty()) {
      Artifact artifact;
      artifact.kernel = program->name;
      artifact.target = device();
      return load(std::move(artifact), program);
    }
    if (!compiler_) {
      const auto suits = [&](const std::string& made_for, const std::string& processor) { return device_->suits(made_for, processor); };
      return load(cache_of_code_->find_precompiled(*program, suits), program, false);
    }
    const auto compile = [&] {
      CompileOptions options;
      options.target = target;
      return compiler_->compile(program, options);
    };
    if (!cache_of_code_) return load(compile(), program);

    const cache::ContentKey key = cache::content_key(*program, origin_);
    const cache::Hash128 positions = cache::positions_of(*program);
    cache::CachedArtifact found = cache_of_code_->get(key, positions, compile);
    if (found.was_compiled) return load(std::move(found.artifact), program);
    try {
      return load(std::move(found.artifact), program, false);
    } catch (const Error& error) {
      log(LogLevel::Warn, "the stored code of '" + program->name + "' does not load, and is compiled again: " + error.message());
      return load(cache_of_code_->replace(key, positions, compile).artifact, program);
    }
  }

  double run(const PreparedLaunch& prepared) {
    double milliseconds = 0;
    with_lane([&](Lane& lane) {
      lane.stream->record(*lane.start);
      lane.stream->launch(*prepared.executable, prepared.grid, prepared.slots);
      lane.stream->record(*lane.stop);
      lane.stream->synchronize();
      milliseconds = lane.stop->milliseconds_since(*lane.start);
    });
    return milliseconds;
  }

  std::shared_ptr<Device> device_;
  std::shared_ptr<Compiler> compiler_;
  bool poison_;
  std::string settings_target_;
  LanePool lanes_;
  std::shared_ptr<cache::ArtifactCache> cache_of_code_;  // null where code is not kept
  cache::CodeOrigin origin_;
  Specialisations specialisations_;
  KernelCache cache_;
  std::mutex stats_mutex_;
  LaunchStats stats_;
};

// The position that a device's name gives among those of a driver, so that the driver can say what is missing: 1 for "cuda:1", 0 for "cuda"; -1 for other names.
int ordinal_of(const std::string& device, const std::string& driver) {
  if (device == driver) return 0;
  if (device.rfind(driver + ":", 0) != 0) return -1;
  const char *const first = device.data() + driver.size() + 1, *const last = device.data() + device.size();
  int ordinal = -1;
  const auto [end, problem] = std::from_chars(first, last, ordinal);
  return problem == std::errc{} && end == last ? ordinal : -1;
}

}  // namespace

std::vector<std::unique_ptr<Driver>> make_drivers(const SessionOptions& options) {
  std::vector<std::unique_ptr<Driver>> drivers;
  drivers.push_back(make_cpu_driver({options.threads, options.poison}));
  if (options.interpreter) drivers.push_back(make_reference_driver(options.interpreter));
  drivers.push_back(make_null_driver());
  drivers.push_back(make_cuda_driver());
  return drivers;
}

std::unique_ptr<Session> make_session(std::shared_ptr<Device> device, std::shared_ptr<Compiler> compiler, const SessionOptions& options) {
  return std::make_unique<DeviceSession>(std::move(device), std::move(compiler), options);
}

std::shared_ptr<Device> open_device(const std::string& name, const SessionOptions& options) {
  const std::vector<std::unique_ptr<Driver>> drivers = make_drivers(options);
  Error missing(3301, "there is no device '" + name + "'");
  for (const std::unique_ptr<Driver>& driver : drivers) {
    const int ordinal = ordinal_of(name, driver->name());
    if (ordinal < 0) continue;
    try {
      return driver->open(ordinal);
    } catch (const Error& error) {
      if (error.code() != 3301) throw;
      missing = error;
    }
  }
  std::string known;
  for (const std::unique_ptr<Driver>& driver : drivers) {
    for (const DeviceProperties& found : driver->enumerate()) known += (known.empty() ? "" : ", ") + found.name;
  }
  throw missing.help("devices here: " + known);
}

std::unique_ptr<Session> make_session(const std::string& device, std::shared_ptr<Compiler> compiler, const SessionOptions& options) {
  // Opening a device takes long enough for the compiler to find its tools meanwhile.
  if (compiler) compiler->expect_devices(std::string_view(device).substr(0, device.find(':')));
  return make_session(open_device(device, options), std::move(compiler), options);
}

}  // namespace tilewright
