#include "npy.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_set>

#include "../array/create.h"
#include "../base/fail.h"
#include "../base/message.h"
#include "values.h"

namespace gradus::core {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY", kEnding = ".npy";
constexpr std::size_t kAligned = 64;
constexpr bool kLittle = std::endian::native == std::endian::little;

constexpr std::pair<std::string_view, DType> kDTypes[] = {
    {"b1", kBool},  {"u1", kUInt8},   {"i1", kInt8},     {"i2", kInt16},   {"i4", kInt32},
    {"i8", kInt64}, {"f2", kFloat16}, {"V2", kBFloat16}, {"f4", kFloat32}, {"f8", kFloat64}};

std::string descr_of(DType dtype) {
  for (const auto& [text, known] : kDTypes) {
    if (known != dtype) continue;
    return (size_of(dtype) == 1 || dtype == kBFloat16 ? "|" : kLittle ? "<" : ">") + std::string(text);
  }
  return {};
}

// The dtype, and whether its elements are to be turned.
std::pair<DType, bool> dtype_of_descr(const Value& descr, const std::string& file) {
  const std::string& text = descr.text;
  const char order = text.empty() ? ' ' : text[0];
  if (descr.kind == Value::Kind::Text && (order == '<' || order == '>' || order == '|' || order == '=')) {
    for (const auto& [code, dtype] : kDTypes) {
      if (text.compare(1, std::string::npos, code) == 0) return {dtype, order == (kLittle ? '>' : '<') && code != "V2"};
    }
  }
  const std::string_view code = std::string_view(text).substr(std::min<std::size_t>(1, text.size()));
  fail<FileError>("npy: the dtype of '{}' must be one of b1, u1, i1, i2, i4, i8, f2, f4, f8: it is {}{}", file,
                  descr.kind == Value::Kind::Text ? in_quotes(text) : "a structure",
                  code == "u2"   ? "; astype(np.int32) holds it"
                  : code == "u4" ? "; astype(np.int64) holds it"
                  : code == "O"  ? "; objects would have to be executed"
                                 : "; astype() converts it");
}

Shape shape_of(const Values& header, const Value& shape, const std::string& file) {
  if (shape.kind != Value::Kind::Tuple) fail<FileError>("npy: the shape of '{}' must be a tuple", file);
  if (shape.items.size() > kMaxDims) {
    fail<FileError>("npy: '{}' must have at most {} dimensions: it has {}", file, kMaxDims, shape.items.size());
  }
  Shape sizes;
  for (const Value::Node node : shape.items) {
    if (header[node].kind != Value::Kind::Int || header[node].integer < 0)
      fail<FileError>("npy: the sizes of '{}' must be integers of 0 or more", file);
    sizes.push_back(header[node].integer);
  }
  return sizes;
}

// Zeros count as ones while the bytes are computed: strides are products too.
std::uint64_t bytes_of(const Shape& shape, DType dtype, const std::string& file) {
  std::int64_t bytes = size_of(dtype);
  for (const std::int64_t size : shape) {
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes))
      fail<FileError>("npy: the sizes of '{}' must have a product below 2^63 bytes: {} of {}", file, shape, dtype);
  }
  return numel_of(shape) == 0 ? 0 : static_cast<std::uint64_t>(bytes);
}

// The header's text, and what follows it.
std::pair<std::string_view, ByteView> parts(ByteView file, const std::string& name) {
  if (file.size() < 10 || !is_npy(file))
    fail<FileError>("npy: '{}' must begin with \\x93NUMPY and the length of its header", name);
  const unsigned version = file[6];
  if (version < 1 || version > 3) {
    fail<FileError>("npy: the version of '{}' must be 1, 2 or 3: it is {}.{}", name, version,
                    static_cast<unsigned>(file[7]));
  }
  const std::size_t start = version == 1 ? 10 : 12;
  std::uint64_t length = 0;
  for (std::size_t i = std::min(start, file.size()); i-- > 8;) length = length << 8 | file[i];
  if (file.size() < start || length > file.size() - start) {
    fail<FileError>("npy: '{}' must hold its header of {} bytes: it holds {} in all, so it is cut off", name, length,
                    file.size());
  }
  constexpr std::uint64_t kMostHeader = 1 << 16;  // ten thousand is NumPy's own limit
  if (length > kMostHeader)
    fail<FileError>("npy: the header of '{}' must take at most {} bytes: it takes {}", name, kMostHeader, length);
  const std::size_t begin = start + static_cast<std::size_t>(length);
  return {file.text().substr(start, static_cast<std::size_t>(length)), {file.data() + begin, file.size() - begin}};
}

Bytes npy_header(const Array& array) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': (", descr_of(array.dtype()));
  for (const std::int64_t size : array.shape()) text += fmt::format("{}, ", size);
  if (array.dim() > 1) text.resize(text.size() - 2);
  if (array.dim() == 1) text.resize(text.size() - 1);
  text += "), }";
  // NumPy leaves room for the first size to grow.
  const std::size_t total = (10 + text.size() + 1 + kAligned - 1) / kAligned * kAligned;
  text.resize(total - 10 - 1, ' ');
  text += '\n';
  std::string file(kMagic);
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, text.size() & 0xff, text.size() >> 8})
    file += static_cast<char>(byte);
  file += text;
  return {file.begin(), file.end()};
}

}  // namespace

bool is_npy(ByteView file) noexcept { return file.text().substr(0, kMagic.size()) == kMagic; }

Array parse_npy(ByteView file, const std::string& name) {
  const auto [text, data] = parts(file, name);
  const Values header = parse_literal(text, "npy", name);
  const Value& dict = header[header.root];
  const Value *descr = header.find(dict, "descr"), *fortran = header.find(dict, "fortran_order"),
              *shape = header.find(dict, "shape");
  if (dict.kind != Value::Kind::Dict || descr == nullptr || fortran == nullptr || shape == nullptr ||
      fortran->kind != Value::Kind::Bool) {
    fail<FileError>("npy: the header of '{}' must be a dictionary of descr, fortran_order and shape: {}", name,
                    in_quotes(text));
  }
  const auto [dtype, turned] = dtype_of_descr(*descr, name);
  Shape sizes = shape_of(header, *shape, name);
  if (const std::uint64_t bytes = bytes_of(sizes, dtype, name); bytes != data.size()) {
    fail<FileError>("npy: '{}' must hold the {} bytes of its shape {} and dtype {}: {} follow its header, {}", name,
                    bytes, sizes, dtype, data.size(), data.size() < bytes ? "so it is cut off" : "too many");
  }
  if (dtype == kBool) {
    const auto wrong = std::find_if(data.begin(), data.end(), [](unsigned char byte) { return byte > 1; });
    if (wrong != data.end()) fail<FileError>("npy: '{}' must hold 0 and 1 only: it holds {}", name, *wrong);
  }
  Shape stored;
  for (int d = 0; d < sizes.size(); ++d) stored.push_back(sizes[fortran->flag ? sizes.size() - 1 - d : d]);
  Array array = empty(stored, dtype);
  if (!data.empty()) std::memcpy(array.data(), data.data(), data.size());
  if (turned) {
    auto* at = static_cast<unsigned char*>(array.data());
    for (unsigned char* const end = at + data.size(); at != end; at += size_of(dtype))
      std::reverse(at, at + size_of(dtype));
  }
  if (!fortran->flag) return array;
  std::vector<std::int64_t> order;
  for (int d = array.dim(); d-- > 0;) order.push_back(d);
  return array.permute(order);
}

std::vector<NamedArray> parse_npz(ByteView file, const std::string& name) {
  Zip zip(file, name);
  std::vector<NamedArray> arrays;
  for (const ZipEntry& entry : zip.entries()) {
    if (entry.name.size() < kEnding.size() || !entry.name.ends_with(kEnding)) {
      fail<FileError>("npz: '{}' must hold .npy files alone: it holds {}", name, in_quotes(entry.name));
    }
    Bytes unpacked;
    const ByteView content = zip.content(entry, unpacked);
    const std::string quoted = in_quotes(entry.name), place = quoted.substr(1, quoted.size() - 2);
    arrays.push_back(
        {entry.name.substr(0, entry.name.size() - kEnding.size()), parse_npy(content, name + ": " + place)});
  }
  return arrays;
}

void put_npy(Pieces& to, const Array& array) {
  if (!array.defined()) fail<ValueError>("npy: the array must be defined");
  to.add(npy_header(array));
  to.add(array);
}

void put_npz(Pieces& to, const std::vector<NamedArray>& arrays) {
  std::unordered_set<std::string_view> names;
  ZipWriter zip(to);
  for (const auto& [name, array] : arrays) {
    if (!array.defined()) fail<ValueError>("npz: {} must be defined", in_quotes(name));
    if (!names.insert(name).second) fail<ValueError>("npz: each name must come once: {}", in_quotes(name));
    if (!is_utf8(name) || name.size() > 60000)
      fail<ValueError>("npz: names must be UTF-8 and short: {}", in_quotes(name));
    zip.add(name + std::string(kEnding), npy_header(array), array);
  }
  zip.finish();
}

}  // namespace gradus::core
