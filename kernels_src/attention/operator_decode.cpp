// The operator flash_decode.
#include "kernels_src/attention/check.h"
#include "kernels_src/attention/decode.h"
#include "kernels_src/attention/decode_kernel.h"
#include "kernels_src/attention/problem.h"
#include "kernels_src/attention/reference.h"
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <numeric>

namespace tilewright::kernels {

namespace {

// The cache of one run: which row of the flattened k and v is token t of sequence b.
struct Cache {
  AttentionProblem problem;  // one sequence of `seq` queries for each length
  std::int64_t page = 0, pages_of_sequence = 0;
  std::vector<std::int64_t> table;

  std::int64_t token(std::int64_t sequence, std::int64_t t, std::int64_t capacity) const {
    if (page == 0) return sequence * capacity + t;
    return table[static_cast<std::size_t>(sequence * pages_of_sequence + t / page)] * page + t % page;
  }
};

Sequences sequences_with(const std::vector<std::int64_t>& lengths, std::int64_t queries) {
  Sequences sequences = Sequences::dense(static_cast<std::int64_t>(lengths.size()), queries, 0);
  for (std::size_t i = 0; i < lengths.size(); ++i) sequences.list[i].k_length = lengths[i];
  return sequences;
}

HostTensor integers_tensor(const std::vector<std::int64_t>& values, std::vector<std::int64_t> shape) {
  HostTensor tensor(DType::I32, std::move(shape));
  std::copy(values.begin(), values.end(), static_cast<std::int32_t*>(tensor.data()));
  return tensor;
}

// Each page once, in an order that is not the tokens'.
std::vector<std::int64_t> scattered_pages(std::int64_t count) {
  std::vector<std::int64_t> pages(static_cast<std::size_t>(count));
  std::int64_t step = count / 2 + 1;
  while (std::gcd(step, count) != 1) ++step;
  for (std::int64_t i = 0; i < count; ++i) pages[static_cast<std::size_t>(i)] = i * step % count;
  return pages;
}

class FlashDecodeOperator final : public Operator {
 public:
  std::string name() const override { return "flash_decode"; }
  std::string summary() const override { return "Softmax attention of the newest tokens over a cache of keys and values, in one piece or in pages, split over the keys"; }

  std::vector<OperatorSetting> settings() const override {
    return {
        {"batch", "1", "B, sequences"},
        {"seq", "1", "TQ, new tokens of a sequence, the last of its cache"},
        {"context", "4096", "S, tokens that the cache of a sequence has room for; whole pages"},
        {"lengths", "", "tokens of each sequence, '5,100,64' (context)"},
        {"page", "0", "tokens of a page; 0: the cache is in one piece"},
        {"heads", "8", "HQ, query heads"},
        {"kv_heads", "8", "H, key and value heads; divides heads"},
        {"dim", "64", "K, size of a query and a key head"},
        {"value_dim", "", "V, size of a value head (dim)"},
        {"scale", "", "factor of the logits (dim^-1/2)"},
        {"splits", "0", "parts that the keys are dealt out to; 0: as many as occupy a device"},
        {"dtype", "f32", "f32, f16 or bf16"},
    };
  }

  std::vector<const program::TraceableKernel*> kernels() const override { return {&flash_decode_split_kernel(), &flash_decode_combine_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const std::int64_t batch = settings.integer("batch", 1), queries = settings.integer("seq", 1), heads = settings.integer("heads", 1), kv_heads = settings.integer("kv_heads", 1);
    const std::int64_t dim = settings.integer("dim", 1), value_dim = integer_or(settings, "value_dim", dim, 1), page = settings.integer("page", 0);
    const DType dtype = float_dtype(settings);
    std::int64_t capacity = settings.integer("context", 1), first = batch;
    std::vector<std::int64_t> lengths = settings.integers("lengths");
    TensorMap inputs;
    if (page > 0) {
      const std::int64_t pages = (capacity + page - 1) / page;
      if (lengths.empty()) lengths.assign(static_cast<std::size_t>(batch), capacity);
      capacity = page;
      first = batch * pages;
      inputs["block_table"] = integers_tensor(scattered_pages(first), {batch, pages});
    }
    inputs["q"] = random_normal(dtype, {batch, queries, heads, dim}, Philox(seed, "q"));
    inputs["k"] = random_normal(dtype, {first, capacity, kv_heads, dim}, Philox(seed, "k"));
    inputs["v"] = random_normal(dtype, {first, capacity, kv_heads, value_dim}, Philox(seed, "v"));
    if (!lengths.empty()) inputs["lengths"] = cu_seqlens_tensor(lengths);
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override { cache_of(settings, inputs); }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const Cache cache = cache_of(settings, inputs);
    const auto uploaded = [&](const char* name) {
      const HostTensor* tensor = optional_input(inputs, name);
      return tensor != nullptr ? std::optional(session.upload(*tensor)) : std::nullopt;
    };
    const DeviceTensor q = session.upload(input(inputs, "q")), k = session.upload(input(inputs, "k")), v = session.upload(input(inputs, "v"));
    const std::optional<DeviceTensor> table = uploaded("block_table"), lengths = uploaded("lengths");
    const AttentionResult result = flash_decode(session, q, {k, v, table, lengths}, {cache.problem.scale, settings.integer("splits", 0), settings.tunables});
    return {{"o", session.download(result.output)}, {"lse", session.download(result.lse)}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const Cache cache = cache_of(settings, inputs);
    const AttentionProblem& problem = cache.problem;
    const HostTensor &q = input(inputs, "q"), &k_cache = input(inputs, "k");
    const DoubleRows k(k_cache), v(input(inputs, "v"));
    const double work = static_cast<double>(problem.sequences.longest_k() * (problem.dim + problem.value_dim));
    return check_attention(problem, "o", input(outputs, "o"), "lse", input(outputs, "lse"), work, [&](const RowId& id) {
      const Sequence& s = problem.sequences.list[id.sequence];
      std::vector<std::int64_t> rows;
      for (std::int64_t t : reference::visible_keys(s.position(id.token), s.k_length, /*causal=*/true, /*window=*/0))
        rows.push_back(cache.token(id.sequence, t, k_cache.shape()[1]) * problem.kv_heads + id.head / problem.group());
      return reference::attend(row_of(q, query_row(problem.sequences, id, problem.q_heads)), rows, k, v, problem.scale);
    });
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = cache_of(settings, inputs).problem;
    double pairs = 0;
    for (const Sequence& s : problem.sequences.list)
      for (std::int64_t t = 0; t < s.q_length; ++t) pairs += static_cast<double>(std::clamp<std::int64_t>(s.position(t) + 1, 0, s.k_length));
    return 2 * pairs * static_cast<double>(problem.q_heads * (problem.dim + problem.value_dim));
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = cache_of(settings, inputs).problem;
    double total = static_cast<double>(input(inputs, "q").bytes());
    total += static_cast<double>(problem.sequences.total_q() * problem.q_heads) * (static_cast<double>(problem.value_dim * size_of(problem.dtype)) + 4);
    for (const Sequence& s : problem.sequences.list) total += static_cast<double>(s.k_length * problem.kv_heads * (problem.dim + problem.value_dim) * size_of(problem.dtype));
    return total;
  }

 private:
  // Checks the inputs against each other. Throws TW3110, TW3111, TW3112, TW3128.
  static Cache cache_of(const OperatorSettings& settings, const TensorMap& inputs) {
    const HostTensor &q = input(inputs, "q"), &k = input(inputs, "k"), &v = input(inputs, "v");
    const HostTensor *table = optional_input(inputs, "block_table"), *lengths = optional_input(inputs, "lengths");
    Cache cache;
    AttentionProblem& problem = cache.problem;
    expect_rank("k", k, 4);
    expect_rank("v", v, 4);
    expect_not_empty("k", k, {1, 2});
    read_queries(q, k.shape()[2], problem);
    expect_dtype("k", k, q.dtype());
    expect_dtype("v", v, q.dtype());
    expect_not_empty("v", v, {3});
    problem.value_dim = v.shape()[3];
    problem.scale = scale_of(settings, problem.dim);
    const std::int64_t batch = q.shape()[0];
    std::int64_t capacity = k.shape()[1];
    if (table != nullptr) {
      expect_rank("block_table", *table, 2);
      expect_dtype("block_table", *table, DType::I32);
      cache.page = k.shape()[1];
      cache.pages_of_sequence = table->shape()[1];
      expect_shape("block_table", *table, {batch, cache.pages_of_sequence}, "[B, N]");
      capacity *= cache.pages_of_sequence;
      for (std::int64_t i = 0; i < batch * cache.pages_of_sequence; ++i) {
        cache.table.push_back(static_cast<const std::int32_t*>(table->data())[i]);
        if (cache.table.back() < 0 || cache.table.back() >= k.shape()[0])
          throw Error(3128, "input 'block_table' has page " + std::to_string(cache.table.back()) + ", of " + std::to_string(k.shape()[0]) + " pages");
      }
      if (lengths == nullptr) throw Error(3110, "there is no input 'lengths', which pages need");
    }
    const std::int64_t first = table != nullptr ? k.shape()[0] : batch;
    expect_shape("k", k, {first, k.shape()[1], problem.kv_heads, problem.dim}, table != nullptr ? "[P, page, H, K]" : "[B, S, H, K]");
    expect_shape("v", v, {first, k.shape()[1], problem.kv_heads, problem.value_dim}, table != nullptr ? "[P, page, H, V]" : "[B, S, H, V]");
    std::vector<std::int64_t> tokens(static_cast<std::size_t>(batch), capacity);
    if (lengths != nullptr) {
      expect_dtype("lengths", *lengths, DType::I32);
      expect_shape("lengths", *lengths, {batch}, "[B]");
      tokens = integers_of("lengths", *lengths);
      for (std::int64_t n : tokens)
        if (n < 0 || n > capacity) throw Error(3128, "input 'lengths' has " + std::to_string(n) + ", the cache of a sequence has room for " + std::to_string(capacity));
    }
    problem.sequences = sequences_with(tokens, q.shape()[1]);
    return cache;
  }
};

const RegisterOperator registered(std::make_unique<FlashDecodeOperator>());

}  // namespace

}  // namespace tilewright::kernels
