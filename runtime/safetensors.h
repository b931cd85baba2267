// Files of named tensors in the safetensors format: eight bytes with the length of a JSON header (little endian), the header, the data.
//
// Element types: BOOL U8 I8 U16 I16 U32 I32 U64 I64 F16 BF16 F32 F64 F8_E4M3 F8_E5M2. Files are read as untrusted input: everything is checked before memory is taken.
//
// Errors, each naming the file and, where it is one tensor's fault, the tensor:
//   TW3100 cannot be opened, read or written   TW3101 shorter than its header says   TW3102 a header above 100 MB   TW3103 a header that is not what the format asks for
//   TW3104 an element type that is not supported   TW3105 data that overlap, leave gaps or lie outside the file   TW3106 a shape that does not fit its data, or a bool that is
//   neither 0 nor 1
#pragma once

#include "runtime/tensor.h"

#include <map>
#include <string>

namespace tilewright {

std::map<std::string, HostTensor> read_safetensors(const std::string& path);

// Replaces `path` at once: readers see the old file or the whole new one. Data of wider elements come first, so that every tensor is aligned.
void write_safetensors(const std::string& path, const std::map<std::string, HostTensor>& tensors);

}  // namespace tilewright
