// Files: reading with a cap, unpacking, atomic writing with kills and full disks, SHA-256, IDX.
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <set>
#include <thread>

#include <gradus/core/base/errors.h>
#include <gradus/core/files/files.h>
#include <gradus/core/files/idx.h>

#include "../support/sanitized.h"

namespace {

namespace fs = std::filesystem;
using gradus::FileError;
using gradus::core::Bytes;
using gradus::core::ByteView;
using gradus::core::gunzip;
using gradus::core::Idx;
using gradus::core::IdxType;
using gradus::core::parse_idx;
using gradus::core::read_file;
using gradus::core::write_file_atomically;

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;

// Where hundreds of synced saves take no time, if there is such a place.
fs::path in_memory() { return access("/dev/shm", W_OK) == 0 ? fs::path("/dev/shm") : fs::temp_directory_path(); }

struct Folder {
  explicit Folder(const fs::path& base = fs::temp_directory_path()) {
    std::string name = (base / "gradus-files-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(path)) all.insert(entry.path().filename().string());
    return all;
  }
  fs::path path;
};

using Names = std::set<std::string>;

std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }
std::string content(const std::string& path) { return text_of(read_file(path, kPlenty)); }

// The message of the FileError that `action` must throw.
std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.what();
  }
  BOOST_ERROR("no FileError was thrown");
  return "";
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define CHECK_MESSAGE(action, part)                                                          \
  do {                                                                                       \
    const std::string message = error_of([&] { action; });                                   \
    BOOST_CHECK_MESSAGE(holds(message, part), "'" << message << "' lacks '" << part << "'"); \
  } while (false)

Bytes gzip(ByteView data, int level = 9) {
  z_stream stream = {};
  BOOST_REQUIRE(deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(deflateBound(&stream, data.size()));
  stream.next_in = const_cast<unsigned char*>(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  BOOST_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Around a fork. Children are killed and exit with codes here, which Boost.Test's own handler would report as failures;
// and what stands in stdout's buffer must not be printed by the child as well.
struct QuietChildren {
  QuietChildren() {
    std::fflush(nullptr);
    struct sigaction quiet = {};
    quiet.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &quiet, &before);
  }
  QuietChildren(const QuietChildren&) = delete;
  QuietChildren& operator=(const QuietChildren&) = delete;
  ~QuietChildren() { sigaction(SIGCHLD, &before, nullptr); }
  struct sigaction before = {};
};

// Runs `action` in a child process and returns its result, or -1 when it threw.
int in_child(const std::function<int()>& action) {
  const QuietChildren quiet;
  const pid_t child = fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    try {
      _exit(action());
    } catch (...) {
      _exit(255);
    }
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) != 255 ? WEXITSTATUS(status) : -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const Folder folder;
  const std::string path = folder / "a";
  const std::string zeros("a\0b", 3);
  write_file_atomically(path, {zeros, ByteView(), "", Bytes{1, 2, 255}});
  BOOST_TEST(content(path) == zeros + "\x01\x02\xff");
  write_file_atomically(path, {});
  BOOST_TEST(content(path).empty());
  std::string large(5'000'000, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 3);
  write_file_atomically(path, {large, "end"});
  BOOST_TEST((content(path) == large + "end"));
  BOOST_TEST(folder.names() == Names{"a"});
}

BOOST_AUTO_TEST_CASE(reading_is_capped) {
  const Folder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, {"12345"});
  BOOST_TEST(read_file(path, 5).size() == 5u);
  CHECK_MESSAGE(read_file(path, 4), "a' must hold at most 4 bytes: it holds 5");
  BOOST_TEST(read_file(path, UINT64_MAX).size() == 5u);
  // A file of 8 TiB, all hole: refused by its size.
  fs::resize_file(path, std::uintmax_t{1} << 43);
  CHECK_MESSAGE(read_file(path, kPlenty), "must hold at most 1073741824 bytes: it holds 8796093022208");
  CHECK_MESSAGE(read_file("/dev/zero", 3'000'000), "'/dev/zero' must hold at most 3000000 bytes: it holds more");
  // Files that say no size.
  BOOST_TEST(holds(content("/proc/self/status"), "Name:"));
  BOOST_TEST(content("/dev/null").empty());
}

namespace {

// By how many MiB the most memory that a process ever had in use grows through `action`; -1 where that cannot be told.
int peak_growth(const std::function<void()>& action) {
  return in_child([&] {
    const auto peak = [] {
      std::ifstream status("/proc/self/status");
      for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::atoi(line.c_str() + 6) / 1024;
      }
      return 0;
    };
    std::ofstream("/proc/self/clear_refs") << 5;  // begins anew with what is in use now
    const int before = peak();
    action();
    return before == 0 || gradus::test::kSanitized ? -1 : std::min(peak() - before, 250);
  });
}

constexpr int kSlack = 12;  // MiB that a process may gain besides

// A pipe that is fed `count` MiB by a thread.
struct FedPipe {
  FedPipe(const Folder& folder, int count) : path(folder / "fed") {
    if (mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    feeder = std::thread([this, count] {
      std::ofstream to(path, std::ios::binary);
      const std::string mib(1 << 20, 'x');
      for (int i = 0; i < count; ++i) to << mib;
    });
  }
  ~FedPipe() { feeder.join(); }
  std::string path;
  std::thread feeder;
};

}  // namespace

// Nothing is held twice, however its length becomes known, and no buffer outgrows the cap.
BOOST_AUTO_TEST_CASE(what_is_read_is_held_once) {
  constexpr int kMiB = 1 << 20;
  const Folder folder(in_memory());
  BOOST_TEST(peak_growth([] { error_of([] { read_file("/dev/zero", 48 * kMiB); }); }) <= 48 + kSlack);
  {
    const FedPipe pipe(folder, 40);
    BOOST_TEST(peak_growth([&] {
                 if (read_file(pipe.path, kPlenty).size() != 40u * kMiB) std::abort();
               }) <= 40 + kSlack);
  }
  const auto save = [&](const Bytes& bytes) {
    write_file_atomically(folder / "a", {bytes});
    return folder / "a";
  };
  const std::string plain = save(Bytes(40 * kMiB));
  BOOST_TEST(peak_growth([&] { read_file(plain, kPlenty); }) <= 40 + kSlack);
  // The last member's size, which stands at the end, says nothing of the first's.
  const std::string bomb = save(gzip(Bytes(64 * kMiB), 1) + gzip("x"));
  BOOST_TEST(peak_growth([&] { error_of([&] { gradus::core::read_unpacked(bomb, 48 * kMiB); }); }) <= 48 + kSlack);
  BOOST_TEST(peak_growth([&] { gradus::core::read_unpacked(bomb, kPlenty); }) <= 64 + kSlack);
  Bytes noise(30 * kMiB);
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < noise.size(); i += 8) {
    const std::uint64_t word = random();
    std::memcpy(noise.data() + i, &word, 8);
  }
  const std::string packed = save(gzip(noise, 0));
  BOOST_TEST(peak_growth([&] {
               if (gradus::core::read_unpacked(packed, kPlenty) != noise) std::abort();
             }) <= 30 + kSlack);
}

// What does not begin as it should is not read to its end: these have none.
BOOST_AUTO_TEST_CASE(what_is_wrong_from_the_start_is_refused_there) {
  BOOST_TEST(peak_growth([] { error_of([] { gradus::core::read_idx("/dev/zero", UINT64_MAX); }); }) <= kSlack);
  int calls = 0;
  const auto look = [&](ByteView start) {
    ++calls;
    BOOST_TEST(start.size() == 64u);
    throw FileError("not this");
  };
  CHECK_MESSAGE(read_file("/dev/zero", UINT64_MAX, look), "not this");
  CHECK_MESSAGE(gradus::core::read_unpacked("/dev/zero", UINT64_MAX, look), "not this");
  BOOST_TEST(calls == 2);
  const Folder folder;
  write_file_atomically(folder / "a", {"short"});
  const auto see = [&](ByteView start) { BOOST_TEST(start.text() == "short"); };
  BOOST_TEST(text_of(read_file(folder / "a", 5, see)) == "short");
  write_file_atomically(folder / "a", {gzip("short")});
  BOOST_TEST(text_of(gradus::core::read_unpacked(folder / "a", 5, see)) == "short");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_named) {
  const Folder folder;
  CHECK_MESSAGE(read_file(folder / "absent", kPlenty), "absent': No such file or directory");
  CHECK_MESSAGE(read_file(folder.path.string(), kPlenty), "': Is a directory");
  CHECK_MESSAGE(read_file("", kPlenty), "a path must name a file: it is empty");
  CHECK_MESSAGE(read_file(std::string("a\0b", 3), kPlenty), "must not contain a zero byte: 'a' has one at 1");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_named) {
  const Folder folder;
  CHECK_MESSAGE(write_file_atomically(folder / "absent/a", {"x"}), "absent': No such file or directory");
  CHECK_MESSAGE(write_file_atomically(folder / "absent/", {"x"}), "it names a folder");
  CHECK_MESSAGE(write_file_atomically(folder.path.string(), {"x"}), "': Is a directory");
  CHECK_MESSAGE(write_file_atomically("", {"x"}), "it is empty");
  CHECK_MESSAGE(write_file_atomically(std::string("a\0b", 3), {"x"}), "zero byte");
  CHECK_MESSAGE(write_file_atomically("/proc/a", {"x"}), "cannot write '/proc/a'");
  write_file_atomically(folder / "file", {"x"});
  CHECK_MESSAGE(write_file_atomically(folder / "file/a", {"x"}), "Not a directory");
  CHECK_MESSAGE(write_file_atomically(folder / std::string(256, 'n'), {"x"}), "File name too long");
  BOOST_TEST(folder.names() == Names{"file"});
  // The longest name that there is still leaves room for the temporary one.
  const std::string longest(255, 'n');
  write_file_atomically(folder / longest, {"x"});
  BOOST_TEST(content(folder / longest) == "x");
}

// Never tried on the machine's own devices: a mistake here, with root's rights, would replace them.
BOOST_AUTO_TEST_CASE(pipes_and_sockets_stay) {
  const Folder folder;
  const std::string path = folder / "pipe";
  BOOST_REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  std::string received;
  std::thread reader([&] { received = content(path); });
  write_file_atomically(path, {"through", " a pipe"});
  reader.join();
  BOOST_TEST(received == "through a pipe");
  BOOST_TEST(fs::is_fifo(path));

  const std::string socket_path = folder / "socket";
  BOOST_REQUIRE(mknod(socket_path.c_str(), S_IFSOCK | 0600, 0) == 0);
  CHECK_MESSAGE(write_file_atomically(socket_path, {"x"}), "socket': No such device or address");
  BOOST_TEST(fs::is_socket(socket_path));
  BOOST_TEST(folder.names() == (Names{"pipe", "socket"}));
}

BOOST_AUTO_TEST_CASE(permissions_are_kept) {
  const Folder folder;
  const std::string path = folder / "a";
  const auto mode = [&] {
    struct stat status = {};
    BOOST_REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
  };
  const mode_t mask = umask(027);
  write_file_atomically(path, {"new"});
  umask(mask);
  BOOST_TEST(mode() == 0640u);
  for (const mode_t kept : {0600u, 0666u, 0751u}) {
    BOOST_REQUIRE(chmod(path.c_str(), kept) == 0);
    write_file_atomically(path, {"again"});
    BOOST_TEST(mode() == kept);
  }
  if (geteuid() == 0) {
    BOOST_REQUIRE(chown(path.c_str(), 12345, 23456) == 0);
    write_file_atomically(path, {"root keeps the owner"});
    struct stat status = {};
    BOOST_REQUIRE(stat(path.c_str(), &status) == 0);
    BOOST_TEST(status.st_uid == 12345u);
    BOOST_TEST(status.st_gid == 23456u);
  }
}

BOOST_AUTO_TEST_CASE(protected_files_and_folders_are_left_alone) {
  const Folder folder;
  const std::string path = folder / "a", inner = folder / "inner";
  write_file_atomically(path, {"old"});
  fs::create_directory(inner);
  fs::permissions(folder.path, fs::perms::all);
  BOOST_REQUIRE(chmod(path.c_str(), 0444) == 0);
  BOOST_REQUIRE(chmod(inner.c_str(), 0555) == 0);
  // Root may write anything, so that a child gives its rights up first.
  const auto refused = [&](const std::string& at) {
    return in_child([&] {
      if (geteuid() == 0 && setuid(65534) != 0) return 2;
      return holds(error_of([&] { write_file_atomically(at, {"new"}); }), "Permission denied") ? 0 : 1;
    });
  };
  BOOST_TEST(refused(path) == 0);
  BOOST_TEST(refused(inner + "/b") == 0);
  BOOST_TEST(content(path) == "old");
  BOOST_TEST(folder.names() == (Names{"a", "inner"}));
  BOOST_TEST(fs::is_empty(inner));
}

BOOST_AUTO_TEST_CASE(symbolic_links_are_followed) {
  const Folder folder;
  fs::create_directory(folder / "there");
  write_file_atomically(folder / "there/target", {"old"});
  fs::create_symlink("there/target", folder / "link");
  fs::create_symlink("link", folder / "link-to-link");
  write_file_atomically(folder / "link-to-link", {"new"});
  BOOST_TEST(fs::is_symlink(folder / "link-to-link"));
  BOOST_TEST(fs::is_symlink(folder / "link"));
  BOOST_TEST(!fs::is_symlink(folder / "there/target"));
  BOOST_TEST(content(folder / "there/target") == "new");

  fs::create_symlink(folder / "there/fresh", folder / "dangling");
  write_file_atomically(folder / "dangling", {"first"});
  BOOST_TEST(fs::is_symlink(folder / "dangling"));
  BOOST_TEST(content(folder / "there/fresh") == "first");

  fs::create_symlink("loop", folder / "loop");
  CHECK_MESSAGE(write_file_atomically(folder / "loop", {"x"}), "Too many levels of symbolic links");
  BOOST_TEST(folder.names() == (Names{"there", "link", "link-to-link", "dangling", "loop"}));
}

// A temporary name that is taken, even by a link that leads elsewhere, is never written through.
BOOST_AUTO_TEST_CASE(what_bears_a_temporary_name_is_left_alone) {
  const Folder folder;
  write_file_atomically(folder / "victim", {"untouched"});
  for (int i = 0; i < 1000; ++i) {
    fs::create_symlink("victim", folder / (".a." + std::to_string(getpid()) + "-" + std::to_string(i) + ".tmp"));
  }
  write_file_atomically(folder / "a", {"new"});
  BOOST_TEST(content(folder / "a") == "new");
  BOOST_TEST(content(folder / "victim") == "untouched");
  BOOST_TEST(!fs::is_symlink(folder / "a"));
  BOOST_TEST(folder.names().size() == 1002u);
}

// What a killed saver left goes with the next save; what another holds, or only looks alike, stays.
BOOST_AUTO_TEST_CASE(abandoned_temporaries_are_removed) {
  const Folder folder;
  const std::string long_name(250, 'n');
  const auto make = [&](const std::string& name) { std::ofstream(folder / name) << "x"; };
  const Names others = {".a.b.1-2.tmp", ".a.1-2.tmp.bak", "a.1-2.tmp",   ".ab.1-2.tmp", ".a.1-.tmp", ".a.-2.tmp",
                        ".a..tmp",      ".a.tmp",         ".a.1x-2.tmp", ".b.1-2.tmp",  "b",         ".a.12.tmp"};
  for (const std::string& name : others) make(name);
  make(".a.1-2.tmp");
  make(".a.4194304999-17.tmp");
  make(".a." + std::to_string(getpid()) + "-0.tmp");
  make("." + std::string(200, 'n') + ".1-2.tmp");
  fs::create_directory(folder / ".a.7-7.tmp");
  BOOST_REQUIRE(mkfifo((folder / ".a.8-8.tmp").c_str(), 0600) == 0);
  make(".a.9-9.tmp");
  const int held = open((folder / ".a.9-9.tmp").c_str(), O_RDONLY);
  BOOST_REQUIRE(flock(held, LOCK_EX) == 0);
  write_file_atomically(folder / "a", {"new"});
  write_file_atomically(folder / long_name, {"new"});
  Names left = others;
  left.insert({"a", long_name, ".a.7-7.tmp", ".a.8-8.tmp", ".a.9-9.tmp"});
  BOOST_TEST(folder.names() == left, boost::test_tools::per_element());
  close(held);
  write_file_atomically(folder / "a", {"newer"});
  left.erase(".a.9-9.tmp");
  BOOST_TEST(folder.names() == left, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_reader_of_the_old_file_keeps_it) {
  const Folder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, {"the old content"});
  std::ifstream reader(path);
  std::string first(4, ' ');
  reader.read(first.data(), 4);
  write_file_atomically(path, {"new"});
  std::string rest;
  std::getline(reader, rest);
  BOOST_TEST(first + rest == "the old content");
  // What was read from a file can be its new content.
  const Bytes bytes = read_file(path, kPlenty);
  write_file_atomically(path, {bytes, bytes});
  BOOST_TEST(content(path) == "newnew");
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_the_old_file) {
  const Folder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, {"old"});
  const std::string large(1'000'000, 'n');
  const int result = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);  // write() then fails with EFBIG, half-way
    const rlimit limit = {300'000, 300'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    return holds(error_of([&] { write_file_atomically(path, {large}); }), "a': File too large") ? 0 : 1;
  });
  BOOST_TEST(result == 0);
  BOOST_TEST(content(path) == "old");
  BOOST_TEST(folder.names() == Names{"a"});
}

BOOST_AUTO_TEST_CASE(several_threads_write_one_path) {
  const Folder folder;
  const std::string path = folder / "a";
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'e'; ++c) {
    writers.emplace_back([&path, c] {
      for (int i = 0; i < 20; ++i) write_file_atomically(path, {std::string(50'000, c)});
    });
  }
  for (auto& writer : writers) writer.join();
  const std::string last = content(path);
  BOOST_TEST(last.size() == 50'000u);
  BOOST_TEST((last == std::string(50'000, last.empty() ? ' ' : last[0])));
  BOOST_TEST(folder.names() == Names{"a"});
}

namespace {

const std::string kOld(200'000, 'o'), kNew(300'000, 'n');

// What a kill may leave beside the file: the temporary one, by its name.
bool only_temporaries_beside(const Folder& folder) {
  for (const std::string& name : folder.names()) {
    if (name != "a" && !(name.starts_with(".a.") && name.ends_with(".tmp"))) return false;
  }
  return true;
}

// What the system lacks. Where it has no files without a name, or cannot name them, the temporary has one from the start.
enum class Lacks { Nothing, UnnamedFiles, Links };

// From now on, for this process. False where the system has no filters.
bool lack(Lacks what) {
  if (what == Lacks::Nothing) return true;
  constexpr std::uint32_t kCall = offsetof(seccomp_data, nr), kFlags = offsetof(seccomp_data, args) + 2 * 8;
  constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
  constexpr std::uint32_t kRefuse = static_cast<std::uint32_t>(SECCOMP_RET_ERRNO) | EOPNOTSUPP;
  constexpr std::uint32_t kTmpFile = static_cast<std::uint32_t>(O_TMPFILE & ~O_DIRECTORY);
  sock_filter opens[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCall),  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFlags), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kTmpFile, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kRefuse),         BPF_STMT(BPF_RET | BPF_K, kAllow)};
  sock_filter links[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCall),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 0, 1), BPF_STMT(BPF_RET | BPF_K, kRefuse),
                         BPF_STMT(BPF_RET | BPF_K, kAllow)};
  const sock_fprog program =
      what == Lacks::Links ? sock_fprog{std::size(links), links} : sock_fprog{std::size(opens), opens};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Writes kNew over kOld in a child that is stopped before and after every system call, and killed at stop number
// `last_stop`. The system calls entered are appended to `calls`, those left to `done`. False when the child came to its
// end before.
bool killed_at_stop(const std::string& path, Lacks lacks, int last_stop, std::vector<std::uint64_t>& calls,
                    std::size_t& done) {
  const QuietChildren quiet;
  const pid_t child = fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    if (!lack(lacks) || ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(254);
    raise(SIGSTOP);
    write_file_atomically(path, {kNew});
    _exit(0);
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) return false;
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  for (int stop = 0; stop < last_stop; ++stop) {
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) return false;
    __ptrace_syscall_info info = {};
    ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) calls.push_back(info.entry.nr);
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) done = calls.size();
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return true;
}

bool can_trace(Lacks lacks) {
  return in_child([&] { return lack(lacks) && ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 1 : 0; }) == 1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_kill_at_every_system_call_leaves_old_or_new) {
  for (const Lacks lacks : {Lacks::Nothing, Lacks::UnnamedFiles, Lacks::Links}) {
    if (!can_trace(lacks)) {
      BOOST_TEST_MESSAGE(
          "this system does not let a process trace or restrict its child: only kills at random moments "
          "are tried");
      continue;
    }
    const auto is_rename = [](std::uint64_t call) {
#ifdef SYS_renameat
      if (call == SYS_renameat) return true;
#endif
      return call == SYS_renameat2;
    };
    int old_seen = 0, new_seen = 0;
    std::set<std::pair<std::uint64_t, bool>> leftovers;  // the call before or behind which a name is left
    std::vector<std::uint64_t> calls;
    for (int stop = 0;; ++stop) {
      const Folder folder(in_memory());
      write_file_atomically(folder / "a", {kOld});
      calls.clear();
      std::size_t done = 0;
      const bool killed = killed_at_stop(folder / "a", lacks, stop, calls, done);
      const std::string found = content(folder / "a");
      BOOST_TEST((found == kOld || found == kNew));
      BOOST_TEST(only_temporaries_beside(folder));
      // A sanitizer's allocator may ask the system for memory in between, and not at each try alike: that is no moment of
      // the saving, and shifts the stops, so that one is met twice.
      const bool of_memory =
          !calls.empty() && (calls.back() == SYS_mmap || calls.back() == SYS_munmap || calls.back() == SYS_madvise);
      if (folder.names().size() > 1 && !of_memory)
        leftovers.insert({calls.empty() ? 0 : calls.back(), done == calls.size()});
      // Old until the name is entered to change, new once it is changed.
      const auto renaming =
          static_cast<std::size_t>(std::find_if(calls.begin(), calls.end(), is_rename) - calls.begin());
      if (renaming == calls.size()) BOOST_TEST((found == kOld));
      if (renaming < done) BOOST_TEST((found == kNew));
      (found == kNew ? new_seen : old_seen) += 1;
      // What was left behind does not hinder the next save, and goes with it.
      write_file_atomically(folder / "a", {"next"});
      BOOST_TEST(content(folder / "a") == "next");
      BOOST_TEST(folder.names() == Names{"a"});
      if (!killed) break;
      BOOST_REQUIRE(stop < 1000);
    }
    BOOST_TEST(old_seen > 10);
    BOOST_TEST(new_seen > 2);
    // Without a name until it is whole, there is little time in which something can be left.
    BOOST_TEST((lacks == Lacks::Nothing ? leftovers.size() <= 2 : leftovers.size() > 2));

    // Durable as well: the content is synced before the name changes, the folder after.
    const auto rename = std::find_if(calls.begin(), calls.end(), is_rename);
    BOOST_REQUIRE((rename != calls.end()));
    BOOST_TEST((std::find(calls.begin(), rename, SYS_write) != rename));
    BOOST_TEST((std::find(std::find(calls.begin(), rename, SYS_write), rename, SYS_fsync) != rename));
    BOOST_TEST((std::find(rename, calls.end(), SYS_fsync) != calls.end()));
  }
}

BOOST_AUTO_TEST_CASE(a_kill_at_a_random_moment_leaves_old_or_new) {
  const Folder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, {kOld});
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    const QuietChildren quiet;
    const pid_t child = fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      for (;;) {
        write_file_atomically(path, {kNew});
        write_file_atomically(path, {kOld});
      }
    }
    usleep(static_cast<useconds_t>(random() % 5000));
    kill(child, SIGKILL);
    BOOST_REQUIRE(waitpid(child, nullptr, 0) == child);
    const std::string found = content(path);
    BOOST_TEST((found == kOld || found == kNew));
    BOOST_TEST(only_temporaries_beside(folder));
  }
  write_file_atomically(path, {kNew});
  BOOST_TEST(folder.names() == Names{"a"});
}

// Savers that find each other's temporaries take none of them for abandoned.
BOOST_AUTO_TEST_CASE(several_processes_write_one_path) {
  for (const Lacks lacks : {Lacks::Nothing, Lacks::UnnamedFiles}) {
    const Folder folder;
    const std::string path = folder / "a";
    const QuietChildren quiet;
    std::vector<pid_t> children;
    for (char c = 'a'; c < 'd'; ++c) {
      children.push_back(fork());
      BOOST_REQUIRE(children.back() >= 0);
      if (children.back() > 0) continue;
      try {
        lack(lacks);
        for (int i = 0; i < 30; ++i) write_file_atomically(path, {std::string(50'000, c)});
      } catch (...) {
        _exit(1);
      }
      _exit(0);
    }
    for (const pid_t child : children) {
      int status = 0;
      BOOST_REQUIRE(waitpid(child, &status, 0) == child);
      BOOST_TEST(status == 0);
    }
    const std::string last = content(path);
    BOOST_TEST((last == std::string(50'000, last.empty() ? ' ' : last[0])));
    BOOST_TEST(folder.names() == Names{"a"});
  }
}

BOOST_AUTO_TEST_CASE(gunzip_unpacks) {
  const std::string text = "unpack me, unpack me, unpack me";
  BOOST_TEST(text_of(gunzip(gzip(text), kPlenty, "t")) == text);
  BOOST_TEST(text_of(gunzip(text, kPlenty, "t")) == text);
  BOOST_TEST(gunzip("", kPlenty, "t").empty());
  BOOST_TEST(gunzip(gzip(""), kPlenty, "t").empty());
  // Members one after the other, as `cat a.gz b.gz` makes them.
  BOOST_TEST(text_of(gunzip(gzip("one ") + gzip("") + gzip("two"), kPlenty, "t")) == "one two");

  const Folder folder;
  write_file_atomically(folder / "plain", {text});
  write_file_atomically(folder / "packed", {gzip(text)});
  BOOST_TEST(text_of(gradus::core::read_unpacked(folder / "plain", kPlenty)) == text);
  BOOST_TEST(text_of(gradus::core::read_unpacked(folder / "packed", kPlenty)) == text);
}

BOOST_AUTO_TEST_CASE(gunzip_is_capped) {
  const std::string text(1000, 'x');
  BOOST_TEST(gunzip(gzip(text), 1000, "t").size() == 1000u);
  CHECK_MESSAGE(gunzip(gzip(text), 999, "t"), "'t' must unpack to at most 999 bytes: it goes on");
  BOOST_TEST(gunzip(text, 1000, "t").size() == 1000u);
  CHECK_MESSAGE(gunzip(text, 999, "t"), "'t' must hold at most 999 bytes: it holds 1000");
  // 50 MB of zeros, twice, in 100 kB.
  const Bytes bomb = gzip(std::string(50'000'000, '\0'));
  CHECK_MESSAGE(gunzip(bomb, 1'000'000, "t"), "must unpack to at most 1000000 bytes");
  CHECK_MESSAGE(gunzip(bomb + bomb, 99'999'999, "t"), "must unpack to at most 99999999 bytes");
  BOOST_TEST(gunzip(bomb + bomb, 100'000'000, "t").size() == 100'000'000u);
}

BOOST_AUTO_TEST_CASE(gunzip_refuses_what_is_cut_off_or_corrupt) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += std::to_string(i * i);
  const Bytes packed = gzip(text);
  for (std::size_t size = 2; size < packed.size(); ++size) {
    CHECK_MESSAGE(gunzip({packed.data(), size}, kPlenty, "t"), "'t' is cut off: it ends after " + std::to_string(size));
    // The second of two members cut off.
    const Bytes two = packed + Bytes(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_MESSAGE(gunzip(two, kPlenty, "t"), "'t' is cut off");
  }
  CHECK_MESSAGE(gunzip(packed + Bytes{0, 0, 0}, kPlenty, "t"),
                "other bytes follow at " + std::to_string(packed.size()));
  CHECK_MESSAGE(gunzip(packed + Bytes{0x1f}, kPlenty, "t"), "other bytes follow at " + std::to_string(packed.size()));
  // Every single bit turned: an error, or (the header's time and the like) the very same content.
  int refused = 0;
  for (std::size_t bit = 16; bit < 8 * packed.size(); ++bit) {
    Bytes wrong = packed;
    wrong[bit / 8] = static_cast<unsigned char>(wrong[bit / 8] ^ (1u << bit % 8));
    try {
      BOOST_TEST(text_of(gunzip(wrong, kPlenty, "t")) == text);
    } catch (const FileError& error) {
      ++refused;
      BOOST_TEST(holds(error.what(), "'t' is "));
    }
  }
  BOOST_TEST(static_cast<std::size_t>(refused) > 8 * (packed.size() - 10));
}

namespace {

Bytes idx_header(unsigned type, const std::vector<std::uint32_t>& sizes) {
  Bytes bytes = {0, 0, static_cast<unsigned char>(type), static_cast<unsigned char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<unsigned char>(size >> shift));
  }
  return bytes;
}

Bytes counting(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<unsigned char>(i + 1);
  return bytes;
}

template <class T>
T first_of(const Idx& idx) {
  T value;
  BOOST_REQUIRE(idx.bytes.size() >= sizeof(T));
  std::memcpy(&value, idx.bytes.data(), sizeof(T));
  return value;
}

}  // namespace

BOOST_AUTO_TEST_CASE(idx_is_read) {
  const Bytes bytes = idx_header(0x08, {2, 3, 4}) + counting(24);
  const Folder folder;
  write_file_atomically(folder / "plain", {bytes});
  write_file_atomically(folder / "packed.gz", {gzip(bytes)});
  for (const Idx& idx : {parse_idx(bytes, "t"), parse_idx(gzip(bytes), "t"), gradus::core::read_idx(folder / "plain"),
                         gradus::core::read_idx(folder / "packed.gz")}) {
    BOOST_TEST((idx.type == IdxType::UInt8));
    BOOST_TEST(idx.shape == (std::vector<std::int64_t>{2, 3, 4}));
    BOOST_TEST((idx.bytes == counting(24)));
  }
  BOOST_TEST(parse_idx(idx_header(0x08, {}) + Bytes{7}, "t").shape.empty());
  BOOST_TEST(parse_idx(idx_header(0x08, {3, 0, 5}), "t").bytes.empty());
  BOOST_TEST(parse_idx(idx_header(0x08, std::vector<std::uint32_t>(8, 1)) + Bytes{7}, "t").shape.size() == 8u);
}

BOOST_AUTO_TEST_CASE(idx_numbers_come_in_the_machines_byte_order) {
  BOOST_TEST(first_of<std::int8_t>(parse_idx(idx_header(0x09, {1}) + Bytes{0xfe}, "t")) == -2);
  BOOST_TEST(first_of<std::int16_t>(parse_idx(idx_header(0x0B, {1}) + Bytes{0xff, 0x00}, "t")) == -256);
  BOOST_TEST(first_of<std::int32_t>(parse_idx(idx_header(0x0C, {1}) + Bytes{0x01, 0x02, 0x03, 0x04}, "t")) ==
             0x01020304);
  BOOST_TEST(first_of<float>(parse_idx(idx_header(0x0D, {1}) + Bytes{0xc0, 0x20, 0, 0}, "t")) == -2.5f);
  const Idx two = parse_idx(idx_header(0x0E, {2}) + Bytes{0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "t");
  BOOST_TEST(first_of<double>(two) == 1.5);
  double smallest = 0;
  std::memcpy(&smallest, two.bytes.data() + 8, 8);
  BOOST_TEST(smallest == 4.9406564584124654e-324);
}

BOOST_AUTO_TEST_CASE(idx_refuses_what_is_malformed) {
  const auto four_gib = idx_header(0x08, {65536, 65536});
  BOOST_TEST(four_gib.size() == 12u);
  CHECK_MESSAGE(parse_idx(four_gib, "t"), "'t' must hold the 4294967296 bytes of its shape [65536, 65536]: 0 bytes");
  CHECK_MESSAGE(parse_idx("", "t"), "magic number of 4 bytes: it holds 0");
  CHECK_MESSAGE(parse_idx(Bytes{0, 0, 8}, "t"), "magic number of 4 bytes: it holds 3");
  CHECK_MESSAGE(parse_idx("PK\3\4....", "t"), "it begins with 50 4b 03 04");
  CHECK_MESSAGE(parse_idx(Bytes{0, 1, 8, 0, 1}, "t"), "it begins with 00 01 08 00");
  for (const unsigned code : {0x00u, 0x07u, 0x0Au, 0x0Fu, 0xFFu}) {
    CHECK_MESSAGE(parse_idx(idx_header(code, {1}) + Bytes{1}, "t"), "the type of 't' must be one of");
  }
  CHECK_MESSAGE(parse_idx(idx_header(0x08, std::vector<std::uint32_t>(9, 1)) + Bytes{1}, "t"),
                "at most 8 dimensions: it has 9");
  CHECK_MESSAGE(parse_idx(Bytes{0, 0, 8, 255}, "t"), "at most 8 dimensions: it has 255");
  CHECK_MESSAGE(parse_idx(Bytes{0, 0, 8, 3, 0, 0, 0, 1}, "t"), "a header of 16 bytes (3 dimensions): it holds 8");
  const std::uint32_t most = 0xFFFFFFFF;
  CHECK_MESSAGE(parse_idx(idx_header(0x08, {most, most, 2}), "t"),
                "must have a product below 2^63 bytes: [4294967295, 4294967295, 2] of 1 bytes each");
  CHECK_MESSAGE(parse_idx(idx_header(0x0E, {1u << 31, 1u << 29}), "t"), "product below 2^63 bytes");
  CHECK_MESSAGE(parse_idx(idx_header(0x08, {most, most, most, most, 0}), "t"), "product below 2^63 bytes");
  CHECK_MESSAGE(parse_idx(idx_header(0x08, {0, most, most, most}), "t"), "product below 2^63 bytes");
  CHECK_MESSAGE(parse_idx(idx_header(0x0D, {2, 3}) + counting(6), "t"), "the 24 bytes of its shape [2, 3]: 6 bytes");
  CHECK_MESSAGE(parse_idx(idx_header(0x08, {2, 3}) + counting(7), "t"), "7 bytes follow its header, too many");
  CHECK_MESSAGE(parse_idx(idx_header(0x08, {0}) + counting(1), "t"), "the 0 bytes of its shape [0]: 1 bytes");
  CHECK_MESSAGE(parse_idx(gzip(idx_header(0x08, {100}) + counting(100)), "t", 50), "at most 50 bytes");
  CHECK_MESSAGE(gradus::core::read_idx("/absent/file"), "'/absent/file': No such file or directory");
}

BOOST_AUTO_TEST_CASE(idx_refuses_every_cut_and_every_longer_file) {
  for (const unsigned type : {0x08u, 0x0Bu, 0x0Eu}) {
    const auto element = static_cast<std::size_t>(size_of(static_cast<IdxType>(type)));
    const Bytes whole = idx_header(type, {2, 1, 3}) + counting(6 * element);
    BOOST_TEST(parse_idx(whole, "t").bytes.size() == 6 * element);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK_MESSAGE(parse_idx({whole.data(), size}, "t"), "idx: 't' must ");
      const Bytes packed = gzip({whole.data(), size});
      CHECK_MESSAGE(parse_idx(packed, "t"), "idx: 't' must ");
    }
    CHECK_MESSAGE(parse_idx(whole + Bytes{0}, "t"), "too many");
  }
}

BOOST_AUTO_TEST_CASE(idx_survives_random_damage) {
  const Bytes whole = idx_header(0x0B, {2, 3, 2}) + counting(24);
  std::mt19937 random(3);
  int refused = 0, read = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes wrong = whole;
    wrong.resize(random() % 3 == 0 ? random() % (whole.size() + 8) : whole.size());
    for (unsigned hits = random() % 4; hits > 0 && !wrong.empty(); --hits) {
      wrong[random() % std::min<std::size_t>(wrong.size(), 18)] = static_cast<unsigned char>(random() % 20);
    }
    try {
      const Idx idx = parse_idx(wrong, "t");
      std::int64_t product = size_of(idx.type);
      for (const std::int64_t size : idx.shape) product *= size;
      BOOST_TEST(product == static_cast<std::int64_t>(idx.bytes.size()));
      ++read;
    } catch (const FileError&) {
      ++refused;
    }
  }
  BOOST_TEST(refused > 1000);
  BOOST_TEST(read > 1000);
}

BOOST_AUTO_TEST_SUITE_END()
