// Which element each register of each lane holds in the operands of AMD's matrix instructions.
#pragma once

#include "compiler/gpu/target.h"
#include "compiler/targets/amd/amd_target.h"

#include <vector>

namespace tilewright::amd {

// Of 16-bit floats, added up in f32. Names are those of the instructions, up to the type of the operands: "mfma_f32_16x16x16".
const gpu::MatrixInstruction& matrix_instruction(MatrixFamily family);

}  // namespace tilewright::amd
