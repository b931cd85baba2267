// How the tokens of a compression window become one.
#pragma once

#include <string>

namespace tilewright::kernels {

enum class Pooling { Mean, Weighted, Linear };

// "mean", "weighted", "linear"; Error TW3002 otherwise.
Pooling parse_pooling(const std::string& text);

}  // namespace tilewright::kernels
