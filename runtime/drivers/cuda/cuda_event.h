// A point in a stream, by a CUevent that keeps time.
#pragma once

#include "runtime/drivers/cuda/cuda_graph.h"

#include <memory>

namespace tilewright::cuda {

class CudaEvent : public Event {
 public:
  explicit CudaEvent(std::shared_ptr<const CudaContext> context);
  ~CudaEvent() override;
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;

  bool reached() const override;
  double milliseconds_since(const Event& earlier) const override;

  const CudaContext& context() const { return *context_; }
  CUevent handle() const { return handle_; }

  // Called by the stream that records it; `recording`: the graph that it then is a point of, if any.
  void set_recorded(std::shared_ptr<Recording> recording) {
    recorded_ = true;
    recording_ = std::move(recording);
  }
  const std::shared_ptr<Recording>& recording() const { return recording_; }

 private:
  std::shared_ptr<const CudaContext> context_;
  CUevent handle_ = nullptr;
  bool recorded_ = false;
  std::shared_ptr<Recording> recording_;
};

}  // namespace tilewright::cuda
