// Reading and writing at places that tensors name: values and gradients beside PyTorch's, from reference/indexing.safetensors
// (made by reference/make_indexing.py, where each case's call stands); what has no gradient; what is refused.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/tensor/tensor.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/threads/parallel.h>

#include "../support/gradients.h"
#include "../support/pytorch.h"
#include "../support/threads.h"

namespace gradus::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using indexing::None;
using indexing::Slice;

struct Given {
  Tensor a, b, i, j, m;
};

// clang-format off: a table
const std::map<std::string, std::function<Tensor(const Given&)>>& calls() {
  static const std::map<std::string, std::function<Tensor(const Given&)>> table = {
      {"index_rows", [](const Given& g) { return g.a.index({g.i}); }},
      {"index_negative", [](const Given& g) { return g.a.index({g.i - 2}); }},
      {"index_second",
       [](const Given& g) {
         return g.a.index({Slice(), g.i});
       }},
      {"index_apart",
       [](const Given& g) {
         return g.a.index({g.i, Slice(), g.j});
       }},
      {"index_side_by_side",
       [](const Given& g) {
         return g.a.index({Slice(), g.i, g.j});
       }},
      {"index_with_none",
       [](const Given& g) {
         return g.a.index({None, g.i, "...", g.j});
       }},
      {"index_with_integer",
       [](const Given& g) {
         return g.a.index({g.i, 1, g.j});
       }},
      {"index_integer_first",
       [](const Given& g) {
         return g.a.index({1, g.i, Slice(1, 3)});
       }},
      {"index_step",
       [](const Given& g) {
         return g.a.index({Slice(None, None, 2), g.i});
       }},
      {"index_one_element", [](const Given& g) { return g.a[g.i[0][0]]; }},
      {"index_transposed",
       [](const Given& g) {
         return g.a.t().index({g.i, g.j});
       }},
      {"index_mask", [](const Given& g) { return g.a.index({g.m}); }},
      {"index_mask_rows", [](const Given& g) { return g.a[g.m]; }},
      {"index_mask_slice",
       [](const Given& g) {
         return g.a.index({g.m, Slice(1)});
       }},
      {"index_mask_second",
       [](const Given& g) {
         return g.a.index({Slice(), g.m});
       }},
      {"index_mask_two_dims", [](const Given& g) { return g.a.index({g.m}); }},
      {"index_mask_and_index",
       [](const Given& g) {
         return g.a.index({g.m, g.j});
       }},
      {"index_mask_true", [](const Given& g) { return g.a.index({tensor(true)}); }},
      {"index_mask_last",
       [](const Given& g) {
         return g.a.index({"...", g.m});
       }},
      {"index_none_picked", [](const Given& g) { return g.a.index({g.i.slice(0, 0, 0)}); }},
      {"masked_select", [](const Given& g) { return masked_select(g.a, g.m); }},
      {"masked_scatter", [](const Given& g) { return masked_scatter(g.a, g.m, g.b); }},
      {"index_put", [](const Given& g) { return index_put(g.a, {g.i}, g.b); }},
      {"index_put_broadcast", [](const Given& g) { return index_put(g.a, {g.i}, g.b); }},
      {"index_put_add",
       [](const Given& g) {
         return index_put(g.a, {g.i, g.j}, g.b, true);
       }},
      {"index_put_mask", [](const Given& g) { return index_put(g.a, {g.m}, g.b); }},
      {"index_put_mask_rows", [](const Given& g) { return index_put(g.a, {g.m}, g.b); }},
      {"index_put_slice",
       [](const Given& g) {
         return index_put(g.a, {Slice(), g.i}, g.b);
       }},
      {"take", [](const Given& g) { return take(g.a, g.i); }},
      {"put_add", [](const Given& g) { return put(g.a, g.i, g.b, true); }},
      {"take_along_dim", [](const Given& g) { return take_along_dim(g.a, g.i, 0); }},
      {"take_along_dim_flat", [](const Given& g) { return take_along_dim(g.a, g.i); }},
      {"gather", [](const Given& g) { return gather(g.a, 0, g.i); }},
      {"repeat_interleave", [](const Given& g) { return repeat_interleave(g.a, 3); }},
      {"repeat_interleave_dim", [](const Given& g) { return repeat_interleave(g.a, 2, 1); }},
      {"repeat_interleave_counts", [](const Given& g) { return repeat_interleave(g.a, g.i, 0); }},
      {"scatter", [](const Given& g) { return scatter(g.a, 1, g.i, g.b); }},
      {"scatter_number", [](const Given& g) { return scatter(g.a, 0, g.i, 0.5); }},
      {"scatter_add", [](const Given& g) { return scatter_add(g.a, 0, g.i, g.b); }},
      {"index_add", [](const Given& g) { return index_add(g.a, 0, g.i, g.b, -0.5); }},
      {"index_copy", [](const Given& g) { return index_copy(g.a, 0, g.i, g.b); }},
      {"index_fill", [](const Given& g) { return index_fill(g.a, 1, g.i, 0.5); }},
      {"index_fill_tensor", [](const Given& g) { return index_fill(g.a, 0, g.i, g.b); }},
      {"select_scatter", [](const Given& g) { return select_scatter(g.a, g.b, 1, -1); }},
      {"slice_scatter", [](const Given& g) { return slice_scatter(g.a, g.b, 1, 1, {}, 2); }},
      {"diagonal_scatter", [](const Given& g) { return diagonal_scatter(g.a, g.b, 1); }},
      {"fill_diagonal", [](const Given& g) { return g.a.clone().fill_diagonal_(0.5, true); }},
      {"fill_diagonal_cube", [](const Given& g) { return g.a.clone().fill_diagonal_(0.5); }},
      {"scatter_reduce_sum", [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "sum", true); }},
      {"scatter_reduce_sum_without_self",
       [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "sum", false); }},
      {"scatter_reduce_prod", [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "prod", true); }},
      {"scatter_reduce_prod_without_self",
       [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "prod", false); }},
      {"scatter_reduce_mean", [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "mean", true); }},
      {"scatter_reduce_mean_without_self",
       [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "mean", false); }},
      {"scatter_reduce_amax", [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "amax", true); }},
      {"scatter_reduce_amax_without_self",
       [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "amax", false); }},
      {"scatter_reduce_amin", [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "amin", true); }},
      {"scatter_reduce_amin_without_self",
       [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "amin", false); }},
      {"scatter_reduce_prod_zeros", [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "prod"); }},
      {"scatter_reduce_amax_ties", [](const Given& g) { return scatter_reduce(g.a, 0, g.i, g.b, "amax"); }},
  };
  return table;
}
// clang-format on

template <class T>
Tensor of(const std::vector<T>& numbers, IntArrayRef shape) {
  return tensor(numbers).reshape(shape);
}
Tensor longs(const std::vector<std::int64_t>& numbers) { return tensor(numbers); }
Tensor bools(const std::vector<std::int64_t>& numbers) { return tensor(numbers) == 1; }

}  // namespace

BOOST_AUTO_TEST_SUITE(indexing)

BOOST_AUTO_TEST_CASE(values_and_gradients) {
  const PyTorchFile file("indexing");
  std::size_t used = 0;
  for (const std::string& name : file.cases("")) {
    BOOST_TEST_CONTEXT(name) {
      const auto call = calls().find(name);
      BOOST_REQUIRE_MESSAGE(call != calls().end(), "there is no call for this case");
      ++used;
      const auto operand = [&](const char* letter) { return file.get(name + "/" + letter); };
      const Given g{operand("a"), operand("b"), operand("i"), operand("j"), operand("m")};
      g.a.requires_grad_();
      if (g.b.defined()) g.b.requires_grad_();
      try {
        const Tensor y = call->second(g);
        file.check(y, name + "/y");
        y.backward(operand("dy"));
        file.check(g.a.grad(), name + "/da");
        if (g.b.defined()) file.check(g.b.grad(), name + "/db");
      } catch (const Error& error) {
        BOOST_ERROR(error.what());
      }
    }
  }
  BOOST_TEST(used == calls().size());
}

BOOST_AUTO_TEST_CASE(dtypes_move_unchanged) {
  for (const DType dtype : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
    const Tensor x = Tensor(counting({5}, kInt64)).remainder(tensor(2)).to(dtype), i = longs({4, -2, 0});
    BOOST_TEST_CONTEXT(to_string(dtype)) {
      BOOST_TEST(equal(x.index({i}), of<double>({0, 1, 0}, 3).to(dtype)));
      BOOST_TEST(equal(x[x == 1], of<double>({1, 1}, 2).to(dtype)));
      BOOST_TEST(equal(index_put(x, {i}, x.slice(0, 0, 1)), of<double>({0, 1, 0, 0, 0}, 5).to(dtype)));
      BOOST_TEST(equal(x.index({i.to(kInt32)}), x.index({i})));
      BOOST_TEST(equal(index_put(x, {x == 1}, 0), zeros({5}, dtype)));
      BOOST_TEST(equal(scatter(x, 0, longs({0}), 1), of<double>({1, 1, 0, 1, 0}, 5).to(dtype)));
      if (dtype == kBool) continue;
      BOOST_TEST(equal(index_put(x, {longs({0, 0, 1})}, 2, true), of<double>({4, 3, 0, 1, 0}, 5).to(dtype)));
      const auto fold = [&](const char* reduce, bool self) {
        return scatter_reduce(x, 0, longs({1, 1, 2}), of<double>({3, 2, 7}, 3).to(dtype), reduce, self);
      };
      BOOST_TEST(equal(fold("amax", true), of<double>({0, 3, 7, 1, 0}, 5).to(dtype)));
      BOOST_TEST(equal(fold("amin", false), of<double>({0, 2, 7, 1, 0}, 5).to(dtype)));
      BOOST_TEST(equal(fold("prod", true), of<double>({0, 6, 0, 1, 0}, 5).to(dtype)));
      BOOST_TEST(equal(fold("mean", true), of<double>({0, 2, dtype < kFloat32 ? 3 : 3.5, 1, 0}, 5).to(dtype)));
    }
  }
}

// A view where no tensor has dimensions: what is written to it is written to the tensor.
BOOST_AUTO_TEST_CASE(places_without_dimensions_are_views) {
  const Tensor x = Tensor(counting({2, 3}));
  x.index({tensor(1), Slice(1)}) = 9;
  x[tensor(0)][0] = 5;
  BOOST_TEST(equal(x, of<float>({5, 1, 2, 3, 9, 9}, {2, 3})));
  const std::vector<TensorIndex> list = {longs({1, 0}), 2};
  BOOST_TEST(equal(x.index(list), of<float>({9, 2}, 2)));
  BOOST_TEST(equal(x.index({}), x));
}

// Of several values for one place the last one stays, in every thread's order; the sum of many is that of float64.
BOOST_AUTO_TEST_CASE(places_named_often) {
  const std::int64_t n = 200000;
  const Tensor places = randint(0, 50, {n}, kLong), values = rand({n});
  std::vector<double> sums(50), last(50);
  for (std::int64_t k = 0; k < n; ++k) {
    const auto place = static_cast<std::size_t>(places.data_ptr<std::int64_t>()[k]);
    sums[place] += static_cast<double>(values.data_ptr<float>()[k]);
    last[place] = static_cast<double>(values.data_ptr<float>()[k]);
  }
  const Tensor x = zeros(50);
  BOOST_TEST(equal(index_put(x, {places}, values, true), tensor(sums).to(kFloat)));
  BOOST_TEST(equal(index_add(x, 0, places, values), tensor(sums).to(kFloat)));
  BOOST_TEST(equal(scatter_add(x, 0, places, values), tensor(sums).to(kFloat)));
  BOOST_TEST(equal(index_put(x, {places}, values), tensor(last).to(kFloat)));
  BOOST_TEST(equal(scatter(x, 0, places, values), tensor(last).to(kFloat)));
  const Tensor w = zeros(50).requires_grad_();
  w.index({places}).backward(values);
  BOOST_TEST(equal(w.grad(), tensor(sums).to(kFloat)));
}

// The same bits however many threads there are, long columns that are cut by their places among them.
BOOST_AUTO_TEST_CASE(threads_change_no_bit) {
  const std::int64_t n = 150000;
  const Tensor x = randn({n}), i = randint(0, n, {n}, kLong), few = randint(0, 3 * n, {n}, kLong), v = randn({n}),
               big = randn({3 * n * 9}), m = rand({n}) < 0.3;
  const auto all = [&] {
    return std::vector<Tensor>{
        x.index({i}),
        x.index({m}),
        m.reshape({300, 500}).nonzero(),
        index_put(x, {i}, v),
        index_put(x, {i}, v, true),
        index_add(big, 0, few * 9, v),
        scatter_reduce(x, 0, i, v, "amax"),
        scatter_add(x.reshape({300, 500}), 0, i.reshape({300, 500}).remainder(tensor(300)), v.reshape({300, 500})),
        masked_scatter(x, m, v),
        isin(i, i.slice(0, 0, 100))};
  };
  std::vector<Tensor> one;
  ManyThreads many;
  many.each([&] {
    const std::vector<Tensor> now = all();
    if (one.empty()) one = now;
    for (std::size_t k = 0; k < one.size(); ++k) BOOST_TEST(same_bits(one[k], now[k]), "number " << k);
  });
  // Sums at few places of many: as one by one in float64.
  const core::Array sums = big.array().to(kFloat64);
  for (std::int64_t k = 0; k < n; ++k) {
    sums.data_ptr<double>()[9 * few.data_ptr<std::int64_t>()[k]] += static_cast<double>(v.data_ptr<float>()[k]);
  }
  BOOST_TEST(same_bits(one[5].array(), sums.to(kFloat32)));
}

// Sums are taken in float64, of some ways for all places of a column: what is not named keeps its bits all the same, those of
// a signalling NaN among them, which any computation would change.
BOOST_AUTO_TEST_CASE(places_that_no_value_reaches_keep_their_bits) {
  constexpr std::uint32_t signalling = 0x7f800123;
  struct Case {
    core::Shape shape;
    std::int64_t values;
    bool turned;
  };
  const std::vector<Case> cases = {{{300000}, 65536, false},   {{300000}, 100, false},   {{300000}, 20000, false},
                                   {{3000000}, 500000, false}, {{500, 300}, 400, false}, {{500, 300}, 400, true}};
  ManyThreads().each([&] {
    for (const Case& c : cases) {
      Tensor x = gradus::empty(c.shape);
      std::fill_n(static_cast<std::uint32_t*>(x.array().data()), x.numel(), signalling);
      if (c.turned) x = x.t();
      core::Shape places = x.sizes();
      places[0] = c.values;
      const Tensor v = gradus::ones(places);
      x.narrow(0, 3, 1).fill_(1);
      Tensor(x).scatter_add_(0, gradus::full(places, 3, kLong), v);
      const core::Array bits = x.array().contiguous();
      const auto* const all = static_cast<const std::uint32_t*>(bits.data());
      const std::int64_t row = x.numel() / x.size(0);
      BOOST_TEST(bits.data_ptr<float>()[3 * row] == static_cast<float>(c.values + 1));
      BOOST_TEST(std::count(all, all + x.numel(), signalling) == x.numel() - row, core::to_string(c.shape));
    }
  });
}

BOOST_AUTO_TEST_CASE(places_of_what_is_not_0) {
  const Tensor x = of<double>({0, 1, 0, -2, 0, kNaN}, {2, 3});
  BOOST_TEST(equal(x.nonzero(), of<std::int64_t>({0, 1, 1, 0, 1, 2}, {3, 2})));
  BOOST_TEST(equal(argwhere(x.t()), of<std::int64_t>({0, 1, 1, 0, 2, 1}, {3, 2})));
  BOOST_TEST((nonzero(tensor(3)).sizes() == IntArrayRef({1, 0})));
  BOOST_TEST((nonzero(tensor(0)).sizes() == IntArrayRef({0, 0})));
  BOOST_TEST((nonzero(zeros({2, 0, 3})).sizes() == IntArrayRef({0, 3})));
  BOOST_TEST(equal(nonzero(bools({1, 0, 1})), of<std::int64_t>({0, 2}, {2, 1})));
}

BOOST_AUTO_TEST_CASE(numbers_as_rows_and_membership) {
  BOOST_TEST(equal(one_hot(longs({2, 0})), of<std::int64_t>({0, 0, 1, 1, 0, 0}, {2, 3})));
  BOOST_TEST((one_hot(of<std::int64_t>({0, 1}, {2, 1}), 4).sizes() == IntArrayRef({2, 1, 4})));
  check_error<IndexError>([] { one_hot(longs({2}), 2); }, {"one_hot: indices must be in [0, 1]", "2"});
  check_error<IndexError>([] { one_hot(longs({-1, 3})); }, {"one_hot: ", "-1"});
  check_error<DTypeError>([] { one_hot(ones(2)); }, {"one_hot: ", "float32"});
  check_error<ValueError>([] { one_hot(longs({}).slice(0, 0, 0)); }, {"num_classes must be given"});
  BOOST_TEST(equal(repeat_interleave(longs({2, 0, 1})), longs({0, 0, 2})));
  check_error<ValueError>([] { repeat_interleave(longs({2, -1})); }, {"entry 1 is -1"});
  check_error<ValueError>([] { repeat_interleave(ones(2), 3, 0, 5); }, {"output_size", "5", "6"});
  BOOST_TEST(equal(isin(longs({1, 2, 3}), longs({3, 1})), bools({1, 0, 1})));
  BOOST_TEST(equal(isin(longs({1, 2, 3}), tensor(std::vector<double>{2, 2.5}), false, true), bools({1, 0, 1})));
  BOOST_TEST(equal(isin(tensor(std::vector<double>{kNaN, 1}), tensor(std::vector<double>{1, kNaN})), bools({0, 1})));
  BOOST_TEST(equal(isin(longs({1, 2}), 2), bools({0, 1})));
  BOOST_TEST(isin(2, longs({1, 2})).item<bool>());
}

// What is refused changes nothing, though the error is found behind the first places.
BOOST_AUTO_TEST_CASE(errors_change_nothing) {
  const Tensor x = Tensor(counting({3, 4})), before = x.clone(), i = longs({0, 1, 3}), v = ones({3, 4});
  const std::uint64_t version = x.version();
  const auto refused = [&](const char* text, auto call) {
    check_error<Error>(call, {text});
    BOOST_TEST(equal(x, before), text);
    BOOST_TEST(x.version() == version, text);
  };
  refused("index_put_: indices must be in [-3, 2] for a dimension of size 3: entry 2 is 3",
          [&] { x.index_put_({i}, v); });
  refused("index_put_: ", [&] { x.index_put_({i}, v, true); });
  refused("index_put_: the values must broadcast", [&] { x.index_put_({x > 3}, ones(3)); });
  refused("index_put_: the values must have the tensor's dtype", [&] { x.index_put_({i - 1}, v.to(kDouble)); });
  refused("index_put_: there may be one Ellipsis only", [&] { x.index_put_({"...", "..."}, 0); });
  refused("index_put_: a tensor among the indices must be defined", [&] { x.index_put_({Tensor()}, 0); });
  refused("a mask must have the sizes", [&] { x.index_put_({longs({1, 0}) == 1}, 0); });
  refused("scatter_: ", [&] { x.scatter_(0, i.unsqueeze(1), ones({3, 1})); });
  refused("scatter_add_: ", [&] { x.scatter_add_(0, i.unsqueeze(1), ones({3, 1})); });
  refused("scatter_reduce_: ", [&] { x.scatter_reduce_(0, i.unsqueeze(1), ones({3, 1}), "prod"); });
  refused("index_add_: ", [&] { x.index_add_(0, i, v); });
  refused("index_copy_: ", [&] { x.index_copy_(0, i, v); });
  refused("index_fill_: ", [&] { x.index_fill_(0, i, 0); });
  refused("masked_scatter_: ", [&] { x.masked_scatter_(x > 3, ones(3)); });
  refused("put_: ", [&] { x.put_(longs({0, 12}), ones(2)); });
  refused("scatter_: each element written to must have its own memory", [&] {
    x[0].expand({3, 4}).scatter_(0, zeros({1, 1}, kLong), 1);
  });
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t place : {std::int64_t{-4}, std::int64_t{3}, least, most}) {
    refused("index_put_: indices must be in [-3, 2]", [&] { x.index_put_({longs({0, place})}, 1); });
    refused("index: indices must be in [-3, 2]", [&] { x.index({longs({0, place})}); });
    refused("gather: indices must be in [0, 2]: entry 1", [&] { gather(x, 0, longs({0, place}).unsqueeze(0)); });
    refused("index_select: indices must be in [0, 11]: entry 2", [&] {
      index_select(x.flatten(), 0, longs({0, 11, place == 3 ? 12 : place}));
    });
  }
  check_error<IndexError>([&] { zeros({0, 2}).index({longs({0})}); }, {"index: indices must be in"});
  check_error<IndexError>([&] { zeros({0}).index_select(0, longs({0})); }, {"index_select: indices must be in"});
  const Tensor w = ones(3).requires_grad_();
  check_error<GradError>([&] { w.index_put_({longs({0})}, 0); }, {"index_put_: "});
}

// What is read may lie in the memory that is written.
BOOST_AUTO_TEST_CASE(writes_beside_what_they_read) {
  const Tensor x = Tensor(counting({4}, kInt64));
  x.index_put_({x}, x.slice(0, 0, 1));
  BOOST_TEST(equal(x, longs({0, 0, 0, 0})));
  const Tensor y = Tensor(counting({4}, kInt64));
  y.index_put_({longs({1, 2, 3})}, y.slice(0, 0, 3));
  BOOST_TEST(equal(y, longs({0, 0, 1, 2})));
  const Tensor z = Tensor(counting({4}));
  z.masked_scatter_(z > 0, z);
  BOOST_TEST(equal(z, tensor(std::vector<float>{0, 0, 1, 2})));
}

BOOST_AUTO_TEST_CASE(take_along_dim_of_one_number) {
  const Tensor x = full({}, 3, kFloat64).requires_grad_(), y = take_along_dim(x, full({}, -1, kInt64), 0);
  BOOST_TEST(y.dim() == 0);
  BOOST_TEST(y.item<double>() == 3);
  y.backward();
  BOOST_TEST(x.grad().item<double>() == 1);
  check_error<IndexError>([&] { take_along_dim(x, full({}, 1, kInt64), 0); }, {"take_along_dim: "});
  check_error<ShapeError>([&] { take_along_dim(x, longs({0}), 0); }, {"take_along_dim: "});
}

// What is written into a copy that nobody holds would be lost; where somebody sees it, it is written.
BOOST_AUTO_TEST_CASE(writes_into_copies_are_refused) {
  const Tensor y = arange(6, kFloat64), mask = y > 2, ids = tensor({1, 3});
  const auto lost = [](const char* op, const std::function<void()>& write) {
    test::check_error<ValueError>(write, {op, "index_put_({ids}, v)", "masked_fill_"});
  };
  lost("operator=: ", [&] { y[mask] = y[mask] * 2; });
  lost("operator=: ", [&] { y[mask] = 2; });
  lost("operator=: ", [&] { y.index({ids}) = 3; });
  lost("operator=: ", [&] { y.view({2, 3}).index({tensor({{0}, {1}})}) = 3; });
  lost("operator=: ", [&] { y.index({true}) = 3; });
  lost("operator=: ", [&] { y* y = 3; });
  lost("compound assignment: ", [&] { y[ids] += 1; });
  lost("compound assignment: ", [&] { y[ids] *= y[ids]; });
  lost("compound assignment: ", [&] { y[mask] &= true; });
  BOOST_TEST(equal(y, arange(6, kFloat64)));

  const auto same = [&] { return y; };
  const auto part = [&] { return y.slice(0, 1, 3); };
  same() = 1;
  part() = 2;
  part() += 1;
  y[0] = 7;
  y[5] *= 4;
  y.index({Slice(3, 4)}) = 5;
  y.detach()[4] = 6;
  BOOST_TEST(equal(y, tensor({7., 3., 3., 5., 6., 4.}, kFloat64)));
  Tensor held = y[mask];
  held += 1;
  held[0] = 9;
  const Tensor used = y[ids] + 0, sums = (y * 2) += 1;  // a result that is used
  BOOST_TEST(sums[0].item<double>() == 15);
  double memory[3] = {0, 0, 0};
  from_blob(memory, {3}, kFloat64) = ones({3}, kFloat64);
  from_blob(memory, {3}, kFloat64).slice(0, 1) += 1;
  BOOST_TEST((memory[0] == 1 && memory[2] == 2));
}

// Another number divided by each element, not its reciprocal times the number.
BOOST_AUTO_TEST_CASE(a_number_divided_by_small_ones) {
  const Tensor x = tensor({1e-40f, -1e-39f, 3.f}).requires_grad_();
  const Tensor y = 0 / x;
  BOOST_TEST(equal(y, zeros({3})));
  y.sum().backward();
  BOOST_TEST(equal(x.grad(), zeros({3})));
  BOOST_TEST(((1 / tensor({2, 4})).dtype() == kFloat32));
  BOOST_TEST((7 / tensor({3.f}))[0].item<float>() == 7.f / 3.f);
}

// Integers are multiplied by a factor as it is, where it isn't a double that multiplies them.
BOOST_AUTO_TEST_CASE(factors_of_integers) {
  const Tensor i = tensor({0, 1}), x = ones({2}, kInt64), square = ones({1, 1}, kInt64), cube = ones({1, 1, 1}, kInt64);
  for (const std::int64_t factor : {std::int64_t{1} << 60, (std::int64_t{1} << 53) + 1, -(std::int64_t{1} << 53) - 1}) {
    BOOST_TEST(equal(index_add(x, 0, i, x, factor), x + factor));
    const Tensor y = x.clone();
    BOOST_TEST(equal(y.index_add_(0, i, x, factor), x + factor));
    BOOST_TEST(equal(baddbmm(cube, cube, cube, 1, factor), cube + factor));
    BOOST_TEST(equal(baddbmm(cube, cube, cube, factor, 1), cube + factor));
    check_error<ValueError>([&] { addmm(square, square, square, 1, factor); },
                            {"addmm: alpha must be a whole number below 2^53 for int64"});
    check_error<ValueError>([&] { addmm(square, square, square, factor, 1); },
                            {"addmm: beta must be a whole number below 2^53"});
  }
  const std::int64_t exact = (std::int64_t{1} << 53) - 1;
  BOOST_TEST(equal(addmm(square, square, square, 1, exact), square + exact));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
