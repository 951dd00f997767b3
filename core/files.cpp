#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "fail.h"

namespace gradus::core {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;

// std::strerror shares one buffer between threads.
std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail_to_write(const std::string& path, const std::string& what, int error) {
  fail<FileError>("write_file: cannot write '{}': {}{}", path, what, reason(error));
}

void check_path(const char* op, const std::string& path) {
  if (path.empty()) fail<FileError>("{}: a path must name a file: it is empty", op);
  // The system would take what stands before the zero, another file.
  if (path.find('\0') != std::string::npos) {
    fail<FileError>("{}: a path must not contain a zero byte: '{}' has one at {}", op, path.c_str(), path.find('\0'));
  }
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

int open_retrying(int folder, const char* path, int flags, mode_t mode = 0) {
  int fd;
  do {
    fd = ::openat(folder, path, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

bool write_all(int fd, const std::vector<ByteView>& pieces) {
  for (const ByteView& piece : pieces) {
    std::size_t written = 0;
    while (written < piece.size()) {
      const ssize_t n = ::write(fd, piece.data() + written, piece.size() - written);
      if (n < 0 && errno != EINTR) return false;
      if (n > 0) written += static_cast<std::size_t>(n);
    }
  }
  return true;
}

// Some file systems, and all pipes, have nothing to sync and say EINVAL.
bool sync(int fd) {
  int result;
  do {
    result = ::fsync(fd);
  } while (result != 0 && errno == EINTR);
  return result == 0 || errno == EINVAL || errno == ENOTSUP;
}

struct SplitPath {
  std::string folder, name;
};

SplitPath split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// Follows symbolic links by hand, so that the target's name is known even where nothing bears it yet.
std::string link_target(const std::string& path) {
  constexpr int kMaxLinks = 40;  // Linux's own limit
  std::string at = path;
  for (int links = 0; links < kMaxLinks; ++links) {
    char buffer[4096];
    const ssize_t n = ::readlink(at.c_str(), buffer, sizeof(buffer));
    if (n < 0) return at;
    std::string next(buffer, static_cast<std::size_t>(n));
    at = next.starts_with('/') ? std::move(next) : split(at).folder + "/" + next;
  }
  fail_to_write(path, "", ELOOP);
}

// A file with a name of its own in `folder`, gone with this object unless it took its final name.
class TemporaryFile {
 public:
  TemporaryFile(int folder, const std::string& final_name, const std::string& path) : folder_(folder), path_(path) {
    static std::atomic<unsigned> counter{0};
    constexpr std::size_t kMaxStem = 200;  // of the 255 bytes that a name may have
    // A name that is taken was left behind by a process with our id that was killed.
    for (int attempt = 0; attempt < 1000; ++attempt) {
      name_ = fmt::format(".{}.{}-{}.tmp", final_name.substr(0, kMaxStem), ::getpid(), counter++);
      fd_ = open_retrying(folder, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
      if (fd_ >= 0 || errno != EEXIST) break;
    }
    if (fd_ < 0) fail_to_write(path, "cannot create a file in its folder: ", errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!renamed_) ::unlinkat(folder_, name_.c_str(), 0);
  }

  void take_permissions(const struct stat& old) {
    // The owner first: changing it clears the set-id bits. Not permitted to most, and then the file is the writer's.
    constexpr auto kSameOwner = static_cast<uid_t>(-1);
    [[maybe_unused]] const bool kept =
        ::fchown(fd_, old.st_uid, old.st_gid) == 0 || ::fchown(fd_, kSameOwner, old.st_gid) == 0;
    if (::fchmod(fd_, old.st_mode & 07777) != 0) fail_to_write(path_, "cannot keep its permissions: ", errno);
  }

  void fill(const std::vector<ByteView>& pieces) {
    if (!write_all(fd_, pieces) || !sync(fd_)) fail_to_write(path_, "", errno);
    // Network file systems report a full disk here. Not repeated on EINTR: Linux has closed the descriptor by then.
    if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) fail_to_write(path_, "", errno);
  }

  void rename_to(const std::string& final_name) {
    if (::renameat(folder_, name_.c_str(), folder_, final_name.c_str()) != 0) fail_to_write(path_, "", errno);
    renamed_ = true;
  }

 private:
  int folder_, fd_ = -1;
  bool renamed_ = false;
  std::string name_;
  const std::string& path_;
};

// Where a pipe or a device stands nothing can be replaced, and nothing is lost by a half.
void write_directly(const std::string& path, const std::vector<ByteView>& pieces) {
  FileDescriptor file(open_retrying(AT_FDCWD, path.c_str(), O_WRONLY));
  if (file.get() < 0 || !write_all(file.get(), pieces)) fail_to_write(path, "", errno);
}

}  // namespace

Bytes read_file(const std::string& path, std::uint64_t max_bytes) {
  check_path("read_file", path);
  FileDescriptor file(open_retrying(AT_FDCWD, path.c_str(), O_RDONLY));
  if (file.get() < 0) fail<FileError>("read_file: cannot open '{}': {}", path, reason(errno));
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) fail<FileError>("read_file: cannot read '{}': {}", path, reason(errno));
  const std::uint64_t size = status.st_size > 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  if (size > max_bytes) {
    fail<FileError>("read_file: '{}' must hold at most {} bytes: it holds {}", path, max_bytes, size);
  }

  // One byte more than the file is said to hold, so that its end is seen without growing. The loop trusts what is
  // read: a pipe has no size, and a file may grow meanwhile.
  Bytes bytes(static_cast<std::size_t>(size) + 1);
  std::size_t used = 0;
  for (;;) {
    if (used == bytes.size()) bytes.resize(used + std::max(used / 2, kChunk));
    const ssize_t n = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail<FileError>("read_file: cannot read '{}': {}", path, reason(errno));
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
    if (used > max_bytes) fail<FileError>("read_file: '{}' must hold at most {} bytes: it holds more", path, max_bytes);
  }
  bytes.resize(used);
  return bytes;
}

Bytes read_unpacked(const std::string& path, std::uint64_t max_bytes) {
  Bytes bytes = read_file(path, max_bytes);
  return is_gzipped(bytes) ? gunzip(bytes, max_bytes, path) : bytes;
}

bool is_gzipped(ByteView data) { return data.size() >= 2 && data[0] == 0x1f && data[1] == 0x8b; }

Bytes gunzip(ByteView data, std::uint64_t max_bytes, const std::string& name) {
  if (!is_gzipped(data)) {
    if (data.size() > max_bytes) {
      fail<FileError>("gunzip: '{}' must hold at most {} bytes: it holds {}", name, max_bytes, data.size());
    }
    return {data.begin(), data.end()};
  }
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  constexpr std::size_t kMaxStep = std::size_t{1} << 30;  // zlib counts a step's bytes in 32 bits
  constexpr std::uint64_t kMaxRatio = 1032;               // deflate's limit
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) fail<FileError>("gunzip: '{}': zlib cannot start", name);
  struct End {
    z_stream* stream;
    ~End() { inflateEnd(stream); }
  } end{&stream};

  // The last four bytes say the unpacked size, truthfully in most files. One byte more, so that a stream that goes on
  // past the cap is told from one that ends at it.
  std::uint64_t hint = 0;
  for (std::size_t i = 0; i < 4 && i < data.size(); ++i) hint = hint << 8 | data[data.size() - 1 - i];
  hint = std::min({hint, max_bytes, kMaxRatio * data.size()});
  Bytes out(static_cast<std::size_t>(hint) + 1);
  std::size_t fed = 0, used = 0;
  for (;;) {
    if (stream.avail_in == 0) {
      const std::size_t step = std::min(data.size() - fed, kMaxStep);
      stream.next_in = const_cast<unsigned char*>(data.data() + fed);  // zlib's C interface; it only reads
      stream.avail_in = static_cast<uInt>(step);
      fed += step;
    }
    if (used == out.size()) {
      out.resize(static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, 2 * used + kChunk)) + 1);
    }
    const auto space = static_cast<uInt>(std::min(out.size() - used, kMaxStep));
    stream.next_out = out.data() + used;
    stream.avail_out = space;
    const int result = inflate(&stream, Z_NO_FLUSH);
    used += space - stream.avail_out;
    if (used > max_bytes) fail<FileError>("gunzip: '{}' must unpack to at most {} bytes: it goes on", name, max_bytes);

    const std::size_t at = fed - stream.avail_in;
    if (result == Z_STREAM_END) {
      if (at == data.size()) break;
      if (!is_gzipped({data.data() + at, data.size() - at})) {
        fail<FileError>("gunzip: '{}' must end with its gzipped data: {} other bytes follow at {}", name,
                        data.size() - at, at);
      }
      inflateReset(&stream);
    } else if (result == Z_BUF_ERROR && at == data.size()) {
      fail<FileError>("gunzip: '{}' is cut off: it ends after {} bytes, {} unpacked, within its gzipped data", name,
                      data.size(), used);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      fail<FileError>("gunzip: '{}' is corrupt: {}, at byte {} of {}", name,
                      stream.msg != nullptr ? stream.msg : "zlib gives no reason", at, data.size());
    }
  }
  out.resize(used);
  return out;
}

void write_file_atomically(const std::string& path, const std::vector<ByteView>& pieces) {
  check_path("write_file", path);
  struct stat old = {};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (!exists && errno != ENOENT) fail_to_write(path, "", errno);
  if (exists) {
    if (S_ISDIR(old.st_mode)) fail_to_write(path, "", EISDIR);
    if (!S_ISREG(old.st_mode)) return write_directly(path, pieces);
    // A rename would replace a protected file; who protected it meant it.
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail_to_write(path, "", errno);
  }

  const SplitPath target = split(link_target(path));
  if (target.name.empty()) fail_to_write(path, "it names a folder: ", ENOENT);
  FileDescriptor folder(open_retrying(AT_FDCWD, target.folder.c_str(), O_RDONLY | O_DIRECTORY));
  if (folder.get() < 0) fail_to_write(path, fmt::format("its folder '{}': ", target.folder), errno);
  TemporaryFile file(folder.get(), target.name, path);
  if (exists) file.take_permissions(old);
  file.fill(pieces);
  file.rename_to(target.name);
  if (!sync(folder.get())) fail_to_write(path, "written, but its folder could not be synced: ", errno);
}

}  // namespace gradus::core
