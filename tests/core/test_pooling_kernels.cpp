// Kernels of pooling, whose vectors go on behind rows where memory does: never beyond the operands, nor beyond the rows of their
// task, which are the last that there is room for. Values against a loop, whole numbers, so that sums are exact.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include <gradus/core/nn/pooling.h>
#include <gradus/core/simd/pooling.h>

#include "../support/guarded.h"
#include "../support/instruction_set.h"

using namespace gradus;
using namespace gradus::core;
using kernels::PoolGrid;
using std::int64_t;
using test::Guard;
using test::guarded;

namespace {

using Random = std::mt19937;

int64_t draw(Random& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random()) % (high - low + 1);
}

/// Windows over the last `dims` dimensions, of rows shorter and longer than vectors.
PoolGrid drawn_grid(Random& random, std::size_t dims, bool dilated) {
  PoolGrid g;
  PoolWindows w;
  g.planes = draw(random, 1, 7);
  w.ceil_mode = random() % 2 == 0;
  Shape x{g.planes};
  for (std::size_t d = 3 - dims; d < 3; ++d) {
    g.kernel[d] = draw(random, 1, 4);
    g.stride[d] = draw(random, 1, 3);
    g.padding[d] = draw(random, 0, g.kernel[d] / 2);
    g.dilation[d] = dilated && g.kernel[d] > 1 ? draw(random, 1, 2) : 1;
    const int64_t reach =
        g.dilation[d] * (g.kernel[d] - 1);  // a window may be larger than the input, and read nothing of it
    g.in[d] = std::max<int64_t>(1, reach + 1 - 2 * g.padding[d]) + draw(random, 0, d == 2 ? 40 : 6);
    w.kernel.push_back(g.kernel[d]);
    w.stride.push_back(g.stride[d]);
    w.padding.push_back(g.padding[d]);
    w.dilation.push_back(g.dilation[d]);
    x.push_back(g.in[d]);
  }
  const Shape y = pooled_shape("op", x, w);
  for (std::size_t d = 3 - dims; d < 3; ++d) g.out[d] = y[static_cast<int>(d + dims) - 2];
  for (std::size_t d = 0; d < 3; ++d) {
    int64_t ends_inside = 0;
    g.inner_begin[d] = 0;
    for (int64_t o = 0; o < g.out[d]; ++o) {
      const int64_t first = o * g.stride[d] - g.padding[d], last = first + g.dilation[d] * (g.kernel[d] - 1);
      g.inner_begin[d] += first < 0;
      ends_inside += last < g.in[d];
    }
    g.inner_end[d] = std::max(g.inner_begin[d], ends_inside);
  }
  return g;
}

/// f(output, element): of a plane, all that its window reads, in order.
template <class F>
void for_windows(const PoolGrid& g, F f) {
  int64_t output = 0;
  for (int64_t a = 0; a < g.out[0]; ++a) {
    for (int64_t b = 0; b < g.out[1]; ++b) {
      for (int64_t c = 0; c < g.out[2]; ++c, ++output) {
        for (int64_t k = 0; k < g.volume(); ++k) {
          const int64_t i = a * g.stride[0] - g.padding[0] + k / (g.kernel[1] * g.kernel[2]) * g.dilation[0],
                        j = b * g.stride[1] - g.padding[1] + k / g.kernel[2] % g.kernel[1] * g.dilation[1],
                        l = c * g.stride[2] - g.padding[2] + k % g.kernel[2] * g.dilation[2];
          const bool inside = i >= 0 && i < g.in[0] && j >= 0 && j < g.in[1] && l >= 0 && l < g.in[2];
          if (inside) f(output, (i * g.in[1] + j) * g.in[2] + l);
        }
      }
    }
  }
}

template <class T, class Draw>
Array made(int64_t n, Draw next) {
  const Array x = empty({n}, dtype_of<T>);
  std::generate_n(x.data_ptr<T>(), n, next);
  return x;
}

/// Runs tasks over units [0, count) of `size` elements each. A task's results have room up to its end and no further; what lies
/// before it stays.
template <class T, class Run>
bool tasks_yield(const std::vector<T>& expected, int64_t count, Random& random, Guard guard, Run run) {
  const auto size = static_cast<int64_t>(expected.size()) / count;
  const T untouched = 77;
  for (int64_t begin = 0; begin < count;) {
    const int64_t end = draw(random, begin + 1, count);
    const Array room = guarded(full({end * size}, static_cast<double>(untouched), dtype_of<T>), guard);
    run(begin, end, room);
    std::vector<T> right(static_cast<std::size_t>(begin * size), untouched);
    right.insert(right.end(), expected.begin() + begin * size, expected.begin() + end * size);
    if (!std::equal(right.begin(), right.end(), room.data_ptr<T>())) return false;
    begin = end;
  }
  return true;
}

template <class T>
void check_maxima(Random& random, std::size_t dims, Guard guard) {
  const PoolGrid g = drawn_grid(random, dims, true);
  const Array x = guarded(made<T>(g.planes * g.plane(), [&] { return static_cast<T>(random() % 50); }), guard);
  std::vector<T> values(static_cast<std::size_t>(g.planes * g.outputs()), -std::numeric_limits<T>::infinity());
  std::vector<std::int32_t> positions(values.size(), -1);
  for (int64_t plane = 0; plane < g.planes; ++plane) {
    for_windows(g, [&](int64_t output, int64_t element) {
      const T v = x.data_ptr<T>()[plane * g.plane() + element];
      const auto at = static_cast<std::size_t>(plane * g.outputs() + output);
      if (positions[at] >= 0 && !(v > values[at])) return;
      values[at] = v;
      positions[at] = static_cast<std::int32_t>(element);
    });
  }
  const auto pool = kernels::max_pool_kernel(dtype_of<T>, g.stride[2]);
  std::vector<int64_t> scratch(static_cast<std::size_t>(g.kernel[0] * g.kernel[1]));
  const int64_t rows = g.planes * g.rows();
  bool right = tasks_yield(values, rows, random, guard, [&](int64_t begin, int64_t end, const Array& room) {
    const Array other = guarded(empty(room.shape(), kInt32), guard);
    pool(x.data(), g, begin, end, scratch.data(), room.data(), other.data_ptr<std::int32_t>());
  });
  right = right && tasks_yield(positions, rows, random, guard, [&](int64_t begin, int64_t end, const Array& room) {
            const Array other = guarded(empty(room.shape(), dtype_of<T>), guard);
            pool(x.data(), g, begin, end, scratch.data(), other.data(), room.data_ptr<std::int32_t>());
          });
  BOOST_TEST(right, "maxima of rows of " << g.in[2] << " in " << dims << " dimensions, stride " << g.stride[2]
                                         << ", on " << instruction_set());
}

template <class T>
void check_means(Random& random, std::size_t dims, Guard guard) {
  const PoolGrid g = drawn_grid(random, dims, false);
  const Array x = guarded(made<T>(g.planes * g.plane(), [&] { return static_cast<T>(random() % 50); }), guard),
              divisors = guarded(made<T>(g.outputs(), [&] { return static_cast<T>(1 << random() % 3); }), guard),
              dy = guarded(made<T>(g.planes * g.outputs(), [&] { return static_cast<T>(4 * (random() % 9)); }), guard);
  std::vector<T> y(static_cast<std::size_t>(g.planes * g.outputs())), dx(static_cast<std::size_t>(x.numel()));
  for (int64_t plane = 0; plane < g.planes; ++plane) {
    for_windows(g, [&](int64_t output, int64_t element) {
      const int64_t from = plane * g.plane() + element, to = plane * g.outputs() + output;
      const T divisor = divisors.data_ptr<T>()[output];
      y[static_cast<std::size_t>(to)] += x.data_ptr<T>()[from] / divisor;
      dx[static_cast<std::size_t>(from)] += dy.data_ptr<T>()[to] / divisor;
    });
  }
  std::vector<int64_t> scratch(static_cast<std::size_t>(g.kernel[0] * g.kernel[1]));
  const auto pool = kernels::avg_pool_kernel(dtype_of<T>, g.stride[2]);
  bool right = tasks_yield(y, g.planes * g.rows(), random, guard, [&](int64_t begin, int64_t end, const Array& room) {
    pool(x.data(), g, begin, end, scratch.data(), divisors.data(), room.data());
  });
  const auto spread = kernels::avg_pool_backward_kernel(dtype_of<T>);
  right = right && tasks_yield(dx, g.planes, random, guard, [&](int64_t begin, int64_t end, const Array& room) {
            const Array shares = guarded(empty({g.out[2]}, dtype_of<T>), guard);
            spread(dy.data(), g, begin, end, scratch.data(), divisors.data(), shares.data(), room.data());
          });
  BOOST_TEST(right, "means of rows of " << g.in[2] << " in " << dims << " dimensions, stride " << g.stride[2] << ", on "
                                        << instruction_set());
}

template <class Check>
void for_all(Check check) {
  for (std::string_view set : instruction_sets()) {
    const test::UsingInstructionSet use(set);
    for (unsigned seed = 0; seed < 150; ++seed) {
      for (std::size_t dims = 1; dims <= 3; ++dims) {
        Random random(seed);
        check(random, dims, seed % 2 == 0 ? Guard::kBehind : Guard::kBefore);
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pooling_kernels)

BOOST_AUTO_TEST_CASE(maxima) {
  for_all([](Random& random, std::size_t dims, Guard guard) {
    check_maxima<float>(random, dims, guard);
    check_maxima<double>(random, dims, guard);
  });
}

BOOST_AUTO_TEST_CASE(means) {
  for_all([](Random& random, std::size_t dims, Guard guard) {
    check_means<float>(random, dims, guard);
    check_means<double>(random, dims, guard);
  });
}

BOOST_AUTO_TEST_SUITE_END()
