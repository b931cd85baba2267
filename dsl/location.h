// Where in the author's source something was written.
#pragma once

#include <source_location>

namespace tilewright {

// Every operation takes one by default: its file, line and column go into the program and into error messages.
using Loc = std::source_location;

// While a CallSite lives, operations are at its place instead of their own: a helper function that makes one reports the line of its caller.
// Of nested ones the outermost counts.
//
//   Tile softmax(Tile x, Loc at = Loc::current()) {
//     CallSite here(at);
//     ...
//   }
class CallSite {
 public:
  explicit CallSite(Loc at);
  ~CallSite();
  CallSite(const CallSite&) = delete;
  CallSite& operator=(const CallSite&) = delete;

 private:
  bool outermost_;
};

}  // namespace tilewright
