#include <dirent.h>
#include <sys/file.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <utility>

#include "../base/fail.h"
#include "file_descriptor.h"
#include "files.h"

namespace gradus::core {
namespace {

[[noreturn]] void fail_to_write(const std::string& path, const std::string& what, int error) {
  fail<FileError>("write_file: cannot write '{}': {}{}", path, what, reason(error));
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

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

// The temporary names of a target are this, then PID-N.tmp.
std::string temporary_prefix(const std::string& final_name) {
  constexpr std::size_t kMaxStem = 200;  // of the 255 bytes that a name may have
  return "." + final_name.substr(0, kMaxStem) + ".";
}

bool is_temporary(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || !name.ends_with(".tmp") || name.size() < prefix.size() + 4) return false;
  name = name.substr(prefix.size(), name.size() - prefix.size() - 4);
  const auto number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const std::size_t dash = name.find('-');
  return dash != std::string_view::npos && number(name.substr(0, dash)) && number(name.substr(dash + 1));
}

// Removes what savers that were killed have left: their locks went with them. Who cannot be asked for a lock is left.
void remove_abandoned(int folder, const std::string& final_name) {
  const std::string prefix = temporary_prefix(final_name);
  const int fd = open_retrying(folder, ".", O_RDONLY | O_DIRECTORY);
  DIR* const entries = fd < 0 ? nullptr : ::fdopendir(fd);
  if (entries == nullptr) {
    if (fd >= 0) ::close(fd);
    return;
  }
  while (const dirent* const entry = ::readdir(entries)) {
    const char* const name = entry->d_name;
    struct stat listed = {}, opened = {};
    if (!is_temporary(name, prefix)) continue;
    if (::fstatat(folder, name, &listed, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(listed.st_mode)) continue;
    const FileDescriptor file(open_retrying(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK));
    if (file.get() < 0 || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    // Meanwhile the saver may have ended, and the name may be another's.
    if (::fstat(file.get(), &opened) != 0 || ::fstatat(folder, name, &listed, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (same_file(listed, opened)) ::unlinkat(folder, name, 0);
  }
  ::closedir(entries);
}

// A file in `folder`, gone with this object unless it took its final name. As long as the system allows it has no name,
// and is gone with the process as well. Once it has one it is locked, so that others see that it is in use.
class TemporaryFile {
 public:
  TemporaryFile(int folder, const std::string& final_name, const std::string& path)
      : folder_(folder), prefix_(temporary_prefix(final_name)), path_(path) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { remove(); }

  // False where the file system, or the system, has no files without a name.
  bool create_unnamed() {
#ifdef O_TMPFILE
    fd_ = open_retrying(folder_, ".", O_WRONLY | O_TMPFILE, 0666);
    if (fd_ >= 0) ::flock(fd_, LOCK_EX | LOCK_NB);
#endif
    return fd_ >= 0;
  }
  void create_named() {
    int others = 0;
    const bool created = with_fresh_name([&] {
      fd_ = open_retrying(folder_, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
      if (fd_ < 0) return false;
      // Before it is locked, another saver may take it for abandoned. Where there are no locks nobody does.
      struct stat made = {}, listed = {};
      const bool taken = ::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
      const bool gone =
          ::fstat(fd_, &made) != 0 || ::fstatat(folder_, name_.c_str(), &listed, AT_SYMLINK_NOFOLLOW) != 0;
      // Some file systems number a file anew each time it is asked for: theirs never match.
      const bool other = !gone && !same_file(made, listed) && ++others < 3;
      if (taken || gone || other) {
        ::close(std::exchange(fd_, -1));
        errno = EEXIST;
        return false;
      }
      return true;
    });
    if (!created) fail_to_write(path_, "cannot create a file in its folder: ", errno);
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
    // Network file systems report a full disk when a descriptor is closed. Another one keeps the file and its lock. Not
    // repeated on EINTR: Linux has closed the descriptor by then.
    const int other = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (other < 0) fail_to_write(path_, "", errno);
    if (::close(std::exchange(fd_, other)) != 0 && errno != EINTR) fail_to_write(path_, "", errno);
  }

  // Gives an unnamed file a temporary name; a link cannot replace a file, a rename can. False where that is not possible.
  bool give_name() {
    if (named_) return true;
    const std::string opened = fmt::format("/proc/self/fd/{}", fd_);
    return with_fresh_name(
        [&] { return ::linkat(AT_FDCWD, opened.c_str(), folder_, name_.c_str(), AT_SYMLINK_FOLLOW) == 0; });
  }
  void rename_to(const std::string& final_name) {
    if (::renameat(folder_, name_.c_str(), folder_, final_name.c_str()) != 0) fail_to_write(path_, "", errno);
    named_ = false;
  }
  void remove() {
    if (named_) ::unlinkat(folder_, name_.c_str(), 0);
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    named_ = false;
  }

 private:
  // Tries names until `take` succeeds, or fails for another reason than that the name is taken.
  template <class F>
  bool with_fresh_name(F take) {
    static std::atomic<unsigned> counter{0};
    for (int attempt = 0; attempt < 2000 && !named_; ++attempt) {
      name_ = fmt::format("{}{}-{}.tmp", prefix_, ::getpid(), counter++);
      named_ = take();
      if (!named_ && errno != EEXIST) break;
    }
    return named_;
  }

  int folder_, fd_ = -1;
  bool named_ = false;  // name_ is this file's
  std::string prefix_, name_;
  const std::string& path_;
};

// Where a pipe or a device stands nothing can be replaced, and nothing is lost by a half.
void write_directly(const std::string& path, const std::vector<ByteView>& pieces) {
  FileDescriptor file(open_retrying(AT_FDCWD, path.c_str(), O_WRONLY));
  if (file.get() < 0 || !write_all(file.get(), pieces)) fail_to_write(path, "", errno);
}

}  // namespace

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
  remove_abandoned(folder.get(), target.name);
  TemporaryFile file(folder.get(), target.name, path);
  const auto make = [&] {
    if (exists) file.take_permissions(old);
    file.fill(pieces);
    return file.give_name();
  };
  if (!file.create_unnamed() || !make()) {
    file.remove();
    file.create_named();
    make();
  }
  file.rename_to(target.name);
  if (!sync(folder.get())) fail_to_write(path, "written, but its folder could not be synced: ", errno);
}

}  // namespace gradus::core
