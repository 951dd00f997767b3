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

// Values may stand within each other on any number of levels: nothing here goes down by calling itself.
struct IValue::Value {
  // In the order of Kind.
  std::variant<std::monostate, Tensor, double, std::int64_t, bool, std::string, std::vector<Tensor>,
               std::vector<std::int64_t>, std::vector<double>, std::vector<bool>, std::vector<IValue>, Tuple,
               IValueDict>
      held;
  core::Own<Value> next = {};  // what waits to be destroyed

  ~Value() {
    core::Own<Value> waiting;
    const auto take = [&](IValue& each) {
      if (!each.holds_values()) return;
      each.value_->next = std::move(waiting);
      waiting = std::move(each.value_);
    };
    each_within(*this, take);
    while (waiting != nullptr) {
      const core::Own<Value> one = std::move(waiting);
      waiting = std::move(one->next);
      each_within(*one, take);
    }
  }

  // Calls with each value that stands in a list, tuple or dictionary, keys among them, in order.
  template <class V, class Visit>
  static void each_within(V& value, const Visit& visit) {
    if (auto* list = std::get_if<std::vector<IValue>>(&value.held)) {
      for (auto& each : *list) visit(each);
    } else if (auto* tuple = std::get_if<Tuple>(&value.held)) {
      for (auto& each : tuple->elements) visit(each);
    } else if (auto* dict = std::get_if<IValueDict>(&value.held)) {
      for (auto& entry : dict->entries_) {
        visit(entry.key_);
        visit(entry.value_);
      }
    }
  }

  // The same, with None in the place of the values within.
  core::Own<Value> without_values() const {
    if (const auto* list = std::get_if<std::vector<IValue>>(&held))
      return core::Own(new Value{std::vector<IValue>(list->size())});
    if (const auto* tuple = std::get_if<Tuple>(&held))
      return core::Own(new Value{Tuple{std::vector<IValue>(tuple->elements.size())}});
    if (const auto* dict = std::get_if<IValueDict>(&held)) {
      IValueDict copy;
      copy.entries_.assign(dict->size(), IValueDict::Entry({}, {}));
      copy.places_ = dict->places_;
      return core::Own(new Value{std::move(copy)});
    }
    return core::Own(new Value{held});
  }
};

bool IValue::holds_values() const noexcept { return kind() >= Kind::List; }

IValue::IValue() noexcept = default;
IValue::IValue(const IValue& other) {
  if (other.value_ == nullptr) return;
  value_ = other.value_->without_values();
  if (!holds_values()) return;
  std::vector<std::pair<const Value*, Value*>> left = {{other.value_.get(), value_.get()}};
  std::vector<IValue*> places;
  while (!left.empty()) {
    const auto [from, to] = left.back();
    left.pop_back();
    places.clear();
    Value::each_within(*to, [&](IValue& each) { places.push_back(&each); });
    std::size_t i = 0;
    Value::each_within(*from, [&](const IValue& each) {
      IValue& place = *places[i++];
      if (each.value_ == nullptr) return;
      place.value_ = each.value_->without_values();
      if (each.holds_values()) left.emplace_back(each.value_.get(), place.value_.get());
    });
  }
}
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
  std::string text;
  // What is to be written, the next at the end: a value, or what stands after it.
  std::vector<std::pair<const IValue*, const char*>> left = {{this, ""}};
  while (!left.empty()) {
    const auto [value, after] = left.back();
    left.pop_back();
    if (value == nullptr || !value->holds_values()) {
      text += (value == nullptr ? "" : value->plain_text()) + after;
      continue;
    }
    const bool dict = value->isGenericDict();
    text += value->isTuple() ? "(" : dict ? "{" : "[";
    left.emplace_back(nullptr, after);
    left.emplace_back(nullptr, value->isTuple() ? ")" : dict ? "}" : "]");
    const std::size_t first = left.size();
    Value::each_within(*value->value_, [&](const IValue& each) {
      const bool key = dict && (left.size() - first) % 2 == 0;
      left.emplace_back(&each, key ? ": " : ", ");
    });
    if (left.size() > first) left.back().second = "";
    std::reverse(left.begin() + static_cast<std::ptrdiff_t>(first), left.end());
  }
  return text;
}

std::string IValue::plain_text() const {
  if (isTensor()) {
    const Tensor x = toTensor();
    return x.defined() ? fmt::format("{} {}", x.dtype(), x.sizes()) : "undefined";
  }
  if (isScalar()) return autograd::detail::text_of(toScalar());
  if (isString()) return toStringRef();
  if (isNone()) return "none";
  std::string text = "[";
  for (const IValue& value : toListRef()) text += (text.size() == 1 ? "" : ", ") + value.plain_text();
  return text + "]";
}

bool IValue::is_deeper_than(int levels) const {
  if (levels < 0) return true;
  if (!holds_values()) return levels == 0 && isList() && !toListRef().empty();
  bool deeper = false;
  Value::each_within(*value_, [&](const IValue& each) { deeper = deeper || each.is_deeper_than(levels - 1); });
  return deeper;
}

void IValue::each_tensor(core::FunctionRef<void(Tensor&)> visit) {
  std::vector<IValue*> left = {this};
  while (!left.empty()) {
    const IValue& one = *left.back();
    left.pop_back();
    if (one.value_ == nullptr) continue;
    if (auto* tensor = std::get_if<Tensor>(&one.value_->held)) visit(*tensor);
    if (auto* several = std::get_if<std::vector<Tensor>>(&one.value_->held)) {
      for (Tensor& each : *several) visit(each);
    }
    const std::size_t first = left.size();
    Value::each_within(*one.value_, [&](IValue& each) { left.push_back(&each); });
    std::reverse(left.begin() + static_cast<std::ptrdiff_t>(first), left.end());
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
IValueDict::Entry::Entry(IValue key, IValue value) : key_(std::move(key)), value_(std::move(value)) {}
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
std::pair<IValueMap::iterator, bool> IValueMap::emplace(std::string name, IValue value) {
  return insert({std::move(name), std::move(value)});
}
std::pair<IValueMap::iterator, bool> IValueMap::insert_or_assign(std::string name, IValue value) {
  const auto [at, fresh] = emplace(std::move(name), IValue());
  at->second = std::move(value);
  return {at, fresh};
}
IValueMap::iterator IValueMap::erase(const_iterator at) { return entries_.erase(at); }
std::size_t IValueMap::erase(const std::string& name) {
  const auto found = find(name);
  if (found == end()) return 0;
  entries_.erase(found);
  return 1;
}

}  // namespace gradus
