// Loaders and samplers: every example once, in order or not, whatever the number of workers; the same random numbers for a
// seed; exceptions and time-outs once and with their place; nothing left behind.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include <gradus/autograd/files/archive.h>
#include <gradus/gradus.h>

#include "../support/folder.h"
#include "indices.h"

using namespace gradus;
using namespace gradus::data;
using gradus::data::samplers::Position;
using test::counted;
using test::Indices;
using test::sorted;

namespace {

constexpr std::size_t kWorkers[] = {0, 1, 3};

// Examples that are counted while they live.
struct Counted {
  explicit Counted(std::size_t v = 0) : value(v) { ++alive; }
  Counted(const Counted& other) : value(other.value) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  std::size_t value;
  static inline std::atomic<int> alive{0};
};

struct Numbers : datasets::Dataset<Numbers, Counted> {
  explicit Numbers(std::size_t n, std::function<void(std::size_t)> on_get = {}) : n_(n), on_get_(std::move(on_get)) {}
  Counted get(std::size_t index) override {
    if (on_get_) on_get_(index);
    return Counted(index);
  }
  std::optional<std::size_t> size() const override { return n_; }

 private:
  std::size_t n_;
  std::function<void(std::size_t)> on_get_;
};

Indices values(const std::vector<Counted>& batch) {
  Indices all;
  for (const Counted& example : batch) all.push_back(example.value);
  return all;
}
template <class Loader>
std::vector<Indices> epoch(Loader& loader) {
  std::vector<Indices> batches;
  for (auto& batch : loader) batches.push_back(values(batch));
  return batches;
}
Indices joined(const std::vector<Indices>& batches) {
  Indices all;
  for (const Indices& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}
void pause(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

// Draws in the example, in a transform of it, and for the batch as a whole.
struct Noise : datasets::Dataset<Noise> {
  Example<> get(std::size_t index) override {
    if (index % 3 == 0) pause(1);
    return {rand({2}), tensor(static_cast<std::int64_t>(index))};
  }
  std::optional<std::size_t> size() const override { return 20; }
};
std::vector<Tensor> noise(std::size_t workers, std::size_t batch_size, std::optional<std::uint64_t> seed = {}) {
  manual_seed(3);
  auto loader =
      make_data_loader<samplers::RandomSampler>(Noise()
                                                    .map(transforms::Lambda<Example<>>([](Example<> e) {
                                                      return Example<>{cat({e.data, rand({2})}), e.target};
                                                    }))
                                                    .map(transforms::Stack<>()),
                                                DataLoaderOptions().batch_size(batch_size).workers(workers).seed(seed));
  std::vector<Tensor> epochs;
  for (int i = 0; i < 2; ++i) {
    std::vector<Tensor> batches;
    for (auto& batch : *loader) batches.push_back(cat({batch.data, batch.target.to(kFloat).unsqueeze(1)}, 1));
    epochs.push_back(cat(batches));
  }
  epochs.push_back(rand({2}));  // the program's own stream does not depend on it
  return epochs;
}

// Gives its numbers one after the other, to several threads.
struct Counter : datasets::StatefulDataset<Counter, std::vector<Counted>> {
  explicit Counter(std::size_t n) : n_(n) {}
  std::optional<std::vector<Counted>> get_batch(std::size_t size) override {
    const std::lock_guard lock(*mutex_);
    std::vector<Counted> batch;
    while (batch.size() < size && at_ < n_) batch.emplace_back(at_++);
    if (batch.empty()) return std::nullopt;
    return batch;
  }
  void reset() override { at_ = 0; }
  std::optional<std::size_t> size() const override { return n_; }

 private:
  std::size_t n_, at_ = 0;
  std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(data_loader)

BOOST_AUTO_TEST_CASE(each_example_comes_once_an_epoch_and_in_order) {
  for (const std::size_t workers : kWorkers) {
    BOOST_TEST_CONTEXT(workers << " workers") {
      auto loader = make_data_loader<samplers::SequentialSampler>(
          Numbers(10, [](std::size_t i) { pause(i == 0 ? 5 : 0); }), DataLoaderOptions(4).workers(workers));
      for (int i = 0; i < 2; ++i) {
        BOOST_TEST((epoch(*loader) == std::vector<Indices>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}));
      }
      manual_seed(1);
      auto drawn = make_data_loader(Numbers(50), DataLoaderOptions(7).workers(workers).drop_last(true));
      const Indices first = joined(epoch(*drawn)), second = joined(epoch(*drawn));
      BOOST_TEST(first.size() == 49U);
      BOOST_TEST(std::set<std::size_t>(first.begin(), first.end()).size() == 49U);
      BOOST_TEST((first != second));
      auto any = make_data_loader(Numbers(30, [](std::size_t i) { pause(i % 7 == 0 ? 2 : 0); }),
                                  samplers::SequentialSampler(30),
                                  DataLoaderOptions(2).workers(workers).enforce_ordering(false).max_jobs(5));
      BOOST_TEST((sorted(joined(epoch(*any))) == counted(30)));
    }
  }
  BOOST_TEST(Counted::alive == 0);
}

BOOST_AUTO_TEST_CASE(random_numbers_depend_on_the_seed_alone) {
  const std::vector<Tensor> expected = noise(0, 3);
  for (const std::size_t workers : {0, 1, 2, 4}) {
    for (const std::size_t batch_size : {3, 8}) {
      const std::vector<Tensor> got = noise(workers, batch_size);
      for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(equal(got[i], expected[i]), workers << " workers, part " << i);
    }
  }
  // All numbers differ: those of an example and its transform, of two examples, of two epochs.
  const Tensor all = cat({expected[0].slice(1, 0, 4), expected[1].slice(1, 0, 4)}).flatten();
  const Tensor order = std::get<0>(all.sort());
  BOOST_TEST((order.slice(0, 1) != order.slice(0, 0, -1)).all().item<bool>());
  // A seed of the loader's own.
  BOOST_TEST(equal(noise(2, 3, 5)[1], noise(0, 3, 5)[1]));
  BOOST_TEST(!equal(noise(2, 3, 5)[1], noise(2, 3, 6)[1]));
}

BOOST_AUTO_TEST_CASE(a_workers_exception_comes_once_with_its_place) {
  const Numbers faulty(12, [](std::size_t i) {
    if (i == 5) throw std::out_of_range("no such picture");
    if (i == 9) throw ValueError("get: too dark");
  });
  for (const std::size_t workers : {1, 3}) {
    auto loader = make_data_loader<samplers::SequentialSampler>(faulty, DataLoaderOptions(2).workers(workers));
    for (int round = 0; round < 2; ++round) {
      std::vector<Indices> got;
      std::vector<std::string> errors;
      auto it = loader->begin();
      const auto going_on = [&] {
        for (;;) {
          try {
            if (it == loader->end()) return false;
            return true;
          } catch (const WorkerException& error) {
            errors.push_back(error.what());
            BOOST_TEST(error.message == error.what());
            BOOST_TEST(*error.example == (error.batch == 2 ? 5U : 9U));
            BOOST_TEST(error.worker < workers);
            BOOST_CHECK_THROW(std::rethrow_exception(error.original_exception), std::exception);
          }
        }
      };
      while (going_on()) {
        got.push_back(values(*it));
        try {
          ++it;
        } catch (const WorkerException& error) {
          errors.push_back(error.what());
        }
      }
      BOOST_TEST((got == std::vector<Indices>{{0, 1}, {2, 3}, {6, 7}, {10, 11}}));
      BOOST_REQUIRE(errors.size() == 2U);
      BOOST_TEST(errors[0].find("(example 5 of batch 2). Original message: no such picture") != std::string::npos,
                 errors[0]);
      BOOST_TEST(errors[1].find("(example 9 of batch 4). Original message: get: too dark") != std::string::npos,
                 errors[1]);
    }
  }
  // Without workers the exception itself comes, and the library's own say where.
  auto loader = make_data_loader<samplers::SequentialSampler>(faulty, DataLoaderOptions(2));
  BOOST_CHECK_THROW(epoch(*loader), std::out_of_range);
  auto later = make_data_loader(faulty, samplers::SubsetRandomSampler({9}), DataLoaderOptions(2));
  BOOST_CHECK_EXCEPTION(epoch(*later), ValueError, [](const ValueError& error) {
    return std::string(error.what()).find("example 9 of batch 0") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_batchs_fault_is_no_examples) {
  auto loader = make_data_loader<samplers::SequentialSampler>(
      Numbers(4).map(transforms::Collate<int, std::vector<Counted>>(
          [](const std::vector<Counted>&) -> int { throw ValueError("collate: too many"); })),
      DataLoaderOptions(2).workers(1));
  BOOST_CHECK_EXCEPTION(*loader->begin(), WorkerException, [](const WorkerException& error) {
    BOOST_TEST(!error.example.has_value());
    return std::string(error.what()).find("worker thread 0 (batch 0)") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_time_out_loses_nothing) {
  std::atomic<bool> hold{true};
  const Numbers slow(4, [&](std::size_t i) {
    while (i == 0 && hold) pause(1);
  });
  auto loader = make_data_loader<samplers::SequentialSampler>(
      slow, DataLoaderOptions(2).workers(2).timeout(std::chrono::milliseconds(20)));
  auto it = loader->begin();
  BOOST_CHECK_THROW(*it, LoaderTimeout);
  hold = false;
  const auto wait = [&] {
    for (;;) {
      try {
        return values(*it);
      } catch (const LoaderTimeout&) {  // a busy machine
      }
    }
  };
  BOOST_TEST((wait() == Indices{0, 1}));
}

BOOST_AUTO_TEST_CASE(loops_end_early_and_begin_again) {
  for (const std::size_t workers : kWorkers) {
    // Slow enough that some is still asked for when the next loop begins.
    auto loader =
        make_data_loader<samplers::SequentialSampler>(Numbers(40, [](std::size_t i) { pause(i % 8 == 1 ? 1 : 0); }),
                                                      DataLoaderOptions(4).workers(workers).max_jobs(9));
    for (auto& batch : *loader) {
      BOOST_TEST(batch[0].value == 0U);
      break;
    }
    auto left = loader->begin();
    ++left;
    BOOST_TEST((*left)[0].value == 4U);
    BOOST_TEST((joined(epoch(*loader)) == counted(40)));
    ++left;  // of an epoch that is no more
    BOOST_TEST((left == loader->end()));
    BOOST_CHECK_THROW(*left, IndexError);
    BOOST_CHECK_THROW(++left, IndexError);
    BOOST_CHECK_THROW(*loader->end(), IndexError);
    auto dropped = loader->begin();
    loader.reset();  // in the middle
  }
  BOOST_TEST(Counted::alive == 0);
  auto loader = make_data_loader(Numbers(3), DataLoaderOptions().workers(2));
  loader->join();
  BOOST_CHECK_THROW(loader->begin(), ValueError);
}

BOOST_AUTO_TEST_CASE(stateful_sets_and_streams) {
  for (const std::size_t workers : kWorkers) {
    auto loader = make_data_loader(Counter(10), DataLoaderOptions(3).workers(workers));
    static_assert(std::is_same_v<decltype(loader)::element_type, StatefulDataLoader<Counter>>);
    for (int i = 0; i < 2; ++i) BOOST_TEST((sorted(joined(epoch(*loader))) == counted(10)));
    auto mapped = make_data_loader(Counter(10).map(transforms::BatchLambda<std::vector<Counted>, std::size_t>(
                                       [](const std::vector<Counted>& batch) { return batch.size(); })),
                                   DataLoaderOptions(4).workers(workers));
    std::size_t sum = 0;
    for (const std::size_t size : *mapped) sum += size;
    BOOST_TEST(sum == 10U);
  }
  struct Stream : datasets::StreamDataset<Stream, std::size_t> {
    std::size_t get_batch(std::size_t size) override { return size; }
    std::optional<std::size_t> size() const override { return std::nullopt; }
  };
  auto loader = make_data_loader(Stream(), samplers::StreamSampler(10), DataLoaderOptions(4).workers(1));
  Indices sizes;
  for (const std::size_t size : *loader) sizes.push_back(size);
  BOOST_TEST((sizes == Indices{4, 4, 2}));
  BOOST_CHECK_THROW(gradus::data::detail::expect_size(Stream().size()), ValueError);
  BOOST_CHECK_THROW(make_data_loader(Numbers(3), DataLoaderOptions(0)), ValueError);
  BOOST_CHECK_THROW(make_data_loader(Numbers(3), DataLoaderOptions(1).workers(1).max_jobs(0)), ValueError);
  BOOST_TEST(FullDataLoaderOptions(DataLoaderOptions(1).workers(3)).max_jobs == 6U);
}

BOOST_AUTO_TEST_CASE(a_loop_goes_on_from_its_position) {
  const auto make = [](std::size_t workers) {
    return make_data_loader(Noise().map(transforms::Stack<>()), DataLoaderOptions(3).workers(workers));
  };
  const auto rest = [](auto& loader) {  // of this epoch, and the next
    std::vector<Tensor> all;
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (auto& batch : *loader) all.push_back(cat({batch.data, batch.target.to(kFloat).unsqueeze(1)}, 1));
    }
    return cat(all);
  };
  const test::Folder folder;
  for (const std::size_t before : {0, 2}) {
    manual_seed(8);
    auto loader = make(before);
    for (auto& batch : *loader) (void)batch;
    auto it = loader->begin();
    for (int i = 0; i < 3; ++i) ++it;
    serialize::OutputArchive out;
    loader->save(out);
    out.save_to(folder / "loader.pt");
    const Tensor generator = Tensor(default_generator().get_state());
    std::vector<Tensor> all;
    for (++it; it != loader->end(); ++it) {
      all.push_back(cat({it->data, it->target.to(kFloat).unsqueeze(1)}, 1));
    }
    for (auto& batch : *loader) all.push_back(cat({batch.data, batch.target.to(kFloat).unsqueeze(1)}, 1));
    const Tensor expected = cat(all);
    for (const std::size_t after : {0, 1, 3}) {
      manual_seed(99);
      auto again = make(after);
      serialize::InputArchive in;
      in.load_from(folder / "loader.pt");
      again->load(in);
      default_generator().set_state(generator.array());
      // The batch that was shown is done with; a position that was read is told again.
      BOOST_TEST(again->position()[2].second.item<std::int64_t>() == 4);
      BOOST_TEST(equal(rest(again), expected), before << " workers, then " << after);
      // At an epoch's end there is nothing to go on with.
      auto fresh = make(0);
      fresh->set_position(again->position());
      std::size_t batches = 0;
      for (auto& batch : *fresh) batches += static_cast<std::size_t>(batch.data.dim() > 0);
      BOOST_TEST(batches == 7U);
    }
  }
  auto any = make_data_loader(Numbers(9), DataLoaderOptions(1).workers(1).enforce_ordering(false));
  auto it = any->begin();
  BOOST_CHECK_THROW(any->position(), ValueError);
  BOOST_CHECK_THROW(make(0)->set_position({{"epochs", tensor(1)}}), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
