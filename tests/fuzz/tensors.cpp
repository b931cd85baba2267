// Parameters of random programs: tensors with their sizes, strides and contents, and scalars.
#include "tests/fuzz/generator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <string>

namespace tilewright::fuzz {

using program::ParamKind;

namespace {

constexpr std::int64_t kMaxSpan = 1 << 15;  // elements between the first and the last of a tensor
constexpr std::size_t kMaxInputs = 7;

std::int64_t span_of(const Shape& sizes, const std::vector<std::int64_t>& strides) {
  std::int64_t span = 1;
  for (std::size_t d = 0; d < sizes.size(); ++d) span += std::max<std::int64_t>(sizes[d] - 1, 0) * std::abs(strides[d]);
  return span;
}

}  // namespace

Fill Generator::any_fill(DType dtype, Numbers& numbers) {
  Fill fill;
  if (dtype == DType::Bool) {
    fill = {0, 1, 1, false};
  } else if (is_int(dtype)) {
    const std::int64_t kind = rng_.below(10);
    const double least = is_unsigned_int(dtype) ? 0 : -8;
    if (kind < 5) fill = {least, 8, 1, false};
    else if (kind < 8) fill = {is_unsigned_int(dtype) ? 0.0 : -2.0, 40, 1, false};
    else fill = {least, 100, 1, true};
  } else {
    const std::int64_t kind = rng_.below(10);
    if (kind < 5) fill = {-4, 4, 0x1p-3, false};
    else if (kind < 8) fill = {-4, 4, dtype == DType::F64 ? 0x1p-40 : 0x1p-20, false};
    else fill = {-4, 4, 0x1p-4, true};
  }
  numbers = fill.specials ? any_of(dtype) : Numbers{std::max(std::fabs(fill.low), std::fabs(fill.high)), fill.quantum, 0, false, false};
  if (fill.specials) numbers.zero_sign = false;
  return fill;
}

std::vector<std::int64_t> Generator::any_strides(const Shape& sizes, bool writable) {
  const std::size_t rank = sizes.size();
  std::vector<std::size_t> order(rank);  // dimensions from the innermost
  for (std::size_t d = 0; d < rank; ++d) order[d] = rank - 1 - d;
  if (rng_.chance(20)) {
    for (std::size_t d = rank; d > 1; --d) std::swap(order[d - 1], order[static_cast<std::size_t>(rng_.below(static_cast<std::int64_t>(d)))]);
  }
  std::vector<std::int64_t> strides(rank);
  std::int64_t stride = rng_.chance(15) ? rng_.between(2, 3) : 1;
  for (std::size_t d : order) {
    strides[d] = stride;
    stride *= std::max<std::int64_t>(sizes[d], 1);
    if (rng_.chance(25)) stride += rng_.between(1, 5);
    else if (rng_.chance(20)) stride = (stride + 15) / 16 * 16;
  }
  for (std::size_t d = 0; d < rank; ++d) {
    if (rng_.chance(4)) strides[d] = -strides[d];
    else if (!writable && rng_.chance(3)) strides[d] = 0;
  }
  return strides;
}

std::size_t Generator::add_tensor(ParamKind kind, DType dtype, const Shape& sizes, const Fill& fill) {
  Argument argument;
  argument.is_view = true;
  TensorSpec& spec = argument.tensor;
  spec.sizes = sizes;
  spec.fill = fill;
  spec.seed = rng_.next64();
  spec.strides = any_strides(sizes, kind != ParamKind::Input);
  if (span_of(sizes, spec.strides) > 4 * kMaxSpan) {
    std::int64_t stride = 1;
    for (std::size_t d = sizes.size(); d-- > 0; stride *= std::max<std::int64_t>(sizes[d], 1)) spec.strides[d] = stride;
  }
  program::ArgumentFacts facts;
  facts.unit_inner_stride = spec.strides.back() == 1 && rng_.chance(80);
  facts.fits32 = rng_.chance(70);
  bool strides_align = true;
  for (std::size_t d = 0; d + 1 < sizes.size(); ++d) strides_align &= spec.strides[d] * static_cast<std::int64_t>(size_of(dtype)) % 16 == 0;
  facts.aligned16 = spec.aligned16 = strides_align && rng_.chance(70);
  facts.whole_rows16 = sizes.size() > 1 && sizes.back() * static_cast<std::int64_t>(size_of(dtype)) % 16 == 0 && spec.seed % 4 != 0;

  const std::size_t place = case_.arguments.size();
  case_.arguments.push_back(std::move(argument));
  const char* prefix = kind == ParamKind::Input ? "in" : kind == ParamKind::Output ? "out" : "io";
  b_.add_param(prefix + std::to_string(place), kind, Type{dtype, Shape(sizes.size(), -1), true}, facts);
  return place;
}

Generator::Tensor& Generator::input(DType dtype, std::size_t least_rank) {
  std::vector<Tensor*> fitting;
  for (std::vector<Tensor>* list : {&inputs_, &in_place_}) {
    for (Tensor& tensor : *list) {
      if (b_.type(tensor.view).dtype == dtype && b_.type(tensor.view).rank() >= least_rank) fitting.push_back(&tensor);
    }
  }
  const bool full = inputs_.size() >= kMaxInputs;
  if (!fitting.empty() && (full || rng_.chance(70))) return *rng_.pick(fitting);

  const std::size_t rank = std::max<std::size_t>(least_rank, static_cast<std::size_t>(rng_.between(1, 3)));
  Shape sizes;
  std::int64_t elements = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t extent = any_extent();
    std::int64_t size = rng_.pick({extent, extent + 3, std::max<std::int64_t>(extent - 1, 1), 2 * extent + 1, rng_.between(1, 70)});
    if (rng_.chance(1)) size = 0;
    if (elements * size > kMaxSpan) size = rng_.between(1, 2);
    sizes.push_back(size);
    elements *= std::max<std::int64_t>(size, 1);
  }
  Numbers numbers;
  const Fill fill = any_fill(dtype, numbers);
  const std::size_t place = add_tensor(ParamKind::Input, dtype, sizes, fill);
  inputs_.push_back({b_.program().params[place].value, place, numbers});
  return inputs_.back();
}

Generator::Item Generator::scalar_argument(DType dtype) {
  Argument argument;
  const std::int64_t low = is_float(dtype) || is_signed_int(dtype) ? -8 : 0;
  const std::int64_t value = dtype == DType::Bool ? rng_.below(2) : rng_.between(low, 8);
  // Small integers are exact in every dtype.
  switch (dtype) {
    case DType::F64: argument.bits = std::bit_cast<std::uint64_t>(static_cast<double>(value)); break;
    case DType::F32: argument.bits = std::bit_cast<std::uint32_t>(static_cast<float>(value)); break;
    case DType::BF16: argument.bits = std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16; break;
    case DType::F16: {
      static constexpr std::uint16_t kSmall[] = {0x0000, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600, 0x4700, 0x4800};
      argument.bits = kSmall[std::abs(value)] | (value < 0 ? 0x8000 : 0);
      break;
    }
    default: argument.bits = static_cast<std::uint64_t>(value) & (~0ull >> (64 - 8 * size_of(dtype)));
  }
  const std::size_t place = case_.arguments.size();
  case_.arguments.push_back(argument);
  const ValueId id = b_.add_param("s" + std::to_string(place), ParamKind::Scalar, Type{dtype, {}});
  return {id, fuzz::constant(dtype, 8)};
}

}  // namespace tilewright::fuzz
