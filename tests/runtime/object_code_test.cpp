// The loader of CPU code: every kind of reference, and objects that are damaged, cut off, or ask for what it does not give.
#include "runtime/drivers/cpu/object_code.h"
#include "runtime/support/error.h"
#include "tests/runtime/errors.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <stdexcept>
#include <thread>

#include <elf.h>

namespace tilewright::testing {
namespace {

Artifact sample(const std::string& entry, const std::string& object = "object_samples") {
  Artifact artifact;
  artifact.kernel = "sampled";
  artifact.entry = entry;
  artifact.target = "host";
  artifact.code = native_object(object);
  return artifact;
}

double run(const std::string& name, double value) {
  const Artifact artifact = sample(name);
  CpuEntry entry = nullptr;
  const std::shared_ptr<void> code = load_object(artifact, entry);
  const std::uint64_t args[] = {reinterpret_cast<std::uintptr_t>(&value)};
  const std::int64_t zero[3] = {};
  entry(args, zero, zero, nullptr);
  return value;
}

TEST(ObjectCode, ResolvesEveryKindOfReference) {
  EXPECT_EQ(run("add_one", 41), 42);
  EXPECT_EQ(run("through_table", 41), 42);
  EXPECT_EQ(run("through_got", 7), 3);
  EXPECT_EQ(run("calls_outside", 81), 5);
}

TEST(ObjectCode, SeveralThreadsLoadTheSame) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; ++i) EXPECT_EQ(run("through_got", 15), 4);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ObjectCode, MissingEntriesAreNamed) {
  for (const char* name : {"nothing", "table", "sqrt", ""}) {
    expect_error(3303, {"'sampled'", std::string("'") + name + "'"}, [&] {
      CpuEntry entry = nullptr;
      load_object(sample(name), entry);
    });
  }
}

// Changes the object in place: its header, its sections.
class Edited {
 public:
  explicit Edited(const std::string& object = "object_samples") : artifact_(sample("through_got", object)) {}

  Elf64_Ehdr& header() { return *reinterpret_cast<Elf64_Ehdr*>(artifact_.code.data()); }
  Elf64_Shdr* sections() { return at<Elf64_Shdr>(header().e_shoff); }
  // The first section that `is`.
  Elf64_Shdr& section(const std::function<bool(const Elf64_Shdr&)>& is) {
    for (int i = 0; i < header().e_shnum; ++i) {
      if (is(sections()[i])) return sections()[i];
    }
    throw std::logic_error("the sample has no such section");
  }
  Elf64_Shdr& of_type(std::uint32_t type) {
    return section([&](const Elf64_Shdr& candidate) { return candidate.sh_type == type && candidate.sh_size != 0; });
  }
  template <class T>
  T* at(std::uint64_t offset) {
    return reinterpret_cast<T*>(artifact_.code.data() + offset);
  }
  Elf64_Rela& relocation(std::uint32_t type) {
    for (int i = 0; i < header().e_shnum; ++i) {
      if (sections()[i].sh_type != SHT_RELA) continue;
      for (std::uint64_t r = 0; r < sections()[i].sh_size / sizeof(Elf64_Rela); ++r) {
        Elf64_Rela& candidate = at<Elf64_Rela>(sections()[i].sh_offset)[r];
        if (ELF64_R_TYPE(candidate.r_info) == type) return candidate;
      }
    }
    throw std::logic_error("the sample has no such relocation");
  }
  Elf64_Sym& symbol(const std::string& name) {
    const Elf64_Shdr& table = of_type(SHT_SYMTAB);
    const char* names = at<char>(sections()[table.sh_link].sh_offset);
    for (std::uint64_t i = 0; i < table.sh_size / sizeof(Elf64_Sym); ++i) {
      Elf64_Sym& candidate = at<Elf64_Sym>(table.sh_offset)[i];
      if (name == names + candidate.st_name) return candidate;
    }
    throw std::logic_error("the sample has no symbol " + name);
  }

  void expect_refused(const std::string& why) {
    expect_error(3303, {"the code of kernel 'sampled' does not load", why}, [&] {
      CpuEntry entry = nullptr;
      load_object(artifact_, entry);
    });
  }

 private:
  Artifact artifact_;
};

TEST(ObjectCode, WhatItDoesNotTakeIsRefusedWithTheReason) {
  const auto refused = [](const std::string& why, const std::function<void(Edited&)>& edit) {
    SCOPED_TRACE(why);
    Edited object;
    edit(object);
    object.expect_refused(why);
  };
  refused("no relocatable object", [](Edited& o) { o.header().e_ident[1] = 'X'; });
  refused("no relocatable object", [](Edited& o) { o.header().e_ident[EI_CLASS] = ELFCLASS32; });
  refused("no relocatable object", [](Edited& o) { o.header().e_type = ET_DYN; });
  refused("another machine", [](Edited& o) { o.header().e_machine = EM_AARCH64; });
  refused("unknown form", [](Edited& o) { o.header().e_shentsize = 63; });
  refused("cut off", [](Edited& o) { o.header().e_shoff += 8; });
  refused("not aligned", [](Edited& o) { o.header().e_shoff -= 4; });
  refused("cut off", [](Edited& o) { o.header().e_shoff = ~std::uint64_t{0}; });
  refused("symbols have no names", [](Edited& o) { o.of_type(SHT_SYMTAB).sh_link = 1000; });
  refused("symbols have no names", [](Edited& o) { o.sections()[o.of_type(SHT_SYMTAB).sh_link].sh_size = 0; });
  refused("symbols have no names", [](Edited& o) { o.sections()[o.of_type(SHT_SYMTAB).sh_link].sh_size -= 1; });
  refused("name of a symbol", [](Edited& o) { o.symbol("sqrt").st_name = 1 << 20; });
  refused("too large", [](Edited& o) { o.of_type(SHT_PROGBITS).sh_size = std::uint64_t{1} << 40; });
  refused("cut off", [](Edited& o) { o.of_type(SHT_PROGBITS).sh_size = std::uint64_t{1} << 20; });
  refused("data of its own", [](Edited& o) { o.of_type(SHT_PROGBITS).sh_flags |= SHF_WRITE; });
  refused("data of its own", [](Edited& o) { o.of_type(SHT_PROGBITS).sh_flags |= SHF_TLS; });
  refused("odd alignment", [](Edited& o) { o.of_type(SHT_PROGBITS).sh_addralign = 24; });
  refused("odd alignment", [](Edited& o) { o.of_type(SHT_PROGBITS).sh_addralign = 1 << 20; });
  refused("without addends", [](Edited& o) { o.of_type(SHT_RELA).sh_type = SHT_REL; });
  refused("section it does not have", [](Edited& o) { o.of_type(SHT_RELA).sh_info = 1000; });
  refused("symbol it does not have", [](Edited& o) { o.relocation(R_X86_64_PLT32).r_info = ELF64_R_INFO(1000, R_X86_64_PLT32); });
  refused("symbol that is not in memory", [](Edited& o) { o.symbol("add_one").st_shndx = SHN_COMMON; });
  refused("of type 11", [](Edited& o) { o.relocation(R_X86_64_PC32).r_info ^= R_X86_64_PC32 ^ R_X86_64_32S; });
  refused("outside of its section", [](Edited& o) { o.relocation(R_X86_64_PC32).r_offset = 1 << 20; });
  refused("outside of its section", [](Edited& o) { o.relocation(R_X86_64_64).r_offset = ~std::uint64_t{0} - 4; });
  refused("does not reach", [](Edited& o) { o.relocation(R_X86_64_PC32).r_addend = std::int64_t{1} << 40; });
  refused("does not reach", [](Edited& o) { o.relocation(R_X86_64_PC32).r_addend = -(std::int64_t{1} << 40); });
  refused("no entry 'through_got'", [](Edited& o) { o.symbol("through_got").st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC); });
  refused("no entry 'through_got'", [](Edited& o) { o.symbol("through_got").st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT); });
  refused("no entry 'through_got'", [](Edited& o) { o.symbol("through_got").st_value = 1 << 20; });
  refused("'sqXt', which this process does not have", [](Edited& o) {
    const Elf64_Shdr& names = o.sections()[o.of_type(SHT_SYMTAB).sh_link];
    o.at<char>(names.sh_offset)[o.symbol("sqrt").st_name + 2] = 'X';
  });
}

// Whatever the damage, loading ends, with code or with an error. Damaged code is not run: entries have a checksum against it.
TEST(ObjectCode, DamageNeverCrashesTheLoader) {
  const Artifact good = sample("through_got");
  ASSERT_GT(good.code.size(), 1000u);
  std::size_t refused = 0;
  const auto load = [&](const Artifact& artifact) {
    CpuEntry entry = nullptr;
    try {
      load_object(artifact, entry);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), 3303);
      ++refused;
    }
  };
  for (std::size_t at = 0; at < good.code.size(); ++at) {
    Artifact damaged = good;
    damaged.code[at] = static_cast<char>(damaged.code[at] ^ (1 << at % 8));
    load(damaged);
  }
  EXPECT_GT(refused, 100u);
  refused = 0;
  for (std::size_t size = 0; size < good.code.size(); ++size) {
    Artifact cut = good;
    cut.code.resize(size);
    load(cut);
  }
  EXPECT_EQ(refused, good.code.size());  // the section headers are at the end
}

}  // namespace
}  // namespace tilewright::testing
