#include "compiler/targets/debug_lines.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/BinaryFormat/Dwarf.h"

namespace tilewright {

namespace {

namespace LLVM = mlir::LLVM;

mlir::FileLineColLoc position_in(mlir::Location location) {
  mlir::FileLineColLoc found;
  location->walk([&](mlir::Location part) {
    found = llvm::dyn_cast<mlir::FileLineColLoc>(part);
    return found ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
  });
  return found;
}

class Lines {
 public:
  explicit Lines(mlir::ModuleOp module) : module_(module), context_(module.getContext()) {}

  void add() {
    for (auto function : module_.getOps<LLVM::LLVMFuncOp>()) {
      if (!function.isExternal()) add(function);
    }
  }

 private:
  LLVM::DIFileAttr file(llvm::StringRef path) {
    const auto [folder, name] = path.rsplit('/');
    if (name.empty()) return LLVM::DIFileAttr::get(context_, path, "");
    return LLVM::DIFileAttr::get(context_, name, folder);
  }

  mlir::DistinctAttr distinct() { return mlir::DistinctAttr::create(mlir::UnitAttr::get(context_)); }

  void add(LLVM::LLVMFuncOp function) {
    // A function is where its first placed operation is, if it does not say itself.
    mlir::FileLineColLoc first = position_in(function.getLoc());
    if (!first) {
      function.walk([&](mlir::Operation* op) {
        first = position_in(op->getLoc());
        return first ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
      });
    }
    if (!first) return;

    const LLVM::DIFileAttr home = file(first.getFilename());
    if (!unit_) {
      unit_ = LLVM::DICompileUnitAttr::get(distinct(), llvm::dwarf::DW_LANG_C_plus_plus_14, home, mlir::StringAttr::get(context_, "tilewright"), true,
                                           LLVM::DIEmissionKind::DebugDirectivesOnly);
    }
    const auto type = LLVM::DISubroutineTypeAttr::get(context_, llvm::dwarf::DW_CC_normal, {});
    const auto name = mlir::StringAttr::get(context_, function.getName());
    const auto scope = LLVM::DISubprogramAttr::get(context_, distinct(), unit_, home, name, name, home, first.getLine(), first.getLine(),
                                                   LLVM::DISubprogramFlags::Definition | LLVM::DISubprogramFlags::Optimized, type, {}, {});
    function->setLoc(mlir::FusedLoc::get({first}, scope, context_));

    llvm::StringMap<LLVM::DILocalScopeAttr> scopes;
    scopes[first.getFilename()] = scope;
    function.getBody().walk([&](mlir::Operation* op) {
      const mlir::FileLineColLoc position = position_in(op->getLoc());
      if (!position) return;
      LLVM::DILocalScopeAttr& in = scopes[position.getFilename()];
      if (!in) in = LLVM::DILexicalBlockFileAttr::get(scope, file(position.getFilename()), 0);
      op->setLoc(mlir::FusedLoc::get({position}, in, context_));
    });
  }

  mlir::ModuleOp module_;
  mlir::MLIRContext* context_;
  LLVM::DICompileUnitAttr unit_;
};

}  // namespace

void add_debug_lines(mlir::ModuleOp module) { Lines(module).add(); }

}  // namespace tilewright
