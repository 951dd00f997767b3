// Data sets and transforms: rows at once equal example by example to the bit; files read, and refused with their place.
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <set>
#include <thread>

#include <zlib.h>

#include <gradus/gradus.h>

#include "../support/folder.h"

using namespace gradus;
using namespace gradus::data;
using namespace gradus::data::datasets;
using test::Folder;

namespace {

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}
void write_gzipped(const std::string& path, const std::string& content) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
}
std::string big_endian(std::uint32_t x) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(x >> shift & 0xFF);
  return bytes;
}
std::string idx(const std::vector<std::uint32_t>& shape, const std::string& bytes) {
  std::string file = {0, 0, 8, static_cast<char>(shape.size())};
  for (const std::uint32_t size : shape) file += big_endian(size);
  return file + bytes;
}
std::string pixels(std::size_t n) {
  std::string bytes;
  for (std::size_t i = 0; i < n; ++i) bytes += static_cast<char>(i * 37 % 256);
  return bytes;
}
// Seven pictures of 3 x 2, and five.
void write_mnist(const Folder& folder) {
  write(folder / "train-images-idx3-ubyte", idx({7, 3, 2}, pixels(42)));
  write(folder / "train-labels-idx1-ubyte", idx({7}, {0, 1, 2, 3, 4, 5, 6}));
  write_gzipped(folder / "t10k-images-idx3-ubyte.gz", idx({5, 3, 2}, pixels(30)));
  write_gzipped(folder / "t10k-labels-idx1-ubyte.gz", idx({5}, {9, 8, 7, 6, 5}));
}

// A picture in colours with a given row's bytes, as PNG: one block of zlib's.
std::string png(std::uint32_t width, std::uint32_t height, const std::string& rgb) {
  std::string rows;
  for (std::uint32_t y = 0; y < height; ++y) rows += '\0' + rgb.substr(3 * width * y, 3 * width);
  std::string packed(compressBound(rows.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()), rows.size());
  packed.resize(size);
  const auto chunk = [](const std::string& name, const std::string& data) {
    const std::string body = name + data;
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(sum));
  };
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", big_endian(width) + big_endian(height) + std::string{8, 2, 0, 0, 0}) +
         chunk("IDAT", packed) + chunk("IEND", "");
}
// 3 x 2 pixels of about (200, 40, 80), by libjpeg at quality 50.
std::string jpeg() {
  const std::string_view hex =
      "ffd8ffdb004300100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e4044574537"
      "38506d51575f626768673e4d71797064785c656763ffdb0043011112121815182f1a1a2f6342384263636363636363636363"
      "63636363636363636363636363636363636363636363636363636363636363636363636363636363ffc00011080002000303"
      "012200021101031101ffc4001500010100000000000000000000000000000005ffc400141001000000000000000000000000"
      "00000000ffc4001501010100000000000000000000000000000206ffc40014110100000000000000000000000000000000ff"
      "da000c03010002110311003f009a00291fffd9";
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

template <class E, class Make>
void refused(Make make, const std::string& with) {
  BOOST_CHECK_EXCEPTION(make(), E, [&](const E& error) {
    const bool said = std::string(error.what()).find(with) != std::string::npos;
    BOOST_TEST(said, error.what());
    return said;
  });
}

// What the loader's fast way has to equal.
template <class D, class Normalize>
Tensor one_by_one(D& dataset, const std::vector<std::size_t>& indices, Normalize normalize) {
  std::vector<Tensor> all;
  for (const std::size_t i : indices) all.push_back(normalize(dataset.get(i).data));
  return stack(all);
}

struct Reader : ChunkDataReader<int> {
  explicit Reader(int fail_at = -1) : fail_at_(fail_at) {}
  std::vector<int> read_chunk(std::size_t chunk) override {
    ++reads;
    if (static_cast<int>(chunk) == fail_at_) throw std::runtime_error("disk");
    std::vector<int> examples;
    for (std::size_t i = 0; i < chunk % 4; ++i) examples.push_back(static_cast<int>(10 * chunk + i));
    return examples;
  }
  std::size_t chunk_count() override { return 9; }
  void reset() override {}
  int fail_at_;
  static inline std::atomic<int> reads{0};
};
std::vector<int> chunks(std::size_t preloaders, std::size_t together, std::size_t workers) {
  manual_seed(2);
  ChunkDataset<Reader> dataset(Reader(), samplers::RandomSampler(9), samplers::RandomSampler(1),
                               ChunkDatasetOptions(preloaders, 4, 4, together));
  auto loader = make_data_loader(std::move(dataset), DataLoaderOptions(4).workers(workers));
  std::vector<int> all;
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (auto& batch : *loader) {
      BOOST_TEST(batch.size() <= 4U);
      all.insert(all.end(), batch.begin(), batch.end());
    }
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data)

BOOST_AUTO_TEST_CASE(mnist_plain_and_gzipped) {
  const Folder folder;
  write_mnist(folder);
  MNIST train(folder / ""), test(folder / "", MNIST::Mode::kTest);
  BOOST_TEST(train.is_train());
  BOOST_TEST(!test.is_train());
  BOOST_TEST((train.images().sizes() == IntArrayRef{7, 1, 3, 2}));
  BOOST_TEST(train.images().view({-1})[3].item<float>() == static_cast<float>(111) / 255);
  BOOST_TEST((test.targets().dtype() == kInt64));
  BOOST_TEST(test.get(1).target.item<std::int64_t>() == 8);
  BOOST_TEST(*test.size() == 5U);
  BOOST_CHECK_THROW(test.get(5), IndexError);
  refused<FileError>([&] { MNIST("/nowhere"); }, "`examples/fetch_mnist /nowhere`");
  // An error names the file that was read.
  const auto with = [&](const char* name, const std::string& content, const std::string& part) {
    write_mnist(folder);
    write(folder / name, content);
    refused<FileError>([&] { MNIST(folder / ""); }, part);
  };
  with("train-labels-idx1-ubyte", idx({6}, {0, 1, 2, 3, 4, 5}), "train-images-idx3-ubyte', 6 labels in '");
  with("train-labels-idx1-ubyte", idx({7}, {0, 1, 10, 3, 4, 5, 6}), "label 2 of '");
  with("train-labels-idx1-ubyte", idx({7}, {0, 1, 10, 3, 4, 5, 6}), "ubyte' must be from 0 to 9: 10");
  with("train-labels-idx1-ubyte", idx({7}, {0, 1}), "so it is cut off");
  with("train-labels-idx1-ubyte", idx({2, 1, 3}, pixels(6)), "1 dimension: elements of type 08 in [2, 1, 3]");
  with("train-images-idx3-ubyte", idx({7}, pixels(7)), "must hold bytes in 3 dimensions");
  with("train-images-idx3-ubyte", idx({7, 0, 1}, ""), "at least one image: its shape is [7, 0, 1]");
  write_gzipped(folder / "t10k-labels-idx1-ubyte.gz", idx({5}, {9, 8, 7, 6, 77}));
  refused<FileError>([&] { MNIST(folder / "", MNIST::Mode::kTest); }, "idx1-ubyte.gz' must be from 0 to 9: 77");
}

BOOST_AUTO_TEST_CASE(rows_at_once_are_the_examples_to_the_bit) {
  const Folder folder;
  write_mnist(folder);
  MNIST mnist(folder / "");
  const std::vector<std::size_t> some = {6, 0, 3, 3};
  const transforms::Normalize<> normalize(0.1307, 0.3081);
  static_assert(has_rows<MapDataset<MNIST, transforms::Normalize<>>>);
  const Example<> batch = mnist.map(normalize).map(transforms::Stack<>()).get_batch(some);
  BOOST_TEST(equal(batch.data, one_by_one(mnist, some, normalize)));
  BOOST_TEST(equal(batch.target, tensor({6, 0, 3, 3})));
  BOOST_TEST(equal(mnist.map(transforms::Stack<>()).get_batch(some).data,
                   one_by_one(mnist, some, [](Tensor x) { return x; })));
  BOOST_CHECK_THROW(mnist.map(transforms::Stack<>()).get_batch(std::vector<std::size_t>{7}), IndexError);
  const Tensor before = mnist.images().clone();
  batch.data.zero_();
  BOOST_TEST(equal(mnist.images(), before));

  TensorDataset colours(rand({5, 3, 4, 4})), odd(rand({5, 1, 4, 4})), wide(rand({4, 5, 3, 4}).permute({1, 2, 3, 0}));
  const transforms::Normalize<void> three({0.1, 0.2, 0.3}, {1.5, 2, 3}), twice(0.3, 0.7);
  std::vector<std::size_t> few = {4, 1};
  for (TensorDataset* const set : {&colours, &odd, &wide}) {  // the last two cannot be taken at once
    const auto mapped = set->map(three);
    BOOST_TEST(equal(set->map(three).map(transforms::Stack<TensorExample>()).get_batch(few).data,
                     one_by_one(*set, few, three)));
    BOOST_TEST(equal(set->map(three).map(twice).map(transforms::Stack<TensorExample>()).get_batch(few).data,
                     one_by_one(*set, few, [&](const Tensor& x) {
                       return transforms::Normalize<void>(twice)(transforms::Normalize<void>(three)(x));
                     })));
  }
  // With a history each example keeps its own.
  Tensor leaf = rand({3, 2}).requires_grad_();
  TensorDataset(leaf).map(transforms::Stack<TensorExample>()).get_batch(few = {0, 2}).data.sum().backward();
  BOOST_TEST(equal(leaf.grad(), tensor({{1., 1.}, {0., 0.}, {1., 1.}})));
  // A data set derived from one of these means what it says.
  struct Half : MNIST {
    using MNIST::MNIST;
    Example<> get(std::size_t i) override { return {MNIST::get(i).data / 2, MNIST::get(i).target}; }
  };
  auto halves = datasets::map(Half(folder / ""), transforms::Stack<>());
  BOOST_TEST(equal(halves.get_batch(some).data, mnist.map(transforms::Stack<>()).get_batch(some).data / 2));
}

BOOST_AUTO_TEST_CASE(stacks_and_other_transforms) {
  transforms::Stack<> stack_examples;
  refused<ShapeError>(
      [&] {
        stack_examples.apply_batch({{rand({2}), tensor(1)}, {rand({3}), tensor(1)}});
      },
      "number 1 has [3], the first [2]");
  refused<ValueError>([&] { stack_examples.apply_batch({{rand({2}), Tensor()}}); }, "the target of every example");
  refused<ValueError>([&] { stack_examples.apply_batch({}); }, "at least one");
  refused<ValueError>([&] { transforms::Normalize<>(ArrayRef<double>(), 1.0); }, "mean");
  // Dtypes promote and gradients flow, as by stack.
  const Tensor x = rand({2}).requires_grad_();
  const Example<> mixed = stack_examples.apply_batch({{x, tensor(1)}, {tensor({1, 2}), tensor(2)}});
  BOOST_TEST((mixed.data.dtype() == kFloat));
  mixed.data.sum().backward();
  BOOST_TEST(equal(x.grad(), ones({2})));

  TensorDataset set({tensor({1., 2.}), tensor({3., 4.})});
  auto doubled = set.map(transforms::TensorLambda<void>([](Tensor t) { return t * 2; }))
                     .map(transforms::Collate<Tensor, std::vector<TensorExample>>(
                         [](std::vector<TensorExample> batch) { return batch[0].data + batch[1].data; }));
  BOOST_TEST(equal(doubled.get_batch(std::vector<std::size_t>{0, 1}), tensor({8., 12.})));
  auto shared = make_shared_dataset<TensorDataset>(rand({4, 2}));
  BOOST_TEST(*shared.size() == 4U);
  auto loader = make_data_loader(shared.map(transforms::Stack<TensorExample>()), DataLoaderOptions(2).workers(2));
  Tensor sum = zeros({2});
  for (Tensor batch : *loader) sum += batch.sum(0);
  BOOST_TEST(allclose(sum, shared->tensor.sum(0)));
}

BOOST_AUTO_TEST_CASE(tables_of_numbers) {
  const Folder folder;
  write(folder / "a.csv", "\xEF\xBB\xBFsize,\"the \"\"kind\"\"\",weight\r\n1.5,2,+3\r\n\r\n\"-4\",0, 6e1 \n");
  const CsvDataset named(folder / "a.csv", CsvDatasetOptions().header(true).target("the \"kind\""));
  BOOST_TEST(equal(named.data(), tensor({{1.5, 3.}, {-4., 60.}})));
  BOOST_TEST(equal(named.targets(), tensor({2, 0})));
  BOOST_TEST((named.columns() == std::vector<std::string>{"size", "weight"}));
  CSV one(folder / "a.csv", CsvDatasetOptions().header(true).columns({"weight"}).target("0").target_dtype(kDouble));
  BOOST_TEST(equal(one.get(1).data, tensor({60.})));
  BOOST_TEST(one.get(1).target.item<double>() == -4);
  const auto table = [&](const std::string& text, const CsvDatasetOptions& options = {}) {
    return [&, text, options] {
      write(folder / "b.csv", text);
      CsvDataset(folder / "b.csv", options);
    };
  };
  refused<FileError>(table("1,2\n3\n"), "line 2 of ");
  refused<FileError>(table("1,2\n\n3,x\n"), "field 2 of line 3 of ");
  refused<FileError>(table("1,2\n3,\n"), "must be a number: ''");
  refused<FileError>(table("1,2\n3,0.5\n"), "field 2 of line 2 of ");
  // A number that the dtype does not hold is neither rounded nor wrapped around.
  const auto of = [&](const char* number, DType dtype) {
    return table(std::string("1,") + number + "\n", CsvDatasetOptions().target_dtype(dtype));
  };
  const std::tuple<DType, std::vector<const char*>, std::vector<const char*>> limits[] = {
      {kUInt8, {"0", "255"}, {"300", "-1", "5e9", "0.5", "256", "nan", "inf"}},
      {kInt8, {"-128", "127"}, {"-129", "128"}},
      {kInt16, {"-32768", "32767"}, {"-32769", "32768"}},
      {kInt32, {"-2147483648", "2147483647"}, {"-2147483649", "2147483648", "1.5"}},
      {kInt64, {"-9007199254740993", "5e9", "3.0"}, {"9223372036854775808", "1e300", "-inf", "9007199254740994.0"}},
      {kFloat, {"0.5", "inf"}, {"1e300", "-3.5e38"}},
      {kHalf, {"65504"}, {"65520"}},
      {kBool, {"0", "1"}, {"2", "-1"}}};
  for (const auto& [dtype, held, not_held] : limits) {
    for (const char* number : held) {
      of(number, dtype)();
      const CsvDataset read(folder / "b.csv", CsvDatasetOptions().target_dtype(dtype));
      BOOST_TEST(read.targets().item<double>() == std::stod(number));
    }
    for (const char* number : not_held) {
      refused<FileError>(of(number, dtype), "must be a number that " + std::string(to_string(dtype)) + " holds");
      refused<FileError>(of(number, dtype), ") takes it");
    }
  }
  of("1e300", kDouble)();
  of("9007199254740993", kInt64)();
  BOOST_TEST(CsvDataset(folder / "b.csv").targets().item<std::int64_t>() == 9007199254740993);
  for (const auto& [number, dtype] : {std::pair{"2.7", kInt64}, {"300", kUInt8}, {"2", kBool}, {"1e300", kFloat}}) {
    refused<FileError>(table(number + std::string(",1\n"), CsvDatasetOptions().dtype(dtype)), "; dtype(k");
  }
  const CsvDatasetOptions twice = CsvDatasetOptions().header(true);
  refused<ValueError>(table("a,a,y\n1,2,3\n", CsvDatasetOptions(twice).columns({"a"})),
                      "the only one of that name: 'a'");
  table("a,a,y\n1,2,3\n", twice)();
  refused<FileError>(table("1.5,2\n", CsvDatasetOptions().dtype(kUInt8)), "field 1 of line 1 of ");
  refused<FileError>(table("1,\"2\n"), "must be closed");
  refused<FileError>(table("1,\"2\"3\n"), "a delimiter must follow");
  // A line's end within quotes is the field's; lines are counted as an editor does.
  refused<FileError>(table("\"a\nb\",y\n1,2\n3,x\n", twice), "field 2 of line 4 of ");
  refused<FileError>(table("\n"), "at least one line");
  refused<ValueError>(table("1,2\n", CsvDatasetOptions().target("2")), "a number from -2 to 1: '2'");
  BOOST_TEST(*CsvDataset(std::string(GRADUS_TEST_DATA) + "/../../examples/data/digits.csv.gz").size() == 1797U);
}

BOOST_AUTO_TEST_CASE(pictures_from_a_folder) {
  const Folder folder;
  std::filesystem::create_directory(folder.path / "dog");
  std::filesystem::create_directory(folder.path / "cat");
  write(folder / "cat/b.ppm", "P6 # a cat\n2 1\n255\n" + std::string("\x00\x33\xFF\x66\x00\x99", 6));
  write(folder / "cat/a.txt", "no picture");
  write(folder / "dog/a.PGM", std::string("P5 1 2 255\n\x33\xFF", 13));
  ImageFolder set(folder / "");
  BOOST_TEST((set.classes() == std::vector<std::string>{"cat", "dog"}));
  BOOST_REQUIRE(*set.size() == 2U);
  const Tensor cat_data = tensor({{{0., .4}}, {{.2, 0.}}, {{1., .6}}});
  BOOST_TEST(allclose(set.get(0).data, cat_data));
  BOOST_TEST(set.get(1).target.item<std::int64_t>() == 1);
  BOOST_TEST((read_image(set.path(1), ImageFolderOptions().channels(1)).sizes() == IntArrayRef{1, 2, 1}));
  BOOST_TEST(allclose(read_image(set.path(1), ImageFolderOptions().channels(1)), tensor({{{.2}, {1.}}})));

  const auto picture = [&](const std::string& content, const ImageFolderOptions& options = {}) {
    return [&, content, options] {
      write(folder / "p", content);
      return read_image(folder / "p", options);
    };
  };
  const std::string small = png(2, 1, std::string("\x00\x33\xFF\x66\x00\x99", 6));
  try {
    BOOST_TEST(allclose(picture(small)(), cat_data));
    refused<FileError>(picture(small.substr(0, 50)), "whole PNG picture");
    refused<FileError>(picture(small, ImageFolderOptions().max_pixels(1)), "at most 1 pixels (max_pixels): 2 x 1");
  } catch (const FileError& error) {
    BOOST_TEST(std::string(error.what()).find("libpng") != std::string::npos, error.what());
  }
  try {
    const Tensor read = picture(jpeg())();
    BOOST_TEST((read.sizes() == IntArrayRef{3, 2, 3}));
    BOOST_TEST(((read * 255 - tensor({200., 40., 80.}).view({3, 1, 1})).abs() < 6).all().item<bool>());
    refused<FileError>(picture(jpeg().substr(0, 200)), "whole JPEG picture");
    refused<FileError>(picture(jpeg().substr(0, jpeg().size() - 6)), "cut off");
  } catch (const FileError& error) {
    BOOST_TEST(std::string(error.what()).find("libjpeg") != std::string::npos, error.what());
  }
  refused<FileError>(picture("P6 2 1 255\nabc"), "6 bytes must follow its header: 3");
  refused<FileError>(picture("P6 99999999 99999999 255\nabc"), "at most");
  refused<FileError>(picture("P6 0 1 255\n"), "its size is 0 x 1");
  refused<FileError>(picture("GIF"), "must be a PNG");
  refused<FileError>([&] { ImageFolder(folder / "dog"); }, "a folder of pictures");
  refused<FileError>([&] { ImageFolder(folder / "none"); }, "cannot read the folder");
}

BOOST_AUTO_TEST_CASE(chunks_come_in_one_order_whoever_reads) {
  for (const std::size_t together : {1, 3}) {
    const std::vector<int> expected = chunks(1, together, 0);
    BOOST_TEST(expected.size() == 2 * 12U);
    BOOST_TEST((std::set<int>(expected.begin(), expected.begin() + 12) ==
                std::set<int>{10, 20, 21, 30, 31, 32, 50, 60, 61, 70, 71, 72}));
    for (const std::size_t preloaders : {2, 5}) BOOST_TEST((chunks(preloaders, together, 0) == expected));
    BOOST_TEST((chunks(3, together, 1) == expected));
  }
  using Set = ChunkDataset<Reader, samplers::SequentialSampler, samplers::SequentialSampler>;
  const auto set = [](int fail_at) {
    return Set(Reader(fail_at), samplers::SequentialSampler(9), samplers::SequentialSampler(1),
               ChunkDatasetOptions(2, 3));
  };
  auto faulty = set(5);
  BOOST_CHECK_THROW(faulty.get_batch(3), ValueError);
  faulty.reset();
  int errors = 0;
  std::size_t examples = 0;
  for (;;) {
    try {
      const auto batch = faulty.get_batch(3);
      if (!batch) break;
      examples += batch->size();
    } catch (const WorkerException& error) {
      ++errors;
      BOOST_TEST(*error.chunk == 5U);
    }
  }
  BOOST_TEST(errors == 1);
  BOOST_TEST(examples == 11U);
  BOOST_CHECK_THROW(faulty.get_batch(4), ValueError);
  {
    auto left = set(-1);
    left.reset();
    left.get_batch();  // and goes with threads at work
  }
  // No more is read than the cache takes, and what each thread holds in its hands.
  auto patient =
      Set(Reader(), samplers::SequentialSampler(9), samplers::SequentialSampler(1), ChunkDatasetOptions(1, 2, 2));
  Reader::reads = 0;
  patient.reset();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  BOOST_TEST(Reader::reads <= 4);  // chunks 0 to 2, and 3
  for (const auto& sizes : {std::array{0, 1, 1, 1}, {1, 0, 1, 1}, {1, 4, 2, 1}, {1, 1, 1, 0}}) {
    BOOST_CHECK_THROW(ChunkDatasetOptions(sizes[0], sizes[1], sizes[2], sizes[3]), ValueError);
  }
}

BOOST_AUTO_TEST_SUITE_END()
