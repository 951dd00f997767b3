// What the course's programs share: how an exercise is stated, answered and checked. A lesson is read without this file.
#pragma once

#include <gradus/autograd/check/check.h>
#include <gradus/gradus.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace course {

/// A number, or the letter of a candidate: 'a', 'b', ... Nothing at all until somebody answers.
struct Answer {
  double number = std::nan("");
  char letter = 0;

  Answer() = default;
  Answer(double value) : number(value) {}
  Answer(int value) : number(value) {}
  /// A capital is the same letter.
  Answer(char candidate)
      : letter(candidate >= 'A' && candidate <= 'Z' ? static_cast<char>(candidate + 32) : candidate) {}

  bool given() const { return letter != 0 || !std::isnan(number); }
  std::string text() const {
    if (letter != 0) return {letter};
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.4g", number);
    return digits;
  }
  /// Three digits are enough; whole numbers must be equal.
  bool agrees(const Answer& other) const {
    if (letter != 0 || other.letter != 0) return letter == other.letter;
    if (std::round(number) == number && std::round(other.number) == other.number) return number == other.number;
    return std::abs(number - other.number) <= 2e-3 * std::abs(other.number) + 1e-6;
  }
};

/// Stands where your answer goes.
inline const Answer unanswered;

/// A typical wrong answer, and what it comes from.
struct Hint {
  Answer wrong;
  const char* why;
};

class Lesson {
 public:
  Lesson(const char* name, int argc, char** argv) : name_(name), page_(std::string(name) + ".html") {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word == "--page" && i + 1 < argc)
        page_ = argv[++i];
      else if (word == "--answer" && i + 1 < argc)
        while (i + 1 < argc && argv[i + 1][0] != '-') take(argv[++i]);
      else
        refuse(word);
    }
  }

  /// A heading: "-- 2. Backward --".
  void part(const char* title) { std::printf("\n-- %d. %s --\n", ++parts_, title); }

  /// Writes the page on which one steps through what was recorded.
  void page(const gradus::autograd::Record& record) const {
    gradus::autograd::write_page(page_, record, {.title = name_});
    std::printf("\nThe page to step through: %s\n", page_.c_str());
  }

  /// The question; then, once it is answered, whether that is right, and why. `otherwise` is for a wrong answer that no
  /// hint fits.
  void exercise(const Answer& written, const char* question, const Answer& right, const char* because,
                const std::vector<Hint>& hints, const char* otherwise) {
    const int number = ++exercises_;
    std::printf("\n== Exercise %d ==\n%s\n", number, question);
    const auto said = said_.find(number);
    const Answer answer = said != said_.end() ? said->second : written;
    if (!answer.given()) {
      std::printf("Not answered yet. Write your answer to answer_%d in %s.cpp, or run with --answer %d=...\n", number,
                  name_, number);
      return;
    }
    if (answer.agrees(right)) {
      std::printf("%s: RIGHT. %s\n", answer.text().c_str(), because);
      return;
    }
    wrong_ = true;
    for (const Hint& hint : hints) {
      if (answer.agrees(hint.wrong)) otherwise = hint.why;
    }
    std::printf("%s: NOT RIGHT. %s\n", answer.text().c_str(), otherwise);
  }

  bool wrong() const { return wrong_; }
  /// Whether `--answer` was given: then what takes long may be left out.
  bool answering() const { return !said_.empty(); }

 private:
  void take(const std::string& given) {  // "1=2.5" or "2=b"
    const std::size_t sign = given.find('=');
    if (sign == std::string::npos || sign + 1 == given.size()) refuse(given);
    const char* value = given.c_str() + sign + 1;
    char* end = nullptr;
    const double number = std::strtod(value, &end);
    const bool letter = value[1] == 0 && ((value[0] >= 'a' && value[0] <= 'z') || (value[0] >= 'A' && value[0] <= 'Z'));
    if (!letter && *end != 0) refuse(given);
    said_[std::atoi(given.c_str())] = letter ? Answer(value[0]) : Answer(number);
  }
  [[noreturn]] void refuse(const std::string& word) const {
    std::fprintf(stderr,
                 "%s: '%s'?\nusage: %s [--answer 1=... 2=...] [--page FILE.html]\n"
                 "An answer is a number (0.25), or a small letter.\n",
                 name_, word.c_str(), name_);
    std::exit(2);
  }

  const char* name_;
  std::string page_;
  std::map<int, Answer> said_;
  int parts_ = 0, exercises_ = 0;
  bool wrong_ = false;
};

/// Prints `name = [[1.0000, 2.0000], ...]`, to four decimals.
inline void show(const std::string& name, const gradus::Tensor& x) {
  std::ostringstream out;
  out << ((x.detach().to(gradus::kDouble) * 1e4).round() / 1e4 + 0.0).to(gradus::kFloat);
  std::string text = out.str().substr(std::string("tensor(").size());
  text.erase(text.rfind(')'));
  // The rows below the first stand under it.
  const std::string indent(std::string("tensor(").size(), ' ');
  for (std::size_t at = 0; (at = text.find('\n' + indent, at)) != std::string::npos; ++at)
    text.replace(at + 1, indent.size(), name.size() + 3, ' ');
  std::printf("%s = %s\n", name.c_str(), text.c_str());
}

/// What a check of gradients found: the verdict, and each finding once. The errors' digits, which differ from processor to
/// processor, are left out; `std::cout << report` prints them.
inline void print(const gradus::autograd::CheckReport& report) {
  std::printf("%s: %s\n", report.title.c_str(), report.ok() ? "ok" : "NOT OK");
  std::string last;
  for (const auto& row : report.rows) {
    if (row.ok()) continue;
    std::string line = "  " + row.variable + ", order " + std::to_string(row.order) + ": ";
    line += std::string(to_string(row.verdict)) + (row.hint.empty() ? "" : "\n    " + row.hint);
    if (line != last) std::printf("%s\n", line.c_str());
    last = line;
  }
}

/// The whole of a lesson's main: 1 when an answer is wrong, or something fails.
inline int run(const char* name, int argc, char** argv, void (*lesson)(Lesson&)) {
  try {
    Lesson course(name, argc, argv);
    lesson(course);
    return course.wrong() ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace course
