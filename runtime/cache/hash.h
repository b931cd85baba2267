// The hash of the cache: XXH3, 128 bits, in its canonical byte order. Against damage and chance, not against an adversary.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace tilewright::cache {

struct Hash128 {
  std::array<unsigned char, 16> bytes{};
  auto operator<=>(const Hash128&) const = default;
};

Hash128 hash128(std::string_view bytes);

std::string to_hex(const Hash128& hash);  // 32 lower-case digits
bool parse_hex(std::string_view text, Hash128& hash);  // takes what to_hex() gives; false for all else

}  // namespace tilewright::cache
