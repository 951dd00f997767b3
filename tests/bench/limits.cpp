// What this machine can do, to hold the cases against: fused multiply-adds out of registers, and memory streamed through
// arrays of several sizes with one thread and with two, in the four forms that operations have. They differ by more than
// a half: what is written over need not be fetched first, and what is only read has no way back. Prints JSON.
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

// z = x + y, or z = x + x when y is null; count is a multiple of 64. `past_cache`: with stores that go by the cache.
void Stream(const float* x, const float* y, float* z, std::size_t count, bool past_cache) {
  const hn::CappedTag<float, 16> d;
  const std::size_t n = hn::Lanes(d);
  const auto run = [&](auto sum) HWY_ATTR {
    if (past_cache) {
      for (std::size_t i = 0; i < count; i += n) hn::Stream(sum(i), d, z + i);
      return;
    }
    for (std::size_t i = 0; i < count; i += 4 * n) {
      const auto a = sum(i), b = sum(i + n), c = sum(i + 2 * n), e = sum(i + 3 * n);
      hn::Store(a, d, z + i);
      hn::Store(b, d, z + i + n);
      hn::Store(c, d, z + i + 2 * n);
      hn::Store(e, d, z + i + 3 * n);
    }
  };
  if (y != nullptr) {
    run([&](std::size_t i) HWY_ATTR { return hn::Add(hn::Load(d, x + i), hn::Load(d, y + i)); });
  } else {
    run([&](std::size_t i) HWY_ATTR {
      const auto v = hn::Load(d, x + i);
      return hn::Add(v, v);
    });
  }
}

// Reads alone; writes one vector.
void Read(const float* x, float* sink, std::size_t count) {
  const hn::CappedTag<float, 16> d;
  const std::size_t n = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (std::size_t i = 0; i < count; i += 4 * n) {
    a = hn::Max(a, hn::Load(d, x + i)), b = hn::Max(b, hn::Load(d, x + i + n));
    c = hn::Max(c, hn::Load(d, x + i + 2 * n)), e = hn::Max(e, hn::Load(d, x + i + 3 * n));
  }
  hn::Store(hn::Max(hn::Max(a, b), hn::Max(c, e)), d, sink);
}

}  // namespace HWY_NAMESPACE
}  // namespace bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench {

HWY_EXPORT(MultiplyAdds);
HWY_EXPORT(Stream);
HWY_EXPORT(Read);

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

// What case.h's Form numbers.
enum Form { read, map, combine, update };
constexpr const char* form_names[] = {"read", "map", "combine", "update"};
constexpr std::size_t bytes_of_element[] = {4, 8, 12, 12};

// `bytes`: read and written in all.
double bytes_per_second(int threads, std::size_t bytes, Form form) {
  const std::size_t of_element = bytes_of_element[form];
  const std::size_t part = std::max<std::size_t>(bytes / of_element / alignment / threads, 1) * alignment,
                    count = part * threads;
  const auto a = hwy::AllocateAligned<float>(count), b = hwy::AllocateAligned<float>(count);
  const auto c = hwy::AllocateAligned<float>(count);
  std::fill_n(a.get(), count, 1.0f), std::fill_n(b.get(), count, 0.0f), std::fill_n(c.get(), count, 0.0f);
  const double moved = static_cast<double>(of_element * count);
  const int rounds = std::max(1, static_cast<int>(1e8 / moved));
  double least = 1e9;
  const auto measure = [&](auto once) {
    least = std::min(least, least_seconds(threads, rounds, [&](int thread) { once(part * thread); }));
  };
  const auto stream = [&](const float* y, float* to, bool past_cache) {
    measure([&](std::size_t from) {
      HWY_DYNAMIC_DISPATCH(Stream)(a.get() + from, y == nullptr ? y : y + from, to + from, part, past_cache);
    });
  };
  if (form == read) {
    measure([&](std::size_t from) { HWY_DYNAMIC_DISPATCH(Read)(a.get() + from, c.get() + from, part); });
  } else if (form == update) {
    stream(b.get(), a.get(), false);
  } else {
    const float* const y = form == combine ? b.get() : nullptr;
    stream(y, c.get(), false);
    if (bytes > 8'000'000) stream(y, c.get(), true);
  }
  return moved * rounds / least;
}

}  // namespace

}  // namespace bench

int main() {
  std::printf("{\n  \"flops_per_second\": {\"1\": %.4g, \"2\": %.4g},\n  \"bytes_per_second\": {",
              bench::flops_per_second(1), bench::flops_per_second(2));
  const char* list = "\n";
  for (const bench::Form form : {bench::read, bench::map, bench::combine, bench::update}) {
    std::printf("%s    \"%s\": [", list, bench::form_names[form]);
    list = ",\n";
    const char* separator = "\n";
    for (const std::size_t bytes :
         {24'000, 96'000, 400'000, 1'200'000, 4'000'000, 12'000'000, 48'000'000, 100'000'000, 240'000'000}) {
      std::printf("%s      {\"bytes\": %zu, \"1\": %.4g, \"2\": %.4g}", separator, bytes,
                  bench::bytes_per_second(1, bytes, form), bench::bytes_per_second(2, bytes, form));
      separator = ",\n";
    }
    std::printf("\n    ]");
  }
  std::puts("\n  }\n}");
}
#endif
