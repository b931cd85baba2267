// Linear maps over F2: small cases by hand, the laws of products, quotients and inverses on random maps, subspaces against enumeration.
#include "compiler/layout/linear_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "runtime/support/error.h"
#include "tests/layout/random_maps.h"

namespace tilewright::layout {
namespace {

using testing::ElementsAre;

std::set<Bits> members(const std::vector<Bits>& generators) {
  std::set<Bits> all = {0};
  for (Bits g : generators) {
    const std::set<Bits> before = all;
    for (Bits v : before) all.insert(v ^ g);
  }
  return all;
}

// Lanes along rows of 4, registers along columns: the accumulator of a small matrix instruction.
LinearMap example() { return LinearMap({{"register", {{0, 1}, {2, 0}}}, {"lane", {{0, 2}, {1, 0}}}}, {{"dim0", 2}, {"dim1", 2}}); }

TEST(LinearMap, IsTheXorOfItsBases) {
  const LinearMap map = example();
  EXPECT_THAT(map.apply({0, 0}), ElementsAre(0, 0));
  EXPECT_THAT(map.apply({1, 0}), ElementsAre(0, 1));
  EXPECT_THAT(map.apply({3, 2}), ElementsAre(3, 1));
  EXPECT_THAT(map.basis("lane", 1), ElementsAre(1, 0));
  EXPECT_TRUE(map.bijective());
}

TEST(LinearMap, PrintsATable) {
  EXPECT_EQ(example().to_string(),
            "register  1 -> (dim0 0, dim1 1)\n"
            "          2 -> (dim0 2, dim1 0)\n"
            "lane      1 -> (dim0 0, dim1 2)\n"
            "          2 -> (dim0 1, dim1 0)\n"
            "sizes     register 4, lane 4 -> dim0 4, dim1 4\n");
}

TEST(LinearMap, FreeMasksNameTheCopies) {
  const LinearMap map({{"register", {{1}, {0}}}, {"lane", {{2}, {1}, {3}}}}, {{"dim0", 2}});
  EXPECT_THAT(map.free_masks(), ElementsAre(2, 6));
  EXPECT_EQ(map.kernel().size(), 3u);
  EXPECT_TRUE(map.surjective());
  EXPECT_FALSE(map.injective());
  EXPECT_TRUE(map.without_inputs(map.free_masks()).bijective());
}

TEST(LinearMap, MisuseIsReported) {
  EXPECT_THROW(LinearMap({{"lane", {{4}}}}, {{"dim0", 2}}), Error);
  EXPECT_THROW(LinearMap({{"lane", 1}, {"lane", 1}}, {}, BitMatrix::zero(0, 2)), Error);
  EXPECT_THROW(example().then(example()), Error);
  EXPECT_THROW(direct_sum(example(), example()), Error);
  EXPECT_THROW(LinearMap::zero("lane", 2, "dim0").left_inverse(), Error);
  EXPECT_THROW(LinearMap({{"lane", {{0}}}}, {{"dim0", 1}}).right_inverse(), Error);
  EXPECT_THROW(example().basis("warp", 0), Error);
}

TEST(Subspace, AgreesWithEnumeration) {
  for_seeds(300, [](Random& random) {
    const int n = random.between(1, 8);
    const std::vector<Bits> a = random_matrix(random, n, random.between(0, 6)).as_columns(),
                            b = random_matrix(random, n, random.between(0, 6)).as_columns();
    const std::set<Bits> in_a = members(a), in_b = members(b);
    const Subspace common = intersection(Subspace(a), Subspace(b));
    for (Bits v = 0; v <= low_bits(n); ++v) {
      ASSERT_EQ(Subspace(a).contains(v), in_a.count(v) == 1);
      ASSERT_EQ(common.contains(v), in_a.count(v) == 1 && in_b.count(v) == 1);
      for (Bits w : a) ASSERT_EQ(Subspace(a).reduce(v), Subspace(a).reduce(v ^ w));
      if (const auto of = Subspace(a).combination(v)) {
        ASSERT_EQ(BitMatrix(n, a).apply(*of), v);
      }
    }
    const std::vector<Bits> rest = complement(Subspace(a), unit_vectors(n));
    ASSERT_EQ(Subspace(a).dimension() + static_cast<int>(rest.size()), n);
    ASSERT_EQ(intersection(Subspace(a), Subspace(rest)).dimension(), 0);
    ASSERT_EQ(sum(Subspace(a), Subspace(b)).dimension() + common.dimension(), Subspace(a).dimension() + Subspace(b).dimension());
  });
}

TEST(LinearMap, KernelImageAndInversesOnRandomMaps) {
  for_seeds(400, [](Random& random) {
    const LinearMap f =
        random_map(random, random_dimensions(random, {"register", "lane", "warp"}, 3), random_dimensions(random, {"dim0", "dim1"}, 4));
    const int inputs = f.matrix().columns();
    std::set<Bits> values;
    int zeros = 0;
    for (Bits x = 0; x < bit(inputs); ++x) values.insert(f.apply_packed(x)), zeros += f.apply_packed(x) == 0;
    ASSERT_EQ(values.size(), bit(f.rank()));
    ASSERT_EQ(zeros, bit(static_cast<int>(f.kernel().size())));
    ASSERT_EQ(f.injective(), values.size() == bit(inputs));
    ASSERT_EQ(f.surjective(), values.size() == bit(f.matrix().rows()));
    std::vector<Bits> image;
    for (const Point& p : f.image()) image.push_back(f.pack_output(p));
    ASSERT_EQ(members(image), values);

    const LinearMap g = f.pseudo_inverse();
    for (Bits y : values) ASSERT_EQ(f.apply_packed(g.apply_packed(y)), y);
    if (f.injective()) {
      const LinearMap left = f.left_inverse();
      for (Bits x = 0; x < bit(inputs); ++x) ASSERT_EQ(left.apply_packed(f.apply_packed(x)), x);
    }
    if (f.surjective()) {
      ASSERT_EQ(f.right_inverse().then(f).matrix(), BitMatrix::identity(f.matrix().rows()));
    }

    // The inputs with free bits 0 take every value once.
    const std::vector<std::uint32_t> masks = f.free_masks();
    std::multiset<Bits> owned;
    for (Bits x = 0; x < bit(inputs); ++x) {
      const Point point = f.unpack_input(x);
      bool owner = true;
      for (std::size_t i = 0; i < point.size(); ++i) owner = owner && (point[i] & masks[i]) == 0;
      if (owner) owned.insert(f.apply_packed(x));
    }
    ASSERT_EQ(std::vector<Bits>(owned.begin(), owned.end()), std::vector<Bits>(values.begin(), values.end()));
  });
}

TEST(LinearMap, CompositionAppliesOneAfterTheOther) {
  for_seeds(200, [](Random& random) {
    const std::vector<Dimension> a = random_dimensions(random, {"register", "lane"}, 3), b = random_dimensions(random, {"dim0", "dim1"}, 3),
                                 c = random_dimensions(random, {"offset"}, 6);
    const LinearMap f = random_map(random, a, b), g = random_map(random, {b[1], b[0]}, c);
    const LinearMap both = f.then(g);
    for (Bits x = 0; x < bit(a[0].bits + a[1].bits); ++x) {
      const Point y = f.unpack_output(f.apply_packed(x));
      ASSERT_EQ(both.unpack_output(both.apply_packed(x)), g.apply({y[1], y[0]}));
    }
    // f.then(g) is solved by g's own values where they suffice.
    const auto solved = both.solved_by(g);
    ASSERT_TRUE(solved.has_value());
    ASSERT_EQ(solved->then(g.ordered({"dim1", "dim0"}, {"offset"})), both);
  });
}

TEST(LinearMap, ProductIsBlockDiagonalAndAssociative) {
  for_seeds(200, [](Random& random) {
    const std::vector<std::string> inputs = {"register", "lane"}, outputs = {"dim0", "dim1"};
    auto any = [&] { return random_map(random, random_dimensions(random, inputs, 2), random_dimensions(random, outputs, 2)); };
    const LinearMap f = any(), g = any(), h = any();
    const LinearMap fg = product(f, g);
    ASSERT_EQ(product(fg, h), product(f, product(g, h)));
    for (std::uint32_t r = 0; r < bit(fg.input_bits("register")); ++r) {
      for (std::uint32_t l = 0; l < bit(fg.input_bits("lane")); ++l) {
        const int fr = f.input_bits("register"), fl = f.input_bits("lane");
        const Point low = f.apply({static_cast<std::uint32_t>(r & low_bits(fr)), static_cast<std::uint32_t>(l & low_bits(fl))}),
                    high = g.apply({r >> fr, l >> fl});
        const Point value = fg.apply({r, l});
        for (int d = 0; d < 2; ++d) ASSERT_EQ(value[d], low[d] | high[d] << f.output_bits(outputs[d]));
      }
    }
    ASSERT_EQ(fg.rank(), f.rank() + g.rank());
    ASSERT_EQ(product(f, LinearMap()), f);
  });
}

TEST(LinearMap, QuotientUndoesTheProduct) {
  int refused = 0;
  for_seeds(200, [&](Random& random) {
    auto any = [&](std::vector<std::string> inputs) {
      return random_map(random, random_dimensions(random, inputs, 2), random_dimensions(random, {"dim0", "dim1"}, 2));
    };
    const LinearMap f = any({"register", "lane"}), g = any({"register", "lane"});
    const LinearMap whole = product(f, g);
    const auto high = quotient_by_low(whole, f);
    ASSERT_TRUE(high.has_value());
    ASSERT_EQ(*high, g);
    const auto low = quotient_by_high(whole, g);
    ASSERT_TRUE(low.has_value());
    ASSERT_EQ(*low, f);
    // A quotient that is given is right, whatever was asked for.
    const LinearMap other = any({"lane", "register"});
    if (const auto q = quotient_by_low(whole, other)) ASSERT_EQ(product(other, *q).ordered({"register", "lane"}, {"dim0", "dim1"}), whole);
    else ++refused;
  });
  EXPECT_GT(refused, 50);
}

TEST(LinearMap, SumsOfDisjointAndOfSharedOutputs) {
  const LinearMap a = LinearMap::identity("register", "dim0", 2), b = LinearMap::identity("lane", "dim1", 3);
  EXPECT_EQ(direct_sum(a, b).apply({3, 5}), (Point{3, 5}));
  const LinearMap c({{"lane", {{1}, {2}}}}, {{"dim0", 2}});
  EXPECT_EQ(joined_inputs(a, c).apply({1, 3}), (Point{2}));
  EXPECT_EQ(joined_inputs(a, c).free_masks(), (std::vector<std::uint32_t>{0, 3}));
  EXPECT_EQ(joined_inputs(a, a).input_bits("register"), 4);
}

TEST(LinearMap, RestrictionAndOrder) {
  const LinearMap map = example();
  EXPECT_EQ(map.restricted({"lane"}, {"dim1"}).apply({3}), (Point{2}));
  EXPECT_EQ(map.ordered({"warp", "lane", "register"}, {"dim1", "dim0"}).apply({0, 2, 3}), (Point{1, 3}));
  EXPECT_EQ(map.renamed_output("dim0", "row").output_bits("row"), 2);
  EXPECT_THROW(map.ordered({"lane"}, {"dim0", "dim1"}), Error);
  EXPECT_THROW(map.renamed_input("lane", "register"), Error);
}

}  // namespace
}  // namespace tilewright::layout
