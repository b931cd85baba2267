#include "cli/probe.h"

#include "dsl/tilewright.h"
#include "runtime/random.h"

#include <exception>

namespace tilewright::cli {

namespace {

struct Probe {
  Tune<int> block{"block", {256}};

  Grid grid(In x) const { return {ceil_div(x.size(0), block)}; }

  void body(In x, In y, Out sum) const {
    Index i = program_id(0) * block;
    store(sum, {i}, load(x, {i}, {block}) + load(y, {i}, {block}));
  }
};
TW_KERNEL(Probe, "doctor_probe", "x", "y", "sum")

}  // namespace

ProbeResult probe(Session& session, bool runs_kernels) {
  ProbeResult result;
  try {
    const std::int64_t count = 1000;
    const HostTensor x = random_uniform(DType::F32, {count}, Philox(1, "x")), y = random_uniform(DType::F32, {count}, Philox(1, "y"));
    const DeviceTensor x_there = session.upload(x), y_there = session.upload(y), sum_there = session.allocate(DType::F32, x.shape());
    const Argument arguments[] = {x_there.view(), y_there.view(), sum_there.view()};
    session.launch(kernel_of<Probe>(), arguments);
    const HostTensor sum = session.download(sum_there);
    result.compile_ms = session.stats().compile_ms;
    for (std::int64_t i = 0; runs_kernels && i < count; ++i) {
      if (static_cast<float>(sum.at(i)) != static_cast<float>(x.at(i)) + static_cast<float>(y.at(i))) {
        result.problem = "element " + std::to_string(i) + " of a sum of two vectors is wrong";
        return result;
      }
    }
    result.works = true;
  } catch (const std::exception& error) {
    result.problem = error.what();
  }
  return result;
}

}  // namespace tilewright::cli
