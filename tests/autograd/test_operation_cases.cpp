// What single operations promise beyond the properties that all rows of tests/table have.
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
namespace {

using Operands = std::vector<Tensor>;

}  // namespace

BOOST_AUTO_TEST_SUITE(operation_cases)

// At edges and beyond, where a formula alone would say NaN: PyTorch's values.
BOOST_AUTO_TEST_CASE(edges_as_pytorchs) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const auto gradient = [](const std::vector<double>& at, const std::function<Tensor(const Tensor&)>& f) {
    const Tensor x = tensor(at, kFloat64).requires_grad_();
    return values(autograd::grad({f(x).sum()}, {x})[0]);
  };
  const auto same = [](const std::vector<double>& a, const std::vector<double>& b) {
    BOOST_REQUIRE_EQUAL(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      BOOST_CHECK_MESSAGE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])), i << ": " << a[i] << " for " << b[i]);
    }
  };
  const Tensor zero = Tensor(core::zeros({}, kFloat64));
  // What has no share in a result gets 0, though infinity or NaN comes from above.
  same(gradient({-1, -2, 4, 16}, [&](const Tensor& x) { return maximum(x, zero).sqrt(); }), {0, 0, 0.25, 0.125});
  same(gradient({1, 2, -4}, [&](const Tensor& x) { return minimum(x, zero).neg().sqrt(); }), {0, 0, -0.25});
  same(gradient({-1, 0, 2}, [](const Tensor& x) { return (x * 0.1).floor().log(); }), {0, 0, 0});
  same(gradient({-1, 0, 2}, [](const Tensor& x) { return x.sign().sqrt(); }), {0, 0, 0});
  same(gradient({-1, 3, 2}, [](const Tensor& x) { return (x.max() - 3).log(); }), {0, inf, 0});
  same(gradient({2, 3}, [&](const Tensor& x) { return pow(x, 0) * nan; }), {0, 0});
  same(gradient({0, 3}, [&](const Tensor& x) { return atan2(x, zero); }), {0, 0});
  same(gradient({inf, 1}, [](const Tensor& x) { return x.logsumexp({0}); }), {nan, 0});
  same(gradient({-inf, -inf}, [](const Tensor& x) { return x.logsumexp({0}); }), {0, 0});
  same(gradient({1, nan, 2}, [](const Tensor& x) { return x.max(); }), {0, 1, 0});
  same(gradient({-1, 1}, [&](const Tensor& x) { return clamp(x, nan, 2); }), {0, 0});
  same(values(clamp(tensor(std::vector<double>{-1, 1}), nan, 2)), {nan, nan});
  same(values(tensor(std::vector<double>{1, 2}).flip(IntArrayRef())), {1, 2});
  const Tensor none = Tensor(core::zeros({0, 2}, kFloat64));
  same(values(none.var()), {nan});
  same(values(none.std()), {nan});
  same(values(none.var(0)), {nan, nan});
  same(values(none.std(0)), {nan, nan});
}
BOOST_AUTO_TEST_CASE(a_requested_dtype_is_the_results) {
  struct Total {
    const char* name;
    std::function<Tensor(const Tensor&, DType)> run;
    std::vector<double> of_uint8, of_float;  // of {200, 100} as uint8, and of {1.7, 2.9} as integers
  };
  const std::vector<Total> totals = {
      {"sum", [](const Tensor& x, DType t) { return x.sum(t); }, {44}, {3}},
      {"sum over dimensions", [](const Tensor& x, DType t) { return x.sum({0}, false, t); }, {44}, {3}},
      {"sum with keepdim", [](const Tensor& x, DType t) { return x.sum({0}, true, t); }, {44}, {3}},
      {"sum of a view",
       [](const Tensor& x, DType t) {
         return sum(x.unsqueeze(0).t(), {0, 1}, false, t);
       },
       {44},
       {3}},
      {"prod", [](const Tensor& x, DType t) { return x.prod(t); }, {32}, {2}},
      {"prod over a dimension", [](const Tensor& x, DType t) { return x.prod(0, true, t); }, {32}, {2}},
      {"cumsum", [](const Tensor& x, DType t) { return x.cumsum(0, t); }, {200, 44}, {1, 3}},
      {"cumprod", [](const Tensor& x, DType t) { return x.cumprod(0, t); }, {200, 32}, {1, 2}},
  };
  for (const Total& total : totals) {
    for (const DType from : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
      for (const DType wanted : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
        BOOST_TEST((total.run(ones({2}, from), wanted).dtype() == wanted), total.name << " of " << to_string(from));
        BOOST_TEST((total.run(ones({0}, from), wanted).dtype() == wanted), total.name << " of nothing");
      }
    }
    const Tensor bytes = tensor({200, 100}, kUInt8), numbers = tensor({1.7, 2.9});
    BOOST_TEST(values(total.run(bytes, kUInt8)) == total.of_uint8, total.name);
    for (const DType wanted : {kInt32, kInt64}) BOOST_TEST(values(total.run(numbers, wanted)) == total.of_float);
    // With a gradient, of another floating dtype.
    const Tensor x = tensor({1.5, 2.5}).requires_grad_();
    total.run(x, kFloat64).sum().backward();
    BOOST_TEST((x.grad().dtype() == kFloat32), total.name);
  }
  // Without one, integers are totalled as int64, and all and any are true or false, of uint8 1 or 0.
  for (const DType from : {kBool, kUInt8, kInt32, kInt64}) {
    for (const Total& total : totals) BOOST_TEST((total.run(ones({2}, from), kInt64).dtype() == kInt64));
    BOOST_TEST((ones({2}, from).sum().dtype() == kInt64));
  }
  for (const DType from : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
    const DType truth = from == kUInt8 ? kUInt8 : kBool;
    const Tensor x = tensor({{0, 2}, {1, 3}}, from);
    for (const Tensor& y : {all(x), any(x), all(x, 0), any(x, 1, true), all(x.slice(0, 0, 0)), any(x.t(), 0)}) {
      BOOST_TEST((y.dtype() == truth), to_string(from));
    }
    BOOST_TEST(values(all(x, 0)) == (std::vector<double>{0, 1}));
    BOOST_TEST(values(any(x, 0)) == (std::vector<double>{1, 1}));
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_what_is_read_often_do_not_drift) {
  // Float32 against float64: the sum of very many gradients is as near as that of a few.
  const std::int64_t n = 1 << 18;
  const Tensor one = zeros({n}, kInt64);
  struct Reading {
    const char* name;
    std::int64_t size;
    std::function<Tensor(const Tensor&)> run;
  };
  const std::vector<Reading> readings = {
      {"embedding", 3,
       [&](const Tensor& x) {
         return embedding(x.view({3, 1}), one);
       }},
      {"embedding, long rows", 27,
       [&](const Tensor& x) {
         return embedding(x.view({3, 9}), one.slice(0, 0, n / 8));
       }},
      {"index_select", 4,
       [&](const Tensor& x) {
         return index_select(x.view({2, 2}), 1, one);
       }},
      {"gather", 3, [&](const Tensor& x) { return gather(x, 0, one); }},
      {"expand", 1, [&](const Tensor& x) { return x.expand({n}); }},
      {"as_strided, repeated", 2,
       [&](const Tensor& x) {
         return x.as_strided({n, 2}, {0, 1});
       }},
      {"as_strided, transposed", 6,
       [&](const Tensor& x) {
         return x.as_strided({2, n / 4, 2}, {1, 0, 3}, 1);
       }},
      {"as_strided, windows", 900,
       [&](const Tensor& x) {
         return x.as_strided({400, 400}, {1, 1}, 7);
       }},
      {"as_strided, windows of rows", 900,
       [&](const Tensor& x) {
         return x.view({30, 30}).as_strided({13, 40, 12, 12}, {31, 0, 30, 1});
       }},
  };
  for (const Reading& reading : readings) {
    for (const bool drawn : {false, true}) {
      Tensor dy, gradients[2];
      for (const DType dtype : {kFloat32, kFloat64}) {
        const Tensor x = zeros({reading.size}, dtype).requires_grad_(), y = reading.run(x);
        if (!dy.defined()) dy = drawn ? rand(y.sizes()) : full(y.sizes(), 0.1, kFloat32);
        y.backward(dy.to(dtype));
        gradients[dtype == kFloat64] = x.grad();
      }
      BOOST_TEST(error(gradients[0], gradients[1]) < 2e-7, reading.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_product_into_a_given_result) {
  const Tensor a = Tensor(counting({2, 3}, kFloat64)), b = Tensor(counting({3, 4}, kFloat64));
  Tensor out = Tensor(core::full({2, 4}, NAN, kFloat64));  // what was there does not matter
  const std::uint64_t version = out.version();
  BOOST_CHECK(mm_out(out, a, b).is_same(out));
  BOOST_CHECK_EQUAL(error(out, matmul(a, b)), 0);
  BOOST_CHECK_GT(out.version(), version);
  Tensor wide = Tensor(core::full({2, 8}, NAN, kFloat64)), part = wide.slice(1, 0, 8, 2);
  mm_out(part, a, b);
  BOOST_CHECK_EQUAL(error(wide.slice(1, 0, 8, 2), matmul(a, b)), 0);
  BOOST_CHECK(std::isnan(wide.index({0, 1}).item<double>()));
  // Too small, of another dtype, one of its own operands, part of a graph.
  Tensor small = Tensor(core::zeros({2, 3}, kFloat64)), floats = Tensor(core::zeros({2, 4}, kFloat32));
  check_error<ShapeError>([&] { mm_out(small, a, b); }, {"[2, 3] x [3, 4]: [2, 3]"});
  check_error<DTypeError>([&] { mm_out(floats, a, b); }, {"float32", "float64"});
  Tensor square = Tensor(counting({3, 3}, kFloat64)), copy = square.clone();
  try {
    mm_out(square, square, copy);
    BOOST_CHECK_EQUAL(error(square, matmul(copy, copy)), 0);
  } catch (const ValueError&) {
    BOOST_CHECK_EQUAL(error(square, copy), 0);  // refused is fine, half-way is not
  }
  check_error<GradError>([&] { mm_out(out, leaf(a.array()), b); }, {"mm_out", "NoGradGuard"});
}

BOOST_AUTO_TEST_CASE(repeats_of_any_number) {
  const Tensor x = arange(6).to(kFloat32).view({2, 3});
  for (const std::vector<std::int64_t>& times : {std::vector<std::int64_t>{1, 1},
                                                 {2, 1},
                                                 {1, 3},
                                                 {2, 3},
                                                 {2, 1, 3},
                                                 {4, 2, 1, 1},
                                                 {0, 2},
                                                 {2, 0, 1},
                                                 {1, 1, 1, 1, 1, 1, 2, 2}}) {
    const Tensor y = x.repeat(times), seen = x.t().contiguous().t().repeat(times);
    BOOST_TEST(y.equal(seen));
    BOOST_TEST(!y.array().may_overlap_itself());
    BOOST_TEST((y.array().storage() != x.array().storage()));
    Tensor expected = x.view([&] {
      std::vector<std::int64_t> sizes(times.size(), 1);
      sizes[times.size() - 2] = 2;
      sizes[times.size() - 1] = 3;
      return sizes;
    }());
    for (std::size_t d = 0; d < times.size(); ++d) {
      const auto dim = static_cast<std::int64_t>(d);
      expected = times[d] == 0 ? expected.slice(dim, 0, 0)
                               : cat(std::vector<Tensor>(static_cast<std::size_t>(times[d]), expected), dim);
    }
    BOOST_TEST(y.equal(expected));
  }
  check_error<ShapeError>([] { ones({1}).repeat({std::int64_t{1} << 62, 4}); }, {"repeat"});
  check_error<MemoryError>([] { ones({1}).repeat({std::int64_t{1} << 50}); }, {});
  check_error<ValueError>([] { ones({1}).repeat({-1}); }, {"repeat: numbers must not be negative"});
}

// Views inside an operation are its own affair: what it returns is detached and written to as any result, and has the
// gradient of what is made of it after a write to a view of it.
BOOST_AUTO_TEST_CASE(results_made_by_views_are_no_views) {
  const Tensor weight = Tensor(counting({3, 2, 2}, kFloat64)), bias;
  const struct {
    const char* name;
    std::vector<std::int64_t> shape;
    std::function<Tensor(const Tensor&)> run;
  } made[] = {
      {"repeat",
       {2, 3},
       [](const Tensor& x) {
         return x.repeat({2, 1});
       }},
      {"repeat once",
       {2, 3},
       [](const Tensor& x) {
         return x.repeat({1, 1, 1});
       }},
      {"matrix by vector", {2, 3}, [](const Tensor& x) { return x.mv(x[0]); }},
      {"vector by matrix", {2, 3}, [](const Tensor& x) { return matmul(x.select(1, 0), x); }},
      {"vector by batch", {2, 3, 2}, [](const Tensor& x) { return matmul(x[0].select(1, 0), x); }},
      {"dot", {3}, [](const Tensor& x) { return dot(x, x); }},
      {"convolution without a batch", {2, 5}, [&](const Tensor& x) { return conv1d(x, weight, bias); }},
  };
  for (const auto& each : made) {
    BOOST_TEST_CONTEXT(each.name) {
      const Tensor x = leaf(counting(each.shape, kFloat64));
      Tensor y = each.run(x);
      BOOST_TEST(!y.is_view());
      const Tensor flat = y.view({-1});
      flat[0].mul_(3);
      const std::vector<Tensor> dy = autograd::grad({(flat * flat).sum()}, {y, x});
      BOOST_TEST(dy[0].allclose(2 * y.detach()));
      y = each.run(x);
      y.detach_();
      BOOST_TEST(!y.requires_grad());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_gradient_of_repeats) {
  const Tensor x = leaf(counting({2, 3}, kFloat64));
  for (const std::vector<std::int64_t>& times :
       {std::vector<std::int64_t>{1, 1}, {2, 3}, {2, 1, 3}, {3, 1, 2, 2}, {0, 2}, {2, 0, 1}}) {
    const Tensor y = x.repeat(times), w = Tensor(counting(y.sizes(), kFloat64));
    Tensor expected = zeros({2, 3}, kFloat64);
    const Tensor blocks = w.numel() == 0 ? w : w.reshape({-1, w.size(-2), w.size(-1)});
    for (std::int64_t b = 0; w.numel() != 0 && b < blocks.size(0); ++b) {
      for (std::int64_t i = 0; i + 2 <= blocks.size(1); i += 2) {
        for (std::int64_t j = 0; j + 3 <= blocks.size(2); j += 3) {
          expected.add_(blocks[b].slice(0, i, i + 2).slice(1, j, j + 3));
        }
      }
    }
    BOOST_TEST(autograd::grad({(y * w).sum()}, {x})[0].equal(expected));
  }
  BOOST_TEST(gradcheck([](const Operands& in) { return Operands{in[0].repeat({2, 1, 2}).square()}; }, {x}));
}

// As PyTorch's: the third of three chunks is there for an empty batch, too.
BOOST_AUTO_TEST_CASE(chunks_of_nothing_are_as_many_as_asked_for) {
  const Tensor x = leaf(counting({2, 0, 3}, kFloat64));
  const std::vector<Tensor> parts = x.chunk(3, 1);
  BOOST_REQUIRE_EQUAL(parts.size(), 3U);
  for (const Tensor& part : parts) BOOST_TEST((part.array().shape() == core::Shape{2, 0, 3}));
  BOOST_TEST(parts[2].requires_grad());
  BOOST_TEST(x.chunk(4, 0).size() == 2U);
  check_error<ValueError>([&] { x.chunk(std::int64_t{1} << 40, 1); }, {"chunk", "1099511627776"});
}

BOOST_AUTO_TEST_CASE(flatten_of_what_is_flat_is_the_tensor_itself) {
  const Tensor x = arange(6).to(kFloat32), y = x.view({2, 3});
  BOOST_TEST(x.flatten().is_same(x));
  BOOST_TEST(y.flatten(1, 1).is_same(y));
  BOOST_TEST(!y.flatten().is_same(y));
  BOOST_TEST((x[0].flatten().array().shape() == core::Shape{1}));
}

BOOST_AUTO_TEST_CASE(the_gradient_of_atan2_beside_an_infinite_operand) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const double b : {inf, -inf}) {
    const Tensor y = tensor({{-0.5, 2.0}}, kFloat64), x = tensor({{b, 1.0}}, kFloat64).requires_grad_();
    const Tensor dx = autograd::grad({atan2(y, x).sum()}, {x})[0];
    BOOST_TEST(dx[0][0].item<double>() == 0);
    BOOST_TEST(dx[0][1].item<double>() == -2.0 / 5.0);
  }
}

// 0 to a power below 0 is infinite, and so is the sum.
BOOST_AUTO_TEST_CASE(norms_of_orders_below_zero) {
  const Tensor x = tensor({{0.0, 1.0, 2.0}, {1.0, 2.0, 2.0}}).requires_grad_();
  const Tensor y = norm(x, -1, {1});
  BOOST_TEST(y[0].item<double>() == 0);
  BOOST_TEST(std::abs(y[1].item<double>() - 0.5) < 1e-7);
  y.sum().backward();
  for (int i = 0; i < 3; ++i) BOOST_TEST(x.grad()[0][i].item<double>() == 0);
  BOOST_TEST(std::abs(x.grad()[1][0].item<double>() - 0.25) < 1e-6);
}

// What drawn programs found, and no row can say.
BOOST_AUTO_TEST_CASE(found_by_drawn_programs) {
  // Of equal numbers the mean may be a rounding away, and the gradient was a quotient of two roundings.
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const std::int64_t n : {3, 7, 1000}) {
      const Tensor x = full({2, n}, 1.629, dtype).requires_grad_();
      const Tensor y = x.std(1);
      y.sum().backward();
      BOOST_TEST((y == 0).all().item<bool>());
      BOOST_TEST((x.grad() == 0).all().item<bool>());
      BOOST_TEST(x.detach().var().item<double>() == 0);
    }
  }
  const Tensor close = tensor({1.0, 1 + 2.220446049250313e-16}, kFloat64);
  BOOST_TEST(std::fabs(close.std().item<double>() / 1.5700924586837752e-16 - 1) < 1e-12);
  const Tensor number = tensor(2.5, kFloat64);
  BOOST_TEST((equal(number.movedim(0, 0), number) && equal(moveaxis(number, -1, 0), number)));
  BOOST_TEST(equal(polygamma(0, number), digamma(number)));
  BOOST_TEST(addr(number, ones(2), ones(2, kFloat32)).dtype() == kFloat64);
  // What is more than any memory holds is refused at once.
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  BOOST_CHECK_THROW(vander(close, most), Error);
  BOOST_TEST(vander(close.slice(0, 0, 0), most).size(1) == most);
  BOOST_CHECK_THROW(combinations(arange(100), 50), ValueError);
  BOOST_CHECK_THROW(tensor_split(close, std::int64_t{1} << 31), ValueError);
  BOOST_CHECK_THROW(combinations(arange(3), most, true), Error);
  BOOST_TEST(combinations(arange(20), 18).size(0) == 190);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
