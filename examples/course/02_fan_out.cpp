// 2. Fan-out: a value that is used twice, and the order of backward.
//
// In lesson 1 every value was used once. Here a value is used twice. Calculus says what happens then: when a moves, L moves
// along both ways, and what it moves by is the SUM. This is the multivariable chain rule:
//
//     dL/da = sum over the uses u of a:  dL/du du/da
//
// A simple rule. But it puts the whole order of backward under a condition, and engines that ignore it are wrong.
#include "course.h"

using namespace gradus;

const course::Answer answer_1 = course::unanswered;  // a number
const course::Answer answer_2 = course::unanswered;  // a letter in single quotes: 'a', 'b', 'c' or 'd'

namespace {

// Our own engine. A Node knows its inputs, and the local derivative by each of them.
struct Node {
  struct Input {
    Node* from;
    double local;  // d(this)/d(from)
  };
  std::vector<Input> inputs = {};
  double grad = 0;  // dL/d(this)
  int visits = 0;
};

// First idea: what arrives is the gradient. Store it and go on. But the second arrival overwrites the first.
void overwriting(Node& node, double arrived) {
  ++node.visits;
  node.grad = arrived;
  for (const auto& [from, local] : node.inputs) overwriting(*from, node.grad * local);
}

// Second idea: add what arrives, then go on with the sum so far. The first arrival is passed on twice: alone, and within
// the sum. Many homemade engines make this mistake. It does not show as long as each value is used once.
void adding_too_early(Node& node, double arrived) {
  ++node.visits;
  node.grad += arrived;
  for (const auto& [from, local] : node.inputs) adding_too_early(*from, node.grad * local);
}

// Third idea: add what arrives, but pass on only what has just arrived. This is right: it walks every path from L to a. But
// the number of paths may double with each step.
void every_path(Node& node, double arrived) {
  ++node.visits;
  node.grad += arrived;
  for (const auto& [from, local] : node.inputs) every_path(*from, arrived * local);
}

// What engines do: a node WAITS until all of its uses have sent their part, and is then visited once. Forward made the nodes
// in some order, and each was made after its inputs. So backward takes them by number, highest first: when it comes to a
// node, all that used it have had their turn.
void in_order(std::vector<Node>& nodes) {
  nodes.back().grad = 1;  // dL/dL
  for (std::size_t i = nodes.size(); i-- > 0;) {
    ++nodes[i].visits;
    for (const auto& [from, local] : nodes[i].inputs) from->grad += nodes[i].grad * local;
  }
}

// a -> b = a + a -> c = b + b -> ..., `doublings` times; so the last is 2^doublings a.
std::vector<Node> chain(int doublings) {
  std::vector<Node> nodes(static_cast<std::size_t>(doublings) + 1);
  for (std::size_t i = 1; i < nodes.size(); ++i) nodes[i].inputs = {{&nodes[i - 1], 1.0}, {&nodes[i - 1], 1.0}};
  return nodes;
}

void report(const char* idea, const std::vector<Node>& nodes) {
  int visits = 0;
  for (const Node& node : nodes) visits += node.visits;
  std::printf("%-18s db = %g, da = %g, %d visits\n", idea, nodes[1].grad, nodes[0].grad, visits);
}

void lesson(course::Lesson& course) {
  course.part("b = a + a; c = b + b = 4 a: dc/db must be 2, and dc/da 4");
  std::vector<Node> nodes = chain(2);
  overwriting(nodes.back(), 1), report("overwriting", nodes);
  nodes = chain(2);
  adding_too_early(nodes.back(), 1), report("adding too early", nodes);
  nodes = chain(2);
  every_path(nodes.back(), 1), report("every path", nodes);
  nodes = chain(2);
  in_order(nodes), report("in order", nodes);

  course.part("The same with 16 doublings: da must be 65536");
  nodes = chain(16);
  every_path(nodes.back(), 1), report("every path", nodes);
  nodes = chain(16);
  in_order(nodes), report("in order", nodes);

  // The library visits by number, too. In its record, b' is dc/db, and +b' marks what is ADDED to a gradient that waits.
  // Of one rule's parts the first input's is sent first: for c = b + b the first b' arrives, then the second is added to it.
  course.part("The library: two arrivals, one visit");
  const Tensor a = tensor(3.0, kDouble).requires_grad_();
  autograd::Record record;
  record.name(a, "a");
  const Tensor b = a + a, c = b + b;
  record.name(b, "b"), record.name(c, "c");
  c.backward();
  record.stop();
  std::printf("a.grad() = %g\n%s", a.grad().item<double>(), record.text().c_str());

  // .grad adds up as well, from one backward to the next. That is the same rule: two losses are two uses of a. A training
  // loop therefore empties it before each step; that is what zero_grad() is for.
  course.part(".grad adds up until somebody empties it");
  (a * 5).backward();
  std::printf("after another backward, of 5 a: a.grad() = %g\n", a.grad().item<double>());

  // A use that lies further away arrives later. d is used by f at once, and by e, which f uses, too. The gradient from f
  // comes first and has to wait for the one from e. The page shows it: "1 of 2 gradients arrived".
  course.part("A long way and a short one");
  autograd::Record other;
  other.name(a, "a");
  const auto named = [&](const char* name, const Tensor& x) { return other.name(x, name), x; };
  const Tensor d = named("d", a * 2);  // 6
  const Tensor e = named("e", sin(d));
  const Tensor f = named("f", d * e);
  f.backward();
  other.stop();
  std::printf("%s", other.text().c_str());
  std::printf("df/dd = sin(d) by the short way + d cos(d) by the long one = %.4f + %.4f\n", std::sin(6.0),
              6 * std::cos(6.0));
  course.page(other);

  const Tensor u = tensor(1.0, kDouble).requires_grad_();
  (u * u * (u * 3 + 1)).backward();
  course.exercise(answer_1, "b = a^2, c = 3 a + 1, L = b c, at a = 1. What is dL/da?", u.grad().item<double>(),
                  "dL/db = c = 4 comes through b as 4 * 2a = 8; dL/dc = b = 1 comes through c as 3; 8 + 3 = 11.",
                  {{8.0, "That is the way through b alone. a is used by c, too."},
                   {3.0, "That is the way through c alone. a is used by b, too."},
                   {24.0, "You multiplied the two ways. Along a way one multiplies; ways are added."},
                   {7.0, "Through b comes c * 2a = 8, not 4: in a^2 = a * a, a is used twice itself."},
                   {5.0, "You added c and b, the local derivatives of b c, and stopped before reaching a."}},
                  "Two ways lead from L to a: through b and through c. Multiply along each, then add.");
  course.exercise(answer_2,
                  "p = x + 1; q = 2 p; r = 3 p; s = q r; L = s + p. In which order may their rules run in backward?\n"
                  "  a) L s r q p    b) L p s r q    c) p q r s L    d) L s p r q",
                  'a', "p has three uses: q, r and L. Only when all three have run is its gradient complete.",
                  {{'b', "p sends its gradient on when L's part has come. Those of q and r are still on their way."},
                   {'c', "That is the order of forward. Backward knows dL/dL = 1 at first, and must begin there."},
                   {'d', "p would run before r and q, which use it. Its gradient would not be complete."}},
                  "Name one of a, b, c, d. A rule may run when the rules of ALL uses of its result have run.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("02_fan_out", argc, argv, lesson); }
