#include "kernels_src/nsa/pooling.h"

#include "runtime/support/error.h"

namespace tilewright::kernels {

Pooling parse_pooling(const std::string& text) {
  if (text == "mean") return Pooling::Mean;
  if (text == "weighted") return Pooling::Weighted;
  if (text == "linear") return Pooling::Linear;
  throw Error(3002, "setting 'pooling' is '" + text + "', expected mean, weighted or linear");
}

}  // namespace tilewright::kernels
