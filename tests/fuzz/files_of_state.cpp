// Files of states: .npy, .npz, pickles, .pt.
#include <zlib.h>

#include <algorithm>
#include <stdexcept>

#include "files.h"

namespace gradus::fuzz {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint64_t kNumbers[] = {0,          1,          2,          3,          7,          8,
                                      255,        256,        65535,      0x7fffffff, 0x80000000, 0xffffffff,
                                      1ull << 32, 1ull << 62, ~0ull >> 1, 1ull << 63, ~0ull};

/// The same packed, without a header.
std::string deflated(const std::string& plain) {
  z_stream stream = {};
  if (deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::logic_error("deflate");
  std::string out(deflateBound(&stream, plain.size()) + 16, ' '), from = plain;
  stream.next_in = reinterpret_cast<unsigned char*>(from.data());
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::logic_error("deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Fields of a zip, a few of them wrong.
class ZipFields {
 public:
  ZipFields(Random& random, bool damaged) : random_(random), damaged_(damaged) {}
  std::string operator()(std::uint64_t value, int count) {
    if (damaged_ && random_.one_in(40)) value = random_.one_in(2) ? random_.of(kNumbers) : value + random_.below(9) - 4;
    return little_endian(value, count);
  }

 private:
  Random& random_;
  bool damaged_;
};

std::string zipped(const Entries& entries, Random& random) {
  ZipFields field(random, random.one_in(3));
  const bool large = random.one_in(4);
  std::string file, directory;
  for (const auto& [name, content] : entries) {
    const bool packed = random.one_in(3);
    const std::string body = packed ? deflated(content) : content;
    const std::uint64_t crc = crc32_z(0, reinterpret_cast<const unsigned char*>(content.data()), content.size());
    const std::string common = field(packed ? 8 : 0, 2) + little_endian(0, 4) + field(crc, 4);
    const std::string sizes = large ? little_endian(0xffffffff, 4) + little_endian(0xffffffff, 4)
                                    : field(body.size(), 4) + field(content.size(), 4);
    const std::string extra = large ? little_endian(1, 2) + field(24, 2) + field(content.size(), 8) +
                                          field(body.size(), 8) + field(file.size(), 8)
                              : random.one_in(4) ? "FB" + field(3, 2) + "ZZZ"
                                                 : std::string();
    directory += "PK\1\2" + field(45, 2) + field(45, 2) + field(0, 2) + common + sizes + field(name.size(), 2) +
                 field(extra.size(), 2) + field(0, 2) + little_endian(0, 8) +
                 (large ? little_endian(0xffffffff, 4) : field(file.size(), 4)) + name + extra;
    file += "PK\3\4" + field(45, 2) + field(0, 2) + common + sizes + field(name.size(), 2) + field(extra.size(), 2) +
            name + extra + body;
  }
  const std::uint64_t at = file.size(), count = entries.size();
  file += directory;
  if (large) {
    file += "PK\6\6" + field(44, 8) + field(45, 2) + field(45, 2) + field(0, 8) + field(count, 8) + field(count, 8) +
            field(directory.size(), 8) + field(at, 8) + "PK\6\7" + field(0, 4) + field(at + directory.size(), 8) +
            field(1, 4);
  }
  return file + "PK\5\6" + field(0, 4) + field(large ? 0xffff : count, 2) + field(large ? 0xffff : count, 2) +
         field(large ? 0xffffffff : directory.size(), 4) + field(large ? 0xffffffff : at, 4) + field(0, 2);
}

/// A few changes: pieces dropped, doubled, exchanged, or others put in.
template <class Other>
void change(Tokens& tokens, Random& random, Other other) {
  for (std::size_t i = 1 + random.below(3); i > 0 && !tokens.empty(); --i) {
    const std::size_t at = random.below(tokens.size());
    const auto place = tokens.begin() + static_cast<std::ptrdiff_t>(at);
    switch (random.below(5)) {
      case 0:
        tokens.erase(place);
        break;
      case 1:
        tokens.insert(place, std::string(*place));
        break;
      case 2:
        std::swap(tokens[at], tokens[random.below(tokens.size())]);
        break;
      case 3:
        tokens.insert(place, other());
        break;
      default:
        tokens[at] = other();
    }
  }
}

std::string text(const std::string& value) { return "X" + little_endian(value.size(), 4) + value; }

struct Type {
  const char* name;
  std::size_t size;
};
constexpr Type kStorages[] = {{"BoolStorage", 1}, {"ByteStorage", 1},     {"LongStorage", 8},  {"FloatStorage", 4},
                              {"HalfStorage", 2}, {"BFloat16Storage", 2}, {"DoubleStorage", 8}};

/// A pickle in pieces, and the storages that it speaks of.
class Program {
 public:
  explicit Program(Random& random) : random_(random) {}

  Tokens tokens() {
    add({"\x80\x02"});
    value(0);
    add({"."});
    return std::move(tokens_);
  }
  std::vector<std::string> storages;

 private:
  void add(const Tokens& more) { tokens_.insert(tokens_.end(), more.begin(), more.end()); }
  std::string number(std::uint64_t value) {
    return value < 256 ? "K" + little_endian(value, 1) : "J" + little_endian(value, 4);
  }

  void tensor() {
    const Type& type = random_.of(kStorages);
    std::size_t numel = 1;
    Tokens shape = {"("}, strides = {"("};
    for (std::size_t d = random_.below(3); d > 0; --d) {
      const std::size_t size = random_.below(4);
      shape.push_back(number(size));
      strides.push_back(number(numel));
      numel *= std::max<std::size_t>(size, 1);
    }
    shape.emplace_back("t");
    strides.emplace_back("t");
    const std::size_t key = storages.size();
    if (random_.one_in(4)) numel += random_.below(3);
    storages.push_back(bytes(numel * type.size, random_.one_in(3) ? 256 : 2, random_));
    const bool parameter = random_.one_in(4);
    if (parameter) add({"ctorch._utils\n_rebuild_parameter\n", "("});
    add({"ctorch._utils\n_rebuild_tensor_v2\n", "(", "(", text("storage"), std::string("ctorch\n") + type.name + "\n",
         text(std::to_string(key)), text("cpu"), number(numel), "t", "Q", number(0)});
    add(shape);
    add(strides);
    add({"\x89", "ccollections\nOrderedDict\n", ")", "R", "t", "R"});
    if (parameter) add({"\x88", "ccollections\nOrderedDict\n", ")", "R", "t", "R"});
  }

  void value(int level) {
    switch (random_.below(level > 3 ? 6 : 10)) {
      case 0:
        return add({number(random_.below(70000))});
      case 1:
        return add({"G" + bytes(8, 256, random_)});
      case 2:
        return add({text("abc"), "q\1"});
      case 3:
        return add({random_.one_in(2) ? "N" : "\x88"});
      case 4:
        return add({"\x8a\x08" + bytes(8, 256, random_)});
      case 5:
        return tensor();
      case 6:
        add({"]", "("});
        for (std::size_t i = random_.below(4); i > 0; --i) value(level + 1);
        return add({"e"});
      case 7:
        add({"("});
        for (std::size_t i = random_.below(4); i > 0; --i) value(level + 1);
        return add({"t"});
      case 8:
        add({"c__torch__\nModule\n", ")", "\x81"});
        dict(level);
        return add({"b"});
      default:
        if (random_.one_in(2))
          add({"ccollections\nOrderedDict\n", ")", "R", "("});
        else
          add({"}", "q\2", "("});
        entries(level);
        return add({"u"});
    }
  }
  void dict(int level) {
    add({"}", "("});
    entries(level);
    add({"u"});
  }
  void entries(int level) {
    for (std::size_t i = random_.below(4); i > 0; --i) {
      add({text(std::string(1, static_cast<char>('a' + i)))});
      value(level + 1);
    }
  }

  Random& random_;
  Tokens tokens_;
};

std::string any_opcode(Random& random) {
  static const Tokens kOpcodes = {"N",
                                  "\x88",
                                  "(",
                                  "t",
                                  "]",
                                  "}",
                                  ")",
                                  "e",
                                  "u",
                                  "a",
                                  "s",
                                  "R",
                                  "b",
                                  "\x81",
                                  "Q",
                                  "0",
                                  "1",
                                  "2",
                                  ".",
                                  "\x85",
                                  "\x86",
                                  "\x87",
                                  "h\1",
                                  "h\2",
                                  "q\3",
                                  "h\3",
                                  "\x94",
                                  "l",
                                  "d",
                                  "\x95",
                                  "cos\nsystem\n",
                                  "cposix\nsystem\n",
                                  "c__torch__.a\nB\n",
                                  "ctorch\nSize\n",
                                  "ctorch\ndevice\n",
                                  "ctorch\nfloat32\n",
                                  "\x93",
                                  "ctorch.jit._pickle\nbuild_intlist\n",
                                  "ctorch._utils\n_rebuild_tensor_v2\n",
                                  "ccollections\nCounter\n",
                                  "I1\n",
                                  "r\1\1\1\1",
                                  "j\1\1\1\1",
                                  "\x8c\3abc",
                                  "\x8c\xff",
                                  "\x8b\3\1\1\1",
                                  "U\2ab",
                                  "\x80\x05",
                                  "c\x1b[2J\nx\n"};
  if (random.one_in(3)) return "X" + little_endian(random.of(kNumbers), 4);
  if (random.one_in(3)) return "J" + little_endian(random.of(kNumbers), 4);
  if (random.one_in(4)) return "\x8d" + little_endian(random.of(kNumbers), 8);
  return random.of(kOpcodes);
}

std::string joined(const Tokens& tokens) {
  std::string all;
  for (const std::string& token : tokens) all += token;
  return all;
}

std::string program(Random& random, std::vector<std::string>& storages) {
  Program drawn(random);
  Tokens tokens = drawn.tokens();
  storages = drawn.storages;
  if (random.one_in(2)) change(tokens, random, [&] { return any_opcode(random); });
  return joined(tokens);
}

}  // namespace

std::string draw_pickle(Random& random) {
  std::vector<std::string> storages;
  return program(random, storages);
}

std::string draw_torch(Random& random) {
  std::vector<std::string> storages;
  const std::string pickle = program(random, storages);
  if (random.one_in(5)) {  // of old
    std::string keys = "\x80\x02](", content;
    for (std::size_t i = 0; i < storages.size(); ++i) {
      keys += text(std::to_string(i));
      // The count of elements is that of bytes for some types, and wrong for others.
      content += little_endian(storages[i].size() / (random.one_in(3) ? 4 : 1)) + storages[i];
    }
    return std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.", 21) +
           "\x80\x02}." + pickle + keys + "e." + content;
  }
  Entries entries = {{"a/data.pkl", pickle}};
  if (random.one_in(2)) entries.emplace_back("a/byteorder", random.one_in(3) ? "big" : "little");
  for (std::size_t i = 0; i < storages.size(); ++i) {
    if (!random.one_in(20)) entries.emplace_back("a/data/" + std::to_string(i), storages[i]);
  }
  entries.emplace_back("a/version", "3\n");
  return zipped(entries, random);
}

std::string draw_npy(Random& random) {
  constexpr Type kTypes[] = {{"'|b1'", 1}, {"'|u1'", 1}, {"'<i8'", 8}, {"'<f4'", 4},
                             {"'>i2'", 2}, {"'|V2'", 2}, {"'<f8'", 8}};
  const Type& type = random.of(kTypes);
  std::size_t size = type.size;
  Tokens tokens = {"{",  "'descr'", ": ", type.name, ", ", "'fortran_order'", ": ", random.one_in(2) ? "True" : "False",
                   ", ", "'shape'", ": ", "("};
  for (std::size_t d = random.below(4); d > 0; --d) {
    const std::size_t extent = random.one_in(8) ? 0 : 1 + random.below(3);
    size *= extent;
    tokens.insert(tokens.end(), {std::to_string(extent), ","});
  }
  tokens.insert(tokens.end(), {")", ", ", "}", "\n"});
  if (random.one_in(2)) {
    const Tokens others = {"'<u2'",
                           "'|O'",
                           "'\\x1b[2J'",
                           "-1",
                           "9223372036854775807",
                           "9223372036854775808",
                           "1.5",
                           "None",
                           "[",
                           "]",
                           "(",
                           ")",
                           "'",
                           "{",
                           "'<f2'",
                           "4294967296",
                           "((((((((",
                           "nan",
                           "1e999",
                           "'<f4', 'x'"};
    change(tokens, random, [&] { return std::string(random.of(others)); });
  }
  const std::string header = joined(tokens);
  const bool wide = random.one_in(3);
  std::uint64_t length = header.size();
  if (random.one_in(12)) length = random.of(kNumbers);
  return "\x93NUMPY" +
         std::string(1, static_cast<char>(random.one_in(12) ? random.below(5)
                                          : wide            ? 2
                                                            : 1)) +
         std::string(1, '\0') + little_endian(length, wide ? 4 : 2) + header +
         bytes(size, random.one_in(3) ? 256 : 2, random);
}

std::string draw_npz(Random& random) {
  Entries entries;
  for (std::size_t i = random.below(4); i > 0; --i) {
    const std::string name(1, static_cast<char>('a' + (random.one_in(20) ? 0 : i)));
    entries.emplace_back(name + (random.one_in(20) ? ".np" : ".npy"), draw_npy(random));
  }
  if (random.one_in(30)) entries.emplace_back("z.npy", std::string(100000, 'z'));
  return zipped(entries, random);
}

}  // namespace gradus::fuzz
