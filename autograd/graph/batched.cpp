#include "batched.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../tensor/create.h"
#include "grad_mode.h"
#include "operation_support.h"

namespace gradus::autograd {

namespace {

thread_local const BatchLevel* innermost_level = nullptr;
std::atomic<std::int64_t> last_level{0};
std::atomic<bool> warns{true};
std::atomic<std::int64_t> looped_operations{0}, looped_functions{0};

bool is_running(std::int64_t level) {
  for (const BatchLevel* at = BatchLevel::innermost(); at != nullptr; at = at->outer()) {
    if (at->level() == level) return true;
  }
  return false;
}
void check_running(const Body& body) {
  if (is_running(body.batch->level)) return;
  core::fail<ValueError>(
      "vmap: a tensor of a vmap that has ended, or that runs in another thread, cannot be used ({}, {} of each "
      "example): return it from the function that is mapped; the tensors of a vmap belong to its thread",
      body.array.shape(), body.array.dtype());
}

// A call that its attributes refuse to be moved for: it goes by examples.
struct ByExamples {};

core::Shape behind(std::int64_t size, const core::Shape& shape) {
  core::Shape whole = shape;
  whole.insert(0, size);
  return whole;
}

}  // namespace

std::int64_t detail::level_of(const Tensor& x) {
  return x.defined() && x.body().batch != nullptr ? x.body().batch->level : 0;
}
Tensor detail::repeated(const Tensor& x, std::int64_t size) {
  return x.unsqueeze(0).expand(behind(size, core::Shape(x.sizes())));
}
void detail::check_running(const Tensor& x) {
  if (level_of(x) != 0) autograd::check_running(x.body());
}

Examples::Examples(std::int64_t level, const Operand* inputs, int count)
    : level_(level), inputs_(inputs), count_(count) {
  for (int i = 0; i < count; ++i) {
    if (!shared(i)) size_ = (*this)[i].size(0);
  }
}
bool Examples::shared(int i) const { return detail::level_of(inputs_[i].tensor()) != level_; }
Tensor Examples::operator[](int i) const {
  const Tensor& x = inputs_[i].tensor();
  return shared(i) ? x : Tensor(x.body().batch->examples);
}
Tensor Examples::stacked(int i) const {
  const Tensor x = (*this)[i];
  return shared(i) && x.defined() ? detail::repeated(x, size_) : x;
}
Tensor Examples::aligned(int i, std::int64_t dims) const {
  const Tensor x = (*this)[i];
  if (shared(i) || dim(i) >= dims) return x;
  core::Shape whole{size_};
  for (std::int64_t d = dim(i); d < dims; ++d) whole.push_back(1);
  for (const std::int64_t size : inputs_[i].tensor().sizes()) whole.push_back(size);
  return x.reshape(whole);
}

std::int64_t Examples::behind(int i, std::int64_t d, const char* op) const {
  return core::wrap_dim(d, static_cast<int>(dim(i)), op) + 1;
}
core::Shape Examples::all_of(const core::Shape& one) const { return autograd::behind(size_, one); }
Tensor Examples::split(const Tensor& y, std::int64_t n) const {
  core::Shape shape{size_, n};
  for (std::int64_t d = 1; d < y.dim(); ++d) shape.push_back(y.size(d));
  return y.reshape(shape);
}
Tensor Examples::own_places(int i, std::int64_t n) const {
  const Tensor places = stacked(i);
  if (places.numel() > 0 && (places.min().item<std::int64_t>() < 0 || places.max().item<std::int64_t>() >= n))
    return {};
  core::Shape column{size_};
  for (std::int64_t d = 1; d < places.dim(); ++d) column.push_back(1);
  return places + (arange(size_, kInt64) * n).reshape(column);
}

void BehindBatch::look(const char* name, const core::Shape& value) {
  if (std::string_view(name) != "shape") return;
  if (point_) throw ByExamples{};
  rank_ = value.size();
}
std::int64_t BehindBatch::moved(std::int64_t dim) const {
  return point_ ? 1 : core::wrap_dim(dim, rank_, std::string(op_).c_str()) + 1;
}
void BehindBatch::change(const char* name, std::int64_t& value) const {
  const std::string_view field(name);
  if (field == "dim" || field == "dim1" || field == "dim2") value = moved(value);
}
void BehindBatch::change(const char* name, core::Dims& value) const {
  const std::string_view field(name);
  if (field == "dim" || field == "dims") {
    for (int i = 0; i < value.size(); ++i) value[i] = moved(value[i]);
    if (point_ && value.empty()) value.push_back(1);
  } else if (field == "shape" || field == "sizes") {
    value.insert(0, size_);
  } else if (field == "times") {
    value.insert(0, 1);
  }
}

BatchLevel::BatchLevel(std::int64_t size) : outer_(innermost_level), level_(++last_level), size_(size) {
  innermost_level = this;
}
BatchLevel::~BatchLevel() { innermost_level = outer_; }
const BatchLevel* BatchLevel::innermost() noexcept { return innermost_level; }

Tensor batched(const Tensor& examples, std::int64_t level) {
  const core::Array& all = examples.body().array;
  const auto one = [&] {
    if (all.size(0) > 0) return all.select(0, 0);
    core::Shape shape = all.shape();
    shape.erase(0);
    return core::zeros({}, all.dtype()).expand(shape);
  };
  Tensor x(one(), examples.edge());
  x.body().batch = core::Own<Batched>(new Batched(examples.body_ref(), level));
  x.body().unusual = true;
  return x;
}

Tensor examples_of(const Tensor& x, std::int64_t level) {
  return detail::level_of(x) == level ? Tensor(x.body().batch->examples) : Tensor();
}

const core::Array& numbers_of_all(const Tensor& x) {
  static const core::Array& none = *new core::Array();
  if (!x.defined()) return none;
  const Body* body = &x.body();
  while (body->batch != nullptr) body = body->batch->examples.get();
  return body->array;
}

void warn_of_loops(bool warn) noexcept { warns = warn; }
BatchLoops batch_loops() noexcept { return {looped_operations, looped_functions}; }

namespace detail {

void tell_of_loop(bool operation, std::string_view text) {
  ++(operation ? looped_operations : looped_functions);
  if (!warns) return;
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  if (!told.emplace(text).second) return;
  std::fputs(fmt::format("gradus: vmap: {}\n", text).c_str(), stderr);
}

void fail_not_batched(const Body& body, std::string_view op) {
  autograd::check_running(body);
  throw NotBatched{body.batch->level, op};
}

namespace {

// A number of one example, which has a dimension now, would have more weight in the result's dtype than numbers have.
std::vector<Tensor> of_one_weight(std::vector<Tensor> all, const Examples& x, const Operand* inputs) {
  core::Array result;
  for (int i = 0; i < x.count(); ++i) {
    if (!all[static_cast<std::size_t>(i)].defined()) continue;
    const core::Array& one = inputs[i].tensor().body().array;
    if (!result.defined()) {
      result = one;
    } else {
      const bool point = result.dim() == 0 && one.dim() == 0;
      result = core::empty(point ? core::Shape{} : core::Shape{0}, core::result_type(result, one));
    }
  }
  for (int i = 0; i < x.count(); ++i) {
    Tensor& one = all[static_cast<std::size_t>(i)];
    if (!one.defined() || x.shared(i) || x.dim(i) != 0 || one.dtype() == result.dtype()) continue;
    const bool alike = is_floating_point(one.dtype()) == is_floating_point(result.dtype()) && one.dtype() != kBool;
    if (alike) one = one.to(result.dtype());
  }
  return all;
}

using Write = core::FunctionRef<void(const Operand* inputs, BehindBatch* behind)>;

// By the rule that the operation declares; false where an input is not what the rule is for. In place where there is a
// `write`: what the first input is then, is written to.
bool by_rule(const BatchedCall& call, const Examples& x, const Operand* inputs, Tensor* outputs, const Write* write) {
  std::vector<Tensor> all;
  std::int64_t most = 0, least = core::kMaxDims;
  for (int i = 0; i < x.count(); ++i) {
    if (!inputs[i].tensor().defined()) continue;
    most = std::max(most, x.dim(i));
    least = std::min(least, x.dim(i));
  }
  const bool point = call.how == Batch::kDims && most == 0;
  if (call.how == Batch::kMatrices && least < 2) return false;
  if (call.how == Batch::kDims && least == 0 && x.count() > 1) return false;
  for (int i = 0; i < x.count(); ++i) {
    if (call.how == Batch::kBroadcast) {
      all.push_back(x.aligned(i, most));
    } else if (call.how == Batch::kMatrices && x.count() > 1) {
      const Tensor stacked = x.stacked(i);
      core::Shape whole{x.size()};
      for (std::int64_t d = x.dim(i); d < most; ++d) whole.push_back(1);
      for (const std::int64_t size : x.shape(i)) whole.push_back(size);
      all.push_back(x.dim(i) < most ? stacked.reshape(whole) : stacked);
    } else {
      all.push_back(x.stacked(i));
      if (point) all.back() = all.back().unsqueeze(-1);
    }
  }
  if (call.how == Batch::kBroadcast && x.count() > 1 && write == nullptr) {
    all = of_one_weight(std::move(all), x, inputs);
  }
  std::vector<Operand> operands;
  for (int i = 0; i < x.count(); ++i) operands.emplace_back(all[static_cast<std::size_t>(i)], x.at(i));
  BehindBatch behind(call.name, x.size(), static_cast<int>(most), point);
  BehindBatch* const moves = call.how == Batch::kDims ? &behind : nullptr;
  try {
    if (write == nullptr) {
      call.compute(operands.data(), moves, outputs);
    } else {
      (*write)(operands.data(), moves);
      return true;
    }
  } catch (const ByExamples&) {
    return false;
  }
  for (int k = 0; k < call.outputs; ++k) {
    if (point && outputs[k].defined()) outputs[k] = outputs[k].reshape({x.size()});
  }
  return true;
}

// Of no examples: a result of the shape that an example of zeros gives.
void of_none(const BatchedCall& call, const Examples& x, const Operand* inputs, Tensor* outputs) {
  std::vector<Tensor> zeros;
  std::vector<Operand> operands;
  zeros.reserve(static_cast<std::size_t>(x.count()));
  for (int i = 0; i < x.count(); ++i) {
    const Tensor& one = inputs[i].tensor();
    zeros.push_back(x.shared(i) ? one : gradus::zeros(one.sizes(), one.dtype()));
    operands.emplace_back(zeros.back(), x.at(i));
  }
  {
    const NoGradGuard guard;
    call.compute(operands.data(), nullptr, outputs);
  }
  for (int k = 0; k < call.outputs; ++k) {
    if (!outputs[k].defined()) continue;
    outputs[k] = gradus::zeros(behind(0, core::Shape(outputs[k].sizes())), outputs[k].dtype());
    if (!outputs[k].is_floating_point()) continue;
    for (int i = 0; i < x.count(); ++i) {  // so that it has the history that it would have
      if (inputs[i].tensor().defined() && inputs[i].tensor().requires_grad()) {
        outputs[k] = outputs[k] + (x[i].sum() * 0).to(outputs[k].dtype());
      }
    }
  }
}

void by_examples(const BatchedCall& call, const Examples& x, std::int64_t level, Tensor* outputs) {
  std::vector<std::vector<Tensor>> results(static_cast<std::size_t>(call.outputs));
  for (std::int64_t b = 0; b < x.size(); ++b) {
    std::vector<Tensor> ones;
    std::vector<Operand> operands;
    ones.reserve(static_cast<std::size_t>(x.count()));
    for (int i = 0; i < x.count(); ++i) {
      ones.push_back(x.shared(i) ? x[i] : x[i].select(0, b));
      operands.emplace_back(ones.back(), x.at(i));
    }
    call.compute(operands.data(), nullptr, outputs);
    for (int k = 0; k < call.outputs; ++k) results[static_cast<std::size_t>(k)].push_back(outputs[k]);
  }
  for (int k = 0; k < call.outputs; ++k) {
    const std::vector<Tensor>& all = results[static_cast<std::size_t>(k)];
    if (!all[0].defined()) continue;
    for (const Tensor& one : all) {
      if (one.sizes() != all[0].sizes()) throw NotBatched{level, call.name};  // the function may make them alike
    }
    outputs[k] = stack(all);
  }
}

}  // namespace

namespace {

// Of the innermost vmap that an input has examples of.
std::int64_t innermost_of(const Operand* inputs, int count) {
  const Body* innermost = nullptr;
  std::int64_t level = 0;
  for (int i = 0; i < count; ++i) {
    if (level_of(inputs[i].tensor()) <= level) continue;
    innermost = &inputs[i].tensor().body();
    level = innermost->batch->level;
  }
  autograd::check_running(*innermost);
  return level;
}
void note_batch(Error& error, const Examples& x) {
  error.add_note(fmt::format("inside vmap over {} examples: shapes may begin with their number", x.size()));
}

}  // namespace

void go_by_examples(std::string_view op, const Operand* inputs, int count) {
  throw NotBatched{innermost_of(inputs, count), op};
}

void run_batched(const BatchedCall& call, const Operand* inputs, int count, Tensor* outputs) {
  if (call.how == Batch::kNever) go_by_examples(call.name, inputs, count);
  const std::int64_t level = innermost_of(inputs, count);
  const Examples x(level, inputs, count);
  const Scope scope(inputs[0].at());
  try {
    bool done = false;
    if (call.has_own) {
      call.own(x, outputs);
      done = outputs[0].defined();
    } else if (call.how != Batch::kExamples) {
      done = by_rule(call, x, inputs, outputs, nullptr);
    }
    if (!done && x.size() == 0) {
      of_none(call, x, inputs, outputs);
    } else if (!done) {
      tell_of_loop(true, fmt::format("operation {} goes example by example", call.name));
      by_examples(call, x, level, outputs);
    }
  } catch (Error& error) {
    note_batch(error, x);
    throw;
  }
  for (int k = 0; k < call.outputs; ++k) {
    if (outputs[k].defined()) outputs[k] = batched(outputs[k], level);
  }
}

void write_batched(const BatchedCall& call, const char* op, Write write, const Operand* inputs, int count) {
  if (call.how == Batch::kNever) go_by_examples(call.name, inputs, count);
  const std::int64_t level = innermost_of(inputs, count);
  const Tensor& self = inputs[0].tensor();
  const Tensor all = examples_of(self, level);
  if (!all.defined()) throw NotBatched{level, op};  // it may be the function's own: then there is to be one for each
  const Examples x(level, inputs, count);
  const Scope scope(inputs[0].at());
  try {
    const bool has_rule = !call.has_own && call.how != Batch::kExamples;
    if (!has_rule || !by_rule(call, x, inputs, nullptr, &write)) {
      std::vector<Operand> operands(inputs, inputs + count);
      const Tensor before = batched(all.clone(), level);  // what is kept of it is not overwritten
      operands[0] = Operand(before, inputs[0].at());
      std::vector<Tensor> y(static_cast<std::size_t>(call.outputs));
      run_batched(call, operands.data(), count, y.data());
      const core::Array &to = self.body().array, &from = y[0].body().array;
      core::check_castable(std::string_view(op).substr(0, std::string_view(op).size() - 1), from.dtype(), to.dtype());
      if (from.shape() != to.shape()) {
        core::fail<ShapeError>("{}: the result of an operation in place must have the tensor's shape: {} for {}", op,
                               from.shape(), to.shape());
      }
      all.copy_(examples_of(y[0], level), inputs[0].at());
      all.body().array.mark_written(op, inputs[0].at());
    }
  } catch (Error& error) {
    note_batch(error, x);
    throw;
  }
  self.body().edge = all.edge();
}

}  // namespace detail
}  // namespace gradus::autograd
