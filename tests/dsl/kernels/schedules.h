// Kernels with a body and a schedule for Hopper's level, for tests that compare the two.
#pragma once

#include "dsl/nvidia/sm90.h"
#include "dsl/tilewright.h"

#include <optional>

namespace tilewright::test_kernels {

// A product of matrices, both operands through channels.
struct ScheduledProduct {
  Const<bool> b_transposed{"b_transposed", false};  // b is [n, k]
  Tune<int> block_m{"block_m", {64, 128}}, block_n{"block_n", {64, 128}}, block_k{"block_k", {64, 128}}, stages{"stages", {2, 3}}, warps{"warps", {4, 8}};
  Tune<bool> registers{"registers", {false, true}};
  Tune<bool> copies_out{"copies_out", {false, true}};
  Tune<int> programs{"programs", {0, 2}};  // of the schedule, which go through all tiles; 0: one for each tile, as the body

  Grid grid(In a, In b) const { return {ceil_div(a.size(0), block_m), ceil_div(b.size(b_transposed ? 0 : 1), block_n)}; }

  void body(In a, In b, Out c) const {
    const Index row = program_id(0) * block_m, column = program_id(1) * block_n;
    Var sum = zeros(f32, {block_m, block_n});
    for (Index k : range(0, a.size(1), block_k, Pipeline{stages})) {
      const Tile right = b_transposed ? trans(load(b, {column, k}, {block_n, block_k})) : load(b, {k, column}, {block_k, block_n});
      sum = dot(load(a, {row, k}, {block_m, block_k}), right, sum);
    }
    store(c, {row, column}, cast(sum, c.dtype()));
  }

  Grid schedule_grid(nvidia::Sm90, In a, In b) const { return programs == 0 ? grid(a, b) : Grid(programs); }

  void schedule(nvidia::Sm90, In a, In b, Out c) const {
    nvidia::require(a.dtype() != f32, "f32 has no group products");
    const Index rows = ceil_div(a.size(0), block_m), tiles = rows * ceil_div(b.size(b_transposed ? 0 : 1), block_n);
    const auto for_each_tile = [&](auto work) {
      if (programs == 0) return work(program_id(0) * block_m, program_id(1) * block_n);
      for (Index tile : range(program_id(0), tiles, num_programs(0))) work(tile % rows * block_m, tile / rows * block_n);
    };
    const nvidia::Channel lefts = nvidia::channel(a.dtype(), {block_m, block_k}, stages);
    const nvidia::Channel rights = b_transposed ? nvidia::channel(b.dtype(), {block_n, block_k}, stages) : nvidia::channel(b.dtype(), {block_k, block_n}, stages);
    std::optional<nvidia::SharedTile> result;
    if (copies_out) result = nvidia::shared_tile(c.dtype(), {block_m, block_n});
    nvidia::roles(
        registers ? nvidia::Roles{.producer = 24, .consumers = 240} : nvidia::Roles{},
        [&] {
          for_each_tile([&](const Index& row, const Index& column) {
            for (Index k : range(0, a.size(1), block_k)) {
              nvidia::send(lefts, a, {row, k});
              if (b_transposed) nvidia::send(rights, b, {column, k});
              else nvidia::send(rights, b, {k, column});
            }
          });
        },
        [&] {
          for_each_tile([&](const Index& row, const Index& column) {
            Var sum = zeros(f32, {block_m, block_n});
            for (Index k : range(0, a.size(1), block_k)) {
              const nvidia::SharedTile left = nvidia::receive(lefts), right = nvidia::receive(rights);
              sum = nvidia::group_dot(left, b_transposed ? nvidia::trans(right) : right, sum);
              nvidia::release(left);
              nvidia::release(right);
            }
            if (!result) return store(c, {row, column}, cast(sum, c.dtype()));
            nvidia::write(*result, cast(sum, c.dtype()));
            nvidia::copy_out(c, {row, column}, *result);
          });
        });
  }
};
TW_KERNEL(ScheduledProduct, "scheduled_product", "a", "b", "c")

// Attention of one head: q [rows, dim], k and v [keys, dim]. In the schedule the product of the next keys is under way while the weights of these are computed, or groups of warps multiply in turns.
struct ScheduledAttention {
  Const<int> dim{"dim", 64};
  Tune<int> block_q{"block_q", {64, 128}}, block_k{"block_k", {64, 128}}, stages{"stages", {2, 3}}, warps{"warps", {4, 8}};
  Tune<bool> in_turns{"in_turns", {false, true}};

  Grid grid(In q) const { return {ceil_div(q.size(0), block_q)}; }

  // The weights of a tile of scores, and what they do to the running maximum and total and to the output so far.
  struct Softmax {
    Var largest, total, values;
    Tile weigh(const Tile& scores, const Tile& seen) {
      const Tile visible = where(seen, scores, -inf), next = max(largest, reduce_max(visible, 1));
      const Tile weights = exp2(visible - next(_, None)), decay = exp2(largest - next);
      total = total * decay + sum(weights, 1);
      values = values * decay(_, None);
      largest = next;
      return weights;
    }
    Tile output() const { return values / total(_, None); }
  };
  Softmax softmax() const { return {full(f32, {block_q}, -inf), zeros(f32, {block_q}), zeros(f32, {block_q, dim})}; }
  Tile seen(const In& k, const Index& first) const { return (first + arange(block_k) < k.size(0))(None, _); }

  void body(In q, In k, In v, Out o) const {
    const Index row = program_id(0) * block_q;
    const Tile rows = load(q, {row, 0}, {block_q, dim});
    Softmax running = softmax();
    for (Index j : range(0, k.size(0), block_k, Pipeline{stages})) {
      const Tile weights = running.weigh(dot(rows, trans(load(k, {j, 0}, {block_k, dim}))), seen(k, j));
      running.values = dot(cast(weights, v.dtype()), load(v, {j, 0}, {block_k, dim}), running.values);
    }
    store(o, {row, 0}, cast(running.output(), o.dtype()));
  }

  void schedule(nvidia::Sm90, In q, In k, In v, Out o) const {
    const Index row = program_id(0) * block_q, end = k.size(0);
    const nvidia::Channel keys = nvidia::channel(k.dtype(), {block_k, dim}, stages), values = nvidia::channel(v.dtype(), {block_k, dim}, stages);
    const nvidia::SharedTile rows = nvidia::shared_tile(q.dtype(), {block_q, dim});
    const nvidia::Turns turns = nvidia::turns();
    nvidia::roles(
        {},
        [&] {
          nvidia::send(keys, k, {0, 0});
          for (Index j : range(0, end, block_k)) {
            nvidia::send(keys, k, {j + block_k, 0});  // the last one lies behind the end and is zeros
            nvidia::send(values, v, {j, 0});
          }
        },
        [&] {
          const Tile none = zeros(f32, {block_q, block_k});
          nvidia::write(rows, load(q, {row, 0}, {block_q, dim}));
          const nvidia::SharedTile first = nvidia::receive(keys);
          Var scores = nvidia::group_dot(rows, nvidia::trans(first), none);
          nvidia::release(first);
          Softmax running = softmax();
          for (Index j : range(0, end, block_k)) {
            std::optional<nvidia::SharedTile> next;
            std::optional<nvidia::Product> begun;
            const auto begin_next = [&] {
              next = nvidia::receive(keys);
              begun = nvidia::begin_group_dot(rows, nvidia::trans(*next), none);
            };
            if (!in_turns) begin_next();
            const Tile weights = cast(running.weigh(scores, seen(k, j)), v.dtype());
            if (in_turns) nvidia::take_turn(turns);
            if (in_turns) begin_next();
            const nvidia::SharedTile value = nvidia::receive(values);
            running.values = nvidia::group_dot(weights, value, running.values);
            if (in_turns) nvidia::pass_turn(turns);
            nvidia::release(value);
            scores = nvidia::wait(*begun);
            nvidia::release(*next);
          }
          store(o, {row, 0}, cast(running.output(), o.dtype()));
        });
  }
};
TW_KERNEL(ScheduledAttention, "scheduled_attention", "q", "k", "v", "o")

// Sums of chosen rows of x, one row of y for each row of `choices`, which are distinct or -1. In the schedule the producer finds which rows a program's choices need, each once, and teams add those that are theirs.
struct ChosenSums {
  Const<int> width{"width", 64}, height{"height", 64}, most{"most", 4};  // of a tile of x; most: choices of a row
  Const<int> universe{"universe", 16};                                   // tiles of x, at most
  Tune<int> warps{"warps", {1}}, teams{"teams", {8}};

  Grid grid(In, In choices) const { return {ceil_div(choices.size(0), teams)}; }

  Tile choices_of(const In& choices, const Index& row, int rows) const {
    const Tile inside = broadcast_to((row + arange(rows) < choices.size(0))(_, None), {rows, most});
    return where(inside, load(choices, {row, 0}, {rows, most}), -1);
  }

  void body(In x, In choices, Out y) const {
    for (Index team : range(0, teams)) {
      const Index row = program_id(0) * teams + team;
      const Tile mine = choices_of(choices, row, 1);
      Var total = zeros(f32, {height, width});
      for (Index block : range(0, universe)) {
        when(any(mine == cast(block, i32)), [&] { total = total + cast(load(x, {block * height, 0}, {height, width}), f32); });
      }
      when(row < choices.size(0), [&] { store(y, {row * height, 0}, total); });
    }
  }

  void schedule(nvidia::Sm90, In x, In choices, Out y) const {
    const Index first = program_id(0) * teams;
    const nvidia::Channel lists = nvidia::channel(i32, {universe}, 2), counts = nvidia::channel(i32, {1}, 2), tiles = nvidia::channel(x.dtype(), {height, width}, 2);
    nvidia::roles(
        {.teams = teams},
        [&] {
          const Tile all = reshape(choices_of(choices, first, teams), {teams * most});
          const Tile needed = any(all(None, _) == arange(universe)(_, None), 1);
          const Tile list = sort(where(needed, arange(universe), static_cast<int>(universe)), 0);
          const nvidia::SharedTile sent = nvidia::send(lists, list);
          const Index count = nvidia::element(nvidia::send(counts, sum(cast(needed, i32), 0)(None)), 0);
          for (Index i : range(0, count)) nvidia::send(tiles, x, {nvidia::element(sent, i) * height, 0});
        },
        [&] {
          const Index row = first + nvidia::team();
          const Tile mine = choices_of(choices, row, 1);
          const nvidia::SharedTile list = nvidia::receive(lists), length = nvidia::receive(counts);
          Var total = zeros(f32, {height, width});
          for (Index i : range(0, nvidia::element(length, 0))) {
            const nvidia::SharedTile tile = nvidia::receive(tiles);
            when(any(mine == nvidia::element(list, i)), [&] { total = total + cast(nvidia::read(tile), f32); });
            nvidia::release(tile);
          }
          nvidia::release(list);
          nvidia::release(length);
          when(row < choices.size(0), [&] { store(y, {row * height, 0}, total); });
        });
  }
};
TW_KERNEL(ChosenSums, "chosen_sums", "x", "choices", "y")

// y[t] = the sums of the columns of x[t], for each team those of 16 of its 64 rows. In the schedule programs take tasks from a queue, which begins with 0, until none is left.
struct QueuedSums {
  static constexpr int kRows = 64, kColumns = 64, kTeams = 4;
  Tune<int> programs{"programs", {3}}, warps{"warps", {1}};

  Grid grid(In, InOut, Out y) const { return {y.size(0)}; }
  Grid schedule_grid(nvidia::Sm90, In, InOut, Out) const { return {programs}; }

  void add_up(const Tile& x, const Index& task, const Index& team, Out y) const {
    store(y, {task, team, 0}, sum(where((arange(kRows) / 16 == cast(team, i32))(_, None), cast(x, f32), 0.0), 0));
  }

  void body(In x, InOut, Out y) const {
    for (Index team : range(0, kTeams)) add_up(load(x, {program_id(0) * kRows, 0}, {kRows, kColumns}), program_id(0), team, y);
  }

  void schedule(nvidia::Sm90, In x, InOut queue, Out y) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {kRows, kColumns}, 2), tasks = nvidia::channel(i32, {1}, 2);
    nvidia::roles(
        {.teams = kTeams},
        [&] {
          Var task = atomic_add(queue, {0}, 1);
          while_([&] { return task < cast(y.size(0), i32); }, [&] {
            nvidia::send(tasks, task(None));
            nvidia::send(tiles, x, {Index(task) * kRows, 0});
            task = atomic_add(queue, {0}, 1);
          });
          nvidia::send(tasks, full(i32, {1}, -1));
        },
        [&] {
          const auto next = [&] {
            const nvidia::SharedTile sent = nvidia::receive(tasks);
            const Index task = nvidia::element(sent, 0);
            nvidia::release(sent);
            return task;
          };
          Var task = next();
          while_([&] { return task >= 0; }, [&] {
            const nvidia::SharedTile tile = nvidia::receive(tiles);
            add_up(nvidia::read(tile), Index(task), nvidia::team(), y);
            nvidia::release(tile);
            task = next();
          });
        });
  }
};
TW_KERNEL(QueuedSums, "queued_sums", "x", "queue", "y")

// A product of matrices in which every team has rows of its own, and the columns come to all of them.
struct TeamsProduct {
  Const<int> left{"left", 0};  // what a team multiplies by what it received: 0 a shared tile of its own, 1 a tile in a product of groups of warps, 2 a tile in a product of tiles
  Const<int> columns{"columns", 64};
  Tune<int> warps{"warps", {4, 1}}, teams{"teams", {3, 8}}, stages{"stages", {2}};

  int rows() const { return 16 * warps; }
  Grid grid(In a) const { return {ceil_div(a.size(0), teams * rows())}; }

  void body(In a, In b, Out c) const {
    for (Index team : range(0, teams)) {
      const Index row = (program_id(0) * teams + team) * rows();
      for (Index column : range(0, b.size(1), columns)) {
        Var sum = zeros(f32, {rows(), columns});
        for (Index k : range(0, a.size(1), 64)) sum = dot(load(a, {row, k}, {rows(), 64}), load(b, {k, column}, {64, columns}), sum);
        store(c, {row, column}, cast(sum, c.dtype()));
      }
    }
  }

  void schedule(nvidia::Sm90, In a, In b, Out c) const {
    const Index first = program_id(0) * teams;
    const nvidia::Channel rights = nvidia::channel(b.dtype(), {64, columns}, stages);
    std::optional<nvidia::SharedTile> kept;
    if (left == 0) kept = nvidia::shared_tile(a.dtype(), {rows(), 64});
    nvidia::roles(
        {.teams = teams},
        [&] {
          for (Index column : range(0, b.size(1), columns)) {
            for (Index k : range(0, a.size(1), 64)) nvidia::send(rights, b, {k, column});
          }
        },
        [&] {
          const Index row = (first + nvidia::team()) * rows();
          for (Index column : range(0, b.size(1), columns)) {
            Var sum = zeros(f32, {rows(), columns});
            for (Index k : range(0, a.size(1), 64)) {
              const Tile mine = load(a, {row, k}, {rows(), 64});
              if (kept) nvidia::write(*kept, mine);
              const nvidia::SharedTile right = nvidia::receive(rights);
              sum = kept ? nvidia::group_dot(*kept, right, sum) : left == 1 ? nvidia::group_dot(mine, right, sum) : dot(mine, nvidia::read(right), sum);
              nvidia::release(right);
            }
            store(c, {row, column}, cast(sum, c.dtype()));
          }
        });
  }
};
TW_KERNEL(TeamsProduct, "teams_product", "a", "b", "c")

// Twice x, tile after tile through one shared tile, or two of x's tiles added to one of y's.
struct CopiedOut {
  Const<bool> adds{"adds", false};
  Tune<int> warps{"warps", {4, 1}}, teams{"teams", {0, 4}};

  int tiles() const { return teams == 0 ? 1 : static_cast<int>(teams); }
  Grid grid(In x) const { return {ceil_div(x.size(0), 64 * tiles())}; }

  // Of the program's n-th rows of tiles: what becomes of each, at which row and column of y.
  template <class Work>
  void for_each_tile(const In& x, const Index& n, Work work) const {
    const Index tile = program_id(0) * tiles() + n;
    for (Index column : range(0, x.size(1), 64)) {
      const Tile value = load(x, {tile * 64, column}, {64, 64});
      work(adds ? tile / 2 * 64 : tile * 64, column, value + value);
    }
  }

  void body(In x, InOut y) const {
    for (Index n : range(0, tiles())) {
      for_each_tile(x, n, [&](const Index& row, const Index& column, const Tile& value) {
        if (adds) atomic_add(y, {row, column}, value);
        else store(y, {row, column}, value);
      });
    }
  }

  void schedule(nvidia::Sm90, In x, InOut y) const {
    const nvidia::SharedTile result = nvidia::shared_tile(y.dtype(), {64, 64});
    nvidia::roles({.teams = teams}, [&] {}, [&] {
      for_each_tile(x, teams == 0 ? Index(0) : nvidia::team(), [&](const Index& row, const Index& column, const Tile& value) {
        nvidia::write(result, value);
        if (adds) nvidia::add_out(y, {row, column}, result);
        else nvidia::copy_out(y, {row, column}, result);
      });
    });
  }
};
TW_KERNEL(CopiedOut, "copied_out", "x", "y")

}  // namespace tilewright::test_kernels
