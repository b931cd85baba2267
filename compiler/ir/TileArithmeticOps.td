// Elementwise operations where `arith` leaves cases undefined, and those that are functions of another language.
#ifndef TILEWRIGHT_TILE_ARITHMETIC_OPS
#define TILEWRIGHT_TILE_ARITHMETIC_OPS

include "compiler/ir/TileTypes.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// Vectors are allowed too, so that a target may vectorise before it expands these.
def Tile_IntLike : TypeOrValueSemanticsContainer<Tile_Int, "integer-like">;
def Tile_FloatLike : TypeOrValueSemanticsContainer<Tile_Float, "float-like">;

class Tile_DivisionOp<string mnemonic> : Tile_Op<mnemonic, [Pure, SameOperandsAndResultType] # ElementwiseMappable.traits> {
  let arguments = (ins Tile_IntLike:$lhs, Tile_IntLike:$rhs);
  let results = (outs Tile_IntLike:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Tile_DivSOp : Tile_DivisionOp<"divs"> {
  let summary = "signed division";
  let description = [{
    The quotient of signed integers, rounded toward zero; `x / 0` is 0 and the lowest integer divided by -1 is itself.

    ```mlir
    %q = tile.divs %a, %b : tensor<64xi32>
    ```
  }];
}

def Tile_DivUOp : Tile_DivisionOp<"divu"> {
  let summary = "unsigned division";
  let description = [{
    The quotient of unsigned integers, rounded toward zero; `x / 0` is 0.

    ```mlir
    %q = tile.divu %a, %b : i64
    ```
  }];
}

def Tile_RemSOp : Tile_DivisionOp<"rems"> {
  let summary = "signed remainder";
  let description = [{
    `x - divs(x, y) * y`: it has the sign of `x`, `x rem 0` is `x`, and the lowest integer has remainder 0 by -1.

    ```mlir
    %r = tile.rems %a, %b : tensor<64xi32>
    ```
  }];
}

def Tile_RemUOp : Tile_DivisionOp<"remu"> {
  let summary = "unsigned remainder";
  let description = [{
    `x - divu(x, y) * y`; `x rem 0` is `x`.

    ```mlir
    %r = tile.remu %a, %b : tensor<64xi32>
    ```
  }];
}

class Tile_FloatToIntOp<string mnemonic> : Tile_Op<mnemonic, [Pure, SameOperandsAndResultShape] # ElementwiseMappable.traits> {
  let arguments = (ins Tile_FloatLike:$input);
  let results = (outs Tile_IntLike:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasFolder = 1;
}

def Tile_FPToSISatOp : Tile_FloatToIntOp<"fptosi_sat"> {
  let summary = "float to signed integer, saturating";
  let description = [{
    Rounds toward zero; what lies beyond the signed integers of the result's width becomes the nearest of them, NaN becomes 0.

    ```mlir
    %i = tile.fptosi_sat %x : tensor<64xf32> to tensor<64xi8>
    ```
  }];
}

def Tile_FPToUISatOp : Tile_FloatToIntOp<"fptoui_sat"> {
  let summary = "float to unsigned integer, saturating";
  let description = [{
    Rounds toward zero; what lies beyond the unsigned integers of the result's width becomes the nearest of them, NaN becomes 0.

    ```mlir
    %i = tile.fptoui_sat %x : f32 to i32
    ```
  }];
}

def Tile_ExternOp : Tile_Op<"extern", [Pure, SameOperandsAndResultShape] # ElementwiseMappable.traits> {
  let summary = "a function of another language";
  let description = [{
    The function `name` of the elements at each place. `source`, in the language `language`, defines it. `dtypes` names the element types of the arguments and, last, of the
    result as the author wrote them (`f32`, `u8`, `bool`): types here have no sign. The function computes from its arguments alone.

    Targets that do not compile the language refuse the program.

    ```mlir
    %y = tile.extern "cuda" "gelu"(%x) source "__device__ float gelu(float x) { ... }" dtypes ["f32", "f32"] : (tensor<64xf32>) -> tensor<64xf32>
    ```
  }];
  let arguments = (ins Variadic<Tile_Any>:$inputs, StrAttr:$language, StrAttr:$name, StrAttr:$source, StrArrayAttr:$dtypes);
  let results = (outs Tile_Any:$result);
  let assemblyFormat = "$language $name `(` $inputs `)` `source` $source `dtypes` $dtypes attr-dict `:` functional-type($inputs, $result)";
  let hasVerifier = 1;
}

// ---- 8-bit floats: tiles and views hold their bits as i8, and operations say the format
def Tile_F32Like : TypeOrValueSemanticsContainer<F32, "f32-like">;
def Tile_I8Like : TypeOrValueSemanticsContainer<I8, "i8-like">;

def Tile_DecodeF8Op : Tile_Op<"decode_f8", [Pure, SameOperandsAndResultShape] # ElementwiseMappable.traits> {
  let summary = "8-bit float to f32";
  let description = [{
    The value of the bits of a number in `format`, `f8E4M3FN` or `f8E5M2`; exact, and NaN stays NaN.

    ```mlir
    %x = tile.decode_f8 f8E4M3FN %bits : tensor<64xi8> to tensor<64xf32>
    ```
  }];
  let arguments = (ins Tile_Float8Attr:$format, Tile_I8Like:$input);
  let results = (outs Tile_F32Like:$result);
  let assemblyFormat = "$format $input attr-dict `:` type($input) `to` type($result)";
}

def Tile_EncodeF8Op : Tile_Op<"encode_f8", [Pure, SameOperandsAndResultShape] # ElementwiseMappable.traits> {
  let summary = "f32 to 8-bit float, saturating";
  let description = [{
    The bits of the nearest number in `format`, `f8E4M3FN` or `f8E5M2`, ties to even. What is beyond the largest number, or would be when rounded,
    becomes that number, infinity too; NaN stays NaN.

    ```mlir
    %bits = tile.encode_f8 f8E5M2 %x : f32 to i8
    ```
  }];
  let arguments = (ins Tile_Float8Attr:$format, Tile_F32Like:$input);
  let results = (outs Tile_I8Like:$result);
  let assemblyFormat = "$format $input attr-dict `:` type($input) `to` type($result)";
}

#endif
