// PTX assembled by the program ptxas.
#include "runtime/support/process.h"
#include "runtime/support/cuda/ptx_assembler.h"
#include "runtime/support/cuda/toolkit.h"
#include "runtime/support/error.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace tilewright {

namespace {

namespace fs = std::filesystem;

// A folder of this call alone, removed with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (fs::temp_directory_path() / "tilewright-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw Error(3310, "no folder can be made for ptxas, '" + path + "': " + std::strerror(errno));
    path_ = path;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<char> contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Ptxas : public PtxAssembler {
 public:
  Ptxas(fs::path program, const std::string& version) : program_(std::move(program)), description_("ptxas " + version) {}

  const std::string& description() const override { return description_; }

  bool links() const override { return false; }

  AssembledPtx assemble(std::span<const PtxSource> sources, const PtxOptions& options) const override {
    if (sources.size() != 1)
      throw Error(3310, "linking " + std::to_string(sources.size()) + " PTX sources needs nvJitLink, and only ptxas is here")
          .help("install a CUDA toolkit, or the Python package nvidia-nvjitlink");
    const TemporaryFolder folder;
    const fs::path input = folder.path() / "kernel.ptx", output = folder.path() / "kernel.cubin";
    std::ofstream file(input, std::ios::binary);
    file << sources[0].text;
    file.close();
    if (!file) throw Error(3310, "'" + input.string() + "' cannot be written");

    std::vector<std::string> command = {program_.string(), "-arch=" + options.target, "-O" + std::to_string(options.optimization), "-v"};
    if (options.max_registers > 0) command.push_back("-maxrregcount=" + std::to_string(options.max_registers));
    if (options.line_info) command.push_back("-lineinfo");
    command.insert(command.end(), {input.string(), "-o", output.string()});
    ProcessResult run = run_process(command);
    if (run.exit_code != 0)
      throw_ptx_error(sources, options, run.output + "\n" + program_.string() + " ended with exit code " + std::to_string(run.exit_code));

    AssembledPtx result;
    result.cubin = contents(output);
    if (result.cubin.empty()) throw_ptx_error(sources, options, program_.string() + " wrote no code");
    result.log = std::move(run.output);
    result.kernels = parse_ptx_usage(result.log);
    return result;
  }

 private:
  fs::path program_;
  std::string description_;
};

// "13.0.88" of "Cuda compilation tools, release 13.0, V13.0.88"; empty when ptxas says something else.
std::string version_in(const std::string& text) {
  const std::size_t at = text.find(", V");
  if (at == std::string::npos) return {};
  const std::size_t end = text.find_first_not_of("0123456789.", at + 3);
  return text.substr(at + 3, end == std::string::npos ? end : end - at - 3);
}

}  // namespace

std::shared_ptr<const PtxAssembler> find_ptxas(std::string& problem, const std::string& program) {
  const fs::path found = program.empty() ? find_toolkit_program("ptxas") : fs::path(program);
  if (found.empty()) {
    problem = "ptxas is not here (neither on PATH nor in a CUDA toolkit)";
    return nullptr;
  }
  try {
    const ProcessResult run = run_process({found.string(), "--version"});
    const std::string version = version_in(run.output);
    if (run.exit_code == 0 && !version.empty()) return std::make_shared<Ptxas>(found, version);
    problem = "'" + found.string() + "' does not say a version of ptxas";
  } catch (const Error& error) {
    problem = error.message();
  }
  return nullptr;
}

}  // namespace tilewright
