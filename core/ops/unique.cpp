// Distinct elements and slices.
#include <algorithm>
#include <numeric>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "combine.h"
#include "scan.h"
#include "statistics.h"

namespace gradus::core {
namespace {

/// Groups of places: order[starts[g]] .. order[starts[g + 1]] are the places of one value.
struct Groups {
  std::vector<std::int64_t> order, starts;
  std::int64_t size() const { return static_cast<std::int64_t>(starts.size()) - 1; }
};
template <class Same>
Groups grouped(std::vector<std::int64_t> order, const Same& same) {
  Groups groups{std::move(order), {}};
  for (std::size_t i = 0; i < groups.order.size(); ++i) {
    if (i == 0 || !same(groups.order[i - 1], groups.order[i])) groups.starts.push_back(static_cast<std::int64_t>(i));
  }
  groups.starts.push_back(static_cast<std::int64_t>(groups.order.size()));
  return groups;
}
Array counts_of(const Groups& groups) {
  const Array counts = empty({groups.size()}, kInt64);
  for (std::int64_t g = 0; g < groups.size(); ++g) {
    counts.data_ptr<std::int64_t>()[g] =
        groups.starts[static_cast<std::size_t>(g) + 1] - groups.starts[static_cast<std::size_t>(g)];
  }
  return counts;
}
Array inverse_of(const Groups& groups, const Shape& shape) {
  const Array inverse = empty(shape, kInt64);
  for (std::int64_t g = 0; g < groups.size(); ++g) {
    for (std::int64_t i = groups.starts[static_cast<std::size_t>(g)];
         i < groups.starts[static_cast<std::size_t>(g) + 1]; ++i) {
      inverse.data_ptr<std::int64_t>()[groups.order[static_cast<std::size_t>(i)]] = g;
    }
  }
  return inverse;
}
/// Where the first of each group stands.
Array firsts_of(const Groups& groups) {
  const Array firsts = empty({groups.size()}, kInt64);
  for (std::int64_t g = 0; g < groups.size(); ++g) {
    firsts.data_ptr<std::int64_t>()[g] =
        groups.order[static_cast<std::size_t>(groups.starts[static_cast<std::size_t>(g)])];
  }
  return firsts;
}
/// The groups in the order of their first places.
Groups by_appearance(const Groups& groups) {
  const Array firsts = firsts_of(groups);
  std::vector<std::int64_t> rank(static_cast<std::size_t>(groups.size()));
  std::iota(rank.begin(), rank.end(), 0);
  std::sort(rank.begin(), rank.end(), [at = firsts.data_ptr<std::int64_t>()](auto a, auto b) { return at[a] < at[b]; });
  Groups result;
  result.order.reserve(groups.order.size());
  for (const std::int64_t g : rank) {
    result.starts.push_back(static_cast<std::int64_t>(result.order.size()));
    const auto from = groups.order.begin() + groups.starts[static_cast<std::size_t>(g)],
               to = groups.order.begin() + groups.starts[static_cast<std::size_t>(g) + 1];
    result.order.insert(result.order.end(), from, to);
  }
  result.starts.push_back(static_cast<std::int64_t>(result.order.size()));
  return result;
}
std::vector<std::int64_t> natural(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  return order;
}
Distinct finish(const Groups& groups, const Array& values, const Shape& shape, bool inverse, bool counts) {
  return {values, inverse ? inverse_of(groups, shape) : empty({0}, kInt64),
          counts ? counts_of(groups) : empty({0}, kInt64)};
}

/// Runs of equal elements, in one pass.
template <class T>
Distinct runs(const Array& x, bool inverse, bool counts) {
  const Array flat = x.reshape({-1}).contiguous();
  const T* const from = flat.data_ptr<T>();
  const Array values = empty(flat.shape(), x.dtype()), place = inverse ? empty(x.shape(), kInt64) : empty({0}, kInt64),
              lengths = empty({counts ? flat.numel() : 0}, kInt64);
  T* const to = values.data_ptr<T>();
  std::int64_t *const at = place.data_ptr<std::int64_t>(), *const length = lengths.data_ptr<std::int64_t>();
  std::int64_t run = -1;
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (i == 0 || !(from[i] == from[i - 1])) {
      to[++run] = from[i];
      if (counts) length[run] = 0;
    }
    if (inverse) at[i] = run;
    if (counts) ++length[run];
  }
  return {values.narrow(0, 0, run + 1).clone(), place, counts ? lengths.narrow(0, 0, run + 1).clone() : lengths};
}

/// Integers that lie close together, by a table of all that there may be: of each its place among the distinct ones. False
/// where the table would be much longer than x.
template <class T>
bool by_table(const Array& flat, bool sorted, bool inverse, bool counts, const Shape& shape, Distinct* result) {
  const std::int64_t n = flat.numel();
  const T* const from = flat.data_ptr<T>();
  if (n == 0) return false;
  const auto [low, high] = std::minmax_element(from, from + n);
  const std::uint64_t span = static_cast<std::uint64_t>(*high) - static_cast<std::uint64_t>(*low);
  if (span >= static_cast<std::uint64_t>(2 * n)) return false;
  const T least = *low;
  const auto entry = [=](std::int64_t i) {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(from[i]) - static_cast<std::uint64_t>(least));
  };
  std::vector<std::int64_t> table(static_cast<std::size_t>(span) + 1, -1);
  std::vector<T> values;
  if (sorted) {
    for (std::int64_t i = 0; i < n; ++i) table[entry(i)] = 0;
    for (std::size_t k = 0; k < table.size(); ++k) {
      if (table[k] < 0) continue;
      table[k] = static_cast<std::int64_t>(values.size());
      values.push_back(static_cast<T>(static_cast<std::uint64_t>(least) + k));
    }
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t& place = table[entry(i)];
      if (place >= 0) continue;
      place = static_cast<std::int64_t>(values.size());
      values.push_back(from[i]);
    }
  }
  const auto size = static_cast<std::int64_t>(values.size());
  *result = {empty({size}, flat.dtype()), empty(inverse ? shape : Shape{0}, kInt64),
             counts ? zeros({size}, kInt64) : empty({0}, kInt64)};
  std::copy(values.begin(), values.end(), result->values.data_ptr<T>());
  if (inverse) {
    std::int64_t* const to = result->inverse.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) to[i] = table[entry(i)];
  }
  if (counts) {
    std::int64_t* const count = result->counts.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) ++count[table[entry(i)]];
  }
  return true;
}

Distinct distinct(const Array& x, bool sorted, bool inverse, bool counts) {
  const Array flat = x.reshape({-1}).contiguous();
  const std::int64_t n = flat.numel();
  Distinct result;
  const bool done = dispatch(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return by_table<T>(flat, sorted, inverse, counts, x.shape(), &result);
    }
    return false;
  });
  if (done) return result;
  if (sorted && !inverse) {
    const Array ordered = std::get<0>(sort(flat, 0));
    return dispatch(x.dtype(), [&](auto tag) { return runs<typename decltype(tag)::type>(ordered, false, counts); });
  }
  const Array places = std::get<1>(sort(flat, 0));
  std::vector<std::int64_t> order(places.data_ptr<std::int64_t>(), places.data_ptr<std::int64_t>() + n);
  Groups groups = dispatch(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return grouped(std::move(order), [from = flat.data_ptr<T>()](auto a, auto b) { return from[a] == from[b]; });
  });
  if (!sorted) groups = by_appearance(groups);
  return finish(groups, index_select(flat, 0, firsts_of(groups)), x.shape(), inverse, counts);
}

}  // namespace

Distinct unique(const Array& x, bool sorted, bool inverse, bool counts) {
  expect_defined("unique", "the operand", x);
  return distinct(x, sorted, inverse, counts);
}
Distinct unique_consecutive(const Array& x, bool inverse, bool counts) {
  expect_defined("unique_consecutive", "the operand", x);
  return dispatch(x.dtype(), [&](auto tag) { return runs<typename decltype(tag)::type>(x, inverse, counts); });
}

Distinct unique_slices(const Array& x, std::int64_t dim, bool consecutive, bool inverse, bool counts) {
  const char* const op = consecutive ? "unique_consecutive" : "unique_dim";
  expect_defined(op, "the operand", x);
  const int d = wrap_dim(dim, x.dim(), op);
  const std::int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  const Array rows = (x.dim() == 0 ? x : x.movedim(d, 0)).contiguous();
  const std::int64_t width = n == 0 ? 0 : rows.numel() / n;
  std::vector<std::int64_t> order = natural(n);
  const Groups groups = dispatch(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = rows.template data_ptr<T>();
    const auto before = [from, width](std::int64_t a, std::int64_t b) {
      return std::lexicographical_compare(from + a * width, from + (a + 1) * width, from + b * width,
                                          from + (b + 1) * width, [](T p, T q) { return q != q ? p == p : p < q; });
    };
    if (!consecutive) std::stable_sort(order.begin(), order.end(), before);
    return grouped(std::move(order), [from, width](std::int64_t a, std::int64_t b) {
      return std::equal(from + a * width, from + (a + 1) * width, from + b * width);
    });
  });
  const Array values = x.dim() == 0 ? x.clone() : index_select(x, d, firsts_of(groups));
  return finish(groups, values, Shape{n}, inverse, counts);
}

}  // namespace gradus::core
