// The simulated libcuda: streams, events, graphs.
#include "tests/runtime/cuda_simulation.h"

#include <utility>

using namespace tilewright::testing::simulation;
using namespace tilewright::cuda;

namespace tilewright::testing::simulation {

Stream* stream_of(CUstream handle) {
  static Stream defaults[kDevices];
  if (handle != nullptr) return known<Stream>(state().streams, handle);
  Stream& stream = defaults[current()->device];
  stream.context = current();
  return &stream;
}

CUresult give(CUstream handle, Work work) {
  Stream* stream = stream_of(handle);
  if (stream == nullptr || stream->context != current()) return static_cast<CUresult>(400);
  if (stream->recording != nullptr) {
    stream->recording->work.push_back(std::move(work));
    return CUDA_SUCCESS;
  }
  if (const CUresult result = work(); result != CUDA_SUCCESS) stream->context->lost = result;
  return CUDA_SUCCESS;
}

}  // namespace tilewright::testing::simulation

extern "C" {

// ---- streams and events

CUresult cuStreamCreate(CUstream* stream, unsigned) {
  SIMULATED_IN_CONTEXT();
  auto* made = new Stream{current()};
  state().streams.insert(made);
  *stream = reinterpret_cast<CUstream>(made);
  return CUDA_SUCCESS;
}

CUresult cuStreamDestroy_v2(CUstream handle) {
  SIMULATED_IN_CONTEXT();
  auto* stream = known<Stream>(state().streams, handle);
  if (stream == nullptr) return static_cast<CUresult>(400);
  state().streams.erase(stream);
  delete stream;
  return CUDA_SUCCESS;
}

CUresult cuStreamGetCtx(CUstream handle, CUcontext* context) {
  SIMULATED_IN_CONTEXT();
  const Stream* stream = stream_of(handle);
  if (stream == nullptr) return static_cast<CUresult>(400);
  *context = reinterpret_cast<CUcontext>(stream->context);
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream handle) {
  SIMULATED_IN_CONTEXT();
  const Stream* stream = stream_of(handle);
  if (stream == nullptr) return static_cast<CUresult>(400);
  return stream->recording != nullptr ? static_cast<CUresult>(900) : CUDA_SUCCESS;
}

CUresult cuStreamWaitEvent(CUstream handle, CUevent event, unsigned) {
  SIMULATED_IN_CONTEXT();
  Stream* stream = stream_of(handle);
  const auto* point = known<Event>(state().events, event);
  if (stream == nullptr || point == nullptr) return static_cast<CUresult>(400);
  if (point->stream != nullptr && point->stream->recording != nullptr) stream->recording = point->stream->recording;
  return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent* event, unsigned) {
  SIMULATED_IN_CONTEXT();
  auto* made = new Event;
  state().events.insert(made);
  *event = reinterpret_cast<CUevent>(made);
  return CUDA_SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent handle) {
  SIMULATED_IN_CONTEXT();
  auto* event = known<Event>(state().events, handle);
  if (event == nullptr) return static_cast<CUresult>(400);
  state().events.erase(event);
  delete event;
  return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent handle, CUstream stream_handle) {
  SIMULATED_IN_CONTEXT();
  auto* event = known<Event>(state().events, handle);
  Stream* stream = stream_of(stream_handle);
  if (event == nullptr || stream == nullptr) return static_cast<CUresult>(400);
  event->time = Clock::now();
  event->stream = stream->recording != nullptr ? stream : nullptr;
  return CUDA_SUCCESS;
}

CUresult cuEventQuery(CUevent) {
  SIMULATED_IN_CONTEXT();
  return CUDA_SUCCESS;
}

CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  SIMULATED_IN_CONTEXT();
  const auto *first = known<Event>(state().events, start), *last = known<Event>(state().events, end);
  if (first == nullptr || last == nullptr) return static_cast<CUresult>(400);
  *milliseconds = std::chrono::duration<float, std::milli>(last->time - first->time).count();
  return CUDA_SUCCESS;
}

// ---- graphs

CUresult cuStreamBeginCapture_v2(CUstream handle, CUcaptureMode) {
  SIMULATED_IN_CONTEXT();
  Stream* stream = known<Stream>(state().streams, handle);
  if (stream == nullptr || stream->recording != nullptr) return static_cast<CUresult>(401);
  stream->recording = new Graph;
  stream->began = true;
  state().graphs.insert(stream->recording);
  return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  SIMULATED_IN_CONTEXT();
  Stream* stream = known<Stream>(state().streams, handle);
  if (stream == nullptr || !stream->began) return static_cast<CUresult>(401);
  *graph = reinterpret_cast<CUgraph>(stream->recording);
  for (void* other : state().streams) {
    if (other != stream && static_cast<Stream*>(other)->recording == stream->recording) static_cast<Stream*>(other)->recording = nullptr;
  }
  stream->recording = nullptr;
  stream->began = false;
  return CUDA_SUCCESS;
}

CUresult cuStreamIsCapturing(CUstream handle, CUcaptureStatus* status) {
  SIMULATED_IN_CONTEXT();
  const Stream* stream = stream_of(handle);
  if (stream == nullptr) return static_cast<CUresult>(400);
  *status = static_cast<CUcaptureStatus>(stream->recording != nullptr ? 1 : 0);
  return CUDA_SUCCESS;
}

CUresult cuThreadExchangeStreamCaptureMode(CUcaptureMode* mode) {
  std::swap(*mode, capture_mode);
  return CUDA_SUCCESS;
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph graph, unsigned long long) {
  SIMULATED_IN_CONTEXT();
  const auto* recorded = known<Graph>(state().graphs, graph);
  if (recorded == nullptr) return static_cast<CUresult>(400);
  auto* made = new Graph(*recorded);
  state().executables.insert(made);
  *executable = reinterpret_cast<CUgraphExec>(made);
  return CUDA_SUCCESS;
}

CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream) {
  SIMULATED_IN_CONTEXT();
  const auto* graph = known<Graph>(state().executables, executable);
  if (graph == nullptr) return static_cast<CUresult>(400);
  for (const Work& work : graph->work) {
    if (const CUresult result = give(stream, work); result != CUDA_SUCCESS) return result;
  }
  return CUDA_SUCCESS;
}

CUresult cuGraphExecDestroy(CUgraphExec executable) {
  SIMULATED_IN_CONTEXT();
  auto* graph = known<Graph>(state().executables, executable);
  if (graph == nullptr) return static_cast<CUresult>(400);
  state().executables.erase(graph);
  delete graph;
  return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph handle) {
  SIMULATED_IN_CONTEXT();
  auto* graph = known<Graph>(state().graphs, handle);
  if (graph == nullptr) return static_cast<CUresult>(400);
  state().graphs.erase(graph);
  delete graph;
  return CUDA_SUCCESS;
}

}  // extern "C"
