// 8. A custom operation, and ten ways to break it.
//
// An operation is a struct: a name, a forward on numbers (Arrays), and for each input a formula for its gradient. What a
// formula asks for in its parameters is what the graph keeps: Dy<> is dL/dy, In<0> the first input, Out<0> the result.
// Formulas are written on Tensors, so that they can be differentiated again.
#include "course.h"

using namespace gradus;
using namespace gradus::autograd;
using core::Array;

// Your answers to the two exercises at the end.
const course::Answer answer_1 = course::unanswered, answer_2 = course::unanswered;

namespace {

// A name belongs to one operation. That is why these two are numbered.
template <char N = '0'>
struct Cube {  // y = x^3,  dL/dx = dL/dy 3 x^2
  static constexpr char text[] = {'c', 'u', 'b', 'e', N, 0};
  static constexpr std::string_view name = text;
  static Array forward(const Array& x) { return x * x * x; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * 3 * x * x; });
};
template <char N = '0'>
struct Mix {  // y = a^2 b,  dL/da = dL/dy 2 a b,  dL/db = dL/dy a^2
  static constexpr char text[] = {'m', 'i', 'x', N, 0};
  static constexpr std::string_view name = text;
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b) { return a * a * b; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> a, In<1> b) { return dy * 2 * a * b; }, [](Dy<> dy, In<0> a) { return dy * a * a; });
};

// Each struct below inherits from one of these two and changes ONE thing for the worse. All of them compile.
struct Sign : Cube<'1'> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * -3 * x * x; });
};
struct Factor : Cube<'2'> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * x * x; });
};
struct NoUpstream : Cube<'3'> {
  static constexpr auto gradients = formulas([](In<0> x) { return 3 * x * x; });
};
struct Summed : Cube<'4'> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return (dy * 3 * x * x).sum(); });
};
struct NotDeclared : Mix<'5'> {
  static constexpr bool broadcasts = false;
};
struct WritesInput : Cube<'6'> {
  static Array forward(const Array& x) { return x.copy_(x * x * x), x.clone(); }
};
struct ReturnsInput : Cube<'7'> {
  static Array forward(const Array& x) { return x; }
};
struct WritesSaved : Cube<'8'> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * 3 * x.square_(); });
};
struct PastTheGraph : Cube<'9'> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * 3 * x.detach().square(); });
};
struct Remembers : Cube<'x'> {
  static inline Array last;  // of the last call, whichever that was
  static Array forward(const Array& x) { return last = x.clone(), x * x * x; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 3 * Tensor(last) * Tensor(last); });
};

// Tries Op at x: the call, its gradient, the gradient's gradient, then the check. Whoever objects first is quoted.
template <class Op, class... X>
void way(int number, const char* mistake, const char* cure, const X&... x) {
  const auto f = [](const X&... inputs) { return apply<Op>(inputs...).sum(); };
  const auto df = [&](const X&... inputs) { return func::grad(f)(inputs...).sum(); };
  std::string who = "the call", message = "nothing";
  try {
    f(x.clone()...);
    who = "the first derivative", df(x.clone()...);
    who = "the second derivative", func::grad(df)(x.clone()...);
    who = "check<Op>";
    const CheckReport report = check<Op>(x...);
    for (const CheckRow& row : report.rows) {  // of the last that is not well: the worst element, the relation found
      char numbers[99] = "";
      if (row.has_worst)
        std::snprintf(numbers, 99, "finite difference %.4f = %.2f times the formula's %.4f; ", row.finite,
                      row.finite / row.hand, row.hand);
      if (!row.ok()) message = numbers + row.hint;
    }
  } catch (const Error& error) {
    message = error.what();
    message = message.substr(0, message.find('\n'));  // the next line names the place in the source
  }
  std::printf("%2d. %s\n    %s says: %s\n    cure: %s\n", number, mistake, who.c_str(), message.c_str(), cure);
}

void lesson(course::Lesson& course) {
  manual_seed(8);
  const Tensor x = randn({5}, kDouble), rows = randn({2, 5}, kDouble);

  course.part("The right one");
  // check<Op> compares with finite differences, (f(x + h) - f(x - h)) / 2h, in first and second order. (h is small.)
  const CheckReport right = check<Cube<>>(x);
  std::printf("check<Cube>: %zu comparisons, %s\n", right.rows.size(), right.ok() ? "all agree" : "NOT all agree");

  // The check tries several dL/dy. Quoted is a comparison with one dL/dy for all elements: a lost one is then one factor.
  course.part("Wrong numbers: nothing complains; training goes wrong, or uphill; the check sees it");
  way<Sign>(1, "a wrong sign", "differentiate again", x);
  way<Factor>(2, "a forgotten factor", "d(x^3)/dx = 3 x^2: the 3 is missing", x);
  way<NoUpstream>(3, "dL/dy forgotten", "the chain rule: dL/dx = dL/dy dy/dx (that many times: it is dL/dy)", x);

  course.part("Wrong shapes: the first derivative is refused");
  way<Summed>(4, "a gradient of another shape", "one number for each element of x", x);
  way<NotDeclared>(5, "broadcasting not declared", "say so: what was used n times gets the sum of n gradients", x,
                   rows);

  course.part("Wrong conduct: others hold the same memory, so the first calls are watched");
  way<WritesInput>(6, "forward changes its input", "compute into new memory", x);
  way<ReturnsInput>(7, "forward returns its input", "return x.clone()", x);
  way<WritesSaved>(8, "a formula changes what is saved", "square(x), not x.square_(): x may be read again", x);

  course.part("Right once, wrong later");
  way<PastTheGraph>(9, "past the graph: d(3 x^2)/dx = 6 x is lost", "square(x), without detach()", x);
  way<Remembers>(10, "a memory of its own", "ask for In<0> x: the graph keeps what belongs to each call", x);
  std::printf("11. Leave out the name: that does not even compile. Try it, and read what the compiler says.\n");

  course.part("The right ones in a graph, like any other");
  Record record;
  const Tensor u = tensor({1.0, 2.0}).requires_grad_(), w = tensor({3.0, 4.0}).requires_grad_();
  record.name(u, "u"), record.name(w, "w");
  apply<Mix<>>(apply<Cube<>>(u), w).sum().backward();
  std::printf("%s", record.text().c_str());
  course.page(record);

  course.exercise(answer_1, "y = a^2 b with a = 3, b = 2, and dL/dy = 5. What is dL/da?", 60.0,
                  "dL/da = dL/dy 2 a b = 5 * 2 * 3 * 2 = 60.",
                  {{12.0, "That is dy/da. The chain rule multiplies it by what comes from above, dL/dy."},
                   {45.0, "That is dL/db = dL/dy a^2, the other input's."},
                   {30.0, "You have dL/dy a b: the factor 2 of d(a^2)/da is missing."}},
                  "Differentiate a^2 b with respect to a, and multiply by dL/dy.");
  course.exercise(answer_2, "y = a b, a of shape [4, 3] full of 2, b of shape [3], dL/dy full of 1. What is dL/db[0]?",
                  8.0, "b[0] was used in 4 rows. Each gives dL/dy a = 2, and they add up: 8.",
                  {{4.0, "You counted the uses. Each of the 4 gives dL/dy a, and a is 2."},
                   {2.0, "That is one row's. What is used in 4 rows gets the SUM of their gradients."},
                   {24.0, "You summed over all 12 elements. b[0] meets the first column only."},
                   {6.0, "You summed along a row, of 3. b is repeated down the 4 rows: sum over those."}},
                  "List the elements of y that b[0] took part in; each gives dL/dy a.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("08_custom_operation", argc, argv, lesson); }
