// Operations of the `tile_gpu` dialect by which warps of a block take different roles and hand shared tiles to each other.
#ifndef TILEWRIGHT_TILE_GPU_ROLE_OPS
#define TILEWRIGHT_TILE_GPU_ROLE_OPS

include "compiler/gpu/ir/TileGpuDialect.td"
include "compiler/ir/TileTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def TileGpu_ChannelOp : TileGpu_Op<"channel", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a queue of shared tiles between two roles";
  let description = [{
    Shared memory for as many tiles as the type says, all free in the beginning. The producer fills them in turn (`tile_gpu.send`), the consumers get them in the same order
    (`tile_gpu.receive`) and give them back (`tile_gpu.release`). How the elements of a tile are arranged follows from shape and element type (compiler/gpu/shared_tiles.h).

    ```mlir
    %c = tile_gpu.channel : !tile_gpu.channel<4, [64, 128], bf16>
    ```
  }];
  let results = (outs TileGpu_Channel:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def TileGpu_RolesOp : TileGpu_Op<"roles", [NoTerminator, SingleBlock]> {
  let summary = "warps that do different things";
  let description = [{
    The block has one more warp than the module says. It carries out the first region, scalar operations and `tile_gpu.send`; all others carry out the second. Only scalars, views and channels may come into a
    role from outside: a tile belongs to the threads that hold it.

    `written`: by the kernel's author, whose order of operations no pass changes. The registers are those of a thread of each role; without them the target chooses.

    With `teams` the consumers are so many teams, and the producer is one more. A team has the warps that the module says; tiles belong to one team, and each goes its own way through its region. Every
    team receives every tile.
  }];
  let arguments = (ins UnitAttr:$written, OptionalAttr<I64Attr>:$producer_registers, OptionalAttr<I64Attr>:$consumer_registers, OptionalAttr<I64Attr>:$teams);
  let regions = (region SizedRegion<1>:$producer, SizedRegion<1>:$consumers);
  let assemblyFormat = "attr-dict-with-keyword `produce` $producer `consume` $consumers";
  let hasRegionVerifier = 1;
}

def TileGpu_SendOp : TileGpu_Op<"send"> {
  let summary = "begin to copy a box of a view to a channel";
  let description = [{
    Waits until the channel's next tile is free, then begins what a `tile.load` with these indices and maps, and zeros for what lies outside of the view, would bring. The tile is received when all of it
    has arrived.
  }];
  let arguments = (ins Arg<Tile_View, "", [MemRead]>:$view, Variadic<I64>:$indices, Arg<TileGpu_Channel, "", [MemWrite]>:$channel, DenseI64ArrayAttr:$maps);
  let assemblyFormat = "$view `[` $indices `]` `maps` $maps `to` $channel attr-dict `:` type($view) `,` type($channel)";
}

def TileGpu_SendTileOp : TileGpu_Op<"send_tile"> {
  let summary = "write a tile to a channel";
  let description = [{
    Waits until the channel's next tile is free, and writes a tile of the producer there. Returns the number of the tile among those of the channel; the producer may read it until it sends the next one.
  }];
  let arguments = (ins Tile_Tensor:$value, Arg<TileGpu_Channel, "", [MemRead, MemWrite]>:$channel);
  let results = (outs I32:$slot);
  let assemblyFormat = "$value `to` $channel attr-dict `:` type($value) `,` type($channel)";
}

def TileGpu_TeamOp : TileGpu_Op<"team", [MemoryEffects<[MemRead]>]> {
  let summary = "the number of the team that asks";
  let results = (outs I64:$result);
  let assemblyFormat = "attr-dict";
}

def TileGpu_ChannelLoadOp : TileGpu_Op<"channel_load"> {
  let summary = "read a tile of a channel";
  let description = [{
    A tile that was received, or sent by the one who reads it, as a tile of registers; with `transposed` its axes are exchanged.

    ```mlir
    %k = tile_gpu.channel_load transposed %c at %slot : !tile_gpu.channel<4, [64, 128], bf16> -> tensor<128x64xbf16>
    ```
  }];
  let arguments = (ins Arg<TileGpu_Channel, "", [MemRead]>:$channel, I32:$slot, UnitAttr:$transposed);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "(`transposed` $transposed^)? $channel `at` $slot attr-dict `:` type($channel) `->` type($result)";
}

def TileGpu_ChannelElementOp : TileGpu_Op<"channel_element"> {
  let summary = "read an element of a list in a channel";
  let arguments = (ins Arg<TileGpu_Channel, "", [MemRead]>:$channel, I32:$slot, I64:$index);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$channel `at` $slot `[` $index `]` attr-dict `:` type($channel) `->` type($result)";
}

def TileGpu_ReceiveOp : TileGpu_Op<"receive"> {
  let summary = "wait for the next tile of a channel";
  let description = [{ Returns the number of the tile among those of the channel. All consumers receive every tile. }];
  let arguments = (ins Arg<TileGpu_Channel, "", [MemRead, MemWrite]>:$channel);
  let results = (outs I32:$slot);
  let assemblyFormat = "$channel attr-dict `:` type($channel)";
}

def TileGpu_ReleaseOp : TileGpu_Op<"release"> {
  let summary = "give a tile of a channel back";
  let description = [{ What was received is read no more by this warp. When all consumers have said so, the producer may fill it again. }];
  let arguments = (ins Arg<TileGpu_Channel, "", [MemWrite]>:$channel, I32:$slot);
  let assemblyFormat = "$channel `at` $slot attr-dict `:` type($channel)";
}

def TileGpu_TurnsOp : TileGpu_Op<"turns", [MemoryEffects<[MemAlloc]>]> {
  let summary = "turns of the groups of warps among the consumers";
  let description = [{ The groups take turns in their order, the first group first. }];
  let results = (outs TileGpu_Turns:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def TileGpu_TakeTurnOp : TileGpu_Op<"take_turn"> {
  let summary = "wait until it is this group's turn";
  let description = [{ What follows, up to `tile_gpu.pass_turn`, one group does at a time. In between nothing may need that all consumers meet. }];
  let arguments = (ins Arg<TileGpu_Turns, "", [MemRead, MemWrite]>:$turns);
  let assemblyFormat = "$turns attr-dict `:` type($turns)";
}

def TileGpu_PassTurnOp : TileGpu_Op<"pass_turn"> {
  let summary = "let the next group take its turn";
  let arguments = (ins Arg<TileGpu_Turns, "", [MemRead, MemWrite]>:$turns);
  let assemblyFormat = "$turns attr-dict `:` type($turns)";
}

def TileGpu_LocalStoreOp : TileGpu_Op<"local_store"> {
  let summary = "write a tile to shared memory";
  let description = [{
    The only tile of `shared` becomes `value`, for products that read it there (`tile_gpu.group_dot`).

    ```mlir
    tile_gpu.local_store %q to %s : tensor<128x128xbf16, #q>, !tile_gpu.shared<1, [128, 128], bf16>
    ```
  }];
  let arguments = (ins Tile_Tensor:$value, Arg<TileGpu_Shared, "", [MemWrite]>:$shared);
  let assemblyFormat = "$value `to` $shared attr-dict `:` type($value) `,` type($shared)";
  let hasVerifier = 1;
}

def TileGpu_CopyOutOp : TileGpu_Op<"copy_out"> {
  let summary = "begin to copy a shared tile to a box of a view";
  let description = [{
    What a `tile.store` of the tile with these indices and maps would write; or `adds`, what relaxed atomic operations would. The tile is read later: `tile_gpu.local_store` to it waits until that
    is done, and so does the end of the role. Nothing else of the kernel reads or writes the view.

    ```mlir
    tile_gpu.copy_out %s to %c[%row, %column] maps [0, 1] : !tile_gpu.shared<1, [128, 256], bf16>, !tile.view<?x?xbf16>
    ```
  }];
  let arguments = (ins Arg<TileGpu_Shared, "", [MemRead]>:$shared, Arg<Tile_View, "", [MemRead, MemWrite]>:$view, Variadic<I64>:$indices, DenseI64ArrayAttr:$maps, UnitAttr:$adds);
  let assemblyFormat = "$shared `to` $view `[` $indices `]` `maps` $maps (`adds` $adds^)? attr-dict `:` type($shared) `,` type($view)";
  let hasVerifier = 1;
}

def TileGpu_GroupDotOp : TileGpu_Op<"group_dot", [AttrSizedOperandSegments, AllTypesMatch<["acc", "result"]>]> {
  let summary = "a matrix product by groups of warps, with operands in shared memory";
  let description = [{
    `acc` plus the product of `a` and `b`. Each is a received tile, or one that was written to shared memory (`tile_gpu.local_store`); `a` may be a tile in registers, too. With `transposed` the axes of the tile in memory
    are exchanged; formats are those of `tile.dot`. Complete when the operation is: the tiles may be released. Or, `in_flight`, it has only begun: a `tile_gpu.group_wait` of the same block, which alone may use the result, completes it.
  }];
  let arguments = (ins Optional<Tile_Tensor>:$a, Arg<Optional<TileGpu_Channel>, "", [MemRead]>:$a_channel, Optional<I32>:$a_slot, Arg<Optional<TileGpu_Shared>, "", [MemRead]>:$a_shared,
                       Arg<Optional<TileGpu_Channel>, "", [MemRead]>:$b_channel, Optional<I32>:$b_slot, Arg<Optional<TileGpu_Shared>, "", [MemRead]>:$b_shared, Tile_Tensor:$acc, UnitAttr:$a_transposed, UnitAttr:$b_transposed, UnitAttr:$in_flight,
                       OptionalAttr<Tile_Float8Attr>:$a_format, OptionalAttr<Tile_Float8Attr>:$b_format);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = [{
    (`registers` $a^ `:` type($a))? (`received` $a_channel^ `at` $a_slot `:` type($a_channel))? (`stored` $a_shared^ `:` type($a_shared))? `times`
    ($b_channel^ `at` $b_slot `:` type($b_channel))? (`stored` $b_shared^ `:` type($b_shared))? `plus` $acc attr-dict `:` type($result)
  }];
  let extraClassDeclaration = [{
    std::int64_t depth() { return (getBShared() ? getBShared().getType().getShape() : getBChannel().getType().getShape())[getBTransposed() ? 1 : 0]; }
  }];
  let hasVerifier = 1;
}

def TileGpu_GroupWaitOp : TileGpu_Op<"group_wait", [AllTypesMatch<["product", "result"]>]> {
  let summary = "wait for a product";
  let description = [{ Completes a `tile_gpu.group_dot` that is in flight, and those before it; of those that have begun since, the last `begun_since` may go on. }];
  let arguments = (ins Arg<Tile_Tensor, "", [MemRead]>:$product, DefaultValuedAttr<I64Attr, "0">:$begun_since);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$product attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif
