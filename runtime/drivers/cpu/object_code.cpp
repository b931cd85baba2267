#include "runtime/drivers/cpu/object_code.h"

#include "runtime/support/error.h"

#include <array>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tilewright {

namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;  // so that 32-bit displacements reach everything
constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

class Mapping {
 public:
  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (base_ != nullptr) munmap(base_, bytes_);
  }

  bool reserve(std::size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    base_ = static_cast<char*>(memory);
    bytes_ = bytes;
    return true;
  }

  // The first `executable` bytes become code, the rest constants.
  bool seal(std::size_t executable) {
    return mprotect(base_, executable, PROT_READ | PROT_EXEC) == 0 &&
           (executable == bytes_ || mprotect(base_ + executable, bytes_ - executable, PROT_READ) == 0);
  }

  char* base() const { return base_; }

 private:
  char* base_ = nullptr;
  std::size_t bytes_ = 0;
};

// One object being loaded. In memory: executable sections, a stub for each symbol; from the next page on the other sections, and a slot with the address of each symbol.
class Loader {
 public:
  explicit Loader(const Artifact& artifact) : artifact_(artifact), bytes_(artifact.code) {}

  std::shared_ptr<void> load(CpuEntry& entry) {
    read_headers();
    read_symbols();
    place();
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type == SHT_REL) fail("relocations without addends");
      if (section.sh_type == SHT_RELA) relocate(section);
    }
    if (!mapping_->seal(constants_)) fail("the system lets it not be executed");
    entry = reinterpret_cast<CpuEntry>(find_entry());
    return mapping_;
  }

 private:
  static constexpr std::size_t kStubBytes = 8, kSlotBytes = 8;

  [[noreturn]] void fail(const std::string& why) const { throw Error(3303, "the code of kernel '" + artifact_.kernel + "' does not load: " + why); }

  // `count` items at an offset of the file.
  template <class T>
  std::span<const T> items(std::uint64_t offset, std::uint64_t count) const {
    if (offset > bytes_.size() || count > (bytes_.size() - offset) / sizeof(T)) fail("it is cut off");
    if (reinterpret_cast<std::uintptr_t>(bytes_.data() + offset) % alignof(T) != 0) fail("a table of it is not aligned");
    return {reinterpret_cast<const T*>(bytes_.data() + offset), static_cast<std::size_t>(count)};
  }

  template <class T>
  std::span<const T> table(const Elf64_Shdr& section) const {
    return items<T>(section.sh_offset, section.sh_size / sizeof(T));
  }

  void read_headers() {
    constexpr std::array<unsigned char, 7> kIdentity = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
    const Elf64_Ehdr& header = items<Elf64_Ehdr>(0, 1)[0];
    if (std::memcmp(header.e_ident, kIdentity.data(), kIdentity.size()) != 0 || header.e_type != ET_REL) fail("it is no relocatable object");
    if (header.e_machine != EM_X86_64) fail("it is for another machine");
    if (header.e_shentsize != sizeof(Elf64_Shdr)) fail("its sections are of an unknown form");
    sections_ = items<Elf64_Shdr>(header.e_shoff, header.e_shnum);
  }

  void read_symbols() {
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != SHT_SYMTAB) continue;
      if (section.sh_link >= sections_.size()) fail("its symbols have no names");
      symbols_ = table<Elf64_Sym>(section);
      const std::span<const char> names = table<char>(sections_[section.sh_link]);
      if (names.empty() || names.back() != '\0') fail("its symbols have no names");
      names_ = {names.data(), names.size()};
    }
  }

  std::string_view name_of(const Elf64_Sym& symbol) const {
    if (symbol.st_name >= names_.size()) fail("the name of a symbol is cut off");
    return names_.data() + symbol.st_name;
  }

  // Takes the next place for `bytes`.
  std::uint64_t reserve(std::uint64_t bytes, std::uint64_t alignment) {
    end_ = (end_ + alignment - 1) / alignment * alignment;
    const std::uint64_t at = end_;
    if (bytes > kMostBytes || (end_ += bytes) > kMostBytes) fail("it is too large");
    return at;
  }

  void place_sections(bool executable) {
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      const Elf64_Shdr& section = sections_[i];
      if ((section.sh_flags & SHF_ALLOC) == 0 || section.sh_size == 0 || ((section.sh_flags & SHF_EXECINSTR) != 0) != executable) continue;
      if ((section.sh_flags & (SHF_WRITE | SHF_TLS)) != 0 || section.sh_type == SHT_NOBITS) fail("it has data of its own to write");
      const std::uint64_t alignment = section.sh_addralign == 0 ? 1 : section.sh_addralign;
      if ((alignment & (alignment - 1)) != 0 || alignment > page_) fail("a section asks for an odd alignment");
      places_[i] = reserve(section.sh_size, alignment);
    }
  }

  void place() {
    places_.assign(sections_.size(), kNowhere);
    resolved_.assign(symbols_.size(), false);
    place_sections(true);
    stubs_ = reserve(symbols_.size() * kStubBytes, kStubBytes);
    constants_ = reserve(0, page_);
    place_sections(false);
    slots_ = reserve(symbols_.size() * kSlotBytes, kSlotBytes);
    if (end_ == 0 || !mapping_->reserve(end_)) fail("there is no memory for it");
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      if (places_[i] == kNowhere) continue;
      const std::span<const char> content = table<char>(sections_[i]);
      std::memcpy(mapping_->base() + places_[i], content.data(), content.size());
    }
  }

  bool is_placed(const Elf64_Sym& symbol) const { return symbol.st_shndx < places_.size() && places_[symbol.st_shndx] != kNowhere; }

  std::uint64_t address_of(std::uint64_t place) const { return reinterpret_cast<std::uintptr_t>(mapping_->base()) + place; }

  std::uint64_t address_of(const Elf64_Sym& symbol) const {
    if (symbol.st_shndx == SHN_ABS) return symbol.st_value;
    if (symbol.st_shndx != SHN_UNDEF) return address_of(places_[symbol.st_shndx]) + symbol.st_value;
    const std::string_view name = name_of(symbol);
    void* found = dlsym(RTLD_DEFAULT, name.data());
    if (found == nullptr) fail("it calls '" + std::string(name) + "', which this process does not have");
    return reinterpret_cast<std::uintptr_t>(found);
  }

  // Fills a symbol's slot, and for one outside the stub that jumps to what the slot holds: it may lie further away than a call reaches.
  void resolve(std::size_t number) {
    if (resolved_[number]) return;
    resolved_[number] = true;
    const std::uint64_t slot = slots_ + number * kSlotBytes, stub = stubs_ + number * kStubBytes, address = address_of(symbols_[number]);
    std::memcpy(mapping_->base() + slot, &address, sizeof address);
    if (symbols_[number].st_shndx != SHN_UNDEF) return;
    const auto distance = static_cast<std::int32_t>(slot - (stub + 6));
    constexpr unsigned char kJumpThroughSlot[] = {0xFF, 0x25};  // jmp *distance(%rip)
    std::memcpy(mapping_->base() + stub, kJumpThroughSlot, sizeof kJumpThroughSlot);
    std::memcpy(mapping_->base() + stub + sizeof kJumpThroughSlot, &distance, sizeof distance);
  }

  void relocate(const Elf64_Shdr& relocations) {
    if (relocations.sh_info >= places_.size()) fail("relocations of a section it does not have");
    const std::uint64_t place = places_[relocations.sh_info];
    if (place == kNowhere) return;
    for (const Elf64_Rela& relocation : table<Elf64_Rela>(relocations)) relocate(relocation, place, sections_[relocations.sh_info].sh_size);
  }

  void relocate(const Elf64_Rela& relocation, std::uint64_t section, std::uint64_t section_bytes) {
    const std::uint64_t number = ELF64_R_SYM(relocation.r_info);
    if (number >= symbols_.size()) fail("a relocation by a symbol it does not have");
    const Elf64_Sym& symbol = symbols_[number];
    if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS && !is_placed(symbol)) fail("a relocation by a symbol that is not in memory");
    resolve(number);
    const std::uint64_t slot = slots_ + number * kSlotBytes, stub = stubs_ + number * kStubBytes;
    std::uint64_t target = 0;
    std::size_t width = 4;
    switch (ELF64_R_TYPE(relocation.r_info)) {
      case R_X86_64_64:
        width = 8;
        std::memcpy(&target, mapping_->base() + slot, sizeof target);
        break;
      case R_X86_64_PC32:
      case R_X86_64_PLT32:
        if (symbol.st_shndx == SHN_UNDEF) target = address_of(stub);
        else std::memcpy(&target, mapping_->base() + slot, sizeof target);
        break;
      case R_X86_64_GOTPCREL:
      case R_X86_64_GOTPCRELX:
      case R_X86_64_REX_GOTPCRELX: target = address_of(slot); break;
      default: fail("a relocation of type " + std::to_string(ELF64_R_TYPE(relocation.r_info)));
    }
    if (width > section_bytes || relocation.r_offset > section_bytes - width) fail("a relocation outside of its section");
    const std::uint64_t place = section + relocation.r_offset;
    target += static_cast<std::uint64_t>(relocation.r_addend);
    if (width == 4) {
      target -= address_of(place);
      const auto distance = static_cast<std::int64_t>(target);
      if (distance < std::numeric_limits<std::int32_t>::min() || distance > std::numeric_limits<std::int32_t>::max())
        fail("a relocation that does not reach its symbol");
    }
    std::memcpy(mapping_->base() + place, &target, width);
  }

  std::uint64_t find_entry() const {
    for (const Elf64_Sym& symbol : symbols_) {
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL || name_of(symbol) != artifact_.entry) continue;
      if (is_placed(symbol) && (sections_[symbol.st_shndx].sh_flags & SHF_EXECINSTR) != 0 && symbol.st_value < sections_[symbol.st_shndx].sh_size)
        return address_of(symbol);
    }
    fail("it has no entry '" + artifact_.entry + "'");
  }

  const Artifact& artifact_;
  std::span<const char> bytes_;
  const std::uint64_t page_ = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::span<const Elf64_Shdr> sections_;
  std::span<const Elf64_Sym> symbols_;
  std::string_view names_;
  std::shared_ptr<Mapping> mapping_ = std::make_shared<Mapping>();
  std::vector<std::uint64_t> places_;  // of sections; kNowhere: not loaded
  std::vector<bool> resolved_;         // symbols whose slots are filled
  std::uint64_t end_ = 0, stubs_ = 0, constants_ = 0, slots_ = 0;
};

}  // namespace

std::shared_ptr<void> load_object(const Artifact& artifact, CpuEntry& entry) { return Loader(artifact).load(entry); }

}  // namespace tilewright
