#include "compiler/targets/amd/amd_target.h"

#include "runtime/support/error.h"

namespace tilewright::amd {

namespace {

const std::vector<AmdTarget>& targets() {
  static const std::vector<AmdTarget> all = {
      {.name = "gfx942", .lanes = 64, .matrices = MatrixFamily::Mfma},
      {.name = "gfx1100", .lanes = 32, .matrices = MatrixFamily::Wmma},
  };
  return all;
}

}  // namespace

AmdTarget resolve_target(std::string_view name) {
  std::string known;
  for (const AmdTarget& target : targets()) {
    if (target.name == name) return target;
    known += (known.empty() ? "" : ", ") + target.name;
  }
  throw Error(2001, "unknown AMD target '" + std::string(name) + "'").help("known targets: " + known);
}

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const AmdTarget& target : targets()) names.push_back(target.name);
  return names;
}

}  // namespace tilewright::amd
