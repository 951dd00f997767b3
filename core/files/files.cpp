#include "files.h"

#include <sys/mman.h>
#include <zlib.h>

#include <algorithm>
#include <deque>
#include <new>
#include <utility>

#include "../base/fail.h"
#include "file_descriptor.h"
#include "../base/function_ref.h"
#include "../memory/memory_limit.h"

namespace gradus::core {
namespace {

// What CheckStart is given.
constexpr std::size_t kStart = 64;

/// The most bytes that something may hold: what the caller allows, or what memory does.
struct Cap {
  explicit Cap(std::uint64_t allowed) : bytes(std::min(allowed, memory_for_a_file())), by_memory(bytes < allowed) {}
  std::uint64_t bytes;
  bool by_memory;
  std::string str() const { return fmt::format("{} bytes{}", bytes, by_memory ? ", as memory allows" : ""); }
};

/// Bytes that come one after the other.
class Input {
 public:
  virtual ~Input() = default;
  /// Up to `count` (above 0) of the next ones; 0 at the end only.
  virtual std::size_t read(unsigned char* to, std::size_t count) = 0;
  /// All of `to`, or as many as there are.
  std::size_t fill(unsigned char* to, std::size_t count) {
    std::size_t filled = 0;
    while (filled < count) {
      const std::size_t n = read(to + filled, count - filled);
      if (n == 0) break;
      filled += n;
    }
    return filled;
  }
};

class InputFile : public Input {
 public:
  explicit InputFile(const std::string& path) : path_(path), file_(opened(path)) {}
  std::size_t read(unsigned char* to, std::size_t count) override {
    for (;;) {
      const ssize_t n = ::read(file_.get(), to, count);
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) fail<FileError>("read_file: cannot read '{}': {}", path_, reason(errno));
    }
  }
  /// What the file is said to hold: 0 for a pipe, and a file may grow meanwhile.
  std::uint64_t size() const {
    struct stat status = {};
    if (::fstat(file_.get(), &status) != 0) fail<FileError>("read_file: cannot read '{}': {}", path_, reason(errno));
    return status.st_size > 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  }

 private:
  static int opened(const std::string& path) {
    check_path("read_file", path);
    const int fd = open_retrying(AT_FDCWD, path.c_str(), O_RDONLY);
    if (fd < 0) fail<FileError>("read_file: cannot open '{}': {}", path, reason(errno));
    return fd;
  }

  const std::string& path_;
  FileDescriptor file_;
};

/// First some bytes in memory, then what follows them elsewhere, if anything.
class InputBytes : public Input {
 public:
  explicit InputBytes(ByteView first, Input* rest = nullptr) : first_(first), rest_(rest) {}
  std::size_t read(unsigned char* to, std::size_t count) override {
    if (first_.empty()) return rest_ != nullptr ? rest_->read(to, count) : 0;
    const std::size_t n = std::min(count, first_.size());
    std::copy_n(first_.begin(), n, to);
    first_ = {first_.data() + n, first_.size() - n};
    return n;
  }

 private:
  ByteView first_;
  Input* rest_;
};

/// What a gzipped input unpacks to, of one member or several.
class Unpacked : public Input {
 public:
  Unpacked(Input& packed, const std::string& name) : packed_(packed), name_(name), buffer_(kBuffer) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) fail<FileError>("gunzip: '{}': zlib cannot start", name);
  }
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  ~Unpacked() override { inflateEnd(&stream_); }

  std::size_t read(unsigned char* to, std::size_t count) override {
    constexpr std::size_t kMaxStep = std::size_t{1} << 30;  // zlib counts a step's bytes in 32 bits
    const auto space = static_cast<uInt>(std::min(count, kMaxStep));
    stream_.next_out = to;
    stream_.avail_out = space;
    while (!ended_ && stream_.avail_out == space) {
      if (stream_.avail_in == 0) refill();
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        end_member();
      } else if (result == Z_BUF_ERROR && stream_.avail_in == 0 && refill() == 0) {
        fail<FileError>("gunzip: '{}' is cut off: it ends after {} bytes, {} unpacked, within its gzipped data", name_,
                        fed_, unpacked_ + (space - stream_.avail_out));
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        fail<FileError>("gunzip: '{}' is corrupt: {}, at byte {}", name_,
                        stream_.msg != nullptr ? stream_.msg : "zlib gives no reason", fed_ - stream_.avail_in);
      }
    }
    unpacked_ += space - stream_.avail_out;
    return space - stream_.avail_out;
  }

 private:
  /// Puts further bytes behind those that are left; returns how many.
  std::size_t refill() {
    std::copy_n(stream_.next_in, stream_.avail_in, buffer_.data());
    const std::size_t n = packed_.read(buffer_.data() + stream_.avail_in, kBuffer - stream_.avail_in);
    stream_.next_in = buffer_.data();
    stream_.avail_in += static_cast<uInt>(n);
    fed_ += n;
    return n;
  }
  void end_member() {
    while (stream_.avail_in < 2 && refill() > 0) continue;
    if (stream_.avail_in == 0) {
      ended_ = true;
    } else if (is_gzipped({stream_.next_in, stream_.avail_in})) {
      inflateReset(&stream_);
    } else {
      fail<FileError>("gunzip: '{}' must end with its gzipped data: other bytes follow at {}", name_,
                      fed_ - stream_.avail_in);
    }
  }

  static constexpr std::size_t kBuffer = std::size_t{1} << 16;
  Input& packed_;
  const std::string& name_;
  Bytes buffer_;
  z_stream stream_ = {};
  std::uint64_t fed_ = 0, unpacked_ = 0;
  bool ended_ = false;
};

/// Memory that goes back to the system at once when it is let go, which the allocator does not promise.
class Piece {
 public:
  static constexpr std::size_t kSize = std::size_t{4} << 20;
  Piece() : data_(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (data_ == MAP_FAILED) throw std::bad_alloc();
  }
  Piece(Piece&& other) noexcept : data_(std::exchange(other.data_, MAP_FAILED)) {}
  Piece& operator=(Piece&&) = delete;
  ~Piece() {
    if (data_ != MAP_FAILED) ::munmap(data_, kSize);
  }
  unsigned char* data() { return static_cast<unsigned char*>(data_); }

 private:
  void* data_;
};

/// Everything that `input` gives, of which `expected` bytes are likely. What exceeds them is gathered in pieces, each
/// given back once it is copied: a buffer that grows would be there twice, and end with room for more than the cap.
/// `too_many` throws.
Bytes gather(Input& input, std::uint64_t expected, const Cap& cap, const CheckStart& check_start,
             FunctionRef<void()> too_many) {
  // One byte more than expected, so that the end is seen without growing.
  Bytes bytes(static_cast<std::size_t>(std::max<std::uint64_t>(expected, kStart)) + 1);
  std::size_t used = input.fill(bytes.data(), kStart);
  if (check_start) check_start({bytes.data(), used});
  used += input.fill(bytes.data() + used, bytes.size() - used);
  if (used > cap.bytes) too_many();
  if (used < bytes.size()) {
    bytes.resize(used);
    return bytes;
  }
  std::deque<Piece> pieces;
  std::size_t filled = Piece::kSize;
  while (filled == Piece::kSize) {
    filled = input.fill(pieces.emplace_back().data(), Piece::kSize);
    used += filled;
    if (used > cap.bytes) too_many();
  }
  bytes.reserve(used);
  for (; !pieces.empty(); pieces.pop_front()) {
    unsigned char* const from = pieces.front().data();
    bytes.insert(bytes.end(), from, from + std::min(used - bytes.size(), Piece::kSize));
  }
  return bytes;
}

Bytes gather_file(InputFile& file, Input& input, const std::string& path, std::uint64_t max_bytes,
                  const CheckStart& check_start) {
  const Cap cap(max_bytes);
  const std::uint64_t size = file.size();
  if (size > cap.bytes) fail<FileError>("read_file: '{}' must hold at most {}: it holds {}", path, cap.str(), size);
  return gather(input, size, cap, check_start,
                [&] { fail<FileError>("read_file: '{}' must hold at most {}: it holds more", path, cap.str()); });
}

Bytes gather_unpacked(Input& packed, const std::string& name, std::uint64_t max_bytes, const CheckStart& check_start) {
  const Cap cap(max_bytes);
  Unpacked unpacked(packed, name);
  return gather(unpacked, 0, cap, check_start,
                [&] { fail<FileError>("gunzip: '{}' must unpack to at most {}: it goes on", name, cap.str()); });
}

}  // namespace

void check_path(const char* op, const std::string& path) {
  if (path.empty()) fail<FileError>("{}: a path must name a file: it is empty", op);
  // The system would take what stands before the zero, another file.
  if (path.find('\0') != std::string::npos) {
    fail<FileError>("{}: a path must not contain a zero byte: '{}' has one at {}", op, path.c_str(), path.find('\0'));
  }
}

Bytes read_file(const std::string& path, std::uint64_t max_bytes, const CheckStart& check_start) {
  InputFile file(path);
  return gather_file(file, file, path, max_bytes, check_start);
}

Bytes read_unpacked(const std::string& path, std::uint64_t max_bytes, const CheckStart& check_start) {
  InputFile file(path);
  unsigned char magic[2];
  const ByteView start(magic, file.fill(magic, sizeof(magic)));
  InputBytes whole(start, &file);
  return is_gzipped(start) ? gather_unpacked(whole, path, max_bytes, check_start)
                           : gather_file(file, whole, path, max_bytes, check_start);
}

bool is_gzipped(ByteView data) { return data.size() >= 2 && data[0] == 0x1f && data[1] == 0x8b; }

Bytes gunzip(ByteView data, std::uint64_t max_bytes, const std::string& name) {
  if (is_gzipped(data)) {
    InputBytes input(data);
    return gather_unpacked(input, name, max_bytes, {});
  }
  if (const Cap cap(max_bytes); data.size() > cap.bytes) {
    fail<FileError>("gunzip: '{}' must hold at most {}: it holds {}", name, cap.str(), data.size());
  }
  return {data.begin(), data.end()};
}

}  // namespace gradus::core
