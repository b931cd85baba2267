// A recorded graph, made executable.
#pragma once

#include "runtime/drivers/cuda/assertion_board.h"

#include <memory>
#include <vector>

namespace tilewright::cuda {

// A graph being recorded: what is launched meanwhile, on the stream that began it and on those that joined it by waiting for an event of it.
struct Recording {
  bool open = true;                                        // until end_recording()
  std::vector<std::shared_ptr<const CudaKernel>> kernels;  // kept by the graph for as long as it may run
  std::unique_ptr<AssertionBoard> assertions;              // null: no kernel has any
};

class InstantiatedGraph : public CudaGraph {
 public:
  // Takes what `graph` holds, but not `graph` itself. Throws Error TW3411.
  InstantiatedGraph(std::shared_ptr<const CudaContext> context, CUgraph graph, std::shared_ptr<Recording> recording);
  ~InstantiatedGraph() override;
  InstantiatedGraph(const InstantiatedGraph&) = delete;
  InstantiatedGraph& operator=(const InstantiatedGraph&) = delete;

  const CudaContext& context() const { return *context_; }
  CUgraphExec handle() const { return handle_; }
  AssertionBoard* assertions() const { return recording_->assertions.get(); }
  std::string kernel_names() const;

 private:
  std::shared_ptr<const CudaContext> context_;
  std::shared_ptr<Recording> recording_;
  CUgraphExec handle_ = nullptr;
};

}  // namespace tilewright::cuda
