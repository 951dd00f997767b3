#include "recording.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace gradus::core::kernels {
namespace {

struct Conversion {
  TileCopy copy;
  std::int64_t to_size, from_size;
};
static_assert(sizeof(Conversion) <= sizeof(Instruction::param));
void convert(void* out, const void* const* in, std::size_t n, const void* param) {
  const Conversion& c = *static_cast<const Conversion*>(param);
  c.copy(static_cast<char*>(out), 0, c.to_size, static_cast<const char*>(in[0]), 0, c.from_size, 1,
         static_cast<std::int64_t>(n));
}

}  // namespace

constinit thread_local ProgramRecording* ProgramRecording::active_ = nullptr;

ProgramRecording::ProgramRecording() : outer_(active_) { active_ = this; }
ProgramRecording::~ProgramRecording() { active_ = outer_; }

void ProgramRecording::refuse(std::string why) {
  if (refusal_.empty()) refusal_ = std::move(why);
  held_.clear();  // nothing is looked up any more
}

void ProgramRecording::input(const Array& x) {
  values_[x.data()] = program_.add_input(x.dtype());
  held_.push_back(x);
}

// Of a part of a recorded value, too, the numbers are those of this run alone.
bool ProgramRecording::holds(const Array& x) const {
  return std::any_of(held_.begin(), held_.end(), [&](const Array& value) { return value.storage() == x.storage(); });
}

int ProgramRecording::constant_of(const Array& x, DType as) {
  if (holds(x)) return -1;
  const Array all = x.contiguous();
  const auto size = static_cast<std::size_t>(all.element_size());
  const char* const bytes = static_cast<const char*>(all.data());
  for (std::int64_t i = 1; i < all.numel(); ++i) {
    if (std::memcmp(bytes, bytes + static_cast<std::size_t>(i) * size, size) != 0) return -1;
  }
  if (all.numel() == 0) return -1;
  Element element;
  tile_copy(as, x.dtype())(reinterpret_cast<char*>(element.bytes), 0, size_of(as), bytes, 0, 0, 1, 1);
  return program_.add_constant(element, as);
}

int ProgramRecording::value_of(const Array& x, DType as) {
  const auto known = values_.find(x.data());
  if (known == values_.end() || x.numel() != kElements || !x.is_contiguous()) return constant_of(x, as);
  return program_.values()[static_cast<std::size_t>(known->second)].dtype == as && x.dtype() == as ? known->second : -1;
}

void ProgramRecording::ran(const Array& out, const Loop& loop) {
  if (!refusal_.empty()) return;
  if (program_.values().size() + Instruction().in.size() + 1 > Program::kMostValues) {
    return refuse(fmt::format("it has more than {} values", Program::kMostValues));
  }
  Instruction step;
  step.name = loop.name;
  step.kernel = loop.kernel;
  step.result = loop.result;
  step.count = loop.count;
  int constants = 0, last = 0;
  for (int k = 0; k < loop.count; ++k) {
    const Input& input = loop.inputs[k];
    int value = -1;
    if (input.array == nullptr) {
      Element element;
      std::memcpy(element.bytes, input.number, static_cast<std::size_t>(size_of(input.dtype)));
      value = program_.add_constant(element, input.dtype);
    } else {
      value = value_of(*input.array, input.dtype);
    }
    if (value < 0) return refuse(fmt::format("operand {} of {} is not made by pointwise operations", k, loop.name));
    step.in[static_cast<std::size_t>(k)] = value;
    if (program_.values()[static_cast<std::size_t>(value)].kind != Program::Kind::Constant) continue;
    ++constants;
    last = k;
  }
  if (constants == 1 && last < 2 && loop.number_kernels[last] != nullptr) {
    step.kernel = loop.number_kernels[last];
    step.number = last;
  }
  if (loop.param != nullptr) {
    if (loop.param_bytes <= 0 || static_cast<std::size_t>(loop.param_bytes) > step.param.size()) {
      return refuse(fmt::format("{} cannot be kept", loop.name));
    }
    step.param_bytes = loop.param_bytes;
    std::memcpy(step.param.data(), loop.param, static_cast<std::size_t>(loop.param_bytes));
  }
  if (out.numel() == 1 && constants == loop.count) return;  // of numbers alone: a constant where it is read
  if (out.dtype() != loop.result || out.numel() != kElements || !out.is_contiguous()) {
    return refuse(fmt::format("the result of {} is of another shape or dtype", loop.name));
  }
  values_[out.data()] = program_.add(step);
  held_.push_back(out);
}

void ProgramRecording::copied(const Array& out, const Array& src) {
  if (!refusal_.empty() || !holds(src)) return;
  const auto known = values_.find(src.data());
  if (known == values_.end() || src.numel() != kElements || !src.is_contiguous() || out.shape() != src.shape() ||
      !out.is_contiguous()) {
    return read(src, "a copy of a part");
  }
  int value = known->second;
  if (out.dtype() != src.dtype()) {
    const Conversion conversion{tile_copy(out.dtype(), src.dtype()), out.element_size(), src.element_size()};
    Instruction step;
    step.name = "to";
    step.kernel = convert;
    step.result = out.dtype();
    step.count = 1;
    step.in[0] = value;
    step.param_bytes = sizeof conversion;
    std::memcpy(step.param.data(), &conversion, sizeof conversion);
    value = program_.add(step);
  }
  values_[out.data()] = value;
  held_.push_back(out);
}

void ProgramRecording::read(const Array& x, const char* by) {
  if (refusal_.empty() && holds(x)) refuse(fmt::format("{} reads what pointwise operations have made", by));
}

bool ProgramRecording::finish(const std::vector<Array>& outputs, Program& program) {
  std::vector<int> values;
  for (const Array& y : outputs) {
    values.push_back(y.defined() ? value_of(y, y.dtype()) : -1);
    if (y.defined() && values.back() < 0) refuse("the result is not made by pointwise operations");
  }
  // The last results may be constants that are new, and conversions (copied()) are values too.
  if (program_.values().size() > Program::kMostValues || values.size() > Program::kMostOutputs) {
    refuse(fmt::format("it has more than {} values", Program::kMostValues));
  }
  if (!refusal_.empty()) return false;
  program_.finish(values);
  program = std::move(program_);
  return true;
}

}  // namespace gradus::core::kernels
