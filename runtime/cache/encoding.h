// Bytes of the cache's formats: little-endian numbers, and texts behind their length. What is read is never trusted.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace tilewright::cache {

class Encoder {
 public:
  void u8(std::uint8_t value) { put(value, 1); }
  void u32(std::uint32_t value) { put(value, 4); }
  void u64(std::uint64_t value) { put(value, 8); }
  void i64(std::int64_t value) { put(static_cast<std::uint64_t>(value), 8); }
  void f64(double value) { put(std::bit_cast<std::uint64_t>(value), 8); }
  void raw(std::string_view bytes) { bytes_.append(bytes); }
  void text(std::string_view bytes) {  // u64 length, then the bytes
    u64(bytes.size());
    raw(bytes);
  }

  const std::string& bytes() const { return bytes_; }
  std::string take() && { return std::move(bytes_); }

 private:
  void put(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> 8 * i);
  }

  std::string bytes_;
};

// Reads what an Encoder wrote. Once something does not fit the bytes there are, ok() is false, and all that is read is 0 or empty. No count or length is acted on before the bytes
// it speaks of are known to be there.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(get(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(get(4)); }
  std::uint64_t u64() { return get(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(get(8)); }
  double f64() { return std::bit_cast<double>(get(8)); }
  std::string_view raw(std::uint64_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view text() { return raw(u64()); }
  // A number of items that take at least `least` bytes each.
  std::uint32_t count(std::size_t least) {
    const std::uint32_t items = u32();
    if (items <= rest_.size() / least) return items;
    fail();
    return 0;
  }

  void fail() {
    ok_ = false;
    rest_ = {};
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

 private:
  std::uint64_t get(int width) {
    const std::string_view bytes = raw(static_cast<std::uint64_t>(width));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace tilewright::cache
