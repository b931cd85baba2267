#include "runtime/drivers/cuda/cuda_graph.h"

namespace tilewright::cuda {

InstantiatedGraph::InstantiatedGraph(std::shared_ptr<const CudaContext> context, CUgraph graph, std::shared_ptr<Recording> recording)
    : context_(std::move(context)), recording_(std::move(recording)) {
  const SetupScope scope(*context_);
  const CUresult result = context_->api().cuGraphInstantiate(&handle_, graph, 0);
  if (result != CUDA_SUCCESS) context_->fail(result, "cuGraphInstantiate", "of " + kernel_names());
}

InstantiatedGraph::~InstantiatedGraph() {
  const SetupScope scope(*context_, std::nothrow);
  if (scope) context_->api().cuGraphExecDestroy(handle_);
}

std::string InstantiatedGraph::kernel_names() const {
  std::string names = "a graph of";
  for (const auto& kernel : recording_->kernels) names += " '" + kernel->artifact().kernel + "'";
  return recording_->kernels.empty() ? "a graph without kernels" : names;
}

}  // namespace tilewright::cuda
