#include "cli/replay.h"

#include "cli/cold_caches.h"
#include "cli/statistics.h"

#include <algorithm>
#include <cmath>

namespace tilewright::cli {

namespace {

// Passes everything on, and keeps the launches and the memory of tensors.
class Recorder final : public Session {
 public:
  Recorder(Session& session, Recorded& recorded) : session_(session), recorded_(recorded) {}

  std::string device() const override { return session_.device(); }
  void launch(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings) override {
    session_.launch(kernel, arguments, settings);
    recorded_.launches.push_back(session_.prepare(kernel, arguments, settings));
  }
  PreparedLaunch prepare(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings) override {
    return session_.prepare(kernel, arguments, settings);
  }
  DeviceTensor allocate(DType dtype, std::span<const std::int64_t> shape) override { return keep(session_.allocate(dtype, shape)); }
  DeviceTensor upload(const HostTensor& tensor) override { return keep(session_.upload(tensor)); }
  HostTensor download(const TensorView& tensor) override { return session_.download(tensor); }
  LaunchStats& stats() override { return session_.stats(); }

 private:
  DeviceTensor keep(DeviceTensor tensor) {
    recorded_.tensors.push_back(tensor);
    return tensor;
  }

  Session& session_;
  Recorded& recorded_;
};

struct Marks {
  std::unique_ptr<Event> start, stop;
};

}  // namespace

Recorded record(const Operator& op, const OperatorSettings& settings, const TensorMap& inputs, Session& session) {
  Recorded recorded;
  Recorder recorder(session, recorded);
  session.stats() = {};
  recorded.outputs = op.run(recorder, settings, inputs);
  recorded.first = session.stats();
  return recorded;
}

std::vector<double> time_runs(Session& session, Device& device, const Recorded& recorded, const TimingOptions& options) {
  const ColdCaches cold(session, options.flush_bytes);
  const std::unique_ptr<Stream> stream = device.make_stream();
  const auto run = [&](Marks& marks) {
    cold.make(*stream);
    stream->record(*marks.start);
    for (const PreparedLaunch& launch : recorded.launches) stream->launch(*launch.executable, launch.grid, launch.slots);
    stream->record(*marks.stop);
  };
  const auto batch = [&](int runs) {
    std::vector<Marks> marks;
    for (int i = 0; i < runs; ++i) {
      marks.push_back({device.make_event(), device.make_event()});
      run(marks.back());
    }
    stream->synchronize();
    std::vector<double> times;
    for (const Marks& mark : marks) times.push_back(mark.stop->milliseconds_since(*mark.start));
    return times;
  };

  // The first batch warms up and tells how many runs fit the budget.
  const double each = std::max(median(batch(3)), 1e-4);
  const int runs = std::clamp(static_cast<int>(std::ceil(options.budget_ms / each)), options.fewest_runs, options.most_runs);
  constexpr int kBatch = 50;  // so that many launches wait in a stream at once
  std::vector<double> times;
  while (static_cast<int>(times.size()) < runs) {
    const std::vector<double> more = batch(std::min(kBatch, runs - static_cast<int>(times.size())));
    times.insert(times.end(), more.begin(), more.end());
  }
  return times;
}

}  // namespace tilewright::cli
