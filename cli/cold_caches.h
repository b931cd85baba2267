// Caches that hold nothing of what is about to be timed.
#pragma once

#include "runtime/session.h"

#include <cstddef>

namespace tilewright::cli {

// Memory of its own that is read to push everything else out. It is read, not written: written lines would have to go back to memory while the timed kernels run.
class ColdCaches {
 public:
  // `bytes` are more than the device's caches hold. Compiles a kernel on the session's device.
  ColdCaches(Session& session, std::size_t bytes);

  void make(Stream& stream) const { launch_.launch(stream); }

 private:
  DeviceTensor memory_, largest_;
  PreparedLaunch launch_;
};

}  // namespace tilewright::cli
