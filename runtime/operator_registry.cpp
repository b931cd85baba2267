// The operators known to this process.
#include "runtime/operator.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <mutex>

namespace tilewright {

namespace {

struct Registry {
  std::mutex mutex;
  std::vector<std::unique_ptr<Operator>> operators;
};

// Never destroyed: libraries may still hold operators when the process ends.
Registry& registry() {
  static Registry* instance = new Registry;
  return *instance;
}

[[noreturn]] void throw_duplicate(const std::string& name) {
  throw Error(3003, "two operators are registered under the name '" + name + "'")
      .help("load only one of the libraries that define it, or rename one of the operators");
}

}  // namespace

RegisterOperator::RegisterOperator(std::unique_ptr<Operator> op) {
  Registry& known = registry();
  std::lock_guard lock(known.mutex);
  known.operators.push_back(std::move(op));
}

const Operator* find_operator(const std::string& name) {
  Registry& known = registry();
  std::lock_guard lock(known.mutex);
  const Operator* found = nullptr;
  for (const auto& op : known.operators) {
    if (op->name() != name) continue;
    if (found != nullptr) throw_duplicate(name);
    found = op.get();
  }
  return found;
}

std::vector<const Operator*> all_operators() {
  std::vector<const Operator*> sorted;
  {
    Registry& known = registry();
    std::lock_guard lock(known.mutex);
    for (const auto& op : known.operators) sorted.push_back(op.get());
  }
  std::sort(sorted.begin(), sorted.end(), [](const Operator* a, const Operator* b) { return a->name() < b->name(); });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->name() == sorted[i - 1]->name()) throw_duplicate(sorted[i]->name());
  }
  return sorted;
}

}  // namespace tilewright
