// What the process returns.
#pragma once

namespace tilewright::cli {

enum ExitCode : int {
  kDone = 0,
  kCheckFailed = 1,
  kBadInput = 2,      // usage, settings, files, tensors, kernels that do not compile
  kNoDevice = 3,
  kOurDefect = 4,     // an error TW9xxx, or one that should not have got here
};

}  // namespace tilewright::cli
