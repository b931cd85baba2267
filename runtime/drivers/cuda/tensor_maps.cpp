#include "runtime/drivers/cuda/tensor_maps.h"

#include <algorithm>
#include <array>
#include <optional>

namespace tilewright::cuda {

namespace {

constexpr std::size_t kMostRank = 5, kZeroBytes = 128;

// How the driver calls elements of this type, where they are copied in boxes.
std::optional<CUtensorMapDataType> data_type_of(DType dtype) {
  if (dtype == DType::F16) return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
  if (dtype == DType::BF16) return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  if (dtype == DType::F32) return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
  if (is_float8(dtype)) return CU_TENSOR_MAP_DATA_TYPE_UINT8;
  return std::nullopt;
}

}  // namespace

TensorMaps::TensorMaps(std::shared_ptr<const CudaContext> context, const Artifact& artifact) : context_(std::move(context)) {
  if (artifact.maps.empty()) return;
  const std::string kernel = "the artifact of kernel '" + artifact.kernel + "'";
  if (context_->api().cuTensorMapEncodeTiled == nullptr || context_->properties().capability_major < 9)
    throw Error(3303, kernel + " lets the device copy boxes of tensors, which device '" + context_->device_name() + "' or its driver cannot");
  const program::Program& program = *artifact.program;
  for (const BoxMap& asked : artifact.maps) {
    const auto wrong = [&](const std::string& what) { return Error(3303, kernel + " maps boxes of parameter " + std::to_string(asked.parameter) + ", " + what); };
    if (asked.parameter >= program.params.size()) throw wrong("and there are " + std::to_string(program.params.size()));
    Map map{artifact.kernel, program.params[asked.parameter].name, 0, {}, {asked.box.rbegin(), asked.box.rend()}};
    for (std::size_t i = 0; i < asked.parameter; ++i) {
      const program::Type& type = program.type(program.params[i].value);
      map.slot += type.is_view ? 1 + 2 * type.rank() : 1;
    }
    const program::Type& type = program.type(program.params[asked.parameter].value);
    if (!type.is_view || type.rank() != asked.box.size() || type.rank() < 2 || type.rank() > kMostRank) throw wrong("which is " + to_string(type));
    const auto data_type = data_type_of(type.dtype);
    if (!data_type) throw wrong("of elements that are not copied so");
    map.type = *data_type;
    map.element_bytes = size_of(type.dtype);
    map.is_written = program.params[asked.parameter].kind != program::ParamKind::Input;
    maps_.push_back(std::move(map));
  }
  CUdeviceptr zeros = 0;
  context_->check(context_->api().cuMemAlloc(&zeros, 2 * kZeroBytes), "cuMemAlloc");
  zeros_ = std::shared_ptr<void>(reinterpret_cast<void*>(zeros), [context = context_](void* address) {
    const SetupScope scope(*context, std::nothrow);
    if (scope) context->api().cuMemFree(reinterpret_cast<CUdeviceptr>(address));
  });
  context_->check(context_->api().cuMemsetD8Async(zeros, 0, 2 * kZeroBytes, nullptr), "cuMemsetD8Async");
  context_->check(context_->api().cuStreamSynchronize(nullptr), "cuStreamSynchronize");
}

std::size_t TensorMaps::parameter_bytes(std::size_t slots) const { return 8 * slots + maps_.size() * sizeof(CUtensorMap); }

void TensorMaps::make(std::span<const std::uint64_t> arguments, std::vector<CUtensorMap>& maps) const {
  maps.clear();
  for (const Map& map : maps_) maps.push_back(encode(map, arguments));
}

void MappedParameters::set(const TensorMaps& maps, std::span<const std::uint64_t> arguments, std::span<const std::uint64_t> parameters) {
  addresses_.clear();
  if (maps.empty()) return;
  maps.make(arguments, maps_);
  for (const std::uint64_t& parameter : parameters) addresses_.push_back(const_cast<std::uint64_t*>(&parameter));
  for (CUtensorMap& map : maps_) addresses_.push_back(&map);
}

CUtensorMap TensorMaps::encode(const Map& map, std::span<const std::uint64_t> arguments) const {
  const std::size_t rank = map.box.size();
  auto* address = reinterpret_cast<void*>(arguments[map.slot]);
  const auto size = [&](std::size_t dimension) { return arguments[map.slot + rank - dimension]; };  // of the last one first
  const auto stride = [&](std::size_t dimension) { return arguments[map.slot + 2 * rank - dimension]; };
  std::array<std::uint64_t, kMostRank> sizes{}, strides{};
  std::array<unsigned, kMostRank> steps{};
  for (std::size_t i = 0; i < rank; ++i) {
    sizes[i] = size(i);
    steps[i] = 1;
    if (i > 0) strides[i - 1] = stride(i) * map.element_bytes;
  }
  if (std::find(sizes.begin(), sizes.begin() + rank, 0) != sizes.begin() + rank) {
    address = static_cast<char*>(zeros_.get()) + (map.is_written ? kZeroBytes : 0);
    std::fill(sizes.begin(), sizes.begin() + rank, 1);
    std::fill(strides.begin(), strides.begin() + rank, kZeroBytes);
  }
  const bool is_row = std::all_of(map.box.begin() + 1, map.box.end(), [](unsigned extent) { return extent == 1; });
  CUtensorMap encoded;
  const CUresult result =
      context_->api().cuTensorMapEncodeTiled(&encoded, map.type, static_cast<unsigned>(rank), address, sizes.data(), strides.data(), map.box.data(), steps.data(), CU_TENSOR_MAP_INTERLEAVE_NONE,
                                             is_row ? CU_TENSOR_MAP_SWIZZLE_NONE : CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result == CUDA_SUCCESS) return encoded;
  std::string view = "at " + address_text(address) + ", sizes and strides";
  for (std::size_t i = rank; i-- > 0;) view += " " + std::to_string(static_cast<std::int64_t>(size(i))) + ":" + std::to_string(static_cast<std::int64_t>(stride(i)));
  throw Error(3305, "argument '" + map.name + "' of kernel '" + map.kernel + "' cannot be copied in boxes on device '" + context_->device_name() +
                        "': cuTensorMapEncodeTiled failed: " + context_->library().describe(result))
      .note(view)
      .help("strides are to be less than 2^40 bytes, and not negative");
}

}  // namespace tilewright::cuda
