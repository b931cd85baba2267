// Random kernels of nested control flow over scalars, which can be traced and also be run by hand.
//
// A kernel has the variables v0.. (i64), initialised from the array y, and statements: assignments, stores to y, range, when, while_, and blocks
// with a variable of their own. Expressions read variables, induction variables and y.
#pragma once

#include "dsl/tilewright.h"

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace tilewright::random_kernel {

inline constexpr int kVariables = 4, kCells = 6;

struct Expression {
  enum Kind { Constant, Variable, Induction, Cell, Add, Sub, Mul, Min, Max, Select } kind;
  std::int64_t number = 0;  // a constant, or which variable, induction variable (from the innermost) or cell
  std::vector<Expression> operands;
};

struct Statement {
  enum Kind { Assign, Store, Range, When, While, Block } kind;
  int target = 0;
  std::vector<Expression> expressions;
  int step = 1;
  std::vector<Statement> first, second;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::vector<Statement> body(int depth) {
    std::vector<Statement> statements;
    for (int n = pick(1, 4); n > 0; --n) statements.push_back(statement(depth));
    return statements;
  }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  Expression expression(int depth) {
    const int kind = depth == 0 ? pick(0, 3) : pick(0, 9);
    Expression e{static_cast<Expression::Kind>(kind), 0, {}};
    switch (e.kind) {
      case Expression::Constant: e.number = pick(-3, 5); break;
      case Expression::Variable: e.number = pick(0, variables_ - 1); break;
      case Expression::Cell: e.number = pick(0, kCells - 1); break;
      case Expression::Induction:
        if (inductions_ == 0) e.kind = Expression::Constant;
        e.number = inductions_ == 0 ? 1 : pick(0, inductions_ - 1);
        break;
      default:
        for (int n = e.kind == Expression::Select ? 4 : 2; n > 0; --n) e.operands.push_back(expression(depth - 1));
    }
    return e;
  }

  Statement statement(int depth) {
    const int kind = depth == 0 ? pick(0, 1) : pick(0, 5);
    Statement s{static_cast<Statement::Kind>(kind), 0, {}, 1, {}, {}};
    switch (s.kind) {
      case Statement::Assign:
        s.target = pick(0, variables_ - 1);
        s.expressions = {expression(2)};
        break;
      case Statement::Store:
        s.target = pick(0, kCells - 1);
        s.expressions = {expression(2)};
        break;
      case Statement::Range:
        s.expressions = {expression(1), expression(1)};
        s.step = pick(1, 2);
        ++inductions_;
        s.first = body(depth - 1);
        --inductions_;
        break;
      case Statement::When:
        s.expressions = {expression(1), expression(1)};
        s.first = body(depth - 1);
        if (pick(0, 1)) s.second = body(depth - 1);
        break;
      case Statement::While:
      case Statement::Block:
        s.expressions = {expression(1), expression(1)};
        ++variables_;
        s.first = body(depth - 1);
        --variables_;
        break;
    }
    return s;
  }

  std::mt19937_64 random_;
  int variables_ = kVariables, inductions_ = 0;
};

// Runs on the host.
class HostRun {
 public:
  explicit HostRun(std::vector<std::int64_t> cells) : cells_(std::move(cells)) {}

  std::vector<std::int64_t> run(const std::vector<Statement>& body) {
    for (int i = 0; i < kVariables; ++i) variables_.push_back(cells_[i]);
    block(body);
    for (int i = 0; i < kVariables; ++i) cells_.push_back(variables_[i]);
    return cells_;
  }

 private:
  std::int64_t value(const Expression& e) const {
    const auto at = [&](int i) { return value(e.operands[i]); };
    const auto wrap = [](std::uint64_t x) { return static_cast<std::int64_t>(x); };
    switch (e.kind) {
      case Expression::Constant: return e.number;
      case Expression::Variable: return variables_[e.number];
      case Expression::Induction: return inductions_[inductions_.size() - 1 - e.number];
      case Expression::Cell: return cells_[e.number];
      case Expression::Add: return wrap(static_cast<std::uint64_t>(at(0)) + static_cast<std::uint64_t>(at(1)));
      case Expression::Sub: return wrap(static_cast<std::uint64_t>(at(0)) - static_cast<std::uint64_t>(at(1)));
      case Expression::Mul: return wrap(static_cast<std::uint64_t>(at(0)) * static_cast<std::uint64_t>(at(1)));
      case Expression::Min: return std::min(at(0), at(1));
      case Expression::Max: return std::max(at(0), at(1));
      case Expression::Select: return at(0) < at(1) ? at(2) : at(3);
    }
    return 0;
  }

  void block(const std::vector<Statement>& statements) {
    for (const Statement& s : statements) statement(s);
  }

  void statement(const Statement& s) {
    switch (s.kind) {
      case Statement::Assign: variables_[s.target] = value(s.expressions[0]); break;
      case Statement::Store: cells_[s.target] = value(s.expressions[0]); break;
      case Statement::Range: {
        const std::int64_t lower = value(s.expressions[0]) & 1, upper = value(s.expressions[1]) & 3;
        for (std::int64_t i = lower; i < upper; i += s.step) {
          inductions_.push_back(i);
          block(s.first);
          inductions_.pop_back();
        }
        break;
      }
      case Statement::When: block(value(s.expressions[0]) < value(s.expressions[1]) ? s.first : s.second); break;
      case Statement::While: {
        std::int64_t left = value(s.expressions[0]) & 3;
        variables_.push_back(0);
        while (left > 0 && (value(s.expressions[1]) & 7) != 5) {
          block(s.first);
          --left;
        }
        variables_.pop_back();
        break;
      }
      case Statement::Block:
        variables_.push_back(value(s.expressions[0]));
        block(s.first);
        variables_.pop_back();
        break;
    }
  }

  std::vector<std::int64_t> cells_, variables_, inductions_;
};

// Traces through the language.
class LanguageRun {
 public:
  explicit LanguageRun(InOut y) : y_(y) {}

  void run(const std::vector<Statement>& body) {
    Var a = load(y_, {0}), b = load(y_, {1}), c = load(y_, {2}), d = load(y_, {3});
    variables_ = {&a, &b, &c, &d};
    block(body);
    for (int i = 0; i < kVariables; ++i) store(y_, {kCells + i}, *variables_[i]);
  }

 private:
  Tile value(const Expression& e) const {
    const auto at = [&](int i) { return value(e.operands[i]); };
    switch (e.kind) {
      case Expression::Constant: return scalar(i64, e.number);
      case Expression::Variable: return *variables_[e.number];
      case Expression::Induction: return inductions_[inductions_.size() - 1 - e.number];
      case Expression::Cell: return load(y_, {e.number});
      case Expression::Add: return at(0) + at(1);
      case Expression::Sub: return at(0) - at(1);
      case Expression::Mul: return at(0) * at(1);
      case Expression::Min: return min(at(0), at(1));
      case Expression::Max: return max(at(0), at(1));
      case Expression::Select: return where(at(0) < at(1), at(2), at(3));
    }
    return scalar(i64, 0);
  }

  void block(const std::vector<Statement>& statements) {
    for (const Statement& s : statements) statement(s);
  }

  void statement(const Statement& s) {
    switch (s.kind) {
      case Statement::Assign: *variables_[s.target] = value(s.expressions[0]); break;
      case Statement::Store: store(y_, {s.target}, value(s.expressions[0])); break;
      case Statement::Range:
        for (Index i : range(value(s.expressions[0]) & 1, value(s.expressions[1]) & 3, s.step)) {
          inductions_.push_back(i);
          block(s.first);
          inductions_.pop_back();
        }
        break;
      case Statement::When: {
        const Tile condition = value(s.expressions[0]) < value(s.expressions[1]);
        if (s.second.empty()) when(condition, [&] { block(s.first); });
        else
          when(
              condition, [&] { block(s.first); }, [&] { block(s.second); });
        break;
      }
      case Statement::While: {
        Var left = value(s.expressions[0]) & 3, own = scalar(i64, 0);
        variables_.push_back(&own);
        while_([&] { return (left > 0) & ((value(s.expressions[1]) & 7) != 5); },
               [&] {
                 block(s.first);
                 left -= 1;
               });
        variables_.pop_back();
        break;
      }
      case Statement::Block: {
        Var own = value(s.expressions[0]);
        variables_.push_back(&own);
        block(s.first);
        variables_.pop_back();
        break;
      }
    }
  }

  InOut y_;
  std::vector<Var*> variables_;
  std::vector<Index> inductions_;
};

}  // namespace tilewright::random_kernel
