// Operations that are used wrongly: the type of the error, and what it says. The samples of single operations stand in their
// rows (tests/table).
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {

BOOST_AUTO_TEST_SUITE(wrong_use)

// Wrong use: the type of the error, and what it says. Nothing is changed by it.
BOOST_AUTO_TEST_CASE(types_and_texts_of_errors) {
  const Tensor x = leaf(counting({2, 3}, kFloat64)), w = leaf(counting({4}, kFloat64)),
               m = Tensor(core::ones({2, 3}, kBool));
  const Tensor i = Tensor(counting({3}, kInt64)), b = leaf(counting({2, 2, 3}, kFloat64));
  const Tensor square(counting({3, 3}, kInt64)), cube = square.unsqueeze(0);
  struct Wrong {
    const char* type;
    std::function<void()> call;
    std::vector<std::string> pieces;
  };
  const std::vector<Wrong> wrongs = {
      {"shape", [&] { x + w; }, {"add", "[2, 3]", "[4]"}},
      {"shape", [&] { x / w; }, {"div", "[2, 3]", "[4]"}},
      {"shape", [&] { maximum(x, w); }, {"maximum", "[2, 3]", "[4]"}},
      {"shape", [&] { where(m, x, w); }, {"where", "[2, 3]", "[4]"}},
      {"shape", [&] { x.masked_fill(w > 0, 1); }, {"[2, 3]", "[4]"}},
      {"dtype", [&] { x.masked_fill(x, 1); }, {"masked_fill: the mask must be bool: float64"}},
      {"dtype", [&] { where(x, x, x); }, {"where", "float64"}},
      {"dtype", [&] { m - m; }, {"sub", "bool", "logical_xor"}},
      {"dtype", [&] { -m; }, {"neg", "bool"}},
      {"dtype", [&] { i.mean(); }, {"mean", "int64"}},
      {"dtype", [&] { i.var(); }, {"int64"}},
      {"dtype", [&] { i.softmax(0); }, {"softmax", "int64"}},
      {"shape", [&] { matmul(x, w); }, {"matmul: inner sizes differ: [2, 3] x [4]"}},
      {"shape", [&] { matmul(x, x); }, {"matmul: inner sizes differ: [2, 3] x [2, 3]"}},
      {"shape", [&] { matmul(x, x.sum()); }, {"matmul", "[2, 3] x []", "mul"}},
      {"shape", [&] { matmul(b, b.t()); }, {"t: ", "[2, 2, 3]", "transpose(-2, -1)"}},
      {"shape", [&] { mm(x, w); }, {"mm", "2 dimensions", "[4]"}},
      {"shape", [&] { bmm(b, x); }, {"bmm", "3 dimensions", "[2, 3]"}},
      {"shape", [&] { bmm(b, b.slice(0, 0, 1)); }, {"bmm", "[2, 2, 3] x [1, 2, 3]"}},
      {"shape", [&] { mv(w, w); }, {"mv", "[4]"}},
      {"shape", [&] { dot(x, w); }, {"dot", "[2, 3]"}},
      {"shape", [&] { dot(w, i.to(kFloat64)); }, {"[4] x [3]"}},
      {"shape", [&] { addmm(w, x, x.t()); }, {"addmm", "[2, 2]", "[4]"}},
      {"shape", [&] { addmm(w, x, x); }, {"addmm", "[2, 3] x [2, 3]"}},
      {"value",
       [&] { addmm(i, square, square, 0.5); },
       {"addmm: beta must be a whole number for int64: 0.5; to(kFloat)"}},
      {"value", [&] { addmm(i, square, square, 1, 1.5); }, {"addmm: alpha must be a whole number for int64: 1.5"}},
      {"value", [&] { baddbmm(i, cube, cube, 0.5); }, {"baddbmm: beta must be a whole number for int64: 0.5"}},
      {"value", [&] { baddbmm(i, cube, cube, 1, 0.5); }, {"baddbmm: alpha must be a whole number for int64: 0.5"}},
      {"value", [&] { index_add(i, 0, i, i, 0.5); }, {"index_add: alpha must be a whole number for int64: 0.5"}},
      {"value",
       [&] { i.clone().index_add_(0, i, i, 0.5); },
       {"index_add_: alpha must be a whole number for int64: 0.5"}},
      {"index", [&] { empty({0}).amax(); }, {"amax: there must be at least one element"}},
      {"index", [&] { empty({0}).max(); }, {"max: there must be at least one element"}},
      {"index",
       [&] {
         empty({0, 2}).amin(0);
       },
       {"amin: there must be at least one element"}},
      {"dtype", [&] { matmul(x, x.t().to(kFloat32)); }, {"matmul", "float64", "float32"}},
      {"shape",
       [&] {
         cat({x, w});
       },
       {"cat", "[2, 3]", "[4]"}},
      {"shape",
       [&] {
         stack({x, w});
       },
       {"stack", "[2, 3]", "[4]"}},
      {"value", [&] { cat(std::vector<Tensor>{}); }, {"cat", "at least one"}},
      {"index",
       [&] {
         cat({x, x}, 2);
       },
       {"cat", "2"}},
      {"shape",
       [&] {
         x.view({4, 2});
       },
       {"view", "[2, 3]", "[4, 2]"}},
      {"shape", [&] { x.t().view({6}); }, {"view", "reshape"}},
      {"shape",
       [&] {
         x.reshape({-1, 4});
       },
       {"reshape", "[2, 3]", "[-1, 4]"}},
      {"shape",
       [&] {
         x.expand({4, 3});
       },
       {"expand", "[2, 3]", "[4, 3]"}},
      {"shape", [&] { x.expand({2}); }, {"expand", "[2, 3]", "[2]"}},
      {"shape",
       [&] {
         x.expand({1, 1, 1, 1, 1, 1, 1, 2, 3});
       },
       {"8", "9"}},
      {"value",
       [&] {
         x.permute({0, 0});
       },
       {"permute", "[0, 0]"}},
      {"shape", [&] { x.permute({0}); }, {"permute", "[0]"}},
      {"index", [&] { x.transpose(0, 2); }, {"transpose", "2"}},
      {"index", [&] { x.select(0, 2); }, {"select", "2"}},
      {"index", [&] { x.select(2, 0); }, {"select", "2"}},
      {"index", [&] { x[-3]; }, {"select", "-3"}},
      {"value", [&] { x.slice(0, 0, 2, 0); }, {"slice", "step"}},
      {"value", [&] { x.slice(0, 0, 2, -1); }, {"slice", "flip"}},
      {"index", [&] { x.narrow(1, 2, 2); }, {"narrow", "2"}},
      {"index", [&] { x.unsqueeze(4); }, {"unsqueeze", "4"}},
      {"index",
       [&] {
         x.index({0, 0, 0});
       },
       {"index", "3 indices", "[2, 3]"}},
      {"index",
       [&] {
         x.index({"...", 0, "..."});
       },
       {"index", "Ellipsis"}},
      {"value", [&] { x.split(0); }, {"split", "0"}},
      {"value", [&] { x.chunk(0); }, {"chunk", "0"}},
      {"index",
       [&] {
         x.as_strided({3, 3}, {3, 1});
       },
       {"as_strided"}},
      {"index", [&] { x.slice(0, 0, 1).as_strided({7}, {1}); }, {"as_strided"}},
      {"index", [&] { x.index_select(1, Tensor(core::full({1}, 3, kInt64))); }, {"index_select", "3"}},
      {"index", [&] { x.index_select(1, Tensor(core::full({1}, -1, kInt64))); }, {"index_select", "-1"}},
      {"dtype", [&] { x.index_select(1, w); }, {"index_select", "float64"}},
      {"index",
       [&] {
         x.gather(1, Tensor(core::full({2, 1}, 3, kInt64)));
       },
       {"gather", "3"}},
      {"shape", [&] { x.gather(1, i); }, {"gather", "[3]", "[2, 3]"}},
      {"shape", [&] { w.tril(); }, {"tril", "[4]"}},
      {"index", [&] { x.sum(2); }, {"sum", "2"}},
      {"value",
       [&] {
         x.sum({0, -2});
       },
       {"sum", "0"}},
      {"index", [&] { x.softmax(2); }, {"softmax", "2"}},
      {"index", [&] { x.flip(2); }, {"flip", "2"}},
      {"index", [&] { x.slice(0, 2).max(); }, {"max"}},
      {"index", [&] { x.slice(0, 2).argmax(0); }, {"argmax"}},
      {"index", [&] { std::get<0>(x.slice(0, 2).max(0)); }, {"max"}},
      {"shape", [&] { sum_to_size(x, {4}); }, {"[4]", "[2, 3]"}},
      {"shape", [&] { x.item(); }, {"item", "[2, 3]"}},
      {"dtype", [&] { x.data_ptr<float>(); }, {"data_ptr", "float32", "float64"}},
  };
  const Alive before;
  for (const Wrong& wrong : wrongs) {
    BOOST_TEST_CONTEXT(wrong.pieces[0]) {
      const std::string type = wrong.type;
      try {
        if (type == "shape") check_error<ShapeError>(wrong.call, wrong.pieces);
        if (type == "dtype") check_error<DTypeError>(wrong.call, wrong.pieces);
        if (type == "index") check_error<IndexError>(wrong.call, wrong.pieces);
        if (type == "value") check_error<ValueError>(wrong.call, wrong.pieces);
      } catch (const Error& error) {
        BOOST_ERROR("not a " << type << " error: " << error.what());
      }
    }
  }
  BOOST_CHECK_EQUAL(Alive(), before);
  (matmul(x, x.t()).sum() + w.sum() * b.sum()).backward();
  BOOST_CHECK(x.grad().defined() && w.grad().defined() && b.grad().defined());
}

BOOST_AUTO_TEST_CASE(errors_name_the_operation_that_was_called) {
  // Also where it is made of another: each of these is wrong use of the function named.
  const Tensor a = randn({2, 3}), b = randn({4, 5}), v = randn({7}), i64 = ones({2, 3}, kInt64),
               boo = ones({2, 3}, kBool);
  struct Wrong {
    const char* name;
    std::function<void()> call;
  };
  const std::vector<Wrong> calls = {
      {"add", [&] { a + b; }},
      {"add", [&] { add(a, b); }},
      {"sub", [&] { a - b; }},
      {"mul", [&] { a* b; }},
      {"div", [&] { a / b; }},
      {"pow", [&] { pow(a, b); }},
      {"maximum", [&] { maximum(a, b); }},
      {"minimum", [&] { minimum(a, b); }},
      {"fmod", [&] { fmod(a, b); }},
      {"remainder", [&] { remainder(a, b); }},
      {"atan2", [&] { atan2(a, b); }},
      {"eq", [&] { eq(a, b); }},
      {"ne", [&] { ne(a, b); }},
      {"lt", [&] { (void)(a < b); }},
      {"le", [&] { (void)(a <= b); }},
      {"gt", [&] { (void)(a > b); }},
      {"ge", [&] { (void)(a >= b); }},
      {"logical_and", [&] { logical_and(a, b); }},
      {"logical_or", [&] { logical_or(a, b); }},
      {"logical_xor", [&] { logical_xor(a, b); }},
      {"where", [&] { where(boo, a, b); }},
      {"where", [&] { where(i64, a, a); }},
      {"masked_fill", [&] { masked_fill(a, b > 0, 1); }},
      {"masked_fill", [&] { masked_fill(a, i64, 1); }},
      {"clamp", [&] { clamp(a, std::optional<Scalar>()); }},
      {"add_", [&] { a.add_(b); }},
      {"add_",
       [&] {
         a.add_(randn({5, 2, 3}));
       }},
      {"sub_", [&] { a.sub_(b); }},
      {"mul_", [&] { a.mul_(b); }},
      {"div_", [&] { a.div_(b); }},
      {"copy_", [&] { a.copy_(b); }},
      {"add_", [&] { i64.add_(a); }},
      {"sub_", [&] { i64.sub_(a); }},
      {"mul_", [&] { i64.mul_(a); }},
      {"div_", [&] { i64.div_(i64); }},
      {"add_", [&] { i64.add_(1.5); }},
      {"sub_", [&] { i64.sub_(1.5); }},
      {"mul_", [&] { i64.mul_(1.5); }},
      {"div_", [&] { i64.div_(2); }},
      {"sub_", [&] { boo.sub_(boo); }},
      {"exp_", [&] { i64.exp_(); }},
      {"log_", [&] { i64.log_(); }},
      {"sqrt_", [&] { i64.sqrt_(); }},
      {"tanh_", [&] { i64.tanh_(); }},
      {"sigmoid_", [&] { i64.sigmoid_(); }},
      {"clamp_", [&] { i64.clamp_(0.5); }},
      {"clamp_", [&] { a.clamp_(std::optional<Scalar>()); }},
      {"fill_", [&] { i64.fill_(1e300); }},
      {"neg_", [&] { boo.neg_(); }},
      {"abs_", [&] { boo.abs_(); }},
      {"relu_", [&] { boo.relu_(); }},
      {"add_",
       [&] {
         a.expand({4, 2, 3}).add_(1);
       }},
      {"zero_",
       [&] {
         a.expand({4, 2, 3}).zero_();
       }},
      {"exp_",
       [&] {
         a.expand({4, 2, 3}).exp_();
       }},
      {"mul_",
       [&] {
         a.expand({4, 2, 3}).mul_(a);
       }},
      {"fill_",
       [&] {
         a.expand({4, 2, 3}).fill_(1);
       }},
      {"copy_",
       [&] {
         a.expand({4, 2, 3}).copy_(a);
       }},
      {"relu_",
       [&] {
         a.expand({4, 2, 3}).relu_();
       }},
      {"clamp_",
       [&] {
         a.expand({4, 2, 3}).clamp_(1);
       }},
      {"normal_",
       [&] {
         a.expand({4, 2, 3}).normal_();
       }},
      {"uniform_",
       [&] {
         a.expand({4, 2, 3}).uniform_();
       }},
      {"bernoulli_",
       [&] {
         a.expand({4, 2, 3}).bernoulli_();
       }},
      {"random_",
       [&] {
         a.expand({4, 2, 3}).random_();
       }},
      {"exponential_",
       [&] {
         a.expand({4, 2, 3}).exponential_();
       }},
      {"bernoulli_", [&] { a.bernoulli_(b); }},
      {"random_", [&] { a.random_(3, 1); }},
      {"random_", [&] { ones({3}, kUInt8).random_(0, 1000); }},
      {"normal_", [&] { i64.normal_(); }},
      {"bernoulli_", [&] { a.bernoulli_(2); }},
      {"neg", [&] { neg(boo); }},
      {"abs", [&] { abs(boo); }},
      {"sub", [&] { boo - boo; }},
      {"exp", [&] { exp(Tensor()); }},
      {"sum", [&] { sum(a, 5); }},
      {"mean", [&] { mean(a, 5); }},
      {"mean", [&] { mean(i64); }},
      {"var", [&] { var(i64); }},
      {"std", [&] { gradus::std(i64); }},
      {"var", [&] { var(a, {7}); }},
      {"std", [&] { gradus::std(a, {7}); }},
      {"max", [&] { max(a, 7); }},
      {"min", [&] { min(a, 7); }},
      {"amax", [&] { amax(a, 7); }},
      {"amin", [&] { amin(a, 7); }},
      {"max", [&] { max(zeros({0})); }},
      {"min", [&] { min(zeros({0})); }},
      {"max", [&] { max(zeros({0}), 0); }},
      {"argmax", [&] { argmax(a, 7); }},
      {"argmin", [&] { argmin(zeros({0})); }},
      {"all", [&] { all(a, 7); }},
      {"any", [&] { any(a, 7); }},
      {"norm", [&] { norm(a, 2, {7}); }},
      {"norm", [&] { norm(a, 1, {7}); }},
      {"norm", [&] { norm(a, 3, {7}); }},
      {"norm", [&] { norm(a, HUGE_VAL, {7}); }},
      {"norm", [&] { norm(a, 0, {7}); }},
      {"logsumexp", [&] { logsumexp(a, 7); }},
      {"softmax", [&] { softmax(a, 7); }},
      {"log_softmax", [&] { log_softmax(a, 7); }},
      {"softmax", [&] { softmax(i64, 0); }},
      {"cumsum", [&] { cumsum(a, 7); }},
      {"cumprod", [&] { cumprod(a, 7); }},
      {"prod", [&] { prod(a, 7); }},
      {"sort", [&] { sort(a, 7); }},
      {"argsort", [&] { argsort(a, 7); }},
      {"topk", [&] { topk(a, 9); }},
      {"topk", [&] { topk(a, 1, 7); }},
      {"linear_recurrence", [&] { linear_recurrence(a, b, 0); }},
      {"sum_to_size", [&] { sum_to_size(a, {4}); }},
      {"matmul", [&] { matmul(a, b); }},
      {"mm", [&] { mm(a, b); }},
      {"mm", [&] { mm(a, v); }},
      {"bmm", [&] { bmm(a.unsqueeze(0), b.unsqueeze(0)); }},
      {"mv", [&] { mv(a, v); }},
      {"dot", [&] { dot(v, randn({2})); }},
      {"dot", [&] { dot(v, ones({7}, kInt64)); }},
      {"mv", [&] { mv(a, ones({3}, kInt64)); }},
      {"mm",
       [&] {
         mm(a, ones({3, 2}, kInt64));
       }},
      {"bmm",
       [&] {
         bmm(a.unsqueeze(0), ones({1, 3, 2}, kInt64));
       }},
      {"dot", [&] { dot(ones({2}, kBool), ones({2}, kBool)); }},
      {"outer", [&] { outer(a, v); }},
      {"addmm", [&] { addmm(a, a, b); }},
      {"addmm",
       [&] {
         addmm(b, a, randn({3, 2}));
       }},
      {"addmm", [&] { addmm(a, a, i64.t()); }},
      {"addmm", [&] { addmm(i64, i64, i64.t(), 0.5); }},
      {"reshape", [&] { reshape(a, {5}); }},
      {"view", [&] { a.view({5}); }},
      {"flatten", [&] { flatten(a, 7); }},
      {"permute", [&] { permute(a, {0}); }},
      {"transpose", [&] { transpose(a, 0, 7); }},
      {"t",
       [&] {
         gradus::t(randn({1, 1, 1}));
       }},
      {"movedim", [&] { movedim(a, 7, 0); }},
      {"squeeze", [&] { squeeze(a, 7); }},
      {"unsqueeze", [&] { unsqueeze(a, 7); }},
      {"select", [&] { select(a, 0, 7); }},
      {"select", [&] { a[7]; }},
      {"slice", [&] { slice(a, 7); }},
      {"slice", [&] { slice(a, 0, 0, 1, 0); }},
      {"narrow", [&] { narrow(a, 0, 7, 1); }},
      {"narrow", [&] { narrow(a, 7, 0, 1); }},
      {"diagonal", [&] { diagonal(v); }},
      {"as_strided", [&] { as_strided(a, {9}, {9}); }},
      {"expand", [&] { a.expand({5}); }},
      {"expand_as", [&] { a.expand_as(b); }},
      {"split", [&] { split(a, 0); }},
      {"split", [&] { split(a, 1, 7); }},
      {"chunk", [&] { chunk(a, 0); }},
      {"chunk", [&] { chunk(a, 1, 7); }},
      {"unbind", [&] { unbind(a, 7); }},
      {"flip", [&] { flip(a, 7); }},
      {"repeat", [&] { repeat(a, {1}); }},
      {"index", [&] { a.index({7}); }},
      {"index",
       [&] {
         a.index({0, 0, 0});
       }},
      {"view_as", [&] { a.view_as(b); }},
      {"reshape_as", [&] { a.reshape_as(b); }},
      {"cat",
       [&] {
         cat({a, b});
       }},
      {"cat", [&] { cat({a}, 7); }},
      {"stack",
       [&] {
         stack({a, b});
       }},
      {"stack", [&] { stack({a}, 7); }},
      {"index_select", [&] { index_select(a, 7, i64); }},
      {"index_select", [&] { index_select(a, 0, ones({1}, kInt64) * 9); }},
      {"gather", [&] { gather(a, 7, i64); }},
      {"gather", [&] { gather(a, 0, b); }},
      {"scatter_add", [&] { scatter_add({2}, 0, i64, a); }},
      {"constant_pad_nd", [&] { constant_pad_nd(a, {1}); }},
      {"tril", [&] { tril(v); }},
      {"triu", [&] { triu(v); }},
      {"empty", [&] { empty({-1}); }},
      {"zeros", [&] { zeros({-1}); }},
      {"ones", [&] { ones({-1}); }},
      {"full", [&] { full({-1}, 1); }},
      {"rand", [&] { rand({-1}); }},
      {"randn", [&] { randn({-1}); }},
      {"randint", [&] { randint(5, {-1}); }},
      {"randperm", [&] { randperm(-1); }},
      {"eye", [&] { eye(-1); }},
      {"arange", [&] { arange(-1); }},
      {"linspace", [&] { linspace(0, 1, -1); }},
      {"normal", [&] { normal(0, 1, {-1}); }},
      {"from_blob",
       [&] {
         float number = 0;
         from_blob(&number, {-1});
       }},
      {"rand", [&] { rand({2}, kInt64); }},
      {"randn", [&] { randn({2}, kInt64); }},
      {"full", [&] { full({2}, 1e300, kInt64); }},
      {"rand", [&] { rand({std::int64_t{1} << 62}, kFloat64); }},
      {"randn", [&] { randn({std::int64_t{1} << 62}, kFloat64); }},
      {"zeros", [&] { zeros({std::int64_t{1} << 62}); }},
      {"multinomial", [&] { multinomial(a, 9); }},
      {"bernoulli", [&] { bernoulli(a * 100); }},
      {"bernoulli", [&] { bernoulli(a, 2.); }},
      {"bernoulli", [&] { a.bernoulli(2.); }},
      {"rand_like", [&] { rand_like(i64); }},
      {"normal", [&] { normal(0, -1, {2}); }},
      {"item", [&] { a.item(); }},
      {"backward", [&] { a.backward(); }},
      {"gelu", [&] { gelu(i64); }},
      {"silu", [&] { silu(i64); }},
      {"softplus", [&] { softplus(i64); }},
      {"leaky_relu", [&] { leaky_relu(boo); }},
      {"elu", [&] { elu(i64); }},
      {"gelu", [&] { gelu(a, "x"); }},
      {"dropout", [&] { dropout(a, 2, true); }},
      {"mse_loss", [&] { mse_loss(a, b); }},
      {"cross_entropy", [&] { nn::functional::cross_entropy(a, b); }},
      {"nll_loss", [&] { nll_loss(a, b); }},
      {"layer_norm", [&] { layer_norm(a, {7}); }},
      {"embedding", [&] { embedding(a, b); }},
      {"max_pool2d", [&] { max_pool2d(a, 2); }},
      {"avg_pool2d", [&] { avg_pool2d(a, 2); }},
      {"adaptive_avg_pool2d", [&] { adaptive_avg_pool2d(a, 2); }},
      {"scaled_dot_product_attention", [&] { scaled_dot_product_attention(a, b, b); }},
      {"pad", [&] { nn::functional::pad(a, nn::functional::PadFuncOptions({1})); }},
      {"fill_", [&] { i64[1] = 1e300; }},
      {"mm_out",
       [&] {
         Tensor o = randn({2, 2});
         mm_out(o, a, b);
       }},
      {"mm_out",
       [&] {
         Tensor o = randn({2, 2});
         mm_out(o, a, randn({3, 4}));
       }},
      {"mm_out",
       [&] {
         Tensor o = randn({2, 2});
         mm_out(o, a, i64.t());
       }},
  };
  for (const Wrong& wrong : calls) {
    try {
      wrong.call();
      BOOST_ERROR(wrong.name << ": no error");
    } catch (const Error& error) {
      const std::string text = error.what(), wanted = std::string(wrong.name) + ": ";
      BOOST_TEST(text.substr(0, wanted.size()) == wanted, text);
    }
  }
  // Memory that cannot be had has a message of its own, and an error's type stays.
  BOOST_CHECK_THROW(randn({std::int64_t{1} << 55}), MemoryError);
  BOOST_CHECK_THROW(a.add_(b), ShapeError);
}

BOOST_AUTO_TEST_CASE(numbers_at_the_ends_of_64_bits) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(),
                         least = std::numeric_limits<std::int64_t>::min();
  const Tensor x = ones({3}), wide = ones({1}).expand({most}), two = ones({1}).expand({most / 2 + 1});
  float number = 1;
  // Refused, whatever wraps around to what seems right.
  for (const std::vector<std::int64_t>& pad : std::vector<std::vector<std::int64_t>>{{least, least},
                                                                                     {least, 0},
                                                                                     {0, least},
                                                                                     {most, most},
                                                                                     {most, 0},
                                                                                     {-4, 1},
                                                                                     {-2, -2},
                                                                                     {most, least},
                                                                                     {-4, most}}) {
    check_error<ShapeError>([&] { constant_pad_nd(x, pad); }, {"constant_pad_nd: ", core::to_string(pad)});
  }
  check_error<ShapeError>([&] { constant_pad_nd(ones({2, 2}), {0, most / 4, 0, most / 4}); }, {"constant_pad_nd: "});
  check_error<ShapeError>([&] { from_blob(&number, {most, most}); }, {"from_blob: the product of the sizes"});
  check_error<ShapeError>([&] { from_blob(&number, {most}); }, {"from_blob: the number of bytes"});
  check_error<ShapeError>([&] { from_blob(&number, {2, 2}, {most, most}); }, {"from_blob: the place of the last"});
  for (const std::int64_t n : {most / 2 + 1, most}) {
    check_error<ShapeError>([&] { rand({n}, kFloat64); }, {"rand: "});
    check_error<ShapeError>([&] { randn({n}, kFloat64); }, {"randn: "});
    check_error<ShapeError>([&] { randint(least, most, {n}); }, {"randint: "});
  }
  check_error<ShapeError>([&] { cat({wide, x}); }, {"cat: the joined size"});
  check_error<ShapeError>([&] { cat({two, two}); }, {"cat: the joined size"});
  check_error<ShapeError>([&] { max_pool1d(wide.view({1, most}), 1); }, {"max_pool1d: ", "61 bits"});
  check_error<ShapeError>([&] { avg_pool1d(wide.view({1, most}), 3, 1, 1); }, {"avg_pool1d: ", "61 bits"});
  check_error<ShapeError>([&] { conv1d(wide.view({1, 1, most}), ones({1, 1, 1}), {}, 1, 1); }, {"conv1d: ", "61 bits"});
  check_error<ValueError>([&] { max_pool1d(x.view({1, 3}), most, 1, most / 2); }, {"max_pool1d: dilation x kernel"});
  check_error<ValueError>([&] { split(x, least); }, {"split: "});
  check_error<ShapeError>([&] { repeat(x, {most}); }, {"repeat: "});
  check_error<IndexError>([&] { narrow(x, 0, least, 1); }, {"narrow: "});
  check_error<IndexError>([&] { x.select(0, least); }, {"select: "});
  check_error<IndexError>([&] { x.index({most}); }, {"index: "});
  for (const std::int64_t dim : {least, most}) {
    check_error<IndexError>([&] { x.sum({dim}); }, {"sum: "});
    check_error<IndexError>([&] { x.unsqueeze(dim); }, {"unsqueeze: "});
  }
  const Tensor pixels = ones({1, 4, 2, 2}), none = ones({0, 4, 2, 2});
  for (const std::int64_t r : {std::int64_t{1} << 32, most}) {
    check_error<ShapeError>([&] { pixel_shuffle(pixels, r); }, {"pixel_shuffle: ", "4 for"});
    check_error<ShapeError>([&] { pixel_shuffle(ones({0, 2, 2}), r).numel(); }, {"pixel_shuffle: "});
    check_error<ShapeError>([&] { pixel_unshuffle(ones({4, 0, 0}), r).numel(); }, {"pixel_unshuffle: "});
  }
  check_error<ShapeError>(
      [&] {
        unflatten(pixels, 1, {std::int64_t{1} << 32, std::int64_t{1} << 32, 4});
      },
      {"unflatten: "});
  check_error<ShapeError>([&] { unflatten(pixels, 1, {-2, -2}); }, {"unflatten: "});
  for (const std::int64_t offset : {least, most}) {
    check_error<ShapeError>([&] { diag_embed(x, offset); }, {"diag_embed: "});
    BOOST_TEST(diagonal(ones({2, 2}), offset).numel() == 0);
  }
  check_error<ShapeError>([&] { one_hot(full({1}, most, kInt64)); }, {"one_hot: "});
  check_error<ShapeError>([&] { one_hot(full({1}, 0, kInt64), most); }, {"one_hot: "});
  BOOST_TEST((combinations(x, std::int64_t{1} << 40).sizes() == IntArrayRef({0, std::int64_t{1} << 40})));
  BOOST_TEST((channel_shuffle(none, 2).sizes() == none.sizes()));
  BOOST_TEST(unfold(ones({4}).slice(0, 0, 4, 2), 0, 2, most).numel() == 2);
  // Defined, and as unsigned numbers wrap around.
  BOOST_TEST(values(constant_pad_nd(x, {-1, 2})) == (std::vector<double>{1, 1, 0, 0}));
  BOOST_TEST(split(x, most).size() == 1u);
  BOOST_TEST(split(two, most / 2)[1].numel() == 1);
  BOOST_TEST(x.slice(0, least, most, most).numel() == 1);
  BOOST_TEST(x.slice(0, most, least).numel() == 0);
  BOOST_TEST(values(max_pool1d(x.view({1, 3}), 1, 1, 0, most)) == values(x));
  BOOST_TEST(values(conv1d(x.view({1, 1, 3}), ones({1, 1, 1}), {}, 2, 0, most)) == (std::vector<double>{1, 1}));
  const Tensor row = ones({1, 1, 3}).requires_grad_();
  conv1d(row, ones({1, 1, 1}), {}, 2, 0, most).sum().backward();
  BOOST_TEST(values(row.grad()) == (std::vector<double>{1, 0, 1}));
  const Tensor ends = tensor({least, most, std::int64_t{-1}}, kInt64);
  const auto numbers = [](const Tensor& t) {
    return std::vector<std::int64_t>(t.data_ptr<std::int64_t>(), t.data_ptr<std::int64_t>() + t.numel());
  };
  using Whole = std::vector<std::int64_t>;
  BOOST_TEST(numbers(abs(ends)) == (Whole{least, most, 1}));
  BOOST_TEST(numbers(-ends) == (Whole{least, -most, 1}));
  BOOST_TEST(numbers(ends + 1) == (Whole{least + 1, least, 0}));
  BOOST_TEST(numbers(ends - ends * 2) == (Whole{least, -most, 1}));
  BOOST_TEST(numbers(remainder(ends, full({3}, -1, kInt64))) == (Whole{0, 0, 0}));
  BOOST_TEST(numbers(fmod(ends, full({3}, -1, kInt64))) == (Whole{0, 0, 0}));
  BOOST_TEST(numbers(pow(ends, 2)) == (Whole{0, 1, 1}));
  BOOST_TEST(numbers(ends.cumsum(0)) == (Whole{least, -1, -2}));
  BOOST_TEST(numbers(ends.cumprod(0)) == (Whole{least, least, least}));
  BOOST_TEST(ends.sum().item<std::int64_t>() == -2);
  BOOST_TEST(ends.prod().item<std::int64_t>() == least);
  BOOST_TEST(numbers(arange(least, most, most)) == (Whole{least, -1, most - 1}));
  // NaN and what no int64 holds become its least value, as where arrays are converted.
  for (const double value : {HUGE_VAL, -HUGE_VAL, 1e300, -1e300, std::nan("")}) {
    const Tensor one = full({}, value, kFloat64);
    BOOST_TEST(one.to(kInt64).item<std::int64_t>() == least);
    check_error<ValueError>([&] { one.item<std::int64_t>(); },
                            {"item: the number must be one that an integer of 64 bits"});
    check_error<ValueError>([&] { one.item<int>(); },
                            {"item: the number must be one that an integer of 32 bits holds"});
  }
  // A single number is handed out as it is, or not at all; one below 0 wraps around in an unsigned type, as PyTorch's.
  check_error<ValueError>([] { tensor(300).item<std::int8_t>(); }, {"an integer of 8 bits holds: 300; item<double>()"});
  check_error<ValueError>([] { full({}, 1e300, kFloat64).item<float>(); }, {"in the range of float: 1e+300"});
  BOOST_TEST(tensor(-1).item<std::uint8_t>() == 255);
  BOOST_TEST(tensor(255).item<std::uint8_t>() == 255);
  BOOST_TEST(tensor(-128).item<std::int8_t>() == -128);
  check_error<ValueError>([] { tensor(200).item<std::int8_t>(); }, {"an integer of 8 bits holds: 200"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
