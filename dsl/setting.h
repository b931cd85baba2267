// Settings of a kernel: members of its struct that get their values by name when the kernel is traced.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace tilewright {

namespace detail {

// Enter the setting into the kernel being described, or look its value up in the call being traced. Outside of both: the default.
// Errors: TW1504 a tunable without candidates, TW1506 two settings of one name, TW3502 a constant without value, TW3503 a value out of range.
std::int64_t tunable(const char* name, const std::int64_t* candidates, std::size_t count, std::int64_t least, std::int64_t most);
std::int64_t constant(const char* name, const std::int64_t* default_value, std::int64_t least, std::int64_t most);

template <class T>
struct SettingRange {
  static constexpr std::int64_t least = INT32_MIN, most = INT32_MAX;
};
template <>
struct SettingRange<bool> {
  static constexpr std::int64_t least = 0, most = 1;
};

}  // namespace detail

// Reads as a T (int or bool) wherever one is wanted, and as a number in tile expressions.
template <class T>
class Setting {
 public:
  operator T() const { return value_; }

 protected:
  explicit Setting(std::int64_t value) : value_(static_cast<T>(value)) {}

 private:
  static_assert(__is_same(T, int) || __is_same(T, bool), "settings are int or bool");
  T value_;
};

// A tunable: any value gives the same results, some are faster. The first candidate is the default.
template <class T>
class Tune : public Setting<T> {
 public:
  Tune(const char* name, std::initializer_list<T> candidates) : Setting<T>(choose(name, candidates)) {}

 private:
  static std::int64_t choose(const char* name, std::initializer_list<T> candidates) {
    std::int64_t wide[64] = {};
    std::size_t count = 0;
    for (T candidate : candidates) wide[count < 64 ? count++ : 63] = candidate;
    return detail::tunable(name, wide, count, detail::SettingRange<T>::least, detail::SettingRange<T>::most);
  }
};

// A constant of the problem: the caller gives it, and it is fixed at compile time.
template <class T>
class Const : public Setting<T> {
 public:
  explicit Const(const char* name) : Setting<T>(detail::constant(name, nullptr, detail::SettingRange<T>::least, detail::SettingRange<T>::most)) {}
  Const(const char* name, T default_value) : Setting<T>(with_default(name, default_value)) {}

 private:
  static std::int64_t with_default(const char* name, std::int64_t value) {
    return detail::constant(name, &value, detail::SettingRange<T>::least, detail::SettingRange<T>::most);
  }
};

}  // namespace tilewright
