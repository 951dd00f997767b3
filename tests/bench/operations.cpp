// Times of the operations, one thread:
//
//   bench_operations --list
//   bench_operations NAME...      prints lines "large|small, forward|backward, NAME, nanoseconds", separated by tabs
//
// A time is the least of several, in processor time of the process, so that other work on the machine disturbs little.
// Backward is the operation recorded and then the gradients of what its row wants.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include "operation.h"

namespace bench {

namespace {

using torch::Tensor;

double now() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e9 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec);
}

// Called often enough for the clock's own time not to count.
template <class F>
double least_time(const F& f, double nanoseconds) {
  f();
  double start = now();
  f();
  const double once = std::max(now() - start, 1.0);
  const auto calls = static_cast<int>(std::clamp(2e5 / once, 1.0, 1e4));
  const auto times = static_cast<int>(std::clamp(nanoseconds / (once * calls), 3.0, 60.0));
  double least = 1e300;
  for (int i = 0; i < times; ++i) {
    start = now();
    for (int k = 0; k < calls; ++k) f();
    least = std::min(least, (now() - start) / calls);
  }
  return least;
}

In inputs(bool large) {
  const std::int64_t size = large ? 1000 : 8, n = size * size, side = large ? 64 : 8, batch = large ? 244 : 1;
  const auto normal = [](const std::vector<std::int64_t>& shape) { return torch::randn(shape); };
  const auto places = [](std::int64_t from, std::int64_t to, const std::vector<std::int64_t>& shape) {
    return torch::randint(from, to, shape, torch::kLong);
  };
  In x;
  x.n = n, x.size = size;
  x.a = normal({size, size}), x.b = normal({size, size}), x.c = normal({size, size}), x.t = normal({size, size});
  x.u = torch::rand({size, size}) * 0.98 + 0.01, x.p = torch::rand({size, size}) + 0.5;
  x.v = normal({n}), x.w = normal({n}), x.q = torch::rand({n}) + 0.5;
  x.r = normal({size}), x.k = normal({size, 1});
  x.m = normal({batch, side, side}), x.o = normal({batch, side, side});
  x.d = torch::matmul(x.m, x.m.transpose(1, 2)) / double(side) + torch::eye(side);
  x.l = normal({size, side}), x.s = normal({size, side});
  x.x = large ? normal({4, 16, 125, 125}) : normal({1, 1, 8, 8});
  x.mask = torch::rand({size, size}) < 0.5;
  x.ids = places(0, size, {size, size}), x.rows = places(0, size, {size}), x.at = places(0, n, {n});
  x.few = places(1, size + 1, {n}), x.many = places(1, 1000000000, {n});
  x.i = places(1, 1001, {size, size}), x.j = places(1, 1001, {size, size});
  x.edges = std::get<0>(normal({size}).sort());
  return x;
}

Tensor& by_letter(In& x, char letter) {
  switch (letter) {
    case 'a': return x.a;
    case 'b': return x.b;
    case 'c': return x.c;
    case 'u': return x.u;
    case 'p': return x.p;
    case 'v': return x.v;
    case 'w': return x.w;
    case 'r': return x.r;
    case 'k': return x.k;
    case 'm': return x.m;
    case 'o': return x.o;
    case 'd': return x.d;
    case 'l': return x.l;
    case 's': return x.s;
    case 'x': return x.x;
    default: throw std::runtime_error(std::string("no input has the letter ") + letter);
  }
}

void print(const char* size, const char* what, const Row& row, double time) {
  std::printf("%s\t%s\t%s\t%.1f\n", size, what, row.name.c_str(), time);
}

void measure(const Row& row, const In& x, bool large) {
  const char* size = large ? "large" : "small";
  const double enough = large ? 6e7 : 6e6;
  {
    const torch::NoGradGuard guard;
    print(size, "forward", row, least_time([&] { row.f(x); }, enough));
  }
  if (row.wanted.empty()) return;
  In leaf = x;
  std::vector<Tensor> wanted;
  for (const char letter : row.wanted) {
    Tensor& t = by_letter(leaf, letter);
    t = t.clone().requires_grad_();
    wanted.push_back(t);
  }
  const Tensor upstream = torch::randn_like(row.f(leaf).detach());
  const auto backward = [&] {
    torch::autograd::grad({row.f(leaf)}, wanted, {upstream}, {}, false, /*allow_unused=*/true);
  };
  print(size, "backward", row, least_time(backward, enough));
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  std::vector<bench::Row> rows;
  for (const auto family : {bench::pointwise_operations, bench::shape_operations, bench::reduction_operations,
                            bench::indexing_operations, bench::matrix_operations}) {
    for (const bench::Row& row : family()) rows.push_back(row);
  }
  torch::set_num_threads(1);
  torch::manual_seed(0);
  const bench::In small = bench::inputs(false), large = bench::inputs(true);
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--list") {
      for (const bench::Row& row : rows) std::cout << row.name << '\n';
      continue;
    }
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const bench::Row& each) { return each.name == name; });
    if (row == rows.end()) {
      std::cerr << argv[0] << ": no such operation: " << name << '\n';
      return 2;
    }
    try {
      bench::measure(*row, small, false);
      bench::measure(*row, large, true);
    } catch (const std::exception& error) {
      std::printf("failed\t%s\t%s\n", row->name.c_str(), error.what());
    }
    std::fflush(stdout);
  }
}
