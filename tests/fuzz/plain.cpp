#include "plain.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace programs {

namespace {

// Results that have no gradient although their operands may: constants in the differences, too.
const std::set<std::string, std::less<>> kConstant = {"unique", "unique_consecutive", "unique_dim", "histc",
                                                      "bincount"};
constexpr std::int64_t kOperand = std::int64_t{1} << 40;  // apart in the numbers of different operands' places
constexpr double kStep = 1e-6;

std::vector<double> numbers_of(const Tensor& x) {
  const gradus::core::Array all = x.array().to(gradus::kFloat64).contiguous();
  const double* data = all.data_ptr<double>();
  return {data, data + all.numel()};
}

Tensor tensor_of(const std::vector<double>& numbers, IntArrayRef shape, DType dtype) {
  return gradus::tensor(numbers, gradus::TensorOptions(gradus::kFloat64)).reshape(shape).to(dtype).clone();
}

bool writes(const std::string& name) { return name.ends_with('_') && name != "requires_grad_"; }

// The slots that a statement names.
std::vector<int> named(const std::vector<std::string>& words) {
  std::vector<int> slots;
  for (const std::string& word : words) {
    for (std::size_t at = word.find('%'); at != std::string::npos; at = word.find('%', at + 1)) {
      slots.push_back(std::stoi(word.substr(at + 1)));
    }
  }
  return slots;
}

bool shares(const Tensor& a, const Tensor& b) { return a.array().storage() == b.array().storage(); }

void check_close(const std::string& what, const std::vector<double>& ours, const std::vector<double>& plain,
                 double bound) {
  double largest = 0;
  for (const double v : plain) largest = std::isfinite(v) ? std::max(largest, std::fabs(v)) : largest;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const double a = ours[i], b = plain[i];
    if (a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= bound * largest) continue;
    throw Disagreement(fmt::format("{}, element {}: {}, plainly {}", what, i, a, b));
  }
}

}  // namespace

Tensor PlainTensor::value() const {
  std::vector<double> own;
  for (const std::int64_t place : places) own.push_back((*numbers)[static_cast<std::size_t>(place)]);
  return tensor_of(own, shape, dtype);
}

void PlainTensor::set(const Tensor& from) const {
  const std::vector<double> values = numbers_of(from.to(dtype).expand(shape));
  const std::vector<double> before = numbers_of(value());
  for (std::size_t i = 0; i < values.size(); ++i) {
    // What a write leaves as it is may lie in memory that it changes elsewhere.
    if (values[i] != before[i] || std::signbit(values[i]) != std::signbit(before[i]))
      (*numbers)[static_cast<std::size_t>(places[i])] = values[i];
  }
}

void PlainProgram::carry_out(std::size_t number, Tensors& tensors, bool again) const {
  const gradus::NoGradGuard no_grad;
  const Statement& s = statements_[number];
  if (s.operation == "requires_grad_") return;
  if (s.operation == "drop") {
    for (const int slot : named(s.words)) tensors.erase(slot);
    return;
  }
  Slots values, places;
  std::vector<int> operands;
  for (const int slot : named(s.words)) {
    const PlainTensor& x = tensors.at(slot);
    values[slot] = x.value();
    std::vector<double> marked;
    for (const std::int64_t place : x.places) {
      marked.push_back(static_cast<double>(place + kOperand * static_cast<std::int64_t>(operands.size())));
    }
    const bool is_seen = std::find(seen_[number].begin(), seen_[number].end(), slot) != seen_[number].end();
    places[slot] = is_seen ? tensor_of(marked, x.shape, gradus::kInt64) : values[slot];
    operands.push_back(slot);
  }
  const auto run = [&s](const std::string& operation, const Slots& slots) {
    Words words(s.words, slots);
    return operations().find(operation)->second.run(words).tensors;
  };
  if (writes(s.operation)) {
    const std::string twin = s.operation.substr(0, s.operation.size() - 1);
    const auto found = operations().find(twin);
    const bool has_twin = found != operations().end() && found->second.results == 1 &&
                          found->second.signature == operations().find(s.operation)->second.signature;
    const std::vector<Tensor> made = run(has_twin ? twin : s.operation, values);
    tensors.at(operands[0]).set(has_twin ? made[0] : values[operands[0]]);
    return;
  }
  const std::vector<bool>& is_view = is_view_[number];
  std::vector<Tensor> made, placed;
  if (again && constant_.count(number) != 0) {
    made = constant_.at(number);
  } else if (std::find(is_view.begin(), is_view.end(), false) != is_view.end()) {
    made = run(s.operation, values);
    if (kConstant.count(s.operation) != 0) constant_[number] = made;
  }
  if (std::find(is_view.begin(), is_view.end(), true) != is_view.end()) placed = run(s.operation, places);
  for (std::size_t i = 0; i < s.results.size(); ++i) {
    PlainTensor& y = tensors[s.results[i]] = PlainTensor();
    if (is_view[i]) {
      int source = operands[0];
      for (const double marked : numbers_of(placed[i])) {
        const auto place = static_cast<std::int64_t>(marked);
        source = operands[static_cast<std::size_t>(place / kOperand)];
        y.places.push_back(place % kOperand);
      }
      y.numbers = tensors.at(source).numbers;
      y.dtype = tensors.at(source).dtype;
      y.shape = placed[i].sizes().vec();
    } else {
      y.numbers = std::make_shared<std::vector<double>>(numbers_of(made[i]));
      for (std::size_t k = 0; k < y.numbers->size(); ++k) y.places.push_back(static_cast<std::int64_t>(k));
      y.shape = made[i].sizes().vec();
      y.dtype = made[i].dtype();
    }
  }
}

void PlainProgram::follow(const Statement& s, const Slots& slots, const std::vector<Tensor>& results) {
  std::vector<bool> is_view;
  std::vector<int> seen;
  for (const Tensor& y : results) {
    bool of_one = false;
    for (const int slot : named(s.words)) {
      if (!shares(slots.at(slot), y)) continue;
      of_one = true;
      seen.push_back(slot);
    }
    is_view.push_back(of_one);
    const std::string& draw = s.operation == "drop" ? "" : operations().find(s.operation)->second.draw;
    if (draw.starts_with("maybe") || y.numel() == 0) continue;
    if (of_one != draw.starts_with("view")) {
      throw Disagreement(of_one ? "a result shares memory with an operand" : "no view of its operand");
    }
  }
  statements_.push_back(s);
  is_view_.push_back(is_view);
  seen_.push_back(seen);
  try {
    carry_out(statements_.size() - 1, tensors_, false);
  } catch (const gradus::Error& error) {
    throw Disagreement(fmt::format("plainly refused: {}", error.what()));
  }
}

void PlainProgram::compare(const Slots& slots) const {
  for (const auto& [slot, x] : slots) {
    const PlainTensor& plain = tensors_.at(slot);
    if (x.dtype() != plain.dtype || x.sizes() != IntArrayRef(plain.shape)) {
      throw Disagreement(fmt::format("%{}: {} [{}], plainly {} [{}]", slot, to_string(x.dtype()),
                                     fmt::join(x.sizes().vec(), ","), to_string(plain.dtype),
                                     fmt::join(plain.shape, ",")));
    }
    const double bound = x.dtype() == gradus::kFloat64 ? 1e-9 : x.dtype() == gradus::kFloat32 ? 2e-4 : 0;
    check_close(fmt::format("%{}", slot), numbers_of(x), numbers_of(plain.value()), bound);
  }
}

double PlainProgram::total(const std::map<int, double>& weights, int leaf, std::size_t element, double step) const {
  Tensors tensors;
  for (std::size_t k = 0; k < statements_.size(); ++k) {
    carry_out(k, tensors, true);
    const std::vector<int>& made = statements_[k].results;
    if (std::find(made.begin(), made.end(), leaf) != made.end()) (*tensors.at(leaf).numbers)[element] += step;
  }
  double sum = 0;
  for (const auto& [slot, weight] : weights) {
    double factor = weight;
    for (const double v : numbers_of(tensors.at(slot).value())) sum += v * (factor = 2.9 - factor * 0.7);
  }
  return sum;
}

bool PlainProgram::is_made(int slot) const {
  return std::any_of(statements_.begin(), statements_.end(),
                     [slot](const Statement& s) { return s.operation == "tensor" && s.results[0] == slot; });
}

int PlainProgram::compare_gradients(const Slots& slots) const {
  for (const Statement& s : statements_) {  // differences are lost in float32's roundings
    if (std::find(s.words.begin(), s.words.end(), "float32") != s.words.end()) return 0;
  }
  std::map<int, double> weights;
  std::vector<Tensor> leaves;
  std::vector<int> names;
  Tensor y;
  for (const auto& [slot, x] : slots) {
    if (x.dtype() == gradus::kFloat32) return 0;
    if (!x.requires_grad()) continue;
    if (x.is_leaf() && is_made(slot)) {  // not the same leaf under another name
      leaves.push_back(x);
      names.push_back(slot);
    }
    double factor = weights[slot] = 0.5 + 0.25 * (slot % 3);
    std::vector<double> each;
    for (std::int64_t i = 0; i < x.numel(); ++i) each.push_back(factor = 2.9 - factor * 0.7);
    const Tensor part = (x * tensor_of(each, x.sizes(), gradus::kFloat64)).sum();
    y = y.defined() ? y + part : part;
  }
  if (!y.defined() || leaves.empty()) return 0;
  const std::vector<Tensor> dx = gradus::autograd::grad({y}, leaves, {}, false, false, true);
  int compared = 0;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!dx[i].defined()) continue;
    const std::vector<double> g = numbers_of(dx[i]);
    double largest = 1;
    for (const double v : g) largest = std::max(largest, std::fabs(v));
    const std::size_t stride = 1 + g.size() / 6;
    for (std::size_t e = 0; e < g.size(); e += stride) {
      const double at = total(weights, names[i], e, 0), above = total(weights, names[i], e, kStep),
                   below = total(weights, names[i], e, -kStep);
      const double right = (above - at) / kStep, left = (at - below) / kStep;
      const double noise = 1e-4 * largest + 1e-7 * std::fabs(at);
      if (!(std::fabs(right - left) < noise) || !std::isfinite(g[e]) || std::fabs(at) > 1e6) continue;  // nearly a kink
      ++compared;
      if (std::fabs((right + left) / 2 - g[e]) > noise) {
        throw Disagreement(fmt::format("the gradient of %{}, element {}: {}, by differences {}", names[i], e, g[e],
                                       (right + left) / 2));
      }
    }
  }
  return compared;
}

}  // namespace programs
