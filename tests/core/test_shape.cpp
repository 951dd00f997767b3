// Shapes, dimensions, dtypes and their promotion.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <limits>

#include <gradus/core/array/array.h>

#include "../support/arrays.h"

using namespace gradus;
using namespace gradus::core;
using gradus::test::check_error;

namespace {
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
}

BOOST_AUTO_TEST_SUITE(shape)

BOOST_AUTO_TEST_CASE(lists_of_sizes_come_from_anything) {
  const std::vector<std::int64_t> vector{2, 3};
  const Shape shape{2, 3};
  BOOST_TEST((IntArrayRef(vector) == IntArrayRef(shape)));
  BOOST_TEST((IntArrayRef({2, 3}) == IntArrayRef(std::array<std::int64_t, 2>{2, 3})));
  BOOST_TEST(core::to_string(IntArrayRef(7)) == "[7]");
  BOOST_TEST(core::to_string(Shape{}) == "[]");
  BOOST_TEST(core::to_string(shape) == "[2, 3]");
  BOOST_TEST((IntArrayRef(shape).vec() == vector));
}

BOOST_AUTO_TEST_CASE(dims_change_in_place) {
  Dims dims{1, 2, 3};
  dims.insert(1, 9);
  BOOST_TEST((dims == Dims{1, 9, 2, 3}));
  dims.erase(0);
  BOOST_TEST((dims == Dims{9, 2, 3}));
  dims.pop_back();
  BOOST_TEST((dims == Dims{9, 2}));
  BOOST_TEST((Dims::filled(3, 5) == Dims{5, 5, 5}));
}

BOOST_AUTO_TEST_CASE(more_than_eight_dimensions_are_refused) {
  const std::vector<std::int64_t> eight(8, 1), nine(9, 1);
  BOOST_TEST(Shape(eight).size() == 8);
  check_error<ShapeError>([&] { Shape{nine}; }, {"8", "9"});
  Shape full(eight);
  check_error<ShapeError>([&] { full.push_back(1); }, {"8", "9"});
  check_error<ShapeError>([&] { full.insert(0, 1); }, {"8", "9"});
  check_error<ShapeError>([&] { core::empty(nine); }, {"8", "9"});
  check_error<ShapeError>([&] { core::empty(eight).unsqueeze(0); }, {"8", "9"});
  check_error<ShapeError>([&] { core::empty(eight).view(nine); }, {"8", "9"});
  check_error<ShapeError>([&] { core::empty(eight).expand(nine); }, {"8", "9"});
}

BOOST_AUTO_TEST_CASE(counts_of_elements) {
  BOOST_TEST(checked_numel({}, "op") == 1);
  BOOST_TEST(checked_numel({2, 3, 4}, "op") == 24);
  BOOST_TEST(checked_numel({2, 0, 4}, "op") == 0);
  BOOST_TEST(checked_numel({kMax, 1}, "op") == kMax);
  check_error<ShapeError>([] { checked_numel({2, -3}, "op"); }, {"op: ", "[2, -3]"});
  check_error<ShapeError>([] { checked_numel({kMax, 2}, "op"); }, {"op: ", "[9223372036854775807, 2]"});
  // The strides of such a shape would overflow.
  check_error<ShapeError>([] { checked_numel({0, kMax, 2}, "op"); }, {"op: ", "64 bits"});
}

BOOST_AUTO_TEST_CASE(contiguous_strides_never_vanish) {
  BOOST_TEST((contiguous_strides({2, 3, 4}) == Strides{12, 4, 1}));
  BOOST_TEST((contiguous_strides({2, 0, 4}) == Strides{4, 4, 1}));
  BOOST_TEST(contiguous_strides({}).empty());
}

BOOST_AUTO_TEST_CASE(broadcasting) {
  BOOST_TEST((broadcast_shapes({2, 3}, {2, 3}, "op") == Shape{2, 3}));
  BOOST_TEST((broadcast_shapes({2, 3}, {}, "op") == Shape{2, 3}));
  BOOST_TEST((broadcast_shapes({3}, {2, 1}, "op") == Shape{2, 3}));
  BOOST_TEST((broadcast_shapes({5, 1, 4}, {3, 1}, "op") == Shape{5, 3, 4}));
  BOOST_TEST((broadcast_shapes({1}, {0}, "op") == Shape{0}));
  BOOST_TEST((broadcast_shapes({0, 3}, {1, 1}, "op") == Shape{0, 3}));
  check_error<ShapeError>([] { broadcast_shapes({2, 3}, {4}, "op"); }, {"op: ", "[2, 3]", "[4]"});
  check_error<ShapeError>([] { broadcast_shapes({2}, {0}, "op"); }, {"op: ", "[2]", "[0]"});
}

BOOST_AUTO_TEST_CASE(dimensions_count_from_both_ends) {
  BOOST_TEST(wrap_dim(1, 3, "op") == 1);
  BOOST_TEST(wrap_dim(-1, 3, "op") == 2);
  BOOST_TEST(wrap_dim(-3, 3, "op") == 0);
  BOOST_TEST(wrap_dim(0, 0, "op") == 0);
  BOOST_TEST(wrap_dim(-1, 0, "op") == 0);
  check_error<IndexError>([] { wrap_dim(3, 3, "op"); }, {"op: ", "[-3, 2]", ": 3"});
  check_error<IndexError>([] { wrap_dim(-4, 3, "op"); }, {"op: ", "-4"});
  check_error<IndexError>([] { wrap_dim(1, 0, "op"); }, {"op: ", "[-1, 0]", ": 1"});
  check_error<IndexError>([] { wrap_dim(std::numeric_limits<std::int64_t>::min(), 3, "op"); }, {"op: "});
  BOOST_TEST(existing_dim(-1, 2, "op") == 1);
  check_error<IndexError>([] { existing_dim(0, 0, "op"); }, {"op: ", "0-d"});
  check_error<IndexError>([] { empty({}).size(0); }, {"size: ", "0-d"});
  check_error<IndexError>([] { empty({2, 3}).stride(2); }, {"stride: ", "2"});
  BOOST_TEST(empty({2, 3}).size(-2) == 2);
}

BOOST_AUTO_TEST_CASE(sets_of_dimensions) {
  BOOST_TEST((wrap_dims({-1, 0}, 3, "op") == Dims{0, 2}));
  BOOST_TEST((wrap_dims({}, 3, "op") == Dims{0, 1, 2}));
  BOOST_TEST(wrap_dims({}, 0, "op").empty());
  BOOST_TEST(wrap_dims({-1}, 0, "op").empty());
  check_error<ValueError>([] { wrap_dims({1, -2}, 3, "op"); }, {"op: ", "[1, -2]"});
  check_error<IndexError>([] { wrap_dims({0, 3}, 3, "op"); }, {"op: ", "3"});
  BOOST_TEST((reduced_shape({2, 3, 4}, {0, 2}, false) == Shape{3}));
  BOOST_TEST((reduced_shape({2, 3, 4}, {0, 2}, true) == Shape{1, 3, 1}));
  BOOST_TEST((reduced_shape({2, 3}, {0, 1}, false) == Shape{}));
  BOOST_TEST((reduced_shape({2, 0}, {1}, true) == Shape{2, 1}));
}

BOOST_AUTO_TEST_CASE(names_and_sizes_of_dtypes) {
  BOOST_TEST(to_string(kFloat32) == "float32");
  BOOST_TEST(to_string(kUInt8) == "uint8");
  BOOST_TEST(to_string(kBool) == "bool");
  BOOST_TEST(size_of(kInt64) == 8);
  BOOST_TEST(size_of(kBool) == 1);
  BOOST_TEST(gradus::is_floating_point(kFloat64));
  BOOST_TEST(!gradus::is_floating_point(kInt64));
  BOOST_TEST(!is_integral(kBool));
  BOOST_TEST((dtype_of<const long long> == kInt64));
}

BOOST_AUTO_TEST_CASE(numbers) {
  BOOST_TEST(to_string(Scalar(2)) == "2");
  BOOST_TEST(to_string(Scalar(0.5)) == "0.5");
  BOOST_TEST(to_string(Scalar(true)) == "true");
  BOOST_TEST((Scalar(3).category() == kInt64));
  BOOST_TEST((Scalar(3.0F).category() == kFloat64));
  BOOST_TEST(Scalar(2.75).to<int>() == 2);
  BOOST_TEST(Scalar(0.25).to<bool>());
  BOOST_TEST(!(Scalar(1) == Scalar(1.0)));
}

// What torch.result_type says of an array and a number.
BOOST_AUTO_TEST_CASE(promotion_with_numbers_is_pytorchs) {
  const DType b = kBool, u = kUInt8, i = kInt32, l = kInt64, f = kFloat32, d = kFloat64;
  const DType h = kFloat16, z = kBFloat16, c = kInt8, s = kInt16;
  const Scalar numbers[] = {true, 1, 1.5};
  const DType expected[kDTypeCount][3] = {{b, l, f}, {u, u, f}, {i, i, f}, {l, l, f}, {f, f, f},
                                          {d, d, d}, {h, h, h}, {z, z, z}, {c, c, f}, {s, s, f}};
  for (int row = 0; row < kDTypeCount; ++row) {
    for (int column = 0; column < 3; ++column) {
      const DType found = promote_types(static_cast<DType>(row), numbers[column]);
      BOOST_TEST((found == expected[row][column]), "row " << row << ", column " << column);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
