#include "cli/report.h"

#include <fmt/core.h>

namespace tilewright::cli {

namespace {

bool is_for_gpu(const Artifact& artifact) { return artifact.launch.threads > 0; }

}  // namespace

nlohmann::ordered_json report_json(const Artifact& artifact) {
  nlohmann::ordered_json out;
  out["kernel"] = artifact.kernel;
  out["target"] = artifact.target;
  if (artifact.program) {
    for (const auto& [name, value] : artifact.program->bindings) out["bindings"][name] = value;
  }
  out["code_bytes"] = artifact.code.size();
  out["compile_ms"] = artifact.compile_ms;
  nlohmann::ordered_json phases = nlohmann::ordered_json::array();
  for (const PhaseTime& phase : artifact.phases) phases.push_back({{"phase", phase.name}, {"ms", phase.ms}});
  out["phases"] = std::move(phases);
  if (is_for_gpu(artifact)) {
    const ResourceUsage& usage = artifact.usage;
    out["threads"] = artifact.launch.threads;
    out["shared_bytes"] = usage.shared_bytes;
    out["assembler"] = artifact.assembler.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(artifact.assembler);
    if (usage.registers > 0) {
      out["registers"] = usage.registers;
      out["spill_store_bytes"] = usage.spill_store_bytes;
      out["spill_load_bytes"] = usage.spill_load_bytes;
      out["stack_bytes"] = usage.stack_bytes;
      out["barriers"] = usage.barriers;
      out["resident_blocks"] = usage.resident_blocks;
      out["occupancy"] = usage.occupancy;
      out["occupancy_limit"] = usage.occupancy_limit;
    }
  } else {
    out["scratch_bytes"] = artifact.scratch_bytes;
  }
  out["remarks"] = artifact.remarks;
  return out;
}

void print_report(std::FILE* file, const Artifact& artifact) {
  std::string bindings;
  if (artifact.program) {
    for (const auto& [name, value] : artifact.program->bindings) bindings += fmt::format(" {}={}", name, value);
  }
  fmt::print(file, "{} for {}:{}\n", artifact.kernel, artifact.target, bindings);
  fmt::print(file, "  code        {} bytes{}\n", artifact.code.size(), artifact.assembler.empty() ? "" : ", by " + artifact.assembler);
  if (is_for_gpu(artifact)) {
    const ResourceUsage& usage = artifact.usage;
    fmt::print(file, "  block       {} threads, {} bytes of shared memory\n", artifact.launch.threads, usage.shared_bytes);
    if (usage.registers > 0) {
      fmt::print(file, "  thread      {} registers, {} bytes spilled and {} read back, {} bytes of stack\n", usage.registers, usage.spill_store_bytes,
                 usage.spill_load_bytes, usage.stack_bytes);
      fmt::print(file, "  occupancy   {:.0f} %: {} blocks on a multiprocessor, limited by {}\n", 100 * usage.occupancy, usage.resident_blocks,
                 usage.occupancy_limit);
    } else {
      fmt::print(file, "  thread      registers are known once an assembler has seen the code\n");
    }
  } else {
    fmt::print(file, "  scratch     {} bytes\n", artifact.scratch_bytes);
  }
  std::string phases;
  for (const PhaseTime& phase : artifact.phases) phases += fmt::format("{}{} {:.1f}", phases.empty() ? "" : ", ", phase.name, phase.ms);
  fmt::print(file, "  compile     {:.1f} ms: {}\n", artifact.compile_ms, phases);
  for (const std::string& remark : artifact.remarks) fmt::print(file, "  remark      {}\n", remark);
}

}  // namespace tilewright::cli
