#include "compiler/targets/nvidia/cuda_functions.h"

#include "compiler/targets/position.h"
#include "runtime/support/cuda/nvrtc.h"
#include "runtime/support/cuda/toolkit.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <sstream>

namespace tilewright::nvidia {

namespace LLVM = mlir::LLVM;

namespace {

using Builder = gpu::GpuTarget::Builder;
using mlir::Value;

constexpr llvm::StringLiteral kFunctionAttr = "tile_gpu.cuda_function";  // of a wrapper's declaration: {name, source, dtypes}
constexpr const char* kSymbols = "tilewright_extern_";

DType dtype_of(mlir::Attribute name) {
  DType dtype{};
  const llvm::StringRef text = llvm::cast<mlir::StringAttr>(name).getValue();
  if (!parse_dtype(std::string_view(text.data(), text.size()), dtype)) throw Error(9314, "'" + text.str() + "' is no dtype");
  return dtype;
}

// ---- the call

mlir::Type word_type(Builder& b, mlir::Type type) { return type.getIntOrFloatBitWidth() < 32 ? b.getI32Type() : type; }

Value to_word(Builder& b, Value value, DType dtype) {
  const mlir::Type type = value.getType(), word = word_type(b, type);
  if (word == type) return value;
  if (llvm::isa<mlir::FloatType>(type)) value = LLVM::BitcastOp::create(b, b.getI16Type(), value);
  return is_signed_int(dtype) ? LLVM::SExtOp::create(b, word, value).getResult() : LLVM::ZExtOp::create(b, word, value).getResult();
}

Value from_word(Builder& b, Value word, mlir::Type type) {
  if (word.getType() == type) return word;
  Value bits = LLVM::TruncOp::create(b, b.getIntegerType(type.getIntOrFloatBitWidth()), word);
  return bits.getType() == type ? bits : LLVM::BitcastOp::create(b, type, bits).getResult();
}

// What the function computes is a function of its arguments, so that calls may be shared, moved and dropped.
void mark_pure(LLVM::LLVMFuncOp function) {
  const llvm::SmallVector<LLVM::ModRefInfo> none(6, LLVM::ModRefInfo::NoModRef);
  function.setMemoryEffectsAttr(LLVM::MemoryEffectsAttr::get(function.getContext(), none));
  function.setNoUnwind(true);
  function.setWillReturn(true);
}

LLVM::LLVMFuncOp declaration(Builder& b, tile::ExternOp op, llvm::ArrayRef<mlir::Type> arguments, mlir::Type result) {
  auto module = b.getBlock()->getParentOp()->getParentOfType<mlir::ModuleOp>();
  const auto description = b.getDictionaryAttr({b.getNamedAttr("name", op.getNameAttr()), b.getNamedAttr("source", op.getSourceAttr()), b.getNamedAttr("dtypes", op.getDtypesAttr())});
  int count = 0;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    const mlir::Attribute present = function->getAttr(kFunctionAttr);
    if (present == description) return function;
    count += present != nullptr;
  }
  mlir::OpBuilder at_end = mlir::OpBuilder::atBlockEnd(module.getBody());
  auto function = LLVM::LLVMFuncOp::create(at_end, op.getLoc(), kSymbols + std::to_string(count), LLVM::LLVMFunctionType::get(result, arguments));
  function->setAttr(kFunctionAttr, description);
  mark_pure(function);
  return function;
}

// ---- the source

// How C++ writes a dtype, and the word that it crosses in.
struct Spelling {
  std::string type, word;
};

Spelling spelling_of(DType dtype) {
  switch (dtype) {
    case DType::Bool: return {"bool", "unsigned"};
    case DType::I8: return {"signed char", "int"};
    case DType::I16: return {"short", "int"};
    case DType::I32: return {"int", "int"};
    case DType::I64: return {"long long", "long long"};
    case DType::U8: return {"unsigned char", "unsigned"};
    case DType::U16: return {"unsigned short", "unsigned"};
    case DType::U32: return {"unsigned", "unsigned"};
    case DType::U64: return {"unsigned long long", "unsigned long long"};
    case DType::F16: return {"__half", "unsigned"};
    case DType::BF16: return {"__nv_bfloat16", "unsigned"};
    case DType::F32: return {"float", "float"};
    case DType::F64: return {"double", "double"};
    case DType::F8E4M3:
    case DType::F8E5M2: break;  // the language calls no function with them
  }
  return {};
}

const char* header_of(DType dtype) { return dtype == DType::F16 ? "cuda_fp16.h" : dtype == DType::BF16 ? "cuda_bf16.h" : nullptr; }

std::string from_word(DType dtype, const std::string& word) {
  if (dtype == DType::F16) return "__ushort_as_half(static_cast<unsigned short>(" + word + "))";
  if (dtype == DType::BF16) return "__ushort_as_bfloat16(static_cast<unsigned short>(" + word + "))";
  return "static_cast<" + spelling_of(dtype).type + ">(" + word + ")";
}

std::string to_word(DType dtype, const std::string& value) {
  const std::string exact = "static_cast<" + spelling_of(dtype).type + ">(" + value + ")";
  if (dtype == DType::F16) return "__half_as_ushort(" + exact + ")";
  if (dtype == DType::BF16) return "__bfloat16_as_ushort(" + exact + ")";
  return exact;
}

std::string wrapper(const CudaFunction& function) {
  std::string parameters, arguments;
  for (std::size_t i = 0; i + 1 < function.dtypes.size(); ++i) {
    const std::string name = "a" + std::to_string(i), comma = i == 0 ? "" : ", ";
    parameters += comma + spelling_of(function.dtypes[i]).word + " " + name;
    arguments += comma + from_word(function.dtypes[i], name);
  }
  const DType result = function.dtypes.back();
  return "extern \"C\" __device__ " + spelling_of(result).word + " " + function.symbol + "(" + parameters + ") { return " + to_word(result, function.name + "(" + arguments + ")") + "; }\n";
}

// ---- compiling it

Error located(const Error& error, const std::string& message, const SourcePosition& where) {
  Error result(error.code(), message, where);
  for (const std::string& note : error.notes()) result.note(note);
  for (const std::string& help : error.helps()) result.help(help);
  return result;
}

// NVRTC of this process. Looked for again after a failure: it may be installed by then.
std::shared_ptr<const CudaCompiler> nvrtc() {
  static std::mutex mutex;
  static std::shared_ptr<const CudaCompiler> found;
  const std::lock_guard lock(mutex);
  if (!found) found = load_nvrtc();
  return found;
}

void check_headers(const CudaFunction& function) {
  for (DType dtype : function.dtypes) {
    const char* header = header_of(dtype);
    if (header == nullptr || !toolkit_include_folders(header).empty()) continue;
    throw Error(3310, "passing " + std::string(name_of(dtype)) + " to the CUDA function '" + function.name + "' needs " + header + ", which is not here", function.where)
        .help("install a CUDA toolkit, or the Python package nvidia-cuda-runtime; or cast to f32");
  }
}

}  // namespace

mlir::Value call_cuda_function(Builder& b, tile::ExternOp op, mlir::ValueRange operands) {
  llvm::SmallVector<Value> words;
  llvm::SmallVector<mlir::Type> types;
  for (auto [operand, dtype] : llvm::zip(operands, op.getDtypes())) {
    words.push_back(to_word(b, operand, dtype_of(dtype)));
    types.push_back(words.back().getType());
  }
  const mlir::Type result = tile::element_type_of(op.getType());
  auto call = LLVM::CallOp::create(b, declaration(b, op, types, word_type(b, result)), words);
  return from_word(b, call.getResult(), result);
}

std::vector<CudaFunction> cuda_functions(mlir::ModuleOp module) {
  std::vector<CudaFunction> functions;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    auto description = function->getAttrOfType<mlir::DictionaryAttr>(kFunctionAttr);
    if (!description) continue;
    CudaFunction found;
    found.symbol = function.getName().str();
    found.name = description.getAs<mlir::StringAttr>("name").str();
    found.source = description.getAs<mlir::StringAttr>("source").str();
    for (mlir::Attribute dtype : description.getAs<mlir::ArrayAttr>("dtypes")) found.dtypes.push_back(dtype_of(dtype));
    found.where = position_of(function.getLoc());
    functions.push_back(std::move(found));
  }
  return functions;
}

std::string cuda_text(const std::vector<CudaFunction>& functions) {
  std::string text = functions.front().source + "\n";
  for (const char* header : {"cuda_fp16.h", "cuda_bf16.h"}) {
    const auto needs = [&](const CudaFunction& function) {
      return std::any_of(function.dtypes.begin(), function.dtypes.end(), [&](DType dtype) { return header_of(dtype) != nullptr && std::string_view(header_of(dtype)) == header; });
    };
    if (std::any_of(functions.begin(), functions.end(), needs)) text += "#include <" + std::string(header) + ">\n";
  }
  for (const CudaFunction& function : functions) text += "#line 1 \"call of " + function.name + "\"\n" + wrapper(function);
  return text;
}

std::string with_local_definitions(const std::string& ptx, std::string_view kept) {
  std::istringstream lines(ptx);
  std::string text;
  for (std::string line; std::getline(lines, line); text += '\n') {
    std::size_t prefix = 0;
    for (std::string_view linkage : {".visible ", ".weak "}) {
      if (line.starts_with(linkage)) prefix = linkage.size();
    }
    const bool keeps = line.find(kept) != std::string::npos;
    text += keeps ? line : line.substr(prefix);
  }
  return text;
}

std::vector<PtxSource> compile_cuda_functions(const std::vector<CudaFunction>& functions, const NvidiaTarget& target) {
  std::map<std::string, std::vector<CudaFunction>> by_source;
  for (const CudaFunction& function : functions) by_source[function.source].push_back(function);
  std::vector<PtxSource> compiled;
  for (const auto& [source, group] : by_source) {
    const CudaFunction& first = group.front();
    for (const CudaFunction& function : group) check_headers(function);
    try {
      const std::string ptx = nvrtc()->compile({first.name + ".cu", cuda_text(group), {"--relocatable-device-code=true"}}, target.name);
      compiled.push_back({first.name + ".ptx", with_local_definitions(ptx, kSymbols)});
    } catch (const Error& error) {
      const std::string prefix = error.code() == 3310 ? "the CUDA function '" + first.name + "' cannot be compiled: " : std::string();
      throw located(error, prefix + error.message(), first.where);
    }
  }
  return compiled;
}

}  // namespace tilewright::nvidia
