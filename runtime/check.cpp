// The comparison of outputs with a reference.
#include "runtime/operator.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace tilewright {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A single element may be wrong by this many times the tolerance, relative to the largest reference value. An RMS over millions of elements would not show it.
constexpr double kMaxAbsFactor = 10;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string position(const std::vector<std::int64_t>& shape, std::int64_t flat) {
  std::vector<std::int64_t> at(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    at[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  std::string text = "[";
  for (std::size_t axis = 0; axis < at.size(); ++axis) text += (axis ? ", " : "") + std::to_string(at[axis]);
  return text + "]";
}

bool same_special(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

// How far a report is from its limit; larger is worse.
double badness(const CheckReport& report) {
  if (std::isnan(report.rms_ratio)) return kInfinity;
  return report.tolerance > 0 ? report.rms_ratio / report.tolerance : report.rms_ratio > 0 ? kInfinity : 0;
}

}  // namespace

double tolerance_for(DType dtype) {
  switch (dtype) {
    case DType::F64: return 1e-12;
    case DType::F32: return 1e-5;
    case DType::F16: return 1e-3;
    case DType::BF16: return 5e-3;
    case DType::F8E4M3: return 4e-2;
    case DType::F8E5M2: return 8e-2;
    default: return 0;
  }
}

CheckReport compare(const std::string& output, const HostTensor& actual, const std::vector<double>& reference, double tolerance) {
  CheckReport report;
  report.tolerance = tolerance;
  report.compared_values = true;
  const std::vector<double> values = actual.to_doubles();
  if (values.size() != reference.size()) {
    report.rms_ratio = report.max_abs = kInfinity;
    report.notes.push_back(output + ": has " + std::to_string(values.size()) + " elements, the reference " + std::to_string(reference.size()));
    return report;
  }

  double error_squares = 0, reference_squares = 0, largest = 0;
  std::int64_t finite = 0, worst = -1, first_special = -1, specials = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || !std::isfinite(reference[i])) {
      if (same_special(values[i], reference[i])) continue;
      if (specials++ == 0) first_special = static_cast<std::int64_t>(i);
      continue;
    }
    const double error = std::fabs(values[i] - reference[i]);
    error_squares += error * error;
    reference_squares += reference[i] * reference[i];
    largest = std::max(largest, std::fabs(reference[i]));
    ++finite;
    if (worst < 0 || error > report.max_abs) {
      worst = static_cast<std::int64_t>(i);
      report.max_abs = error;
    }
  }
  if (finite > 0) report.rms_ratio = std::sqrt(error_squares / finite) / (std::sqrt(reference_squares / finite) + 1e-8);
  const double max_abs_limit = kMaxAbsFactor * tolerance * (largest + 1e-8);
  report.ok = report.rms_ratio <= tolerance && report.max_abs <= max_abs_limit && specials == 0;

  std::string line = output + ": rms ratio " + number(report.rms_ratio) + " (tolerance " + number(tolerance) + "), max abs " + number(report.max_abs);
  if (worst >= 0 && report.max_abs > 0)
    line += " at " + position(actual.shape(), worst) + ": " + number(values[worst]) + ", reference " + number(reference[worst]);
  report.notes.push_back(line);
  if (report.max_abs > max_abs_limit) report.notes.push_back(output + ": max abs is above its limit " + number(max_abs_limit));
  if (specials > 0) {
    report.notes.push_back(output + ": " + std::to_string(specials) + " elements differ in NaN or infinity, the first at " +
                           position(actual.shape(), first_special) + ": " + number(values[first_special]) + ", reference " +
                           number(reference[first_special]));
    report.rms_ratio = report.max_abs = kInfinity;
  }
  return report;
}

CheckReport merge(const CheckReport& a, const CheckReport& b) {
  const bool b_is_worse = badness(b) > badness(a) || (badness(b) == badness(a) && b.compared_values && !a.compared_values);
  CheckReport worse = b_is_worse ? b : a;
  worse.ok = a.ok && b.ok;
  worse.max_abs = std::max(a.max_abs, b.max_abs);
  worse.compared_values = a.compared_values || b.compared_values;
  if (a.mismatched_scores >= 0 || b.mismatched_scores >= 0)
    worse.mismatched_scores = std::max<std::int64_t>(a.mismatched_scores, 0) + std::max<std::int64_t>(b.mismatched_scores, 0);
  worse.notes = a.notes;
  worse.notes.insert(worse.notes.end(), b.notes.begin(), b.notes.end());
  return worse;
}

}  // namespace tilewright
