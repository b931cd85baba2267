// The `tile` dialect: what a kernel means, said without naming a target.
#ifndef TILEWRIGHT_TILE_DIALECT
#define TILEWRIGHT_TILE_DIALECT

include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::tilewright::tile";
  let summary = "Kernels over tiles, target-neutral.";
  let description = [{
    A kernel is one `func.func` with the attribute `tile.kernel`. Its arguments are views of memory (`!tile.view<?x?xf32>`) and scalars; one
    instance of it runs for every point of a grid, which `tile.program_id` and `tile.num_programs` tell. The grid itself is not part of the
    function.

    Values are immutable. A *tile* is a builtin ranked tensor of static shape and rank at least one; a tile of rank zero is a plain scalar, never
    `tensor<f32>`. Extents may be any positive number. Element types are `i1`, `i8`, `i16`, `i32`, `i64`, `f16`, `bf16`, `f32` and `f64`; integers
    are signless and the operation says how it reads them. 8-bit floats are `i8` too: `tile.decode_f8`, `tile.encode_f8` and `tile.dot` say in which
    format. In memory an `i1` takes one byte, 0 or 1.

    The dialect has only what `arith`, `math` and `scf` lack. Elementwise arithmetic is `arith` and `math` on tensors and scalars; integer
    division and conversion from floats, where `arith` leaves cases undefined, are `tile.divs` and its kin. Arithmetic on `f16` and `bf16` is
    spelled as an extension to `f32`, the operation, and one truncation. Loops are `scf.for` over `i64`, `scf.while` and `scf.if`; an `scf.for`
    may carry `tile.stages`, the number of iterations in flight that its author asks for, and beside it the unit attribute `tile.uniform_warps`, with
    which all warps of a device are to do the same in it.

    A kernel may carry `tile.warps`, the number of warps that its author asks for on devices whose threads come in warps.

    Attributes of a kernel's arguments: `tile.name` (string) and `tile.kind` (`"in"`, `"out"`, `"inout"`, `"scalar"`), and on views the facts of
    the call, as unit attributes: `tile.unit_inner_stride` (the last dimension has stride 1), `tile.aligned16` (the base address, and every stride
    but the last in bytes, is a multiple of 16), `tile.fits32` (every element's offset, in elements, fits in a signed 32-bit integer) and `tile.whole_rows16` (of rank 2
    or more, and the last dimension's size in bytes is a multiple of 16).
  }];
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let extraClassDeclaration = [{
    void register_types();
  }];
}

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

#endif
