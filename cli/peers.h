// Other libraries on the same operator and device, timed by scripts in Python (bench/peers).
#pragma once

#include "runtime/support/process.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tilewright::cli {

struct PeerRequest {
  std::string op;
  std::map<std::string, std::string> settings;
  std::string device;
  std::size_t flush_bytes = 0;
  double budget_ms = 0;
  int threads = 0;
};

struct PeerTimes {
  std::string name;
  std::vector<double> ms;
};

struct PeerReport {
  std::vector<PeerTimes> peers;
  std::map<std::string, std::string> absent;  // name and reason
  double copy_gbytes_per_s = 0;
  nlohmann::ordered_json versions;
};

struct PeerOptions {
  std::string python = "python3";
  std::filesystem::path scripts;  // empty: beside this program, or in the source tree it was built in
};

// A process of Python that has loaded the other libraries, kept for all that is asked of it: loading them takes longer than most of what is timed.
class Peers {
 public:
  // `against` is "torch": the script bench/peers/torch_peer.py. Throws Error TW3510 when Python or the script are not here.
  Peers(const std::string& against, const PeerOptions& options);

  // Throws Error TW3510 when the script fails.
  PeerReport run(const PeerRequest& request);

 private:
  std::filesystem::path script_;
  Conversation process_;
};

// The folder of the running program.
std::filesystem::path program_folder();

}  // namespace tilewright::cli
