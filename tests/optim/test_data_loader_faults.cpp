// Loaders when something goes wrong: no time-out vanishes, no batch is lost to a sampler's exception, no worker ends the
// program.
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <limits>
#include <stdexcept>
#include <thread>

#include <gradus/gradus.h>

using namespace gradus;
using namespace gradus::data;
using Indices = std::vector<std::size_t>;

namespace {

struct Numbers : datasets::Dataset<Numbers, std::size_t> {
  explicit Numbers(std::size_t n, std::function<void(std::size_t)> on_get = {}) : n_(n), on_get_(std::move(on_get)) {}
  std::size_t get(std::size_t index) override {
    if (on_get_) on_get_(index);
    return index;
  }
  std::optional<std::size_t> size() const override { return n_; }

 private:
  std::size_t n_;
  std::function<void(std::size_t)> on_get_;
};

// Throws once, instead of its third batch.
struct Faulty : samplers::SequentialSampler {
  explicit Faulty(std::size_t n) : SequentialSampler(n) {}
  void reset(std::optional<std::size_t> n) override {
    SequentialSampler::reset(n);
    calls_ = 0;
  }
  std::optional<Indices> next(std::size_t batch_size) override {
    if (++calls_ == 3) throw std::runtime_error("no order");
    return SequentialSampler::next(batch_size);
  }

 private:
  int calls_ = 0;
};

struct Mute : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(data_loader_faults)

BOOST_AUTO_TEST_CASE(spans_are_rounded_up_and_have_an_end) {
  using namespace std::chrono;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  BOOST_TEST(Milliseconds(milliseconds(20)).count() == 20);
  BOOST_TEST(Milliseconds(microseconds(500)).count() == 1);
  BOOST_TEST(Milliseconds(microseconds(2000)).count() == 2);
  BOOST_TEST(Milliseconds(nanoseconds(1)).count() == 1);
  BOOST_TEST(Milliseconds(seconds(0)).count() == 0);
  BOOST_TEST(Milliseconds(minutes(2)).count() == 120'000);
  BOOST_TEST(Milliseconds(duration<double>(0.1)).count() == 100);
  BOOST_TEST(Milliseconds(duration<float>(1.5F)).count() == 1500);
  BOOST_TEST(Milliseconds(hours::max()).count() == most);
  BOOST_TEST(Milliseconds(milliseconds::max()).count() == most);
  BOOST_TEST(Milliseconds(duration<double>(1e300)).count() == most);
  BOOST_TEST(Milliseconds(hours::min()).count() == std::numeric_limits<std::int64_t>::min());
  static_assert(Milliseconds(seconds(1)).count() == 1000);
}

BOOST_AUTO_TEST_CASE(the_longest_time_out_waits) {
  const Numbers slow(2, [](std::size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
  for (const Milliseconds timeout : {Milliseconds(std::chrono::hours::max()), Milliseconds(std::chrono::hours(24))}) {
    auto loader = make_data_loader<samplers::SequentialSampler>(slow, DataLoaderOptions(2).workers(1).timeout(timeout));
    BOOST_TEST((*loader->begin() == Indices{0, 1}));
  }
  const auto waiting = [&](Milliseconds timeout) {
    return make_data_loader<samplers::SequentialSampler>(slow, DataLoaderOptions(2).workers(1).timeout(timeout));
  };
  BOOST_CHECK_THROW(*waiting(std::chrono::milliseconds(0))->begin(), LoaderTimeout);
  BOOST_CHECK_THROW(waiting(std::chrono::hours::min()), ValueError);
}

BOOST_AUTO_TEST_CASE(a_samplers_exception_comes_where_its_batch_was_due) {
  for (const std::size_t workers : {0, 1, 3}) {
    for (const std::size_t max_jobs : {1, 2, 7}) {
      auto loader = make_data_loader(Numbers(8), Faulty(8), DataLoaderOptions(2).workers(workers).max_jobs(max_jobs));
      for (int epoch = 0; epoch < 2; ++epoch) {
        std::vector<Indices> got;
        auto it = loader->begin();
        for (const std::size_t first : {0, 2}) {
          BOOST_TEST((*it == Indices{first, first + 1}));
          if (first == 0) ++it;
        }
        BOOST_CHECK_THROW(++it, std::runtime_error);
        for (; it != loader->end(); ++it) got.push_back(*it);
        BOOST_TEST((got == std::vector<Indices>{{4, 5}, {6, 7}}), workers << " workers, " << max_jobs << " jobs");
      }
      auto left = loader->begin();  // what nobody saw is no other epoch's
      loader->begin();
      BOOST_TEST((*loader->begin() == Indices{0, 1}));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_exception_that_cannot_be_wrapped_comes_as_it_is) {
  const Numbers mute(4, [](std::size_t i) {
    if (i == 2) throw Mute();
  });
  auto loader = make_data_loader<samplers::SequentialSampler>(mute, DataLoaderOptions(2).workers(2));
  auto it = loader->begin();
  BOOST_TEST((*it == Indices{0, 1}));
  BOOST_CHECK_THROW(++it, Mute);
  BOOST_TEST((it == loader->end()));

  struct Reader : datasets::ChunkDataReader<int> {
    std::vector<int> read_chunk(std::size_t chunk) override {
      if (chunk == 1) throw Mute();
      return {static_cast<int>(chunk)};
    }
    std::size_t chunk_count() override { return 3; }
    void reset() override {}
  };
  for (const std::size_t readers : {1, 3}) {
    datasets::ChunkDataset<Reader, samplers::SequentialSampler, samplers::SequentialSampler> chunks(
        Reader(), samplers::SequentialSampler(3), samplers::SequentialSampler(1),
        datasets::ChunkDatasetOptions(readers, 1));
    chunks.reset();
    BOOST_CHECK_EXCEPTION(while (chunks.get_batch()){}, Mute, [](const Mute&) { return true; });
  }
}

BOOST_AUTO_TEST_SUITE_END()
