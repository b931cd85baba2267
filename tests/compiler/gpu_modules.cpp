#include "tests/compiler/gpu_modules.h"

#include "compiler/targets/target.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

namespace tilewright::testing {

std::string add_module(int warps, const std::string& thread, const std::string& block) {
  return R"(
module attributes {tile_gpu.warps = )" + std::to_string(warps) + R"( : i64, tile_gpu.shared_bytes = 2048 : i64, tile_gpu.assertions = ["positive"], tile_gpu.remarks = ["a remark"]} {
  llvm.func @add(%x: i64, %nx: i64, %sx: i64, %y: i64, %ny: i64, %sy: i64, %z: i64, %nz: i64, %sz: i64, %board: i64) attributes {tile_gpu.kernel} {
    %tid = )" + thread + R"( : i32 loc("add.cpp":3:5)
    %ctaid = )" + block + R"( : i32 loc("add.cpp":3:5)
    %width = llvm.mlir.constant(128 : i32) : i32
    %start = llvm.mul %ctaid, %width : i32 loc("add.cpp":3:5)
    %i32 = llvm.add %start, %tid : i32 loc("add.cpp":3:5)
    %i = llvm.sext %i32 : i32 to i64 loc("add.cpp":3:5)
    %inside = llvm.icmp "slt" %i, %nz : i64 loc("add.cpp":4:5)
    llvm.cond_br %inside, ^body, ^end loc("add.cpp":4:5)
  ^body:
    %px = llvm.inttoptr %x : i64 to !llvm.ptr<1> loc("add.cpp":5:9)
    %py = llvm.inttoptr %y : i64 to !llvm.ptr<1> loc("add.cpp":6:9)
    %pz = llvm.inttoptr %z : i64 to !llvm.ptr<1> loc("add.cpp":8:3)
    %ax = llvm.getelementptr %px[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32 loc("add.cpp":5:9)
    %ay = llvm.getelementptr %py[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32 loc("add.cpp":6:9)
    %az = llvm.getelementptr %pz[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32 loc("add.cpp":8:3)
    %a = llvm.load %ax : !llvm.ptr<1> -> f32 loc("add.cpp":5:9)
    %b = llvm.load %ay : !llvm.ptr<1> -> f32 loc("add.cpp":6:9)
    %c = llvm.fadd %a, %b : f32 loc("helper.h":7:9)
    llvm.store %c, %az : f32, !llvm.ptr<1> loc("add.cpp":8:3)
    llvm.br ^end loc("add.cpp":8:3)
  ^end:
    llvm.return
  } loc("add.cpp":1:1)
})";
}

std::string one_operation_module(const std::string& operation) {
  return R"(
module attributes {tile_gpu.warps = 1 : i64} {
  llvm.func @one(%slot: i64) attributes {tile_gpu.kernel} {
    %p = llvm.inttoptr %slot : i64 to !llvm.ptr<1>
    %x = llvm.load %p : !llvm.ptr<1> -> f32
    )" + operation + R"( loc("one.cpp":5:3)
    llvm.store %r, %p : f32, !llvm.ptr<1>
    llvm.return
  } loc("one.cpp":1:1)
})";
}

mlir::OwningOpRef<mlir::ModuleOp> parse(mlir::MLIRContext& context, const std::string& text) {
  context.loadDialect<mlir::LLVM::LLVMDialect>();
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
}

Artifact artifact_of(const std::string& text, const std::string& target) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  const auto backend = make_target(target);
  backend->prepare(context);
  auto module = parse(context, text);
  EXPECT_TRUE(module);
  Artifact artifact;
  artifact.kernel = "add";
  artifact.target = backend->name();
  backend->fill(artifact, *module);
  return artifact;
}

}  // namespace tilewright::testing
