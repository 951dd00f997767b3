#include "state_dict.h"

#include <algorithm>

#include "../autograd/graph/grad_mode.h"
#include "../autograd/tensor/create.h"
#include "../core/base/fail.h"
#include "../core/base/message.h"
#include "optimizer.h"

namespace gradus::optim {

void Field::assign(const Field& other) const {
  visit([&]<class T>(T* at) { *at = *static_cast<T*>(other.at_); });
}

namespace detail {

Tensor tensor_of(bool value) { return full({}, value, kBool); }
Tensor tensor_of(std::int64_t value) { return full({}, value, kInt64); }
Tensor tensor_of(double value) { return full({}, value, kFloat64); }
Tensor tensor_of(const Field::Pair& value) {
  const Tensor pair = empty({2}, kFloat64);
  std::tie(pair.data_ptr<double>()[0], pair.data_ptr<double>()[1]) = value;
  return pair;
}
Tensor tensor_of(const Field::Triple& value) {
  const Tensor triple = empty({3}, kFloat64);
  double* const at = triple.data_ptr<double>();
  std::tie(at[0], at[1], at[2]) = value;
  return triple;
}
Tensor tensor_of(std::string_view text) {
  const Tensor bytes = empty({static_cast<std::int64_t>(text.size())}, kUInt8);
  std::copy(text.begin(), text.end(), bytes.data_ptr<std::uint8_t>());
  return bytes;
}

namespace {

// Nothing for what is absent.
Tensor value_of(const auto& value) { return tensor_of(value); }
Tensor value_of(const Field::Text& value) { return value ? tensor_of(std::string_view(*value)) : Tensor(); }
Tensor value_of(const Tensor& value) { return value; }

void assign(bool& to, const Tensor& from) { to = from.item<bool>(); }
void assign(std::int64_t& to, const Tensor& from) { to = from.item<std::int64_t>(); }
void assign(double& to, const Tensor& from) { to = from.item<double>(); }
void assign(std::tuple<double, double>& to, const Tensor& from) {
  to = {from[0].item<double>(), from[1].item<double>()};
}
void assign(std::tuple<double, double, double>& to, const Tensor& from) {
  to = {from[0].item<double>(), from[1].item<double>(), from[2].item<double>()};
}
void assign(std::optional<std::string>& to, const Tensor& from) {
  const core::Array bytes = from.array().contiguous();
  const auto* const begin = bytes.data_ptr<std::uint8_t>();
  to = std::string(begin, begin + bytes.numel());
}
void assign(Tensor& to, const Tensor& from) { to = Tensor(from.array().clone()); }

}  // namespace

void append_fields(NamedState& to, const std::string& prefix, const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    const Tensor value = field.visit([](const auto* at) { return value_of(*at); });
    if (value.defined() && !(field.is_flag() && !value.item<bool>())) to.emplace_back(prefix + field.name, value);
  }
}

Tensor numbers(std::size_t first, std::size_t count) {
  return arange(static_cast<std::int64_t>(first), static_cast<std::int64_t>(first + count));
}

StateReader::StateReader(const NamedState& state) : state_(state) {
  for (const auto& [name, tensor] : state) {
    if (!tensor.defined()) core::fail<ValueError>("load_state_dict: {} is undefined", core::in_quotes(name));
    if (!entries_.emplace(name, &tensor).second) {
      core::fail<ValueError>("load_state_dict: {} is given twice", core::in_quotes(name));
    }
  }
}

bool StateReader::has_any(const std::string& prefix) const {
  const auto first = entries_.lower_bound(prefix);
  return first != entries_.end() && first->first.starts_with(prefix);
}

const Tensor* StateReader::take(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return nullptr;
  const Tensor* tensor = found->second;
  entries_.erase(found);
  return tensor;
}

void StateReader::take_fields(const std::string& prefix, const std::vector<Field>& fields, const Tensor& like) {
  for (const Field& field : fields) {
    const std::string name = prefix + field.name;
    field.visit([&]<class T>(T* to) {
      constexpr bool is_tensor = std::is_same_v<T, Tensor>, is_text = std::is_same_v<T, Field::Text>;
      const Tensor* from = take(name);
      if (from == nullptr) {
        if (is_text || field.is_flag()) {
          *to = T();
        } else if (!is_tensor) {
          missing(name);
        }
        return;
      }
      const Tensor expected = is_tensor ? like : is_text ? empty({from->numel()}, kUInt8) : value_of(*to);
      Tensor same;  // the number, where another dtype holds it
      if (!is_tensor && !is_text && from->dtype() != expected.dtype()) {
        same = from->to(expected.dtype());
        if (equal(same.to(from->dtype()), *from)) from = &same;
      }
      if (from->sizes() != expected.sizes() || from->dtype() != expected.dtype()) {
        misfit(fmt::format("{} is {} {} and must be {} {}", name, from->dtype(), from->sizes(), expected.dtype(),
                           expected.sizes()));
      } else {
        assign(*to, *from);
        if constexpr (std::is_same_v<T, std::int64_t>) {
          if (*to < 0) misfit(fmt::format("{} is {} and must not be negative", name, *to));
        }
      }
    });
  }
}

void StateReader::take_numbers(const std::string& name, const Tensor& expected) {
  const Tensor* from = take(name);
  if (from == nullptr) return missing(name);
  if (from->dtype() != kInt64 || from->sizes() != expected.sizes()) {
    misfit(fmt::format("{} are {} {} and must be {} {}", name, from->dtype(), from->sizes(), kInt64, expected.sizes()));
  } else if (!equal(*from, expected)) {
    misfit(fmt::format("{} must be counted through all groups", name));
  }
}

void StateReader::finish(std::string_view owner) const {
  std::vector<std::string> unknown;
  for (const auto& [name, tensor] : state_) {
    if (entries_.contains(name)) unknown.push_back(core::in_quotes(name));
  }
  std::string problems;
  if (!missing_.empty()) problems += fmt::format("\n  missing: {}", core::listed(missing_));
  if (!unknown.empty()) problems += fmt::format("\n  unknown: {}", core::listed(unknown));
  if (!misfits_.empty()) problems += fmt::format("\n  not alike: {}", core::listed(misfits_));
  if (!problems.empty())
    core::fail<ValueError>("load_state_dict: the state must be that of this optimizer or schedule, {}:{}", owner,
                           problems);
}

}  // namespace detail

namespace {

std::string group_prefix(std::size_t group) { return fmt::format("param_groups.{}.", group); }
std::string state_prefix(std::size_t index) { return fmt::format("state.{}.", index); }

// Fields of two structs of one type.
void assign(const std::vector<Field>& to, const std::vector<Field>& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i].assign(from[i]);
}

// Whether nothing has been kept yet, as by SGD without momentum.
bool is_empty(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    const Tensor* tensor = field.as_tensor();
    if (tensor == nullptr || tensor->defined()) return false;
  }
  return true;
}

}  // namespace

NamedState Optimizer::state_dict() const {
  check_groups();
  NamedState all;
  std::size_t index = 0;
  for (std::size_t g = 0; g < param_groups_.size(); ++g) {
    const OptimizerParamGroup& group = param_groups_[g];
    const std::unique_ptr<OptimizerOptions> options = group.options().clone();
    const std::string prefix = group_prefix(g);
    detail::append_fields(all, prefix, options->named_fields());
    if (std::optional<double> rate = group.initial_lr()) detail::append_fields(all, prefix, {{"initial_lr", &*rate}});
    all.emplace_back(prefix + "params", detail::numbers(index, group.params().size()));
    for (const Tensor& p : group.params()) {
      const auto kept = state_.find(&p.body());
      if (kept != state_.end() && kept->second) append_state(all, state_prefix(index), *kept->second, *options, p);
      ++index;
    }
  }
  return all;
}

void Optimizer::append_state(NamedState& to, const std::string& prefix, const State& state,
                             const OptimizerOptions& options, const Tensor& w) const {
  // As the next step would have it: what is absent then was never needed.
  if (!is_empty(state.clone()->named_fields())) {
    detail::append_fields(to, prefix, prepared(&state, options, w)->named_fields());
  }
}

std::unique_ptr<OptimizerParamState> Optimizer::load_state(detail::StateReader& reader, const std::string& prefix,
                                                           const OptimizerOptions& options, const Tensor& w) const {
  if (!reader.has_any(prefix)) return {};
  std::unique_ptr<State> state = make_state(nullptr);
  const std::vector<Field> fields = state->named_fields();
  std::vector<std::size_t> absent;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!reader.has(prefix + fields[i].name)) absent.push_back(i);
  }
  if (absent.size() == fields.size()) return {};
  reader.take_fields(prefix, fields, w);
  // What a step would have to make was left out.
  const std::unique_ptr<State> whole = state->clone();
  prepare(*whole, options, w);
  const std::vector<Field> needed = whole->named_fields();
  for (const std::size_t i : absent) {
    const Tensor* tensor = needed[i].as_tensor();
    if (tensor != nullptr && tensor->defined()) reader.missing(prefix + fields[i].name);
  }
  return state;
}

void Optimizer::load_state_dict(const NamedState& given) {
  const NoGradGuard no_grad;
  check_groups();
  detail::StateReader reader(given);
  std::vector<std::unique_ptr<OptimizerOptions>> options;
  std::vector<std::optional<double>> rates;
  std::vector<std::unique_ptr<State>> states;
  for (std::size_t g = 0; g < param_groups_.size(); ++g) {
    const std::vector<Tensor>& params = param_groups_[g].params();
    const std::string prefix = group_prefix(g);
    options.push_back(param_groups_[g].options().clone());
    reader.take_fields(prefix, options.back()->named_fields());
    rates.emplace_back();
    if (reader.has(prefix + "initial_lr")) reader.take_fields(prefix, {{"initial_lr", &rates.back().emplace()}});
    reader.take_numbers(prefix + "params", detail::numbers(states.size(), params.size()));
    for (const Tensor& p : params) {
      states.push_back(load_state(reader, state_prefix(states.size()), *options.back(), p));
    }
  }
  reader.finish(name());
  std::vector<ParamStates::Entry> entries;
  for (std::size_t i = 0; const Tensor& p : parameters()) {
    if (states[i]) entries.push_back({&p.body(), std::move(states[i])});
    ++i;
  }
  for (std::size_t g = 0; g < param_groups_.size(); ++g) {
    options[g]->check();
    if (rates[g] && !(*rates[g] >= 0)) {
      core::fail<ValueError>("{}: initial_lr must not be negative: {}", name(), *rates[g]);
    }
  }
  for (std::size_t g = 0; g < param_groups_.size(); ++g) {
    assign(param_groups_[g].options().named_fields(),
           options[g]->named_fields());  // where they are: others may refer to them
    param_groups_[g].initial_lr() = rates[g];
  }
  known_ = parameters();
  for (ParamStates::Entry& entry : entries) {
    const auto kept = state_.find(entry.first);
    if (kept == state_.end()) continue;
    keep(kept->second, std::move(entry.second));
    entry.second = std::move(kept->second);
  }
  state_.entries_ = std::move(entries);
}

}  // namespace gradus::optim
