#include "cli/peers.h"

#include "runtime/support/error.h"

#include <cstdlib>
#include <sstream>

#include <unistd.h>

namespace tilewright::cli {

namespace {

namespace fs = std::filesystem;

fs::path find_script(const std::string& against, const PeerOptions& options) {
  const std::string file = against + "_peer.py";
  std::vector<fs::path> folders = {options.scripts};
  if (options.scripts.empty()) folders = {program_folder() / "../peers", program_folder() / "../../../bench/peers"};
  std::string tried;
  for (const fs::path& folder : folders) {
    std::error_code error;
    if (fs::is_regular_file(folder / file, error)) return folder / file;
    tried += (tried.empty() ? "" : ", ") + (folder / file).lexically_normal().string();
  }
  throw Error(3510, "there is no peer '" + against + "': no script " + tried).help("peers: torch; --peers names another folder of scripts");
}

fs::path find_python(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((fs::path(folder) / name).c_str(), X_OK) == 0) return fs::path(folder) / name;
  }
  throw Error(3510, "'" + name + "' is not on PATH").help("--python names an interpreter that has PyTorch");
}

}  // namespace

fs::path program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : program.parent_path();
}

Peers::Peers(const std::string& against, const PeerOptions& options)
    : script_(find_script(against, options)), process_({find_python(options.python).string(), script_.string()}) {}

PeerReport Peers::run(const PeerRequest& request) {
  const nlohmann::ordered_json question = {{"operator", request.op},
                                           {"settings", request.settings},
                                           {"device", request.device},
                                           {"flush_bytes", request.flush_bytes},
                                           {"budget_ms", request.budget_ms},
                                           {"threads", request.threads}};
  process_.say(question.dump());
  // What libraries print comes before the answer.
  nlohmann::ordered_json answer;
  std::string last;
  while (!answer.is_object() || !answer.contains("peers")) {
    std::optional<std::string> line = process_.next_line();
    if (!line) throw Error(3510, script_.lexically_normal().string() + " has ended").note(last.empty() ? "it printed nothing" : last);
    if (line->empty()) continue;
    last = std::move(*line);
    answer = nlohmann::ordered_json::parse(last, nullptr, false);
  }
  PeerReport report;
  for (const auto& peer : answer.at("peers")) report.peers.push_back({peer.at("name"), peer.at("times_ms")});
  report.absent = answer.at("absent").get<std::map<std::string, std::string>>();
  report.copy_gbytes_per_s = answer.at("copy_gbytes_per_s");
  report.versions = answer.at("versions");
  return report;
}

}  // namespace tilewright::cli
