#include "runtime/cache/content_key.h"

#include "runtime/cache/encoding.h"
#include "runtime/cache/program_encoding.h"

#include <algorithm>
#include <map>

namespace tilewright::cache {

namespace {

// Names with numbers, as encode_bindings writes them.
std::map<std::string, std::int64_t> bindings_in(std::string_view bytes) {
  std::map<std::string, std::int64_t> bindings;
  Decoder in(bytes);
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    const std::string name(in.text());
    bindings[name] = in.i64();
  }
  return bindings;
}

std::string difference_of_bindings(std::string_view a, std::string_view b) {
  const std::map<std::string, std::int64_t> left = bindings_in(a), right = bindings_in(b);
  std::string text;
  const auto add = [&](const std::string& item) { text += (text.empty() ? "" : ", ") + item; };
  for (const auto& [name, value] : left) {
    const auto found = right.find(name);
    if (found == right.end()) {
      add(name + " in the one only");
    } else if (found->second != value) {
      add(name + " is " + std::to_string(value) + " and " + std::to_string(found->second));
    }
  }
  for (const auto& [name, value] : right) {
    if (!left.contains(name)) add(name + " in the other only");
  }
  return text.empty() ? "another order" : text;
}

std::string difference(const std::string& name, std::string_view a, std::string_view b) {
  if (name == "bindings") return difference_of_bindings(a, b);
  if (name == "grid" || name == "body") return first_difference(a, b);
  if (name == "parameters") return "other names, kinds, types or facts";
  if (name == "positions") return "the source has moved, or is another file";
  return "'" + std::string(a) + "' and '" + std::string(b) + "'";
}

}  // namespace

std::string_view ContentKey::part(std::string_view name) const {
  for (const auto& [key, value] : parts) {
    if (key == name) return value;
  }
  return {};
}

CodeOrigin origin_of(const Compiler& compiler, const std::string& target) {
  return {target, compiler.describe_target(target), compiler.version() + " " + compiler.build_id(), compiler.keeps_positions(target)};
}

Hash128 positions_of(const program::Program& program) { return hash128(encode_positions(program, Positions::All)); }

ContentKey content_key(const program::Program& program, const CodeOrigin& origin) {
  ContentKey key;
  key.parts = {{"kernel", program.name},
               {"parameters", encode_parameters(program)},
               {"bindings", encode_bindings(program)},
               {"grid", encode_grid(program)},
               {"body", encode_body(program)},
               {"positions", encode_positions(program, origin.keeps_positions ? Positions::All : Positions::OfAssertions)},
               {"target", origin.target},
               {"processor", origin.processor},
               {"compiler", origin.compiler}};
  Encoder out;
  out.u32(static_cast<std::uint32_t>(key.parts.size()));
  for (const auto& [name, value] : key.parts) {
    out.text(name);
    out.text(value);
  }
  key.bytes = std::move(out).take();
  key.hash = hash128(key.bytes);
  return key;
}

Hash128 program_hash(const ContentKey& key) {
  Encoder out;
  for (const char* name : {"kernel", "parameters", "bindings", "grid", "body"}) out.text(key.part(name));
  return hash128(out.bytes());
}

bool decode_key(std::string_view bytes, ContentKey& key) {
  Decoder in(bytes);
  ContentKey read;
  for (std::uint32_t left = in.count(16); left > 0; --left) {
    const std::string_view name = in.text(), value = in.text();
    read.parts.emplace_back(name, value);
  }
  if (!in.done()) return false;
  read.bytes = bytes;
  read.hash = hash128(bytes);
  key = std::move(read);
  return true;
}

std::vector<std::string> differences(const ContentKey& a, const ContentKey& b) {
  std::vector<std::string> found;
  for (const auto& [name, value] : a.parts) {
    const std::string_view other = b.part(name);
    if (value != other) found.push_back(name + ": " + difference(name, value, other));
  }
  for (const auto& [name, value] : b.parts) {
    if (!value.empty() && std::none_of(a.parts.begin(), a.parts.end(), [&](const auto& part) { return part.first == name; }))
      found.push_back(name + ": in the other only");
  }
  return found;
}

}  // namespace tilewright::cache
