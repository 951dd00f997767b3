// What the example programs share: reading the data sets, progress, the confusion table, the learning curves.
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <thread>

#include <gradus/core/base/errors.h>
#include <gradus/core/files/files.h>

#include "../../examples/support/confusion.h"
#include "../../examples/support/curves.h"
#include "../../examples/support/digits.h"
#include "../../examples/support/mnist.h"
#include "../../examples/support/progress.h"
#include "../../examples/support/terminal.h"

namespace {

namespace fs = std::filesystem;
using namespace examples;
using gradus::core::Bytes;
using gradus::core::write_file_atomically;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

void check_error(const std::function<void()>& action, const std::string& part) {
  try {
    action();
    BOOST_ERROR("no FileError was thrown, which should say: " << part);
  } catch (const gradus::FileError& error) {
    BOOST_CHECK_MESSAGE(holds(error.what(), part), "'" << error.what() << "' lacks '" << part << "'");
  }
}

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "gradus-support-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

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

std::string written_to_file(const std::function<void(FILE*)>& action) {
  FILE* file = tmpfile();
  BOOST_REQUIRE(file != nullptr);
  action(file);
  std::string text(static_cast<std::size_t>(ftell(file)), ' ');
  rewind(file);
  const std::size_t got = fread(text.data(), 1, text.size(), file);
  fclose(file);
  BOOST_REQUIRE(got == text.size());
  return text;
}

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

std::string digit_line(int pixel, int label) {
  std::string line;
  for (int i = 0; i < 64; ++i) line += std::to_string(pixel) + ",";
  return line + std::to_string(label) + "\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(example_support)

BOOST_AUTO_TEST_CASE(digits_are_read) {
  std::string csv;
  for (int i = 0; i < 12; ++i) csv += digit_line(i, i % 10);
  const Images images = parse_digits(csv);
  BOOST_TEST(images.count == 12);
  BOOST_TEST(images.height * images.width == 64);
  BOOST_TEST(images.pixels.size() == 12u * 64);
  BOOST_TEST(images.pixels[11 * 64 + 63] == 11);
  const Dataset set = split_every_fifth(images);
  BOOST_TEST((set.test.labels == std::vector<unsigned char>{4, 9}));
  BOOST_TEST((set.train.labels == std::vector<unsigned char>{0, 1, 2, 3, 5, 6, 7, 8, 0, 1}));
  BOOST_TEST(set.train.count == 10);
  BOOST_TEST(set.test.count == 2);
  BOOST_TEST((set.test.pixels[0] == 4 && set.test.pixels[64] == 9 && set.test.pixels.size() == 128));
  BOOST_TEST(set.train.max_pixel == 16);
  // Lines may end as on Windows, and the last one without an end.
  csv = digit_line(1, 2);
  csv.insert(csv.size() - 1, "\r");
  BOOST_TEST(parse_digits(csv + digit_line(0, 3)).labels[1] == 3);
  csv.pop_back();
  BOOST_TEST(parse_digits(csv).count == 1);
}

BOOST_AUTO_TEST_CASE(what_a_file_says_is_cut_and_escaped) {
  for (const std::string& wrong : {std::string(100'000, '7'), "\x1b[2J" + std::string(100'000, 'n')}) {
    try {
      parse_digits(wrong + "," + digit_line(3, 5).substr(2));
      BOOST_ERROR("not refused");
    } catch (const gradus::FileError& error) {
      const std::string message = error.what();
      BOOST_TEST(message.size() < 300u);
      BOOST_TEST(!holds(message, "\x1b"));
      BOOST_TEST(holds(message, "pixel 1 of line 1"));
    }
  }
}

BOOST_AUTO_TEST_CASE(malformed_digits_are_refused) {
  const std::string good = digit_line(3, 5);
  check_error([] { parse_digits(""); }, "at least one line: the file is empty");
  check_error([&] { parse_digits(good + "1,2,3\n"); }, "line 2 must have 65 numbers, 64 pixels and a label: it has 3");
  check_error([&] { parse_digits(good + "\n" + good); }, "line 2 must have 65 numbers");
  check_error([] { parse_digits(digit_line(17, 5)); }, "pixel 1 of line 1 must be a number from 0 to 16: it is '17'");
  check_error([] { parse_digits(digit_line(-1, 5)); }, "from 0 to 16: it is '-1'");
  check_error([] { parse_digits(digit_line(1, 10)); }, "number 65 of line 1 must be a number from 0 to 9: it is '10'");
  for (const char* wrong : {"", " 3", "3x", "99999999999999999999", "0x1"}) {
    check_error([&] { parse_digits(good + wrong + good.substr(1)); }, std::string("it is '") + wrong + "'");
  }
  // Cut anywhere but at a line's end, or before its last two bytes.
  for (std::size_t size = 0; size + 2 < good.size(); ++size) {
    check_error([&] { parse_digits(good.substr(0, size)); }, "digits: ");
  }
}

BOOST_AUTO_TEST_CASE(mnist_is_read_and_checked) {
  const Folder folder;
  const Bytes images = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255},
              labels = {0, 0, 8, 1, 0, 0, 0, 2, 7, 9};
  check_error([&] { load_mnist(folder / "absent"); }, "absent': `examples/fetch_mnist");
  write_file_atomically(folder / "train-labels-idx1-ubyte", {labels});
  check_error([&] { load_mnist(folder.path); },
              "train-images-idx3-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte missing");
  write_file_atomically(folder / "train-images-idx3-ubyte", {images});
  write_file_atomically(folder / "t10k-labels-idx1-ubyte", {labels});
  gzFile packed = gzopen((folder / "t10k-images-idx3-ubyte.gz").c_str(), "wb");
  gzwrite(packed, images.data(), static_cast<unsigned>(images.size()));
  gzclose(packed);
  const Dataset set = load_mnist(folder.path);
  BOOST_TEST(set.train.count == 2);
  BOOST_TEST((set.test.height == 1 && set.test.width == 3));
  BOOST_TEST((set.test.pixels == std::vector<unsigned char>{1, 2, 3, 4, 5, 255}));
  BOOST_TEST((set.train.labels == std::vector<unsigned char>{7, 9}));

  const auto with = [&](const char* name, const Bytes& content, const char* part) {
    const Bytes before = gradus::core::read_file(folder / name, 1000);
    write_file_atomically(folder / name, {content});
    check_error([&] { load_mnist(folder.path); }, part);
    write_file_atomically(folder / name, {before});
  };
  with("train-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 1, 7}, "holds 2 images");
  with("train-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, 7, 10}, "label 1 of ");
  with("train-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, 7}, "so it is cut off");
  with("train-labels-idx1-ubyte", images,
       "must hold bytes in 1 dimension: it holds elements of type 08 and shape [2, 1, 3]");
  with("train-images-idx3-ubyte", labels, "must hold bytes in 3 dimensions");
  with("train-images-idx3-ubyte", {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6},
       "all images must have one size");
  with("train-images-idx3-ubyte", {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1},
       "at least one image: its shape is [2, 0, 1]");
  BOOST_TEST(load_mnist(folder.path).train.count == 2);
}

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

BOOST_AUTO_TEST_CASE(the_confusion_table) {
  Confusion confusion(3);
  BOOST_TEST(std::isnan(confusion.accuracy()));
  for (int i = 0; i < 35; ++i) confusion.add(0, 0);
  confusion.add(0, 2);
  for (int i = 0; i < 4; ++i) confusion.add(2, 2);
  BOOST_TEST(confusion.accuracy() == 39.0 / 40);
  BOOST_TEST(confusion.recall(0) == 35.0 / 36);
  BOOST_TEST(std::isnan(confusion.recall(1)));
  BOOST_TEST("\n" + confusion.table() == R"(
  true | predicted    recall
       |   0   1   2
  -----+--------------------
     0 |  35   .   1   0.972
     1 |   .   .   .       -
     2 |   .   .   4   1.000
)");
  Terminal terminal;
  terminal.colour = terminal.utf8 = true;
  const std::string coloured_table = confusion.table(terminal);
  BOOST_TEST(holds(coloured_table, "\033[32m  35\033[0m"));
  BOOST_TEST(holds(coloured_table, "\033[1;31m   1\033[0m"));
  BOOST_TEST(holds(coloured_table, "·"));
  for (const auto& [truth, predicted] : {std::pair(3, 0), std::pair(0, 3), std::pair(-1, 0), std::pair(0, -1)}) {
    BOOST_CHECK_THROW(confusion.add(truth, predicted), gradus::IndexError);
  }
}

BOOST_AUTO_TEST_CASE(learning_curves_of_any_number_of_epochs) {
  for (const int epochs : {0, 1, 2, 3, 10, 100, 3000}) {
    Curves curves;
    curves.title = "tests & <trials>";
    curves.configuration = "64-10, \"seed\" 0\n";
    for (int i = 0; i < epochs; ++i) {
      curves.train_loss.push_back(1.5 / (i + 1));
      curves.test_accuracy.push_back(1 - 0.5 / (i + 1));
    }
    const std::string svg = curves_svg(curves);
    BOOST_TEST(holds(svg, "tests &amp; &lt;trials&gt;"));
    BOOST_TEST(holds(svg, "&quot;seed&quot; 0 "));
    BOOST_TEST(!holds(svg, "nan"));
    BOOST_TEST(!holds(svg, "inf"));
    BOOST_TEST(count(svg, "<path class=\"line\"") == (epochs == 0 ? 0u : 2u));
    BOOST_TEST(count(svg, "no epochs") == (epochs == 0 ? 2u : 0u));
    BOOST_TEST(holds(svg, "logarithmic scale") == (epochs >= 100));
    BOOST_TEST(holds(svg, "prefers-color-scheme: dark"));
    BOOST_TEST(count(svg, "<g") - count(svg, "<grid") == count(svg, "</g>"));
    BOOST_TEST(svg.ends_with("</svg>\n"));
  }
}

BOOST_AUTO_TEST_CASE(learning_curves_with_values_that_cannot_be_drawn) {
  Curves curves;
  curves.train_loss = {2, kNan, kNan, 1, kInf, 0.5, 1e308};
  curves.test_accuracy = {0.1, 0.5, 0.9, 0.7};
  std::string svg = curves_svg(curves);
  BOOST_TEST(count(svg, "class=\"gap\"") == 3u);
  BOOST_TEST(holds(svg, "not finite in 4 epochs"));
  BOOST_TEST(holds(svg, "best 90.00 % in epoch 3"));
  BOOST_TEST(holds(svg, ">0.5</text>"));
  BOOST_TEST(!holds(svg, "nan"));
  for (const std::vector<double>& losses : std::vector<std::vector<double>>{{kNan},
                                                                            {kNan, kNan, kInf},
                                                                            {0, 0},
                                                                            {-1, -3},
                                                                            {1e-300, 1e299},
                                                                            {1e299, 9e299},
                                                                            {5e-324, 1},
                                                                            {0, 1e-310},
                                                                            {0.3, 0.3}}) {
    curves.train_loss = losses;
    svg = curves_svg(curves);
    BOOST_TEST(!holds(svg, "nan"));
    BOOST_TEST(!holds(svg, "inf"));
    BOOST_TEST(svg.size() < 30'000u);
    // Every ordinate lies within the picture.
    for (std::size_t at = 0; (at = svg.find("cy=\"", at)) != std::string::npos; ++at) {
      const double y = std::strtod(svg.c_str() + at + 4, nullptr);
      BOOST_CHECK_MESSAGE(y >= 39 && y <= 251, y << " of losses " << losses[0] << ", ...");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
