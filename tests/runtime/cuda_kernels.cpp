#include "tests/runtime/cuda_kernels.h"

#include "dsl/program/builder.h"

#include <map>
#include <stdexcept>

namespace tilewright::testing {

namespace {

using program::ParamKind;

const std::string kHeader = ".version 7.8\n.target sm_80\n.address_size 64\n";
const std::string kHopperHeader = ".version 7.8\n.target sm_90\n.address_size 64\n";

const char* const kCount = R"(
.visible .entry count(.param .align 8 .b8 args[48])
{
  .reg .pred %p<3>;
  .reg .b32 %r<7>;
  .reg .b64 %rd<11>;
  mov.u32 %r1, %tid.x;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ctaid.y;
  mov.u32 %r4, %ctaid.z;
  mov.u32 %r5, %nctaid.x;
  mov.u32 %r6, %nctaid.y;
  mul.wide.u32 %rd1, %r6, %r4;
  cvt.u64.u32 %rd2, %r3;
  add.s64 %rd1, %rd1, %rd2;
  cvt.u64.u32 %rd3, %r5;
  mul.lo.s64 %rd1, %rd1, %rd3;
  cvt.u64.u32 %rd4, %r2;
  add.s64 %rd1, %rd1, %rd4;
  ld.param.u64 %rd5, [args+8];
  setp.ge.s64 %p2, %rd1, %rd5;
  @%p2 bra DONE;
  ld.param.u64 %rd6, [args];
  ld.param.u64 %rd7, [args+16];
  mul.lo.s64 %rd8, %rd1, %rd7;
  shl.b64 %rd8, %rd8, 3;
  add.s64 %rd6, %rd6, %rd8;
  ld.u64 %rd9, [%rd6];
  add.s64 %rd9, %rd9, %rd1;
  add.s64 %rd9, %rd9, 1;
  st.u64 [%rd6], %rd9;
DONE:
  ret;
}
)";

const char* const kCopy = R"(
.visible .entry copy(.param .align 8 .b8 args[80])
{
  .reg .pred %p<3>;
  .reg .b32 %r<6>;
  .reg .b64 %rd<14>;
  mov.u32 %r1, %tid.x;
  setp.ge.u32 %p1, %r1, 16;
  @%p1 bra DONE;
  mov.u32 %r2, %ctaid.y;
  shl.b32 %r3, %r2, 4;
  add.s32 %r3, %r3, %r1;
  cvt.u64.u32 %rd1, %r3;
  ld.param.u64 %rd2, [args+16];
  setp.ge.s64 %p2, %rd1, %rd2;
  @%p2 bra DONE;
  mov.u32 %r4, %ctaid.x;
  cvt.u64.u32 %rd3, %r4;
  ld.param.u64 %rd4, [args];
  ld.param.u64 %rd5, [args+24];
  ld.param.u64 %rd6, [args+32];
  mul.lo.s64 %rd7, %rd3, %rd5;
  mad.lo.s64 %rd7, %rd1, %rd6, %rd7;
  shl.b64 %rd7, %rd7, 2;
  add.s64 %rd4, %rd4, %rd7;
  ld.u32 %r5, [%rd4];
  ld.param.u64 %rd8, [args+40];
  ld.param.u64 %rd9, [args+64];
  ld.param.u64 %rd10, [args+72];
  mul.lo.s64 %rd11, %rd3, %rd9;
  mad.lo.s64 %rd11, %rd1, %rd10, %rd11;
  shl.b64 %rd11, %rd11, 2;
  add.s64 %rd8, %rd8, %rd11;
  st.u32 [%rd8], %r5;
DONE:
  ret;
}
)";

const char* const kBound = R"(
.visible .entry bound(.param .align 8 .b8 args[40])
{
  .reg .pred %p<3>;
  .reg .b32 %r<3>;
  .reg .b64 %rd<8>;
  mov.u32 %r1, %tid.x;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  mov.u32 %r2, %ctaid.x;
  cvt.u64.u32 %rd1, %r2;
  ld.param.u64 %rd2, [args];
  ld.param.u64 %rd3, [args+16];
  mul.lo.s64 %rd1, %rd1, %rd3;
  shl.b64 %rd1, %rd1, 3;
  add.s64 %rd2, %rd2, %rd1;
  ld.u64 %rd4, [%rd2];
  ld.param.u64 %rd5, [args+24];
  setp.lt.s64 %p2, %rd4, %rd5;
  @%p2 bra DONE;
  ld.param.u64 %rd6, [args+32];
  mov.u32 %r2, 1;
  st.volatile.u32 [%rd6], %r2;
DONE:
  ret;
}
)";

// Its parameters are declared one by one, which lays them out as an array would.
const char* const kVectorAdd = R"(
.visible .entry vector_add(.param .u64 a, .param .u64 a_size, .param .u64 a_stride, .param .u64 b, .param .u64 b_size, .param .u64 b_stride,
                           .param .u64 out, .param .u64 out_size, .param .u64 out_stride)
{
  .reg .pred %p<2>;
  .reg .b32 %r<4>;
  .reg .f32 %f<4>;
  .reg .b64 %rd<9>;
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %ctaid.x;
  shl.b32 %r3, %r2, 7;
  add.s32 %r3, %r3, %r1;
  cvt.u64.u32 %rd1, %r3;
  ld.param.u64 %rd2, [out_size];
  setp.ge.s64 %p1, %rd1, %rd2;
  @%p1 bra DONE;
  ld.param.u64 %rd3, [a];
  ld.param.u64 %rd4, [a_stride];
  mul.lo.s64 %rd4, %rd4, %rd1;
  shl.b64 %rd4, %rd4, 2;
  add.s64 %rd3, %rd3, %rd4;
  ld.f32 %f1, [%rd3];
  ld.param.u64 %rd5, [b];
  ld.param.u64 %rd6, [b_stride];
  mul.lo.s64 %rd6, %rd6, %rd1;
  shl.b64 %rd6, %rd6, 2;
  add.s64 %rd5, %rd5, %rd6;
  ld.f32 %f2, [%rd5];
  add.f32 %f3, %f1, %f2;
  ld.param.u64 %rd7, [out];
  ld.param.u64 %rd8, [out_stride];
  mul.lo.s64 %rd8, %rd8, %rd1;
  shl.b64 %rd8, %rd8, 2;
  add.s64 %rd7, %rd7, %rd8;
  st.f32 [%rd7], %f3;
DONE:
  ret;
}
)";

// Threads 0 .. 63 write to the start of the shared memory and the others to its end, so the launch must really provide `bytes`.
const char* const kSharedReverse = R"(
.extern .shared .align 16 .b8 memory[];
.visible .entry shared_reverse(.param .align 8 .b8 args[32])
{
  .reg .pred %p<2>;
  .reg .b32 %r<9>;
  .reg .f32 %f<3>;
  .reg .b64 %rd<4>;
  ld.param.u32 %r1, [args+24];
  mov.u32 %r2, memory;
  mov.u32 %r3, %tid.x;
  cvt.rn.f32.u32 %f1, %r3;
  shl.b32 %r4, %r3, 2;
  add.u32 %r4, %r4, %r2;
  add.u32 %r5, %r1, -512;
  setp.ge.u32 %p1, %r3, 64;
  @%p1 add.u32 %r4, %r4, %r5;
  st.shared.f32 [%r4], %f1;
  bar.sync 0;
  sub.u32 %r6, 127, %r3;
  shl.b32 %r7, %r6, 2;
  add.u32 %r7, %r7, %r2;
  setp.ge.u32 %p1, %r6, 64;
  @%p1 add.u32 %r7, %r7, %r5;
  ld.shared.f32 %f2, [%r7];
  ld.param.u64 %rd1, [args];
  mul.wide.u32 %rd2, %r3, 4;
  add.s64 %rd1, %rd1, %rd2;
  st.f32 [%rd1], %f2;
  ret;
}
)";

const char* const kClusterRank = R"(
.visible .entry cluster_rank(.param .align 8 .b8 args[24])
{
  .reg .pred %p<2>;
  .reg .b32 %r<6>;
  .reg .b64 %rd<4>;
  mov.u32 %r1, %tid.x;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  mov.u32 %r2, %clusterid.x;
  mov.u32 %r3, %cluster_nctaid.x;
  mov.u32 %r4, %cluster_ctarank;
  mad.lo.u32 %r5, %r2, %r3, %r4;
  ld.param.u64 %rd1, [args];
  mul.wide.u32 %rd2, %r5, 8;
  add.s64 %rd1, %rd1, %rd2;
  cvt.u64.u32 %rd3, %r4;
  st.u64 [%rd1], %rd3;
DONE:
  ret;
}
)";

// The successor may start at once; that is only right because it waits.
const char* const kAddOne = R"(
.visible .entry add_one(.param .align 8 .b8 args[24])
{
  .reg .pred %p<2>;
  .reg .b32 %r<2>;
  .reg .b64 %rd<3>;
  griddepcontrol.launch_dependents;
  griddepcontrol.wait;
  mov.u32 %r1, %tid.x;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  ld.param.u64 %rd1, [args];
  ld.volatile.u64 %rd2, [%rd1];
  add.s64 %rd2, %rd2, 1;
  st.volatile.u64 [%rd1], %rd2;
DONE:
  ret;
}
)";

const char* const kSpin = R"(
.visible .entry spin(.param .align 8 .b8 args[48])
{
  .reg .pred %p<4>;
  .reg .b32 %r<2>;
  .reg .b64 %rd<8>;
  mov.u32 %r1, %tid.x;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  ld.param.u64 %rd1, [args];
  ld.param.u64 %rd2, [args+24];
  mov.u64 %rd3, %globaltimer;
  add.s64 %rd3, %rd3, 2000000000;
AGAIN:
  ld.volatile.u64 %rd4, [%rd1];
  setp.ne.s64 %p2, %rd4, 0;
  @%p2 bra SEEN;
  mov.u64 %rd5, %globaltimer;
  setp.lt.u64 %p3, %rd5, %rd3;
  @%p3 bra AGAIN;
SEEN:
  st.u64 [%rd2], %rd4;
DONE:
  ret;
}
)";

const char* const kDelay = R"(
.visible .entry delay(.param .align 8 .b8 args[32])
{
  .reg .pred %p<3>;
  .reg .b32 %r<2>;
  .reg .b64 %rd<6>;
  mov.u32 %r1, %tid.x;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  ld.param.u64 %rd1, [args];
  ld.param.u64 %rd2, [args+24];
  mov.u64 %rd3, %globaltimer;
  add.s64 %rd3, %rd3, %rd2;
AGAIN:
  mov.u64 %rd4, %globaltimer;
  setp.lt.u64 %p2, %rd4, %rd3;
  @%p2 bra AGAIN;
  mov.u64 %rd5, 1;
  st.u64 [%rd1], %rd5;
DONE:
  ret;
}
)";

const char* const kFault = R"(
.visible .entry fault(.param .align 8 .b8 args[24])
{
  .reg .b32 %r<2>;
  .reg .b64 %rd<2>;
  mov.u32 %r1, 0;
  mov.u64 %rd1, 8;
  st.global.u32 [%rd1], %r1;
  ret;
}
)";

struct Param {
  std::string name;
  ParamKind kind;
  program::Type type;
};

// A program of parameters alone, on a grid of one.
std::shared_ptr<const program::Program> program_of(const std::string& name, const std::vector<Param>& params) {
  program::Builder b(name);
  for (const Param& param : params) b.add_param(param.name, param.kind, param.type, {});
  b.begin_grid();
  b.end_grid({b.integer(DType::I64, 1)});
  return std::make_shared<const program::Program>(std::move(b).finish());
}

Param view(const std::string& name, ParamKind kind, DType dtype) { return {name, kind, {dtype, {-1}, true}}; }
Param scalar(const std::string& name) { return {name, ParamKind::Scalar, {DType::I64, {}, false}}; }

const std::map<std::string, PtxKernel>& all_kernels() {
  static const std::map<std::string, PtxKernel> kernels = [] {
    std::map<std::string, PtxKernel> made;
    made["count"] = {kHeader + kCount, nullptr, "sm_80", {32, 1, 0, false}, {}};
    made["copy"] = {kHeader + kCopy, nullptr, "sm_80", {32, 1, 0, false}, {}};
    made["bound"] = {kHeader + kBound, nullptr, "sm_80", {32, 1, 0, false}, {"x is below the limit (bound.cpp:7:3)"}};
    made["vector_add"] = {kHeader + kVectorAdd,
                          program_of("vector_add", {view("a", ParamKind::Input, DType::F32), view("b", ParamKind::Input, DType::F32),
                                                    view("out", ParamKind::Output, DType::F32)}),
                          "sm_80",
                          {128, 1, 0, false},
                          {}};
    made["shared_reverse"] = {kHeader + kSharedReverse,
                              program_of("shared_reverse", {view("out", ParamKind::Output, DType::F32), scalar("bytes")}),
                              "sm_80",
                              {128, 1, 1024, false},
                              {}};
    made["cluster_rank"] = {
        kHopperHeader + kClusterRank, program_of("cluster_rank", {view("out", ParamKind::Output, DType::I64)}), "sm_90", {32, 2, 0, false}, {}};
    made["add_one"] = {kHopperHeader + kAddOne, program_of("add_one", {view("x", ParamKind::InOut, DType::I64)}), "sm_90", {32, 1, 0, true}, {}};
    made["spin"] = {kHeader + kSpin,
                    program_of("spin", {view("flag", ParamKind::Input, DType::I64), view("out", ParamKind::Output, DType::I64)}),
                    "sm_80",
                    {32, 1, 0, false},
                    {}};
    made["delay"] = {
        kHeader + kDelay, program_of("delay", {view("out", ParamKind::Output, DType::I64), scalar("nanoseconds")}), "sm_80", {32, 1, 0, false}, {}};
    made["fault"] = {kHeader + kFault, program_of("fault", {view("x", ParamKind::InOut, DType::I64)}), "sm_80", {32, 1, 0, false}, {}};
    return made;
  }();
  return kernels;
}

}  // namespace

PtxKernel ptx_kernel(const std::string& name) { return all_kernels().at(name); }

std::vector<std::string> ptx_kernel_names() {
  std::vector<std::string> names;
  for (const auto& [name, kernel] : all_kernels()) names.push_back(name);
  return names;
}

Artifact artifact_of(const PtxKernel& kernel) {
  Artifact artifact;
  artifact.kernel = artifact.entry = kernel.program->name;
  artifact.target = kernel.target;
  artifact.code.assign(kernel.text.begin(), kernel.text.end());
  artifact.program = kernel.program;
  artifact.launch = kernel.launch;
  artifact.assertions = kernel.assertions;
  return artifact;
}

Artifact ptx_artifact(std::shared_ptr<const program::Program> program) {
  PtxKernel kernel = ptx_kernel(program->name);
  kernel.program = std::move(program);
  return artifact_of(kernel);
}

}  // namespace tilewright::testing
