// Bytes and hashes.
#include "runtime/cache/encoding.h"

#include "runtime/cache/hash.h"

#include <gtest/gtest.h>

namespace tilewright::cache {
namespace {

TEST(Encoding, ReadsWhatWasWritten) {
  Encoder out;
  out.u8(200);
  out.u32(0xDEADBEEF);
  out.u64(~std::uint64_t{0} - 1);
  out.i64(-5);
  out.f64(-0.25);
  out.text("a\0b");
  out.text("");
  Decoder in(out.bytes());
  EXPECT_EQ(in.u8(), 200);
  EXPECT_EQ(in.u32(), 0xDEADBEEF);
  EXPECT_EQ(in.u64(), ~std::uint64_t{0} - 1);
  EXPECT_EQ(in.i64(), -5);
  EXPECT_EQ(in.f64(), -0.25);
  EXPECT_EQ(in.text(), "a\0b");
  EXPECT_FALSE(in.done());
  EXPECT_EQ(in.text(), "");
  EXPECT_TRUE(in.done());
}

TEST(Encoding, NumbersAreLittleEndian) {
  Encoder out;
  out.u32(0x04030201);
  EXPECT_EQ(out.bytes(), "\x01\x02\x03\x04");
}

TEST(Encoding, NeverReadsBeyondTheEnd) {
  Encoder out;
  out.text("twelve bytes");
  for (std::size_t size = 0; size < out.bytes().size(); ++size) {
    Decoder in(std::string_view(out.bytes()).substr(0, size));
    EXPECT_EQ(in.text(), "");
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(in.u64(), 0u);  // and stays so
    EXPECT_FALSE(in.done());
  }
  Encoder huge;
  huge.u64(~std::uint64_t{0});
  huge.raw("x");
  EXPECT_EQ(Decoder(huge.bytes()).text(), "");
}

TEST(Encoding, CountsThatCannotBeAreRefused) {
  Encoder out;
  out.u32(3);
  out.raw(std::string(24, 'x'));
  EXPECT_EQ(Decoder(out.bytes()).count(8), 3u);
  Decoder in(out.bytes());
  EXPECT_EQ(in.count(9), 0u);
  EXPECT_FALSE(in.ok());
}

TEST(Hash, HexadecimalBothWays) {
  const Hash128 hash = hash128("tilewright");
  EXPECT_EQ(to_hex(hash).size(), 32u);
  Hash128 back;
  EXPECT_TRUE(parse_hex(to_hex(hash), back));
  EXPECT_EQ(back, hash);
  EXPECT_FALSE(parse_hex("", back));
  EXPECT_FALSE(parse_hex(to_hex(hash) + "0", back));
  EXPECT_FALSE(parse_hex("G" + to_hex(hash).substr(1), back));
  EXPECT_FALSE(parse_hex("0G" + to_hex(hash).substr(2), back));
}

// The published value of XXH3-128 for no bytes: the hash is the same whatever library computes it.
TEST(Hash, IsXxh3) { EXPECT_EQ(to_hex(hash128("")), "99aa06d3014798d86001c324468d497f"); }

}  // namespace
}  // namespace tilewright::cache
