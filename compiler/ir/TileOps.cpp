#include "compiler/ir/TileOps.h"

#include "compiler/ir/TileAssembly.h"

#define GET_OP_CLASSES
#include "compiler/ir/TileOps.cpp.inc"
