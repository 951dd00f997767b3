// Formulas as pages show them: the library's own, those that a user's struct says, and what is shown where none is known.
#include <boost/test/unit_test.hpp>

#include <gradus/autograd/page/formulas.h>
#include <gradus/autograd/page/markup.h>
#include <gradus/gradus.h>

using namespace gradus;
using namespace gradus::autograd;
using autograd::detail::formula_of;

namespace {

struct Saturated {
  static constexpr std::string_view name = "test_saturated";
  static constexpr std::string_view formula = "y = w x / (1 + |x|), dx = dy w / s^2, s = 1 + |x|, dw = dy x / s, none";
  static constexpr bool broadcasts = true;
  static core::Array forward(const core::Array& x, const core::Array& w, const core::Array&) {
    return w * x / (core::abs(x) + 1);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, In<1> w) { return dy * w / square(abs(x) + 1); },
                                             [](Dy<> dy, In<0> x) { return dy * x / (abs(x) + 1); }, no_gradient);
};
struct Silent {
  static constexpr std::string_view name = "test_silent";
  struct Attrs {
    double rate = 1;
    static constexpr auto fields = named("rate", &Attrs::rate);
  };
  static core::Array forward(const Attrs& a, const core::Array& x) { return x * a.rate; }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return dy * a.rate; });
};
const auto& saturated = apply<Saturated>;
const auto& silent = apply<Silent>;

bool has(const std::optional<std::string>& text, std::string_view what) {
  return text && text->find(what) != std::string::npos;
}
// Every tag is closed in its turn.
bool well_formed(std::string_view text) {
  std::vector<std::string> open;
  for (std::size_t at = text.find('<'); at != text.npos; at = text.find('<', at + 1)) {
    const std::string_view tag = text.substr(at + 1, text.find('>', at) - at - 1);
    if (tag.ends_with('/')) continue;
    const std::string name(tag.substr(0, tag.find(' ')));
    if (!name.starts_with('/')) {
      open.push_back(name);
    } else {
      if (open.empty() || "/" + open.back() != name) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(page_formulas)

BOOST_AUTO_TEST_CASE(names_that_a_number_can_be_put_in_for_are_marked) {
  const auto mul = formula_of("mul", 2);
  BOOST_REQUIRE(mul);
  BOOST_TEST(mul->kind == "elementwise");
  BOOST_TEST(mul->inputs == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
  BOOST_TEST(has(mul->forward, "<mi data-out=\"0\">y</mi>"));
  BOOST_TEST(has(mul->forward, "<mi data-in=\"1\">b</mi>"));
  BOOST_TEST(has(mul->gradients[0], "data-dx=\"0\""));
  BOOST_TEST(has(mul->gradients[0], "data-dy=\"0\""));
  BOOST_TEST(has(formula_of("mul", 1)->forward, "<mi data-attr=\"value\">c</mi>"));
  // In place it is the same.
  BOOST_TEST(*formula_of("mul_", 2)->forward == *mul->forward);
  BOOST_TEST(!formula_of("no_such_operation", 1));
}

BOOST_AUTO_TEST_CASE(what_a_struct_says_is_shown) {
  (void)saturated(ones({2}), ones({2}), ones({2}));
  const auto f = formula_of("test_saturated", 3);
  BOOST_REQUIRE(f);
  BOOST_TEST(f->kind == "elementwise");
  BOOST_TEST(f->inputs == (std::vector<std::string>{"x", "w", ""}), boost::test_tools::per_element());
  BOOST_TEST(has(f->forward, "<mfrac>"));
  BOOST_TEST(has(f->gradients[0], "<mtable class=\"where\""));  // with s
  BOOST_TEST(has(f->gradients[1], "data-in=\"0\""));
  BOOST_TEST(!f->gradients[2]);
}

BOOST_AUTO_TEST_CASE(without_a_formula_there_are_name_kind_and_attributes) {
  (void)silent({2.0}, ones({2}));
  const auto f = formula_of("test_silent", 1);
  BOOST_REQUIRE(f);
  BOOST_TEST(!f->forward);
  BOOST_TEST(f->gradients.size() == 1u);
  BOOST_TEST(f->attributes == std::vector<std::string>{"rate"}, boost::test_tools::per_element());
  BOOST_TEST(f->kind == "other");
}

BOOST_AUTO_TEST_CASE(kinds_come_from_what_structs_declare) {
  const std::pair<const char*, const char*> kinds[] = {
      {"exp", "elementwise"}, {"where", "elementwise"}, {"sum", "reduction"},      {"softmax", "along"},
      {"cumsum", "along"},    {"matmul", "product"},    {"linear", "product"},     {"conv", "window"},
      {"select", "view"},     {"cat", "move"},          {"linalg_inv", "matrices"}};
  for (const auto& [name, kind] : kinds) {
    const auto f = formula_of(name);
    BOOST_TEST((f && f->kind == kind), name << ": " << (f ? f->kind : "not there"));
  }
}

BOOST_AUTO_TEST_CASE(all_are_well_formed) {
  int formulas = 0;
  for (const OperationInfo& operation : operations()) {
    const auto f = formula_of(operation.name, operation.inputs);
    BOOST_REQUIRE(f);
    if (f->forward) BOOST_TEST(well_formed(*f->forward), operation.name << ": " << *f->forward);
    for (const auto& g : f->gradients) {
      if (g) BOOST_TEST(well_formed(*g), operation.name << ": " << *g);
      formulas += g ? 1 : 0;
    }
  }
  BOOST_TEST(formulas > 200);
}

BOOST_AUTO_TEST_CASE(the_notation) {
  using autograd::detail::math_of;
  BOOST_TEST(
      math_of("a / (b + c)") ==
      "<mrow><mfrac><mrow><mi>a</mi></mrow><mrow><mrow><mi>b</mi><mo>+</mo><mi>c</mi></mrow></mrow></mfrac></mrow>");
  BOOST_TEST(math_of("x^T") == "<mrow><msup><mi>x</mi><mrow><mi>⊤</mi></mrow></msup></mrow>");
  BOOST_TEST(math_of("alpha") == "<mrow><mi>α</mi></mrow>");
  // Nobody's name becomes a tag.
  BOOST_TEST(math_of("<b>", {{"b", "data-in=\"0\""}}).find("<b>") == std::string::npos);
  // What does not end is read to its end.
  for (const char* text : {"(", "{", "|", "cases{x if", "x_", "x^", "1[", "\"", "sum_", "a /", "/ b", "exp(", "", "\\"})
    BOOST_TEST(well_formed(math_of(text)), text);
}

BOOST_AUTO_TEST_SUITE_END()
