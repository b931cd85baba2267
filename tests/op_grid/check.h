// Runs an entry on the reference and compares with its expectation.
#pragma once

#include "tests/op_grid/grid.h"

#include <string>

namespace tilewright::op_grid {

// What differs, as text; empty when the reference does what is expected.
std::string check_reference(const Entry& entry);

}  // namespace tilewright::op_grid
