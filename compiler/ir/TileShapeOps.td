// Operations that make, move and rearrange elements.
#ifndef TILEWRIGHT_TILE_SHAPE_OPS
#define TILEWRIGHT_TILE_SHAPE_OPS

include "compiler/ir/TileTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_ArangeOp : Tile_Op<"arange", [Pure]> {
  let summary = "consecutive integers";
  let description = [{
    The tile of rank 1 whose element `i` is `start + i`, modulo the width of its type.

    ```mlir
    %i = tile.arange 0 : tensor<64xi64>
    ```
  }];
  let arguments = (ins I64Attr:$start);
  let results = (outs Tile_TensorOf<[I8, I16, I32, I64], "integers">:$result);
  let assemblyFormat = "$start attr-dict `:` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_SplatOp : Tile_Op<"splat", [Pure]> {
  let summary = "a tile of one scalar";
  let description = [{
    Every element of the result is the operand.

    ```mlir
    %t = tile.splat %x : f32 -> tensor<64x128xf32>
    ```
  }];
  let arguments = (ins Tile_Element:$input);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "repeat along axes of extent 1";
  let description = [{
    Operand and result have equal rank; along every axis the operand's extent is the result's, or 1, in which case its one slice is repeated.

    ```mlir
    %t = tile.broadcast %column : tensor<64x1xf32> -> tensor<64x128xf32>
    ```
  }];
  let arguments = (ins Tile_Tensor:$input);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_ReshapeOp : Tile_Op<"reshape", [Pure]> {
  let summary = "the same elements under another shape";
  let description = [{
    The elements of the operand in row-major order under the shape of the result, which has as many. A tile of one element may become a scalar;
    the way back is `tile.splat`.

    ```mlir
    %column = tile.reshape %t : tensor<64xf32> -> tensor<64x1xf32>
    %x = tile.reshape %one : tensor<1xf32> -> f32
    ```
  }];
  let arguments = (ins Tile_Tensor:$input);
  let results = (outs Tile_Any:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_TransposeOp : Tile_Op<"transpose", [Pure]> {
  let summary = "permute axes";
  let description = [{
    Axis `i` of the result is axis `permutation[i]` of the operand.

    ```mlir
    %t = tile.transpose %x [1, 0] : tensor<64x128xf32> -> tensor<128x64xf32>
    ```
  }];
  let arguments = (ins Tile_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$input $permutation attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_ConcatOp : Tile_Op<"concat", [Pure]> {
  let summary = "tiles one after another along an axis";
  let description = [{
    The operands agree in every extent but that of `axis`, where the result's extent is their sum.

    ```mlir
    %t = tile.concat %a, %b axis 1 : tensor<8x4xf32>, tensor<8x12xf32> -> tensor<8x16xf32>
    ```
  }];
  let arguments = (ins Variadic<Tile_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` type($inputs) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_SliceOp : Tile_Op<"slice", [Pure]> {
  let summary = "a part of a tile along one axis";
  let description = [{
    The elements whose coordinate along `axis` lies in `[start, start + extent)`, `extent` being that of the result.

    ```mlir
    %t = tile.slice %x axis 1 from 4 : tensor<8x16xf32> -> tensor<8x12xf32>
    ```
  }];
  let arguments = (ins Tile_Tensor:$input, I64Attr:$axis, I64Attr:$start);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$input `axis` $axis `from` $start attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_TakeOp : Tile_Op<"take", [Pure, AllElementTypesMatch<["input", "result"]>]> {
  let summary = "pick elements along an axis";
  let description = [{
    The result has the shape of `index`, which is that of `input` but along `axis`. Its element at `(…, i, …)` is that of `input` at `(…, index[…,
    i, …], …)`, `i` standing for `axis`. An index is signed and clamped to `[0, extent)`.

    ```mlir
    %t = tile.take %x[%index] axis 1 : tensor<8x16xf32>, tensor<8x4xi32> -> tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Tile_Tensor:$input, Tile_IndexTensor:$index, I64Attr:$axis);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$input `` `[` $index `]` `axis` $axis attr-dict `:` type($input) `,` type($index) `->` type($result)";
  let hasVerifier = 1;
}

#endif
