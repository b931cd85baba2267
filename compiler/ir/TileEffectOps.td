// Operations whose effect is seen outside the kernel's memory.
#ifndef TILEWRIGHT_TILE_EFFECT_OPS
#define TILEWRIGHT_TILE_EFFECT_OPS

include "compiler/ir/TileTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_PrintOp : Tile_Op<"print", [MemoryEffects<[MemWrite]>]> {
  let summary = "print values";
  let description = [{
    Writes `prefix` and its operands for people to read. `unsigned_operands`, if there, has an entry for every operand: whether its integers are
    unsigned.

    ```mlir
    tile.print "row sums " %s, %n : tensor<64xf32>, i64
    ```
  }];
  let arguments = (ins Variadic<Tile_Any>:$values, StrAttr:$prefix, OptionalAttr<DenseBoolArrayAttr>:$unsigned_operands);
  let assemblyFormat = "$prefix ($values^ `:` type($values))? attr-dict";
  let hasVerifier = 1;
}

def Tile_AssertOp : Tile_Op<"assert", [MemoryEffects<[MemWrite]>]> {
  let summary = "stop the kernel unless all are true";
  let description = [{
    If any element of `condition` is false, the launch fails with `message` and the position of this operation.

    ```mlir
    tile.assert %ok, "index out of range" : tensor<64xi1>
    ```
  }];
  let arguments = (ins Tile_Mask:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict `:` type($condition)";
  let hasCanonicalizeMethod = 1;
}

#endif
