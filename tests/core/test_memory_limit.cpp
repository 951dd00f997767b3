// The limit on memory that a program can set, what is counted, and fresh memory filled with NaN.
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <gradus/core/memory/size_class.h>
#include <gradus/core/nn/softmax.h>
#include <gradus/gradus.h>

#include "../support/arrays.h"
#include "../support/threads.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNPOOLED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNPOOLED 1
#endif
#endif

using namespace gradus;
using gradus::test::check_error;

namespace {

#ifdef UNPOOLED
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max(), kMiB = std::int64_t{1} << 20;

std::int64_t in_use() {
  const std::int64_t peak = memory_stats().peak_bytes;
  reset_peak_memory_stats();
  const std::int64_t now = memory_stats().peak_bytes;
  BOOST_TEST(now <= peak);
  return now;
}

struct Limit {
  explicit Limit(std::int64_t bytes) { set_memory_limit(bytes); }
  ~Limit() { set_memory_limit(kUnlimited); }
};

// Takes small blocks of a size until there are no more.
std::int64_t take_all(std::vector<Tensor>* taken, std::int64_t elements) {
  for (std::int64_t n = 0;; ++n) {
    try {
      taken->push_back(empty({elements}));
    } catch (const MemoryError&) {
      return n;
    }
  }
}

struct FilledWithNan {
  bool before = get_fill_nan();
  FilledWithNan() { set_fill_nan(true); }
  ~FilledWithNan() { set_fill_nan(before); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_limit)

BOOST_AUTO_TEST_CASE(what_is_held_and_its_peak) {
  empty({1});  // the pages that small blocks are cut from stay
  empty_cache();
  const std::int64_t before = in_use(), held = memory_stats().held_bytes;
  {
    const Tensor x = empty({8 * kMiB}), y = empty({4 * kMiB});  // 32 and 16 MiB, and their headers
    const std::int64_t grown = memory_stats().peak_bytes - before;
    BOOST_TEST(grown >= 48 * kMiB);
    BOOST_TEST(grown <= 48 * kMiB * 9 / 8 + 4096);
  }
  const std::int64_t peak = memory_stats().peak_bytes;
  BOOST_TEST(peak - before >= 48 * kMiB);
  empty({1 * kMiB});
  BOOST_TEST(memory_stats().peak_bytes == peak);  // less than there was before
  BOOST_TEST(in_use() == before);
  if (kPooled) BOOST_TEST(memory_stats().held_bytes >= held + 48 * kMiB);  // kept
  empty_cache();
  BOOST_TEST(memory_stats().held_bytes == held);
}

BOOST_AUTO_TEST_CASE(a_limit_refuses_and_leaves_everything_usable) {
  BOOST_TEST(get_memory_limit() == kUnlimited);
  empty_cache();
  const Tensor kept = full({kMiB}, 3);
  const std::int64_t before = in_use();
  {
    const Limit limit(before + 64 * kMiB);
    BOOST_TEST(get_memory_limit() == before + 64 * kMiB);
    const MemoryStats stats = memory_stats();
    for (int i = 0; i < 5; ++i) {
      try {
        empty({32 * kMiB});
        BOOST_ERROR("no error was thrown");
      } catch (const MemoryError& error) {
        BOOST_TEST(error.live() == before);
        BOOST_TEST(error.asked() >= 128 * kMiB);
        BOOST_TEST(error.limit() == before + 64 * kMiB);
        const std::string text = error.what();
        for (const std::int64_t number : {error.live(), error.asked(), error.limit()}) {
          BOOST_TEST(text.find(std::to_string(number)) != std::string::npos, text);
        }
        BOOST_TEST(text.find("set_memory_limit") != std::string::npos, text);
      }
    }
    BOOST_TEST(memory_stats().live_bytes == stats.live_bytes);
    BOOST_TEST(memory_stats().live_arrays == stats.live_arrays);
    // Less may be had, again and again, and what lies in the cache makes room for another size.
    for (std::int64_t size : {8, 10, 12, 9, 11, 8}) {
      BOOST_TEST(ones({size * kMiB})[size * kMiB - 1].item<float>() == 1);
      BOOST_TEST(memory_stats().held_bytes <= get_memory_limit());
    }
    const Tensor half = empty({8 * kMiB});
    check_error<MemoryError>([] { empty({12 * kMiB}); }, {"in use"});
  }
  BOOST_TEST(empty({32 * kMiB}).numel() == 32 * kMiB);
  BOOST_TEST(kept[kMiB - 1].item<float>() == 3);
  check_error<ValueError>([] { set_memory_limit(-1); }, {"set_memory_limit", "-1"});
  BOOST_TEST(get_memory_limit() == kUnlimited);
}

BOOST_AUTO_TEST_CASE(a_limit_below_what_is_in_use) {
  const Tensor x = ones({4 * kMiB});
  empty({16 * kMiB});
  {
    const Limit limit(0);
    BOOST_TEST(memory_stats().held_bytes == in_use());  // the cache is gone
    check_error<MemoryError>([] { empty({kMiB}); }, {"0 allowed"});
    std::vector<Tensor> small;  // until the pages there are run out
    small.reserve(1 << 21);
    check_error<MemoryError>(
        [&] {
          while (true) small.push_back(empty({1000}));
        },
        {"0 allowed"});
    BOOST_TEST(x.data_ptr<float>()[5] == 1);  // what is there can be read, without a byte of memory
  }
  BOOST_TEST((x + x)[4 * kMiB - 1].item<float>() == 2);
}

// What is left serves small arrays, too, however large the pages are that a program of this size takes as a rule.
BOOST_AUTO_TEST_CASE(the_last_bytes_can_be_had) {
  if (!kPooled) return;
  std::vector<Tensor> small;
  for (int i = 0; i < 200000; ++i) small.push_back(empty({100}));  // pages of some 100 MB: new ones are large
  small.reserve(1 << 20);
  {
    const Limit limit(0);
    take_all(&small, 100);
  }
  const Limit limit(memory_stats().held_bytes + 2 * kMiB);
  BOOST_TEST(take_all(&small, 100) * 512 > kMiB);
}

// A product whose workspace cannot be had leaves the result as it was.
BOOST_AUTO_TEST_CASE(a_product_refused_writes_nothing) {
  test::ManyThreads threads;
  int refused = 0;
  for (const auto& [m, n, k] :
       {std::array{100, 100, 310}, std::array{90, 130, 1000}, std::array{600, 600, 600}, std::array{8, 8, 200000}}) {
    const core::Array a = randn({m, k}).array(), b = randn({n, k}).t().array(), c = full({m, n}, 7.0F).array();
    set_num_threads(1);  // so that no helper keeps a block for itself
    const core::Array expected = core::matmul(a, b);
    set_num_threads(2);
    bool had = true;
    {
      const Limit limit(0);
      std::vector<Tensor> taken;
      taken.reserve(1 << 21);
      // One block of each size is left: enough for one thread.
      for (const std::int64_t elements : {16000, 14000, 12000, 10200, 9900, 9000, 8000, 5000, 2000, 1000, 100}) {
        if (take_all(&taken, elements) != 0) taken.pop_back();
      }
      for (int attempt = 0; had && attempt < 20; ++attempt) {
        // Wakes the helpers, so that they take part in what follows.
        core::parallel_for(
            8, 1, [](std::int64_t, std::int64_t) { std::this_thread::sleep_for(std::chrono::microseconds(20)); });
        c.fill_(7);
        try {
          core::gemm(c, a, b, 1, 0);
        } catch (const MemoryError&) {
          had = false;
        }
      }
    }
    refused += !had;
    BOOST_TEST(core::equal(c, had ? expected : core::full({m, n}, 7, kFloat32)));
  }
  BOOST_TEST(refused > 0);
}

// A training step that runs into the limit at any of its allocations leaves parameters, gradients and optimizer so that
// the next step trains on, and nothing is leaked.
BOOST_AUTO_TEST_CASE(a_training_step_that_hits_the_limit) {
  manual_seed(1);
  nn::Sequential net(nn::Linear(256, 512), nn::BatchNorm1d(512), nn::ReLU(), nn::Dropout(0.2), nn::Linear(512, 10));
  optim::Adam adam(net->parameters(), optim::AdamOptions(1e-3));
  const Tensor x = randn({512, 256}), y = randint(10, {512});
  const auto step = [&] {
    adam.zero_grad();
    const Tensor loss = nn::functional::cross_entropy(net->forward(x), y);
    loss.backward();
    adam.step();
    return loss.item<double>();
  };
  const double first = step();
  step();
  const std::int64_t arrays = memory_stats().live_arrays, nodes = autograd::Node::alive();
  empty_cache();
  const std::int64_t base = in_use();
  step();
  const std::int64_t need = memory_stats().peak_bytes - base;
  BOOST_TEST(need > kMiB);
  int refused = 0;
  for (int part = 0; part < 40; ++part) {
    const std::int64_t before = (empty_cache(), in_use());
    bool failed = false;
    {
      const Limit limit(before + need * part / 40);
      try {
        step();
      } catch (const MemoryError&) {
        failed = true;
      }
    }
    refused += failed;
    for (const Tensor& p : net->parameters()) {
      BOOST_TEST_REQUIRE(std::isfinite(p.sum().item<double>()));
      if (p.grad().defined()) BOOST_TEST_REQUIRE(std::isfinite(p.grad().sum().item<double>()));
    }
  }
  BOOST_TEST(refused >= 30);
  double last = 0;
  for (int i = 0; i < 20; ++i) last = step();
  BOOST_TEST(last < first);
  BOOST_TEST(memory_stats().live_arrays == arrays);
  BOOST_TEST(autograd::Node::alive() == nodes);
}

// What reads memory that nobody wrote gets NaN.
BOOST_AUTO_TEST_CASE(fresh_memory_is_filled_with_nan) {
  const FilledWithNan filled;
  BOOST_TEST(get_fill_nan());
  for (std::int64_t n : {1, 7, 1000, 20000, 3000000}) {
    for (int again = 0; again < 2; ++again) {  // from the system, and used again
      BOOST_TEST(isnan(empty({n})).all().item<bool>());
      BOOST_TEST(isnan(empty({n}, kFloat64)).all().item<bool>());
      BOOST_TEST((empty({n}, kInt64) == -1).all().item<bool>());
      zeros({n}, kFloat64);
    }
  }
  set_fill_nan(false);
  BOOST_TEST(!get_fill_nan());
  ones({1000});
  BOOST_TEST(!isnan(empty({1000})).any().item<bool>());  // the block that was just given back
}

// Nothing reads what it did not write: among others a product whose result is overwritten and not added to.
BOOST_AUTO_TEST_CASE(nothing_reads_fresh_memory) {
  const FilledWithNan filled;
  manual_seed(3);
  const auto finite = [](const Tensor& x) { return isfinite(x).all().item<bool>(); };
  for (std::int64_t m : {1, 5, 64, 300}) {
    for (std::int64_t k : {0, 1, 33, 300}) {
      const Tensor a = randn({m, k}), b = randn({k, 77});
      Tensor c = empty({m, 77});
      BOOST_TEST(finite(mm(a, b)));
      mm_out(c, a, b);
      BOOST_TEST(finite(c));
      if (k == 0) BOOST_TEST((c == 0).all().item<bool>());
      BOOST_TEST(finite(mm(b.t(), a.t())));
      BOOST_TEST(finite(mv(a, randn({k}))));
    }
  }
  const Tensor x = randn({64, 130}).requires_grad_();
  nn::Sequential net(nn::Linear(130, 70), nn::BatchNorm1d(70), nn::ReLU(), nn::Dropout(0.3), nn::Linear(70, 10));
  optim::Adam adam(net->parameters());
  for (int i = 0; i < 3; ++i) {
    adam.zero_grad();
    nn::functional::cross_entropy(net->forward(x), randint(10, {64})).backward();
    adam.step();
    BOOST_TEST(finite(x.grad()));
    for (const Tensor& p : net->parameters()) BOOST_TEST((finite(p) && finite(p.grad())));
  }
  BOOST_TEST(finite(x.sum(0)));
  BOOST_TEST(finite(x.var(0)));
  BOOST_TEST(finite(softmax(x.t(), 1)));
  BOOST_TEST(finite(cat({x, x.t().reshape({64, 130})}, 1)));
  BOOST_TEST(finite(x.t().contiguous()));
  BOOST_TEST(finite(randn({1001}) + rand({1001}) + empty({1001}).exponential_()));
}

BOOST_AUTO_TEST_SUITE_END()
