#include "python_state.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "../autograd/tensor/create.h"
#include "../core/base/fail.h"
#include "../core/base/message.h"
#include "state_dict.h"

namespace gradus::optim::detail {
namespace {

constexpr std::string_view kState = "state", kGroups = "param_groups";

// "state.12.step" is number 12, and its name is step.
struct Place {
  std::int64_t number;
  std::string name;
};
std::optional<Place> place_in(std::string_view of, const std::string& key) {
  if (!key.starts_with(of) || key.size() <= of.size() || key[of.size()] != '.') return {};
  Place place;
  const char *const first = key.data() + of.size() + 1, *const end = key.data() + key.size();
  const auto [rest, error] = std::from_chars(first, end, place.number);
  if (error != std::errc() || rest == end || *rest != '.') return {};
  place.name.assign(rest + 1, end);
  return place;
}

// A setting as Python has it.
IValue plain(const Tensor& x) {
  const bool number = x.dim() == 0;
  if (x.dtype() == kBool && number) return x.item<bool>();
  if (x.dtype() == kInt64 && number) return x.item<std::int64_t>();
  if (x.dtype() == kFloat64 && number) return x.item<double>();
  if (x.dim() != 1) return x;
  std::vector<IValue> all;
  std::string text;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    if (x.dtype() == kUInt8)
      text += static_cast<char>(x[i].item<std::uint8_t>());
    else
      all.push_back(plain(x[i]));
  }
  if (x.dtype() == kUInt8) return text;
  return x.dtype() == kInt64 ? IValue(std::move(all)) : IValue::tuple(std::move(all));
}

// And back.
Tensor setting_of(const std::string& key, const IValue& value) {
  if (value.isTensor()) return value.toTensor();
  if (value.isBool()) return tensor_of(value.toBool());
  if (value.isInt()) return tensor_of(value.toInt());
  if (value.isDouble()) return tensor_of(value.toDouble());
  if (value.isString()) return tensor_of(value.toStringView());
  std::vector<Tensor> numbers;
  bool whole = true, known = value.isList() || value.isTuple();
  for (const IValue& each : known ? value.toListRef() : std::vector<IValue>()) {
    known = known && (each.isScalar() || (each.isTensor() && each.toTensor().dim() == 0));
    if (!known) break;
    whole = whole && each.isInt();
    numbers.push_back(setting_of(key, each).to(kFloat64));
  }
  if (!known) {
    core::fail<ValueError>("load: {} must be a tensor, a number, a text, or a list of numbers: it holds {}",
                           core::in_quotes(key), value.text());
  }
  return (numbers.empty() ? empty({0}, kFloat64) : stack(numbers)).to(whole ? kInt64 : kFloat64);
}

// Python's optimizers count in float32, as far as that goes.
Tensor step_of(const Tensor& step) {
  if (step.dtype() != kInt64 || step.dim() != 0) return step;
  const Tensor count = step.to(kFloat32);
  return equal(count.to(kInt64), step) ? count : step;
}

// Settings of Python's that say nothing of the numbers, or what the kind of the optimizer says already.
bool says_nothing(const std::string& setting, const IValue& value, std::string_view optimizer) {
  if (value.isNone()) return true;
  for (const char* of_computing : {"foreach", "fused", "capturable", "differentiable", "param_names"}) {
    if (setting == of_computing) return true;
  }
  if (!value.isBool()) return false;
  if (setting == "maximize") return !value.toBool();
  return setting == "decoupled_weight_decay" &&
         ((optimizer == "Adam" && !value.toBool()) || (optimizer == "AdamW" && value.toBool()));
}

}  // namespace

IValueDict for_python(const IValueDict& values, const Optimizer& optimizer) {
  if (optimizer.name() == "LBFGS") return values;
  std::map<std::int64_t, IValueDict> states;
  std::vector<IValueDict> groups;
  for (const auto& entry : values) {
    const std::string key = entry.key().text();
    const auto state = place_in(kState, key), group = place_in(kGroups, key);
    if (!entry.value().isTensor() || !(state || group)) return values;
    const Tensor x = entry.value().toTensor();
    if (group) {
      const auto number = static_cast<std::size_t>(group->number);
      if (number > groups.size()) return values;
      if (number == groups.size()) groups.emplace_back();
      groups[number].insert(group->name, plain(x));
    } else {
      states[state->number].insert(state->name, state->name == "step" ? step_of(x) : x);
    }
  }
  for (std::size_t g = 0; g < std::min(groups.size(), optimizer.param_groups().size()); ++g) {
    for (const Field& field : optimizer.param_groups()[g].options().clone()->named_fields()) {
      groups[g].insert(field.name, field.is_flag() ? IValue(false) : IValue());  // where there is none yet
    }
  }
  IValueDict by_number, all;
  for (auto& [number, state] : states) by_number.append(number, std::move(state));
  all.append(std::string(kState), std::move(by_number));
  all.append(std::string(kGroups), std::vector<IValue>(groups.begin(), groups.end()));
  return all;
}

bool is_of_python(const IValueDict& values) {
  const auto states = values.find(std::string(kState)), groups = values.find(std::string(kGroups));
  if (states == values.end() || groups == values.end()) return false;
  if (!states->value().isGenericDict() || !groups->value().isList()) return false;
  for (const auto& state : states->value().toGenericDict()) {
    if (!state.value().isGenericDict()) return false;
  }
  const std::vector<IValue> all = groups->value().toListRef();
  return std::all_of(all.begin(), all.end(), [](const IValue& group) { return group.isGenericDict(); });
}

IValueDict from_python(const IValueDict& values, std::string_view name) {
  IValueDict all;
  const auto put = [&](const std::string& key, const IValue& value) {
    if (!value.isNone()) all.insert(key, setting_of(key, value));
  };
  std::size_t number = 0;
  for (const IValue& group : values.at(std::string(kGroups)).toListRef()) {
    for (const auto& entry : group.toGenericDict()) {
      const std::string setting = entry.key().text();
      if (says_nothing(setting, entry.value(), name)) continue;
      put(fmt::format("{}.{}.{}", kGroups, number, setting), entry.value());
    }
    ++number;
  }
  for (const auto& state : values.at(std::string(kState)).toGenericDict()) {
    for (const auto& entry : state.value().toGenericDict()) {
      put(fmt::format("{}.{}.{}", kState, state.key().text(), entry.key().text()), entry.value());
    }
  }
  return all;
}

}  // namespace gradus::optim::detail
