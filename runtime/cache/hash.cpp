#include "runtime/cache/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace tilewright::cache {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

Hash128 hash128(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  Hash128 hash;
  static_assert(sizeof canonical.digest == sizeof hash.bytes);
  std::memcpy(hash.bytes.data(), canonical.digest, sizeof canonical.digest);
  return hash;
}

std::string to_hex(const Hash128& hash) {
  std::string text;
  for (unsigned char byte : hash.bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool parse_hex(std::string_view text, Hash128& hash) {
  if (text.size() != 2 * hash.bytes.size()) return false;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const std::size_t high = kDigits.find(text[2 * i]), low = kDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    hash.bytes[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return true;
}

}  // namespace tilewright::cache
