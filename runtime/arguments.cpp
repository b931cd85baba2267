#include "runtime/arguments.h"

#include "runtime/support/error.h"

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace tilewright {

namespace {

std::string list(std::span<const std::int64_t> values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + std::to_string(values[i]);
  return text + "]";
}

std::span<const std::int64_t> sizes_of(const TensorView& view) { return {view.sizes.data(), static_cast<std::size_t>(view.rank)}; }
std::span<const std::int64_t> strides_of(const TensorView& view) { return {view.strides.data(), static_cast<std::size_t>(view.rank)}; }

std::string describe(const TensorView& view) {
  return std::string(name_of(view.dtype)) + " of sizes " + list(sizes_of(view)) + " and strides " + list(strides_of(view));
}

Error argument_error(int code, const program::TraceableKernel& kernel, const std::string& argument, const std::string& what) {
  return Error(code, "kernel '" + kernel.name() + "', argument '" + argument + "': " + what);
}

// Offsets in elements of the lowest and the highest element, relative to element 0. False when they leave 64 bits.
bool element_range(const TensorView& view, std::int64_t& low, std::int64_t& high) {
  low = high = 0;
  for (int axis = 0; axis < view.rank; ++axis) {
    std::int64_t reach = 0;
    std::int64_t& end = view.strides[axis] < 0 ? low : high;
    if (__builtin_mul_overflow(view.sizes[axis] - 1, view.strides[axis], &reach) || __builtin_add_overflow(end, reach, &end)) return false;
  }
  return true;
}

bool has_elements(const TensorView& view) {
  for (std::int64_t size : sizes_of(view)) {
    if (size == 0) return false;
  }
  return true;
}

// Whether two elements that differ in the coordinates of axes a and b alone lie at one address: i * stride_a == j * stride_b for some |i| < size_a, |j| < size_b, not both 0.
bool overlap(const TensorView& view, int a, int b) {
  const auto magnitude = [](std::int64_t x) { return x < 0 ? -static_cast<std::uint64_t>(x) : static_cast<std::uint64_t>(x); };
  const std::uint64_t stride_a = magnitude(view.strides[a]), stride_b = magnitude(view.strides[b]);
  const std::uint64_t divisor = std::gcd(stride_a, stride_b);
  if (divisor == 0) return true;
  return stride_b / divisor < static_cast<std::uint64_t>(view.sizes[a]) && stride_a / divisor < static_cast<std::uint64_t>(view.sizes[b]);
}

void check_no_overlap(const program::TraceableKernel& kernel, const std::string& name, const TensorView& view) {
  for (int a = 0; a < view.rank; ++a) {
    if (view.sizes[a] < 2) continue;
    if (view.strides[a] == 0) {
      throw argument_error(3206, kernel, name, "an output whose elements overlap: stride 0 along axis " + std::to_string(a) + " (" + describe(view) + ")")
          .help("write to a tensor in which every element has a place of its own");
    }
    for (int b = 0; b < a; ++b) {
      if (view.sizes[b] < 2 || !overlap(view, a, b)) continue;
      throw argument_error(3206, kernel, name, "an output whose elements overlap: along axes " + std::to_string(b) + " and " + std::to_string(a) + " (" + describe(view) + ")")
          .help("write to a tensor in which every element has a place of its own");
    }
  }
}

void check_view(const program::TraceableKernel& kernel, const program::KernelParam& param, const TensorView& view, ArgumentMemory memory) {
  if (view.rank < 0 || view.rank > kMaxRank)
    throw argument_error(3203, kernel, param.name, "rank " + std::to_string(view.rank) + ", allowed are 0 to " + std::to_string(kMaxRank));
  for (int axis = 0; axis < view.rank; ++axis) {
    if (view.sizes[axis] < 0)
      throw argument_error(3205, kernel, param.name, "size " + std::to_string(view.sizes[axis]) + " along axis " + std::to_string(axis) + " is negative");
  }
  if (!has_elements(view)) return;
  if (view.data == nullptr && memory == ArgumentMemory::There) throw argument_error(3204, kernel, param.name, "null data for a tensor with elements (" + describe(view) + ")");
  const auto element = static_cast<std::int64_t>(size_of(view.dtype));
  std::int64_t low = 0, high = 0, span = 0;
  if (!element_range(view, low, high) || __builtin_sub_overflow(high, low, &span) || __builtin_mul_overflow(span, element, &span))
    throw argument_error(3205, kernel, param.name, "its elements reach beyond 2^63 bytes (" + describe(view) + ")");
  if (reinterpret_cast<std::uintptr_t>(view.data) % static_cast<std::uintptr_t>(element) != 0)
    throw argument_error(3212, kernel, param.name, "the address is not a multiple of the element size, " + std::to_string(element) + " bytes");
  if (param.kind != program::ParamKind::Input) check_no_overlap(kernel, param.name, view);
}

bool is_tensor(const Argument& argument) { return std::holds_alternative<TensorView>(argument); }

[[noreturn]] void unfit(const program::Program& program, const program::Param& param, DType type, const std::string& value) {
  throw Error(3210, "kernel '" + program.name + "', argument '" + param.name + "': " + value + " is not a value of type " + std::string(name_of(type)));
}

bool integer_fits(DType type, std::int64_t value) {
  const int bits = type == DType::Bool ? 1 : static_cast<int>(8 * size_of(type));
  if (is_signed_int(type)) return bits == 64 || (value >= -(std::int64_t{1} << (bits - 1)) && value < std::int64_t{1} << (bits - 1));
  return value >= 0 && (bits == 64 || value < std::int64_t{1} << bits);
}

std::uint64_t float_bits(DType type, double value) {
  switch (type) {
    case DType::F16: return double_to_f16(value);
    case DType::BF16: return double_to_bf16(value);
    case DType::F8E4M3: return double_to_f8e4m3(value);
    case DType::F8E5M2: return double_to_f8e5m2(value);
    case DType::F32: return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    default: return std::bit_cast<std::uint64_t>(value);
  }
}

std::uint64_t scalar_bits(const program::Program& program, const program::Param& param, DType type, std::int64_t value) {
  if (is_float(type)) return float_bits(type, static_cast<double>(value));
  if (!integer_fits(type, value)) unfit(program, param, type, std::to_string(value));
  const std::size_t bits = 8 * size_of(type);
  return bits == 64 ? static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits) - 1);
}

std::uint64_t scalar_bits(const program::Program& program, const program::Param& param, DType type, double value) {
  if (is_float(type)) return float_bits(type, value);
  if (!(value >= -0x1p63 && value < 0x1p63) || value != std::trunc(value)) unfit(program, param, type, std::to_string(value));
  return scalar_bits(program, param, type, static_cast<std::int64_t>(value));
}

}  // namespace

void check_arguments(const program::TraceableKernel& kernel, std::span<const Argument> arguments, ArgumentMemory memory) {
  const std::vector<program::KernelParam>& params = kernel.params();
  if (arguments.size() != params.size()) {
    std::string names;
    for (const program::KernelParam& param : params) names += (names.empty() ? "" : ", ") + param.name;
    throw Error(3201, "kernel '" + kernel.name() + "' takes " + std::to_string(params.size()) + " arguments (" + names + "), given are " +
                          std::to_string(arguments.size()));
  }
  for (std::size_t i = 0; i < params.size(); ++i) {
    const bool scalar = params[i].kind == program::ParamKind::Scalar;
    if (scalar == is_tensor(arguments[i]))
      throw argument_error(3202, kernel, params[i].name, scalar ? "a tensor is given where a scalar stands" : "a scalar is given where a tensor stands");
    if (!scalar) check_view(kernel, params[i], std::get<TensorView>(arguments[i]), memory);
  }
}

MemoryRange range_of(const TensorView& view) {
  std::int64_t low = 0, high = 0;
  if (!has_elements(view) || !element_range(view, low, high)) return {static_cast<const std::byte*>(view.data), 0};
  const auto element = static_cast<std::int64_t>(size_of(view.dtype));
  return {static_cast<const std::byte*>(view.data) + low * element, static_cast<std::size_t>((high - low + 1) * element)};
}

program::Type type_of(const TensorView& view) { return {view.dtype, program::Shape(static_cast<std::size_t>(view.rank), -1), true}; }

std::vector<program::Type> types_of(std::span<const Argument> arguments) {
  DType floating = DType::F32;
  for (const Argument& argument : arguments) {
    if (is_tensor(argument) && std::get<TensorView>(argument).dtype == DType::F64) floating = DType::F64;
  }
  std::vector<program::Type> types;
  types.reserve(arguments.size());
  for (const Argument& argument : arguments) {
    if (is_tensor(argument)) {
      types.push_back(type_of(std::get<TensorView>(argument)));
    } else {
      const DType scalar = std::holds_alternative<double>(argument) ? floating : std::holds_alternative<bool>(argument) ? DType::Bool : DType::I64;
      types.push_back({scalar, {}, false});
    }
  }
  return types;
}

program::ArgumentFacts facts_of(const TensorView& view) {
  program::ArgumentFacts facts;
  facts.unit_inner_stride = view.rank > 0 && view.strides[view.rank - 1] == 1;
  facts.aligned16 = reinterpret_cast<std::uintptr_t>(view.data) % 16 == 0;
  for (int axis = 0; axis + 1 < view.rank; ++axis)
    facts.aligned16 &= (static_cast<std::uint64_t>(view.strides[axis]) * size_of(view.dtype)) % 16 == 0;
  facts.whole_rows16 = view.rank > 1 && (static_cast<std::uint64_t>(view.sizes[view.rank - 1]) * size_of(view.dtype)) % 16 == 0;
  std::int64_t low = 0, high = 0;
  facts.fits32 = !has_elements(view) || (element_range(view, low, high) && low >= std::numeric_limits<std::int32_t>::min() &&
                                         high <= std::numeric_limits<std::int32_t>::max());
  return facts;
}

KernelSettings complete_settings(const program::TraceableKernel& kernel, const KernelSettings& settings) {
  KernelSettings complete;
  std::string known;
  for (const program::KernelSetting& setting : kernel.settings()) {
    known += (known.empty() ? "" : ", ") + setting.name;
    const auto given = settings.find(setting.name);
    if (given != settings.end()) {
      complete[setting.name] = given->second;
    } else if (setting.has_default) {
      complete[setting.name] = setting.default_value;
    } else if (setting.is_tunable && !setting.candidates.empty()) {
      complete[setting.name] = setting.candidates.front();
    } else {
      throw Error(3209, "kernel '" + kernel.name() + "' needs a value for its constant '" + setting.name + "'");
    }
  }
  for (const auto& [name, value] : settings) {
    if (complete.count(name) != 0) continue;
    Error error(3208, "kernel '" + kernel.name() + "' has no constant or tunable '" + name + "'");
    if (!known.empty()) error.help("it has: " + known);
    throw error;
  }
  return complete;
}

std::vector<std::uint64_t> pack_arguments(const program::Program& program, std::span<const Argument> arguments) {
  std::vector<std::uint64_t> slots;
  slots.reserve(argument_slots(program));
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const program::Param& param = program.params[i];
    if (is_tensor(arguments[i])) {
      const TensorView& view = std::get<TensorView>(arguments[i]);
      slots.push_back(reinterpret_cast<std::uintptr_t>(view.data));
      for (std::int64_t size : sizes_of(view)) slots.push_back(static_cast<std::uint64_t>(size));
      for (std::int64_t stride : strides_of(view)) slots.push_back(static_cast<std::uint64_t>(stride));
      continue;
    }
    const DType type = program.type(param.value).dtype;
    if (const double* number = std::get_if<double>(&arguments[i])) {
      slots.push_back(scalar_bits(program, param, type, *number));
    } else if (const std::int64_t* integer = std::get_if<std::int64_t>(&arguments[i])) {
      slots.push_back(scalar_bits(program, param, type, *integer));
    } else {
      slots.push_back(scalar_bits(program, param, type, std::int64_t{std::get<bool>(arguments[i])}));
    }
  }
  return slots;
}

}  // namespace tilewright
