// Where the parts of a CUDA toolkit lie on this machine, if anywhere: its programs, its libraries, its headers. A toolkit is optional at run time and unknown at build time.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

// The folders of installed toolkits that exist, best first: $CUDA_HOME, $CUDA_PATH, /usr/local/cuda, /usr/local/cuda-* (newest first), and the folders nvidia/* of the Python
// environment that $VIRTUAL_ENV names, where packages such as nvidia-nvjitlink put their files.
std::vector<std::filesystem::path> toolkit_folders();

// What to hand the dynamic loader for lib<stem>.so: the sonames with `versions`, as the loader finds them itself, then files in the toolkits.
std::vector<std::string> toolkit_library_candidates(std::string_view stem, const std::vector<std::string>& versions);

// The path of a program such as "ptxas", from $PATH or a toolkit; empty: not here.
std::filesystem::path find_toolkit_program(const std::string& name);

// The folders of toolkit headers that hold `header`, such as "cuda_fp16.h".
std::vector<std::filesystem::path> toolkit_include_folders(const std::string& header);

}  // namespace tilewright
