// Values and gradients of shapes, products and made tensors against PyTorch's, from reference/shapes.safetensors (made by
// reference/make_shapes.py, where each case's call stands).
// Label: serial
#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>
#include <map>
#include <set>

#include <gradus/gradus.h>

#include "../support/pytorch.h"

namespace gradus::test {
namespace {

struct Given {
  Tensor a, b, c;
};
using Case = std::function<Tensor(const Given&)>;
#define CALL(...)                                               \
  [](const Given& g) -> Tensor {                                \
    [[maybe_unused]] const Tensor &a = g.a, &b = g.b, &c = g.c; \
    return __VA_ARGS__;                                         \
  }
Tensor backwards(std::vector<Tensor> parts) { return cat(std::vector<Tensor>(parts.rbegin(), parts.rend()), 1); }

// clang-format off: a table
const std::map<std::string, Case>& calls() {
  static const std::map<std::string, Case> table = {
      {"movedim", CALL(movedim(a, {0, -1}, {1, 0}))},
      {"moveaxis", CALL(moveaxis(a, 0, -1))},
      {"unflatten", CALL(a.unflatten(1, {3, -1}))},
      {"unfold", CALL(a.unfold(1, 3, 2))},
      {"unfold_overlap", CALL(a.unfold(0, 4, 1))},
      {"tensor_split", CALL(backwards(tensor_split(a, 3, 1)))},
      {"tensor_split_at", CALL(backwards(tensor_split(a, {1, -2}, 1)))},
      {"split_with_sizes", CALL(backwards(a.split_with_sizes({3, 0, 4}, 1)))},
      {"atleast_3d", CALL(atleast_3d(a))},
      {"meshgrid", CALL(stack(meshgrid({a, b, c})))},
      {"meshgrid_xy", CALL(stack(meshgrid({a, b, c}, "xy")))},
      {"channel_shuffle", CALL(channel_shuffle(a, 3))},
      {"pixel_shuffle", CALL(pixel_shuffle(a, 2))},
      {"pixel_unshuffle", CALL(pixel_unshuffle(a, 2))},
      {"hstack", CALL(hstack({a, b}))},
      {"hstack_1d", CALL(hstack({a, b}))},
      {"vstack", CALL(vstack({a, b}))},
      {"dstack", CALL(dstack({a, b}))},
      {"roll", CALL(roll(a, {1, -5}, {0, -1}))},
      {"roll_flat", CALL(a.roll(3))},
      {"rot90_1", CALL(rot90(a, 1, {0, 2}))},
      {"rot90_2", CALL(rot90(a, -2, {0, 2}))},
      {"rot90_3", CALL(rot90(a, 7, {2, 0}))},
      {"tile", CALL(tile(a, 2))},
      {"tile_more", CALL(tile(a, {2, 1, 2}))},
      {"diag", CALL(diag(a, -1))},
      {"diag_of", CALL(diag(a, 1))},
      {"diagflat", CALL(diagflat(a, 1))},
      {"diag_embed", CALL(diag_embed(a, -1, 0, 2))},
      {"trace", CALL(trace(a))},
      {"combinations", CALL(combinations(a, 3))},
      {"combinations_repeated", CALL(combinations(a, 2, true))},
      {"cartesian_prod", CALL(cartesian_prod({a, b, c}))},
      {"pad_reflect", CALL(pad(a, {2, 1, 1, 1}, "reflect"))},
      {"pad_replicate", CALL(pad(a, {2, 1, 0, 3}, "replicate"))},
      {"pad_circular", CALL(pad(a, {2, 1, 3, 1}, "circular"))},
      {"sum_to_size", CALL(a.sum_to_size({3, 1}))},
      {"addmv", CALL(addmv(a, b, c, 0.5, -1.5))},
      {"addr", CALL(addr(a, b, c, 0.5, -1.5))},
      {"baddbmm", CALL(baddbmm(a, b, c, 0.5, -1.5))},
      {"addbmm", CALL(addbmm(a, b, c, 0.5, -1.5))},
      {"inner", CALL(inner(a, b))},
      {"tensordot", CALL(tensordot(a, b, {2, 0}, {0, 1}))},
      {"kron", CALL(kron(a, b))},
      {"cross", CALL(cross(a, b, 0))},
      {"vander", CALL(vander(a))},
      {"vander_increasing", CALL(vander(a, 3, true))},
      {"einsum_matmul", CALL(einsum("ij,jk", {a, b}))},
      {"einsum_implicit", CALL(einsum("ba", {a}))},
      {"einsum_diagonal", CALL(einsum("iji->j", {a}))},
      {"einsum_ellipsis", CALL(einsum("...ij,...jk->...ik", {a, b}))},
      {"einsum_ellipsis_last", CALL(einsum("i...,...i->...", {a, b}))},
      {"einsum_ellipsis_summed", CALL(einsum("i...->i", {a}))},
      {"einsum_three", CALL(einsum("bn,anm,bm->ba", {a, b, c}))},
      {"einsum_ones", CALL(einsum("ij,ij->ij", {a, b}))},
      {"einsum_outer", CALL(einsum("i,j,k->kij", {a, b, c}))},
      {"einsum_upper", CALL(einsum("aB,Bc", {a, b}))},
  };
  return table;
}
// clang-format on

const PyTorchFile& reference() {
  static const PyTorchFile file("shapes");
  return file;
}

// Options hold for the process: each case leaves PyTorch's defaults behind.
struct Defaults {
  ~Defaults() { set_printoptions({.precision = 4, .threshold = 1000, .edgeitems = 3, .linewidth = 80}); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(reference_shapes)

BOOST_AUTO_TEST_CASE(values_and_gradients) {
  std::set<std::string> cases;
  for (const std::string& name : reference().cases("")) {
    if (name == "made" || name == "text") continue;
    cases.insert(name);
    const auto found = calls().find(name);
    BOOST_REQUIRE_MESSAGE(found != calls().end(), "there is no call for " << name);
    BOOST_TEST_CONTEXT(name) {
      const auto operand = [&](const char* letter) {
        const Tensor x = reference().get(name + "/" + letter);
        return x.defined() ? x.requires_grad_() : x;
      };
      const Given g{operand("a"), operand("b"), operand("c")};
      const Tensor y = found->second(g);
      reference().check(y, name + "/y");
      y.backward(reference()[name + "/dy"]);
      const std::pair<const char*, Tensor> leaves[] = {{"da", g.a}, {"db", g.b}, {"dc", g.c}};
      for (const auto& [letter, x] : leaves) {
        if (x.defined()) reference().check(x.grad(), name + "/" + letter);
      }
    }
  }
  BOOST_TEST(cases.size() == calls().size());
}

BOOST_AUTO_TEST_CASE(made) {
  const auto check = [](const char* name, const Tensor& x) { reference().check(x, std::string("made/") + name); };
  check("logspace", logspace(-1, 2, 7, 10, kDouble));
  check("logspace_base2", logspace(0, 5, 6, 2, kDouble));
  check("hann", hann_window(7, kDouble));
  check("hann_symmetric", hann_window(7, false, kDouble));
  check("hann_1", hann_window(1, kDouble));
  check("hamming", hamming_window(6, kDouble));
  check("hamming_symmetric", hamming_window(6, false, 0.54, 0.46, kDouble));
  check("blackman_symmetric", blackman_window(6, false, kDouble));
  check("bartlett", bartlett_window(7, kDouble));
  check("bartlett_symmetric", bartlett_window(6, false, kDouble));
  check("vander_integers", vander(tensor({2, -3, 5})));
  check("einsum_integers", einsum("ij,j->i", {arange(6).reshape({2, 3}), tensor({1, -2, 3})}));
}

BOOST_AUTO_TEST_CASE(printed) {
  const auto check = [](const char* name, const Tensor& x, const PrintOptions& options) {
    const Defaults defaults;
    set_printoptions(options);
    const core::Array text = reference()[std::string("text/") + name].array();
    const std::string expected(reinterpret_cast<const char*>(text.data_ptr<std::uint8_t>()),
                               static_cast<std::size_t>(text.numel()));
    BOOST_CHECK_EQUAL(to_string(x), expected);
  };
  const Tensor x = tensor({{0.5, -1.25, 3.0}, {1e-3, 20.0, 7.125}});
  check("precision", x, {.precision = 2});
  check("scientific", x, {.sci_mode = true});
  check("scientific_precision", x, {.precision = 1, .sci_mode = true});
  check("plain", tensor({{1e-6, 2.5e7}}), {.sci_mode = false});
  const Tensor many = arange(30).reshape({3, 10});
  check("threshold", many, {.threshold = 20});
  check("edgeitems", many, {.threshold = 20, .edgeitems = 1});
  check("linewidth", many, {.linewidth = 20});
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const Defaults defaults;
  set_printoptions({.threshold = 1, .edgeitems = most});
  BOOST_TEST(to_string(ones({3})) == "tensor([1., 1., 1.])");
  set_printoptions({.threshold = 1, .edgeitems = 0});
  BOOST_TEST(to_string(ones({3})) == "tensor([ ...])");
  BOOST_TEST(to_string(ones({2, 2})) == "tensor([...])");
  check_error<ValueError>([] { set_printoptions({.precision = -1}); }, {"set_printoptions: ", "-1"});
  check_error<ValueError>([] { set_printoptions({.linewidth = 0}); }, {"set_printoptions: ", "linewidth"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
