#include "runtime/support/cuda/ptx_assembler.h"

#include "runtime/support/error.h"

#include <charconv>
#include <sstream>

namespace tilewright {

namespace {

// The number that stands before `unit` in a line such as "8 bytes stack frame, 0 bytes spill stores"; 0 when the unit is not in it.
std::uint64_t number_before(std::string_view line, std::string_view unit) {
  const std::size_t end = line.find(unit);
  if (end == std::string_view::npos) return 0;
  std::size_t start = end;
  while (start > 0 && line[start - 1] >= '0' && line[start - 1] <= '9') --start;
  std::uint64_t value = 0;
  std::from_chars(line.data() + start, line.data() + end, value);
  return value;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The number after the first "line " of a log, 0 without one.
std::size_t first_line_number(std::string_view log) {
  const std::size_t at = log.find(", line ");
  if (at == std::string_view::npos) return 0;
  std::size_t line = 0;
  std::from_chars(log.data() + at + 7, log.data() + log.size(), line);
  return line;
}

std::string line_of(const std::string& text, std::size_t number) {
  std::istringstream lines(text);
  std::string line;
  for (std::size_t i = 0; i < number; ++i) {
    if (!std::getline(lines, line)) return {};
  }
  return std::string(trimmed(line));
}

}  // namespace

std::vector<PtxUsage> parse_ptx_usage(std::string_view log) {
  constexpr std::string_view kEntry = "Compiling entry function '", kProperties = "Function properties for ";
  std::vector<PtxUsage> kernels;
  bool of_kernel = false;  // what is said of functions that are called is not of the kernel before
  while (!log.empty()) {
    const std::size_t end = log.find('\n');
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
    if (const std::size_t at = line.find(kEntry); at != std::string_view::npos) {
      const std::string_view name = line.substr(at + kEntry.size());
      kernels.emplace_back().entry = name.substr(0, name.find('\''));
      of_kernel = true;
    } else if (const std::size_t properties = line.find(kProperties); properties != std::string_view::npos) {
      const std::string_view name = trimmed(line.substr(properties + kProperties.size()));
      of_kernel = !kernels.empty() && name == kernels.back().entry;
    } else if (kernels.empty()) {
      continue;
    } else if (line.find(" bytes stack frame") != std::string_view::npos) {
      if (!of_kernel) continue;
      kernels.back().stack_bytes = number_before(line, " bytes stack frame");
      kernels.back().spill_store_bytes = number_before(line, " bytes spill stores");
      kernels.back().spill_load_bytes = number_before(line, " bytes spill loads");
    } else if (line.find("Used ") != std::string_view::npos) {
      kernels.back().registers = static_cast<int>(number_before(line, " registers"));
      kernels.back().barriers = static_cast<int>(number_before(line, " barriers"));
      kernels.back().shared_bytes = number_before(line, " bytes smem");
    }
  }
  return kernels;
}

void throw_ptx_error(std::span<const PtxSource> sources, const PtxOptions& options, const std::string& log) {
  std::string names;
  for (const PtxSource& source : sources) names += (names.empty() ? "'" : ", '") + source.name + "'";
  Error error(2320, names + " does not assemble for " + options.target);
  error.note(std::string(trimmed(log)));
  // With several sources the log does not always say which one a line is of.
  if (const std::size_t line = first_line_number(log); line != 0 && sources.size() == 1) {
    const std::string text = line_of(sources[0].text, line);
    if (!text.empty()) error.note("line " + std::to_string(line) + ": " + text);
  }
  throw error;
}

std::shared_ptr<const PtxAssembler> find_ptx_assembler(std::string& problem) {
  std::string no_library, no_program;
  if (auto assembler = find_ptxas(no_program)) return assembler;
  if (auto assembler = load_nv_jit_link(no_library)) return assembler;
  problem = no_program + "; " + no_library;
  return nullptr;
}

}  // namespace tilewright
