#include "files.h"

#include <zlib.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace gradus::fuzz {
namespace {

const std::string kNumbers[] = {"0",
                                "1",
                                "2",
                                "3",
                                "7",
                                "8",
                                "255",
                                "4294967295",
                                "4294967296",
                                "9223372036854775807",
                                "9223372036854775808",
                                "18446744073709551615",
                                "18446744073709551616",
                                "-1",
                                "-0",
                                "-9223372036854775808",
                                "1.0",
                                "1e0",
                                "1e999",
                                "-1e999",
                                "1e-999",
                                "00",
                                "0x1",
                                std::string(700, '9'),
                                "0." + std::string(700, '3')};
const std::string kStrings[] = {R"("a")",
                                R"("b")",
                                R"("")",
                                R"("\u0061")",
                                R"("__metadata__")",
                                R"("dtype")",
                                R"("shape")",
                                R"("data_offsets")",
                                R"("F32")",
                                R"("F64")",
                                R"("I32")",
                                R"("U8")",
                                R"("BOOL")",
                                R"("F16")",
                                R"("f32")",
                                R"("\ud83d\ude00")",
                                R"("\ud800")",
                                R"("\u0000\u001b[2J\n")",
                                "\"\xe2\x82\xac\"",
                                "\"\xff\"",
                                "\"\xed\xa0\x80\"",
                                "\"\x1b[2J\"",
                                "\"" + std::string(800, 'n') + "\"",
                                "\"open"};
const std::string kOthers[] = {"{",    "}",     "[",    "]", ",",  ":",   "null",
                               "true", "false", "/**/", " ", "\n", "nan", "[[[[[[[["};

std::string any_token(Random& random) {
  switch (random.below(3)) {
    case 0:
      return random.of(kNumbers);
    case 1:
      return random.of(kStrings);
    default:
      return random.of(kOthers);
  }
}

bool is_number(const std::string& token) { return !token.empty() && token[0] >= '0' && token[0] <= '9'; }
bool is_string(const std::string& token) { return !token.empty() && token[0] == '"'; }

/// One change where the text has joints: most replace a token by one of its kind, so that the text stays JSON.
void change(Tokens& tokens, Random& random) {
  const std::size_t at = random.below(tokens.size());
  std::string& token = tokens[at];
  const auto place = tokens.begin() + static_cast<std::ptrdiff_t>(at);
  switch (random.below(8)) {
    case 0:
      tokens.erase(place);
      break;
    case 1:
      tokens.insert(place, any_token(random));
      break;
    case 2: {
      const std::size_t count = std::min<std::size_t>(1 + random.below(12), tokens.size() - at);
      const Tokens copy(place, place + static_cast<std::ptrdiff_t>(count));
      tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(random.below(tokens.size())), copy.begin(),
                    copy.end());
      break;
    }
    case 3:
      std::swap(token, tokens[random.below(tokens.size())]);
      break;
    case 4:
      token = any_token(random);
      break;
    default:
      if (is_number(token)) {
        token = random.one_in(3) ? random.of(kNumbers) : std::to_string(random.below(40));
      } else if (is_string(token)) {
        token = random.of(kStrings);
      } else if (token == "]") {  // one more element
        tokens.insert(place, {",", random.of(kNumbers)});
      }
  }
  if (tokens.empty()) tokens.emplace_back("{");
}

std::string joined(const Tokens& tokens, Random& random) {
  const bool spaces = random.one_in(4);
  std::string text;
  for (const std::string& token : tokens) {
    if (spaces) text.append(random.below(3), ' ');
    text += token;
  }
  return text;
}

std::string big_endian(std::uint32_t value) {
  std::string text;
  for (int i = 3; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

std::string safetensors(Random& random) {
  struct Type {
    const char* name;
    std::size_t size;
  };
  constexpr Type kTypes[] = {{"\"BOOL\"", 1}, {"\"U8\"", 1},  {"\"I32\"", 4},
                             {"\"I64\"", 8},  {"\"F32\"", 4}, {"\"F64\"", 8}};
  Tokens tokens = {"{"};
  std::size_t end = 0;
  if (random.one_in(3)) tokens.insert(tokens.end(), {"\"__metadata__\"", ":", "{", "\"k\"", ":", "\"v\"", "}"});
  for (std::size_t i = random.below(5); i > 0; --i) {
    if (tokens.size() > 1) tokens.emplace_back(",");
    const Type& type = random.of(kTypes);
    std::size_t size = type.size;
    Tokens shape = {"["};
    for (std::size_t d = random.below(4); d > 0; --d) {
      const std::size_t extent = random.one_in(8) ? 0 : 1 + random.below(3);
      size *= extent;
      if (shape.size() > 1) shape.emplace_back(",");
      shape.push_back(std::to_string(extent));
    }
    shape.emplace_back("]");
    tokens.insert(tokens.end(),
                  {"\"w" + std::to_string(i) + "\"", ":", "{", "\"dtype\"", ":", type.name, ",", "\"shape\"", ":"});
    tokens.insert(tokens.end(), shape.begin(), shape.end());
    tokens.insert(tokens.end(),
                  {",", "\"data_offsets\"", ":", "[", std::to_string(end), ",", std::to_string(end + size), "]", "}"});
    end += size;
  }
  tokens.emplace_back("}");
  if (!random.one_in(4)) {
    for (std::size_t i = 1 + random.below(3); i > 0; --i) change(tokens, random);
  }
  const std::string header = joined(tokens, random);
  std::uint64_t length = header.size();
  if (random.one_in(12)) {
    const std::uint64_t lengths[] = {0,
                                     1,
                                     7,
                                     length - 1,
                                     length + 1,
                                     length + end,
                                     99'999'999,
                                     100'000'001,
                                     UINT64_MAX,
                                     UINT64_MAX - 7,
                                     std::uint64_t{1} << 63};
    length = random.of(lengths);
  }
  return little_endian(length) + header + bytes(end, random.one_in(4) ? 256 : 2, random);
}

std::string packed(const std::string& plain, Random& random);

std::string idx(Random& random) {
  constexpr unsigned char kTypes[] = {0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E, 0x0A, 0x07, 0x0F, 0x00};
  constexpr std::size_t kSizes[] = {1, 1, 2, 4, 4, 8, 1, 1, 1, 1};
  constexpr std::uint32_t kExtents[] = {0, 1, 2, 255, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff};
  const std::size_t type = random.below(random.one_in(6) ? 10 : 6), dims = random.below(random.one_in(8) ? 12 : 4);
  std::string text = {0, 0, static_cast<char>(kTypes[type]), static_cast<char>(dims)};
  std::size_t size = kSizes[type];
  for (std::size_t d = 0; d < dims; ++d) {
    const std::size_t extent = random.one_in(8) ? 0 : 1 + random.below(4);
    size *= extent;
    text += big_endian(random.one_in(12) ? random.of(kExtents) : static_cast<std::uint32_t>(extent));
  }
  text += bytes(std::min<std::size_t>(size, 4096), 256, random);
  return random.one_in(3) ? packed(text, random) : text;
}

/// One member, packed as gzip's own options allow.
std::string packed(const std::string& plain, Random& random) {
  constexpr int kStrategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
  z_stream stream = {};
  if (deflateInit2(&stream, static_cast<int>(random.below(10)), Z_DEFLATED, 16 + 9 + static_cast<int>(random.below(7)),
                   1 + static_cast<int>(random.below(9)), random.of(kStrategies)) != Z_OK) {
    throw std::logic_error("deflateInit2");
  }
  gz_header header = {};
  unsigned char name[] = "name", extra[] = "extra";
  if (random.one_in(3)) {
    header.hcrc = random.one_in(2);
    if (random.one_in(2)) header.name = name;
    if (random.one_in(2)) header.comment = name;
    if (random.one_in(2)) {
      header.extra = extra;
      header.extra_len = sizeof(extra);
    }
    deflateSetHeader(&stream, &header);
  }
  std::string out(deflateBound(&stream, plain.size()) + 64, ' ');
  std::string from = plain;
  stream.next_in = reinterpret_cast<unsigned char*>(from.data());
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::logic_error("deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string gzip(Random& random) {
  std::string text;
  for (std::size_t members = 1 + (random.one_in(3) ? random.below(4) : 0); members > 0; --members) {
    std::string plain = bytes(random.below(300), random.one_in(2) ? 256 : 3, random);
    if (random.one_in(200)) plain.assign(random.one_in(2) ? 2'000'000 : 900'000, 'z');
    text += packed(plain, random);
  }
  if (random.one_in(8)) text += bytes(1 + random.below(20), 256, random);
  return text;
}

std::string digits(Random& random) {
  Tokens tokens;
  for (std::size_t lines = random.below(3) + 1; lines > 0; --lines) {
    for (int i = 0; i < 64; ++i) tokens.insert(tokens.end(), {std::to_string(random.below(17)), ","});
    tokens.push_back(std::to_string(random.below(10)));
    tokens.emplace_back(random.one_in(4) ? "\r\n" : "\n");
  }
  if (!random.one_in(3)) change(tokens, random);
  const std::string text = joined(tokens, random);
  return random.one_in(4) ? packed(text, random) : text;
}

/// What needs no knowledge of a format.
void damage(std::string& text, Random& random) {
  switch (random.below(5)) {
    case 0:
      text.resize(random.below(text.size() + 1));
      break;
    case 1:
      text += bytes(1 + random.below(9), 256, random);
      break;
    case 2: {
      const std::size_t from = random.below(text.size() + 1), to = random.below(text.size() + 1);
      text.insert(to, text.substr(from, random.below(40)));
      break;
    }
    default:
      for (std::size_t hits = 1 + random.below(4); hits > 0 && !text.empty(); --hits) {
        char& byte = text[random.below(text.size())];
        byte =
            static_cast<char>(random.one_in(2) ? byte ^ (1 << random.below(8)) : static_cast<int>(random.below(256)));
      }
  }
}

}  // namespace

std::string bytes(std::size_t count, std::size_t below, Random& random) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(random.below(below));
  return text;
}

std::string little_endian(std::uint64_t value, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

std::string draw_file(Reader reader, Random& random) {
  using Draw = std::string (*)(Random&);
  constexpr Draw kDraws[] = {safetensors, idx, gzip, digits, draw_npy, draw_npz, draw_pickle, draw_torch};
  constexpr Draw kArchives[] = {safetensors, draw_npy, draw_npz, draw_pickle, draw_torch};
  std::string text = (reader == Reader::Archive ? random.of(kArchives) : kDraws[static_cast<int>(reader)])(random);
  if (random.one_in(3)) damage(text, random);
  return text;
}

}  // namespace gradus::fuzz
