#include "compiler/targets/amd/code_object.h"

#include "runtime/support/error.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/BinaryFormat/MsgPackDocument.h"
#include "llvm/Object/ELF.h"

#include <utility>

namespace tilewright::amd {

namespace {

namespace msgpack = llvm::msgpack;

[[noreturn]] void fail(const std::string& what) { throw Error(9314, "a code object " + what); }

template <class T>
T value_of(llvm::Expected<T> expected) {
  if (!expected) fail("cannot be read: " + llvm::toString(expected.takeError()));
  return std::move(*expected);
}

// The metadata's bytes, in the note of the vendor's name.
llvm::StringRef metadata_note(llvm::StringRef code) {
  using File = llvm::object::ELF64LEFile;
  const File file = value_of(File::create(code));
  for (const File::Elf_Phdr& header : value_of(file.program_headers())) {
    if (header.p_type != llvm::ELF::PT_NOTE) continue;
    llvm::Error problem = llvm::Error::success();
    llvm::StringRef found;
    for (const auto& note : file.notes(header, problem)) {
      if (found.empty() && note.getName() == "AMDGPU" && note.getType() == llvm::ELF::NT_AMDGPU_METADATA) found = note.getDescAsStringRef(header.p_align);
    }
    if (problem) fail("has a damaged note: " + llvm::toString(std::move(problem)));
    if (!found.empty()) return found;
  }
  fail("has no metadata");
}

}  // namespace

CodeObjectFacts read_code_object(const std::vector<char>& code) {
  msgpack::Document document;
  if (!document.readFromBlob(metadata_note({code.data(), code.size()}), /*Multi=*/false) || !document.getRoot().isMap()) fail("has damaged metadata");
  msgpack::DocNode kernels = document.getRoot().getMap()["amdhsa.kernels"];
  if (!kernels.isArray() || kernels.getArray().size() != 1 || !kernels.getArray()[0].isMap()) fail("does not have one kernel");
  msgpack::MapDocNode& kernel = kernels.getArray()[0].getMap();
  const auto number = [&](llvm::StringRef name) -> std::uint64_t {
    const auto found = kernel.find(name);
    if (found == kernel.end()) return 0;
    if (found->second.getKind() == msgpack::Type::UInt) return found->second.getUInt();
    if (found->second.getKind() == msgpack::Type::Int && found->second.getInt() >= 0) return static_cast<std::uint64_t>(found->second.getInt());
    fail("has metadata whose '" + name.str() + "' is no number");
  };
  msgpack::DocNode name = kernel[".name"];
  if (!name.isString()) fail("has a kernel without a name");
  CodeObjectFacts facts;
  facts.kernel = name.getString().str();
  facts.threads = static_cast<int>(number(".max_flat_workgroup_size"));
  facts.wave_lanes = static_cast<int>(number(".wavefront_size"));
  facts.vector_registers = static_cast<int>(number(".vgpr_count"));
  facts.scalar_registers = static_cast<int>(number(".sgpr_count"));
  facts.spilled_vector_registers = static_cast<int>(number(".vgpr_spill_count"));
  facts.spilled_scalar_registers = static_cast<int>(number(".sgpr_spill_count"));
  facts.scratch_bytes = number(".private_segment_fixed_size");
  facts.shared_bytes = number(".group_segment_fixed_size");
  facts.argument_bytes = number(".kernarg_segment_size");
  return facts;
}

}  // namespace tilewright::amd
