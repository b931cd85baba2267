// What the compiler knows of a kernel's code, for `compile --report`.
#pragma once

#include "runtime/artifact.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace tilewright::cli {

nlohmann::ordered_json report_json(const Artifact& artifact);

// The same for people.
void print_report(std::FILE* file, const Artifact& artifact);

}  // namespace tilewright::cli
