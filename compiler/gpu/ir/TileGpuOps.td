// Operations of the `tile_gpu` dialect.
#ifndef TILEWRIGHT_TILE_GPU_OPS
#define TILEWRIGHT_TILE_GPU_OPS

include "compiler/gpu/ir/TileGpuDialect.td"
include "compiler/gpu/ir/TileGpuRoleOps.td"
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
    Memory that belongs to this value from here to its last use, with nothing in it yet. If a loop around that use does not contain this, to the end of the loop.

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
    `tile_gpu.wait` waits for. `turn` is of tiles that a loop uses in turns: iteration i touches the tile i + turn, modulo their number.
  }];
  let arguments = (ins Arg<Tile_View, "", [MemRead]>:$view, Variadic<Tile_Index>:$indices, Optional<Tile_MaskTensor>:$mask, I1:$predicate,
                       Arg<TileGpu_Shared, "", [MemWrite]>:$shared, I32:$slot, DenseI64ArrayAttr:$maps, TileGpu_Layout:$layout, OptionalAttr<I64Attr>:$turn);
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
  let summary = "wait for copies";
  let description = [{ Returns when all groups but the last `pending` ones have arrived. Who reads them next waits for all threads to have come here. }];
  let arguments = (ins I64Attr:$pending);
  let assemblyFormat = "$pending attr-dict";
}

def TileGpu_LocalLoadOp : TileGpu_Op<"local_load"> {
  let summary = "read a tile from shared memory";
  let description = [{
    Tile `slot` of `shared` in the layout of the result; with `transposed` its axes are exchanged. `turn` as in `tile_gpu.copy_async`.

    ```mlir
    %b = tile_gpu.local_load transposed %s at %slot : !tile_gpu.shared<3, [64, 128], bf16> -> tensor<128x64xbf16, #b>
    ```
  }];
  let arguments = (ins Arg<TileGpu_Shared, "", [MemRead]>:$shared, I32:$slot, UnitAttr:$transposed, OptionalAttr<I64Attr>:$turn);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "(`transposed` $transposed^)? $shared `at` $slot attr-dict `:` type($shared) `->` type($result)";
}

def TileGpu_BufferOp : TileGpu_Op<"buffer", [MemoryEffects<[MemAlloc]>]> {
  let summary = "shared memory of a lowered kernel";
  let description = [{
    The address of `bytes` bytes for `tiles` tiles of one size. They belong to this buffer from here to the last access that is marked with its number, and hold nothing before the first.
    With `teams` each of so many teams has such bytes; the address is the first team's, and `tile_gpu.team_stride` leads from one team's to the next.

    ```mlir
    %p = tile_gpu.buffer 3 of 4096 bytes, 1 tiles aligned to 16 : !llvm.ptr<3>
    ```
  }];
  let arguments = (ins I64Attr:$number, I64Attr:$bytes, I64Attr:$tiles, I64Attr:$alignment, OptionalAttr<I64Attr>:$teams);
  let results = (outs AnyType:$address);
  let assemblyFormat = "$number `of` $bytes `bytes` `,` $tiles `tiles` `aligned` `to` $alignment attr-dict `:` type($address)";
}

def TileGpu_TeamStrideOp : TileGpu_Op<"team_stride", [Pure]> {
  let summary = "how far apart buffers of teams are, in bytes";
  let results = (outs I32:$result);
  let assemblyFormat = "attr-dict";
}

def TileGpu_NoteOp : TileGpu_Op<"note", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a fact about a place of a lowered kernel";
  let description = [{
    Does nothing; what orders accesses to shared memory, and what checks their order, reads it. `together`: all threads of the block execute this block of code together. `phase`: a
    phase of accesses begins (`#tile_gpu.access`). `commit`: the thread's asynchronous copies since the last such note are a group. `wait` of `pending`: all groups of the thread but
    the last so many have arrived. `restart`: the next turn of these buffers is turn 0 of a new count. `turn`: the next turn of these buffers begins.
  }];
  let arguments = (ins TileGpu_NoteKind:$kind, OptionalAttr<I64Attr>:$pending, OptionalAttr<DenseI64ArrayAttr>:$buffers);
  let assemblyFormat = "$kind ($pending^)? (`of` $buffers^)? attr-dict";
}

#endif
