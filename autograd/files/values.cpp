#include "values.h"

#include <unordered_map>

#include "../../core/base/fail.h"

namespace gradus::serialize::detail {
namespace {

using core::Value;
using core::Values;
using Kind = Value::Kind;

Values::Node add(Values& to, const IValue& value, const char* op) {
  if (value.isNone()) return to.add(Kind::None);
  if (value.isTensor()) {
    const Tensor x = value.toTensor();
    return x.defined() ? to.array(x.array(), x.requires_grad() && x.is_leaf()) : to.add(Kind::None);
  }
  if (value.isBool()) return to.boolean(value.toBool());
  if (value.isInt()) return to.integer(value.toInt());
  if (value.isDouble()) return to.number(value.toDouble());
  if (value.isString()) return to.text(value.toStringRef());
  std::vector<Values::Node> items;
  if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      if (!entry.key().isScalar() && !entry.key().isString())
        core::fail<TypeError>("{}: the keys of dictionaries must be texts or numbers: {}", op, entry.key().tagKind());
      items.push_back(add(to, entry.key(), op));
      items.push_back(add(to, entry.value(), op));
    }
    return to.add(Kind::Dict, std::move(items));
  }
  for (const IValue& item : value.toListRef()) items.push_back(add(to, item, op));
  return to.add(value.isTuple() ? Kind::Tuple : Kind::List, std::move(items));
}

class Reader {
 public:
  explicit Reader(const Values& from) : from_(from) {}

  IValue of(const Value& value) const {
    switch (value.kind) {
      case Kind::Bool:
        return value.flag;
      case Kind::Int:
        return value.integer;
      case Kind::Double:
        return value.number;
      case Kind::Text:
        return value.text;
      case Kind::Array:
        return tensor(value);
      case Kind::List:
        return list(value);
      case Kind::Tuple:
        return IValue::tuple(all(value));
      case Kind::Dict:
        return dict(value);
      default:
        return {};
    }
  }

 private:
  Tensor tensor(const Value& value) const {
    Tensor tensor(from_.arrays[static_cast<std::size_t>(value.integer)]);
    if (value.flag && tensor.is_floating_point()) tensor.set_requires_grad(true);
    return tensor;
  }
  std::vector<IValue> all(const Value& value) const {
    std::vector<IValue> items;
    for (const Values::Node item : value.items) items.push_back(of(from_[item]));
    return items;
  }
  template <class T>
  std::vector<T> each(const Value& value, T Value::*member) const {
    std::vector<T> items;
    for (const Values::Node item : value.items) items.push_back(from_[item].*member);
    return items;
  }
  IValue list(const Value& value) const {
    bool alike = !value.items.empty();
    for (const Values::Node item : value.items) alike = alike && from_[item].kind == from_[value.items[0]].kind;
    switch (alike ? from_[value.items[0]].kind : Kind::None) {
      case Kind::Array: {
        std::vector<Tensor> tensors;
        for (const Values::Node item : value.items) tensors.push_back(tensor(from_[item]));
        return tensors;
      }
      case Kind::Int:
        return each(value, &Value::integer);
      case Kind::Double:
        return each(value, &Value::number);
      case Kind::Bool:
        return each(value, &Value::flag);
      default:
        return all(value);
    }
  }
  // Of a key that comes twice the last value holds, as in Python.
  IValue dict(const Value& value) const {
    std::unordered_map<std::string, std::size_t> last;
    const auto name = [&](std::size_t i) {
      const Value& key = from_[value.items[i]];
      return key.kind == Kind::Text ? "'" + key.text : of(key).text();
    };
    for (std::size_t i = 0; i < value.items.size(); i += 2) last[name(i)] = i;
    IValueDict dict;
    for (std::size_t i = 0; i < value.items.size(); i += 2) {
      if (last[name(i)] == i) dict.append(of(from_[value.items[i]]), of(from_[value.items[i + 1]]));
    }
    return dict;
  }

  const Values& from_;
};

}  // namespace

void check_levels(const IValue& value, const char* op) {
  if (value.is_deeper_than(core::kMostLevels)) {
    core::fail<ValueError>(
        "{}: lists, tuples and dictionaries must stand within each other on at most {} levels: there are more", op,
        core::kMostLevels);
  }
}

Values values_of(const IValue& value, const char* op) {
  check_levels(value, op);
  Values values;
  values.root = add(values, value, op);
  return values;
}

IValue ivalue_of(const Values& values) { return Reader(values).of(values[values.root]); }

}  // namespace gradus::serialize::detail
