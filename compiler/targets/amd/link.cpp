#include "compiler/targets/amd/link.h"

#include "runtime/support/error.h"

#include "lld/Common/Driver.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>
#include <string>

LLD_HAS_DRIVER(elf)

namespace tilewright::amd {

namespace {

// A file of a name that no other has, removed in the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const char* suffix) {
    int descriptor = -1;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("tilewright", suffix, descriptor, path_))
      throw Error(3311, "no file can be made for the linker: " + error.message());
    llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true).close();
  }
  ~TemporaryFile() { llvm::sys::fs::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const char* path() { return path_.c_str(); }

  void write(const std::vector<char>& bytes) {
    std::error_code error;
    llvm::raw_fd_ostream file(path_, error);
    if (!error) {
      file.write(bytes.data(), bytes.size());
      file.close();
      error = file.error();
    }
    file.clear_error();
    if (error) throw Error(3311, "file '" + std::string(path_) + "' cannot be written for the linker: " + error.message());
  }

  std::vector<char> read() {
    auto buffer = llvm::MemoryBuffer::getFile(path_, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (!buffer) throw Error(3311, "the linker's file '" + std::string(path_) + "' cannot be read: " + buffer.getError().message());
    return {(*buffer)->getBufferStart(), (*buffer)->getBufferEnd()};
  }

 private:
  llvm::SmallString<128> path_;
};

}  // namespace

std::vector<char> link_code_object(const std::vector<char>& object) {
  TemporaryFile input("o"), output("hsaco");
  input.write(object);
  std::string text;
  llvm::raw_string_ostream messages(text);
  const char* arguments[] = {"ld.lld", "-shared", "--no-undefined", "--threads=1", "-o", output.path(), input.path()};
  {
    // The linker keeps its state in globals.
    static std::mutex mutex;
    static bool usable = true;
    const std::lock_guard lock(mutex);
    if (!usable) throw Error(2321, "the linker of AMD code objects has crashed before in this process");
    const lld::Result result = lld::lldMain(arguments, messages, messages, {{lld::Gnu, &lld::elf::link}});
    usable = result.canRunAgain;
    if (result.retCode != 0) throw Error(2321, "linking of a code object failed: " + text.substr(0, text.find('\n'))).note("LLD: " + text);
  }
  return output.read();
}

}  // namespace tilewright::amd
