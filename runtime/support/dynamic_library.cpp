#include "runtime/support/dynamic_library.h"

#include <dlfcn.h>
#include <link.h>

namespace tilewright {

std::unique_ptr<DynamicLibrary> DynamicLibrary::open(std::span<const std::string> candidates, std::string& problem) {
  problem.clear();
  for (const std::string& candidate : candidates) {
    if (void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      link_map* map = nullptr;
      const bool known = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr && map->l_name != nullptr && *map->l_name != '\0';
      return std::unique_ptr<DynamicLibrary>(new DynamicLibrary(handle, known ? map->l_name : candidate));
    }
    const char* said = dlerror();
    if (!problem.empty()) problem += "; ";
    problem += said != nullptr ? said : "'" + candidate + "' does not load";
  }
  return nullptr;
}

void* DynamicLibrary::find(const char* symbol) const { return dlsym(handle_, symbol); }

}  // namespace tilewright
