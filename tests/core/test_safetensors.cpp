// safetensors: what is written is read, by the format's own rules; every malformed file is refused with a reason.
#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gradus/core/array/create.h>
#include <gradus/core/files/files.h>
#include <gradus/core/memory/memory_limit.h>
#include <gradus/core/base/message.h>
#include <gradus/core/files/safetensors.h>

#include "../support/arrays.h"
#include "../support/folder.h"

using gradus::FileError;
using gradus::ValueError;
using gradus::core::Array;
using gradus::core::Bytes;
using gradus::core::Metadata;
using gradus::core::NamedArray;
using gradus::core::Safetensors;
using gradus::core::SafetensorsEntry;
using gradus::core::write_safetensors;
using gradus::test::check_error;
using gradus::test::counting;
using gradus::test::Folder;
using gradus::test::list;
using gradus::test::values;

namespace {

// A file by hand: length, header, data.
Bytes file(std::uint64_t length, const std::string& header, const std::string& data = "") {
  Bytes bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<unsigned char>(length >> (8 * i)));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}
Bytes file(const std::string& header, const std::string& data = "") { return file(header.size(), header, data); }

// A header of one entry "a".
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

void refused(const Bytes& bytes, const std::vector<std::string>& pieces) {
  check_error<FileError>([&] { Safetensors(bytes, "t"); }, pieces);
}

const SafetensorsEntry& find(const Safetensors& safetensors, const std::string& name) {
  for (const SafetensorsEntry& e : safetensors.entries()) {
    if (e.name == name) return e;
  }
  throw std::out_of_range(name);
}

bool same(const Array& a, const Array& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && values(a) == values(b);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(safetensors)

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const Folder folder;
  const std::string path = folder / "a.safetensors";
  const std::vector<NamedArray> arrays = {
      {"bool", list<std::uint8_t>({1, 0, 1}).to(gradus::kBool)},
      {"bytes", list<std::uint8_t>({0, 7, 255})},
      {"float", counting({2, 3})},
      {"transposed", counting({2, 3}).t()},
      {"every second", counting({9}).slice(0, 0, 9, 2)},
      {"spread", counting({1}).expand({2, 2})},
      {"double", list<double>({0.1, -0.0, std::numeric_limits<double>::infinity(), 5e-324})},
      {"int", list<std::int32_t>({-1, std::numeric_limits<std::int32_t>::min()})},
      {"long", list<std::int64_t>({std::numeric_limits<std::int64_t>::max(), -5})},
      {"scalar", gradus::core::scalar(3.5, gradus::kFloat32)},
      {"empty", gradus::core::zeros({3, 0, 2})},
      {"eight", counting({1, 2, 1, 2, 1, 2, 1, 2})},
      {"d\xc3\xa9j\xc3\xa0 \"vu\"\\\n\x01", counting({1})},
      {"", counting({2})},
  };
  const Metadata metadata = {{"format", "pt"}, {"who", "\xe2\x82\xac"}};
  write_safetensors(path, arrays, metadata);
  const Safetensors read = Safetensors::read(path);
  BOOST_TEST((read.metadata() == metadata));
  BOOST_REQUIRE(read.entries().size() == arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const SafetensorsEntry& e = read.entries()[i];
    BOOST_TEST(e.name == arrays[i].name);
    BOOST_TEST_CONTEXT(e.name) {
      BOOST_TEST(same(e.array(), arrays[i].array));
      BOOST_TEST(same(e.borrow(), arrays[i].array));
      // Aligned in the file: nothing is copied to look at it.
      BOOST_TEST((e.shape == gradus::core::Shape{3, 0, 2} || e.borrow().data() == e.bytes.data()));
      BOOST_TEST((e.bytes.empty() || e.array().data() != e.bytes.data()));
    }
  }
  BOOST_TEST(std::signbit(find(read, "double").array().data_ptr<double>()[1]));
  BOOST_TEST(folder.names() == std::set<std::string>{"a.safetensors"});
  // The same arrays, the same bytes.
  write_safetensors(folder / "b", arrays, metadata);
  BOOST_TEST((gradus::core::read_file(path, 1 << 20) == gradus::core::read_file(folder / "b", 1 << 20)));
  write_safetensors(path, {});
  BOOST_TEST(Safetensors::read(path).entries().empty());
}

BOOST_AUTO_TEST_CASE(the_bytes_are_the_formats) {
  const Folder folder;
  write_safetensors(folder / "a", {{"b", list<std::uint8_t>({9})}, {"w", list<float>({1, -2})}});
  const std::string header =
      R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[8,9]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const Bytes expected = file(padded, std::string("\0\0\x80\x3f\0\0\0\xc0\x09", 9));
  BOOST_TEST(gradus::core::read_file(folder / "a", 1000) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_of_others_are_read) {
  // Names in another order than the data, spaces everywhere, escapes, no alignment.
  const Bytes bytes = file(
      "{ \"b\" : {\"shape\":[ 2 ], \"data_offsets\":[1,9] , \"dtype\":\"F32\"},\n\t\"\\u0061\\ud83d\\ude00\":"
      "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}, \"__metadata__\":{\"k\":\"v\"}, "
      "\"none\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[9,9]} }   ",
      std::string("\x05\0\0\x80\x3f\0\0\0\xc0", 9));
  const Safetensors read(bytes, "t");
  BOOST_TEST(values(find(read, "b").array()) == (std::vector<double>{1, -2}));
  BOOST_TEST(values(find(read, "b").borrow()) == (std::vector<double>{1, -2}));
  BOOST_TEST(values(find(read, "a\xf0\x9f\x98\x80").array()) == std::vector<double>{5});
  BOOST_TEST(find(read, "none").array().numel() == 0);
  BOOST_TEST((read.metadata() == Metadata{{"k", "v"}}));
  const Safetensors moved = Safetensors(bytes, "t");
  BOOST_TEST(values(find(moved, "b").array()) == (std::vector<double>{1, -2}));
  BOOST_TEST(Safetensors(file("{}"), "t").entries().empty());
  BOOST_TEST(Safetensors(file(R"({"__metadata__":{}})"), "t").metadata().empty());
}

BOOST_AUTO_TEST_CASE(the_reference_files_are_read) {
  const Safetensors read = Safetensors::read(std::string(GRADUS_TEST_DATA) + "/frontend.safetensors");
  BOOST_TEST(find(read, "batch/x").shape == (gradus::core::Shape{32, 64}));
  BOOST_TEST((find(read, "batch/t").dtype == gradus::kInt64));
  BOOST_TEST(find(read, "losses/mlp_sgd").array().numel() == 20);
}

BOOST_AUTO_TEST_CASE(wrong_lengths_are_refused) {
  refused({}, {"safetensors: 't' must begin with the length of its header in 8 bytes: it holds 0"});
  refused(Bytes(7), {"it holds 7"});
  refused(Bytes(8), {"the header of 't' must begin with '{'"});
  const auto most =
      std::min<std::uint64_t>(100'000'000, static_cast<std::uint64_t>(gradus::core::memory_limit().bytes) / 200);
  const std::string at_most = "must take at most " + std::to_string(most) + " bytes: ";
  refused(file(std::uint64_t{1} << 32, "{}  "), {at_most + "4294967296 are claimed"});
  BOOST_TEST(file(std::uint64_t{1} << 32, "{}  ").size() == 12u);
  refused(file(most + 1, "{}"), {at_most + std::to_string(most + 1) + " are claimed"});
  refused(file(most, "{}"),
          {"must hold its header of " + std::to_string(most) + " bytes: 2 follow its length, so it is cut off"});
  refused(file(std::numeric_limits<std::uint64_t>::max(), "{}"), {"18446744073709551615 are claimed"});
  refused(file(std::numeric_limits<std::uint64_t>::max() - 7, "{}"), {"18446744073709551608 are claimed"});
  refused(file(3, "{}"), {"must hold its header of 3 bytes: 2 follow"});
}

BOOST_AUTO_TEST_CASE(headers_that_are_no_json_object_are_refused) {
  refused(file("[]"), {"the header of 't' must begin with '{'"});
  refused(file(" {}"), {"must begin with '{'"});
  refused(file("\xef\xbb\xbf{}"), {"must begin with '{'"});
  refused(file("{"), {"must be JSON in UTF-8:", "at byte"});
  refused(file("{}}"), {"must be JSON in UTF-8:"});
  refused(file("{} x"), {"must be JSON in UTF-8:"});
  refused(file("{/* */}"), {"must be JSON in UTF-8:"});
  refused(file("{'a':1}"), {"must be JSON in UTF-8:"});
  refused(file(std::string("{}\0", 3)), {"must be JSON in UTF-8: there is a zero at byte 2"});
  refused(file(std::string("{}\0x", 4)), {"there is a zero at byte 2"});
  refused(file(R"({"a)"), {"must be JSON in UTF-8:"});
  refused(file("{\"a\n\":1}"), {"must be JSON in UTF-8:"});
  refused(file(R"({"\ud800":1})"), {"must be JSON in UTF-8:"});
  for (const char* bytes : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    refused(file(std::string("{\"") + bytes + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
            {"must be JSON in UTF-8:", "ill-formed UTF-8 byte"});
  }
  // Nesting without end is refused where it begins.
  refused(file(R"({"a":)" + std::string(1'000'000, '[')), {"an array stands in 'a'"});
  std::string objects = "{";
  for (int i = 0; i < 1000; ++i) objects += R"("a":{)";
  refused(file(objects), {"must have dtype, shape and data_offsets: it has 'a'"});
  // What a message quotes is of bounded length.
  try {
    Safetensors(file(R"({")" + std::string(1'000'000, 'n') + R"(":1})"), "t");
    BOOST_ERROR("not refused");
  } catch (const FileError& error) {
    BOOST_TEST(std::strlen(error.what()) < 400u);
  }
}

// Whatever a file says, a message repeats a bounded piece of it, and nothing that a terminal would obey.
BOOST_AUTO_TEST_CASE(messages_quote_little_and_harmlessly) {
  const std::string digits(300'000, '7'), name = R"(\u001b[2J\n\u0085\u202e\u2028\\)" + std::string(300'000, 'n');
  const std::string zero = R"("dtype":"U8","shape":[0],"data_offsets":[0,0])";
  const auto entry_of = [](const std::string& key, const std::string& fields) {
    return "{\"" + key + "\":{" + fields + "}}";
  };
  std::vector<std::string> headers;
  for (const std::string& number : {digits, "-" + digits, "1." + digits, "0." + digits + "e9", "1e" + digits,
                                    "-1e" + digits, std::string("1e999")}) {
    headers.push_back(entry("U8", "[" + number + "]", "[0,0]"));
    headers.push_back(entry("U8", "[0]", "[0," + number + "]"));
    headers.push_back(R"({"a":)" + number + "}");
    headers.push_back(R"({"__metadata__":{"k":)" + number + "}}");
    headers.push_back(R"({"a":{"dtype":)" + number + "}}");
    headers.push_back("{" + number + ":1}");
    headers.push_back(R"({"a":1 )" + number + "}");
  }
  headers.push_back(entry_of(name, R"("shape":[0])"));
  headers.push_back(entry_of(name, zero + R"(,"more":1)"));
  headers.push_back(entry_of("a", zero + ",\"" + name + "\":1"));
  headers.push_back(entry_of(name, R"("dtype":"U8","shape":[0,0,0,0,0,0,0,0,0],"data_offsets":[0,0])"));
  headers.push_back(entry_of(name, R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0])"));
  headers.push_back(entry_of(name, R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0])"));
  headers.push_back(entry_of(name, R"("dtype":"U8","shape":[1],"data_offsets":[0,1])"));
  headers.push_back(entry_of(name, R"("dtype":"U8","shape":[1],"data_offsets":[0,0])"));
  headers.push_back(entry_of(name, R"("dtype":"U8","shape":[0],"data_offsets":[0])"));
  headers.push_back(entry_of(name, R"("dtype":"U8","shape":[0],"data_offsets":[0,0,0])"));
  headers.push_back("{\"" + name + "\":1}");
  headers.push_back("{\"" + name + "\":{" + zero + "},\"" + name + "\":{" + zero + "}}");
  headers.push_back(R"({"__metadata__":{")" + name + "\":\"\",\"" + name + R"(":""}})");
  headers.push_back(R"({"__metadata__":{")" + name + R"(":1}})");
  headers.push_back(entry(name, "[0]", "[0,0]"));
  headers.push_back("{\"" + name);
  headers.push_back("{" + name + "}");
  headers.push_back("{\"a\":" + name + "}");
  headers.push_back("{\"a\":\x1b[2J}");
  headers.push_back("{\"a\":\"\x1b[2J\"}");
  headers.push_back("{\"\xff" + name + "\":1}");
  for (const std::string& header : headers) {
    try {
      Safetensors(file(header), "t");
      BOOST_ERROR("not refused: " + header.substr(0, 100));
    } catch (const FileError& error) {
      const std::string message = error.what();
      BOOST_TEST(message.size() < 500u, message.substr(0, 500));
      BOOST_TEST(message.find("json.exception") == std::string::npos, message);
      BOOST_TEST(message.find("number overflow") == std::string::npos, message);
      for (const char* wrong : {"\x1b", "\n", "\xc2\x85", "\xe2\x80\xae", "\xe2\x80\xa8"}) {
        BOOST_TEST(message.find(wrong) == std::string::npos, header.substr(0, 60));
      }
    }
  }
  refused(file(entry("U8", "[1e999]", "[0,0]")), {"the number '1e999' stands in 'shape'"});
  refused(file(R"({"a":)" + digits + "}"), {"the number '" + digits.substr(0, 100) + "...' stands in 'a'"});
}

BOOST_AUTO_TEST_CASE(text_of_others_is_quoted) {
  using gradus::core::in_quotes;
  BOOST_TEST(in_quotes("") == "''");
  BOOST_TEST(in_quotes("d\xc3\xa9j\xc3\xa0 \xe2\x82\xac \xf0\x9f\x98\x80") ==
             "'d\xc3\xa9j\xc3\xa0 \xe2\x82\xac \xf0\x9f\x98\x80'");
  BOOST_TEST(in_quotes("it's \\n") == R"('it\'s \\n')");
  BOOST_TEST(in_quotes(std::string_view("\0\n\x1b\x7f", 4)) == R"('\u0000\u000a\u001b\u007f')");
  BOOST_TEST(in_quotes("\xc2\x9b \xe2\x80\xae \xef\xbb\xbf") == R"('\u009b \u202e \ufeff')");
  // Alone, overlong, a surrogate, too large, cut off.
  BOOST_TEST(in_quotes("\x80 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82") ==
             R"('\x80 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82')");
  BOOST_TEST(in_quotes(std::string(100, 'n')) == "'" + std::string(100, 'n') + "'");
  BOOST_TEST(in_quotes(std::string(101, 'n')) == "'" + std::string(100, 'n') + "...'");
  // Never in the middle of a character, nor of an escape.
  BOOST_TEST(in_quotes(std::string(99, 'n') + "\xc3\xa9") == "'" + std::string(99, 'n') + "...'");
  BOOST_TEST(in_quotes(std::string(97, 'n') + "\x1b") == "'" + std::string(97, 'n') + "...'");
}

// Neither a device nor a pipe without end is read when its start is wrong.
BOOST_AUTO_TEST_CASE(what_cannot_be_a_file_is_refused_at_its_start) {
  check_error<FileError>([] { Safetensors::read("/dev/zero"); }, {"the header of '/dev/zero' must begin with '{'"});
  const Folder folder;
  const std::string path = folder / "pipe";
  BOOST_REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  std::thread feeder([&] { std::ofstream(path, std::ios::binary) << std::string(200, 'x'); });
  check_error<FileError>([&] { Safetensors::read(path); }, {"8680820740569200760 are claimed"});
  feeder.join();
}

BOOST_AUTO_TEST_CASE(entries_of_the_wrong_form_are_refused) {
  for (const char* value : {"1", "-1", "1.5", "null", "true", "\"x\"", "[]", "[1]"}) {
    refused(file(std::string(R"({"a":)") + value + "}"),
            {"the header of 't' must map names to dtype, shape and data_offsets:", "'a'"});
  }
  refused(file(R"({"a":{}})"), {"'a' of 't' must have dtype, shape and data_offsets: dtype is missing"});
  refused(file(R"({"a":{"dtype":"U8","shape":[0]}})"), {"data_offsets is missing"});
  refused(file(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})"), {"shape is missing"});
  refused(file(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":1}})"), {"it has 'more'"});
  refused(file(R"({"a":{"dtype":7,"shape":[0],"data_offsets":[0,0]}})"), {"a number stands in 'dtype'"});
  refused(file(R"({"a":{"dtype":"U8","shape":0,"data_offsets":[0,0]}})"), {"a number stands in 'shape'"});
  refused(file(R"({"a":{"dtype":"U8","shape":{},"data_offsets":[0,0]}})"), {"an object stands in 'shape'"});
  refused(file(R"({"a":{"dtype":["U8"],"shape":[0],"data_offsets":[0,0]}})"), {"an array stands in 'dtype'"});
  for (const char* number : {"-1", "-0", "1.0", "1e0", "\"1\"", "null", "true", "[1]", "{}", "18446744073709551616"}) {
    refused(file(entry("U8", std::string("[") + number + "]", "[0,1]"), "x"), {"stands in 'shape'"});
    refused(file(entry("U8", "[1]", std::string("[0,") + number + "]"), "x"), {"stands in 'data_offsets'"});
  }
  refused(file(entry("U8", "[0]", "[]")), {"the data_offsets of 'a' of 't' must be two numbers: there are 0"});
  refused(file(entry("U8", "[0]", "[0]")), {"there are 1"});
  refused(file(entry("U8", "[0]", "[0,0,0]")), {"there are more"});
  refused(file(R"({"__metadata__":{"k":1}})"), {"a number stands in 'k'"});
  refused(file(R"({"__metadata__":{"k":{}}})"), {"an object stands in 'k'"});
  refused(file(R"({"__metadata__":"k"})"), {"a string stands in '__metadata__'"});
}

BOOST_AUTO_TEST_CASE(what_comes_twice_is_refused) {
  const std::string one = R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  refused(file("{" + one + "," + one + "}"), {"must name each thing once: 'a' comes twice"});
  // The same name, spelt differently.
  refused(file("{" + one + R"(,"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), {"'a' comes twice"});
  refused(file(R"({"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), {"'dtype' comes twice"});
  refused(file(R"({"__metadata__":{"k":"1","k":"1"}})"), {"'k' comes twice"});
  refused(file(R"({"__metadata__":{},"__metadata__":{}})"), {"'__metadata__' comes twice"});
}

BOOST_AUTO_TEST_CASE(wrong_dtypes_shapes_and_spans_are_refused) {
  for (const char* dtype : {"U16", "C64", "U64", "F8_E4M3", "f32", "", "float32"}) {
    refused(file(entry(dtype, "[0]", "[0,0]")),
            {"the dtype of 'a' of 't' must be one of BOOL, U8, I8, I16, I32, I64, F16, BF16, F32, F64: it is '" +
             std::string(dtype)});
  }
  refused(file(entry("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), "x"), {"'a' of 't' must have at most 8 dimensions"});
  refused(file(entry("U8", "[9223372036854775808]", "[0,1]"), "x"), {"must be below 2^63: 9223372036854775808"});
  refused(file(entry("F64", "[4611686018427387904,2]", "[0,8]"), "12345678"),
          {"must have a product below 2^63 bytes: [4611686018427387904, 2] of F64"});
  refused(file(entry("U8", "[4294967296,4294967296]", "[0,0]")), {"must have a product below 2^63 bytes"});
  refused(file(entry("U8", "[4294967296,4294967296,0]", "[0,0]")), {"must have a product below 2^63 bytes"});
  refused(file(entry("U8", "[0,4294967296,4294967296]", "[0,0]")), {"must have a product below 2^63 bytes"});
  refused(file(entry("F32", "[2]", "[0,7]"), "1234567"),
          {"'a' of 't' must take the 8 bytes of its shape [2] and dtype F32: it takes 7, [0, 7]"});
  refused(file(entry("F32", "[]", "[0,8]"), "12345678"), {"the 4 bytes of its shape [] and dtype F32: it takes 8"});
  refused(file(entry("F32", "[0]", "[0,4]"), "1234"), {"the 0 bytes of its shape [0]"});
  refused(file(entry("U8", "[4]", "[0,4]"), "123"),
          {"the data_offsets of 'a' of 't' must lie within its 3 bytes of data: [0, 4]"});
  refused(file(entry("U8", "[4]", "[4,0]"), "1234"), {"must lie within its 4 bytes of data: [4, 0]"});
  refused(file(entry("U8", "[1]", "[18446744073709551615,18446744073709551615]"), "1"),
          {"must lie within its 1 bytes"});
  refused(file(entry("BOOL", "[2]", "[0,2]"), std::string("\x01\x02")),
          {"'a' of 't' must hold 0 and 1 only: it holds 2"});
}

BOOST_AUTO_TEST_CASE(overlaps_holes_and_trailing_bytes_are_refused) {
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + a +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + b + "}}";
  };
  BOOST_TEST(Safetensors(file(two("[2,4]", "[0,2]"), "1234"), "t").entries().size() == 2u);
  refused(file(two("[0,2]", "[1,3]"), "123"),
          {"must lie one behind the other: 'b' begins at 1, within another that ends at 2"});
  refused(file(two("[0,2]", "[0,2]"), "12"), {"within another"});
  refused(file(two("[0,2]", "[3,5]"), "12345"), {"'b' begins at 3, after a hole from 2"});
  refused(file(two("[1,3]", "[3,5]"), "12345"), {"'a' begins at 1, after a hole from 0"});
  refused(file(two("[0,2]", "[2,4]"), "12345"),
          {"must end where the file does: 1 of its 5 bytes of data belong to none"});
  refused(file("{}", "1"), {"1 of its 1 bytes of data belong to none"});
  // An empty array inside another.
  refused(
      file(
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"e":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})",
          "12"),
      {"'e' begins at 1, within another"});
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_longer_file_is_refused) {
  const Folder folder;
  write_safetensors(folder / "a",
                    {{"w", counting({3, 2})}, {"n", list<std::int64_t>({1})}, {"b", list<std::uint8_t>({1})}});
  const Bytes whole = gradus::core::read_file(folder / "a", 1 << 20);
  BOOST_TEST(Safetensors(whole, "t").entries().size() == 3u);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), {"safetensors: ", "'t'"});
  }
  Bytes longer = whole;
  longer.push_back(0);
  refused(longer, {"belong to none"});
}

BOOST_AUTO_TEST_CASE(random_damage_is_refused_or_harmless) {
  const Folder folder;
  write_safetensors(folder / "a", {{"w", counting({3, 2})}, {"n", list<std::int64_t>({1, 2})}}, {{"k", "v"}});
  const Bytes whole = gradus::core::read_file(folder / "a", 1 << 20);
  std::mt19937 random(1);
  int refusals = 0, reads = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes wrong = whole;
    for (auto hits = 1 + random() % 3; hits > 0; --hits) {
      // Characters that headers are made of, so that many stay JSON.
      constexpr char kLikely[] = "0123456789[]{},:\" aeU8F32\x80";
      wrong[random() % wrong.size()] = static_cast<unsigned char>(kLikely[random() % (sizeof(kLikely) - 1)]);
    }
    try {
      const Safetensors read(wrong, "t");
      std::size_t bytes = 0;
      for (const SafetensorsEntry& e : read.entries()) {
        bytes += e.bytes.size();
        BOOST_TEST(e.array().numel() * gradus::size_of(e.dtype) == static_cast<std::int64_t>(e.bytes.size()));
      }
      BOOST_TEST(bytes == 24u + 16u);
      ++reads;
    } catch (const FileError&) {
      ++refusals;
    }
  }
  BOOST_TEST(refusals > 1000);
  BOOST_TEST(reads > 1000);
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read_are_errors) {
  const Folder folder;
  check_error<FileError>([&] { Safetensors::read(folder / "absent"); }, {"absent'", "No such file"});
  check_error<FileError>([&] { Safetensors::read(folder.path.string()); }, {folder.path.string()});
  // A file of 8 TiB, all hole: refused by its size, not read.
  gradus::core::write_file_atomically(folder / "huge", {"x"});
  std::filesystem::resize_file(folder / "huge", std::uintmax_t{1} << 43);
  check_error<FileError>([&] { Safetensors::read(folder / "huge"); }, {"must hold at most", "it holds 8796093022208"});
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_an_error_and_leaves_the_old_file) {
  const Folder folder;
  const std::string path = folder / "a";
  write_safetensors(path, {{"w", counting({2})}});
  const Bytes before = gradus::core::read_file(path, 1000);
  check_error<ValueError>(
      [&] {
        write_safetensors(path, {{"w", counting({2})}, {"w", counting({2})}});
      },
      {"each name must come once: 'w'"});
  check_error<ValueError>(
      [&] {
        write_safetensors(path, {{"__metadata__", counting({2})}});
      },
      {"must not be named '__metadata__'"});
  check_error<ValueError>([&] { write_safetensors(path, {{"w", Array()}}); }, {"'w' must be defined"});
  check_error<ValueError>([&] { write_safetensors(path, {{"\xff", counting({2})}}); }, {"must be UTF-8"});
  check_error<ValueError>([&] { write_safetensors(path, {}, {{"k", "\xff"}}); }, {"must be UTF-8"});
  check_error<FileError>([&] { write_safetensors(folder / "no/where", {}); }, {"no/where"});
  check_error<FileError>([&] { write_safetensors("", {}); }, {"a path must name a file"});
  BOOST_TEST((gradus::core::read_file(path, 1000) == before));
  BOOST_TEST(folder.names() == std::set<std::string>{"a"});
  write_safetensors(path, {{"w", counting({3})}});
  BOOST_TEST(Safetensors::read(path).entries()[0].array().numel() == 3);
}

BOOST_AUTO_TEST_CASE(a_file_may_be_saved_over_while_it_is_read) {
  const Folder folder;
  const std::string path = folder / "a";
  write_safetensors(path, {{"w", counting({2, 2})}});
  const Safetensors old = Safetensors::read(path);
  write_safetensors(path, {{"w", old.entries()[0].borrow().t()}});
  BOOST_TEST(values(old.entries()[0].array()) == (std::vector<double>{0, 1, 2, 3}));
  BOOST_TEST(values(Safetensors::read(path).entries()[0].array()) == (std::vector<double>{0, 2, 1, 3}));
}

BOOST_AUTO_TEST_SUITE_END()
