// Reading and writing safetensors: round trips, and every way a file can be wrong.
#include "runtime/safetensors.h"

#include "runtime/random.h"
#include "tests/runtime/errors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/stat.h>
#include <unistd.h>

namespace tilewright::testing {
namespace {

class Safetensors : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("tilewright_safetensors_" + std::to_string(::getpid()) + "_" +
                                                        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name = "f.safetensors") const { return (folder_ / name).string(); }

  std::string bytes_of(const std::string& file) const {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // A file of this header and data; the length is the header's unless given.
  std::string file(const std::string& header, const std::string& data = "", std::uint64_t length = UINT64_MAX) const {
    if (length == UINT64_MAX) length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    std::ofstream(path(), std::ios::binary) << bytes << header << data;
    return path();
  }

  int code(const std::string& header, const std::string& data = "", std::uint64_t length = UINT64_MAX) const {
    return error_code([&] { read_safetensors(file(header, data, length)); });
  }

  std::filesystem::path folder_;
};

TEST_F(Safetensors, RoundTripsEveryType) {
  std::map<std::string, HostTensor> tensors;
  for (int i = 0; i < kNumDTypes; ++i) {
    const DType dtype = static_cast<DType>(i);
    HostTensor tensor(dtype, {3, 1, 5});
    fill_integers(tensor, Philox(1, name_of(dtype)), 0, dtype == DType::Bool ? 1 : 100);
    tensors.emplace(std::string(name_of(dtype)), tensor);
  }
  tensors.emplace("empty", HostTensor(DType::F16, {0, 7}));
  tensors.emplace("scalar", random_normal(DType::F64, {}, Philox(1)));
  tensors.emplace("a name \"with\" \xC3\xBC", random_normal(DType::F32, {2}, Philox(1)));
  write_safetensors(path(), tensors);
  const auto back = read_safetensors(path());
  ASSERT_EQ(back.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const HostTensor& read = back.at(name);
    EXPECT_EQ(read.dtype(), tensor.dtype()) << name;
    EXPECT_EQ(read.shape(), tensor.shape()) << name;
    EXPECT_EQ(std::memcmp(read.data(), tensor.data(), tensor.bytes()), 0) << name;
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);  // no temporary stays
}

TEST_F(Safetensors, NoTensors) {
  write_safetensors(path(), {});
  EXPECT_TRUE(read_safetensors(path()).empty());
  EXPECT_TRUE(read_safetensors(file("{}")).empty());
  EXPECT_TRUE(read_safetensors(file(R"({"__metadata__":{"format":"pt"}}   )")).empty());
}

TEST_F(Safetensors, ReadsWhatOthersWrite) {
  const auto tensors = read_safetensors(file(R"({"__metadata__":{"a":"b"},"y":{"dtype":"I16","shape":[2],"data_offsets":[4,8]},"x":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}})",
                                             std::string("\0\0\x80\x3f\x05\0\xff\xff", 8)));
  EXPECT_EQ(tensors.at("x").at(0), 1);
  EXPECT_EQ(tensors.at("y").to_doubles(), (std::vector<double>{5, -1}));
}

TEST_F(Safetensors, FilesThatAreNotFiles) {
  expect_error(3100, {path("missing")}, [&] { read_safetensors(path("missing")); });
  expect_error(3100, {folder_.string()}, [&] { read_safetensors(folder_.string()); });
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_code([&] { read_safetensors(path("pipe")); }), 3100);
  EXPECT_EQ(error_code([&] { read_safetensors("/dev/zero"); }), 3100);
}

TEST_F(Safetensors, TruncatedAnywhere) {
  write_safetensors(path(), {{"x", random_normal(DType::F32, {5, 3}, Philox(1))}, {"y", random_normal(DType::F16, {4}, Philox(2))}});
  const std::string whole = bytes_of(path());
  for (std::size_t keep = 0; keep < whole.size(); ++keep) {
    std::ofstream(path("cut"), std::ios::binary) << whole.substr(0, keep);
    const int code = error_code([&] { read_safetensors(path("cut")); });
    ASSERT_TRUE(code == 3101 || code == 3105) << keep << ": " << code;
  }
  std::ofstream(path("long"), std::ios::binary) << whole << 'x';
  EXPECT_EQ(error_code([&] { read_safetensors(path("long")); }), 3105);
}

// Any single byte changed: an error, or tensors that can be looked at. Never a crash.
TEST_F(Safetensors, EveryByteDamaged) {
  write_safetensors(path(), {{"x", random_normal(DType::F32, {2, 2}, Philox(1))}, {"b", HostTensor(DType::Bool, {0})}});
  const std::string whole = bytes_of(path());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int flip : {0x01, 0x10, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      std::ofstream(path("damaged"), std::ios::binary) << damaged;
      try {
        for (const auto& [name, tensor] : read_safetensors(path("damaged"))) tensor.to_doubles();
      } catch (const Error& error) {
        ASSERT_EQ(error.code() / 100, 31) << error.what();
      }
    }
  }
}

TEST_F(Safetensors, HugeHeaders) {
  EXPECT_EQ(code("{}", "", 100'000'001), 3102);
  EXPECT_EQ(code("{}", "", UINT64_MAX - 1), 3102);
  EXPECT_EQ(code("{}", "", 99'999'999), 3101);
  EXPECT_EQ(code(std::string(1'000'000, '[')), 3103);
  EXPECT_EQ(code(std::string(1'000'000, '[') + std::string(1'000'000, ']')), 3103);
}

TEST_F(Safetensors, MalformedHeaders) {
  for (const char* header :
       {"", "x", "[]", "null", "{", "{}}", R"({"x":1})", R"({"x":{}})", R"({"x":{"dtype":"F32","shape":[1]}})", R"({"x":{"dtype":"F32","data_offsets":[0,4]}})",
        R"({"x":{"shape":[1],"data_offsets":[0,4]}})", R"({"x":{"dtype":1,"shape":[1],"data_offsets":[0,4]}})", R"({"x":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})",
        R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", R"({"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})",
        R"({"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}})",
        R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", R"({"x":{"dtype":"F32","shape":[1],"data_offsets":{"a":0}}})",
        R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":0}})", R"({"__metadata__":1})", R"({"__metadata__":{"a":1}})",
        "{\"\xff\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"}) {
    EXPECT_EQ(code(header, std::string(4, '\0')), 3103) << header;
  }
}

TEST_F(Safetensors, UnknownTypes) {
  for (const char* type : {"F8_E8M0", "C64", "f32", "", "F32 "}) {
    expect_error(3104, {"'x'", type},
                 [&] { read_safetensors(file(std::string(R"({"x":{"dtype":")") + type + R"(","shape":[1],"data_offsets":[0,4]}})", std::string(4, '\0'))); });
  }
}

TEST_F(Safetensors, OffsetsThatOverlapLeaveGapsOrTheFile) {
  const std::string data(8, '\0');
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + a + R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + b + "}}";
  };
  EXPECT_EQ(code(two("[0,4]", "[4,8]"), data), 0);
  EXPECT_EQ(code(two("[0,4]", "[0,4]"), data), 3105);
  EXPECT_EQ(code(two("[0,4]", "[2,6]"), data), 3105);
  EXPECT_EQ(code(two("[0,4]", "[8,12]"), data), 3105);
  EXPECT_EQ(code(two("[0,4]", "[8,4]"), data), 3105);
  EXPECT_EQ(code(two("[0,4]", "[18446744073709551612,0]"), data), 3105);
  EXPECT_EQ(code(two("[1,5]", "[5,9]"), std::string(9, '\0')), 3105);
  EXPECT_EQ(code(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", data), 3105);
}

TEST_F(Safetensors, ShapesThatDoNotFit) {
  const std::string data(4, '\0');
  const auto shaped = [](const std::string& shape) { return R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,4]}})"; };
  EXPECT_EQ(code(shaped("[1]"), data), 0);
  EXPECT_EQ(code(shaped("[]"), data), 0);
  EXPECT_EQ(code(shaped("[2]"), data), 3106);
  EXPECT_EQ(code(shaped("[0]"), data), 3106);
  EXPECT_EQ(code(shaped("[4611686018427387905]"), data), 3106);   // 4 times it wraps to 4
  EXPECT_EQ(code(shaped("[9223372036854775808,0]"), data), 3106);
  EXPECT_EQ(code(shaped("[1,1,1,1,1,1,1,1]"), data), 0);
  EXPECT_EQ(code(shaped("[1,1,1,1,1,1,1,1,1]"), data), 3106);
}

TEST_F(Safetensors, BoolsAreZeroOrOne) {
  const std::string header = R"({"m":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}})";
  EXPECT_EQ(read_safetensors(file(header, std::string("\1\0\1", 3))).at("m").to_doubles(), (std::vector<double>{1, 0, 1}));
  expect_error(3106, {"'m'", "element 2 is 7"}, [&] { read_safetensors(file(header, std::string("\1\0\7", 3))); });
}

TEST_F(Safetensors, WritingWhereOneCannot) {
  const std::map<std::string, HostTensor> tensors = {{"x", HostTensor(DType::F32, {1})}};
  EXPECT_EQ(error_code([&] { write_safetensors(path("no/such/folder"), tensors); }), 3100);
  EXPECT_EQ(error_code([&] { write_safetensors(folder_.string(), tensors); }), 3100);
  EXPECT_EQ(error_code([&] { write_safetensors(path(), {{"\xff", HostTensor(DType::F32, {1})}}); }), 3103);
  EXPECT_EQ(error_code([&] { write_safetensors(path(), {{"x", HostTensor()}}); }), 3106);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  write_safetensors("/dev/null", tensors);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(Safetensors, WritingReplacesTheWholeFile) {
  std::ofstream(path()) << std::string(100000, 'x');
  write_safetensors(path(), {{"x", random_normal(DType::F32, {1}, Philox(1))}});
  EXPECT_EQ(read_safetensors(path()).size(), 1u);
}

}  // namespace
}  // namespace tilewright::testing
