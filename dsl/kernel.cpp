#include "dsl/kernel.h"

#include "dsl/program/infer.h"
#include "dsl/program/kernel.h"
#include "dsl/schedule.h"
#include "dsl/setting_scope.h"
#include "dsl/tracer.h"
#include "runtime/support/log.h"

#include <algorithm>
#include <cctype>
#include <mutex>

namespace tilewright {

namespace detail {

namespace {

using program::CallFacts;
using program::ParamKind;

constexpr const char* kScheduleSetting = "schedule";

bool is_identifier(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

class StructKernel : public program::TraceableKernel {
 public:
  explicit StructKernel(const KernelSpec& spec) : spec_(spec), name_(spec.names[0]) {
    if (!is_identifier(name_))
      program::rules::fail(1505, "'" + name_ + "' is no name for a kernel", {}, "names have letters, digits and underscores");
    for (int i = 0; i < spec.params; ++i) {
      const std::string name = spec.names[1 + i];
      if (!is_identifier(name)) throw Error(1505, "'" + name + "' is no name for a parameter of kernel '" + name_ + "'");
      for (const auto& other : params_) {
        if (other.name == name) throw Error(1505, "kernel '" + name_ + "' has two parameters named '" + name + "'");
      }
      params_.push_back({name, spec.kinds[i]});
    }
    for (int i = 0; i < spec.grid_params; ++i) {
      if (spec.grid_kinds[i] != spec.kinds[i]) throw Error(1502, "grid of kernel '" + name_ + "' does not take the first parameters of body");
    }
    SettingScope scope(name_, nullptr);
    spec.destroy(spec.make());
    settings_ = std::move(scope.described());
    const bool has_setting = std::any_of(settings_.begin(), settings_.end(), [](const auto& setting) { return setting.name == kScheduleSetting; });
    if (spec.schedule.level != nullptr && !has_setting) settings_.push_back({kScheduleSetting, true, true, 1, {1, 0}});
  }

  const std::string& name() const override { return name_; }
  const std::vector<program::KernelParam>& params() const override { return params_; }
  const std::vector<program::KernelSetting>& settings() const override { return settings_; }

  program::Program trace(const CallFacts& facts) const override {
    expect_facts(facts);
    if (const std::int64_t chosen = chosen_schedule(facts); chosen != 0) {
      try {
        return trace(facts, spec_.schedule.grid != nullptr ? spec_.schedule.grid : spec_.grid, spec_.schedule.run, chosen);
      } catch (const ScheduleRefused& refused) {
        log(LogLevel::Info, "'" + name_ + "': its body takes the place of its schedule for " + spec_.schedule.level + ", since " + refused.reason);
      }
    }
    return trace(facts, spec_.grid, spec_.body, 0);
  }

 private:
  // The value of the setting where the call is for the schedule's level; 0: the body.
  std::int64_t chosen_schedule(const CallFacts& facts) const {
    const auto& levels = facts.explicit_levels;
    if (spec_.schedule.level == nullptr || std::find(levels.begin(), levels.end(), spec_.schedule.level) == levels.end()) return 0;
    const auto given = facts.settings.find(kScheduleSetting);
    if (given != facts.settings.end()) return given->second;
    return std::find_if(settings_.begin(), settings_.end(), [](const auto& setting) { return setting.name == kScheduleSetting; })->default_value;
  }

  program::Program trace(const CallFacts& facts, Grid (*grid_of)(const void*, const Ref*), void (*run)(const void*, const Ref*), std::int64_t schedule) const {
    Tracer tracer(name_);
    program::Builder& build = tracer.build();
    std::vector<Ref> handles;
    for (std::size_t i = 0; i < params_.size(); ++i) {
      const program::ArgumentFacts known = i < facts.facts.size() ? facts.facts[i] : program::ArgumentFacts{};
      const program::ValueId value = build.add_param(params_[i].name, params_[i].kind, facts.types[i], known);
      if (params_[i].kind != ParamKind::Scalar) tracer.add_view(value, params_[i].kind, params_[i].name);
      handles.push_back(tracer.ref(value));
    }
    Instance self(spec_, name_, facts);
    for (const auto& [name, value] : self.bindings())
      if (spec_.schedule.level == nullptr || name != kScheduleSetting) build.bind(name, value);
    if (spec_.schedule.level != nullptr) build.bind(kScheduleSetting, schedule);

    build.begin_grid();
    const Grid grid = grid_of(self.get(), handles.data());
    build.end_grid({tracer.id(grid.extents[0]), tracer.id(grid.extents[1]), tracer.id(grid.extents[2])});
    run(self.get(), handles.data());
    return tracer.finish();
  }

  // The author's struct, constructed with the values of a call.
  class Instance {
   public:
    Instance(const KernelSpec& spec, const std::string& name, const CallFacts& facts) : spec_(spec) {
      SettingScope scope(name, &facts.settings);
      self_ = spec.make();
      bindings_ = scope.taken();
    }
    ~Instance() { spec_.destroy(self_); }
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    const void* get() const { return self_; }
    const std::vector<std::pair<std::string, std::int64_t>>& bindings() const { return bindings_; }

   private:
    const KernelSpec& spec_;
    void* self_ = nullptr;
    std::vector<std::pair<std::string, std::int64_t>> bindings_;
  };

  void expect_facts(const CallFacts& facts) const {
    if (facts.types.size() != params_.size())
      throw Error(3504, "kernel '" + name_ + "' takes " + std::to_string(params_.size()) + " arguments, not " + std::to_string(facts.types.size()));
    for (std::size_t i = 0; i < params_.size(); ++i) {
      const program::Type& type = facts.types[i];
      const bool scalar = params_[i].kind == ParamKind::Scalar;
      const bool dynamic = std::all_of(type.shape.begin(), type.shape.end(), [](std::int64_t extent) { return extent == -1; });
      if (scalar ? !type.is_scalar() : !type.is_view || !dynamic || type.rank() > program::kMaxTileRank)
        throw Error(3505, "argument '" + params_[i].name + "' of kernel '" + name_ + "' is " + to_string(type) +
                              (scalar ? ", not a scalar" : ", not a tensor"));
    }
    for (const auto& [name, value] : facts.settings) {
      const bool known = std::any_of(settings_.begin(), settings_.end(), [&name = name](const auto& setting) { return setting.name == name; });
      if (known) continue;
      std::string all;
      for (const auto& setting : settings_) all += (all.empty() ? "" : ", ") + setting.name;
      program::rules::fail(3501, "kernel '" + name_ + "' has no setting '" + name + "'", {}, all.empty() ? "it has none" : "it has: " + all);
    }
  }

  const KernelSpec& spec_;
  std::string name_;
  std::vector<program::KernelParam> params_;
  std::vector<program::KernelSetting> settings_;
};

}  // namespace

const program::TraceableKernel& kernel_from(const KernelSpec& spec) {
  static std::mutex mutex;
  static std::map<const KernelSpec*, std::unique_ptr<StructKernel>> kernels;
  const std::lock_guard lock(mutex);
  auto& kernel = kernels[&spec];
  if (kernel == nullptr) kernel = std::make_unique<StructKernel>(spec);
  return *kernel;
}

}  // namespace detail

Grid::Grid(const Arg& x, const Arg& y, const Arg& z) {
  int axis = 0;
  for (const Arg* extent : {&x, &y, &z}) {
    detail::Tracer& tracer = detail::Tracer::get(extent->at);
    extents[axis++] = tracer.ref(tracer.index(*extent, "an extent of the grid"));
  }
}

}  // namespace tilewright
