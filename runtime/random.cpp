// This file is compiled with -ffp-contract=off: see random.h.
#include "runtime/random.h"

#include "runtime/support/error.h"

#include <tbb/parallel_for.h>

#include <bit>
#include <cmath>

namespace tilewright {

namespace {

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// Natural logarithm of a normal positive number: x = m * 2^e with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1)) by its series.
double natural_log(double x) {
  std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1), square = s * s;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return exponent * 0.6931471805599453 + 2 * s * sum;
}

// Sine and cosine of 2 pi u for u in (0, 1): reduced to an angle of at most pi/4, then Taylor series.
void sine_cosine_of_turn(double u, double& sine, double& cosine) {
  const int quarter = static_cast<int>(u * 4 + 0.5);
  const double angle = (u - quarter * 0.25) * 6.283185307179586, square = angle * angle;
  double s = 0, c = 0;
  for (int k = 17; k >= 3; k -= 2) s = (s + 1) * -square / (k * (k - 1));
  for (int k = 18; k >= 2; k -= 2) c = (c + 1) * -square / (k * (k - 1));
  s = angle * (s + 1);
  c = c + 1;
  switch (quarter % 4) {
    case 0: sine = s, cosine = c; break;
    case 1: sine = c, cosine = -s; break;
    case 2: sine = -s, cosine = -c; break;
    case 3: sine = -c, cosine = s; break;
  }
}

double unit(std::uint32_t word) { return (word + 0.5) * (1.0 / 4294967296.0); }

constexpr std::int64_t kBlocksOfTask = 1 << 13;

// Calls `make(block, values)` to fill four doubles a block and stores them.
template <class Make>
void fill_by_blocks(HostTensor& tensor, const Philox& generator, Make make) {
  const std::int64_t count = tensor.elements();
  tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, (count + 3) / 4, kBlocksOfTask), [&](const tbb::blocked_range<std::int64_t>& blocks) {
    double values[4];
    for (std::int64_t block = blocks.begin(); block < blocks.end(); ++block) {
      make(generator.block(static_cast<std::uint64_t>(block)), values);
      for (std::int64_t i = 4 * block; i < count && i < 4 * block + 4; ++i) tensor.set(i, values[i - 4 * block]);
    }
  });
}

void store_integer(HostTensor& tensor, std::int64_t i, std::int64_t value) {
  if (tensor.dtype() == DType::I64 || tensor.dtype() == DType::U64) {
    static_cast<std::int64_t*>(tensor.data())[i] = value;
  } else {
    tensor.set(i, static_cast<double>(value));
  }
}

}  // namespace

Philox::Philox(std::uint64_t seed, std::string_view stream_name) : Philox(seed, fnv1a(stream_name)) {}

std::array<std::uint32_t, 4> Philox::block(std::uint64_t index) const {
  std::uint32_t c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(stream_), c3 = static_cast<std::uint32_t>(stream_ >> 32);
  std::uint32_t k0 = static_cast<std::uint32_t>(seed_), k1 = static_cast<std::uint32_t>(seed_ >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {c0, c1, c2, c3};
}

void fill_uniform(HostTensor& tensor, const Philox& generator, double low, double high) {
  fill_by_blocks(tensor, generator, [&](const std::array<std::uint32_t, 4>& words, double* values) {
    for (int i = 0; i < 4; ++i) values[i] = low + (high - low) * unit(words[i]);
  });
}

void fill_normal(HostTensor& tensor, const Philox& generator, double mean, double deviation) {
  fill_by_blocks(tensor, generator, [&](const std::array<std::uint32_t, 4>& words, double* values) {
    for (int pair = 0; pair < 4; pair += 2) {
      const double radius = deviation * std::sqrt(-2 * natural_log(unit(words[pair])));
      double sine = 0, cosine = 0;
      sine_cosine_of_turn(unit(words[pair + 1]), sine, cosine);
      values[pair] = mean + radius * cosine;
      values[pair + 1] = mean + radius * sine;
    }
  });
}

void fill_integers(HostTensor& tensor, const Philox& generator, std::int64_t low, std::int64_t high) {
  if (low > high) throw Error(3002, "random integers from " + std::to_string(low) + " to " + std::to_string(high) + ": the range is empty");
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);  // one less than the number of values
  const std::int64_t count = tensor.elements();
  const bool wide = span >> 32 != 0;
  const int per_block = wide ? 2 : 4;
  std::array<std::uint32_t, 4> words{};
  for (std::int64_t i = 0; i < count; ++i) {
    const int slot = static_cast<int>(i % per_block);
    if (slot == 0) words = generator.block(static_cast<std::uint64_t>(i / per_block));
    const std::uint64_t offset =
        wide ? static_cast<std::uint64_t>((static_cast<unsigned __int128>(span) + 1) * (words[2 * slot] | std::uint64_t{words[2 * slot + 1]} << 32) >> 64)
             : static_cast<std::uint64_t>((static_cast<unsigned __int128>(span) + 1) * words[slot] >> 32);
    store_integer(tensor, i, static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset));
  }
}

HostTensor random_uniform(DType dtype, std::vector<std::int64_t> shape, const Philox& generator, double low, double high) {
  HostTensor tensor(dtype, std::move(shape));
  fill_uniform(tensor, generator, low, high);
  return tensor;
}

HostTensor random_normal(DType dtype, std::vector<std::int64_t> shape, const Philox& generator, double mean, double deviation) {
  HostTensor tensor(dtype, std::move(shape));
  fill_normal(tensor, generator, mean, deviation);
  return tensor;
}

}  // namespace tilewright
