#include "compiler/targets/nvidia/assemble.h"

#include "runtime/support/cuda/toolkit.h"
#include "runtime/support/error.h"
#include "runtime/support/process.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <future>
#include <sstream>

namespace tilewright::nvidia {

namespace {

// A file with these bytes, removed in the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<char>& bytes) {
    int descriptor = -1;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("tilewright", "cubin", descriptor, path_))
      throw Error(3310, "no file can be made for the disassembler: " + error.message());
    llvm::raw_fd_ostream file(descriptor, true);
    file.write(bytes.data(), bytes.size());
  }
  ~TemporaryFile() { llvm::sys::fs::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return std::string(path_); }

 private:
  llvm::SmallString<128> path_;
};

std::string trimmed(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first == std::string::npos ? std::string() : line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

namespace {

struct Search {
  std::shared_ptr<const PtxAssembler> found;
  std::string problem;
};

// Begins at once, in the background.
std::shared_future<Search> search(std::shared_ptr<const PtxAssembler> (*find)(std::string& problem)) {
  return std::async(std::launch::async, [find] {
           Search search;
           search.found = find(search.problem);
           return search;
         }).share();
}

const std::shared_future<Search>& search_for_assembler() {
  static const std::shared_future<Search> once = search(find_ptx_assembler);
  return once;
}

}  // namespace

void start_search() { search_for_assembler(); }

std::shared_ptr<const PtxAssembler> assembler(std::string& problem) {
  const Search& result = search_for_assembler().get();
  problem = result.problem;
  return result.found;
}

std::shared_ptr<const PtxAssembler> linker(std::string& problem) {
  static const std::shared_future<Search> once = search([](std::string& why) { return load_nv_jit_link(why); });
  problem = once.get().problem;
  return once.get().found;
}

AssembledPtx assemble(const PtxAssembler& assembler, const std::string& kernel, const std::string& ptx, const std::vector<CudaFunction>& functions, int threads, const NvidiaTarget& target) {
  PtxOptions options;
  options.target = target.name;
  options.line_info = true;
  std::vector<PtxSource> sources = {{kernel + ".ptx", ptx}};
  // A kernel has as many registers as the functions it calls, which are assembled without knowledge of its blocks.
  constexpr int kGranularity = 8;
  if (!functions.empty()) options.max_registers = std::min(target.max_registers, target.registers_per_multiprocessor / threads / kGranularity * kGranularity);
  for (PtxSource& source : compile_cuda_functions(functions, target)) sources.push_back(std::move(source));
  return assembler.assemble(sources, options);
}

std::vector<std::string> remarks_of(const std::string& log) {
  std::vector<std::string> remarks;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    // "ptxas warning : ...", "ptxas info    : (C7510) Potential Performance Loss: ..."
    const bool numbered = line.find(": (C") != std::string::npos;
    if (!numbered && line.find("warning") == std::string::npos) continue;
    const std::size_t text = line.find(" : ");
    remarks.push_back("assembler: " + trimmed(text == std::string::npos ? line : line.substr(text + 3)));
  }
  return remarks;
}

std::string disassemble(const std::vector<char>& cubin) {
  const TemporaryFile file(cubin);
  std::vector<std::string> command;
  if (const auto nvdisasm = find_toolkit_program("nvdisasm"); !nvdisasm.empty()) {
    command = {nvdisasm.string(), "--print-code", "--print-line-info", file.path()};
  } else if (const auto cuobjdump = find_toolkit_program("cuobjdump"); !cuobjdump.empty()) {
    command = {cuobjdump.string(), "--dump-sass", file.path()};
  } else {
    throw Error(3310, "neither nvdisasm nor cuobjdump is here (neither on PATH nor in a CUDA toolkit)")
        .help("--emit cubin writes the machine code itself");
  }
  ProcessResult run = run_process(command);
  if (run.exit_code != 0) throw Error(3310, command[0] + " ended with exit code " + std::to_string(run.exit_code)).note(trimmed(run.output));
  return std::move(run.output);
}

}  // namespace tilewright::nvidia
