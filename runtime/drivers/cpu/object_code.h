// Code of CPU artifacts made callable: a loader of the relocatable ELF objects that the compiler makes, so that a process needs no compiler and no linker to run them.
//
// What it takes (docs/design/0020-loading-cpu-code.md): x86-64, no writable or thread-local data, relocations of position-independent code. Functions outside are looked up in the
// process. Every offset and size is checked against the bytes there are before it is used. Code is mapped executable and not writable, its constants neither.
#pragma once

#include "runtime/artifact.h"

#include <memory>

namespace tilewright {

// Sets `entry`, which stays valid while the returned handle lives. Throws Error TW3303, naming the kernel, for code that is malformed, is for another machine, has no such entry, or names a
// function that this process does not have. Thread-safe.
std::shared_ptr<void> load_object(const Artifact& artifact, CpuEntry& entry);

}  // namespace tilewright
