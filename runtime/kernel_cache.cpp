#include "runtime/kernel_cache.h"

namespace tilewright {

std::shared_ptr<const LoadedKernel> KernelCache::get(const CallKey& key, const Make& make) {
  std::promise<std::shared_ptr<const LoadedKernel>> promise;
  Entry entry;
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    const auto [found, is_new] = entries_.try_emplace(key);
    if (is_new) found->second = promise.get_future().share();
    entry = found->second;
    first = is_new;
  }
  if (!first) return entry.get();
  try {
    promise.set_value(make());
  } catch (...) {
    {
      std::lock_guard lock(mutex_);
      entries_.erase(key);
    }
    promise.set_exception(std::current_exception());
  }
  return entry.get();
}

}  // namespace tilewright
