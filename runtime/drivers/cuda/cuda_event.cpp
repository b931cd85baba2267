#include "runtime/drivers/cuda/cuda_event.h"

namespace tilewright::cuda {

CudaEvent::CudaEvent(std::shared_ptr<const CudaContext> context) : context_(std::move(context)) {
  const SetupScope scope(*context_);
  context_->check(context_->api().cuEventCreate(&handle_, CU_EVENT_DEFAULT), "cuEventCreate");
}

CudaEvent::~CudaEvent() {
  const SetupScope scope(*context_, std::nothrow);
  if (scope) context_->api().cuEventDestroy(handle_);
}

bool CudaEvent::reached() const {
  if (!recorded_) return true;
  if (recording_) throw Error(3307, "an event recorded into a graph is never reached itself");
  const SetupScope scope(*context_);
  const CUresult result = context_->api().cuEventQuery(handle_);
  if (result == CUDA_ERROR_NOT_READY) return false;
  context_->check(result, "cuEventQuery");
  return true;
}

double CudaEvent::milliseconds_since(const Event& earlier) const {
  const auto* other = dynamic_cast<const CudaEvent*>(&earlier);
  if (other == nullptr || other->context_ != context_) throw Error(3306, "time between events of two devices");
  if (!recorded_ || !other->recorded_) throw Error(3305, "time between events of which one was not recorded");
  if (recording_ || other->recording_) throw Error(3305, "time between events of which one was recorded into a graph");
  if (other == this) return 0;
  const SetupScope scope(*context_);
  float milliseconds = 0;
  const CUresult result = context_->api().cuEventElapsedTime(&milliseconds, other->handle_, handle_);
  if (result == CUDA_ERROR_NOT_READY) throw Error(3305, "time between events of which one is not reached");
  context_->check(result, "cuEventElapsedTime");
  return milliseconds;
}

}  // namespace tilewright::cuda
