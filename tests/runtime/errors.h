// The error an action throws, for tests.
#pragma once

#include "runtime/support/error.h"

#include <gtest/gtest.h>

#include <string>

namespace tilewright::testing {

// Code 0 when nothing is thrown.
template <class Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(0, "no error");
}

template <class Action>
int error_code(Action action) {
  return error_of(action).code();
}

// The action throws an Error of this code whose text contains every one of `words`.
template <class Action>
void expect_error(int code, const std::vector<std::string>& words, Action action) {
  const Error error = error_of(action);
  EXPECT_EQ(error.code(), code) << error.what();
  for (const std::string& word : words) EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << "'" << word << "' is not in: " << error.what();
}

}  // namespace tilewright::testing
