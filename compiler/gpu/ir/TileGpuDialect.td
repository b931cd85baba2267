// The `tile_gpu` dialect: tiles that the threads of a block hold together.
#ifndef TILEWRIGHT_TILE_GPU_DIALECT
#define TILEWRIGHT_TILE_GPU_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def TileGpu_Dialect : Dialect {
  let name = "tile_gpu";
  let cppNamespace = "::tilewright::tile_gpu";
  let summary = "Tiles held by the threads of a block, for any GPU.";
  let description = [{
    At this level a tile is still a builtin tensor and still computed by the operations of `tile`, `arith` and `math`, but its type carries a
    `#tile_gpu.layout`, which says which element each register of each thread holds (compiler/layout/layout.h). Elementwise operations have one layout for all
    of their operands and results; `tile_gpu.convert_layout` takes a tile from one layout to another.

    A module at this level says how many warps a block has (`tile_gpu.warps`) and how many lanes a warp has (`tile_gpu.lanes`).
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void register_attributes();
    void register_types();
  }];
}

class TileGpu_Op<string mnemonic, list<Trait> traits = []> : Op<TileGpu_Dialect, mnemonic, traits>;

def TileGpu_Layout : AttrDef<TileGpu_Dialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "which element of a tile each register of each thread holds";
  let description = [{
    A layout of compiler/layout, as the encoding of a tensor type. In brackets stand the bases of the atom: the coordinates that bit 0, bit 1, ... of the number of
    a register, lane, warp, block moves by; `repeat axis * stride by count place` are the repetitions, with `copies` for an axis where the elements are the same.
    The extents are those of the tensor.

    ```mlir
    #tile_gpu.layout<[4, 12] register [0, 1] lane [0, 2] and [1, 0] and [2, 0] repeat 1 * 4 by 3 register>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$code);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static LayoutAttr get(::mlir::MLIRContext* context, const ::tilewright::layout::Layout& layout);
    ::tilewright::layout::Layout layout() const;
  }];
}

def TileGpu_AccessKind : I32EnumAttr<"AccessKind", "how an operation of one thread touches shared memory", [
    I32EnumAttrCase<"Load", 0, "load">, I32EnumAttrCase<"Store", 1, "store">, I32EnumAttrCase<"Matrices", 2, "matrices">, I32EnumAttrCase<"Copy", 3, "copy">,
    I32EnumAttrCase<"Handed", 4, "handed">, I32EnumAttrCase<"Sent", 5, "sent">]> {
  let cppNamespace = "::tilewright::tile_gpu";
  let genSpecializedAttr = 0;
}

def TileGpu_Access : AttrDef<TileGpu_Dialect, "Access"> {
  let mnemonic = "access";
  let summary = "what an operation does to shared memory";
  let description = [{
    Stands as `tile_gpu.access` at every operation of a lowered kernel that touches shared memory: a load, a store, a read of matrices by a warp, an asynchronous copy, or an access to a
    tile of a channel, which signals put in order (`handed`), a copy to global memory that goes on until a note says that it has read all (`sent`), of the `tile_gpu.buffer` of that number; or a list of such, where an operation touches several buffers. A note of a phase (`tile_gpu.note`) begins a phase. In one phase stores to one buffer never meet: no two threads store different values to one byte.
    Loads and stores of one phase that are `apart` do not meet either: one thread alone touches a byte.

    `turn t` is of a buffer of several tiles that are used in turns (the notes `turn` and `restart`): in turn i the access touches the tile i + t modulo the number of tiles alone.

    `warps m` says that each byte is touched by one warp alone: the same one by all accesses with equal m whose buffers begin at one address.

    ```mlir
    llvm.store %x, %p {tile_gpu.access = #tile_gpu.access<store of 3>} : f32, !llvm.ptr<3>
    ```
  }];
  let parameters = (ins EnumParameter<TileGpu_AccessKind>:$kind, "int64_t":$buffer, DefaultValuedParameter<"int64_t", "-1">:$turn, DefaultValuedParameter<"bool", "false">:$apart,
                        DefaultValuedParameter<"int64_t", "0">:$warps);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    bool writes() const { return getKind() == AccessKind::Store || getKind() == AccessKind::Copy; }
    bool goes_on() const { return getKind() == AccessKind::Copy || getKind() == AccessKind::Sent; }  // when the operation is done
  }];
}

def TileGpu_BarrierKind : I32EnumAttr<"BarrierKind", "who waits for whom, and what is ordered", [
    I32EnumAttrCase<"Block", 0, "block">, I32EnumAttrCase<"Warp", 1, "warp">, I32EnumAttrCase<"Memory", 2, "memory">]> {
  let cppNamespace = "::tilewright::tile_gpu";
  let genSpecializedAttr = 0;
}

def TileGpu_Barrier : AttrDef<TileGpu_Dialect, "Barrier"> {
  let mnemonic = "barrier";
  let summary = "a barrier of a lowered kernel";
  let description = [{
    Stands as `tile_gpu.barrier` at the operations that a barrier is made of; all of them have its number. `block` and `warp` order shared memory, `memory` stands for a barrier of the
    block that orders global memory too.
  }];
  let parameters = (ins EnumParameter<TileGpu_BarrierKind>:$kind, "int64_t":$number);
  let assemblyFormat = "`<` $kind $number `>`";
}

def TileGpu_NoteKind : I32EnumAttr<"NoteKind", "what a note says", [
    I32EnumAttrCase<"Together", 0, "together">, I32EnumAttrCase<"Phase", 1, "phase">, I32EnumAttrCase<"Commit", 2, "commit">, I32EnumAttrCase<"Wait", 3, "wait">,
    I32EnumAttrCase<"Restart", 4, "restart">, I32EnumAttrCase<"Turn", 5, "turn">, I32EnumAttrCase<"Drained", 6, "drained">]> {
  let cppNamespace = "::tilewright::tile_gpu";
}

def TileGpu_Shared : TypeDef<TileGpu_Dialect, "Shared"> {
  let mnemonic = "shared";
  let summary = "tiles in shared memory";
  let description = [{
    `count` tiles of one shape in the block's shared memory, numbered from 0. How the elements of each are arranged follows from shape and element type
    (compiler/gpu/shared_tiles.h).

    ```mlir
    !tile_gpu.shared<3, [64, 128], bf16>
    ```
  }];
  let parameters = (ins "int64_t":$count, ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $count `,` `[` $shape `]` `,` $elementType `>`";
}

def TileGpu_Turns : TypeDef<TileGpu_Dialect, "Turns"> {
  let mnemonic = "turns";
  let summary = "turns that groups of warps take";
}

def TileGpu_Channel : TypeDef<TileGpu_Dialect, "Channel"> {
  let mnemonic = "channel";
  let summary = "a queue of tiles in shared memory";
  let description = [{
    Memory for `count` tiles of one shape, which one role fills and others read, in the order of filling.

    ```mlir
    !tile_gpu.channel<4, [64, 128], bf16>
    ```
  }];
  let parameters = (ins "int64_t":$count, ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $count `,` `[` $shape `]` `,` $elementType `>`";
}

#endif
