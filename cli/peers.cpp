#include "cli/peers.h"

#include "runtime/support/error.h"
#include "runtime/support/process.h"

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

void require_peers(const std::string& against, const PeerOptions& options) {
  find_script(against, options);
  find_python(options.python);
}

PeerReport run_peers(const PeerRequest& request, const PeerOptions& options) {
  const nlohmann::ordered_json question = {{"operator", request.op},         {"settings", request.settings},
                                           {"device", request.device},       {"flush_bytes", request.flush_bytes},
                                           {"budget_ms", request.budget_ms}, {"threads", request.threads}};
  const fs::path script = find_script(request.against, options);
  const ProcessResult run = run_process({find_python(options.python).string(), script.string(), question.dump()});
  // The answer is the last line; what libraries print comes before it.
  std::string answer;
  std::istringstream lines(run.output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) answer = line;
  }
  const auto found = nlohmann::ordered_json::parse(answer, nullptr, false);
  if (run.exit_code != 0 || !found.is_object())
    throw Error(3510, script.lexically_normal().string() + " ended with exit code " + std::to_string(run.exit_code))
        .note(answer.empty() ? "it printed nothing" : answer);
  PeerReport report;
  for (const auto& peer : found.at("peers")) report.peers.push_back({peer.at("name"), peer.at("times_ms")});
  report.absent = found.at("absent").get<std::map<std::string, std::string>>();
  report.copy_gbytes_per_s = found.at("copy_gbytes_per_s");
  report.versions = found.at("versions");
  return report;
}

}  // namespace tilewright::cli
