// Types of the `tile` dialect, and the constraints its operations share.
#ifndef TILEWRIGHT_TILE_TYPES
#define TILEWRIGHT_TILE_TYPES

include "compiler/ir/TileDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/EnumAttr.td"

def Tile_View : TypeDef<Tile_Dialect, "View"> {
  let mnemonic = "view";
  let summary = "a strided view of memory";
  let description = [{
    An address, and for every dimension a size in [0, 2^62) and a stride in elements, all known when the kernel runs. Coordinates start at 0;
    the memory outside the sizes is never accessed. Spelled `!tile.view<?x?xf32>`; `!tile.view<f32>` has rank 0.
  }];
  let parameters = (ins "int64_t":$rank, "::mlir::Type":$elementType);
  let builders = [TypeBuilderWithInferredContext<(ins "int64_t":$rank, "::mlir::Type":$elementType), [{
    return $_get(elementType.getContext(), rank, elementType);
  }]>];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

// ---- elements, tiles
def Tile_Int : AnyTypeOf<[I1, I8, I16, I32, I64], "signless integer">;
def Tile_Float : AnyTypeOf<[F16, BF16, F32, F64], "float">;
def Tile_Element : AnyTypeOf<[I1, I8, I16, I32, I64, F16, BF16, F32, F64], "scalar">;

// The format of 8-bit floats whose bits are in i8.
def Tile_Float8Attr : TypeAttrBase<"::mlir::FloatType", "f8E4M3FN or f8E5M2", CPred<"::llvm::isa<::mlir::Float8E4M3FNType, ::mlir::Float8E5M2Type>($_self)">> {
  let constBuilderCall = "::mlir::TypeAttr::get($0)";
}

class Tile_TensorOf<list<Type> elements, string what> : Type<
    And<[StaticShapeTensorOf<elements>.predicate, CPred<"::llvm::cast<::mlir::ShapedType>($_self).getRank() >= 1">,
         CPred<"::llvm::cast<::mlir::ShapedType>($_self).getNumElements() >= 1">]>,
    "tile (static tensor of rank >= 1, no empty extent) of " # what, "::mlir::RankedTensorType">;

def Tile_Tensor : Tile_TensorOf<[I1, I8, I16, I32, I64, F16, BF16, F32, F64], "integers or floats">;
def Tile_IndexTensor : Tile_TensorOf<[I32, I64], "i32 or i64">;
def Tile_MaskTensor : Tile_TensorOf<[I1], "i1">;

def Tile_Any : AnyTypeOf<[Tile_Element, Tile_Tensor], "scalar or tile">;
def Tile_Index : AnyTypeOf<[I64, Tile_IndexTensor], "i64, or tile of i32 or i64">;
def Tile_Mask : AnyTypeOf<[I1, Tile_MaskTensor], "i1, or tile of i1">;

// ---- reductions
def Tile_ReduceKind : I32EnumAttr<"ReduceKind", "how two elements are combined", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Prod", 1, "prod">,
    I32EnumAttrCase<"MinS", 2, "mins">, I32EnumAttrCase<"MinU", 3, "minu">, I32EnumAttrCase<"MinF", 4, "minf">,
    I32EnumAttrCase<"MaxS", 5, "maxs">, I32EnumAttrCase<"MaxU", 6, "maxu">, I32EnumAttrCase<"MaxF", 7, "maxf">,
    I32EnumAttrCase<"And", 8, "and">, I32EnumAttrCase<"Or", 9, "or">, I32EnumAttrCase<"Xor", 10, "xor">,
    I32EnumAttrCase<"Custom", 11, "custom">]> {
  let cppNamespace = "::tilewright::tile";
}

// ---- atomic operations
def Tile_AtomicKind : I32EnumAttr<"AtomicKind", "what an atomic operation writes", [
    I32EnumAttrCase<"Add", 0, "add">,
    I32EnumAttrCase<"MinS", 1, "mins">, I32EnumAttrCase<"MinU", 2, "minu">, I32EnumAttrCase<"MinF", 3, "minf">,
    I32EnumAttrCase<"MaxS", 4, "maxs">, I32EnumAttrCase<"MaxU", 5, "maxu">, I32EnumAttrCase<"MaxF", 6, "maxf">,
    I32EnumAttrCase<"And", 7, "and">, I32EnumAttrCase<"Or", 8, "or">, I32EnumAttrCase<"Xor", 9, "xor">,
    I32EnumAttrCase<"Exchange", 10, "exchange">, I32EnumAttrCase<"CompareExchange", 11, "compare_exchange">]> {
  let cppNamespace = "::tilewright::tile";
}

// As numbered in programs; there is no fence of relaxed order.
def Tile_MemoryOrder : I32EnumAttr<"MemoryOrder", "what a fence orders", [
    I32EnumAttrCase<"Acquire", 1, "acquire">, I32EnumAttrCase<"Release", 2, "release">, I32EnumAttrCase<"AcquireRelease", 3, "acquire_release">]> {
  let cppNamespace = "::tilewright::tile";
}

#endif
