#include "ivalue.h"

#include <algorithm>
#include <functional>
#include <variant>

#include "../../core/base/fail.h"
#include "operation_support.h"

namespace gradus {

namespace {

struct Tuple {
  std::vector<IValue> elements;
};

}  // namespace

struct IValue::Value {
  // In the order of Kind.
  std::variant<std::monostate, Tensor, double, std::int64_t, bool, std::string, std::vector<Tensor>,
               std::vector<std::int64_t>, std::vector<double>, std::vector<bool>, std::vector<IValue>, Tuple,
               IValueDict>
      held;
};

IValue::IValue() noexcept = default;
IValue::IValue(const IValue& other) : value_(other.value_ == nullptr ? nullptr : new Value(*other.value_)) {}
IValue::IValue(IValue&& other) noexcept = default;
IValue& IValue::operator=(const IValue& other) { return *this = IValue(other); }
IValue& IValue::operator=(IValue&& other) noexcept = default;
IValue::~IValue() = default;

IValue::IValue(const Tensor& value) : value_(new Value{value}) {}
IValue::IValue(const Scalar& value) : value_(new Value) {
  if (value.is_floating_point())
    value_->held = value.toDouble();
  else if (value.category() == kBool)
    value_->held = value.toBool();
  else
    value_->held = value.toLong();
}
IValue::IValue(std::string value) : value_(new Value{std::move(value)}) {}
IValue::IValue(std::vector<Tensor> value) : value_(new Value{std::move(value)}) {}
IValue::IValue(std::vector<std::int64_t> value) : value_(new Value{std::move(value)}) {}
IValue::IValue(const std::vector<int>& value) : IValue(std::vector<std::int64_t>(value.begin(), value.end())) {}
IValue::IValue(IntArrayRef value) : IValue(value.vec()) {}
IValue::IValue(std::vector<double> value) : value_(new Value{std::move(value)}) {}
IValue::IValue(std::vector<bool> value) : value_(new Value{std::move(value)}) {}
IValue::IValue(std::vector<IValue> value) : value_(new Value{std::move(value)}) {}
IValue::IValue(std::vector<std::string> value) : IValue(std::vector<IValue>(value.begin(), value.end())) {}
IValue::IValue(IValueDict value) : value_(new Value{std::move(value)}) {}
IValue IValue::tuple(std::vector<IValue> elements) {
  IValue value;
  value.value_ = core::Own<Value>(new Value{Tuple{std::move(elements)}});
  return value;
}

IValue::Kind IValue::kind() const noexcept {
  return value_ == nullptr ? Kind::None : static_cast<Kind>(value_->held.index());
}

namespace {

constexpr const char* kNames[] = {"None",        "Tensor",     "Double",     "Int",        "Bool",
                                  "String",      "TensorList", "IntList",    "DoubleList", "BoolList",
                                  "GenericList", "Tuple",      "GenericDict"};

}  // namespace

const IValue::Value& IValue::expect(Kind wanted, const char* function) const {
  if (is(wanted)) return *value_;
  core::fail<TypeError>("IValue::{}: it must hold {}: it holds {}{}", function, kNames[static_cast<int>(wanted)],
                        kNames[static_cast<int>(kind())],
                        isNone()     ? "; was it saved under this name?"
                        : isScalar() ? "; toScalar() takes any number"
                                     : "");
}

Tensor IValue::toTensor() const { return std::get<Tensor>(expect(Kind::Tensor, "toTensor").held); }
double IValue::toDouble() const { return std::get<double>(expect(Kind::Double, "toDouble").held); }
std::int64_t IValue::toInt() const { return std::get<std::int64_t>(expect(Kind::Int, "toInt").held); }
bool IValue::toBool() const { return std::get<bool>(expect(Kind::Bool, "toBool").held); }
Scalar IValue::toScalar() const {
  if (isInt()) return toInt();
  if (isBool()) return toBool();
  return std::get<double>(expect(Kind::Double, "toScalar").held);
}
const std::string& IValue::toStringRef() const {
  return std::get<std::string>(expect(Kind::String, "toStringRef").held);
}
std::vector<Tensor> IValue::toTensorVector() const {
  return std::get<std::vector<Tensor>>(expect(Kind::Tensors, "toTensorVector").held);
}
std::vector<std::int64_t> IValue::toIntVector() const {
  return std::get<std::vector<std::int64_t>>(expect(Kind::Ints, "toIntVector").held);
}
std::vector<double> IValue::toDoubleVector() const {
  return std::get<std::vector<double>>(expect(Kind::Doubles, "toDoubleVector").held);
}
std::vector<bool> IValue::toBoolList() const {
  return std::get<std::vector<bool>>(expect(Kind::Bools, "toBoolList").held);
}
std::vector<IValue> IValue::toListRef() const {
  const auto each = [](const auto& list) { return std::vector<IValue>(list.begin(), list.end()); };
  switch (kind()) {
    case Kind::Tensors:
      return each(toTensorVector());
    case Kind::Ints:
      return each(toIntVector());
    case Kind::Doubles:
      return each(toDoubleVector());
    case Kind::Bools:
      return each(toBoolList());
    case Kind::Tuple:
      return std::get<Tuple>(value_->held).elements;
    default:
      return std::get<std::vector<IValue>>(expect(Kind::List, "toListRef").held);
  }
}
IValueDict IValue::toGenericDict() const { return std::get<IValueDict>(expect(Kind::Dict, "toGenericDict").held); }

std::string IValue::tagKind() const { return kNames[static_cast<int>(kind())]; }

std::string IValue::text() const {
  if (isTensor()) {
    const Tensor x = toTensor();
    return x.defined() ? fmt::format("{} {}", x.dtype(), x.sizes()) : "undefined";
  }
  if (isScalar()) return autograd::detail::text_of(toScalar());
  if (isString()) return toStringRef();
  if (isNone()) return "none";
  if (isGenericDict()) {
    std::string text = "{";
    for (const auto& entry : std::get<IValueDict>(value_->held)) {
      text += (text.size() == 1 ? "" : ", ") + entry.key().text() + ": " + entry.value().text();
    }
    return text + "}";
  }
  std::string text = isTuple() ? "(" : "[";
  for (const IValue& value : toListRef()) text += (text.size() == 1 ? "" : ", ") + value.text();
  return text + (isTuple() ? ")" : "]");
}

bool IValue::is_deeper_than(int levels) const {
  if (levels < 0) return true;
  const auto any = [&](const std::vector<IValue>& list) {
    return std::any_of(list.begin(), list.end(), [&](const IValue& each) { return each.is_deeper_than(levels - 1); });
  };
  if (value_ == nullptr) return false;
  if (const auto* list = std::get_if<std::vector<IValue>>(&value_->held)) return any(*list);
  if (const auto* tuple = std::get_if<Tuple>(&value_->held)) return any(tuple->elements);
  if (const auto* dict = std::get_if<IValueDict>(&value_->held)) {
    return std::any_of(dict->begin(), dict->end(),
                       [&](const auto& entry) { return entry.value().is_deeper_than(levels - 1); });
  }
  return levels == 0 && isList() && !toListRef().empty();
}

void IValue::each_tensor(core::FunctionRef<void(Tensor&)> visit) {
  if (value_ == nullptr) return;
  if (auto* one = std::get_if<Tensor>(&value_->held)) visit(*one);
  if (auto* several = std::get_if<std::vector<Tensor>>(&value_->held)) {
    for (Tensor& each : *several) visit(each);
  }
  if (auto* list = std::get_if<std::vector<IValue>>(&value_->held)) {
    for (IValue& each : *list) each.each_tensor(visit);
  }
  if (auto* tuple = std::get_if<Tuple>(&value_->held)) {
    for (IValue& each : tuple->elements) each.each_tensor(visit);
  }
  if (auto* dict = std::get_if<IValueDict>(&value_->held)) {
    for (auto& entry : *dict) entry.value().each_tensor(visit);
  }
}

namespace {

bool same_key(const IValue& a, const IValue& b) {
  if (a.isString() || b.isString()) return a.isString() && b.isString() && a.toStringRef() == b.toStringRef();
  return a.isScalar() && b.isScalar() && a.toScalar() == b.toScalar();
}

// The same for the same keys.
std::size_t hash_of(const IValue& key) {
  if (key.isString()) return std::hash<std::string>()(key.toStringRef());
  return key.isScalar() ? std::hash<double>()(key.toScalar().toDouble()) : 0;
}

constexpr std::size_t kFew = 16;  // are compared one after the other

}  // namespace

void IValueDict::take_place(std::size_t entry) {
  std::size_t place = hash_of(entries_[entry].key()) % places_.size();
  while (places_[place] != 0) place = (place + 1) % places_.size();
  places_[place] = static_cast<std::uint32_t>(entry + 1);
}
void IValueDict::count_places() {
  places_.assign(entries_.size() < kFew ? 0 : 4 * entries_.size(), 0);
  for (std::size_t i = 0; i < entries_.size() && !places_.empty(); ++i) take_place(i);
}
void IValueDict::append(IValue key, IValue value) {
  entries_.emplace_back(std::move(key), std::move(value));
  if (2 * entries_.size() <= places_.size())
    take_place(entries_.size() - 1);
  else
    count_places();
}
IValueDict::const_iterator IValueDict::find(const IValue& key) const {
  if (places_.empty())
    return std::find_if(begin(), end(), [&](const Entry& entry) { return same_key(entry.key(), key); });
  for (std::size_t place = hash_of(key) % places_.size(); places_[place] != 0; place = (place + 1) % places_.size()) {
    const auto at = begin() + static_cast<std::ptrdiff_t>(places_[place] - 1);
    if (same_key(at->key(), key)) return at;
  }
  return end();
}
const IValue& IValueDict::at(const IValue& key) const {
  const auto found = find(key);
  if (found == end()) core::fail<IndexError>("IValueDict: there must be an entry of that key: {}", key.text());
  return found->value();
}
bool IValueDict::insert(IValue key, IValue value) {
  if (contains(key)) return false;
  append(std::move(key), std::move(value));
  return true;
}
void IValueDict::insert_or_assign(IValue key, IValue value) {
  const auto found = find(key);
  if (found == end()) return append(std::move(key), std::move(value));
  entries_[static_cast<std::size_t>(found - begin())].setValue(std::move(value));
}
bool IValueDict::erase(const IValue& key) {
  const auto found = find(key);
  if (found == end()) return false;
  entries_.erase(found);
  count_places();
  return true;
}

IValueMap::iterator IValueMap::find(const std::string& name) {
  return std::find_if(begin(), end(), [&](const value_type& entry) { return entry.first == name; });
}
IValueMap::const_iterator IValueMap::find(const std::string& name) const {
  return std::find_if(begin(), end(), [&](const value_type& entry) { return entry.first == name; });
}
IValue& IValueMap::operator[](const std::string& name) { return emplace(name, IValue()).first->second; }
IValue& IValueMap::at(const std::string& name) {
  const auto found = find(name);
  if (found == end()) core::fail<IndexError>("saved_data: there must be a value of that name: {}", name);
  return found->second;
}
const IValue& IValueMap::at(const std::string& name) const { return const_cast<IValueMap*>(this)->at(name); }
std::pair<IValueMap::iterator, bool> IValueMap::insert(value_type entry) {
  if (const auto found = find(entry.first); found != end()) return {found, false};
  entries_.push_back(std::move(entry));
  return {end() - 1, true};
}
std::pair<IValueMap::iterator, bool> IValueMap::insert_or_assign(std::string name, IValue value) {
  const auto [at, fresh] = emplace(std::move(name), IValue());
  at->second = std::move(value);
  return {at, fresh};
}
std::size_t IValueMap::erase(const std::string& name) {
  const auto found = find(name);
  if (found == end()) return 0;
  entries_.erase(found);
  return 1;
}

}  // namespace gradus
