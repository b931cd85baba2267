#include "runtime/kernel_cache.h"

#include "runtime/support/error.h"

#include <condition_variable>
#include <exception>
#include <optional>

namespace tilewright {

// A kernel in the making. An Error is handed to each thread as a copy of its own: who catches one may add notes to it.
class KernelCache::Entry {
 public:
  void set(std::shared_ptr<const LoadedKernel> kernel) {
    finish([&] { kernel_ = std::move(kernel); });
  }
  void fail(const Error& error) {
    finish([&] { error_ = error; });
  }
  void fail(std::exception_ptr exception) {
    finish([&] { exception_ = std::move(exception); });
  }

  std::shared_ptr<const LoadedKernel> get() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return done_; });
    if (error_) throw Error(*error_);
    if (exception_) std::rethrow_exception(exception_);
    return kernel_;
  }

 private:
  template <class Store>
  void finish(Store store) {
    std::lock_guard lock(mutex_);
    store();
    done_ = true;
    finished_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable finished_;
  bool done_ = false;
  std::shared_ptr<const LoadedKernel> kernel_;
  std::optional<Error> error_;
  std::exception_ptr exception_;
};

KernelCache::KernelCache() = default;
KernelCache::~KernelCache() = default;

std::shared_ptr<const LoadedKernel> KernelCache::get(const CallKey& key, const Make& make) {
  std::shared_ptr<Entry> entry;
  bool is_new = false;
  {
    std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& found = entries_[key];
    is_new = !found;
    if (is_new) found = std::make_shared<Entry>();
    entry = found;
  }
  if (is_new) {
    const auto forget = [&] {
      std::lock_guard lock(mutex_);
      entries_.erase(key);
    };
    try {
      entry->set(make());
    } catch (const Error& error) {
      forget();
      entry->fail(error);
    } catch (...) {
      forget();
      entry->fail(std::current_exception());
    }
  }
  return entry->get();
}

}  // namespace tilewright
