#include "dsl/external.h"

#include "dsl/tracer.h"

namespace tilewright {

ExternFunction::ExternFunction(std::string language, std::string source, std::string name, DType result)
    : language_(std::move(language)), source_(std::move(source)), name_(std::move(name)), result_(result) {}

Tile ExternFunction::operator()(ExternArg a, ExternArg b, ExternArg c, ExternArg d, ExternArg e, ExternArg f, ExternArg g, ExternArg h) const {
  detail::Tracer& tracer = detail::Tracer::get(a.at);
  std::vector<program::ValueId> operands;
  for (const ExternArg* argument : {&a, &b, &c, &d, &e, &f, &g, &h}) {
    if (argument->is_given) operands.push_back(tracer.id(argument->ref));
  }
  return tracer.tile(tracer.build().external({language_, name_, source_}, operands, result_));
}

ExternFunction extern_cuda(std::string source, std::string name, DType result) { return {"cuda", std::move(source), std::move(name), result}; }

}  // namespace tilewright
