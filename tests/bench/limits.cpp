// What this machine can do, to hold the cases against: fused multiply-adds out of registers, and streams through arrays of
// several sizes that write none, a third, half or all of the bytes that they move, with one thread and with two. Of several
// ways to do so the fastest counts. Prints JSON.
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
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

// The sum of x, z = x + y, z = 0.999 x, z = 0.999; with what they write of what they move.
#ifndef GRADUS_BENCH_FORMS
#define GRADUS_BENCH_FORMS
namespace bench {
enum class Form { kRead, kAdd, kScale, kFill };
}
#endif

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

// Four vectors a turn; `count` is a multiple of 128, what Read takes in one. Of a constant number of vectors and lanes: 16 numbers a vector at most.
using Capped = hn::CappedTag<float, 16>;
template <class Step>
void ByFour(std::size_t count, Step step) {
  const std::size_t n = hn::Lanes(Capped());
  for (std::size_t i = 0; i < count; i += 4 * n) step(i), step(i + n), step(i + 2 * n), step(i + 3 * n);
}

// Sums in eight chains, to hide the latency of additions.
float Read(const float* x, std::size_t count) {
  const Capped d;
  const std::size_t n = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a, f = a, g = a, h = a, k = a;
  for (std::size_t i = 0; i < count; i += 8 * n) {
    a = hn::Add(a, hn::Load(d, x + i)), b = hn::Add(b, hn::Load(d, x + i + n));
    c = hn::Add(c, hn::Load(d, x + i + 2 * n)), e = hn::Add(e, hn::Load(d, x + i + 3 * n));
    f = hn::Add(f, hn::Load(d, x + i + 4 * n)), g = hn::Add(g, hn::Load(d, x + i + 5 * n));
    h = hn::Add(h, hn::Load(d, x + i + 6 * n)), k = hn::Add(k, hn::Load(d, x + i + 7 * n));
  }
  const auto sum = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, k)));
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// `past_cache`: with stores that go by the cache.
void Stream(Form form, const float* x, const float* y, float* z, std::size_t count, bool past_cache) {
  const Capped d;
  const auto store = [&](auto value) {
    if (past_cache) {
      ByFour(count, [=](std::size_t i) { hn::Stream(value(i), d, z + i); });
    } else {
      ByFour(count, [=](std::size_t i) { hn::Store(value(i), d, z + i); });
    }
  };
  const auto factor = hn::Set(d, 0.999f);
  switch (form) {
    case Form::kRead:
      z[0] = Read(x, count);
      break;
    case Form::kAdd:
      store([=](std::size_t i) { return hn::Add(hn::Load(d, x + i), hn::Load(d, y + i)); });
      break;
    case Form::kScale:
      store([=](std::size_t i) { return hn::Mul(hn::Load(d, x + i), factor); });
      break;
    case Form::kFill:
      store([=](std::size_t) { return factor; });
      break;
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

constexpr int alignment = 128;  // floats

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

struct FormRow {
  Form form;
  int arrays;
  double written;
  bool in_place;  // z is x
};
constexpr FormRow forms[] = {{Form::kRead, 1, 0, false}, {Form::kAdd, 3, 1.0 / 3, false}, {Form::kScale, 2, 0.5, false},
                             {Form::kFill, 1, 1, false}, {Form::kAdd, 3, 1.0 / 3, true},  {Form::kScale, 2, 0.5, true}};

// Memory in huge pages, as the library takes it, so that no table of pages is the limit.
struct Numbers {
  explicit Numbers(std::size_t count, float value) : bytes(count * sizeof(float)) {
    constexpr std::size_t page = std::size_t{1} << 21;
    data.reset(static_cast<float*>(std::aligned_alloc(page, (bytes + page - 1) / page * page)));
#ifdef MADV_HUGEPAGE
    if (bytes >= page) madvise(data.get(), bytes, MADV_HUGEPAGE);
#endif
    std::fill_n(data.get(), count, value);
  }
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::size_t bytes;
  std::unique_ptr<float, Free> data;
};

// `bytes`: read and written in all.
double bytes_per_second(const FormRow& row, int threads, std::size_t bytes) {
  const std::size_t of_array = bytes / sizeof(float) / row.arrays;
  const std::size_t part = std::max<std::size_t>(of_array / alignment / threads, 1) * alignment, count = part * threads;
  const bool apart = row.form != Form::kRead && !row.in_place;
  const Numbers a(count, 1), b(row.form == Form::kAdd ? count : 0, 2), c(apart ? count : alignment * threads, 0);
  const double moved = static_cast<double>(sizeof(float)) * row.arrays * static_cast<double>(count);
  const int rounds = std::max(1, static_cast<int>(5e7 / moved));
  double least = 1e9;
  float* const to = row.in_place ? a.data.get() : c.data.get();
  for (const bool past_cache : {false, true}) {
    if (past_cache && (row.in_place || row.form == Form::kRead || bytes <= 8'000'000)) continue;
    least = std::min(least, least_seconds(threads, rounds, [&](int thread) {
                       const std::size_t from = part * thread,
                                         result = row.form == Form::kRead ? alignment * thread : from;
                       HWY_DYNAMIC_DISPATCH(Stream)
                       (row.form, a.data.get() + from, b.data.get() + from, to + result, part, past_cache);
                     }));
  }
  return moved * rounds / least;
}

}  // namespace

}  // namespace bench

int main() {
  std::printf("{\n  \"flops_per_second\": {\"1\": %.4g, \"2\": %.4g},\n  \"bytes_per_second\": [",
              bench::flops_per_second(1), bench::flops_per_second(2));
  const char* separator = "\n";
  for (const bench::FormRow& row : bench::forms) {
    for (const std::size_t bytes :
         {24'000, 96'000, 400'000, 1'200'000, 4'000'000, 12'000'000, 48'000'000, 100'000'000, 240'000'000}) {
      std::printf("%s    {\"written\": %.4f, \"in_place\": %s, \"bytes\": %zu, \"1\": %.4g, \"2\": %.4g}", separator,
                  row.written, row.in_place ? "true" : "false", bytes, bench::bytes_per_second(row, 1, bytes),
                  bench::bytes_per_second(row, 2, bytes));
      separator = ",\n";
    }
  }
  std::puts("\n  ]\n}");
}
#endif
