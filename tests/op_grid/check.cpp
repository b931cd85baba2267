// From memory to arrays and back.
#include "tests/op_grid/check.h"

#include "compiler/reference/interpreter.h"
#include "tests/fuzz/memory.h"

#include <cmath>
#include <cstring>
#include <sstream>

namespace tilewright::op_grid {

namespace {

// Address of the element with coordinate 0 in every dimension, from the slots.
class Reader {
 public:
  Reader(const Entry& entry, const fuzz::Memory& memory) : entry_(entry), slot_(memory.slots()) {}

  // The bits of the next argument's elements, by index.
  std::vector<std::uint64_t> next(std::size_t argument) {
    const fuzz::TensorSpec& spec = entry_.test.arguments[argument].tensor;
    const std::size_t width = size_of(dtype(argument));
    const char* base = reinterpret_cast<const char*>(static_cast<std::uintptr_t>(*slot_));
    slot_ += 1 + 2 * spec.sizes.size();
    std::vector<std::uint64_t> bits;
    for_each_index(spec.sizes, [&](const Shape& index) {
      std::int64_t offset = 0;
      for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * spec.strides[d];
      bits.push_back(0);
      std::memcpy(&bits.back(), base + offset * static_cast<std::int64_t>(width), width);
    });
    return bits;
  }

  DType dtype(std::size_t argument) const { return entry_.test.program.type(entry_.test.program.params[argument].value).dtype; }

 private:
  const Entry& entry_;
  const std::uint64_t* slot_;
};

std::string text_of(DType dtype, const Value& value) {
  std::ostringstream text;
  if (is_float(dtype)) text << value.real;
  else text << static_cast<long long>(value.whole);
  return text.str();
}

bool agrees(DType dtype, const Value& expected, const Value& actual, const fuzz::TensorSpec& spec) {
  if (!is_float(dtype)) return expected.whole == actual.whole;
  const long double a = round_to(dtype, expected.real), b = actual.real;
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= spec.tolerance + spec.relative_tolerance * std::fabs(a);
}

}  // namespace

std::string check_reference(const Entry& entry) {
  const fuzz::Case& test = entry.test;
  const fuzz::Layout layout = fuzz::kLayouts[0];
  const fuzz::Memory memory(test, layout);
  reference::Interpreter(test.program).run_all(memory.slots());

  Arrays inputs;
  std::vector<std::vector<std::uint64_t>> outputs;
  std::vector<std::size_t> output_arguments;
  Reader reader(entry, memory);
  for (std::size_t i = 0; i < test.arguments.size(); ++i) {
    std::vector<std::uint64_t> bits = reader.next(i);
    if (test.program.params[i].kind == program::ParamKind::Output) {
      outputs.push_back(std::move(bits));
      output_arguments.push_back(i);
      continue;
    }
    inputs.push_back(make_array(reader.dtype(i), test.arguments[i].tensor.sizes));
    for (std::size_t e = 0; e < bits.size(); ++e) inputs.back().values[e] = decode(reader.dtype(i), bits[e]);
  }

  const Arrays expected = entry.expect(inputs);
  if (expected.size() != outputs.size()) return "the expectation has " + std::to_string(expected.size()) + " outputs, the program " + std::to_string(outputs.size());
  std::ostringstream text;
  for (std::size_t o = 0; o < expected.size(); ++o) {
    const std::size_t argument = output_arguments[o];
    const DType dtype = reader.dtype(argument);
    const fuzz::TensorSpec& spec = test.arguments[argument].tensor;
    if (expected[o].shape != spec.sizes || expected[o].dtype != dtype) {
      text << "output " << o << " has another shape or dtype than expected\n";
      continue;
    }
    const std::uint64_t poison = 0x0101010101010101ull * layout.poison & (~0ull >> (64 - 8 * size_of(dtype)));
    int shown = 0;
    for (std::size_t e = 0; e < outputs[o].size(); ++e) {
      const Value& want = expected[o].values[e];
      const bool ok = want.untouched ? outputs[o][e] == poison : agrees(dtype, want, decode(dtype, outputs[o][e]), spec);
      if (ok || ++shown > 3) continue;
      text << "output " << o << " (" << program::to_string(spec.sizes) << "), element " << e << ": expected "
           << (want.untouched ? "nothing stored" : text_of(dtype, want)) << ", got " << text_of(dtype, decode(dtype, outputs[o][e])) << "\n";
    }
  }
  return text.str();
}

}  // namespace tilewright::op_grid
