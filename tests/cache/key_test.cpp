// Content keys: what changes them, what does not, and that they are the same everywhere.
#include "runtime/cache/content_key.h"

#include "dsl/program/builder.h"
#include "dsl/program/canonical.h"
#include "runtime/cache/program_encoding.h"
#include "tests/cache/samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

namespace tilewright::cache {
namespace {

using program::Op;
using program::Program;
using testing::sample_origin;

constexpr std::uint64_t kPrograms = 60;

Program sample(std::uint64_t seed) {
  Program program = fuzz::generate(seed).program;
  program.bindings = {{"block", 64}, {"warps", 4}};
  program.files = {"author.cpp", "other.h"};
  std::uint32_t line = 1;
  for (Op& op : program.ops) op.loc = {line % 2, ++line, 3};
  return program;
}

Hash128 hash_of(const Program& program, const CodeOrigin& origin = sample_origin()) { return content_key(program, origin).hash; }

// The operations a region holds, inner ones too: the others of the arena mean nothing.
void collect(const Program& program, const program::Region& region, std::vector<program::OpId>& ids) {
  for (program::OpId id : region.ops) {
    ids.push_back(id);
    for (const program::Region& inner : program.ops[id].regions) collect(program, inner, ids);
  }
}

std::vector<program::OpId> operations(const Program& program) {
  std::vector<program::OpId> ids;
  collect(program, program.grid, ids);
  collect(program, program.body, ids);
  return ids;
}

template <class Change>
void expect_change(const Program& program, const char* what, Change change) {
  Program changed = program;
  change(changed);
  EXPECT_NE(hash_of(changed), hash_of(program)) << what;
}

TEST(ContentKey, EveryPartOfTheInterfaceChangesIt) {
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Program program = sample(seed);
    expect_change(program, "name", [](Program& p) { p.name += "x"; });
    expect_change(program, "binding value", [](Program& p) { p.bindings[1].second = 8; });
    expect_change(program, "binding name", [](Program& p) { p.bindings[1].first = "warp"; });
    expect_change(program, "binding gone", [](Program& p) { p.bindings.pop_back(); });
    expect_change(program, "a parameter more", [](Program& p) { p.params.push_back(p.params[0]); });
    for (std::size_t i = 0; i < program.params.size(); ++i) {
      expect_change(program, "parameter name", [&](Program& p) { p.params[i].name += "x"; });
      expect_change(program, "parameter kind", [&](Program& p) { p.params[i].kind = static_cast<program::ParamKind>((static_cast<int>(p.params[i].kind) + 1) % 4); });
      expect_change(program, "unit stride", [&](Program& p) { p.params[i].facts.unit_inner_stride ^= true; });
      expect_change(program, "aligned", [&](Program& p) { p.params[i].facts.aligned16 ^= true; });
      expect_change(program, "fits", [&](Program& p) { p.params[i].facts.fits32 ^= true; });
      expect_change(program, "whole rows", [&](Program& p) { p.params[i].facts.whole_rows16 ^= true; });
    }
  }
}

TEST(ContentKey, EveryValuesTypeChangesIt) {
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Program program = sample(seed);
    std::set<program::ValueId> values;
    for (const program::Param& param : program.params) values.insert(param.value);
    for (program::OpId id : operations(program)) {
      values.insert(program.ops[id].results.begin(), program.ops[id].results.end());
      for (const program::Region& region : program.ops[id].regions) values.insert(region.args.begin(), region.args.end());
    }
    for (program::ValueId value : values) {
      expect_change(program, "dtype", [&](Program& p) { p.values[value].type.dtype = static_cast<DType>((static_cast<int>(p.values[value].type.dtype) + 1) % kNumDTypes); });
      expect_change(program, "view", [&](Program& p) { p.values[value].type.is_view ^= true; });
      expect_change(program, "rank", [&](Program& p) { p.values[value].type.shape.push_back(1); });
      for (std::size_t axis = 0; axis < program.values[value].type.rank(); ++axis)
        expect_change(program, "extent", [&](Program& p) { p.values[value].type.shape[axis] += 3; });
    }
  }
}

TEST(ContentKey, EveryPartOfEveryOperationChangesIt) {
  std::size_t changes = 0;
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Program program = sample(seed);
    const auto expect = [&](const char* what, auto change) {
      expect_change(program, what, change);
      ++changes;
    };
    for (program::OpId id : operations(program)) {
      expect("opcode", [&](Program& p) { p.ops[id].opcode = p.ops[id].opcode == program::Opcode::Add ? program::Opcode::Sub : program::Opcode::Add; });
      expect("text", [&](Program& p) { p.ops[id].text += "!"; });
      expect("an integer more", [&](Program& p) { p.ops[id].ints.push_back(0); });
      for (std::size_t i = 0; i < program.ops[id].ints.size(); ++i) expect("integer", [&](Program& p) { p.ops[id].ints[i] ^= std::int64_t{1} << 40; });
      for (std::size_t i = 0; i < program.ops[id].operands.size(); ++i) {
        const program::ValueId other = program.params[0].value == program.ops[id].operands[i] ? program.params[1].value : program.params[0].value;
        expect("operand", [&](Program& p) { p.ops[id].operands[i] = other; });
      }
      if (!program.ops[id].operands.empty()) expect("operand gone", [&](Program& p) { p.ops[id].operands.pop_back(); });
      for (std::size_t r = 0; r < program.ops[id].regions.size(); ++r) {
        expect("region gone", [&](Program& p) { p.ops[id].regions.erase(p.ops[id].regions.begin() + static_cast<std::ptrdiff_t>(r)); });
        if (!program.ops[id].regions[r].yields.empty()) expect("yield gone", [&](Program& p) { p.ops[id].regions[r].yields.pop_back(); });
      }
    }
    expect("operation gone", [](Program& p) { p.body.ops.pop_back(); });
    expect("grid", [](Program& p) { p.grid.yields.pop_back(); });
  }
  EXPECT_GT(changes, 10'000u);
}

TEST(ContentKey, SourcesOfExternalFunctionsChangeIt) {
  const auto hash_with = [](const program::External& function, DType result) {
    program::Builder b("calls");
    const program::ValueId y = b.add_param("y", program::ParamKind::Output, {result, {-1}, true});
    b.store(y, {b.integer(DType::I64, 0)}, {0}, b.external(function, {b.real(DType::F32, 1, {8})}, result));
    return hash_of(program::canonicalize(std::move(b).finish()));
  };
  const program::External function{"cuda", "f", "__device__ float f(float x) { return x; }"};
  const Hash128 key = hash_with(function, DType::F32);
  EXPECT_EQ(hash_with(function, DType::F32), key);
  std::set<Hash128> keys{key};
  keys.insert(hash_with({"cuda", "f", function.source + " "}, DType::F32));
  keys.insert(hash_with({"cuda", "g", function.source}, DType::F32));
  keys.insert(hash_with({"hip", "f", function.source}, DType::F32));
  keys.insert(hash_with(function, DType::F64));
  EXPECT_EQ(keys.size(), 5u);
}

TEST(ContentKey, TargetAndCompilerChangeIt) {
  const Program program = sample(1);
  std::set<Hash128> keys{hash_of(program)};
  for (std::string CodeOrigin::*field : {&CodeOrigin::target, &CodeOrigin::processor, &CodeOrigin::compiler}) {
    CodeOrigin origin = sample_origin();
    origin.*field += "+";
    EXPECT_TRUE(keys.insert(hash_of(program, origin)).second);
  }
  // What is moved from one field to the next is another key.
  CodeOrigin origin = sample_origin();
  origin.target += origin.processor.substr(0, 3);
  origin.processor.erase(0, 3);
  EXPECT_TRUE(keys.insert(hash_of(program, origin)).second);
}

// A compiler that only says what it is.
class NamedCompiler : public Compiler {
 public:
  Artifact compile(std::shared_ptr<const Program>, const CompileOptions&) override { return {}; }
  std::vector<std::string> targets() const override { return {"gpu", "cpu"}; }
  std::vector<CompileLevel> levels(std::string_view) const override { return {}; }
  std::string emit(const Program&, const CompileOptions&, std::string_view) override { return {}; }
  std::string version() const override { return "named 7"; }
  std::string describe_target(std::string_view target) const override { return "the " + std::string(target); }
  std::string build_id() const override { return "0123"; }
  bool keeps_positions(std::string_view target) const override { return target == "gpu"; }
};

TEST(ContentKey, TakesFromTheCompilerWhatItSaysOfItself) {
  for (const char* target : {"gpu", "cpu"}) {
    const CodeOrigin origin = origin_of(NamedCompiler(), target);
    EXPECT_EQ(origin.target, target);
    EXPECT_EQ(origin.processor, std::string("the ") + target);
    EXPECT_EQ(origin.compiler, "named 7 0123");
    EXPECT_EQ(origin.keeps_positions, std::string_view(target) == "gpu");
  }
}

TEST(ContentKey, ProgramsAreKnownByWhatTellsThemApart) {
  const Program program = sample(1);
  Program moved = program, other = program;
  for (Op& op : moved.ops) op.loc.line += 7;
  other.bindings[0].second += 1;
  CodeOrigin elsewhere = sample_origin();
  elsewhere.target = "sm_90a";
  elsewhere.keeps_positions = true;
  EXPECT_EQ(program_hash(content_key(program, sample_origin())), program_hash(content_key(moved, elsewhere)));
  EXPECT_NE(program_hash(content_key(program, sample_origin())), program_hash(content_key(other, sample_origin())));
}

TEST(ContentKey, PositionsCountWhereTheCodeHoldsThem) {
  int assertions = 0;
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Program program = sample(seed);
    CodeOrigin lines = sample_origin();
    lines.keeps_positions = true;
    for (program::OpId id : operations(program)) {
      Program moved = program;
      moved.ops[id].loc.line += 1000;
      const bool is_assertion = program.ops[id].opcode == program::Opcode::Assert;
      assertions += is_assertion;
      EXPECT_EQ(hash_of(moved) != hash_of(program), is_assertion);
      EXPECT_NE(hash_of(moved, lines), hash_of(program, lines));
      moved.ops[id].loc = program.ops[id].loc;
      moved.ops[id].loc.column += 1;
      EXPECT_NE(hash_of(moved, lines), hash_of(program, lines));
    }
    Program renamed = program;
    renamed.files[0] = "renamed.cpp";
    EXPECT_NE(hash_of(renamed, lines), hash_of(program, lines));
  }
  EXPECT_GT(assertions, 0);
}

// The arena's order, the order of files and operations in no region mean nothing.
TEST(ContentKey, NumberingDoesNotChangeIt) {
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Program program = sample(seed);
    Program other = program;
    std::swap(other.files[0], other.files[1]);
    other.files.insert(other.files.begin(), "unused.h");
    for (Op& op : other.ops) op.loc.file = 2 - op.loc.file;
    const auto count = static_cast<program::OpId>(other.ops.size());
    std::reverse(other.ops.begin(), other.ops.end());
    const auto renumber = [&](auto&& self, program::Region& region) -> void {
      for (program::OpId& id : region.ops) {
        id = count - 1 - id;
        for (program::Region& inner : other.ops[id].regions) self(self, inner);
      }
    };
    renumber(renumber, other.grid);
    renumber(renumber, other.body);
    for (program::Value& value : other.values) value.def = value.def == program::kNone ? value.def : count - 1 - value.def;
    other.ops.push_back({program::Opcode::Sub, {}, {}, {7}, "left over", {}, {}});
    CodeOrigin lines = sample_origin();
    lines.keeps_positions = true;
    EXPECT_EQ(content_key(other, lines).bytes, content_key(program, lines).bytes) << seed;
  }
}

TEST(ContentKey, BytesReadBackAndDifferencesAreNamed) {
  const Program program = sample(3);
  const ContentKey key = content_key(program, sample_origin());
  ContentKey read;
  ASSERT_TRUE(decode_key(key.bytes, read));
  EXPECT_EQ(read.parts, key.parts);
  EXPECT_EQ(read.hash, key.hash);
  EXPECT_TRUE(differences(key, read).empty());
  for (std::size_t size = 0; size < key.bytes.size(); ++size) EXPECT_FALSE(decode_key(std::string_view(key.bytes).substr(0, size), read));
  EXPECT_FALSE(decode_key(key.bytes + "x", read));

  const auto named = [&](auto change) {
    Program other = program;
    CodeOrigin origin = sample_origin();
    change(other, origin);
    const std::vector<std::string> found = differences(key, content_key(other, origin));
    return found.size() == 1 ? found[0] : "differences: " + std::to_string(found.size());
  };
  EXPECT_EQ(named([](Program& p, CodeOrigin&) { p.name = "other"; }), "kernel: '" + program.name + "' and 'other'");
  EXPECT_EQ(named([](Program& p, CodeOrigin&) { p.bindings = {{"block", 32}, {"stages", 2}}; }), "bindings: block is 64 and 32, warps in the one only, stages in the other only");
  EXPECT_EQ(named([](Program& p, CodeOrigin&) { std::swap(p.bindings[0], p.bindings[1]); }), "bindings: another order");
  EXPECT_EQ(named([](Program& p, CodeOrigin&) { p.params[0].facts.fits32 ^= true; }), "parameters: other names, kinds, types or facts");
  EXPECT_EQ(named([](Program&, CodeOrigin& o) { o.target = "sm_90a"; }), "target: 'host' and 'sm_90a'");
  EXPECT_EQ(named([](Program&, CodeOrigin& o) { o.keeps_positions = true; }), "positions: the source has moved, or is another file");
  const std::string count = std::to_string(program.body.ops.size()), mnemonic(mnemonic_of(program.ops[program.body.ops[1]].opcode));
  EXPECT_EQ(named([](Program& p, CodeOrigin&) { p.ops[p.body.ops[1]].text += "!"; }),
            "body: operation 2 of " + count + ": " + mnemonic + ", with other operands, attributes or types");
  EXPECT_EQ(named([](Program& p, CodeOrigin&) { p.ops[p.body.ops[1]].opcode = program::Opcode::TopK; }),
            "body: operation 2 of " + count + ": " + mnemonic + " in the one, topk in the other");
  EXPECT_EQ(named([](Program& p, CodeOrigin&) { p.grid.yields.pop_back(); }), "grid: other results");
  EXPECT_EQ(named([](Program& p, CodeOrigin&) { p.body.ops.pop_back(); }),
            "body: " + count + " operations in the one, " + std::to_string(program.body.ops.size() - 1) + " in the other");
  ContentKey fewer = key;
  fewer.parts.pop_back();
  EXPECT_EQ(differences(fewer, key), std::vector<std::string>{"compiler: in the other only"});
  EXPECT_EQ(first_difference("", "noise"), "other results");
  EXPECT_EQ(first_difference("same", "same"), "");
  ContentKey torn = key;
  for (auto& [name, value] : torn.parts) value.resize(value.size() / 2);
  EXPECT_EQ(differences(key, torn).size(), std::count_if(key.parts.begin(), key.parts.end(), [](const auto& part) { return !part.second.empty(); }));
  EXPECT_EQ(differences(torn, key).size(), differences(key, torn).size());
  ContentKey more = key;
  more.parts.emplace_back("nothing", "");
  EXPECT_TRUE(differences(key, more).empty());
  EXPECT_EQ(key.part("no such part"), "");
}

// ---- everywhere the same

std::string output_of(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "cannot run " + command;
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), got);
  return pclose(pipe) == 0 ? text : "failed: " + command;
}

TEST(ContentKey, IsTheSameInEveryEnvironment) {
  const std::string program = TILEWRIGHT_CACHE_KEYS;
  const std::string first = output_of("cd / && env -i LANG=C " + program + " 1000 1");
  ASSERT_EQ(first.size(), 33'000u) << first.substr(0, 200);
  std::set<std::string> keys;
  for (std::size_t at = 0; at < first.size(); at += 33) keys.insert(first.substr(at, 32));
  EXPECT_EQ(keys.size(), 1000u);
  EXPECT_EQ(output_of("cd /tmp && env -i USER=somebody HOME=/nowhere LC_ALL=C.UTF-8 TZ=Asia/Tokyo " + program + " 1000 1"), first);
  EXPECT_EQ(output_of("cd /usr && env LC_NUMERIC=de_DE.UTF-8 LANG=tr_TR.UTF-8 USER=root " + program + " 1000 4"), first);
  EXPECT_EQ(output_of("cd /proc && env MALLOC_PERTURB_=170 LANG=POSIX LOGNAME=x " + program + " 1000 3"), first);
}

}  // namespace
}  // namespace tilewright::cache
