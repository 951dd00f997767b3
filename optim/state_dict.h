// Fields as named tensors, and back: internal to optim.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "field.h"

namespace gradus::optim::detail {

/// A value as a tensor: of no dimensions, of two or three numbers, or a text's bytes.
Tensor tensor_of(bool value);
Tensor tensor_of(std::int64_t value);
Tensor tensor_of(double value);
Tensor tensor_of(const Field::Pair& value);
Tensor tensor_of(const Field::Triple& value);
Tensor tensor_of(std::string_view text);

/// Appends a struct's fields under `prefix` + their names; undefined tensors are left out.
void append_fields(NamedState& to, const std::string& prefix, const std::vector<Field>& fields);

/// Numbers of parameters as a tensor of int64.
Tensor numbers(std::size_t first, std::size_t count);

/// Takes entries out of a state, and remembers what does not fit, so that all of it can be said at once.
class StateReader {
 public:
  explicit StateReader(const NamedState& state);

  bool has(const std::string& name) const { return entries_.contains(name); }
  /// Whether some name begins so.
  bool has_any(const std::string& prefix) const;
  /// An entry of whatever shape and dtype; null where there is none.
  const Tensor* take(const std::string& name);
  /// Into fields that are numbers; all of them must be there. Into fields that are tensors copies, of those that are there,
  /// which must have the shape and dtype of `like`.
  void take_fields(const std::string& prefix, const std::vector<Field>& fields, const Tensor& like = {});
  /// As numbers() gives them.
  void take_numbers(const std::string& name, const Tensor& expected);
  void missing(const std::string& name) { missing_.push_back(name); }
  void misfit(const std::string& text) { misfits_.push_back(text); }
  /// ValueError, naming `owner`, when something was missing, did not fit, or has not been taken.
  void finish(std::string_view owner) const;

 private:
  const NamedState& state_;
  std::map<std::string, const Tensor*> entries_;  // in order: those of a prefix lie together
  std::vector<std::string> missing_, misfits_;
};

}  // namespace gradus::optim::detail
