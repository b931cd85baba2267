// The `tile_gpu` dialect: tiles that the threads of a block hold together.
#ifndef TILEWRIGHT_TILE_GPU_DIALECT
#define TILEWRIGHT_TILE_GPU_DIALECT

include "mlir/IR/AttrTypeBase.td"
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

#endif
