// Operations of the `tile_gpu` dialect.
#ifndef TILEWRIGHT_TILE_GPU_OPS
#define TILEWRIGHT_TILE_GPU_OPS

include "compiler/gpu/ir/TileGpuDialect.td"
include "compiler/ir/TileTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def TileGpu_ConvertLayoutOp : TileGpu_Op<"convert_layout", [Pure, AllElementTypesMatch<["input", "result"]>]> {
  let summary = "the same tile in another layout";
  let description = [{
    The elements of the operand, held as the result's layout says. Where the shapes differ, elements correspond in row-major order.

    ```mlir
    %y = tile_gpu.convert_layout %x : tensor<64x128xf32, #a> -> tensor<64x128xf32, #b>
    ```
  }];
  let arguments = (ins Tile_Tensor:$input);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def TileGpu_AllocOp : TileGpu_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "shared memory for some tiles";
  let description = [{
    Memory that belongs to this value for the whole kernel, with nothing in it yet.

    ```mlir
    %s = tile_gpu.alloc : !tile_gpu.shared<3, [64, 128], bf16>
    ```
  }];
  let results = (outs TileGpu_Shared:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def TileGpu_CopyAsyncOp : TileGpu_Op<"copy_async", [AttrSizedOperandSegments]> {
  let summary = "begin to copy a tile of a view to shared memory";
  let description = [{
    Begins what a `tile.load` with these indices, maps and mask, and zeros for what is not read, would bring, into tile `slot` of `shared`. With a false `predicate` nothing is read
    and the tile is filled with zeros. `layout` says which thread copies which elements. The copies begun before a `tile_gpu.commit`, and not before an earlier one, are a group, which
    `tile_gpu.wait` waits for.
  }];
  let arguments = (ins Arg<Tile_View, "", [MemRead]>:$view, Variadic<Tile_Index>:$indices, Optional<Tile_MaskTensor>:$mask, I1:$predicate,
                       Arg<TileGpu_Shared, "", [MemWrite]>:$shared, I32:$slot, DenseI64ArrayAttr:$maps, TileGpu_Layout:$layout);
  let assemblyFormat = [{
    $view `[` $indices `]` `maps` $maps (`mask` $mask^)? `if` $predicate `to` $shared `at` $slot attr-dict `:`
    type($view) `,` `(` type($indices) `)` (`,` `mask` type($mask)^)? `,` type($shared) `by` $layout
  }];
}

def TileGpu_CommitOp : TileGpu_Op<"commit", [MemoryEffects<[MemWrite]>]> {
  let summary = "end a group of copies";
  let description = [{ The copies begun since the last `tile_gpu.commit` become a group, which may be empty. }];
  let assemblyFormat = "attr-dict";
}

def TileGpu_WaitOp : TileGpu_Op<"wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait for copies, and for each other";
  let description = [{
    Returns when all groups but the last `pending` ones have arrived and every thread of the block can read them, and when every thread has come here: what was read before may
    then be overwritten.
  }];
  let arguments = (ins I64Attr:$pending);
  let assemblyFormat = "$pending attr-dict";
}

def TileGpu_LocalLoadOp : TileGpu_Op<"local_load"> {
  let summary = "read a tile from shared memory";
  let description = [{
    Tile `slot` of `shared` in the layout of the result; with `transposed` its axes are exchanged.

    ```mlir
    %b = tile_gpu.local_load transposed %s at %slot : !tile_gpu.shared<3, [64, 128], bf16> -> tensor<128x64xbf16, #b>
    ```
  }];
  let arguments = (ins Arg<TileGpu_Shared, "", [MemRead]>:$shared, I32:$slot, UnitAttr:$transposed);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "(`transposed` $transposed^)? $shared `at` $slot attr-dict `:` type($shared) `->` type($result)";
}

#endif
