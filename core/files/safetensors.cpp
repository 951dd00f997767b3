#include "safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "../array/create.h"
#include "../base/fail.h"
#include "../memory/memory_limit.h"
#include "../base/message.h"
#include "zip.h"

namespace gradus::core {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference implementation's
constexpr std::size_t kLength = 8;                 // bytes of the header's length
constexpr std::string_view kMetadata = "__metadata__";

constexpr std::pair<std::string_view, DType> kDTypes[] = {
    {"BOOL", kBool}, {"U8", kUInt8},    {"I8", kInt8},       {"I16", kInt16},   {"I32", kInt32},
    {"I64", kInt64}, {"F16", kFloat16}, {"BF16", kBFloat16}, {"F32", kFloat32}, {"F64", kFloat64}};

std::string_view name_of(DType dtype) {
  for (const auto& [name, known] : kDTypes) {
    if (known == dtype) return name;
  }
  return "";
}

// The format is little endian. Turning is its own inverse.
constexpr bool kTurns = std::endian::native == std::endian::big;

void turn(unsigned char* data, std::size_t bytes, std::int64_t element) {
  for (unsigned char* at = data; at != data + bytes; at += element) std::reverse(at, at + element);
}

struct Span {
  std::uint64_t begin = 0, end = 0;
};

// Takes what the JSON parser meets, and refuses what a header has no place for as soon as it comes.
class HeaderReader {
 public:
  using json = nlohmann::json;

  HeaderReader(const std::string& file, std::vector<SafetensorsEntry>& entries, std::vector<Span>& spans,
               Metadata& metadata)
      : file_(file), entries_(entries), spans_(spans), metadata_(metadata) {}

  bool start_object(std::size_t) {
    if (where_ == Where::Start) {
      where_ = Where::Header;
    } else if (where_ == Where::Header && key_ == kMetadata) {
      where_ = Where::Metadata;
    } else if (where_ == Where::Header) {
      where_ = Where::Entry;
      entries_.push_back({});
      entries_.back().name = key_;
      spans_.push_back({});
      has_dtype_ = has_shape_ = has_span_ = false;
    } else {
      refuse("an object");
    }
    return true;
  }

  bool key(std::string& key) {
    bool fresh = true;
    if (where_ == Where::Header) {
      fresh = names_.insert(key).second;
    } else if (where_ == Where::Metadata) {
      fresh = metadata_names_.insert(key).second;
    } else {
      bool* has = key == "dtype"          ? &has_dtype_
                  : key == "shape"        ? &has_shape_
                  : key == "data_offsets" ? &has_span_
                                          : nullptr;
      if (has == nullptr) {
        fail<FileError>("safetensors: {} of '{}' must have dtype, shape and data_offsets: it has {}",
                        in_quotes(entries_.back().name), file_, in_quotes(key));
      }
      fresh = !*has;
      *has = true;
    }
    if (!fresh)
      fail<FileError>("safetensors: the header of '{}' must name each thing once: {} comes twice", file_,
                      in_quotes(key));
    key_ = key;
    return true;
  }

  bool end_object() {
    if (where_ == Where::Entry && !(has_dtype_ && has_shape_ && has_span_)) {
      fail<FileError>("safetensors: {} of '{}' must have dtype, shape and data_offsets: {} is missing",
                      in_quotes(entries_.back().name), file_,
                      !has_dtype_   ? "dtype"
                      : !has_shape_ ? "shape"
                                    : "data_offsets");
    }
    where_ = where_ == Where::Header ? Where::End : Where::Header;
    return true;
  }

  bool start_array(std::size_t) {
    if (where_ != Where::Entry || key_ == "dtype") refuse("an array");
    where_ = key_ == "shape" ? Where::Shape : Where::Span;
    count_ = 0;
    return true;
  }

  bool number_unsigned(std::uint64_t value) {
    const std::string& name = entries_.empty() ? key_ : entries_.back().name;
    if (where_ == Where::Shape) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail<FileError>("safetensors: the sizes of {} of '{}' must be below 2^63: {}", in_quotes(name), file_, value);
      }
      if (entries_.back().shape.size() == kMaxDims) {
        fail<FileError>("safetensors: {} of '{}' must have at most {} dimensions: it has more", in_quotes(name), file_,
                        kMaxDims);
      }
      entries_.back().shape.push_back(static_cast<std::int64_t>(value));
    } else if (where_ == Where::Span) {
      if (count_ == 2) fail_offsets(3);
      (count_++ == 0 ? spans_.back().begin : spans_.back().end) = value;
    } else {
      refuse("a number");
    }
    return true;
  }

  bool end_array() {
    if (where_ == Where::Span && count_ != 2) fail_offsets(count_);
    where_ = Where::Entry;
    return true;
  }

  bool string(std::string& value) {
    if (where_ == Where::Metadata) {
      metadata_.emplace_back(key_, value);
    } else if (where_ == Where::Entry && key_ == "dtype") {
      const auto* known =
          std::find_if(std::begin(kDTypes), std::end(kDTypes), [&](const auto& d) { return d.first == value; });
      if (known == std::end(kDTypes)) {
        fail<FileError>(
            "safetensors: the dtype of {} of '{}' must be one of BOOL, U8, I8, I16, I32, I64, F16, BF16, F32, F64: it "
            "is {}",
            in_quotes(entries_.back().name), file_, in_quotes(value));
      }
      entries_.back().dtype = known->second;
    } else {
      refuse("a string");
    }
    return true;
  }

  bool null() { refuse("null"); }
  bool boolean(bool) { refuse("true or false"); }
  bool number_integer(std::int64_t value) { refuse(fmt::format("the number {}", value)); }
  bool number_float(double, const std::string& text) { refuse(fmt::format("the number {}", in_quotes(text))); }
  bool binary(json::binary_t&) { refuse("binary data"); }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& error) {
    constexpr int kNumberOverflow = 406;  // beyond double's range; the library's text repeats all its digits
    if (error.id == kNumberOverflow) number_float(0, token);
    // "[json.exception.parse_error.101] parse error at line 1, column 2: what; last read: '...'", and what was last read
    // may be long, or no text at all.
    std::string_view what = error.what();
    what = what.substr(0, what.find("; last read"));
    if (const std::size_t at = what.find(": "); at != std::string_view::npos) what.remove_prefix(at + 2);
    fail<FileError>("safetensors: the header of '{}' must be JSON in UTF-8: {} at byte {}", file_, what, position);
  }

 private:
  enum class Where { Start, Header, Metadata, Entry, Shape, Span, End };

  [[noreturn]] void refuse(const std::string& what) const {
    fail<FileError>("safetensors: the header of '{}' must map names to dtype, shape and data_offsets: {} stands in {}",
                    file_, what, in_quotes(key_));
  }
  [[noreturn]] void fail_offsets(int count) const {
    fail<FileError>("safetensors: the data_offsets of {} of '{}' must be two numbers: {}",
                    in_quotes(entries_.back().name), file_,
                    count == 3 ? "there are more" : fmt::format("there are {}", count));
  }

  const std::string& file_;
  std::vector<SafetensorsEntry>& entries_;
  std::vector<Span>& spans_;
  Metadata& metadata_;
  std::unordered_set<std::string> names_, metadata_names_;
  Where where_ = Where::Start;
  std::string key_;
  bool has_dtype_ = false, has_shape_ = false, has_span_ = false;
  int count_ = 0;
};

// Bytes that an array takes. Zeros count as ones while it is computed: strides are products too.
std::uint64_t bytes_of(const SafetensorsEntry& entry, const std::string& file) {
  std::int64_t bytes = size_of(entry.dtype);
  for (const std::int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes)) {
      fail<FileError>("safetensors: the sizes of {} of '{}' must have a product below 2^63 bytes: {} of {}",
                      in_quotes(entry.name), file, entry.shape, name_of(entry.dtype));
    }
  }
  return numel_of(entry.shape) == 0 ? 0 : static_cast<std::uint64_t>(bytes);
}

void check_spans(const std::vector<SafetensorsEntry>& entries, const std::vector<Span>& spans, std::uint64_t size,
                 const std::string& file) {
  std::vector<std::size_t> order(entries.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    const auto [begin, end] = spans[i];
    if (begin > end || end > size) {
      fail<FileError>("safetensors: the data_offsets of {} of '{}' must lie within its {} bytes of data: [{}, {}]",
                      in_quotes(entries[i].name), file, size, begin, end);
    }
    if (const std::uint64_t bytes = bytes_of(entries[i], file); end - begin != bytes) {
      fail<FileError>(
          "safetensors: {} of '{}' must take the {} bytes of its shape {} and dtype {}: it takes {}, [{}, {}]",
          in_quotes(entries[i].name), file, bytes, entries[i].shape, name_of(entries[i].dtype), end - begin, begin,
          end);
    }
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(spans[a].begin, spans[a].end) < std::pair(spans[b].begin, spans[b].end);
  });
  std::uint64_t end = 0;
  for (const std::size_t i : order) {
    if (spans[i].begin != end) {
      fail<FileError>("safetensors: the arrays of '{}' must lie one behind the other: {} begins at {}, {} {}", file,
                      in_quotes(entries[i].name), spans[i].begin,
                      spans[i].begin < end ? "within another that ends at" : "after a hole from", end);
    }
    end = spans[i].end;
  }
  if (end != size) {
    fail<FileError>(
        "safetensors: the arrays of '{}' must end where the file does: {} of its {} bytes of data belong to "
        "none",
        file, size - end, size);
  }
}

void check_bools(const SafetensorsEntry& entry, const std::string& file) {
  for (const unsigned char byte : entry.bytes) {
    if (byte > 1)
      fail<FileError>("safetensors: {} of '{}' must hold 0 and 1 only: it holds {}", in_quotes(entry.name), file, byte);
  }
}

// The length of the header, when a file may begin like this.
std::uint64_t header_length(ByteView start, const std::string& file) {
  if (start.size() < kLength) {
    fail<FileError>("safetensors: '{}' must begin with the length of its header in 8 bytes: it holds {}", file,
                    start.size());
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLength; i-- > 0;) length = length << 8 | start[i];
  // What the parser keeps takes up to twenty times the header.
  const std::uint64_t most = std::min(kMaxHeader, static_cast<std::uint64_t>(memory_limit().bytes) / 200);
  if (length > most) {
    fail<FileError>(
        "safetensors: the header of '{}' must take at most {} bytes: {} are claimed; is it a safetensors file?", file,
        most, length);
  }
  if (length == 0 || (start.size() > kLength && start[kLength] != '{')) {
    fail<FileError>("safetensors: the header of '{}' must begin with '{{'", file);
  }
  return length;
}

}  // namespace

Array SafetensorsEntry::array() const {
  if (!kTurns) return from_data(bytes.data(), shape, dtype);
  Bytes turned(bytes.begin(), bytes.end());
  turn(turned.data(), turned.size(), size_of(dtype));
  return from_data(turned.data(), shape, dtype);
}

Array SafetensorsEntry::borrow() const {
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  if (kTurns || address % static_cast<std::uintptr_t>(size_of(dtype)) != 0) return array();
  return from_blob(const_cast<unsigned char*>(bytes.data()), shape, contiguous_strides(shape), {}, dtype);
}

Safetensors::Safetensors(Bytes bytes, const std::string& name) : bytes_(std::move(bytes)) {
  const std::uint64_t length = header_length(bytes_, name);
  if (length > bytes_.size() - kLength) {
    fail<FileError>("safetensors: '{}' must hold its header of {} bytes: {} follow its length, so it is cut off", name,
                    length, bytes_.size() - kLength);
  }
  const char* header = reinterpret_cast<const char*>(bytes_.data()) + kLength;
  // The parser takes a zero for the end.
  if (const void* zero = std::memchr(header, 0, static_cast<std::size_t>(length)); zero != nullptr) {
    fail<FileError>("safetensors: the header of '{}' must be JSON in UTF-8: there is a zero at byte {}", name,
                    static_cast<const char*>(zero) - header);
  }
  std::vector<Span> spans;
  HeaderReader reader(name, entries_, spans, metadata_);
  nlohmann::json::sax_parse(header, header + length, &reader);

  const ByteView data(bytes_.data() + kLength + length, bytes_.size() - kLength - static_cast<std::size_t>(length));
  check_spans(entries_, spans, data.size(), name);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Span span = spans[i];
    entries_[i].bytes = {data.data() + span.begin, static_cast<std::size_t>(span.end - span.begin)};
    if (entries_[i].dtype == kBool) check_bools(entries_[i], name);
  }
}

Safetensors Safetensors::read(const std::string& path, bool is_copied) {
  const auto check = [&](ByteView start) { check_start(start, path); };
  return {read_file(path, memory_for_a_file() / (is_copied ? 2 : 1), check), path};
}

void Safetensors::check_start(ByteView start, const std::string& name) { header_length(start, name); }

void put_safetensors(Pieces& to, const std::vector<NamedArray>& arrays, const Metadata& metadata) {
  std::unordered_set<std::string_view> names, keys;
  std::vector<std::size_t> order(arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const auto& [name, array] = arrays[i];
    order[i] = i;
    if (!array.defined()) fail<ValueError>("write_safetensors: {} must be defined", in_quotes(name));
    if (name == kMetadata) fail<ValueError>("write_safetensors: an array must not be named {}", in_quotes(name));
    if (!names.insert(name).second)
      fail<ValueError>("write_safetensors: each name must come once: {}", in_quotes(name));
  }
  // The largest elements first: then every array is aligned, the header being padded to a multiple of 8.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return arrays[a].array.element_size() > arrays[b].array.element_size();
  });
  std::vector<Span> spans(arrays.size());
  std::uint64_t end = 0;
  for (const std::size_t i : order) {
    const auto size = static_cast<std::uint64_t>(arrays[i].array.numel() * arrays[i].array.element_size());
    spans[i] = {end, end + size};
    end += size;
  }

  nlohmann::ordered_json header = nlohmann::ordered_json::object(), texts = header;
  // Not through operator[], which looks for the key among all that are there.
  const auto append = [](nlohmann::ordered_json& object, const std::string& key, nlohmann::ordered_json value) {
    object.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(key, std::move(value));
  };
  for (const auto& [key, value] : metadata) {
    if (!keys.insert(key).second)
      fail<ValueError>("write_safetensors: each key of the metadata must come once: {}", in_quotes(key));
    append(texts, key, value);
  }
  if (!metadata.empty()) append(header, std::string(kMetadata), std::move(texts));
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const auto& [name, array] = arrays[i];
    append(header, name,
           {{"dtype", name_of(array.dtype())},
            {"shape", IntArrayRef(array.shape()).vec()},
            {"data_offsets", {spans[i].begin, spans[i].end}}});
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::type_error&) {
    fail<ValueError>("write_safetensors: names and metadata must be UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kMaxHeader) {
    fail<ValueError>("write_safetensors: the header must take at most {} bytes: {}", kMaxHeader, text.size());
  }
  Bytes head;
  for (std::size_t i = 0; i < kLength; ++i) head.push_back(static_cast<unsigned char>(text.size() >> (8 * i)));
  head.insert(head.end(), text.begin(), text.end());
  to.add(std::move(head));
  for (const std::size_t i : order) {
    if (!kTurns) {
      to.add(arrays[i].array);
      continue;
    }
    const Array kept = arrays[i].array.contiguous();
    const auto* data = static_cast<const unsigned char*>(kept.data());
    Bytes turned(data, data + kept.numel() * kept.element_size());
    turn(turned.data(), turned.size(), kept.element_size());
    to.add(std::move(turned));
  }
}

void write_safetensors(const std::string& path, const std::vector<NamedArray>& arrays, const Metadata& metadata) {
  Pieces pieces;
  put_safetensors(pieces, arrays, metadata);
  write_file_atomically(path, pieces.views());
}

}  // namespace gradus::core
