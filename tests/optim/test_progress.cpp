// Progress and the terminals that it is shown on.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gradus/train.h>

#include "../support/written_to_file.h"

using namespace gradus::train;
using gradus::test::written_to_file;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// An environment variable with another value, or none, for a while.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { set(old_ ? old_->c_str() : nullptr); }

 private:
  void set(const char* value) { value != nullptr ? setenv(name_, value, 1) : unsetenv(name_); }
  const char* name_;
  std::optional<std::string> old_;
};

// A terminal of the system's own, `columns` wide; what programs write there is read from its other side.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(int columns) : master_(posix_openpt(O_RDWR | O_NOCTTY)) {
    BOOST_REQUIRE(master_ >= 0 && grantpt(master_) == 0 && unlockpt(master_) == 0);
    stream = fopen(ptsname(master_), "w");
    BOOST_REQUIRE(stream != nullptr);
    resize(columns);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;
  ~PseudoTerminal() {
    if (stream != nullptr) fclose(stream);
    close(master_);
  }
  void resize(int columns) const {
    winsize size = {};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = 24;
    BOOST_REQUIRE(ioctl(master_, TIOCSWINSZ, &size) == 0);
  }
  // All that was written. To be called once.
  std::string written() {
    fflush(stream);
    fcntl(master_, F_SETFL, O_NONBLOCK);
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = read(master_, buffer, sizeof(buffer))) > 0;) text.append(buffer, static_cast<std::size_t>(n));
    return text;
  }
  FILE* stream = nullptr;

 private:
  int master_;
};

// A bare container may have none: what needs one is then skipped, and the report says why.
boost::test_tools::assertion_result has_pseudo_terminal(boost::unit_test::test_unit_id) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  FILE* const stream =
      master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 ? fopen(ptsname(master), "w") : nullptr;
  boost::test_tools::assertion_result result(stream != nullptr);
  if (stream == nullptr) {
    result.message() << "the system gives no pseudo-terminal: " << std::strerror(errno);
    // Boost.Test tells it only who asks for its whole log.
    std::fprintf(stderr, "a test is skipped: the system gives no pseudo-terminal\n");
  }
  if (stream != nullptr) fclose(stream);
  if (master >= 0) close(master);
  return result;
}
const boost::unit_test::precondition needs_pseudo_terminal(has_pseudo_terminal);

// Columns that the last line drawn over and over takes, without what colours it.
std::size_t columns(const std::string& text) {
  std::size_t n = 0;
  bool escape = false;
  for (const char c : text) {
    escape = escape || c == '\033';
    if (!escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++n;
    if (c == 'm') escape = false;
  }
  return n;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(durations_read_well) {
  BOOST_TEST(duration_text(0.0123) == "12 ms");
  BOOST_TEST(duration_text(0.0996) == "0.1 s");
  BOOST_TEST(duration_text(9.94) == "9.9 s");
  BOOST_TEST(duration_text(9.96) == "10 s");
  BOOST_TEST(duration_text(59.6) == "1 min 00 s");
  BOOST_TEST(duration_text(200) == "3 min 20 s");
  BOOST_TEST(duration_text(3900) == "1 h 05 min");
  BOOST_TEST(duration_text(kNan) == "a long time");
}

BOOST_AUTO_TEST_CASE(a_progress_line_fits_its_terminal) {
  Terminal terminal;
  terminal.width = 90;
  BOOST_TEST(progress_line(terminal, "epoch", 37.5, 100, 3.0, "loss 0.031") ==
             "epoch  37/100 #############.......................  12.5 epochs/s, 5.0 s left  loss 0.031");
  BOOST_TEST(progress_line(terminal, "epoch", 0, 10, 0, "") == "epoch  0/10 " + std::string(40, '.'));
  BOOST_TEST(progress_line(terminal, "epoch", 2, 2, 10.4, "") ==
             "epoch 2/2 " + std::string(40, '#') + "  5.2 s/epoch, 10 s");
  terminal.width = 50;
  BOOST_TEST(progress_line(terminal, "epoch", 37.5, 100, 3.0, "") == "epoch  37/100  12.5 epochs/s, 5.0 s left");
  for (int colour = 0; colour < 2; ++colour) {
    for (int utf8 = 0; utf8 < 2; ++utf8) {
      for (terminal.width = 1; terminal.width < 130; ++terminal.width) {
        terminal.colour = colour == 1;
        terminal.utf8 = utf8 == 1;
        const std::string line = progress_line(terminal, "Epöche", 37.5, 100, 3.0, "Größe 0.031");
        BOOST_TEST(columns(line) <= static_cast<std::size_t>(std::max(terminal.width - 1, 1)));
        BOOST_TEST(holds(line, "\033") == (colour == 1 && (holds(line, "#") || holds(line, "━"))));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(progress_in_a_file_is_plain_lines) {
  const std::string text = written_to_file([](FILE* file) {
    Progress progress(100, "epoch", file);
    for (int i = 0; i <= 1000; ++i) progress.update(i / 10.0, "loss 0.5");
  });
  BOOST_TEST(text.starts_with("epoch 1/100: loss 0.5, "));
  BOOST_TEST(holds(text, "\nepoch 5/100: loss 0.5, "));
  BOOST_TEST(holds(text, " left\nepoch 100/100: loss 0.5, "));
  BOOST_TEST(text.ends_with("\n"));
  BOOST_TEST(count(text, "\n") == 21u);
  for (const char c : text) BOOST_TEST((c == '\n' || (c >= ' ' && c <= '~')));
  for (const int total : {0, 1, 3, 20, 21, 10'000}) {
    const std::string lines = written_to_file([&](FILE* file) {
      Progress progress(total, "batch", file);
      for (int i = 1; i <= total; ++i) progress.update(i);
    });
    BOOST_TEST(count(lines, "\n") >= static_cast<std::size_t>(std::min(total, 3)));
    BOOST_TEST(count(lines, "\n") <= 21u);
    BOOST_TEST(count(lines, "/" + std::to_string(total) + ": ") == count(lines, "\n"));
  }
}

BOOST_AUTO_TEST_CASE(progress_on_a_terminal_is_one_line, *needs_pseudo_terminal) {
  const Variable term("TERM", "xterm"), all("LC_ALL", "de_DE.UTF-8");
  for (const char* no_color : {"", "1"}) {
    const Variable variable("NO_COLOR", no_color);
    PseudoTerminal terminal(100);
    {
      Progress progress(3, "epoch", terminal.stream);
      progress.update(0.5, "a long note that is shorter later");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      progress.update(1, "short");
      progress.update(1.1, "too soon to be drawn");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      terminal.resize(40);
      progress.update(2, "narrow");
      progress.update(3, "the end");
    }
    const std::string text = terminal.written();
    BOOST_TEST(count(text, "\r\n") == 1u);  // the terminal makes two of each \n
    BOOST_TEST(text.ends_with("\r\n"));
    BOOST_TEST(count(text, "\repoch") == 4u);
    BOOST_TEST(holds(text, "━"));
    BOOST_TEST(!holds(text, "too soon"));
    BOOST_TEST(holds(text, "\033") == (no_color[0] == '\0'));
    // The second drawing covers the first, the third stays within 39 columns.
    std::vector<std::string> drawn;
    for (std::size_t at = 0; (at = text.find("\repoch", at)) != std::string::npos;) {
      const std::size_t end = text.find('\r', at + 1);
      drawn.push_back(text.substr(at + 1, end - at - 1));
      at = end;
    }
    BOOST_REQUIRE(drawn.size() == 4u);
    BOOST_TEST(columns(drawn[0]) <= 99u);
    BOOST_TEST(columns(drawn[1]) >= columns(drawn[0]));
    BOOST_TEST(columns(drawn[2]) <= 39u);
    BOOST_TEST(columns(drawn[3]) <= 39u);
  }
}

BOOST_AUTO_TEST_CASE(a_terminal_is_known_by_the_environment, *needs_pseudo_terminal) {
  const Variable all("LC_ALL", ""), ctype("LC_CTYPE", ""), lang("LANG", "C.UTF-8"), no_color("NO_COLOR", nullptr);
  const PseudoTerminal terminal(77);
  {
    const Variable term("TERM", "xterm-256color");
    const Terminal found = terminal_of(terminal.stream);
    BOOST_TEST((found.interactive && found.colour && found.utf8 && found.width == 77));
    const Variable posix("LC_ALL", "C");
    BOOST_TEST(!terminal_of(terminal.stream).utf8);
    const Variable without("NO_COLOR", "1");
    BOOST_TEST((terminal_of(terminal.stream).interactive && !terminal_of(terminal.stream).colour));
    const Variable with("NO_COLOR", "");
    BOOST_TEST(terminal_of(terminal.stream).colour);
  }
  const Variable term("TERM", "dumb");
  BOOST_TEST(!terminal_of(terminal.stream).interactive);
  written_to_file([](FILE* file) {
    const Variable xterm("TERM", "xterm");
    const Terminal found = terminal_of(file);
    BOOST_TEST((!found.interactive && !found.colour && !found.utf8));
  });
}

BOOST_AUTO_TEST_SUITE_END()
