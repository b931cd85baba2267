#include "runtime/support/build_id.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

#include <elf.h>
#include <link.h>

namespace tilewright {

namespace {

std::string to_hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// The build id among the notes of one segment.
std::string build_id_in(const unsigned char* notes, std::size_t size) {
  ElfW(Nhdr) note;
  for (std::size_t at = 0; size - at >= sizeof note;) {
    std::memcpy(&note, notes + at, sizeof note);
    const std::size_t name = at + sizeof note, description = name + padded(note.n_namesz), next = description + padded(note.n_descsz);
    if (next > size) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(notes + name, "GNU", 4) == 0) return to_hex(notes + description, note.n_descsz);
    at = next;
  }
  return {};
}

struct Search {
  ElfW(Addr) address;
  std::string id, file;
};

// Looks at one loaded object; stops the walk at the one that holds the address.
int visit(dl_phdr_info* object, std::size_t, void* data) {
  Search& search = *static_cast<Search*>(data);
  bool holds = false;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    const ElfW(Addr) start = object->dlpi_addr + segment.p_vaddr;
    holds |= segment.p_type == PT_LOAD && search.address >= start && search.address - start < segment.p_memsz;
  }
  if (!holds) return 0;
  search.file = object->dlpi_name != nullptr && *object->dlpi_name != '\0' ? object->dlpi_name : "/proc/self/exe";
  for (int i = 0; i < object->dlpi_phnum && search.id.empty(); ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type == PT_NOTE) search.id = build_id_in(reinterpret_cast<const unsigned char*>(object->dlpi_addr + segment.p_vaddr), segment.p_memsz);
  }
  return 1;
}

std::string hash_of_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), XXH3_freeState);
  if (!file || !state) return {};
  XXH3_128bits_reset(state.get());
  std::unique_ptr<unsigned char[]> buffer(new unsigned char[1 << 16]);
  while (const std::size_t got = std::fread(buffer.get(), 1, 1 << 16, file.get())) XXH3_128bits_update(state.get(), buffer.get(), got);
  if (std::ferror(file.get()) != 0) return {};
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(state.get()));
  return to_hex(digest.digest, sizeof digest.digest);
}

}  // namespace

std::string build_id_of(const void* address) {
  Search search{reinterpret_cast<ElfW(Addr)>(address), {}, {}};
  if (dl_iterate_phdr(visit, &search) == 0) return {};
  return search.id.empty() ? hash_of_file(search.file) : search.id;
}

}  // namespace tilewright
