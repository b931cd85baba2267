// The kernels of a session, in memory, by call key. However many threads ask for one at once, it is made once; the others wait for it.
#pragma once

#include "runtime/call_key.h"
#include "runtime/device.h"
#include "runtime/grid.h"

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace tilewright {

// A kernel ready to launch. Immutable.
struct LoadedKernel {
  std::shared_ptr<const program::Program> program;
  std::shared_ptr<Executable> executable;
  GridExpression grid;
};

// Thread-safe.
class KernelCache {
 public:
  using Make = std::function<std::shared_ptr<const LoadedKernel>()>;

  KernelCache();
  ~KernelCache();

  // The kernel of `key`, from `make` at the first request. What `make` throws reaches everyone who waits, and is not kept: the next request tries again. `make` must not ask the
  // cache for the same key.
  std::shared_ptr<const LoadedKernel> get(const CallKey& key, const Make& make);

 private:
  class Entry;
  std::mutex mutex_;
  std::unordered_map<CallKey, std::shared_ptr<Entry>, CallKeyHash> entries_;
};

}  // namespace tilewright
