// Positions: by examples, and of the same data set only. Stateful sets' batches come in one order; a chunk that fails is
// named, and nothing else is lost.
#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include <zlib.h>

#include <gradus/gradus.h>

#include "../support/folder.h"
#include "indices.h"

using namespace gradus;
using namespace gradus::data;
using namespace gradus::data::datasets;
using samplers::Position;
using test::all_of;
using test::counted;
using test::Indices;
using test::sorted;

namespace {

auto numbers(std::size_t count, std::size_t batch_size, std::size_t workers = 0) {
  return make_data_loader<samplers::SequentialSampler>(
      TensorDataset(arange(static_cast<std::int64_t>(count))).map(transforms::Stack<TensorExample>()),
      DataLoaderOptions(batch_size).workers(workers));
}
std::vector<std::int64_t> first_of_each(auto& loader) {
  std::vector<std::int64_t> all;
  for (auto& batch : *loader) all.push_back(batch.data[0].template item<std::int64_t>());
  return all;
}
template <class Loader>
Position after(Loader& loader, int batches) {
  auto it = loader->begin();
  for (*it; batches > 1; --batches) ++it;
  return loader->position();
}

// Gives 3 at a time at most, whatever it is asked for.
struct Threes : samplers::SequentialSampler {
  using samplers::SequentialSampler::SequentialSampler;
  std::optional<std::vector<std::size_t>> next(std::size_t) override { return SequentialSampler::next(3); }
};
struct Opaque {
  std::size_t first;
};
struct Unsaid : samplers::Sampler<Opaque> {
  void reset(std::optional<std::size_t>) override { at = 0; }
  std::optional<Opaque> next(std::size_t n) override { return Opaque{std::exchange(at, at + n)}; }
  std::size_t at = 0;
};
struct FromUnsaid : BatchDataset<FromUnsaid, std::size_t, Opaque> {
  std::size_t get_batch(Opaque request) override { return request.first; }
  std::optional<std::size_t> size() const override { return {}; }
};

struct Chunks : ChunkDataReader<int> {
  explicit Chunks(std::vector<std::size_t> bad = {}) : bad_(std::move(bad)) {}
  std::vector<int> read_chunk(std::size_t chunk) override {
    std::this_thread::sleep_for(std::chrono::microseconds(chunk * 37 % 11 * 100));
    if (std::find(bad_.begin(), bad_.end(), chunk) != bad_.end()) throw std::runtime_error("disk");
    std::vector<int> examples(4);
    std::iota(examples.begin(), examples.end(), static_cast<int>(10 * chunk));
    return examples;
  }
  std::size_t chunk_count() override { return 8; }
  void reset() override {}
  std::vector<std::size_t> bad_;
};
using InOrder = ChunkDataset<Chunks, samplers::SequentialSampler, samplers::SequentialSampler>;
auto chunks(std::size_t workers, std::size_t preloaders, std::size_t together, std::vector<std::size_t> bad = {}) {
  using samplers::SequentialSampler;
  // The later a batch is asked for, the sooner it is made.
  const auto slow_at_first = transforms::BatchLambda<std::vector<int>>([](std::vector<int> batch) {
    std::this_thread::sleep_for(std::chrono::microseconds(batch[0] % 20 == 0 ? 1000 : 0));
    return batch;
  });
  auto set = make_shared_dataset<InOrder>(Chunks(std::move(bad)), SequentialSampler(0), SequentialSampler(0),
                                          ChunkDatasetOptions(preloaders, 3, 8, together));
  return make_data_loader(set.map(slow_at_first), DataLoaderOptions(3).workers(workers));
}

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}
std::string big_endian(std::size_t x) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(x >> shift & 0xFF);
  return bytes;
}
std::string chunk(const std::string& name, const std::string& data) {
  const std::string body = name + data;
  return big_endian(data.size()) + body +
         big_endian(crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
}
// One row of samples, of PNG's type of colours.
std::string png(char type, std::size_t width, const std::string& samples, const std::string& between) {
  const std::string row = '\0' + samples;
  std::string packed(compressBound(row.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(row.data()), row.size());
  packed.resize(size);
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", big_endian(width) + big_endian(1) + std::string{8, type, 0, 0, 0}) +
         between + chunk("IDAT", packed) + chunk("IEND", "");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_positions)

BOOST_AUTO_TEST_CASE(a_position_counts_examples) {
  using Firsts = std::vector<std::int64_t>;
  for (const std::size_t workers : {0, 2}) {
    auto a = numbers(12, 4, workers), b = numbers(12, 2, workers), c = numbers(12, 3), d = numbers(12, 5);
    const Position eight = after(a, 2);
    b->set_position(eight);
    BOOST_TEST((first_of_each(b) == Firsts{8, 10}));
    BOOST_TEST((first_of_each(b) == Firsts{0, 2, 4, 6, 8, 10}));
    // On from there, with a third size, and with the first.
    c->set_position(eight);
    const Position eleven = after(c, 1);
    for (auto* const loader : {&a, &b, &d}) {
      (*loader)->set_position(eleven);
      BOOST_TEST((first_of_each(*loader) == Firsts{11}));
    }
    a->set_position(after(b, 6));  // all of it was shown
    BOOST_TEST(first_of_each(a).empty());
  }
  // The random numbers of the rest are the same, too.
  const auto noisy = [](std::size_t batch_size) {
    manual_seed(7);
    const auto noise = transforms::TensorLambda<void>([](Tensor x) { return x + rand({1}); });
    return make_data_loader(TensorDataset(arange(12)).map(noise).map(transforms::Stack<TensorExample>()),
                            DataLoaderOptions(batch_size));
  };
  const auto rest = [](auto& loader) {
    std::vector<Tensor> all;
    for (auto& batch : *loader) all.push_back(batch.data);
    return cat(all);
  };
  auto one = noisy(4), other = noisy(3);
  const Tensor expected = rest(one);
  auto again = noisy(4);
  const Position position = after(again, 1);
  manual_seed(8);
  other->set_position(position);
  BOOST_TEST(equal(rest(other), expected.slice(0, 4)));
}

BOOST_AUTO_TEST_CASE(a_position_that_cannot_be_counted_is_refused) {
  const auto threes = [](std::size_t batch_size) {
    return make_data_loader(TensorDataset(arange(12)), Threes(12), DataLoaderOptions(batch_size));
  };
  auto a = threes(3), b = threes(2), same = threes(3);
  const Position position = after(a, 1);
  same->set_position(position);
  BOOST_TEST((*same->begin())[0].data.item<std::int64_t>() == 3);
  const auto names_both = [](const ValueError& e) { return std::string(e.what()).ends_with(" there, 2 here"); };
  auto fours = make_data_loader(TensorDataset(arange(12)), samplers::SequentialSampler(12), DataLoaderOptions(4));
  b->set_position(after(fours, 1));  // it gives 3 and 6
  BOOST_CHECK_EXCEPTION(b->begin(), ValueError, names_both);
  auto c = make_data_loader(FromUnsaid(), Unsaid(), DataLoaderOptions(3));
  auto d = make_data_loader(FromUnsaid(), Unsaid(), DataLoaderOptions(2));
  BOOST_CHECK_EXCEPTION(d->set_position(after(c, 1)), ValueError, names_both);
  Position negative = position;
  negative[4].second = tensor(-1);
  BOOST_CHECK_THROW(b->set_position(negative), ValueError);
}

BOOST_AUTO_TEST_CASE(a_position_is_of_the_same_data_set) {
  const auto refuses = [](auto from, auto into) {
    from.next(3);
    BOOST_CHECK_THROW(into.set_position(from.position()), ValueError);
    const auto before = into.next(1000);
    BOOST_TEST(before.has_value());
    auto same = from;
    same.set_position(from.position());
    BOOST_TEST((same.next(1000) == from.next(1000)));
  };
  using namespace samplers;
  refuses(RandomSampler(103), RandomSampler(5));
  refuses(RandomSampler(5), RandomSampler(103));
  refuses(SequentialSampler(103), SequentialSampler(5));
  refuses(SubsetRandomSampler({1, 5, 9, 3}), SubsetRandomSampler({1, 5, 9, 4}));
  refuses(SubsetRandomSampler({1, 5, 9, 3}), SubsetRandomSampler({1, 5, 9}));
  refuses(WeightedRandomSampler({1, 1, 1}, 6), WeightedRandomSampler({1, 1}, 6));
  refuses(WeightedRandomSampler({1, 1}, 6), WeightedRandomSampler({1, 1, 1}, 6));
  refuses(WeightedRandomSampler({1, 1}, 6), WeightedRandomSampler({1, 1}, 7));
  refuses(DistributedRandomSampler(20, 2, 1), DistributedRandomSampler(22, 2, 1));
  refuses(DistributedRandomSampler(20, 2, 1), DistributedRandomSampler(20, 4, 1));
  refuses(DistributedSequentialSampler(20, 2, 1), DistributedSequentialSampler(22, 2, 1));
  // PyTorch's positions do not say the size.
  RandomSampler random(3);
  random.set_position({{"index", tensor(1)}, {"indices", tensor({2, 0, 1})}});
  BOOST_TEST((random.next(3) == std::vector<std::size_t>{0, 1}));
  BOOST_CHECK_THROW(random.set_position({{"index", tensor(1)}, {"indices", tensor({2, 0, 3})}}), ValueError);

  auto large = numbers(103, 4), small = numbers(50, 4);
  BOOST_CHECK_THROW(small->set_position(after(large, 1)), ValueError);
  BOOST_TEST(first_of_each(small).size() == 13U);
}

BOOST_AUTO_TEST_CASE(stateful_sets_keep_the_order) {
  const auto all = [](auto loader) {
    std::vector<std::vector<int>> batches;
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (auto& batch : *loader) batches.push_back(batch);
    }
    return batches;
  };
  const auto expected = all(chunks(0, 1, 1));
  BOOST_TEST(expected.size() == 22U);
  BOOST_TEST((expected[1] == std::vector<int>{3, 10, 11}));
  for (const std::size_t workers : {1, 3}) {
    for (int round = 0; round < 5; ++round) BOOST_TEST((all(chunks(workers, 2, 1)) == expected));
  }
}

BOOST_AUTO_TEST_CASE(a_chunk_that_fails_is_named_and_alone) {
  for (const std::size_t workers : {0, 1, 3}) {
    for (const std::size_t together : {1, 3}) {
      auto loader = chunks(workers, 2, together, {2, 7});
      std::vector<int> examples;
      std::vector<std::string> errors;
      auto it = loader->begin();
      for (bool more = true; more;) {
        try {
          more = it != loader->end();
          if (more) examples.insert(examples.end(), it->begin(), it->end());
          if (more) ++it;
        } catch (const WorkerException& error) {
          BOOST_TEST(!error.example);
          BOOST_TEST(*error.chunk == (errors.empty() ? 2U : 7U));
          BOOST_TEST((error.batch == (errors.empty() ? 2U : 9U)), error.what());
          errors.emplace_back(error.what());
        }
      }
      BOOST_REQUIRE(errors.size() == 2U);
      BOOST_TEST(errors[0].find(" (chunk 2, where batch 2 was due). Original message: disk") != std::string::npos,
                 errors[0]);
      BOOST_TEST(errors[0].find("Caught", 1) == std::string::npos);
      BOOST_TEST(examples.size() == 24U);
      BOOST_TEST(std::is_sorted(examples.begin(), examples.end()));
    }
  }
}

BOOST_AUTO_TEST_CASE(options_that_cannot_be) {
  const auto refuses = [](const DataLoaderOptions& options) {
    BOOST_CHECK_THROW(FullDataLoaderOptions(DataLoaderOptions(options)), ValueError);
  };
  refuses(DataLoaderOptions().workers(static_cast<std::size_t>(-1)));
  refuses(DataLoaderOptions().workers(1025));
  refuses(DataLoaderOptions().workers(2).max_jobs(static_cast<std::size_t>(-1)));
  refuses(DataLoaderOptions().timeout(std::chrono::milliseconds(-5)));
  FullDataLoaderOptions(DataLoaderOptions().workers(1024).timeout(std::chrono::milliseconds(0)));
  const test::Folder folder;
  std::filesystem::create_directory(folder.path / "cat");
  write(folder / "cat/a.pgm", "P5 1 1 255\n1");
  for (const auto& options : {ImageFolderOptions().channels(4), ImageFolderOptions().max_pixels(-10)}) {
    BOOST_CHECK_THROW(ImageFolder(folder / "", options), ValueError);
    BOOST_CHECK_THROW(read_image(folder / "cat/a.pgm", options), ValueError);
  }
}

BOOST_AUTO_TEST_CASE(folders_of_pictures_list_files) {
  const test::Folder folder;
  const std::filesystem::path cat = folder.path / "cat";
  std::filesystem::create_directories(cat / "dir.png");
  write(folder / "cat/b.pgm", "P5 1 1 255\n1");
  std::filesystem::create_symlink("b.pgm", cat / "link.pgm");
  std::filesystem::create_symlink("nothing.pgm", cat / "dangling.pgm");
  mkfifo((cat / "pipe.pgm").c_str(), 0600);
  ImageFolder set(folder / "");
  BOOST_REQUIRE(*set.size() == 2U);
  BOOST_TEST(set.path(1) == (cat / "link.pgm").string());
  BOOST_TEST(equal(set.get(0).data, set.get(1).data));
  std::filesystem::rename(cat / "pipe.pgm", cat / "b.pgm");
  BOOST_CHECK_THROW(set.get(0), FileError);
  BOOST_CHECK_THROW(set.get(1), FileError);
}

BOOST_AUTO_TEST_CASE(png_samples_are_as_stored) {
  const test::Folder folder;
  const auto read = [&](const std::string& content) {
    write(folder / "p", content);
    return (read_image(folder / "p") * 255).round().flatten();
  };
  const std::string samples = {1, 60, 120};
  const Tensor expected = tensor({1., 60., 120.});
  try {
    for (const std::string& said :
         {chunk("gAMA", big_endian(100000)), chunk("gAMA", big_endian(22727)) + chunk("tEXt", "a"),
          chunk("sRGB", std::string(1, '\0')), std::string()}) {
      BOOST_TEST(equal(read(png(2, 1, samples, said)), expected));
    }
    BOOST_TEST(equal(read(png(0, 1, "\x3C", chunk("gAMA", big_endian(100000)))), full({3}, 60.)));
    const std::string palette = chunk("gAMA", big_endian(100000)) + chunk("PLTE", samples + samples);
    BOOST_TEST(equal(read(png(3, 1, "\x01", palette)), expected));
    BOOST_CHECK_EXCEPTION(read(png(3, 2, "\x01\x02", palette)), FileError, [](const FileError& error) {
      return std::string(error.what()).find("palette has 2 colours, pixel 1 is of number 2") != std::string::npos;
    });
    BOOST_CHECK_THROW(read("\x89PNG"), FileError);
  } catch (const FileError& error) {
    BOOST_TEST(std::string(error.what()).find("libpng") != std::string::npos, error.what());
  }
}

BOOST_AUTO_TEST_CASE(samplers_and_their_positions) {
  samplers::RandomSampler random(9);
  random.reset();
  random.next(4);
  const Position at = random.position();
  const Indices rest = all_of(random);
  samplers::RandomSampler again(9);
  again.set_position(at);
  BOOST_TEST((all_of(again) == rest));
  BOOST_TEST(again.index() == 9U);
  random.reset(5);
  BOOST_TEST((sorted(all_of(random)) == counted(5)));
  BOOST_CHECK_THROW(samplers::RandomSampler(-1), ValueError);
  BOOST_CHECK_THROW(again.set_position({{"index", tensor(3)}}), ValueError);
  BOOST_CHECK_THROW(again.set_position({{"index", tensor(10)}, {"indices", arange(9)}}), ValueError);
  BOOST_CHECK_THROW(again.set_position({{"index", tensor(1)}, {"indices", tensor({-1, 3})}}), ValueError);

  samplers::SubsetRandomSampler subset({4, 7, 1});
  BOOST_TEST((sorted(all_of(subset)) == Indices{1, 4, 7}));
  samplers::WeightedRandomSampler weighted({1, 0, 3}, 4000);
  Indices counts(3);
  for (const std::size_t i : all_of(weighted)) ++counts[i];
  BOOST_TEST(counts[1] == 0U);
  BOOST_TEST(std::abs(static_cast<double>(counts[2]) - 3000) < 5 * 27.4);  // five standard deviations
  BOOST_CHECK_THROW(samplers::WeightedRandomSampler({1, 0}, 2, false), ValueError);

  // By a file.
  const test::Folder folder;
  serialize::OutputArchive out;
  out << random;
  out.save_to(folder / "sampler.pt");
  serialize::InputArchive in;
  in.load_from(folder / "sampler.pt");
  samplers::RandomSampler read(5);
  in >> read;
  BOOST_TEST((read.index() == 5U && !read.next(1)));
  samplers::StreamSampler stream(9);
  BOOST_CHECK_THROW(in >> stream, ValueError);

  samplers::SequentialSampler sequential(6);
  sequential.next(4);
  samplers::SequentialSampler other(6);
  other.set_position(sequential.position());
  BOOST_TEST((all_of(other) == Indices{4, 5}));
}

// The numbers are libtorch 1.13's.
BOOST_AUTO_TEST_CASE(distributed_samplers_order_as_pytorch) {
  const auto drawn = [](std::size_t size, std::size_t rank, bool duplicates) {
    samplers::DistributedRandomSampler sampler(size, 2, rank, duplicates);
    sampler.set_epoch(3);
    sampler.reset();
    return all_of(sampler);
  };
  BOOST_TEST((drawn(10, 0, true) == Indices{3, 1, 8, 5, 2}));
  BOOST_TEST((drawn(10, 1, true) == Indices{6, 9, 7, 0, 4}));
  BOOST_TEST((drawn(7, 0, true) == Indices{3, 1, 0, 5}));
  BOOST_TEST((drawn(7, 1, false) == Indices{5, 2, 4}));
  samplers::DistributedSequentialSampler sequential(7, 3, 2);
  BOOST_TEST((all_of(sequential, 2) == Indices{6, 0, 1}));
  samplers::DistributedRandomSampler sampler(10, 2, 1), other(10, 2, 1);
  sampler.set_epoch(3);
  sampler.reset();
  sampler.next(2);
  other.set_position(sampler.position());
  BOOST_TEST((all_of(other) == Indices{7, 0, 4}));
  BOOST_CHECK_THROW(samplers::DistributedRandomSampler(10, 2, 2), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
