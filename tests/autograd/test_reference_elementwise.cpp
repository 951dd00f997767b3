// Rows of the operation table, and what has no gradient, against PyTorch: tests/reference/make_elementwise.py.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <tuple>

#include <gradus/gradus.h>

#include "../support/pytorch.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

const PyTorchFile& file() {
  static const PyTorchFile all("elementwise");
  return all;
}

using Results = std::vector<Tensor>;
template <class... T>
Results parts(const std::tuple<T...>& tuple) {
  return std::apply([](const auto&... t) { return Results{t...}; }, tuple);
}

// clang-format off: one call a line
std::map<std::string, std::function<Results(const Operands&)>> calls() {
  std::map<std::string, std::function<Results(const Operands&)>> table = {
      {"unique", [](const Operands& x) { return parts(unique(x[0], true, true, true)); }},
      {"unique_consecutive", [](const Operands& x) { return parts(unique_consecutive(x[0], true, true)); }},
      {"unique_dim", [](const Operands& x) { return parts(unique_dim(x[0], 1, true, true, true)); }},
      {"bincount",
       [](const Operands& x) {
         return Results{x[0].bincount({}, 9), bincount(x[0], x[0] * 0.5)};
       }},
      {"mode_index",
       [](const Operands& x) {
         return parts(x[0].view({4, 10}).mode(1));
       }},
      {"searchsorted",
       [](const Operands& x) {
         return Results{searchsorted(x[0], x[1]), searchsorted(x[0], x[1], false, false, "right")};
       }},
      {"histc",
       [](const Operands& x) {
         return Results{x[0].histc(5), histc(x[0], 4, -1, 1)};
       }},
      {"isclose",
       [](const Operands& x) {
         return Results{isclose(x[0], x[1]), x[0].isclose(x[1], 1e-2, 0, true)};
       }},
      {"count_nonzero",
       [](const Operands& x) {
         return Results{x[0].count_nonzero(), count_nonzero(x[0], 1)};
       }},
      {"isin",
       [](const Operands& x) {
         const Tensor some = tensor({2, 9, 0});
         return Results{isin(x[0], some), isin(x[0], some, false, true)};
       }},
      {"whole_floor", [](const Operands& x) { return Results{x[0].div(x[1], "floor")}; }},
      {"whole_trunc", [](const Operands& x) { return Results{divide(x[0], x[1], "trunc")}; }},
      {"fmax_integers", [](const Operands& x) { return Results{fmax(x[0], x[1])}; }},
      {"addcmul_integers", [](const Operands& x) { return Results{x[0].addcmul(x[0], x[1], 2)}; }},
      {"copysign_integers", [](const Operands& x) { return Results{x[0].copysign(x[1])}; }},
      // With other numbers than the rows have.
      {"clamp", [](const Operands& x) { return Results{x[0].clamp(x[1], x[2])}; }},
      {"copysign", [](const Operands& x) { return Results{x[0].copysign(x[1])}; }},
      {"fmod", [](const Operands& x) { return Results{x[0].fmod(0.7)}; }},
      {"remainder", [](const Operands& x) { return Results{x[0] % 0.7}; }},
      {"floor_divide", [](const Operands& x) { return Results{floor_divide(x[0], x[1])}; }},
      {"trunc_divide", [](const Operands& x) { return Results{div(x[0], x[1], "trunc")}; }}};
  for (const std::string way : {"linear", "lower", "higher", "midpoint", "nearest"}) {
    table["quantile " + way] = [way](const Operands& x) { return Results{x[0].quantile(x[1], -1, false, way)}; };
  }
  const std::pair<const char*, double> orders[] = {{"0", 0}, {"1.5", 1.5}, {"2", 2}, {"3", 3}, {"inf", INFINITY}};
  for (const auto& [name, p] : orders) {
    table[std::string("cdist ") + name] = [p = p](const Operands& x) { return Results{cdist(x[0], x[1], p)}; };
  }
  return table;
}
// clang-format on

// "name#2" is the second row of that name.
const Row* row_of(const std::string& name) {
  const std::size_t mark = name.find('#');
  int left = mark == std::string::npos ? 1 : std::stoi(name.substr(mark + 1));
  for (const Row& row : operation_table()) {
    if (row.name == name.substr(0, mark) && row.operands.size() < 4 && --left == 0) return &row;
  }
  return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reference_elementwise)

BOOST_AUTO_TEST_CASE(values_and_gradients) {
  const auto table = calls();
  std::size_t cases = 0;
  for (const std::string& at : file().cases("")) {
    const std::string name = at.substr(0, at.find('@'));
    BOOST_TEST_CONTEXT(at) {
      const Tensor dy = file().get(at + "/dy");
      Operands x;
      for (const char* letter : {"/a", "/b", "/c"}) {
        if (!file().has(at + letter)) continue;
        x.push_back(file()[at + letter]);
        if (dy.defined()) x.back().requires_grad_();
      }
      const auto call = table.find(name);
      const Row* const row = call == table.end() ? row_of(name) : nullptr;
      if (call == table.end() && row == nullptr) {
        BOOST_ERROR("there is neither a call nor a row for this case");
        continue;
      }
      ++cases;
      try {
        const Results y = row != nullptr ? Results{row->call(x)} : call->second(x);
        if (file().has(at + "/y")) file().check(y[0], at + "/y");
        for (std::size_t i = 0; file().has(at + "/y" + std::to_string(i)); ++i) {
          file().check(y.at(i), at + "/y" + std::to_string(i));
        }
        if (!dy.defined()) continue;
        y[0].backward(dy);
        for (std::size_t i = 0; i < x.size(); ++i) {
          const std::string gradient = at + "/d" + "abc"[i];
          if (file().has(gradient)) file().check(x[i].grad(), gradient);
        }
      } catch (const std::exception& error) {
        BOOST_ERROR(error.what());
      }
    }
  }
  BOOST_TEST(cases > 180u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
