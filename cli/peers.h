// Other libraries on the same operator and device, timed by scripts in Python (bench/peers).
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tilewright::cli {

struct PeerRequest {
  std::string against;  // "torch": the script bench/peers/torch_peer.py
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

// Throws Error TW3510 when Python or the script for `against` are not here.
void require_peers(const std::string& against, const PeerOptions& options);

// Throws Error TW3510 when Python or the script are not here, or fail.
PeerReport run_peers(const PeerRequest& request, const PeerOptions& options);

// The folder of the running program.
std::filesystem::path program_folder();

}  // namespace tilewright::cli
