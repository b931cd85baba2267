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

#endif
