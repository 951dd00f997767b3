// Options and state by their fields' names: what saving, loading and schedules go over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../autograd/tensor/tensor.h"
#include "../core/base/export.h"

namespace gradus::optim {

/// A field of some struct, by reference: a number, two or three of them, a text that may be absent, or a tensor. A struct lists its own, `return {{"lr",
/// &lr_}, {"eps", &eps_}};`, in a source file: lists of names and types in headers cost everybody who includes them, and
/// so does a std::variant in the place of these lines.
class Field {
 public:
  using Pair = std::tuple<double, double>;
  using Triple = std::tuple<double, double, double>;
  using Text = std::optional<std::string>;
  Field(const char* name_, bool* at) : name(name_), kind_(Kind::Bool), at_(at) {}
  Field(const char* name_, std::int64_t* at) : name(name_), kind_(Kind::Integer), at_(at) {}
  Field(const char* name_, double* at) : name(name_), kind_(Kind::Number), at_(at) {}
  Field(const char* name_, Pair* at) : name(name_), kind_(Kind::Pair), at_(at) {}
  Field(const char* name_, Triple* at) : name(name_), kind_(Kind::Triple), at_(at) {}
  Field(const char* name_, Text* at) : name(name_), kind_(Kind::Text), at_(at) {}
  Field(const char* name_, Tensor* at) : name(name_), kind_(Kind::Tensor), at_(at) {}
  /// A setting that is saved where it is true, and false where it has not been saved.
  static Field flag(const char* name, bool* at) {
    Field field(name, at);
    field.is_flag_ = true;
    return field;
  }

  const char* name;

  double* as_number() const { return kind_ == Kind::Number ? static_cast<double*>(at_) : nullptr; }
  Pair* as_pair() const { return kind_ == Kind::Pair ? static_cast<Pair*>(at_) : nullptr; }
  bool is_flag() const { return is_flag_; }
  Tensor* as_tensor() const { return kind_ == Kind::Tensor ? static_cast<Tensor*>(at_) : nullptr; }
  /// visit(pointer to the value, of its type).
  template <class Visit>
  decltype(auto) visit(Visit&& visit) const {
    switch (kind_) {
      case Kind::Bool:
        return visit(static_cast<bool*>(at_));
      case Kind::Integer:
        return visit(static_cast<std::int64_t*>(at_));
      case Kind::Number:
        return visit(static_cast<double*>(at_));
      case Kind::Pair:
        return visit(static_cast<Pair*>(at_));
      case Kind::Triple:
        return visit(static_cast<Triple*>(at_));
      case Kind::Text:
        return visit(static_cast<Text*>(at_));
      case Kind::Tensor:
        break;
    }
    return visit(static_cast<Tensor*>(at_));
  }
  /// Takes over the value of a field of the same type.
  GRADUS_API void assign(const Field& other) const;

 private:
  enum class Kind : std::uint8_t { Bool, Integer, Number, Pair, Triple, Text, Tensor };
  Kind kind_;
  bool is_flag_ = false;
  void* at_;
};

/// Tensors by name, in order.
using NamedState = std::vector<std::pair<std::string, Tensor>>;

}  // namespace gradus::optim
