// Operations on the grid and on views of memory.
#ifndef TILEWRIGHT_TILE_MEMORY_OPS
#define TILEWRIGHT_TILE_MEMORY_OPS

include "compiler/ir/TileTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_GridAxis : ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<2>]>;

def Tile_ProgramIdOp : Tile_Op<"program_id", [Pure]> {
  let summary = "coordinate of this instance in the grid";
  let description = [{
    The coordinate of the running instance along one of the three axes of the grid, from 0 to `num_programs - 1`.

    ```mlir
    %row = tile.program_id 0
    ```
  }];
  let arguments = (ins Tile_GridAxis:$axis);
  let results = (outs I64:$result);
  let assemblyFormat = "$axis attr-dict";
}

def Tile_NumProgramsOp : Tile_Op<"num_programs", [Pure]> {
  let summary = "extent of the grid";
  let description = [{
    The number of instances along one of the three axes of the grid.

    ```mlir
    %rows = tile.num_programs 0
    ```
  }];
  let arguments = (ins Tile_GridAxis:$axis);
  let results = (outs I64:$result);
  let assemblyFormat = "$axis attr-dict";
}

def Tile_SizeOp : Tile_Op<"size", [Pure]> {
  let summary = "size of a view along an axis";
  let description = [{
    The number of elements of the view along `axis`.

    ```mlir
    %n = tile.size %x axis 1 : !tile.view<?x?xf32>
    ```
  }];
  let arguments = (ins Tile_View:$view, I64Attr:$axis);
  let results = (outs I64:$result);
  let assemblyFormat = "$view `axis` $axis attr-dict `:` custom<View>(type($view))";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_NarrowOp : Tile_Op<"narrow", [Pure, AllTypesMatch<["view", "result"]>]> {
  let summary = "a part of a view along one axis";
  let description = [{
    The view of the coordinates `[start, start + size)` along `axis`; its own coordinates count from `start`. The part is clamped to its parent of
    `n` elements: `start` to `[0, n]`, then `size` to `[0, n - start]`.

    ```mlir
    %part = tile.narrow %x axis 0 from %start size %count : !tile.view<?x?xf32>
    ```
  }];
  let arguments = (ins Tile_View:$view, I64:$start, I64:$size, I64Attr:$axis);
  let results = (outs Tile_View:$result);
  let assemblyFormat = "$view `axis` $axis `from` $start `size` $size attr-dict `:` custom<View>(type($view))";
  let hasVerifier = 1;
}

def Tile_LoadOp : Tile_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "read a tile";
  let description = [{
    Reads a tile of rank r, or a scalar, from a view of rank n. There is one index and one entry of `maps` for every dimension of the view; the
    entry says how the index gives the coordinate of the element at position `i = (i_0, i_1, …)` of the tile:

    | in `maps` | spelled           | index                             | coordinate         |
    |-----------|-------------------|-----------------------------------|--------------------|
    | -1        | `%x`              | scalar                            | `x`                |
    | a >= 0    | `%x along a`      | scalar                            | `x + i_a`          |
    | a >= 0    | `%x along a`      | tile of rank 1, extent `shape[a]` | `x[i_a]`           |
    | -2        | `%x whole`        | tile of the result's shape        | element `i` of `x` |

    An axis of the tile appears at most once; an axis that does not appear repeats the elements. Indices are signed; scalar ones are `i64`, those
    in tiles `i32` or `i64`. Types of indices are spelled where they are not `i64`.

    An element with a coordinate outside `[0, size)`, or whose `mask` is false, is not read: it is `other`, or zero without one. So a load never
    faults, and may be executed where it was not asked for.

    ```mlir
    %t = tile.load %q[%head, %row along 0, %zero along 1] : !tile.view<?x?x?xf32> -> tensor<64x128xf32>
    %g = tile.load %k[%rows along 0 : tensor<64xi32>, %zero along 1] mask %m other %z : f32 : !tile.view<?x?xf32> -> tensor<64x128xf32>
    %s = tile.load %offsets[%i] : !tile.view<?xi32> -> i32
    ```
  }];
  let arguments = (ins Arg<Tile_View, "", [MemRead]>:$view, Variadic<Tile_Index>:$indices, Optional<Tile_Mask>:$mask, Optional<Tile_Any>:$other,
                       DenseI64ArrayAttr:$maps);
  let results = (outs Tile_Any:$result);
  let assemblyFormat = [{
    $view `` `[` custom<Coordinates>($indices, type($indices), $maps) (`mask` $mask^)? (`other` $other^ `:` type($other))? attr-dict
    `:` custom<View>(type($view)) `->` type($result) `` custom<MaskType>(ref(type($result)), ref($mask), type($mask))
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_StoreOp : Tile_Op<"store", [AttrSizedOperandSegments]> {
  let summary = "write a tile";
  let description = [{
    Writes a tile, or a scalar, to a view. Indices and `maps` are those of `tile.load`, with the shape of `value` for the tile's. Elements with a
    coordinate outside `[0, size)`, or whose `mask` is false, are not written. Where two elements of one store go to one place, either may stay.

    ```mlir
    tile.store %acc, %o[%head, %row along 0, %zero along 1] mask %m : tensor<64x128xf32>, !tile.view<?x?x?xf32>
    ```
  }];
  let arguments = (ins Tile_Any:$value, Arg<Tile_View, "", [MemWrite]>:$view, Variadic<Tile_Index>:$indices, Optional<Tile_Mask>:$mask,
                       DenseI64ArrayAttr:$maps);
  let assemblyFormat = [{
    $value `,` $view `` `[` custom<Coordinates>($indices, type($indices), $maps) (`mask` $mask^)? attr-dict
    `:` type($value) `,` custom<View>(type($view)) `` custom<MaskType>(ref(type($value)), ref($mask), type($mask))
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_AtomicOp : Tile_Op<"atomic", [AttrSizedOperandSegments, AllTypesMatch<["value", "result"]>]> {
  let summary = "combine a tile with what is in memory, in one step an element";
  let description = [{
    For every element of `value`: reads the element of the view at its place, writes what `kind` says, and gives what was read. No other atomic
    operation on the element, of this or another instance on the device, comes in between. Indices and `maps` are those of `tile.store`. Elements
    with a coordinate outside `[0, size)`, or whose `mask` is false, are not accessed, and give zero.

    | kind                  | elements                         | writes                                          |
    |-----------------------|----------------------------------|-------------------------------------------------|
    | `add`                 | `i32` `i64`; `f16` `bf16` `f32` `f64` | the sum; integers wrap, narrow floats are rounded once |
    | `mins`, `maxs`        | `i32` `i64`                      | the smaller or larger, read as signed           |
    | `minu`, `maxu`        | `i32` `i64`                      | the smaller or larger, read as unsigned         |
    | `minf`, `maxf`        | `f32` `f64`                      | NaN if either is; -0 lies below +0              |
    | `and`, `or`, `xor`    | `i32` `i64`                      | bitwise                                         |
    | `exchange`            | `i32` `i64` `f32` `f64`          | `value`                                         |
    | `compare_exchange`    | `i32` `i64` `f32` `f64`          | `value` where the element has the bits of `expected`, else nothing |

    Where several elements of the tile go to one place, each acts once, in an unspecified order. The operations are relaxed, at the scope of the
    device: other accesses of the instance are not ordered by them as seen from other instances; `tile.fence` does that. Within the instance, accesses
    to a view are in the order of the program.

    ```mlir
    %old = tile.atomic add %ones, %counts[%bins along 0 : tensor<64xi32>] mask %m : tensor<64xi32>, !tile.view<?xi32>
    %was = tile.atomic compare_exchange %locked, %lock[%i] expected %free : i32, !tile.view<?xi32>
    ```
  }];
  let arguments = (ins Tile_AtomicKind:$kind, Tile_Any:$value, Arg<Tile_View, "", [MemRead, MemWrite]>:$view, Variadic<Tile_Index>:$indices,
                       Optional<Tile_Any>:$expected, Optional<Tile_Mask>:$mask, DenseI64ArrayAttr:$maps);
  let results = (outs Tile_Any:$result);
  let assemblyFormat = [{
    $kind $value `,` $view `` `[` custom<Coordinates>($indices, type($indices), $maps) (`expected` $expected^)? (`mask` $mask^)? attr-dict
    `:` type($value) `,` custom<View>(type($view)) `` custom<ExpectedType>(ref(type($value)), ref($expected), type($expected))
    `` custom<MaskType>(ref(type($value)), ref($mask), type($mask))
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
  let extraClassDeclaration = [{
    // Whether the order in which two operations of this kind act on an element does not matter to what is there in the end.
    bool commutes() { return getKind() != AtomicKind::Exchange && getKind() != AtomicKind::CompareExchange; }
  }];
}

def Tile_FenceOp : Tile_Op<"fence", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "order accesses as other instances see them";
  let description = [{
    Orders the accesses of the whole instance, whichever of its threads makes them, at the scope of the device, through elements on which instances
    act atomically. Let an instance execute a fence that releases and then act on an element, and another one act on that element, get what the first
    wrote or what others made of it, and then execute a fence that acquires: the accesses of the first before its fence happen before those of the
    second behind its fence. No access, to whichever view, moves across a fence.

    ```mlir
    tile.fence release
    %before = tile.atomic add %one, %arrived[%row] : i32, !tile.view<?xi32>
    tile.fence acquire
    ```
  }];
  let arguments = (ins Tile_MemoryOrder:$order);
  let assemblyFormat = "$order attr-dict";
  let extraClassDeclaration = [{
    bool acquires() { return getOrder() != MemoryOrder::Release; }
    bool releases() { return getOrder() != MemoryOrder::Acquire; }
  }];
}

#endif
