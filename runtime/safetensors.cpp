#include "runtime/safetensors.h"

#include "runtime/support/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tilewright {

static_assert(std::endian::native == std::endian::little, "the format is little endian, and files are read without conversion");

namespace {

using nlohmann::json;

constexpr std::uint64_t kMostHeaderBytes = 100'000'000;
constexpr std::size_t kPrefixBytes = 8;

constexpr std::pair<const char*, DType> kTypes[] = {
    {"BOOL", DType::Bool}, {"U8", DType::U8},   {"I8", DType::I8},   {"U16", DType::U16}, {"I16", DType::I16},   {"U32", DType::U32}, {"I32", DType::I32},
    {"U64", DType::U64},   {"I64", DType::I64}, {"F16", DType::F16}, {"BF16", DType::BF16}, {"F32", DType::F32}, {"F64", DType::F64},
    {"F8_E4M3", DType::F8E4M3}, {"F8_E5M2", DType::F8E5M2},
};

const char* name_in_file(DType dtype) {
  for (const auto& [name, type] : kTypes) {
    if (type == dtype) return name;
  }
  return "";
}

class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0) : path_(path), descriptor_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (descriptor_ < 0) fail("cannot be opened");
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::uint64_t size_of_regular_file() const {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) fail("cannot be read");
    if (!S_ISREG(status.st_mode)) throw Error(3100, "'" + path_ + "' is not a regular file");
    return static_cast<std::uint64_t>(status.st_size);
  }

  void read(void* to, std::size_t bytes, std::uint64_t from) const {
    auto* out = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t got = ::pread(descriptor_, out, bytes, static_cast<off_t>(from));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("cannot be read");
      if (got == 0) throw Error(3101, "'" + path_ + "' became shorter while it was read");
      out += got;
      from += static_cast<std::uint64_t>(got);
      bytes -= static_cast<std::size_t>(got);
    }
  }

  void write(const void* from, std::size_t bytes) const {
    const auto* in = static_cast<const char*>(from);
    while (bytes > 0) {
      const ssize_t put = ::write(descriptor_, in, bytes);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail("cannot be written");
      in += put;
      bytes -= static_cast<std::size_t>(put);
    }
  }

  void close() {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot be written");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(3100, "'" + path_ + "' " + what + ": " + std::strerror(errno)); }

  std::string path_;
  int descriptor_;
};

struct Entry {
  std::string name;
  DType dtype{};
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  // in the data, which follow the header
};

// Checks a header against the format and the size of the file.
class Header {
 public:
  Header(std::string path, std::uint64_t data_bytes) : path_(std::move(path)), data_bytes_(data_bytes) {}

  std::vector<Entry> parse(const std::string& text) {
    bool duplicate = false;
    std::set<std::string> names;
    const auto watch = [&](int depth, json::parse_event_t event, json& value) {
      if (event == json::parse_event_t::key && depth == 1) duplicate |= !names.insert(value.get<std::string>()).second;
      return true;
    };
    const json header = json::parse(text, watch, /*allow_exceptions=*/false);
    if (header.is_discarded() || !header.is_object()) fail(3103, "the header is not a JSON object");
    if (duplicate) fail(3103, "the header names a tensor twice");

    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        check_metadata(value);
      } else {
        entries.push_back(parse_entry(name, value));
      }
    }
    check_layout(entries);
    return entries;
  }

 private:
  [[noreturn]] void fail(int code, const std::string& what) const { throw Error(code, "'" + path_ + "': " + what); }
  [[noreturn]] void fail(int code, const std::string& tensor, const std::string& what) const { fail(code, "tensor '" + tensor + "': " + what); }

  void check_metadata(const json& value) const {
    bool texts = value.is_object();
    if (texts) {
      for (const json& entry : value) texts &= entry.is_string();
    }
    if (!texts) fail(3103, "'__metadata__' is not an object of texts");
  }

  Entry parse_entry(const std::string& name, const json& value) const {
    const auto member = [&](const char* key) -> const json& {
      if (!value.is_object() || !value.contains(key)) fail(3103, name, std::string("has no '") + key + "'");
      return value[key];
    };
    const json &dtype = member("dtype"), &shape = member("shape"), &offsets = member("data_offsets");
    if (value.size() != 3) fail(3103, name, "has members other than dtype, shape and data_offsets");
    if (!dtype.is_string() || !is_list(shape) || !is_list(offsets) || offsets.size() != 2) fail(3103, name, "dtype, shape or data_offsets is malformed");

    Entry entry;
    entry.name = name;
    const auto& type_name = dtype.get_ref<const std::string&>();
    const auto type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& known) { return type_name == known.first; });
    if (type == std::end(kTypes)) fail(3104, name, "element type '" + type_name + "' is not supported");
    entry.dtype = type->second;
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
    if (entry.begin > entry.end || entry.end > data_bytes_) {
      fail(3105, name, "its data stand at [" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + ") of " + std::to_string(data_bytes_) + " bytes");
    }
    if (shape.size() > static_cast<std::size_t>(kMaxRank)) fail(3106, name, "rank " + std::to_string(shape.size()) + ", allowed are 0 to " + std::to_string(kMaxRank));
    std::uint64_t bytes = size_of(entry.dtype);
    bool overflow = false;
    for (const json& size : shape) {
      const auto extent = size.get<std::uint64_t>();
      overflow |= extent > INT64_MAX || __builtin_mul_overflow(bytes, extent, &bytes);
      entry.shape.push_back(static_cast<std::int64_t>(extent));
    }
    if (overflow || bytes != entry.end - entry.begin)
      fail(3106, name, "shape " + shape.dump() + " of " + type_name + " does not fit its " + std::to_string(entry.end - entry.begin) + " bytes of data");
    return entry;
  }

  static bool is_list(const json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_number_unsigned(); });
  }

  // The data are one tensor after another, without overlap or gap.
  void check_layout(std::vector<Entry>& entries) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::uint64_t next = 0;
    for (const Entry& entry : entries) {
      if (entry.begin < next) fail(3105, entry.name, "its data overlap those of another tensor");
      if (entry.begin > next) fail(3105, entry.name, "a gap of " + std::to_string(entry.begin - next) + " bytes lies before its data");
      next = entry.end;
    }
    if (next != data_bytes_) fail(3105, std::to_string(data_bytes_ - next) + " bytes at the end of the file belong to no tensor");
  }

  std::string path_;
  std::uint64_t data_bytes_;
};

void check_bools(const std::string& path, const Entry& entry, const HostTensor& tensor) {
  if (entry.dtype != DType::Bool) return;
  const auto* values = static_cast<const std::uint8_t*>(tensor.data());
  const auto* bad = std::find_if(values, values + tensor.elements(), [](std::uint8_t value) { return value > 1; });
  if (bad == values + tensor.elements()) return;
  throw Error(3106, "'" + path + "': tensor '" + entry.name + "': element " + std::to_string(bad - values) + " is " + std::to_string(*bad) + ", a bool is 0 or 1");
}

}  // namespace

std::map<std::string, HostTensor> read_safetensors(const std::string& path) {
  const File file(path, O_RDONLY | O_NONBLOCK);
  const std::uint64_t file_bytes = file.size_of_regular_file();
  if (file_bytes < kPrefixBytes) throw Error(3101, "'" + path + "' has " + std::to_string(file_bytes) + " bytes, less than the length of a header");
  std::uint64_t header_bytes = 0;
  file.read(&header_bytes, kPrefixBytes, 0);
  if (header_bytes > kMostHeaderBytes) {
    throw Error(3102, "'" + path + "' announces a header of " + std::to_string(header_bytes) + " bytes").help("is it a safetensors file?");
  }
  if (header_bytes > file_bytes - kPrefixBytes)
    throw Error(3101, "'" + path + "' has " + std::to_string(file_bytes) + " bytes, less than its header of " + std::to_string(header_bytes));
  std::string text(header_bytes, '\0');
  file.read(text.data(), header_bytes, kPrefixBytes);

  const std::uint64_t data_start = kPrefixBytes + header_bytes;
  std::map<std::string, HostTensor> tensors;
  for (const Entry& entry : Header(path, file_bytes - data_start).parse(text)) {
    HostTensor tensor(entry.dtype, entry.shape);
    file.read(tensor.data(), tensor.bytes(), data_start + entry.begin);
    check_bools(path, entry, tensor);
    tensors.emplace(entry.name, std::move(tensor));
  }
  return tensors;
}

void write_safetensors(const std::string& path, const std::map<std::string, HostTensor>& tensors) {
  std::vector<const std::pair<const std::string, HostTensor>*> order;
  for (const auto& entry : tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return size_of(a->second.dtype()) > size_of(b->second.dtype()); });

  json header = json::object();
  std::uint64_t next = 0;
  for (const auto* entry : order) {
    const HostTensor& tensor = entry->second;
    if (tensor.data() == nullptr) throw Error(3106, "'" + path + "': tensor '" + entry->first + "' has no memory");
    header[entry->first] = {{"dtype", name_in_file(tensor.dtype())}, {"shape", tensor.shape()}, {"data_offsets", {next, next + tensor.bytes()}}};
    next += tensor.bytes();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    throw Error(3103, "'" + path + "': a tensor's name is not UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');

  // What is not a regular file (a device, a pipe) is written in place: a rename would replace it.
  struct stat status{};
  const bool in_place = ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  const std::string target = in_place ? path : path + ".tmp" + std::to_string(::getpid());
  try {
    File file(target, O_WRONLY | O_CREAT | (in_place ? 0 : O_TRUNC), 0666);
    const std::uint64_t header_bytes = text.size();
    file.write(&header_bytes, kPrefixBytes);
    file.write(text.data(), text.size());
    for (const auto* entry : order) file.write(entry->second.data(), entry->second.bytes());
    file.close();
    if (!in_place && std::rename(target.c_str(), path.c_str()) != 0)
      throw Error(3100, "'" + path + "' cannot be written: " + std::strerror(errno));
  } catch (...) {
    if (!in_place) ::unlink(target.c_str());
    throw;
  }
}

}  // namespace tilewright
