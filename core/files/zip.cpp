#include "zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "../base/fail.h"
#include "../base/message.h"

namespace gradus::core {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20;
constexpr std::uint64_t kFull32 = 0xffffffff, kFull16 = 0xffff;
// deflate makes at most 258 bytes out of two bits.
constexpr std::uint64_t kMostRatio = 1032;

std::uint64_t number(ByteView bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

void put(Bytes& to, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to.push_back(static_cast<unsigned char>(value >> (8 * i)));
}
void put(Bytes& to, std::string_view text) { to.insert(to.end(), text.begin(), text.end()); }

std::uint32_t crc_of(ByteView bytes, std::uint32_t crc = 0) {
  return static_cast<std::uint32_t>(crc32_z(crc, bytes.data(), bytes.size()));
}

struct Directory {
  std::uint64_t count = 0, size = 0, at = 0, end = 0;
};

// An unpacked entry, which grows as it comes: what is claimed is believed at its end only.
Bytes inflated(const ZipEntry& entry, const std::string& file) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail<FileError>("zip: '{}': zlib cannot start", file);
  struct End {
    z_stream& stream;
    ~End() { inflateEnd(&stream); }
  } const end{stream};
  constexpr std::size_t kStep = std::size_t{1} << 30;  // zlib counts a step's bytes in 32 bits
  Bytes bytes;
  std::size_t filled = 0, fed = 0;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    if (filled == bytes.size()) {
      // One byte beyond the claim, so that more of it is seen.
      const std::size_t grown = std::max<std::size_t>(2 * filled, 4096);
      bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(grown, entry.size + 1)));
    }
    stream.next_in = const_cast<unsigned char*>(entry.packed.data()) + fed;
    stream.avail_in = static_cast<uInt>(std::min(kStep, entry.packed.size() - fed));
    stream.next_out = bytes.data() + filled;
    stream.avail_out = static_cast<uInt>(std::min(kStep, bytes.size() - filled));
    const uInt in = stream.avail_in, out = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    fed += in - stream.avail_in;
    filled += out - stream.avail_out;
    const bool stuck = status == Z_BUF_ERROR || (in == stream.avail_in && out == stream.avail_out);
    if (filled > entry.size || (status != Z_STREAM_END && (status != Z_OK || stuck))) {
      fail<FileError>("zip: {} of '{}' must unpack to {} bytes: {}", in_quotes(entry.name), file, entry.size,
                      filled > entry.size      ? "it goes on"
                      : status == Z_DATA_ERROR ? fmt::format("it is corrupt after {}", filled)
                                               : fmt::format("it is cut off after {}", filled));
    }
  }
  if (filled != entry.size || fed != entry.packed.size()) {
    fail<FileError>("zip: {} of '{}' must unpack to {} bytes: {} of its {} packed ones make {}", in_quotes(entry.name),
                    file, entry.size, fed, entry.packed.size(), filled);
  }
  bytes.resize(filled);
  return bytes;
}

Directory directory_of(ByteView file, const std::string& name) {
  // The end record is followed by a comment of up to 65,535 bytes.
  std::size_t at = file.size() < kEndSize ? 0 : file.size() - kEndSize + 1;
  const std::size_t least = file.size() > kEndSize + kFull16 ? file.size() - kEndSize - kFull16 : 0;
  bool found = false;
  while (!found && at > least)
    found = number(file, --at, 4) == kEnd && number(file, at + 20, 2) == file.size() - at - kEndSize;
  if (!found) {
    fail<FileError>("zip: '{}' must end with a directory: none is found in its {} bytes, so it is cut off", name,
                    file.size());
  }
  const bool one_disk = number(file, at + 4, 2) == 0 && number(file, at + 6, 2) == 0;
  Directory d{number(file, at + 10, 2), number(file, at + 12, 4), number(file, at + 16, 4), at};
  if (!one_disk || number(file, at + 8, 2) != d.count) fail<FileError>("zip: '{}' must be on one disk", name);
  if (d.count == kFull16 || d.size == kFull32 || d.at == kFull32) {
    const bool located = at >= kLocator64Size && number(file, at - kLocator64Size, 4) == kLocator64;
    const std::uint64_t end = located ? number(file, at - kLocator64Size + 8, 8) : 0;
    if (located) {
      const std::size_t before = at - kLocator64Size;
      if (before < kEnd64Size || end > before - kEnd64Size ||
          number(file, static_cast<std::size_t>(end), 4) != kEnd64) {
        fail<FileError>("zip: the directory of '{}' must end within its {} bytes: it is said to end at {}", name,
                        before, end);
      }
      const auto from = static_cast<std::size_t>(end);
      d = {number(file, from + 32, 8), number(file, from + 40, 8), number(file, from + 48, 8), end};
    }
  }
  if (d.at > d.end || d.size > d.end - d.at) {
    fail<FileError>("zip: the directory of '{}' must lie within its first {} bytes: {} bytes at {} are claimed", name,
                    d.end, d.size, d.at);
  }
  if (d.count > d.size / kCentralSize) {
    fail<FileError>("zip: the directory of '{}' must hold its {} entries: it takes {} bytes", name, d.count, d.size);
  }
  return d;
}

}  // namespace

void Pieces::add(ByteView view) {
  views_.push_back(view);
  size_ += view.size();
}
void Pieces::add(Bytes bytes) { add(ByteView(bytes_.emplace_back(std::move(bytes)))); }
void Pieces::add(const Array& array) {
  arrays_.push_back(array.contiguous());
  const Array& kept = arrays_.back();
  add(ByteView(kept.data(), static_cast<std::size_t>(kept.numel() * kept.element_size())));
}

bool Zip::is_zip(ByteView file) noexcept {
  if (file.size() < 4) return false;
  const std::uint64_t magic = number(file, 0, 4);
  return magic == kLocal || magic == kEnd;
}

Zip::Zip(ByteView file, const std::string& name, std::uint64_t memory) : file_(file), name_(name) {
  read_directory();
  check_overlaps();
  // The file is there, and what is stored is copied by whoever reads it; so is what was unpacked, which is there twice.
  std::uint64_t taken = file.size();
  for (const ZipEntry& entry : entries_) taken += entry.deflated ? 0 : entry.packed.size();
  budget_ = memory > taken ? (memory - taken) / 2 : 0;
}

void Zip::read_directory() {
  const Directory d = directory_of(file_, name_);
  const auto end = static_cast<std::size_t>(d.at + d.size);
  auto at = static_cast<std::size_t>(d.at);
  std::unordered_set<std::string_view> names;
  for (std::uint64_t i = 0; i < d.count; ++i) {
    if (end - at < kCentralSize || number(file_, at, 4) != kCentral) {
      fail<FileError>("zip: entry {} of {} of '{}' must stand in the directory at {}: none does", i, d.count, name_,
                      at);
    }
    const auto name_size = static_cast<std::size_t>(number(file_, at + 28, 2));
    const auto extra_size = static_cast<std::size_t>(number(file_, at + 30, 2));
    const std::size_t size =
        kCentralSize + name_size + extra_size + static_cast<std::size_t>(number(file_, at + 32, 2));
    if (end - at < size) {
      fail<FileError>("zip: entry {} of '{}' must end within the directory: it takes {} bytes, and {} are left", i,
                      name_, size, end - at);
    }
    ZipEntry entry;
    const std::string_view text = file_.text().substr(at + kCentralSize, name_size);
    entry.name = text;
    entry.crc = static_cast<std::uint32_t>(number(file_, at + 16, 4));
    std::uint64_t packed = number(file_, at + 20, 4), local = number(file_, at + 42, 4);
    entry.size = number(file_, at + 24, 4);
    // What does not fit into 32 bits stands in the extra field of kind 1, in this order.
    std::size_t extra = at + kCentralSize + name_size;
    for (const std::size_t extra_end = extra + extra_size; extra_end - extra >= 4;) {
      const std::uint64_t kind = number(file_, extra, 2);
      const auto bytes = static_cast<std::size_t>(number(file_, extra + 2, 2));
      extra += 4;
      if (extra_end - extra < bytes) break;
      std::size_t from = extra;
      for (std::uint64_t* field : {&entry.size, &packed, &local}) {
        if (kind != 1 || *field != kFull32 || extra + bytes - from < 8) continue;
        *field = number(file_, from, 8);
        from += 8;
      }
      extra += bytes;
    }
    const std::uint64_t flags = number(file_, at + 8, 2), method = number(file_, at + 10, 2);
    if ((flags & 1) != 0) fail<FileError>("zip: {} of '{}' must not be encrypted", in_quotes(entry.name), name_);
    if (method != 0 && method != 8) {
      fail<FileError>("zip: {} of '{}' must be stored or deflated: its method is {}", in_quotes(entry.name), name_,
                      method);
    }
    entry.deflated = method == 8;
    if (local > d.at || d.at - local < kLocalSize || number(file_, static_cast<std::size_t>(local), 4) != kLocal) {
      fail<FileError>("zip: {} of '{}' must begin before the directory at {}: it is said to begin at {}",
                      in_quotes(entry.name), name_, d.at, local);
    }
    const auto header = static_cast<std::size_t>(local);
    const std::uint64_t begin = local + kLocalSize + number(file_, header + 26, 2) + number(file_, header + 28, 2);
    if (begin > d.at || packed > d.at - begin) {
      fail<FileError>("zip: {} of '{}' must end before the directory at {}: it takes {} bytes at {}",
                      in_quotes(entry.name), name_, d.at, packed, begin);
    }
    const bool believed = entry.deflated ? entry.size / kMostRatio <= packed : entry.size == packed;
    if (!believed) {
      fail<FileError>("zip: {} of '{}' must hold the {} bytes that it claims: it takes {} in the file",
                      in_quotes(entry.name), name_, entry.size, packed);
    }
    if (number(file_, header + 26, 2) != name_size || file_.text().substr(header + kLocalSize, name_size) != text) {
      fail<FileError>("zip: {} of '{}' must have the same name in the directory and before its bytes",
                      in_quotes(entry.name), name_);
    }
    if (!names.insert(text).second)
      fail<FileError>("zip: '{}' must name each entry once: {} comes twice", name_, in_quotes(entry.name));
    entry.packed = {file_.data() + begin, static_cast<std::size_t>(packed)};
    entries_.push_back(std::move(entry));
    at += size;
  }
}

// Bytes that several entries share would unpack to more than the file's size allows.
void Zip::check_overlaps() const {
  std::vector<const ZipEntry*> order;
  for (const ZipEntry& entry : entries_) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const ZipEntry* a, const ZipEntry* b) {
    return std::pair(a->packed.data(), a->packed.size()) < std::pair(b->packed.data(), b->packed.size());
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i]->packed.data() < order[i - 1]->packed.end()) {
      fail<FileError>("zip: the entries of '{}' must not overlap: {} and {} do", name_, in_quotes(order[i - 1]->name),
                      in_quotes(order[i]->name));
    }
  }
}

const ZipEntry* Zip::find(std::string_view name) const noexcept {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const ZipEntry& entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

ByteView Zip::content(const ZipEntry& entry, Bytes& unpacked) {
  ByteView content = entry.packed;
  if (entry.deflated) {
    if (entry.size > budget_) {
      fail<FileError>("zip: {} of '{}' must unpack to at most {} bytes, as memory allows: it claims {}",
                      in_quotes(entry.name), name_, budget_, entry.size);
    }
    budget_ -= entry.size;
    unpacked = inflated(entry, name_);
    content = unpacked;
  }
  if (const std::uint32_t crc = crc_of(content); crc != entry.crc) {
    fail<FileError>("zip: {} of '{}' must have the checksum {:08x}: it has {:08x}, so it is damaged",
                    in_quotes(entry.name), name_, entry.crc, crc);
  }
  return content;
}

namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kVersion = 45, kUtf8 = 1 << 11, kDate = 0x21;  // of zip64; 1980-01-01

}  // namespace

void ZipWriter::header(const std::string& name, std::uint64_t size, std::uint32_t crc) {
  const bool large = size >= kFull32;
  written_.push_back({name, crc, size, to_.size()});
  Bytes bytes;
  put(bytes, kLocal, 4);
  put(bytes, kVersion, 2);
  put(bytes, kUtf8, 2);
  put(bytes, 0, 4);  // method and time
  put(bytes, kDate, 2);
  put(bytes, crc, 4);
  put(bytes, large ? kFull32 : size, 4);
  put(bytes, large ? kFull32 : size, 4);
  put(bytes, name.size(), 2);
  const std::uint64_t before = to_.size() + kLocalSize + name.size() + (large ? 20 : 0) + 4;
  const std::uint64_t padding = (kAlignment - before % kAlignment) % kAlignment;
  put(bytes, (large ? 20 : 0) + 4 + padding, 2);
  put(bytes, name);
  if (large) {
    put(bytes, 1, 2);
    put(bytes, 16, 2);
    put(bytes, size, 8);
    put(bytes, size, 8);
  }
  put(bytes, "FB");  // PyTorch's kind of extra field
  put(bytes, padding, 2);
  bytes.resize(bytes.size() + static_cast<std::size_t>(padding), 'Z');
  to_.add(std::move(bytes));
}

void ZipWriter::add(const std::string& name, Bytes content) {
  header(name, content.size(), crc_of(content));
  to_.add(std::move(content));
}

void ZipWriter::add(const std::string& name, const Array& content) { add(name, Bytes(), content); }

void ZipWriter::add(const std::string& name, Bytes head, const Array& content) {
  const Array kept = content.contiguous();
  const ByteView bytes(kept.data(), static_cast<std::size_t>(kept.numel() * kept.element_size()));
  header(name, head.size() + bytes.size(), crc_of(bytes, crc_of(head)));
  if (!head.empty()) to_.add(std::move(head));
  to_.add(kept);
}

void ZipWriter::finish() {
  const std::uint64_t at = to_.size();
  Bytes bytes;
  for (const Written& entry : written_) {
    const bool large = entry.size >= kFull32, far = entry.at >= kFull32;
    put(bytes, kCentral, 4);
    put(bytes, kVersion, 2);
    put(bytes, kVersion, 2);
    put(bytes, kUtf8, 2);
    put(bytes, 0, 4);
    put(bytes, kDate, 2);
    put(bytes, entry.crc, 4);
    put(bytes, large ? kFull32 : entry.size, 4);
    put(bytes, large ? kFull32 : entry.size, 4);
    put(bytes, entry.name.size(), 2);
    const std::uint64_t fields = (large ? 16 : 0) + (far ? 8 : 0);
    put(bytes, fields > 0 ? fields + 4 : 0, 2);
    put(bytes, 0, 8);
    put(bytes, 0, 2);  // comment, disk, attributes of two kinds
    put(bytes, far ? kFull32 : entry.at, 4);
    put(bytes, entry.name);
    if (fields == 0) continue;
    put(bytes, 1, 2);
    put(bytes, fields, 2);
    if (large) {
      put(bytes, entry.size, 8);
      put(bytes, entry.size, 8);
    }
    if (far) put(bytes, entry.at, 8);
  }
  const std::uint64_t size = bytes.size(), count = written_.size();
  const bool large = count >= kFull16 || size >= kFull32 || at >= kFull32;
  if (large) {
    put(bytes, kEnd64, 4);
    put(bytes, kEnd64Size - 12, 8);
    put(bytes, kVersion, 2);
    put(bytes, kVersion, 2);
    put(bytes, 0, 8);
    put(bytes, count, 8);
    put(bytes, count, 8);
    put(bytes, size, 8);
    put(bytes, at, 8);
    put(bytes, kLocator64, 4);
    put(bytes, 0, 4);
    put(bytes, at + size, 8);
    put(bytes, 1, 4);
  }
  put(bytes, kEnd, 4);
  put(bytes, 0, 4);
  put(bytes, large ? kFull16 : count, 2);
  put(bytes, large ? kFull16 : count, 2);
  put(bytes, large ? kFull32 : size, 4);
  put(bytes, large ? kFull32 : at, 4);
  put(bytes, 0, 2);
  to_.add(std::move(bytes));
}

}  // namespace gradus::core
