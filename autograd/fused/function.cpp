#include "function.h"

#include <cmath>
#include <cstring>
#include <unordered_set>

#include <fmt/format.h>

#include "../../core/array/create.h"
#include "../../core/loops/program.h"
#include "../../core/loops/recording.h"
#include "../graph/engine.h"
#include "../graph/grad_mode.h"
#include "../graph/operation_support.h"

namespace gradus::autograd::detail {

using core::Array;
using core::kernels::Program;
using core::kernels::ProgramRecording;

namespace {

// Operands and incoming gradients to trace with, and others to hold the program against: different for each input.
Array drawn(int input, int set, DType dtype) {
  Array x = core::empty({ProgramRecording::kElements}, dtype);
  std::uint64_t state = 0x9E3779B97F4A7C15u * static_cast<std::uint64_t>(2 * input + set + 1);
  for (std::int64_t i = 0; i < ProgramRecording::kElements; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double value =
        static_cast<double>(static_cast<std::int64_t>(state >> 11) - (std::int64_t{1} << 52)) * 0x1p-51;
    if (dtype == kFloat32) {
      static_cast<float*>(x.data())[i] = static_cast<float>(value);
    } else {
      static_cast<double*>(x.data())[i] = value;
    }
  }
  return x;
}

// NaN is NaN: which bits it has depends on the order of operands, which compilers change.
template <class T>
bool same_numbers(const Array& a, const Array& b) {
  const T *x = static_cast<const T*>(a.data()), *y = static_cast<const T*>(b.data());
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    if (std::memcmp(x + i, y + i, sizeof(T)) != 0 && !(std::isnan(x[i]) && std::isnan(y[i]))) return false;
  }
  return true;
}
bool same_bits(const Array& a, const Array& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  const Array x = a.contiguous(), y = b.contiguous();
  if (x.dtype() != y.dtype() || x.shape() != y.shape()) return false;
  if (x.dtype() == kFloat32) return same_numbers<float>(x, y);
  if (x.dtype() == kFloat64) return same_numbers<double>(x, y);
  return std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.numel() * x.element_size())) == 0;
}

std::string_view lasting(std::string_view name) {
  static std::mutex mutex;
  static auto& names = *new std::unordered_set<std::string>();
  const std::lock_guard lock(mutex);
  return *names.emplace(name).first;
}

std::vector<Array> arrays_of(const std::vector<Tensor>& tensors) {
  std::vector<Array> arrays;
  for (const Tensor& t : tensors) {
    arrays.push_back(t.defined() ? t.array().expand({ProgramRecording::kElements}) : Array());
  }
  return arrays;
}

}  // namespace

// The gradients of a function's inputs: a function again, which differentiates the composed one.
class DerivativeFunction final : public FusedFunction {
 public:
  DerivativeFunction(const FusedFunction& of, std::uint32_t outputs, std::uint32_t inputs)
      : FusedFunction(std::string(of.name()) + "_backward", __builtin_popcount(outputs) + of.inputs(),
                      __builtin_popcount(inputs)),
        of_(of),
        from_(outputs),
        wanted_(inputs) {}
  int order() const noexcept override { return of_.order() + 1; }
  AttributeList attributes() const override { return of_.attributes(); }

  std::vector<Tensor> compose(const std::vector<Tensor>& inputs) const override {
    const bool records = GradMode::is_enabled();
    const AutoGradMode enabled(true);
    const auto dys = static_cast<std::size_t>(__builtin_popcount(from_));
    std::vector<Tensor> x(inputs.begin() + static_cast<std::ptrdiff_t>(dys), inputs.end()), wanted;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool joined = records && x[i].requires_grad();
      if (((wanted_ >> i) & 1u) == 0) {
        if (!joined) x[i] = x[i].detach();
        continue;
      }
      // A node of its own: one tensor may be two inputs.
      x[i] = joined ? alias_of(x[i]) : x[i].detach().requires_grad_();
      wanted.push_back(x[i]);
    }
    const std::vector<Tensor> y = of_.compose(x);
    std::vector<Tensor> from, dy;
    for (std::size_t k = 0, given = 0; k < y.size(); ++k) {
      if (((from_ >> k) & 1u) == 0) continue;
      const Tensor& gradient = inputs[given++];
      if (!y[k].defined() || !y[k].requires_grad()) continue;
      from.push_back(y[k]);
      dy.push_back(gradient);
    }
    if (from.empty()) return std::vector<Tensor>(wanted.size());
    return grad(from, wanted, dy, true, records, true);
  }

 private:
  std::shared_ptr<const FusedFunction> owner() const override { return of_.owner(); }

  const FusedFunction& of_;  // which owns this
  const std::uint32_t from_, wanted_;
};

struct FusedFunction::Traced {
  Program program;
  bool fits = false;
  std::string refusal;
};

FusedFunction::FusedFunction(std::string_view name, int inputs, int outputs)
    : name_(lasting(name)), inputs_(inputs), outputs_(outputs) {}
FusedFunction::~FusedFunction() {
  for (auto& traced : traced_) delete traced.load();
}

FusedFunction::Traced& FusedFunction::traced(DType dtype) const {
  std::atomic<Traced*>& known = traced_[dtype == kFloat64 ? 1 : 0];
  const auto current = [&] {
    Traced* const found = known.load(std::memory_order_acquire);
    return found != nullptr && (!found->fits || found->program.is_current()) ? found : nullptr;
  };
  if (Traced* const found = current(); found != nullptr) return *found;
  const std::lock_guard lock(tracing_);
  if (Traced* const found = current(); found != nullptr) return *found;
  auto made = std::make_unique<Traced>();
  if (inputs_ > kMostInputs || outputs_ > kMostInputs) {
    made->refusal = fmt::format("it has {} inputs and {} outputs, more than {}", inputs_, outputs_, kMostInputs);
    return *(known = made.release());
  }
  const NoGradGuard guard;
  const Unobserved unobserved(true);
  const auto inputs = [&](int set) {
    std::vector<Tensor> x;
    for (int i = 0; i < inputs_; ++i) x.emplace_back(drawn(i, set, dtype));
    return x;
  };
  {
    const std::vector<Tensor> x = inputs(0);
    ProgramRecording recording;
    for (const Tensor& each : x) recording.input(each.array());
    const std::vector<Tensor> y = compose(x);
    made->fits = recording.finish(arrays_of(y), made->program);
    made->refusal = recording.refusal();
  }
  if (made->fits) {
    const std::vector<Tensor> x = inputs(1);
    std::vector<const Array*> from;
    for (const Tensor& each : x) from.push_back(&each.array());
    std::vector<Array> y(static_cast<std::size_t>(outputs_));
    made->program.run({ProgramRecording::kElements}, from.data(), y.data());
    const std::vector<Array> composed = arrays_of(compose(x));
    for (std::size_t k = 0; k < y.size() && made->fits; ++k) made->fits = same_bits(y[k], composed[k]);
    if (!made->fits) made->refusal = "an element depends on more than the elements at its place";
  }
  // The instruction set does not change while operations run: nobody is at the program of another one.
  delete known.exchange(made.get(), std::memory_order_acq_rel);
  return *made.release();
}

const Program* FusedFunction::program(DType dtype) const {
  if (dtype != kFloat32 && dtype != kFloat64) return nullptr;
  const Traced& known = traced(dtype);
  return known.fits ? &known.program : nullptr;
}

std::string FusedFunction::refusal(DType dtype) const { return traced(dtype).refusal; }

std::shared_ptr<const FusedFunction> FusedFunction::derivative(std::uint32_t outputs, std::uint32_t inputs) const {
  const std::lock_guard lock(deriving_);
  const auto shared = [this](const FusedFunction* derivative) {
    return std::shared_ptr<const FusedFunction>(owner(), derivative);
  };
  for (const Derivative& known : derivatives_) {
    if (known.outputs == outputs && known.inputs == inputs) return shared(known.function.get());
  }
  derivatives_.push_back({outputs, inputs, std::make_unique<DerivativeFunction>(*this, outputs, inputs)});
  return shared(derivatives_.back().function.get());
}

}  // namespace gradus::autograd::detail
