// Jacobians and Hessians of every row of tests/table three ways: by reverse mode, by forward mode, by central
// differences. --run_test=func_table/ROW runs one.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <map>

#include <gradus/gradus.h>

#include "../support/arrays.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

using func::Tensors;

// A row as a function of its differentiable operands, the others being what they are; all of them flat where a Hessian
// would have more dimensions than there may be.
struct RowFunction {
  explicit RowFunction(const Row& r) : row(r) {
    for (std::size_t i = 0; i < row.operands.size(); ++i) {
      operands.push_back(drawn(row.operands[i], static_cast<int>(i)));
      if (row.operands[i].differentiable()) places.push_back(i);
      flat = flat || operands.back().dim() > 4;
    }
  }
  Tensors inputs() const {
    Tensors x;
    for (const std::size_t i : places) x.push_back(flat ? operands[i].flatten() : operands[i]);
    return x;
  }
  Tensor operator()(const Tensors& x) const {
    Operands all = operands;
    for (std::size_t k = 0; k < places.size(); ++k) {
      Tensor& operand = all[places[k]];
      operand = flat ? x[k].view(operand.sizes()) : x[k];
    }
    return flat ? row.call(all).flatten() : row.call(all);
  }
  const Row& row;
  Operands operands;
  std::vector<std::size_t> places;
  bool flat = false;
};

std::vector<int> all_of(const Tensors& x) {
  std::vector<int> places;
  for (std::size_t i = 0; i < x.size(); ++i) places.push_back(static_cast<int>(i));
  return places;
}

// The Jacobian of f's output number k with respect to input i, a column an element.
template <class F>
Tensor by_differences(const F& f, const Tensors& inputs, std::size_t i, double eps) {
  Tensors columns;
  for (std::int64_t e = 0; e < inputs[i].numel(); ++e) {
    const auto at = [&](double step) {
      Tensors x = inputs;
      x[i] = x[i].clone(MemoryFormat::Contiguous);
      x[i].view(-1)[e] += step;
      return f(x).detach().to(kDouble).flatten();
    };
    columns.push_back((at(eps) - at(-eps)) / (2 * eps));
  }
  return stack(columns, -1);
}

// The largest difference, beside the numbers' size.
double distance(const Tensor& a, const Tensor& b) {
  BOOST_REQUIRE_EQUAL(a.numel(), b.numel());
  if (a.numel() == 0) return 0;
  const Tensor u = a.reshape(-1).to(kDouble), v = b.reshape(-1).to(kDouble);
  return ((u - v).abs().max() / (1 + v.abs().max())).item<double>();
}

void agree(const Row& row) {
  const RowFunction f(row);
  const Tensors x = f.inputs();
  const std::vector<int> each = all_of(x);
  const Tensors rows = func::jacrev(f, each)(x), columns = func::jacfwd(f, each)(x);
  const double eps = row.eps;
  for (std::size_t i = 0; i < x.size(); ++i) {
    BOOST_TEST_CONTEXT("input " << i) {
      BOOST_TEST(distance(columns[i], rows[i]) < 1e-10);
      BOOST_TEST(distance(rows[i], by_differences(f, x, i, eps)) < 1e-6);
    }
  }
  // Of a sum with weights, so that every element counts for itself.
  const Tensor weights = drawn({f(x).sizes().vec(), -2, 2}, 7);
  const auto sum = [&](const Tensors& z) { return (f(z).to(kDouble) * weights).sum(); };
  const auto gradient = func::grad(sum, each);
  const auto forward = func::hessian(sum, each)(x), reverse = func::jacrev(gradient, each)(x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      BOOST_TEST_CONTEXT("inputs " << i << " and " << j) {
        BOOST_TEST(distance(forward[i][j], reverse[i][j]) < 1e-10);
        const auto part = [&](const Tensors& z) { return gradient(z)[i]; };
        BOOST_TEST(distance(forward[i][j], by_differences(part, x, j, eps)) < 1e-6);
      }
    }
  }
}

// A suite with a case a row.
const bool listed = [] {
  namespace ut = boost::unit_test;
  auto* const suite = new ut::test_suite("func_table", __FILE__, __LINE__);
  std::map<std::string, int> count;
  for (const Row& row : operation_table()) {
    std::string name = row.name;
    for (char& c : name) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    if (const int number = ++count[name]; number > 1) name += "_" + std::to_string(number);
    suite->add(ut::make_test_case([&row] { agree(row); }, name, __FILE__, __LINE__));
  }
  ut::framework::current_auto_test_suite().add(suite);
  return true;
}();

}  // namespace
}  // namespace gradus::test
