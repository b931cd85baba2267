// Filling and comparing tensors.
#include "tests/fuzz/memory.h"

#include "compiler/reference/slots.h"
#include "tests/fuzz/rng.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>

namespace tilewright::fuzz {

using reference::narrow_to;
using reference::Tile;
using reference::visit_any;
using reference::widen;

namespace {

// Offsets in elements of the lowest and the highest element from the one at coordinate 0.
struct Span {
  std::int64_t low = 0, high = -1;
  std::int64_t elements() const { return high - low + 1; }
};

Span span_of(const TensorSpec& spec) {
  Span span{0, 0};
  for (std::size_t d = 0; d < spec.sizes.size(); ++d) {
    if (spec.sizes[d] == 0) return {};
    const std::int64_t reach = (spec.sizes[d] - 1) * spec.strides[d];
    (reach < 0 ? span.low : span.high) += reach;
  }
  return span;
}

template <class T>
T special_value(Rng& rng) {
  if constexpr (std::is_integral_v<T>) {
    using Limits = std::numeric_limits<T>;
    return rng.pick({Limits::min(), Limits::max(), static_cast<T>(Limits::max() - 1), static_cast<T>(-1), T{0}, T{1}});
  } else {
    const double infinity = std::numeric_limits<double>::infinity();
    const double subnormal = std::is_same_v<T, double> ? 0x1p-1060 : std::is_same_v<T, reference::Half> ? 0x1p-20 : 0x1p-130;
    const double great = std::is_same_v<T, reference::Half> ? 60000.0 : 0x1.fp126;
    return narrow_to<T>(rng.pick({std::numeric_limits<double>::quiet_NaN(), infinity, -infinity, -0.0, 0.0, subnormal, -subnormal, great, -great}));
  }
}

template <class T>
T ordinary_value(Rng& rng, const Fill& fill) {
  const std::int64_t low = static_cast<std::int64_t>(fill.low / fill.quantum), high = static_cast<std::int64_t>(fill.high / fill.quantum);
  const std::int64_t multiple = rng.between(low, high);
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(multiple);
  } else {
    return narrow_to<T>(static_cast<double>(multiple) * fill.quantum);
  }
}

void fill(std::byte* data, std::int64_t elements, DType dtype, const Fill& how, std::uint64_t seed) {
  Rng rng(seed);
  visit_any(dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < elements; ++i) {
      if (!how.patterns.empty()) {
        const std::uint64_t bits = how.patterns[static_cast<std::size_t>(i / how.repeat) % how.patterns.size()];
        std::memcpy(data + i * static_cast<std::int64_t>(sizeof(T)), &bits, sizeof(T));
        continue;
      }
      const bool special = how.specials && rng.chance(6);
      const T value = special ? special_value<T>(rng) : ordinary_value<T>(rng, how);
      std::memcpy(data + i * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
    }
  });
}

template <class T>
bool agree(T expected, T actual, const TensorSpec& spec) {
  if (std::memcmp(&expected, &actual, sizeof(T)) == 0) return true;
  if constexpr (std::is_integral_v<T>) {
    return false;
  } else {
    const double x = widen(expected), y = widen(actual);
    if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
    return x == y || std::fabs(x - y) <= spec.tolerance + spec.relative_tolerance * std::fabs(x);
  }
}

}  // namespace

Memory::Memory(const Case& test, const Layout& layout) {
  for (std::size_t i = 0; i < test.arguments.size(); ++i) {
    const Argument& argument = test.arguments[i];
    if (!argument.is_view) {
      slots_.push_back(argument.bits);
      tensors_.emplace_back(0, layout.placement);
      continue;
    }
    const program::Param& param = test.program.params[i];
    const DType dtype = test.program.type(param.value).dtype;
    const std::int64_t width = static_cast<std::int64_t>(size_of(dtype));
    const Span span = span_of(argument.tensor);
    const std::size_t alignment = argument.tensor.aligned16 ? 16 : static_cast<std::size_t>(width);
    tensors_.emplace_back(static_cast<std::size_t>(span.elements() * width), layout.placement, alignment, -span.low * width);
    std::byte* data = tensors_.back().data();
    if (param.kind == program::ParamKind::Output) {
      if (span.elements() > 0) std::memset(data, layout.poison, tensors_.back().bytes());
    } else {
      fill(data, span.elements(), dtype, argument.tensor.fill, argument.tensor.seed);
    }
    reference::append_view(slots_, data - span.low * width, argument.tensor.sizes, argument.tensor.strides);
  }
}

void Memory::protect_inputs(const program::Program& program) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (program.params[i].kind == program::ParamKind::Input) tensors_[i].set_writable(false);
  }
}

std::string Memory::name_of(const void* address, const program::Program& program) const {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (!tensors_[i].contains(address)) continue;
    const std::int64_t byte = static_cast<const std::byte*>(address) - tensors_[i].data();
    return "'" + program.params[i].name + "', byte " + std::to_string(byte) + " of " + std::to_string(tensors_[i].bytes());
  }
  return {};
}

std::string difference(const Case& test, const Memory& expected, const Memory& actual) {
  std::ostringstream text;
  for (std::size_t i = 0; i < test.arguments.size(); ++i) {
    const program::Param& param = test.program.params[i];
    if (!test.arguments[i].is_view) continue;
    const TensorSpec& spec = test.arguments[i].tensor;
    const std::byte *x = expected.tensors()[i].data(), *y = actual.tensors()[i].data();
    visit_any(test.program.type(param.value).dtype, [&]<class T>(std::type_identity<T>) {
      const std::size_t elements = expected.tensors()[i].bytes() / sizeof(T);
      std::size_t wrong = 0;
      for (std::size_t e = 0; e < elements; ++e) {
        T a, b;
        std::memcpy(&a, x + e * sizeof(T), sizeof(T));
        std::memcpy(&b, y + e * sizeof(T), sizeof(T));
        if (agree(a, b, spec)) continue;
        if (++wrong <= 3) {
          text << "  " << param.name << " element " << e << " of " << elements << " in memory: expected " << +widen(a) << ", got " << +widen(b);
          if (spec.tolerance > 0) text << ", tolerance " << spec.tolerance;
          text << "\n";
        }
      }
      if (wrong > 0) text << "  " << param.name << ": " << wrong << " of " << elements << " elements differ\n";
    });
  }
  return text.str();
}

}  // namespace tilewright::fuzz
