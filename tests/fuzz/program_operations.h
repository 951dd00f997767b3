// The operations that a drawn program may name. A function's parameters say how its statement is read, so that a line
// of this table is all that an operation needs: `from(&gradus::cumsum)` reads a tensor, an integer and a dtype or `none`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gradus/gradus.h>

namespace programs {

using gradus::DType;
using gradus::IntArrayRef;
using gradus::Operand;
using gradus::OperandList;
using gradus::Scalar;
using gradus::Tensor;

/// A statement that is not one: the program's fault, not the library's.
struct BadProgram : std::logic_error {
  using std::logic_error::logic_error;
};

/// A statement about a tensor that an earlier one was to make.
struct NoSuchTensor : BadProgram {
  using BadProgram::BadProgram;
};

using Slots = std::map<int, Tensor>;

/// The words behind an operation's name, read one by one.
class Words {
 public:
  Words(std::vector<std::string> words, const Slots& slots) : words_(std::move(words)), slots_(slots) {}
  const std::string& next();
  void check_end() const;

  void read(Tensor& value) { value = tensor(next()); }
  void read(std::vector<Tensor>& value);
  void read(std::vector<std::int64_t>& value);
  void read(std::vector<double>& value);
  void read(std::int64_t& value);
  void read(double& value);
  void read(bool& value);
  void read(Scalar& value);
  void read(DType& value);
  void read(std::string& value) { value = next(); }
  void read(gradus::Reduction& value);
  template <class T>
  void read(std::optional<T>& value) {
    if (words_.at(at_) == "none") {
      ++at_;
    } else {
      read(value.emplace());
    }
  }

 private:
  Tensor tensor(const std::string& word) const;
  std::vector<std::string> list();

  std::vector<std::string> words_;
  std::size_t at_ = 0;
  const Slots& slots_;
};

/// What a statement yields: tensors for the slots on its left, or an answer to a question.
struct Yield {
  std::vector<Tensor> tensors;
  std::string answer;
};
inline Yield yield(Tensor x) { return {{std::move(x)}, {}}; }
inline Yield yield(std::vector<Tensor> x) { return {std::move(x), {}}; }
inline Yield yield(std::tuple<Tensor, Tensor, Tensor> x) {
  return {{std::get<0>(x), std::get<1>(x), std::get<2>(x)}, {}};
}
inline Yield yield(std::tuple<Tensor, Tensor> x) { return {{std::get<0>(x), std::get<1>(x)}, {}}; }
inline Yield yield(bool answer) { return {{}, answer ? "true" : "false"}; }
inline Yield yield(std::int64_t answer) { return {{}, std::to_string(answer)}; }

// What a parameter is read as, and its word in a signature.
template <class P>
struct Parameter {
  using type = P;
};
template <>
struct Parameter<Operand> {
  using type = Tensor;
};
template <>
struct Parameter<gradus::autograd::OptionalOperand> {
  using type = std::optional<Tensor>;
};
template <>
struct Parameter<std::optional<std::string_view>> {
  using type = std::optional<std::string>;
};
template <>
struct Parameter<OperandList> {
  using type = std::vector<Tensor>;
};
template <>
struct Parameter<IntArrayRef> {
  using type = std::vector<std::int64_t>;
};
template <>
struct Parameter<std::string_view> {
  using type = std::string;
};
template <class P>
using Read = typename Parameter<std::remove_cvref_t<P>>::type;

template <class T>
inline constexpr const char* word = nullptr;
template <>
inline constexpr const char* word<Tensor> = "tensor";
template <>
inline constexpr const char* word<std::vector<Tensor>> = "tensors";
template <>
inline constexpr const char* word<std::vector<std::int64_t>> = "integers";
template <>
inline constexpr const char* word<std::vector<double>> = "numbers";
template <>
inline constexpr const char* word<std::int64_t> = "integer";
template <>
inline constexpr const char* word<double> = "double";
template <>
inline constexpr const char* word<bool> = "bool";
template <>
inline constexpr const char* word<Scalar> = "number";
template <>
inline constexpr const char* word<DType> = "dtype";
template <>
inline constexpr const char* word<std::string> = "word";
template <>
inline constexpr const char* word<gradus::Reduction> = "reduction";
template <>
inline constexpr const char* word<std::optional<std::int64_t>> = "integer?";
template <>
inline constexpr const char* word<std::optional<Tensor>> = "tensor?";
template <>
inline constexpr const char* word<std::optional<std::string>> = "word?";
template <>
inline constexpr const char* word<std::optional<bool>> = "bool?";
template <>
inline constexpr const char* word<std::optional<double>> = "double?";
template <>
inline constexpr const char* word<std::optional<Scalar>> = "number?";
template <>
inline constexpr const char* word<std::optional<DType>> = "dtype?";

// How many tensors a function's result holds: -1 if that depends on its arguments.
template <class R>
inline constexpr int results = 0;
template <>
inline constexpr int results<Tensor> = 1;
template <>
inline constexpr int results<std::vector<Tensor>> = -1;
template <class... T>
inline constexpr int results<std::tuple<T...>> = sizeof...(T);

struct Operation {
  std::string signature;
  int results;
  std::function<Yield(Words&)> run;
  std::string draw = {};   ///< how its arguments are drawn, in the words of arguments.py; empty: by draw_programs.py alone
  std::string torch = {};  ///< PyTorch's function, where it is not the one of this name

  Operation drawn(std::string how, std::string function) && {
    draw = std::move(how);
    torch = std::move(function);
    return std::move(*this);
  }
};

template <class R, class... P>
Operation from(R (*function)(P...)) {
  std::string signature;
  ((signature += (signature.empty() ? "" : " ") + std::string(word<Read<P>>)), ...);
  return {signature, results<R>, [function](Words& words) {
            std::tuple<Read<P>...> values;
            std::apply([&words](auto&... value) { (words.read(value), ...); }, values);
            words.check_end();
            return std::apply(
                [function](auto&... value) -> Yield {
                  if constexpr (std::is_void_v<R> || std::is_reference_v<R>) {  // in place
                    function(value...);
                    return {};
                  } else {
                    return yield(function(value...));
                  }
                },
                values);
          }};
}

/// What stands in brackets: `i` an integer, `s` a slice, `n` None, `e` an ellipsis.
gradus::TensorIndex index_of(char kind, std::int64_t a, std::int64_t b, std::int64_t c);

const std::map<std::string, Operation, std::less<>>& operations();
void draw_others(std::map<std::string, Operation, std::less<>>& operations);
std::map<std::string, Operation, std::less<>> drawn_operations();  ///< those of them that drawn_operations.cpp lists

}  // namespace programs
