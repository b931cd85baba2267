// PTX assembled in this process by nvJitLink, a library of CUDA toolkits since 12.0.
#include "runtime/support/dynamic_library.h"
#include "runtime/support/cuda/ptx_assembler.h"
#include "runtime/support/cuda/toolkit.h"
#include "runtime/support/error.h"

namespace tilewright {

namespace {

using LinkHandle = struct LinkState*;
using LinkResult = int;  // 0: success

enum LinkInput : int { kLinkPtx = 2 };

// The library's functions, as its reference manual declares them.
struct LinkApi {
  LinkResult (*nvJitLinkVersion)(unsigned* major, unsigned* minor) = nullptr;
  LinkResult (*nvJitLinkCreate)(LinkHandle* handle, std::uint32_t count, const char** options) = nullptr;
  LinkResult (*nvJitLinkDestroy)(LinkHandle* handle) = nullptr;
  LinkResult (*nvJitLinkAddData)(LinkHandle handle, int input, const void* data, std::size_t size, const char* name) = nullptr;
  LinkResult (*nvJitLinkComplete)(LinkHandle handle) = nullptr;
  LinkResult (*nvJitLinkGetLinkedCubinSize)(LinkHandle handle, std::size_t* size) = nullptr;
  LinkResult (*nvJitLinkGetLinkedCubin)(LinkHandle handle, void* cubin) = nullptr;
  LinkResult (*nvJitLinkGetErrorLogSize)(LinkHandle handle, std::size_t* size) = nullptr;
  LinkResult (*nvJitLinkGetErrorLog)(LinkHandle handle, char* log) = nullptr;
  LinkResult (*nvJitLinkGetInfoLogSize)(LinkHandle handle, std::size_t* size) = nullptr;
  LinkResult (*nvJitLinkGetInfoLog)(LinkHandle handle, char* log) = nullptr;
};

// One job of the linker, ended with the object.
class LinkJob {
 public:
  LinkJob(const LinkApi& api, const std::vector<std::string>& options) : api_(api) {
    std::vector<const char*> words;
    for (const std::string& option : options) words.push_back(option.c_str());
    created_ = api_.nvJitLinkCreate(&handle_, static_cast<std::uint32_t>(words.size()), words.data());
  }
  ~LinkJob() {
    if (handle_ != nullptr) api_.nvJitLinkDestroy(&handle_);
  }
  LinkJob(const LinkJob&) = delete;
  LinkJob& operator=(const LinkJob&) = delete;

  LinkResult created() const { return created_; }
  LinkHandle handle() const { return handle_; }

  std::string errors() const { return text(api_.nvJitLinkGetErrorLogSize, api_.nvJitLinkGetErrorLog); }
  std::string remarks() const { return text(api_.nvJitLinkGetInfoLogSize, api_.nvJitLinkGetInfoLog); }

 private:
  std::string text(LinkResult (*size_of_log)(LinkHandle, std::size_t*), LinkResult (*get)(LinkHandle, char*)) const {
    std::size_t size = 0;
    if (handle_ == nullptr || size_of_log(handle_, &size) != 0 || size == 0) return {};
    std::string log(size, '\0');
    if (get(handle_, log.data()) != 0) return {};
    return log.substr(0, log.find('\0'));
  }

  const LinkApi& api_;
  LinkHandle handle_ = nullptr;
  LinkResult created_ = 0;
};

class NvJitLink : public PtxAssembler {
 public:
  NvJitLink(std::unique_ptr<DynamicLibrary> library, const LinkApi& api) : library_(std::move(library)), api_(api) {
    unsigned major = 0, minor = 0;
    api_.nvJitLinkVersion(&major, &minor);
    description_ = "nvJitLink " + std::to_string(major) + "." + std::to_string(minor);
  }

  const std::string& description() const override { return description_; }

  bool links() const override { return true; }

  AssembledPtx assemble(std::span<const PtxSource> sources, const PtxOptions& options) const override {
    std::vector<std::string> words = {"-arch=" + options.target, "-O" + std::to_string(options.optimization), "-Xptxas=-v"};
    if (options.max_registers > 0) words.push_back("-maxrregcount=" + std::to_string(options.max_registers));
    if (options.line_info) words.push_back("-lineinfo");
    LinkJob job(api_, words);
    if (job.created() != 0)
      throw_ptx_error(sources, options, description_ + " refuses its options (result " + std::to_string(job.created()) + ")\n" + job.errors());
    for (const PtxSource& source : sources) {
      if (api_.nvJitLinkAddData(job.handle(), kLinkPtx, source.text.c_str(), source.text.size() + 1, source.name.c_str()) != 0)
        throw_ptx_error(sources, options, job.errors());
    }
    if (api_.nvJitLinkComplete(job.handle()) != 0) throw_ptx_error(sources, options, job.errors());

    AssembledPtx result;
    std::size_t size = 0;
    if (api_.nvJitLinkGetLinkedCubinSize(job.handle(), &size) != 0 || size == 0) throw_ptx_error(sources, options, job.errors());
    result.cubin.resize(size);
    if (api_.nvJitLinkGetLinkedCubin(job.handle(), result.cubin.data()) != 0) throw_ptx_error(sources, options, job.errors());
    result.log = job.remarks();
    result.kernels = parse_ptx_usage(result.log);
    return result;
  }

 private:
  std::unique_ptr<DynamicLibrary> library_;
  LinkApi api_;
  std::string description_;
};

template <class Function>
bool find(const DynamicLibrary& library, const char* name, Function& function, std::string& missing) {
  function = reinterpret_cast<Function>(library.find(name));
  if (function == nullptr) missing = name;
  return function != nullptr;
}

}  // namespace

std::shared_ptr<const PtxAssembler> load_nv_jit_link(std::string& problem, const std::string& library) {
  const std::vector<std::string> candidates = library.empty() ? toolkit_library_candidates("nvJitLink", {"13", "12"}) : std::vector{library};
  std::string reason;
  auto loaded = DynamicLibrary::open(candidates, reason);
  if (!loaded) {
    problem = "nvJitLink is not here (" + reason + ")";
    return nullptr;
  }
  LinkApi api;
  std::string missing;
#define TILEWRIGHT_FIND(name) find(*loaded, #name, api.name, missing)
  const bool complete = TILEWRIGHT_FIND(nvJitLinkVersion) && TILEWRIGHT_FIND(nvJitLinkCreate) && TILEWRIGHT_FIND(nvJitLinkDestroy) &&
                        TILEWRIGHT_FIND(nvJitLinkAddData) && TILEWRIGHT_FIND(nvJitLinkComplete) && TILEWRIGHT_FIND(nvJitLinkGetLinkedCubinSize) &&
                        TILEWRIGHT_FIND(nvJitLinkGetLinkedCubin) && TILEWRIGHT_FIND(nvJitLinkGetErrorLogSize) &&
                        TILEWRIGHT_FIND(nvJitLinkGetErrorLog) && TILEWRIGHT_FIND(nvJitLinkGetInfoLogSize) && TILEWRIGHT_FIND(nvJitLinkGetInfoLog);
#undef TILEWRIGHT_FIND
  if (!complete) {
    problem = "'" + loaded->path() + "' has no function " + missing;
    return nullptr;
  }
  return std::make_shared<NvJitLink>(std::move(loaded), api);
}

}  // namespace tilewright
