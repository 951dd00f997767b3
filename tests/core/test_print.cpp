// Printing as Python's PyTorch prints: reference/printing.txt holds what it said.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include <gradus/core/array/array.h>
#include <gradus/core/array/create.h>
#include <gradus/core/array/format.h>
#include <gradus/core/array/print.h>

#include "../support/arrays.h"

using namespace gradus;
using namespace gradus::core;
using gradus::test::counting;
using gradus::test::list;

namespace {

std::string read(const std::string& name) {
  std::ifstream file(std::string(GRADUS_TEST_DATA) + "/" + name, std::ios::binary);
  BOOST_REQUIRE_MESSAGE(file, "cannot read " << name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The arrays of a safetensors file, which is known to be sound.
std::map<std::string, Array> arrays_of(const std::string& name) {
  const std::string file = read(name);
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof(header));
  const std::map<std::string, DType> dtypes{{"BOOL", kBool}, {"U8", kUInt8},    {"I32", kInt32},
                                            {"I64", kInt64}, {"F32", kFloat32}, {"F64", kFloat64}};
  std::map<std::string, Array> arrays;
  const nlohmann::json entries = nlohmann::json::parse(file.substr(8, header));
  for (const auto& [key, entry] : entries.items()) {
    if (key == "__metadata__") continue;
    const char* const data = file.data() + 8 + header + entry["data_offsets"][0].get<std::size_t>();
    arrays[key] = from_data(data, entry["shape"].get<std::vector<std::int64_t>>(), dtypes.at(entry["dtype"]));
  }
  return arrays;
}

struct Block {
  std::string key, flag, text;
};

std::vector<Block> blocks_of(const std::string& name) {
  std::vector<Block> blocks;
  std::istringstream file(read(name));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("== ")) {
      std::istringstream words(line.substr(3));
      blocks.emplace_back();
      words >> blocks.back().key >> blocks.back().flag;
    } else {
      std::string& text = blocks.back().text;
      if (!text.empty()) text += '\n';
      text += line;
    }
  }
  return blocks;
}

// What the flag says was done to the array, and what stands behind the numbers then.
std::pair<Array, std::string> after(const Array& x, const std::string& flag) {
  if (flag.empty()) return {x, ""};
  if (flag == "requires_grad") return {x, ", requires_grad=True"};
  if (flag == "mul") return {x, ", grad_fn=<MulBackward0>"};
  if (flag == "add") return {x, ", grad_fn=<AddBackward0>"};
  if (flag == "t") return {x.t(), ", grad_fn=<TBackward0>"};
  BOOST_REQUIRE_EQUAL(flag, "sum");
  double sum = 0;
  for (double value : test::values(x)) sum += value;
  return {scalar(sum, x.dtype()), ", grad_fn=<SumBackward0>"};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(print)

BOOST_AUTO_TEST_CASE(as_pytorch_prints) {
  const std::map<std::string, Array> arrays = arrays_of("printing.safetensors");
  const std::vector<Block> blocks = blocks_of("printing.txt");
  BOOST_REQUIRE(blocks.size() > 40U);
  for (const Block& block : blocks) {
    const auto [x, suffix] = after(arrays.at(block.key), block.flag);
    BOOST_TEST(to_string(x, suffix) == block.text, block.key << ":\n"
                                                             << to_string(x, suffix) << "\nPyTorch:\n"
                                                             << block.text);
  }
}

BOOST_AUTO_TEST_CASE(strides_do_not_show) {
  const Array x = counting({40, 30});
  BOOST_TEST(to_string(x.t()) == to_string(x.t().clone()));
  BOOST_TEST(to_string(x.slice(1, 3, 30, 7)) == to_string(x.slice(1, 3, 30, 7).clone()));
  BOOST_TEST(to_string(counting({2}).expand({3, 2})) == "tensor([[0., 1.],\n        [0., 1.],\n        [0., 1.]])");
}

BOOST_AUTO_TEST_CASE(an_nan_has_no_sign) {
  BOOST_TEST(to_string(list<float>({-std::nanf(""), 1.0F})) == "tensor([nan, 1.])");
  BOOST_TEST(to_string(scalar(-std::nan(""), kFloat64)) == "tensor(nan, dtype=torch.float64)");
}

BOOST_AUTO_TEST_CASE(suffixes) {
  BOOST_TEST(to_string(scalar(1, kFloat32), "requires_grad=True") == "tensor(1., requires_grad=True)");
  // Where PyTorch begins a new line, which is two characters before it must.
  BOOST_TEST(to_string(ones({12}), ", requires_grad=True") ==
             "tensor([1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.], requires_grad=True)");
  BOOST_TEST(to_string(ones({13}), ", requires_grad=True") ==
             "tensor([1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.],\n       requires_grad=True)");
  BOOST_TEST(to_string(Array()) == "tensor(undefined)");
}

BOOST_AUTO_TEST_CASE(fmt_prints_arrays) {
  BOOST_TEST(fmt::format("x = {}", counting({2})) == "x = tensor([0., 1.])");
  BOOST_TEST(fmt::format("{:>13}", scalar(1, kInt64)) == "    tensor(1)");
}

BOOST_AUTO_TEST_SUITE_END()
