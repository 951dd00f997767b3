// Views and the geometry behind them: no numbers move, and what comes out is what PyTorch has.
#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>

#include <gradus/core/array/array.h>
#include <gradus/core/array/create.h>
#include <gradus/core/loops/program.h>
#include <gradus/core/loops/recording.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/reduce.h>

#include "../support/arrays.h"

using namespace gradus;
using namespace gradus::core;
using namespace gradus::indexing;
using gradus::test::check_error;
using gradus::test::counting;
using gradus::test::values;
using Values = std::vector<double>;

namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

void check_geometry(const Array& view, const Array& base, const Shape& shape, const Strides& strides,
                    std::int64_t offset) {
  BOOST_TEST(view.shape() == shape, core::to_string(view.shape()) << " is not " << core::to_string(shape));
  BOOST_TEST(view.strides() == strides, core::to_string(view.strides()) << " is not " << core::to_string(strides));
  BOOST_TEST(view.storage_offset() == offset);
  BOOST_TEST((view.storage() == base.storage()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(views)

BOOST_AUTO_TEST_CASE(handles_and_elements) {
  const Array none{};
  BOOST_TEST(!none.defined());
  const Array x = counting({2, 3}), same = x;
  BOOST_TEST(x.defined());
  BOOST_TEST((same.storage() == x.storage()));
  BOOST_TEST(x.data_ptr<float>()[5] == 5);
  BOOST_TEST((x.accessor<float, 2>()[1][2]) == 5);
  BOOST_TEST((x.t().accessor<float, 2>()[2][1]) == 5);
  check_error<DTypeError>([&] { x.data_ptr<double>(); }, {"data_ptr", "float64", "float32"});
  check_error<DTypeError>([&] { x.accessor<std::int64_t, 2>(); }, {"accessor", "int64", "float32"});
  check_error<ShapeError>([&] { x.accessor<float, 3>(); }, {"accessor", "3", "[2, 3]"});
  check_error<ValueError>([&] { none.data_ptr<float>(); }, {"data_ptr", "defined"});
  check_error<ValueError>([&] { none.item(); }, {"item", "defined"});
  check_error<ValueError>([&] { none.clone(); }, {"clone", "defined"});
  check_error<ValueError>([&] { none.fill_(1); }, {"fill_", "defined"});
  check_error<ValueError>([&] { x.copy_(none); }, {"copy_", "defined"});
  check_error<ValueError>([&] { none.as_strided({}, {}, 0); }, {"as_strided", "defined"});
}

BOOST_AUTO_TEST_CASE(items) {
  BOOST_TEST(scalar(2.5, kFloat32).item<double>() == 2.5);
  BOOST_TEST(scalar(-7, kInt32).item<float>() == -7);
  BOOST_TEST(scalar(200, kUInt8).item<int>() == 200);
  BOOST_TEST(scalar(kMax, kInt64).item<std::int64_t>() == kMax);
  BOOST_TEST(scalar(true, kBool).item<bool>());
  BOOST_TEST((scalar(true, kBool).item().category() == kBool));
  BOOST_TEST((scalar(1, kFloat32).item().category() == kFloat64));
  BOOST_TEST(core::ones({1, 1, 1}).item<int>() == 1);
  check_error<ShapeError>([] { counting({2}).item(); }, {"item", "[2]", "2"});
  check_error<ShapeError>([] { core::empty({0}).item(); }, {"item", "[0]", "0"});
}

BOOST_AUTO_TEST_CASE(view_fills_in_one_size) {
  const Array x = counting({4, 6});
  check_geometry(x.view({2, 2, 6}), x, {2, 2, 6}, {12, 6, 1}, 0);
  check_geometry(x.view({-1, 3}), x, {8, 3}, {3, 1}, 0);
  check_geometry(x.view(-1), x, {24}, {1}, 0);
  check_geometry(x.view({24, -1}), x, {24, 1}, {1, 1}, 0);
  check_error<ShapeError>([&] { x.view({5, 5}); }, {"view", "[5, 5]", "[4, 6]", "24"});
  check_error<ShapeError>([&] { x.view({-1, 5}); }, {"view", "[-1, 5]", "24"});
  check_error<ShapeError>([&] { x.view({-1, -1}); }, {"view", "[-1, -1]"});
  check_error<ShapeError>([&] { x.view({-2, -12}); }, {"view", "negative", "-2"});
  check_error<ShapeError>([&] { x.view({kMax, kMax}); }, {"view", "64 bits"});
  check_error<ShapeError>([&] { x.view({}); }, {"view", "[]", "24"});
  check_error<ShapeError>([&] { x.view({-1, 0}); }, {"view", "[-1, 0]"});
}

BOOST_AUTO_TEST_CASE(view_of_strided_arrays) {
  const Array x = counting({4, 6});
  check_error<ShapeError>([&] { x.t().view(24); }, {"view", "[24]", "[6, 4]", "[1, 6]", "reshape"});
  check_geometry(x.t().view({3, 2, 4}), x, {3, 2, 4}, {2, 1, 6}, 0);
  check_geometry(x.t().view({6, 2, 2}), x, {6, 2, 2}, {1, 12, 6}, 0);
  const Array odd = x.slice(0, 1, 4, 2);  // rows 1 and 3
  check_geometry(odd.view({2, 3, 2}), x, {2, 3, 2}, {12, 2, 1}, 6);
  check_error<ShapeError>([&] { odd.view({12}); }, {"view"});
  const Array columns = x.slice(1, 0, 6, 2);  // one stride runs through: 0, 2, 4, 6, ...
  check_geometry(columns.view(12), x, {12}, {2}, 0);
  check_geometry(columns.view({3, 4}), x, {3, 4}, {8, 2}, 0);
  // A stride of 0 can be cut, and merged with its like.
  const Array wide = counting({3, 1, 1}).expand({3, 2, 4});
  check_geometry(wide.view({3, 8}), wide, {3, 8}, {1, 0}, 0);
  check_error<ShapeError>([&] { wide.view({6, 4}); }, {"view"});
}

BOOST_AUTO_TEST_CASE(view_of_0d_and_empty) {
  const Array one = scalar(3, kFloat32);
  check_geometry(one.view({1, 1}), one, {1, 1}, {1, 1}, 0);
  check_geometry(one.view({1, 1}).view({}), one, {}, {}, 0);
  check_geometry(one.view(-1), one, {1}, {1}, 0);
  const Array none = core::empty({2, 0, 3});
  check_geometry(none.view({0, 7}), none, {0, 7}, {7, 1}, 0);
  check_geometry(none.view({-1, 3}), none, {0, 3}, {3, 1}, 0);
  check_geometry(none.transpose(0, 2).view({5, 0}), none, {5, 0}, {1, 1}, 0);
  check_error<ShapeError>([&] { none.view({2, 3}); }, {"view", "0"});
}

BOOST_AUTO_TEST_CASE(reshape_copies_only_where_it_must) {
  const Array x = counting({2, 3});
  BOOST_TEST((x.reshape({3, 2}).storage() == x.storage()));
  const Array copy = x.t().reshape(-1);
  BOOST_TEST((copy.storage() != x.storage()));
  BOOST_TEST((values(copy) == Values{0, 3, 1, 4, 2, 5}));
  BOOST_TEST(copy.is_contiguous());
  check_error<ShapeError>([&] { x.reshape({4}); }, {"reshape", "[4]", "[2, 3]"});
}

BOOST_AUTO_TEST_CASE(flatten) {
  const Array x = counting({2, 3, 4, 5});
  BOOST_TEST((x.flatten().shape() == Shape{120}));
  BOOST_TEST((x.flatten(1).shape() == Shape{2, 60}));
  BOOST_TEST((x.flatten(1, 2).shape() == Shape{2, 12, 5}));
  BOOST_TEST((x.flatten(-2, -2).shape() == Shape{2, 3, 4, 5}));
  BOOST_TEST((x.flatten(0, -2).shape() == Shape{24, 5}));
  BOOST_TEST((scalar(1, kFloat32).flatten().shape() == Shape{1}));
  BOOST_TEST((core::empty({2, 0, 3}).flatten(1).shape() == Shape{2, 0}));
  check_error<ValueError>([&] { x.flatten(2, 1); }, {"flatten", "2", "1"});
  check_error<IndexError>([&] { x.flatten(4); }, {"flatten", "4"});
}

BOOST_AUTO_TEST_CASE(permutations) {
  const Array x = counting({2, 3, 4});
  check_geometry(x.permute({2, 0, 1}), x, {4, 2, 3}, {1, 12, 4}, 0);
  check_geometry(x.permute({-1, -3, -2}), x, {4, 2, 3}, {1, 12, 4}, 0);
  check_geometry(x.transpose(0, -1), x, {4, 3, 2}, {1, 4, 12}, 0);
  check_geometry(x.movedim(0, 2), x, {3, 4, 2}, {4, 1, 12}, 0);
  check_geometry(x.movedim(-1, 0), x, {4, 2, 3}, {1, 12, 4}, 0);
  check_geometry(x[1].t(), x, {4, 3}, {1, 4}, 12);
  check_geometry(x[1][0].t(), x, {4}, {1}, 12);
  BOOST_TEST((values(counting({2, 3}).t()) == Values{0, 3, 1, 4, 2, 5}));
  const Array one = scalar(1, kFloat32);
  check_geometry(one.permute({}), one, {}, {}, 0);
  check_geometry(one.transpose(0, -1), one, {}, {}, 0);
  check_geometry(one.movedim(0, 0), one, {}, {}, 0);
  check_error<ShapeError>([&] { x.permute({0, 1}); }, {"permute", "[0, 1]", "[2, 3, 4]"});
  check_error<ValueError>([&] { x.permute({0, 1, -2}); }, {"permute", "[0, 1, -2]"});
  check_error<IndexError>([&] { x.permute({0, 1, 3}); }, {"permute", "3"});
  check_error<IndexError>([&] { x.transpose(0, 3); }, {"transpose", "3"});
  check_error<ShapeError>([&] { x.t(); }, {"t:", "[2, 3, 4]", "transpose"});
}

BOOST_AUTO_TEST_CASE(expand) {
  const Array x = counting({3, 1});
  check_geometry(x.expand({3, 4}), x, {3, 4}, {1, 0}, 0);
  check_geometry(x.expand({2, -1, 4}), x, {2, 3, 4}, {0, 1, 0}, 0);
  check_geometry(x.expand({3, 0}), x, {3, 0}, {1, 0}, 0);
  const Array one = scalar(1, kFloat32);
  check_geometry(one.expand({2, 2}).expand_as(core::empty({5, 2, 2})), one, {5, 2, 2}, {0, 0, 0}, 0);
  BOOST_TEST((values(x.expand({3, 2})) == Values{0, 0, 1, 1, 2, 2}));
  BOOST_TEST((core::empty({0}).expand({4, 0}).shape() == Shape{4, 0}));
  check_error<ShapeError>([&] { x.expand({2, 1}); }, {"expand", "[2, 1]", "[3, 1]"});
  check_error<ShapeError>([&] { x.expand({4}); }, {"expand", "[4]", "[3, 1]"});
  check_error<ShapeError>([&] { x.expand({-1, 3, 4}); }, {"expand", "[-1, 3, 4]"});
  check_error<ShapeError>([&] { x.expand({3, -2}); }, {"expand", "[3, -2]"});
  check_error<ShapeError>([&] { core::empty({0}).expand({1}); }, {"expand", "[1]", "[0]"});
  check_error<ShapeError>([&] { x.expand({kMax, 3, 2}); }, {"expand", "64 bits"});
}

BOOST_AUTO_TEST_CASE(slices) {
  const Array x = counting({10, 2});
  check_geometry(x.slice(0, 2, 8, 3), x, {2, 2}, {6, 1}, 4);
  check_geometry(x.slice(0, 2, 9, 3), x, {3, 2}, {6, 1}, 4);
  check_geometry(x.slice(-1, 1, kMax), x, {10, 1}, {2, 1}, 1);
  check_geometry(x.slice(0, -3, -1), x, {2, 2}, {2, 1}, 14);
  BOOST_TEST((x.slice(0, -100, 100).shape() == Shape{10, 2}));
  BOOST_TEST((x.slice(0, kMin, kMax, kMax).shape() == Shape{1, 2}));
  BOOST_TEST((x.slice(0, 5, 5).shape() == Shape{0, 2}));
  BOOST_TEST((x.slice(0, 7, 3).shape() == Shape{0, 2}));
  BOOST_TEST((x.slice(0, 50, 60).shape() == Shape{0, 2}));
  BOOST_TEST((x.slice(0, 0, 10, 2).slice(0, 1, 5, 2).strides() == Strides{8, 1}));
  BOOST_TEST((core::empty({0, 2}).slice(0, 0, 5, 3).shape() == Shape{0, 2}));
  for (std::int64_t step : {std::int64_t{0}, std::int64_t{-1}, kMin}) {
    check_error<ValueError>([&] { x.slice(0, 0, 5, step); }, {"slice", std::to_string(step), "flip"});
  }
  check_error<IndexError>([&] { x.slice(2, 0, 1); }, {"slice", "2"});
  check_error<IndexError>([&] { scalar(1, kFloat32).slice(0, 0, 1); }, {"slice", "0-d"});
}

BOOST_AUTO_TEST_CASE(narrow_and_select) {
  const Array x = counting({5, 4});
  check_geometry(x.narrow(0, 1, 3), x, {3, 4}, {4, 1}, 4);
  check_geometry(x.narrow(1, -2, 2), x, {5, 2}, {4, 1}, 2);
  BOOST_TEST((x.narrow(0, 5, 0).shape() == Shape{0, 4}));
  check_error<IndexError>([&] { x.narrow(0, 3, 3); }, {"narrow", "[5, 4]", "3"});
  check_error<IndexError>([&] { x.narrow(0, 0, -1); }, {"narrow", "-1"});
  check_error<IndexError>([&] { x.narrow(0, -6, 1); }, {"narrow", "-6"});
  check_error<IndexError>([&] { x.narrow(0, 1, kMax); }, {"narrow"});
  check_error<IndexError>([&] { x.narrow(0, kMin, 1); }, {"narrow"});
  check_error<IndexError>([&] { scalar(1, kFloat32).narrow(0, 0, 1); }, {"narrow", "0-d"});

  check_geometry(x.select(1, 2), x, {5}, {4}, 2);
  check_geometry(x.select(-2, -1), x, {4}, {1}, 16);
  check_geometry(x[2][3], x, {}, {}, 11);
  check_error<IndexError>([&] { x.select(0, 5); }, {"select", "5", "[-5, 4]", "[5, 4]"});
  check_error<IndexError>([&] { x[-6]; }, {"select", "-6"});
  check_error<IndexError>([&] { core::empty({0})[0]; }, {"select", "[0]"});
  check_error<IndexError>([&] { x[0][0][0]; }, {"select", "0-d"});
}

BOOST_AUTO_TEST_CASE(squeeze_and_unsqueeze) {
  const Array x = counting({1, 3, 1, 2});
  check_geometry(x.squeeze(), x, {3, 2}, {2, 1}, 0);
  check_geometry(x.squeeze(0), x, {3, 1, 2}, {2, 2, 1}, 0);
  check_geometry(x.squeeze(-2), x, {1, 3, 2}, {6, 2, 1}, 0);
  check_geometry(x.squeeze(1), x, {1, 3, 1, 2}, {6, 2, 2, 1}, 0);
  const Array y = counting({3, 2});
  check_geometry(y.unsqueeze(0), y, {1, 3, 2}, {6, 2, 1}, 0);
  check_geometry(y.unsqueeze(1), y, {3, 1, 2}, {2, 2, 1}, 0);
  check_geometry(y.unsqueeze(-1), y, {3, 2, 1}, {2, 1, 1}, 0);
  check_geometry(y[0][0].unsqueeze(-1), y, {1}, {1}, 0);
  check_geometry(y[0][0].squeeze(0), y, {}, {}, 0);
  check_geometry(y[0][0].squeeze(), y, {}, {}, 0);
  check_error<IndexError>([&] { y.unsqueeze(3); }, {"unsqueeze", "3"});
  check_error<IndexError>([&] { y.squeeze(2); }, {"squeeze", "2"});
}

BOOST_AUTO_TEST_CASE(diagonals) {
  const Array x = counting({3, 4});
  check_geometry(x.diagonal(), x, {3}, {5}, 0);
  check_geometry(x.diagonal(1), x, {3}, {5}, 1);
  check_geometry(x.diagonal(-1), x, {2}, {5}, 4);
  check_geometry(x.diagonal(3), x, {1}, {5}, 3);
  BOOST_TEST((x.diagonal(4).shape() == Shape{0}));
  BOOST_TEST((x.diagonal(-3).shape() == Shape{0}));
  BOOST_TEST((x.diagonal(kMin).shape() == Shape{0}));
  BOOST_TEST((x.diagonal(kMax).shape() == Shape{0}));
  const Array y = counting({2, 3, 4});
  check_geometry(y.diagonal(0, 0, 2), y, {3, 2}, {4, 13}, 0);
  check_geometry(y.diagonal(1, -1, 0), y, {3, 1}, {4, 13}, 12);
  check_error<ValueError>([&] { x.diagonal(0, 1, -1); }, {"diagonal", "1", "-1"});
  check_error<IndexError>([&] { counting({3}).diagonal(); }, {"diagonal", "1"});
}

BOOST_AUTO_TEST_CASE(as_strided_stays_inside) {
  const Array x = counting({3, 4});
  check_geometry(x.as_strided({2, 2}, {1, 4}, 3), x, {2, 2}, {1, 4}, 3);
  BOOST_TEST((values(x.as_strided({2, 3}, {1, 1}, 0)) == Values{0, 1, 2, 1, 2, 3}));
  check_geometry(x[2].as_strided({1}, {1}, 11), x, {1}, {1}, 11);
  check_geometry(x.as_strided({}, {}, 11), x, {}, {}, 11);
  check_error<IndexError>([&] { x.as_strided({}, {}, 12); }, {"as_strided", "12 elements"});
  check_error<IndexError>(
      [&] {
        x.as_strided({2, 2}, {1, 4}, 7);
      },
      {"as_strided", "12 elements", "[2, 2]", "[1, 4]", "7"});
  check_error<IndexError>([&] { x.as_strided({1}, {1}, -1); }, {"as_strided", "-1"});
  check_error<IndexError>([&] { x.as_strided({2}, {kMax}, 1); }, {"as_strided"});
  check_error<IndexError>([&] { x.as_strided({3, 3}, {kMax / 2, kMax / 2}, 0); }, {"as_strided"});
  check_error<IndexError>([&] { x.as_strided({kMax}, {2}, 0); }, {"as_strided"});
  check_error<ShapeError>([&] { x.as_strided({kMax, 2}, {0, 0}, 0); }, {"as_strided", "64 bits"});
  check_error<ValueError>([&] { x.as_strided({2}, {-1}, 5); }, {"as_strided", "-1", "flip"});
  check_error<ShapeError>([&] { x.as_strided({2, 2}, {1}, 0); }, {"as_strided", "[2, 2]", "[1]"});
  // Nothing in it, yet its place has to be there, and its strides must not overflow later.
  BOOST_TEST(x.as_strided({0, 3}, {kMax, kMax}, 12).slice(1, 0, 3, 2).unsqueeze(1).numel() == 0);
  check_error<IndexError>([&] { x.as_strided({0}, {1}, 13); }, {"as_strided", "13"});
  BOOST_TEST((values(x.as_strided({1, 1}, {kMax, kMax}, 5).diagonal()) == Values{5}));
  // Bytes are counted in the array's own elements.
  const Array bytes = core::empty(7, kUInt8);
  BOOST_TEST(bytes.as_strided(7, 1, 0).numel() == 7);
}

BOOST_AUTO_TEST_CASE(index_lists) {
  const Array x = counting({4, 3, 2});
  check_geometry(x.index({1}), x, {3, 2}, {2, 1}, 6);
  check_geometry(x.index({Slice(), 0}), x, {4, 2}, {6, 1}, 0);
  check_geometry(x.index({Slice(1, None, 2), Slice(None, -1)}), x, {2, 2, 2}, {12, 2, 1}, 6);
  check_geometry(x.index({Ellipsis, 1}), x, {4, 3}, {6, 2}, 1);
  check_geometry(x.index({"...", -1}), x, {4, 3}, {6, 2}, 1);
  check_geometry(x.index({-1, Ellipsis, Slice(0, 1)}), x, {3, 1}, {2, 1}, 18);
  check_geometry(x.index({None, 2, None}), x, {1, 1, 3, 2}, {24, 6, 2, 1}, 12);
  check_geometry(x.index({Ellipsis, None}), x, {4, 3, 2, 1}, {6, 2, 1, 1}, 0);
  check_geometry(x.index({1, 2, 1}), x, {}, {}, 11);
  check_geometry(x.index({1, Ellipsis, 2, 1}), x, {}, {}, 11);
  check_geometry(x[0][0][1].index({None, Ellipsis}), x, {1}, {1}, 1);
  check_geometry(x[0][0][1].index(IndexList{}), x, {}, {}, 1);
  BOOST_TEST((x.index({Slice(2, 2)}).shape() == Shape{0, 3, 2}));
  check_error<IndexError>([&] { x.index({0, 0, 0, 0}); }, {"index", "4", "[4, 3, 2]"});
  check_error<IndexError>([&] { x.index({0, 3}); }, {"index", "[-3, 2]", "[4, 3, 2]", ": 3"});
  check_error<IndexError>([&] { x.index({Ellipsis, Ellipsis}); }, {"index", "Ellipsis"});
  check_error<ValueError>([&] { x.index({Slice(None, None, -1)}); }, {"-1", "flip"});
  check_error<IndexError>([&] { scalar(1, kFloat32).index({0}); }, {"index", "[]"});
}

BOOST_AUTO_TEST_CASE(contiguity) {
  const Array x = counting({3, 4});
  BOOST_TEST(x.is_contiguous());
  BOOST_TEST(!x.t().is_contiguous());
  BOOST_TEST(x[1].is_contiguous());
  BOOST_TEST(!x.select(1, 0).is_contiguous());
  BOOST_TEST(x.slice(0, 1, 2).t().is_contiguous());  // [4, 1]: the stride of a size of 1 means nothing
  BOOST_TEST(x.as_strided({3, 1}, {4, 7}, 0).is_contiguous() == false);
  BOOST_TEST(x.as_strided({1, 3}, {9, 1}, 0).is_contiguous());
  BOOST_TEST(core::empty({3, 0, 2}).transpose(0, 2).is_contiguous());
  BOOST_TEST(scalar(1, kFloat32).is_contiguous());
  BOOST_TEST((x.contiguous().storage() == x.storage()));
  BOOST_TEST((x.t().contiguous().storage() != x.storage()));
}

BOOST_AUTO_TEST_CASE(overlap_with_itself) {
  const Array x = counting({4, 6});
  BOOST_TEST(!x.may_overlap_itself());
  BOOST_TEST(!x.t().may_overlap_itself());
  BOOST_TEST(!x.slice(1, 0, 6, 2).t().may_overlap_itself());
  BOOST_TEST(x[0].expand({3, 6}).may_overlap_itself());
  BOOST_TEST(!x[0].expand({1, 6}).may_overlap_itself());
  BOOST_TEST(!x[0].expand({0, 6}).may_overlap_itself());
  BOOST_TEST(x.as_strided({3, 3}, {1, 1}, 0).may_overlap_itself());
  BOOST_TEST(x.as_strided({4, 2}, {2, 5}, 0).may_overlap_itself());  // 0 2 4 6 / 5 7 9 11: apart, but not seen to be
  BOOST_TEST(x.as_strided({3, 2}, {1, 2}, 0).may_overlap_itself());  // 0 1 2 / 2 3 4
  BOOST_TEST(!x.as_strided({2, 3}, {1, 2}, 0).may_overlap_itself());
  BOOST_TEST(!scalar(1, kFloat32).may_overlap_itself());
}

BOOST_AUTO_TEST_CASE(overlap_of_two) {
  const Array x = counting({4, 6}), y = counting({4, 6});
  BOOST_TEST(may_overlap(x, x.t()));
  BOOST_TEST(may_overlap(x[1], x));
  BOOST_TEST(!may_overlap(x[1], x[2]));
  BOOST_TEST(may_overlap(x.select(1, 0), x.select(1, 1)));  // by their spans
  BOOST_TEST(!may_overlap(x, y));
  BOOST_TEST(!may_overlap(x.slice(0, 2, 2), x));
  float memory[4] = {};
  const Array a = from_blob(memory, {3}, {}, nullptr, kFloat32), b = from_blob(memory + 2, {2}, {}, nullptr, kFloat32);
  BOOST_TEST(may_overlap(a, b));
  BOOST_TEST(!may_overlap(a.slice(0, 0, 2), b));
  BOOST_TEST(!may_overlap(Array(), a));
}

BOOST_AUTO_TEST_CASE(copies) {
  const Array x = counting({2, 3});
  const Array copy = x.t().clone();
  BOOST_TEST(copy.is_contiguous());
  BOOST_TEST((values(copy) == Values{0, 3, 1, 4, 2, 5}));
  copy.fill_(9);
  BOOST_TEST((values(x) == Values{0, 1, 2, 3, 4, 5}));
  BOOST_TEST((x.to(kFloat32).storage() == x.storage()));
  const Array whole = x.to(kInt64);
  BOOST_TEST((whole.dtype() == kInt64));
  BOOST_TEST((values(whole) == values(x)));
  BOOST_TEST((values(x.t().to(kBool)) == Values{0, 1, 1, 1, 1, 1}));
  BOOST_TEST(core::empty({0, 3}).clone().numel() == 0);
  BOOST_TEST(scalar(4, kFloat64).clone().item<int>() == 4);
}

BOOST_AUTO_TEST_CASE(copy_broadcasts_and_converts) {
  const Array x = zeros({2, 3});
  x.copy_(counting({3}, kInt64));
  BOOST_TEST((values(x) == Values{0, 1, 2, 0, 1, 2}));
  x.copy_(scalar(2.5, kFloat64));
  BOOST_TEST((values(x) == Values(6, 2.5)));
  x.select(1, 1).copy_(counting({2}));
  BOOST_TEST((values(x) == Values{2.5, 0, 2.5, 2.5, 1, 2.5}));
  x.t().copy_(counting({3, 2}));
  BOOST_TEST((values(x) == Values{0, 2, 4, 1, 3, 5}));
  core::empty({0, 3}).copy_(counting({3}));
  check_error<ShapeError>([&] { x.copy_(counting({2})); }, {"copy_", "[2, 3]", "[2]"});
  check_error<ShapeError>([&] { counting({3}).copy_(x); }, {"copy_", "[3]", "[2, 3]"});
  check_error<ValueError>([&] { counting({3}).expand({2, 3}).copy_(x); }, {"copy_", "[2, 3]", "[0, 1]", "clone"});
  // Every place gets the same number, so meeting twice does no harm.
  const Array once = counting({3});
  once.expand({2, 3}).fill_(7);
  BOOST_TEST((values(once) == Values(3, 7)));
}

// Small conversions between contiguous arrays need no plan, those of more elements, or with steps between them, do: both write
// the same, and nothing beside it.
BOOST_AUTO_TEST_CASE(conversions_of_few_elements_and_of_more) {
  constexpr DType all[] = {kBool, kUInt8, kInt8, kInt16, kInt32, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64};
  const auto check = [&](const Array& to, const Array& from, const char* how) {
    const std::string what = std::string(to_string(from.dtype())) + " to " + std::string(to_string(to.dtype())) + ", " +
                             std::to_string(from.numel()) + " elements, " + how;
    Values wanted = values(from);
    if (to.dtype() == kBool) {
      for (double& v : wanted) v = v != 0;
    }
    to.copy_(from);
    BOOST_TEST((values(to) == wanted), what);
    BOOST_TEST((values(from.to(to.dtype())) == wanted), what);
  };
  for (const DType from : all) {
    for (const DType to : all) {
      for (const std::int64_t n : {0, 1, 2, 1024, 1025}) {
        Values numbers;
        for (std::int64_t i = 0; i < n; ++i) numbers.push_back(static_cast<double>(i % 7));
        const Array x = test::list(numbers).to(from), memory = full({2 * n + 2}, 1, to);
        const Array out = memory.narrow(0, 1, n);
        check(out, x, "contiguous");
        for (const std::int64_t i : {std::int64_t{0}, n + 1, 2 * n + 1}) BOOST_TEST(memory[i].item<double>() == 1);
        check(memory.slice(0, 0, 2 * n, 2), x, "with steps");
        // The stride of a size of 1 says nothing.
        check(out.as_strided({1, n}, {3, 1}, 1), x.as_strided({1, n}, {5, 1}, 0), "a size of 1 with any stride");
        check(out.as_strided({n, 1}, {1, 7}, 1), x.as_strided({n, 1}, {1, 3}, 0), "a size of 1 with any stride");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(small_conversions_while_a_program_is_recorded) {
  const Array x = counting({kernels::ProgramRecording::kElements});
  kernels::Program program;
  {
    kernels::ProgramRecording recording;
    recording.input(x);
    const Array y = x * full({1}, 2, kInt64).to(kFloat32);  // a constant
    BOOST_TEST(recording.finish({y}, program), recording.refusal());
    BOOST_TEST(y[3].item<double>() == 6);
  }
  kernels::ProgramRecording recording;
  recording.input(x);
  const Array part = x.narrow(0, 0, 1024).to(kFloat64) * Scalar(2);  // no constant, and no loop over all elements
  BOOST_TEST(!recording.finish({part}, program));
  BOOST_TEST(part[3].item<double>() == 6);
}

// One element, or elements that happen to be equal: of what is recorded they are numbers of this run alone.
BOOST_AUTO_TEST_CASE(parts_of_what_is_recorded_are_no_constants) {
  const Array ones = full({kernels::ProgramRecording::kElements}, 1, kFloat32);
  for (const bool computed : {false, true}) {
    for (const std::int64_t size : {1, 7}) {
      kernels::ProgramRecording recording;
      kernels::Program program;
      recording.input(ones);
      const Array x = computed ? ones + ones : ones;
      const Array y = size == 1 ? x * x.narrow(0, 5, 1) : x * x.narrow(0, 0, size).select(0, 3);
      BOOST_TEST(!recording.finish({y}, program));
      BOOST_TEST(recording.refusal() == "operand 1 of mul is not made by pointwise operations");
    }
  }
  const auto refused = [&](const std::function<Array(const Array&)>& part) {
    kernels::ProgramRecording recording;
    kernels::Program program;
    recording.input(ones);
    const Array y = ones * part(ones);
    return recording.finish({y}, program) ? "" : recording.refusal();
  };
  const std::string copy = "a copy of a part reads what pointwise operations have made";
  BOOST_TEST(refused([](const Array& x) { return x.narrow(0, 5, 1).to(kFloat64).to(kFloat32); }) == copy);
  BOOST_TEST(refused([](const Array& x) { return reduce(Reduction::Sum, x.narrow(0, 5, 7)); }) ==
             "a reduction reads what pointwise operations have made");
}

BOOST_AUTO_TEST_CASE(copies_within_one_memory) {
  const Array x = counting({6});
  x.slice(0, 1, 6).copy_(x.slice(0, 0, 5));
  BOOST_TEST((values(x) == Values{0, 0, 1, 2, 3, 4}));
  const Array y = counting({6});
  y.slice(0, 0, 5).copy_(y.slice(0, 1, 6));
  BOOST_TEST((values(y) == Values{1, 2, 3, 4, 5, 5}));
  const Array m = counting({3, 3});
  m.copy_(m.t());
  BOOST_TEST((values(m) == Values{0, 3, 6, 1, 4, 7, 2, 5, 8}));
  m.copy_(m);
  BOOST_TEST((values(m) == Values{0, 3, 6, 1, 4, 7, 2, 5, 8}));
  m.copy_(m[1]);
  BOOST_TEST((values(m) == Values{1, 4, 7, 1, 4, 7, 1, 4, 7}));
  // Two dtypes over one memory.
  std::int32_t memory[4] = {1, 2, 3, 4};
  const Array whole = from_blob(memory, {4}, {}, nullptr, kInt32), real = from_blob(memory, {4}, {}, nullptr, kFloat32);
  real.copy_(whole);
  BOOST_TEST((values(real) == Values{1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(large_copies_within_one_memory) {
  const std::int64_t n = 700;
  const Array m = counting({n, n}, kInt32);
  m.copy_(m.t());
  bool right = true;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k < n; ++k) right = right && m.accessor<std::int32_t, 2>()[i][k] == k * n + i;
  }
  BOOST_TEST(right);
}

BOOST_AUTO_TEST_CASE(flip) {
  const Array x = counting({2, 3});
  BOOST_TEST((values(x.flip(0)) == Values{3, 4, 5, 0, 1, 2}));
  BOOST_TEST((values(x.flip(-1)) == Values{2, 1, 0, 5, 4, 3}));
  BOOST_TEST((values(x.flip({0, 1})) == Values{5, 4, 3, 2, 1, 0}));
  BOOST_TEST((values(x.t().flip(0)) == Values{2, 5, 1, 4, 0, 3}));
  BOOST_TEST((values(x.flip({})) == values(x)));
  BOOST_TEST((values(counting({3, 1}).expand({3, 2}).flip(0)) == Values{2, 2, 1, 1, 0, 0}));
  BOOST_TEST((values(counting({3}, kUInt8).flip(0)) == Values{2, 1, 0}));
  BOOST_TEST((values(counting({3}, kFloat64).flip(0)) == Values{2, 1, 0}));
  BOOST_TEST(core::empty({0, 3}).flip({0, 1}).numel() == 0);
  BOOST_TEST(scalar(3, kFloat32).flip(0).item<int>() == 3);
  BOOST_TEST((x.flip({}).storage() != x.storage()));
  check_error<ValueError>([&] { x.flip({0, -2}); }, {"flip", "[0, -2]"});
  check_error<IndexError>([&] { x.flip(2); }, {"flip", "2"});
  const Array big = counting({300, 500}, kInt32), back = big.flip({0, 1}).flip(0).flip(1);
  bool same = true;
  for (std::int64_t i = 0; i < big.numel(); ++i) same = same && back.data_ptr<std::int32_t>()[i] == i;
  BOOST_TEST(same);
}

BOOST_AUTO_TEST_SUITE_END()
