#include "runtime/support/cuda/nvrtc.h"

#include "runtime/support/dynamic_library.h"
#include "runtime/support/cuda/toolkit.h"
#include "runtime/support/error.h"

namespace tilewright {

namespace {

using ProgramHandle = struct ProgramState*;
using Result = int;  // 0: success

constexpr Result kCompilationFailed = 6;

// The library's functions, as its reference manual declares them.
struct NvrtcApi {
  Result (*nvrtcVersion)(int* major, int* minor) = nullptr;
  const char* (*nvrtcGetErrorString)(Result result) = nullptr;
  Result (*nvrtcCreateProgram)(ProgramHandle* program, const char* text, const char* name, int headers, const char* const* header_texts,
                               const char* const* header_names) = nullptr;
  Result (*nvrtcDestroyProgram)(ProgramHandle* program) = nullptr;
  Result (*nvrtcCompileProgram)(ProgramHandle program, int count, const char* const* options) = nullptr;
  Result (*nvrtcGetPTXSize)(ProgramHandle program, std::size_t* size) = nullptr;
  Result (*nvrtcGetPTX)(ProgramHandle program, char* ptx) = nullptr;
  Result (*nvrtcGetProgramLogSize)(ProgramHandle program, std::size_t* size) = nullptr;
  Result (*nvrtcGetProgramLog)(ProgramHandle program, char* log) = nullptr;
};

class Nvrtc : public CudaCompiler {
 public:
  Nvrtc(std::unique_ptr<DynamicLibrary> library, const NvrtcApi& api) : library_(std::move(library)), api_(api) {
    int major = 0, minor = 0;
    check(api_.nvrtcVersion(&major, &minor), "nvrtcVersion");
    const std::string version = std::to_string(major) + "." + std::to_string(minor);
    description_ = "NVRTC " + version;
    // NVRTC asks the dynamic loader for this by its bare name when it compiles, and then takes what is loaded already.
    const std::filesystem::path builtins = std::filesystem::path(library_->path()).replace_filename("libnvrtc-builtins.so." + version);
    std::string ignored;
    builtins_ = DynamicLibrary::open(std::vector{builtins.string()}, ignored);
    const std::vector<std::filesystem::path> folders = toolkit_include_folders("cuda_fp16.h");
    if (!folders.empty()) include_ = "--include-path=" + folders.front().string();
  }

  const std::string& description() const override { return description_; }

  std::string compile(const CudaSource& source, const std::string& target) const override {
    if (target.rfind("sm_", 0) != 0) throw Error(3310, "'" + target + "' is not a target of NVRTC").help("targets look like sm_90a");
    std::vector<std::string> options = {"--gpu-architecture=compute_" + target.substr(3), "--std=c++17"};
    if (!include_.empty()) options.push_back(include_);
    options.insert(options.end(), source.options.begin(), source.options.end());
    std::vector<const char*> words;
    for (const std::string& option : options) words.push_back(option.c_str());

    const Program program(api_, source);
    check(program.created(), "nvrtcCreateProgram");
    const Result compiled = api_.nvrtcCompileProgram(program.handle(), static_cast<int>(words.size()), words.data());
    if (compiled == kCompilationFailed)
      throw Error(1950, "the CUDA C++ source '" + source.name + "' does not compile for " + target).note(log_of(program));
    if (compiled != 0) check(compiled, "nvrtcCompileProgram, with log: " + log_of(program) + ",");
    std::size_t size = 0;
    check(api_.nvrtcGetPTXSize(program.handle(), &size), "nvrtcGetPTXSize");
    std::string ptx(size, '\0');
    check(api_.nvrtcGetPTX(program.handle(), ptx.data()), "nvrtcGetPTX");
    return ptx.substr(0, ptx.find('\0'));
  }

 private:
  class Program {
   public:
    Program(const NvrtcApi& api, const CudaSource& source) : api_(api) {
      created_ = api_.nvrtcCreateProgram(&handle_, source.text.c_str(), source.name.c_str(), 0, nullptr, nullptr);
    }
    ~Program() {
      if (handle_ != nullptr) api_.nvrtcDestroyProgram(&handle_);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    Result created() const { return created_; }
    ProgramHandle handle() const { return handle_; }

   private:
    const NvrtcApi& api_;
    ProgramHandle handle_ = nullptr;
    Result created_ = 0;
  };

  void check(Result result, const std::string& call) const {
    if (result != 0) throw Error(3310, call + " failed: " + api_.nvrtcGetErrorString(result));
  }

  std::string log_of(const Program& program) const {
    std::size_t size = 0;
    if (api_.nvrtcGetProgramLogSize(program.handle(), &size) != 0 || size == 0) return "no log";
    std::string log(size, '\0');
    if (api_.nvrtcGetProgramLog(program.handle(), log.data()) != 0) return "no log";
    log.resize(log.find('\0') == std::string::npos ? log.size() : log.find('\0'));
    while (!log.empty() && log.back() == '\n') log.pop_back();
    return log;
  }

  std::unique_ptr<DynamicLibrary> library_, builtins_;
  NvrtcApi api_;
  std::string description_, include_;
};

template <class Function>
void find(const DynamicLibrary& library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(library.find(name));
  if (function == nullptr) throw Error(3310, "'" + library.path() + "' has no function " + name);
}

}  // namespace

std::shared_ptr<const CudaCompiler> load_nvrtc(const std::string& library) {
  const std::vector<std::string> candidates = library.empty() ? toolkit_library_candidates("nvrtc", {"13", "12"}) : std::vector{library};
  std::string reason;
  auto loaded = DynamicLibrary::open(candidates, reason);
  if (!loaded) throw Error(3310, "NVRTC is not here (" + reason + ")").help("install a CUDA toolkit, or the Python package nvidia-cuda-nvrtc");
  NvrtcApi api;
#define TILEWRIGHT_FIND(name) find(*loaded, #name, api.name)
  TILEWRIGHT_FIND(nvrtcVersion);
  TILEWRIGHT_FIND(nvrtcGetErrorString);
  TILEWRIGHT_FIND(nvrtcCreateProgram);
  TILEWRIGHT_FIND(nvrtcDestroyProgram);
  TILEWRIGHT_FIND(nvrtcCompileProgram);
  TILEWRIGHT_FIND(nvrtcGetPTXSize);
  TILEWRIGHT_FIND(nvrtcGetPTX);
  TILEWRIGHT_FIND(nvrtcGetProgramLogSize);
  TILEWRIGHT_FIND(nvrtcGetProgramLog);
#undef TILEWRIGHT_FIND
  return std::make_shared<Nvrtc>(std::move(loaded), api);
}

}  // namespace tilewright
