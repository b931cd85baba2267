// Settings of an operator: text from the user, read as numbers, flags, dtypes and lists.
#include "runtime/operator.h"
#include "runtime/support/error.h"

#include <charconv>
#include <cmath>

namespace tilewright {

namespace {

[[noreturn]] void malformed(const std::string& name, const std::string& value, const std::string& expected) {
  throw Error(3002, "setting '" + name + "' is '" + value + "', expected " + expected);
}

std::int64_t parse_integer(const std::string& name, std::string_view text, const std::string& whole, const std::string& expected) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) malformed(name, whole, expected + " that fits 64 bits");
  if (error != std::errc{} || stop != end) malformed(name, whole, expected);
  return value;
}

}  // namespace

const std::string& OperatorSettings::text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    Error error(3001, "there is no setting '" + name + "'");
    if (!values_.empty()) {
      std::string known;
      for (const auto& [key, value] : values_) known += (known.empty() ? "" : ", ") + key;
      error.help("the settings are: " + known);
    }
    throw error;
  }
  return found->second;
}

std::int64_t OperatorSettings::integer(const std::string& name, std::int64_t least, std::int64_t most) const {
  const std::string& value = text(name);
  const std::int64_t number = parse_integer(name, value, value, "an integer");
  if (number < least) malformed(name, value, "at least " + std::to_string(least));
  if (number > most) malformed(name, value, "at most " + std::to_string(most));
  return number;
}

double OperatorSettings::number(const std::string& name) const {
  const std::string& value = text(name);
  double number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc{} || stop != end || !std::isfinite(number)) malformed(name, value, "a finite number");
  return number;
}

bool OperatorSettings::flag(const std::string& name) const {
  const std::string& value = text(name);
  if (value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  malformed(name, value, "true, false, 1 or 0");
}

DType OperatorSettings::dtype(const std::string& name) const {
  const std::string& value = text(name);
  DType type{};
  if (parse_dtype(value, type)) return type;
  std::string known;
  for (int i = 0; i < kNumDTypes; ++i) known += (i ? ", " : "") + std::string(name_of(static_cast<DType>(i)));
  malformed(name, value, "one of " + known);
}

std::vector<std::int64_t> OperatorSettings::integers(const std::string& name) const {
  const std::string& value = text(name);
  std::vector<std::int64_t> numbers;
  if (value.empty()) return numbers;
  std::string_view rest = value;
  while (true) {
    const std::size_t comma = rest.find(',');
    numbers.push_back(parse_integer(name, rest.substr(0, comma), value, "integers separated by commas"));
    if (comma == std::string_view::npos) return numbers;
    rest.remove_prefix(comma + 1);
  }
}

KernelSettings OperatorSettings::for_kernel(const program::TraceableKernel& kernel, KernelSettings constants) const {
  for (const program::KernelSetting& setting : kernel.settings()) {
    const auto given = tunables.find(setting.name);
    if (given != tunables.end()) constants.insert(*given);
  }
  return constants;
}

}  // namespace tilewright
