// What the headers of autograd/ops declare is proven: in a row of tests/table, as the second name of something that is, or,
// where there is no gradient, in a suite of its own. Prints how much that is.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

using OfOne = std::function<Tensor(const Tensor&)>;

const std::filesystem::path kTests = std::filesystem::path(GRADUS_TEST_DATA) / "..";

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string texts_of(const std::filesystem::path& folder, const char* ending) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ending) text += text_of(entry.path());
  }
  return text;
}

// The functions that headers declare to make tensors, and those that change their first operand.
std::set<std::string> declared(bool in_place) {
  const std::string headers = texts_of(kTests / ".." / "autograd" / "ops", ".h");
  const std::regex makes("GRADUS_API\\s+(?:Tensor|std::tuple<[^>]*>|std::vector<Tensor>)\\s+([A-Za-z_0-9]+)\\("),
      changes("GRADUS_API\\s+Tensor& ([A-Za-z_0-9]+_)\\(");
  std::set<std::string> names;
  for (std::sregex_iterator at(headers.begin(), headers.end(), in_place ? changes : makes), end; at != end; ++at) {
    names.insert((*at)[1]);
  }
  return names;
}

// Whether a text calls a function, or hands it on.
bool uses(const std::string& text, const std::string& name) {
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const auto is_part = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '"';
    };
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_part(text[at - 1])) && end < text.size() &&
        (text[end] == '(' || text[end] == ')' || text[end] == ',')) {
      return true;
    }
  }
  return false;
}

// Results without a gradient, though the operand requires one: truth values, indices, counts, and numbers that are picked
// out without a history.
const std::map<std::string, OfOne>& without_gradient() {
  static const std::map<std::string, OfOne> list = {
      {"all", [](const Tensor& x) { return all(x); }},
      {"any", [](const Tensor& x) { return any(x); }},
      {"argmax", [](const Tensor& x) { return argmax(x); }},
      {"argmin", [](const Tensor& x) { return argmin(x); }},
      {"argsort", [](const Tensor& x) { return argsort(x); }},
      {"argwhere", [](const Tensor& x) { return argwhere(x); }},
      {"bincount", [](const Tensor& x) { return bincount(ones({3}, kLong), x); }},
      {"bitwise_and", [](const Tensor& x) { return bitwise_and(x > 1, x > 2); }},
      {"bitwise_left_shift", [](const Tensor& x) { return bitwise_left_shift(x.to(kLong), 1); }},
      {"bitwise_not", [](const Tensor& x) { return bitwise_not(x > 1); }},
      {"bitwise_or", [](const Tensor& x) { return bitwise_or(x > 1, x > 2); }},
      {"bitwise_right_shift", [](const Tensor& x) { return bitwise_right_shift(x.to(kLong), 1); }},
      {"bitwise_xor", [](const Tensor& x) { return bitwise_xor(x > 1, x > 2); }},
      {"bucketize", [](const Tensor& x) { return bucketize(x, x); }},
      {"count_nonzero", [](const Tensor& x) { return count_nonzero(x); }},
      {"eq", [](const Tensor& x) { return eq(x, x); }},
      {"gcd", [](const Tensor& x) { return gcd(x.to(kLong), x.to(kLong)); }},
      {"ge", [](const Tensor& x) { return ge(x, x); }},
      {"gt", [](const Tensor& x) { return gt(x, x); }},
      {"greater", [](const Tensor& x) { return greater(x, x); }},
      {"greater_equal", [](const Tensor& x) { return greater_equal(x, x); }},
      {"histc", [](const Tensor& x) { return histc(x, 3); }},
      {"isclose", [](const Tensor& x) { return isclose(x, x); }},
      {"isfinite", [](const Tensor& x) { return isfinite(x); }},
      {"isin", [](const Tensor& x) { return isin(x, x); }},
      {"isinf", [](const Tensor& x) { return isinf(x); }},
      {"isnan", [](const Tensor& x) { return isnan(x); }},
      {"isneginf", [](const Tensor& x) { return isneginf(x); }},
      {"isposinf", [](const Tensor& x) { return isposinf(x); }},
      {"lcm", [](const Tensor& x) { return lcm(x.to(kLong), x.to(kLong)); }},
      {"le", [](const Tensor& x) { return le(x, x); }},
      {"less", [](const Tensor& x) { return less(x, x); }},
      {"less_equal", [](const Tensor& x) { return less_equal(x, x); }},
      {"linalg_matrix_rank", [](const Tensor& x) { return linalg_matrix_rank(outer(x, x)); }},
      {"logical_and", [](const Tensor& x) { return logical_and(x, x); }},
      {"logical_not", [](const Tensor& x) { return logical_not(x); }},
      {"logical_or", [](const Tensor& x) { return logical_or(x, x); }},
      {"logical_xor", [](const Tensor& x) { return logical_xor(x, x); }},
      {"lt", [](const Tensor& x) { return lt(x, x); }},
      {"ne", [](const Tensor& x) { return ne(x, x); }},
      {"nextafter", [](const Tensor& x) { return nextafter(x, x * 2); }},
      {"nonzero", [](const Tensor& x) { return nonzero(x); }},
      {"not_equal", [](const Tensor& x) { return not_equal(x, x); }},
      {"one_hot", [](const Tensor& x) { return one_hot(x.to(kLong), 9); }},
      {"searchsorted", [](const Tensor& x) { return searchsorted(x, x); }},
      {"signbit", [](const Tensor& x) { return signbit(x); }},
      {"unique", [](const Tensor& x) { return std::get<0>(unique(x)); }},
      {"unique_consecutive", [](const Tensor& x) { return std::get<0>(unique_consecutive(x)); }},
      {"unique_dim", [](const Tensor& x) { return std::get<0>(unique_dim(x, 0)); }},
      {"_unique", [](const Tensor& x) { return std::get<0>(_unique(x)); }},
      {"_unique2", [](const Tensor& x) { return std::get<0>(_unique2(x)); }},
  };
  return list;
}

// Second names and special cases of what has a row: the same numbers by the same nodes.
struct SecondName {
  const char* name;
  OfOne second, first;
};
const std::vector<SecondName>& second_names() {
  const auto one = [](Tensor (*f)(Operand)) { return [f](const Tensor& x) { return f(x); }; };
  const auto two = [](Tensor (*f)(Operand, Operand)) { return [f](const Tensor& x) { return f(x, x * 2); }; };
  const auto matrix = [](Tensor (*f)(Operand, Operand)) {
    return [f](const Tensor& x) { return f(outer(x, x), outer(x, x * 2)); };
  };
  // Far from singular, and symmetric.
  const auto square_of = [](const Tensor& x) { return diag(x) + 0.25; };
  static const std::vector<SecondName> list = {
      {"expit", one(special::expit), one(sigmoid)},
      {"gammaln", one(special::gammaln), one(lgamma)},
      {"psi", one(special::psi), one(digamma)},
      {"special_entr", one(special_entr), one(special::entr)},
      {"special_erf", one(special_erf), one(erf)},
      {"special_erfc", one(special_erfc), one(erfc)},
      {"special_erfinv", [](const Tensor& x) { return special_erfinv(x / 9); },
       [](const Tensor& x) { return erfinv(x / 9); }},
      {"special_exp2", one(special_exp2), one(exp2)},
      {"special_expit", one(special_expit), one(sigmoid)},
      {"special_expm1", one(special_expm1), one(expm1)},
      {"special_gammaln", one(special_gammaln), one(lgamma)},
      {"special_i0", one(special_i0), one(i0)},
      {"special_i1", one(special_i1), one(special::i1)},
      {"special_log1p", one(special_log1p), one(log1p)},
      {"special_ndtr", one(special_ndtr), one(special::ndtr)},
      {"special_psi", one(special_psi), one(digamma)},
      {"special_round", [](const Tensor& x) { return special_round(x); }, [](const Tensor& x) { return round(x); }},
      {"special_sinc", one(special_sinc), one(sinc)},
      {"special_logit", [](const Tensor& x) { return special_logit(x / 9); },
       [](const Tensor& x) { return logit(x / 9); }},
      {"special_logsumexp", [](const Tensor& x) { return special_logsumexp(x, {0}); },
       [](const Tensor& x) { return logsumexp(x, {0}); }},
      {"special_softmax", [](const Tensor& x) { return special_softmax(x, 0); },
       [](const Tensor& x) { return softmax(x, 0); }},
      {"special_log_softmax", [](const Tensor& x) { return special_log_softmax(x, 0); },
       [](const Tensor& x) { return log_softmax(x, 0); }},
      {"special_polygamma", [](const Tensor& x) { return special_polygamma(2, x); },
       [](const Tensor& x) { return polygamma(2, x); }},
      {"special_xlogy", two(special_xlogy), two(xlogy)},
      {"special_xlog1py", two(special_xlog1py), two(special::xlog1py)},
      {"divide", two(divide), two(div)},
      {"rsub", [](const Tensor& x) { return rsub(x, 2); }, [](const Tensor& x) { return 2 - x; }},
      {"dot", two(dot), two(matmul)},
      {"mm", matrix(mm), matrix(matmul)},
      {"linalg_matmul", matrix(linalg_matmul), matrix(matmul)},
      {"mv", [](const Tensor& x) { return mv(outer(x, x), x); },
       [](const Tensor& x) { return matmul(outer(x, x), x); }},
      {"bmm", [](const Tensor& x) { return bmm(outer(x, x).unsqueeze(0), outer(x, x).unsqueeze(0)); },
       [](const Tensor& x) { return matmul(outer(x, x).unsqueeze(0), outer(x, x).unsqueeze(0)); }},
      {"cholesky", [=](const Tensor& x) { return cholesky(square_of(x)); },
       [=](const Tensor& x) { return linalg_cholesky(square_of(x)); }},
      {"pinverse", [=](const Tensor& x) { return pinverse(square_of(x)); },
       [=](const Tensor& x) { return linalg_pinv(square_of(x), 1e-15); }},
      {"qr", [=](const Tensor& x) { return std::get<0>(qr(square_of(x))); },
       [=](const Tensor& x) { return std::get<0>(linalg_qr(square_of(x))); }},
      {"linalg_inv_ex", [=](const Tensor& x) { return std::get<0>(linalg_inv_ex(square_of(x))); },
       [=](const Tensor& x) { return linalg_inv(square_of(x)); }},
      {"linalg_lu_factor_ex", [=](const Tensor& x) { return std::get<0>(linalg_lu_factor_ex(square_of(x))); },
       [=](const Tensor& x) { return std::get<0>(linalg_lu_factor(square_of(x))); }},
  };
  return list;
}

Tensor operand() { return tensor({0.5, 1.25, 2.0}, kFloat64).requires_grad_(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(operation_coverage)

BOOST_AUTO_TEST_CASE(what_has_no_gradient_claims_none) {
  for (const auto& [name, call] : without_gradient()) {
    BOOST_CHECK_MESSAGE(!call(operand()).requires_grad(), name << " has a gradient: a row is due");
  }
}

BOOST_AUTO_TEST_CASE(second_names_are_what_they_are_of) {
  for (const SecondName& each : second_names()) {
    const Tensor x = operand(), y = each.second(x), of_first = each.first(x);
    BOOST_CHECK_MESSAGE(equal(y, of_first), each.name);
    BOOST_CHECK_MESSAGE(y.grad_fn()->name() == of_first.grad_fn()->name(), each.name);
    BOOST_CHECK_MESSAGE(equal(autograd::grad({y.sum()}, {x})[0], autograd::grad({of_first.sum()}, {x})[0]), each.name);
  }
}

BOOST_AUTO_TEST_CASE(every_declared_function_is_proven) {
  const std::string rows = texts_of(kTests / "table", ".cpp");
  std::set<std::string> others;
  for (const SecondName& each : second_names()) others.insert(each.name);
  int in_rows = 0, second = 0, flat = 0;
  for (const std::string& name : declared(false)) {
    const bool in_row = uses(rows, name);
    in_rows += in_row;
    second += !in_row && others.count(name) != 0;
    flat += !in_row && without_gradient().count(name) != 0;
    BOOST_CHECK_MESSAGE(in_row || others.count(name) != 0 || without_gradient().count(name) != 0,
                        name << " is declared in autograd/ops, and in no row of tests/table");
  }
  for (const SecondName& each : second_names()) {
    BOOST_CHECK_MESSAGE(declared(false).count(each.name) == 1, each.name << " is declared no more");
  }
  std::set<std::string> names;
  int changes = 0;
  for (const Row& row : operation_table()) names.insert(row.name);
  for (const std::string& name : declared(true))
    changes += uses(rows, name) || rows.find("." + name + "(") != std::string::npos;
  std::cout << "the operation table: " << operation_table().size() << " rows of " << names.size() << " names prove "
            << in_rows << " functions and " << changes << " forms in place; " << second << " more names of these, "
            << flat << " functions without a gradient\n";
  BOOST_TEST(in_rows + changes >= 300);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
