// Judging the report of a three-way check.
#pragma once

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

#include <gradus/autograd/check/check.h>

namespace gradus::test {

/// Passes within the bounds that are promised, hand against graph 1e-12 and hand against finite differences 1e-7, with
/// rows of the first order, recorded and not, for every one of the variables, and of the second for them and dy. Some
/// row of each order must compare something that is not zero, unless the operation is linear: then of the first. Where
/// the gradient from above is constant along what an operation normalises (expanded), the true one is zero: of the tiny
/// second order that rounding leaves, finite differences say nothing, and hand against graph decides.
inline void passes(const autograd::CheckReport& report, const std::set<std::string>& variables, bool linear = false) {
  BOOST_TEST(report.ok(), report);
  if (!report.ok()) return;
  for (const std::string& note : report.notes) {  // an operation may have no meaning for inputs without elements
    BOOST_TEST(note.starts_with("inputs without elements are refused"), report);
  }
  std::set<std::string> first, second;
  int compared[3] = {};
  for (const autograd::CheckRow& row : report.rows) {
    const std::string name = row.variable.substr(0, row.variable.find(' '));
    if (row.order == 1 && row.upstream == "create_graph") first.insert(name);
    if (row.order == 2) second.insert(name);
    if (row.verdict == autograd::Verdict::Zero) continue;
    ++compared[row.order];
    if (!report.formulas_only) BOOST_TEST(row.hand_graph <= 1e-12, report);
    if (row.order == 2 && row.upstream == "expanded" && row.verdict == autograd::Verdict::Coarse) continue;
    BOOST_TEST((row.verdict == autograd::Verdict::Agree), report);
    if (row.order != 0) BOOST_TEST(row.hand_finite <= 1e-7, report);
  }
  BOOST_TEST((first == variables), report);
  std::set<std::string> with_dy = variables;
  with_dy.insert("dy");
  BOOST_TEST((second == with_dy), report);
  BOOST_TEST(compared[1] > 0, report);
  BOOST_TEST((linear || compared[2] > 0), report);
}

}  // namespace gradus::test
