// What the example programs share: reading the data sets.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

#include <gradus/core/base/errors.h>

#include "../../examples/support/digits.h"

namespace {

using namespace examples;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void check_error(const std::function<void()>& action, const std::string& part) {
  try {
    action();
    BOOST_ERROR("no FileError was thrown, which should say: " << part);
  } catch (const gradus::FileError& error) {
    BOOST_CHECK_MESSAGE(holds(error.what(), part), "'" << error.what() << "' lacks '" << part << "'");
  }
}

std::string digit_line(int pixel, int label) {
  std::string line;
  for (int i = 0; i < 64; ++i) line += std::to_string(pixel) + ",";
  return line + std::to_string(label) + "\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(example_support)

BOOST_AUTO_TEST_CASE(digits_are_read) {
  std::string csv;
  for (int i = 0; i < 12; ++i) csv += digit_line(i, i % 10);
  const Images images = parse_digits(csv);
  BOOST_TEST(images.count == 12);
  BOOST_TEST(images.height * images.width == 64);
  BOOST_TEST(images.pixels.size() == 12u * 64);
  BOOST_TEST(images.pixels[11 * 64 + 63] == 11);
  const Dataset set = split_every_fifth(images);
  BOOST_TEST((set.test.labels == std::vector<unsigned char>{4, 9}));
  BOOST_TEST((set.train.labels == std::vector<unsigned char>{0, 1, 2, 3, 5, 6, 7, 8, 0, 1}));
  BOOST_TEST(set.train.count == 10);
  BOOST_TEST(set.test.count == 2);
  BOOST_TEST((set.test.pixels[0] == 4 && set.test.pixels[64] == 9 && set.test.pixels.size() == 128));
  BOOST_TEST(set.train.max_pixel == 16);
  // Lines may end as on Windows, and the last one without an end.
  csv = digit_line(1, 2);
  csv.insert(csv.size() - 1, "\r");
  BOOST_TEST(parse_digits(csv + digit_line(0, 3)).labels[1] == 3);
  csv.pop_back();
  BOOST_TEST(parse_digits(csv).count == 1);
}

BOOST_AUTO_TEST_CASE(what_a_file_says_is_cut_and_escaped) {
  for (const std::string& wrong : {std::string(100'000, '7'), "\x1b[2J" + std::string(100'000, 'n')}) {
    try {
      parse_digits(wrong + "," + digit_line(3, 5).substr(2));
      BOOST_ERROR("not refused");
    } catch (const gradus::FileError& error) {
      const std::string message = error.what();
      BOOST_TEST(message.size() < 300u);
      BOOST_TEST(!holds(message, "\x1b"));
      BOOST_TEST(holds(message, "pixel 1 of line 1"));
    }
  }
}

BOOST_AUTO_TEST_CASE(malformed_digits_are_refused) {
  const std::string good = digit_line(3, 5);
  check_error([] { parse_digits(""); }, "at least one line: the file is empty");
  check_error([&] { parse_digits(good + "1,2,3\n"); }, "line 2 must have 65 numbers, 64 pixels and a label: it has 3");
  check_error([&] { parse_digits(good + "\n" + good); }, "line 2 must have 65 numbers");
  check_error([] { parse_digits(digit_line(17, 5)); }, "pixel 1 of line 1 must be a number from 0 to 16: it is '17'");
  check_error([] { parse_digits(digit_line(-1, 5)); }, "from 0 to 16: it is '-1'");
  check_error([] { parse_digits(digit_line(1, 10)); }, "number 65 of line 1 must be a number from 0 to 9: it is '10'");
  for (const char* wrong : {"", " 3", "3x", "99999999999999999999", "0x1"}) {
    check_error([&] { parse_digits(good + wrong + good.substr(1)); }, std::string("it is '") + wrong + "'");
  }
  // Cut anywhere but at a line's end, or before its last two bytes.
  for (std::size_t size = 0; size + 2 < good.size(); ++size) {
    check_error([&] { parse_digits(good.substr(0, size)); }, "digits: ");
  }
}

BOOST_AUTO_TEST_SUITE_END()
