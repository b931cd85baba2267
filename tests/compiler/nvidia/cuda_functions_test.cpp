// Functions in CUDA C++ that kernels call: their wrappers, what is seen of them from outside, and what is needed to link them.
#include "compiler/targets/nvidia/cuda_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tilewright::nvidia {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CudaFunctions, WrappersPassWords) {
  const std::vector<CudaFunction> functions = {{"w0", "f", "SOURCE", {DType::F32, DType::I8, DType::Bool, DType::U64, DType::F64}, {}},
                                               {"w1", "g", "SOURCE", {DType::F16, DType::BF16}, {}}};
  const std::string text = cuda_text(functions);
  EXPECT_THAT(text, HasSubstr("SOURCE\n#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n#line 1 \"call of f\"\n"));
  EXPECT_THAT(text, HasSubstr("extern \"C\" __device__ double w0(float a0, int a1, unsigned a2, unsigned long long a3) { return static_cast<double>(f(static_cast<float>(a0), "
                              "static_cast<signed char>(a1), static_cast<bool>(a2), static_cast<unsigned long long>(a3))); }\n"));
  EXPECT_THAT(text, HasSubstr("extern \"C\" __device__ unsigned w1(unsigned a0) { return "
                              "__bfloat16_as_ushort(static_cast<__nv_bfloat16>(g(__ushort_as_half(static_cast<unsigned short>(a0))))); }\n"));
  EXPECT_THAT(cuda_text({functions[0]}), Not(HasSubstr("#include")));
}

TEST(CudaFunctions, DefinitionsOfTheAuthorAreLocal) {
  EXPECT_EQ(with_local_definitions(".visible .func f()\n.weak .func g()\n.visible .func keep_0()\n.extern .func vprintf\n.visible .global .b32 t;\n", "keep_"),
            ".func f()\n.func g()\n.visible .func keep_0()\n.extern .func vprintf\n.global .b32 t;\n");
}

}  // namespace
}  // namespace tilewright::nvidia
