// Contractions, reductions, scans and operations on the order of elements.
#ifndef TILEWRIGHT_TILE_REDUCTION_OPS
#define TILEWRIGHT_TILE_REDUCTION_OPS

include "compiler/ir/TileTypes.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_DotOp : Tile_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "matrix product added to an accumulator";
  let description = [{
    `acc + a b` for `a` of shape MxK, `b` of KxN and `acc` of MxN, or for each slice of a leading batch axis that all three have. Products and
    sums are formed in the element type of `acc`, in an unspecified order and with or without contraction:

    | `a` and `b`        | `acc`                                  |
    |--------------------|----------------------------------------|
    | `f16`, `bf16`, `f32` | `f32`                                |
    | `f64`              | `f64`                                  |
    | `i8`               | `i32`, wrapping; with `unsigned` the operands are read as unsigned |
    | `i8`, with formats | `f32`; the operands are the bits of 8-bit floats, `f8E4M3FN` or `f8E5M2` |

    ```mlir
    %c = tile.dot %a, %b, %acc : tensor<64x32xbf16>, tensor<32x128xbf16>, tensor<64x128xf32>
    %d = tile.dot %p, %q, %acc formats f8E4M3FN, f8E5M2 : tensor<64x32xi8>, tensor<32x128xi8>, tensor<64x128xf32>
    ```
  }];
  let arguments = (ins Tile_Tensor:$a, Tile_Tensor:$b, Tile_Tensor:$acc, UnitAttr:$is_unsigned, OptionalAttr<Tile_Float8Attr>:$a_format,
                       OptionalAttr<Tile_Float8Attr>:$b_format);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "(`unsigned` $is_unsigned^)? $a `,` $b `,` $acc (`formats` $a_format^ `,` $b_format)? attr-dict `:` type($a) `,` type($b) `,` type($acc)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    bool hasBatch() { return getAcc().getType().getRank() == 3; }
    // What the operands' elements are: their format, where they have one, else their type.
    ::mlir::Type getAElement() { return getAFormatAttr() ? getAFormatAttr().getValue() : getA().getType().getElementType(); }
    ::mlir::Type getBElement() { return getBFormatAttr() ? getBFormatAttr().getValue() : getB().getType().getElementType(); }
  }];
}


def Tile_ReduceOp : Tile_Op<"reduce", [Pure]> {
  let summary = "combine the elements along an axis";
  let description = [{
    Drops `axis` of its operands, of equal shape, combining the elements along it; the result of a tile of rank 1 is a scalar. A kind other than
    `custom` has one operand and no region:

    | kind                    | elements | result                                    |
    |-------------------------|----------|-------------------------------------------|
    | `sum`, `prod`           | integers | wrapping                                  |
    | `sum`, `prod`           | floats   | in an unspecified order                   |
    | `mins`, `maxs`          | integers | read as signed                            |
    | `minu`, `maxu`          | integers | read as unsigned                          |
    | `minf`, `maxf`          | floats   | NaN if any is; -0 lies below +0           |
    | `and`, `or`, `xor`      | integers | bitwise                                   |

    With `custom` the n operands are reduced together by the region, whose block takes 2n scalars, first those of the left elements, then those of
    the right ones, and yields n. It must be associative and commutative and have no side effects; the order and grouping are unspecified.

    ```mlir
    %s = tile.reduce sum %x axis 1 : tensor<64x128xf32> -> tensor<64xf32>
    %v, %i = tile.reduce custom %x, %index axis 0 : tensor<64xf32>, tensor<64xi32> -> f32, i32 {
    ^bb0(%a: f32, %i: i32, %b: f32, %j: i32):
      …
      tile.yield %value, %at : f32, i32
    }
    ```
  }];
  let arguments = (ins Variadic<Tile_Tensor>:$inputs, Tile_ReduceKind:$kind, I64Attr:$axis);
  let results = (outs Variadic<Tile_Any>:$results);
  let regions = (region MaxSizedRegion<1>:$combiner);
  let assemblyFormat = "$kind $inputs `axis` $axis attr-dict `:` type($inputs) `->` type($results)`` custom<Combiner>($combiner)";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_ScanOp : Tile_Op<"scan", [Pure]> {
  let summary = "running combination along an axis";
  let description = [{
    Element `i` of the result along `axis` combines the operand's elements `0 … i`; with `reverse` the elements `i … extent - 1`. Kinds, operands
    and region are those of `tile.reduce`, but a custom combiner need only be associative: its left scalars come from elements that lie before
    those of its right ones in the direction of the scan. The grouping is unspecified.

    ```mlir
    %c = tile.scan sum %x axis 0 : tensor<64xf32> -> tensor<64xf32>
    %r = tile.scan sum %x axis 0 reverse : tensor<64xf32> -> tensor<64xf32>
    ```
  }];
  let arguments = (ins Variadic<Tile_Tensor>:$inputs, Tile_ReduceKind:$kind, I64Attr:$axis, UnitAttr:$reverse);
  let results = (outs Variadic<Tile_Tensor>:$results);
  let regions = (region MaxSizedRegion<1>:$combiner);
  let assemblyFormat = [{
    $kind $inputs `axis` $axis (`reverse` $reverse^)? attr-dict `:` type($inputs) `->` type($results)`` custom<Combiner>($combiner)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_YieldOp : Tile_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["ReduceOp", "ScanOp"]>]> {
  let summary = "result of a combiner";
  let description = [{
    Ends the region of a custom `tile.reduce` or `tile.scan` with the combined scalars.
  }];
  let arguments = (ins Variadic<Tile_Element>:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

class Tile_ArgExtremeOp<string mnemonic> : Tile_Op<mnemonic, [Pure]> {
  let arguments = (ins Tile_Tensor:$input, I64Attr:$axis, UnitAttr:$is_unsigned);
  let results = (outs Tile_Any:$result);
  let assemblyFormat = "(`unsigned` $is_unsigned^)? $input `axis` $axis attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_ArgMaxOp : Tile_ArgExtremeOp<"argmax"> {
  let summary = "where the largest element is";
  let description = [{
    Drops `axis` and gives the `i32` index along it of the largest element; among equal ones the lowest index. NaN ranks below everything; -0
    equals +0. Integers are signed unless `unsigned` is said.

    ```mlir
    %i = tile.argmax %x axis 1 : tensor<64x128xf32> -> tensor<64xi32>
    ```
  }];
}

def Tile_ArgMinOp : Tile_ArgExtremeOp<"argmin"> {
  let summary = "where the smallest element is";
  let description = [{
    Drops `axis` and gives the `i32` index along it of the smallest element; among equal ones the lowest index. NaN ranks above everything; -0
    equals +0. Integers are signed unless `unsigned` is said.

    ```mlir
    %i = tile.argmin %x axis 0 : tensor<64xi8> -> i32
    ```
  }];
}

def Tile_TopKOp : Tile_Op<"topk", [Pure, AllElementTypesMatch<["input", "values"]>, AllShapesMatch<["values", "indices"]>]> {
  let summary = "the first k elements in order";
  let description = [{
    Sorts along `axis`, ascending or `descending`, and keeps the first `k` elements and their indices along the axis. The order is total: by
    value, -0 being equal to +0, then the lower index first; NaN ranks last either way. With `k` equal to the extent this is a stable sort.
    Integers are signed unless `unsigned` is said.

    ```mlir
    %v, %i = tile.topk 16 descending %x axis 1 : tensor<64x128xf32> -> tensor<64x16xf32>, tensor<64x16xi32>
    ```
  }];
  let arguments = (ins Tile_Tensor:$input, I64Attr:$k, I64Attr:$axis, UnitAttr:$descending, UnitAttr:$is_unsigned);
  let results = (outs Tile_Tensor:$values, Tile_TensorOf<[I32], "i32">:$indices);
  let assemblyFormat = [{
    $k (`descending` $descending^)? (`unsigned` $is_unsigned^)? $input `axis` $axis attr-dict `:` type($input) `->` type($values) `,` type($indices)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif
