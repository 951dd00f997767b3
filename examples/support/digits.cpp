#include "digits.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include <gradus/core/base/errors.h>
#include <gradus/core/base/message.h>

namespace examples {
namespace {

constexpr int kSide = 8, kPixels = kSide * kSide, kMaxPixel = 16, kMaxLabel = 9;
constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw gradus::FileError("digits: " + fmt::format(format, std::forward<Args>(args)...));
}

void parse_line(std::string_view line, std::int64_t number, Images& images) {
  const auto count = std::count(line.begin(), line.end(), ',') + 1;
  if (count != kPixels + 1) {
    fail("line {} must have {} numbers, {} pixels and a label: it has {}", number, kPixels + 1, kPixels, count);
  }
  for (int i = 0; i <= kPixels; ++i) {
    const std::string_view field = line.substr(0, line.find(','));
    line.remove_prefix(std::min(line.size(), field.size() + 1));
    const int most = i < kPixels ? kMaxPixel : kMaxLabel;
    int value = -1;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size() || value < 0 || value > most) {
      fail("{} {} of line {} must be a number from 0 to {}: it is {}", i < kPixels ? "pixel" : "the label, number",
           i + 1, number, most, gradus::core::in_quotes(field));
    }
    (i < kPixels ? images.pixels : images.labels).push_back(static_cast<unsigned char>(value));
  }
}

}  // namespace

Images parse_digits(gradus::core::ByteView csv) {
  const gradus::core::Bytes unpacked = gradus::core::gunzip(csv, kMaxBytes, "digits.csv.gz");
  std::string_view text = gradus::core::ByteView(unpacked).text();
  Images images;
  images.height = images.width = kSide;
  images.max_pixel = kMaxPixel;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    parse_line(line, images.count + 1, images);
    ++images.count;
  }
  if (images.count == 0) fail("there must be at least one line: the file is empty");
  return images;
}

Dataset split_every_fifth(const Images& images) {
  Dataset set;
  const std::int64_t size = images.height * images.width;
  for (Images* part : {&set.train, &set.test}) {
    part->height = images.height;
    part->width = images.width;
    part->max_pixel = images.max_pixel;
  }
  for (std::int64_t i = 0; i < images.count; ++i) {
    Images& part = i % 5 == 4 ? set.test : set.train;
    const auto first = images.pixels.begin() + i * size;
    part.pixels.insert(part.pixels.end(), first, first + size);
    part.labels.push_back(images.labels[static_cast<std::size_t>(i)]);
    ++part.count;
  }
  return set;
}

}  // namespace examples
