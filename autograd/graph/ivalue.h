// Values of several types: what a Function keeps for its backward beside saved tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "../../core/base/function_ref.h"
#include "../../core/base/own.h"
#include "../tensor/tensor.h"

namespace gradus {

class IValueDict;

/// Nothing, a Tensor, a number, a text, a list, a tuple, or a dictionary: what has been put in comes out again by the function of its type.
/// TypeError when it holds something else.
class GRADUS_API IValue {
 public:
  IValue() noexcept;  ///< nothing
  IValue(const IValue& other);
  IValue(IValue&& other) noexcept;
  IValue& operator=(const IValue& other);
  IValue& operator=(IValue&& other) noexcept;
  ~IValue();

  IValue(std::nullopt_t) noexcept : IValue() {}  // NOLINT: a value of any of these types is an IValue
  IValue(const Tensor& value);                   // NOLINT
  template <class N>
  requires std::is_arithmetic_v<N> IValue(N value) : IValue(Scalar(value)) {}  // NOLINT
  IValue(const Scalar& value);                                                 // NOLINT
  IValue(ScalarType value) : IValue(static_cast<std::int64_t>(value)) {}       // NOLINT
  IValue(const char* value) : IValue(std::string(value)) {}                    // NOLINT
  IValue(std::string value);                                                   // NOLINT
  IValue(std::vector<Tensor> value);                                           // NOLINT
  IValue(std::vector<std::int64_t> value);                                     // NOLINT
  IValue(const std::vector<int>& value);                                       // NOLINT
  IValue(IntArrayRef value);                                                   // NOLINT
  IValue(std::vector<double> value);                                           // NOLINT
  IValue(std::vector<bool> value);                                             // NOLINT
  IValue(std::vector<std::string> value);                                      // NOLINT
  IValue(std::vector<IValue> value);                                           // NOLINT
  IValue(IValueDict value);                                                    // NOLINT
  /// A list that Python's files have as a tuple.
  static IValue tuple(std::vector<IValue> elements);
  template <class T>
  IValue(const std::optional<T>& value) : IValue(value ? IValue(*value) : IValue()) {}  // NOLINT

  bool isNone() const noexcept { return is(Kind::None); }
  bool isTensor() const noexcept { return is(Kind::Tensor); }
  bool isDouble() const noexcept { return is(Kind::Double); }
  bool isInt() const noexcept { return is(Kind::Int); }
  bool isBool() const noexcept { return is(Kind::Bool); }
  bool isScalar() const noexcept { return isDouble() || isInt() || isBool(); }
  bool isString() const noexcept { return is(Kind::String); }
  bool isTensorList() const noexcept { return is(Kind::Tensors); }
  bool isIntList() const noexcept { return is(Kind::Ints); }
  bool isDoubleList() const noexcept { return is(Kind::Doubles); }
  bool isBoolList() const noexcept { return is(Kind::Bools); }
  bool isList() const noexcept { return kind() >= Kind::Tensors && kind() <= Kind::List; }
  bool isTuple() const noexcept { return is(Kind::Tuple); }
  bool isGenericDict() const noexcept { return is(Kind::Dict); }

  Tensor toTensor() const;
  double toDouble() const;
  std::int64_t toInt() const;
  bool toBool() const;
  Scalar toScalar() const;
  ScalarType toScalarType() const { return static_cast<ScalarType>(toInt()); }
  const std::string& toStringRef() const;
  std::string_view toStringView() const { return toStringRef(); }
  std::vector<Tensor> toTensorVector() const;
  std::vector<Tensor> toTensorList() const { return toTensorVector(); }
  std::vector<std::int64_t> toIntVector() const;
  std::vector<std::int64_t> toIntList() const { return toIntVector(); }
  std::vector<double> toDoubleVector() const;
  std::vector<double> toDoubleList() const { return toDoubleVector(); }
  std::vector<bool> toBoolList() const;
  std::vector<IValue> toListRef() const;  ///< of any list, and of a tuple
  std::vector<IValue> toList() const { return toListRef(); }
  IValueDict toGenericDict() const;

  /// By type: `to<double>()`, `to<std::vector<int64_t>>()`; numbers of the type's category.
  template <class T>
  T to() const {
    if constexpr (std::is_same_v<T, IValue>)
      return *this;
    else if constexpr (std::is_same_v<T, Tensor>)
      return toTensor();
    else if constexpr (std::is_same_v<T, bool>)
      return toBool();
    else if constexpr (std::is_integral_v<T>)
      return static_cast<T>(toInt());
    else if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(toDouble());
    else if constexpr (std::is_same_v<T, Scalar>)
      return toScalar();
    else if constexpr (std::is_same_v<T, std::string>)
      return toStringRef();
    else if constexpr (std::is_same_v<T, std::vector<Tensor>>)
      return toTensorVector();
    else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>)
      return toIntVector();
    else if constexpr (std::is_same_v<T, std::vector<double>>)
      return toDoubleVector();
    else if constexpr (std::is_same_v<T, std::vector<bool>>)
      return toBoolList();
    else
      static_assert(sizeof(T) == 0, "an IValue is no T: Tensor, a number, bool, std::string, or a std::vector of them");
  }
  template <class T>
  std::optional<T> toOptional() const {
    return isNone() ? std::optional<T>() : std::optional<T>(to<T>());
  }

  /// "Tensor", "Double", "None".
  std::string tagKind() const;
  /// Numbers and texts as text, tensors by their shape.
  std::string text() const;
  /// Whether lists, tuples and dictionaries stand within each other on more than that many levels.
  bool is_deeper_than(int levels) const;
  /// Calls with each tensor that it holds, which may be given another in its place.
  void each_tensor(core::FunctionRef<void(Tensor&)> visit);

 private:
  enum class Kind { None, Tensor, Double, Int, Bool, String, Tensors, Ints, Doubles, Bools, List, Tuple, Dict };
  struct Value;  // holds one of them
  Kind kind() const noexcept;
  bool is(Kind kind) const noexcept { return this->kind() == kind; }
  bool holds_values() const noexcept;
  std::string plain_text() const;  // of one that holds none
  const Value& expect(Kind kind, const char* function) const;

  core::Own<Value> value_;
};

/// A dictionary with numbers or texts for keys, in the order in which they came: what files of Python's hold. (Unlike
/// libtorch's, a copy is a copy.)
class GRADUS_API IValueDict {
 public:
  class Entry {
   public:
    Entry(IValue key, IValue value);
    const IValue& key() const noexcept { return key_; }
    const IValue& value() const noexcept { return value_; }
    IValue& value() noexcept { return value_; }
    void setValue(IValue value) { value_ = std::move(value); }

   private:
    friend class IValue;
    IValue key_, value_;
  };
  using const_iterator = std::vector<Entry>::const_iterator;

  /// Whether the key was not there before: then the entry stays as it was.
  bool insert(IValue key, IValue value);
  void insert_or_assign(IValue key, IValue value);
  /// The same for a key known to be new.
  void append(IValue key, IValue value);
  /// IndexError when there is none.
  const IValue& at(const IValue& key) const;
  const_iterator find(const IValue& key) const;
  bool contains(const IValue& key) const { return find(key) != end(); }
  bool erase(const IValue& key);
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  std::vector<Entry>::iterator begin() noexcept { return entries_.begin(); }
  std::vector<Entry>::iterator end() noexcept { return entries_.end(); }
  const_iterator begin() const noexcept { return entries_.begin(); }
  const_iterator end() const noexcept { return entries_.end(); }

 private:
  friend class IValue;
  void count_places();
  void take_place(std::size_t entry);

  std::vector<Entry> entries_;
  // Of many entries, each one's number and one, at a place by its key's hash or the next free one; 0 is free.
  std::vector<std::uint32_t> places_;
};

/// libtorch's name: `c10::Dict<c10::IValue, c10::IValue>`.
template <class Key, class Value>
using Dict = IValueDict;

/// IValues by name, in the order in which they came. Few: names are compared one after the other.
class GRADUS_API IValueMap {
 public:
  using key_type = std::string;
  using mapped_type = IValue;
  using value_type = std::pair<std::string, IValue>;
  using iterator = std::vector<value_type>::iterator;
  using const_iterator = std::vector<value_type>::const_iterator;

  /// A new one holds nothing. A reference to another may move.
  IValue& operator[](const std::string& name);
  /// IndexError when there is none.
  IValue& at(const std::string& name);
  const IValue& at(const std::string& name) const;
  iterator find(const std::string& name);
  const_iterator find(const std::string& name) const;
  std::size_t count(const std::string& name) const { return find(name) == end() ? 0 : 1; }
  bool contains(const std::string& name) const { return count(name) != 0; }
  /// Where it is, and whether it was not there before: then it stays as it is.
  std::pair<iterator, bool> insert(value_type entry);
  std::pair<iterator, bool> emplace(std::string name, IValue value);
  std::pair<iterator, bool> insert_or_assign(std::string name, IValue value);
  std::size_t erase(const std::string& name);
  iterator erase(const_iterator at);
  void clear() noexcept { entries_.clear(); }
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  iterator begin() noexcept { return entries_.begin(); }
  iterator end() noexcept { return entries_.end(); }
  const_iterator begin() const noexcept { return entries_.begin(); }
  const_iterator end() const noexcept { return entries_.end(); }

 private:
  std::vector<value_type> entries_;
};

}  // namespace gradus
