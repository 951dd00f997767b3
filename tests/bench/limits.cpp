// What this machine can do, to hold the cases against: fused multiply-adds out of registers, and c = a + b or a = a + b
// streamed through arrays of several sizes, whichever is faster, with one thread and with two. Prints JSON.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/limits.cpp"
#include <hwy/aligned_allocator.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <thread>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace bench {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Float = hn::ScalableTag<float>;

// Twelve chains of multiply-adds: enough to hide the latency, few enough for sixteen registers. They begin differently,
// or a compiler would keep but one of them. Writes one vector, and returns the number of operations.
double MultiplyAdds(int steps, float* sink) {
  const Float d;
  const auto x = hn::Set(d, 0.999999f), y = hn::Set(d, 1e-6f);
  const auto at = [d](float start) { return hn::Set(d, start); };
  auto a = at(1), b = at(2), c = at(3), e = at(4), f = at(5), g = at(6), h = at(7), i = at(8), j = at(9), k = at(10),
       l = at(11), m = at(12);
  for (int step = 0; step < steps; ++step) {
    a = hn::MulAdd(a, x, y), b = hn::MulAdd(b, x, y), c = hn::MulAdd(c, x, y), e = hn::MulAdd(e, x, y);
    f = hn::MulAdd(f, x, y), g = hn::MulAdd(g, x, y), h = hn::MulAdd(h, x, y), i = hn::MulAdd(i, x, y);
    j = hn::MulAdd(j, x, y), k = hn::MulAdd(k, x, y), l = hn::MulAdd(l, x, y), m = hn::MulAdd(m, x, y);
  }
  const auto sum = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, i)));
  hn::Store(hn::Add(sum, hn::Add(hn::Add(j, k), hn::Add(l, m))), d, sink);
  return 2.0 * 12 * static_cast<double>(hn::Lanes(d)) * steps;
}

// z = x + y; count is a multiple of 64. `past_cache`: with stores that go by the cache.
void Stream(const float* x, const float* y, float* z, std::size_t count, bool past_cache) {
  const hn::CappedTag<float, 16> d;
  const std::size_t n = hn::Lanes(d);
  if (past_cache) {
    for (std::size_t i = 0; i < count; i += n) hn::Stream(hn::Add(hn::Load(d, x + i), hn::Load(d, y + i)), d, z + i);
  } else {
    for (std::size_t i = 0; i < count; i += 4 * n) {
      hn::Store(hn::Add(hn::Load(d, x + i), hn::Load(d, y + i)), d, z + i);
      hn::Store(hn::Add(hn::Load(d, x + i + n), hn::Load(d, y + i + n)), d, z + i + n);
      hn::Store(hn::Add(hn::Load(d, x + i + 2 * n), hn::Load(d, y + i + 2 * n)), d, z + i + 2 * n);
      hn::Store(hn::Add(hn::Load(d, x + i + 3 * n), hn::Load(d, y + i + 3 * n)), d, z + i + 3 * n);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench {

HWY_EXPORT(MultiplyAdds);
HWY_EXPORT(Stream);

namespace {

constexpr int alignment = 64;  // floats

// The least of several times, in seconds, that `threads` threads need for part(thread), each `rounds` times.
template <class Part>
double least_seconds(int threads, int rounds, Part part) {
  using Clock = std::chrono::steady_clock;
  double least = 1e9;
  for (int repetition = 0; repetition < 7; ++repetition) {
    std::barrier gate(threads);
    Clock::time_point start, end;
    const auto work = [&](int thread) {
      gate.arrive_and_wait();
      if (thread == 0) start = Clock::now();
      for (int round = 0; round < rounds; ++round) part(thread);
      gate.arrive_and_wait();
      if (thread == 0) end = Clock::now();
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
    work(0);
    for (std::thread& other : others) other.join();
    least = std::min(least, std::chrono::duration<double>(end - start).count());
  }
  return least;
}

double flops_per_second(int threads) {
  constexpr int steps = 400'000;
  const auto sink = hwy::AllocateAligned<float>(static_cast<std::size_t>(alignment * threads));
  double flops = 0;
  const double seconds = least_seconds(threads, 1, [&](int thread) {
    const double done = HWY_DYNAMIC_DISPATCH(MultiplyAdds)(steps, sink.get() + alignment * thread);
    if (thread == 0) flops = done;
  });
  return flops * threads / seconds;
}

// `bytes`: read and written in all.
double bytes_per_second(int threads, std::size_t bytes) {
  const std::size_t part = std::max<std::size_t>(bytes / 12 / alignment / threads, 1) * alignment,
                    count = part * threads;
  const auto a = hwy::AllocateAligned<float>(count), b = hwy::AllocateAligned<float>(count);
  const auto c = hwy::AllocateAligned<float>(count);
  std::fill_n(a.get(), count, 1.0f), std::fill_n(b.get(), count, 2.0f), std::fill_n(c.get(), count, 0.0f);
  const double moved = 12.0 * static_cast<double>(count);
  const int rounds = std::max(1, static_cast<int>(1e8 / moved));
  double least = 1e9;
  const auto measure = [&](float* to, bool past_cache) {
    least = std::min(least, least_seconds(threads, rounds, [&](int thread) {
                       const std::size_t from = part * thread;
                       HWY_DYNAMIC_DISPATCH(Stream)(a.get() + from, b.get() + from, to + from, part, past_cache);
                     }));
  };
  measure(c.get(), false);
  measure(a.get(), false);
  if (bytes > 8'000'000) measure(c.get(), true);
  return moved * rounds / least;
}

}  // namespace

}  // namespace bench

int main() {
  std::printf("{\n  \"flops_per_second\": {\"1\": %.4g, \"2\": %.4g},\n  \"bytes_per_second\": [",
              bench::flops_per_second(1), bench::flops_per_second(2));
  const char* separator = "\n";
  for (const std::size_t bytes :
       {24'000, 96'000, 400'000, 1'200'000, 4'000'000, 12'000'000, 48'000'000, 100'000'000, 240'000'000}) {
    std::printf("%s    {\"bytes\": %zu, \"1\": %.4g, \"2\": %.4g}", separator, bytes, bench::bytes_per_second(1, bytes),
                bench::bytes_per_second(2, bytes));
    separator = ",\n";
  }
  std::puts("\n  ]\n}");
}
#endif
