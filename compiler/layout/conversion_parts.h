// The planners behind plan_conversion(), one for each way.
#pragma once

#include <optional>
#include <vector>

#include "compiler/layout/alignment.h"
#include "compiler/layout/conversion.h"

namespace tilewright::layout {

// For each target register a source register that holds its element in every thread that has one.
std::optional<std::vector<int>> plan_registers(const Layout& source, const Layout& target);

// Nullopt if some element has to come from another warp.
std::optional<ShufflePlan> plan_shuffle(const Layout& source, const Layout& target, const Alignment& alignment, const ConversionOptions& options);

// With a memory arrangement of its own, free of bank conflicts. Error TW2501 if an element has to come from another block; nullopt if it would take more than
// max_scratch_bytes.
std::optional<SharedPlan> plan_swizzled(const Layout& source, const Layout& target, const Alignment& alignment, const ConversionOptions& options);

// In row-major order, with the padding of rows that has the fewest bank conflicts; for any two layouts with the same elements in row-major order.
SharedPlan plan_row_major(const Layout& source, const Layout& target, const ConversionOptions& options);

// Fills in costs, guard and size of a plan whose passes and expressions are given. False if a write moves elements of the tile together with registers that hold
// nothing, onto other elements.
bool finish_shared(const Layout& source, const Layout& target, const ConversionOptions& options, SharedPlan& plan);

}  // namespace tilewright::layout
