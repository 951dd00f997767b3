// run_programs [--wild | --plain | --signatures]: runs programs from standard input, and prints what each of their statements did
// and, at the end, every tensor that is still held. A program is
//
//   program NAME
//   %0 = tensor float64 [2,3] [1,2,3,4,5,6]
//   requires_grad_ %0 true
//   %1,%2 = split %0 1 0
//   drop %1
//   end
//
// with a line for each statement: the tensors it makes, an operation of program_operations.cpp and its arguments. A
// statement that the library refuses ends its program; with --wild the next one follows, and any failure that is not a
// gradus::Error ends the run with status 3; with --plain each statement is answered, and held beside its plain meaning. A statement that is none ends it with status 2.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <typeinfo>

#include <fmt/format.h>

#include "plain.h"
#include "program_operations.h"

namespace {

using namespace programs;

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string shape_of(IntArrayRef sizes) { return fmt::format("[{}]", fmt::join(sizes.begin(), sizes.end(), ",")); }

template <class T>
void print_numbers(const gradus::core::Array& x) {
  const T* data = x.data_ptr<T>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    // The shortest decimals that read back as the same number.
    fmt::print("{}{}", i == 0 ? "" : ",", +data[i]);
  }
}

void print_tensor(const Tensor& t) {
  if (!t.defined()) {
    fmt::print(" none");
    return;
  }
  const gradus::core::Array x = t.array().contiguous();
  fmt::print(" {} {} ", to_string(x.dtype()), shape_of(x.sizes()));
  fmt::print("(");
  if (x.dtype() == gradus::kFloat64) {
    print_numbers<double>(x);
  } else if (gradus::is_floating_point(x.dtype())) {
    print_numbers<float>(x.to(gradus::kFloat32));
  } else {
    print_numbers<std::int64_t>(x.to(gradus::kInt64));
  }
  fmt::print(")");
}

void print_slots(const Slots& slots) {
  for (const auto& [name, t] : slots) {
    fmt::print("%{}", name);
    if (t.defined()) {
      bool shows_gradient = false;
      try {
        shows_gradient = t.is_leaf() || t.retains_grad();
        fmt::print(" {} {}", t.requires_grad() ? "requires" : "plain", t.is_leaf() ? "leaf" : "result");
      } catch (const gradus::Error&) {  // set_data has cut a view from its base
        fmt::print(" refused refused");
      }
      print_tensor(t);
      if (shows_gradient) {
        fmt::print(" grad");
        print_tensor(t.grad());
      }
    }
    fmt::print("\n");
  }
}

Statement parse(const std::string& line) {
  std::istringstream in(line);
  Statement s;
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  std::size_t at = 0;
  if (words.size() > 2 && words[1] == "=") {
    std::istringstream names(words[0]);
    for (std::string name; std::getline(names, name, ',');) s.results.push_back(std::stoi(name.substr(1)));
    at = 2;
  }
  if (at >= words.size()) throw BadProgram("empty");
  s.operation = words[at];
  s.words.assign(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
  return s;
}

void execute(const Statement& s, Slots& slots, bool wild) {
  if (s.operation == "drop") {
    for (const std::string& word : s.words) slots.erase(std::stoi(word.substr(1)));
    fmt::print("ok\n");
    return;
  }
  const auto operation = operations().find(s.operation);
  if (operation == operations().end()) throw BadProgram("no such operation");
  Words words(s.words, slots);
  const Yield yield = operation->second.run(words);
  if (!wild && yield.tensors.size() != s.results.size()) {
    throw gradus::Error(fmt::format("{} results instead of {}", yield.tensors.size(), s.results.size()));
  }
  fmt::print("ok {}", yield.answer);
  for (const Tensor& t : yield.tensors) {
    if (t.defined()) {
      fmt::print(" {}/{}", shape_of(t.sizes()), shape_of(t.strides()));
    } else {
      fmt::print(" none");
    }
  }
  fmt::print("\n");
  // What arguments without sense make large would keep every operation after it busy.
  constexpr std::int64_t most = 3000;
  for (std::size_t i = 0; i < std::min(s.results.size(), yield.tensors.size()); ++i) {
    const Tensor& t = yield.tensors[i];
    if (!wild || !t.defined() || t.numel() <= most) slots[s.results[i]] = t;
  }
}

int run(bool wild) {
  Slots slots;
  bool refused = false;
  int line_number = 0;
  std::string line;
  std::string name;
  try {
    while (std::getline(std::cin, line)) {
      ++line_number;
      if (line.rfind("program ", 0) == 0) {
        name = line;
        refused = false;
        gradus::GradMode::set_enabled(true);
        fmt::print("{}\n", line);
      } else if (line == "end") {
        gradus::GradMode::set_enabled(true);
        if (!wild) {
          print_slots(slots);
        } else {
          for (const auto& [slot, t] : slots) {
            if (t.defined()) (void)gradus::to_string(t);
          }
        }
        slots.clear();
        fmt::print("end\n");
      } else if (!refused) {
        try {
          execute(parse(line), slots, wild);
        } catch (const NoSuchTensor&) {
          if (!wild) throw;
          fmt::print("skipped\n");
        } catch (const gradus::Error& error) {
          fmt::print("refused {}\n", one_line(error.what()));
          refused = !wild;
        }
      }
    }
  } catch (const BadProgram& error) {
    fmt::print(stderr, "{}, line {}: {}: {}\n", name, line_number, error.what(), line);
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}, line {}: {} instead of a gradus::Error: {}: {}\n", name, line_number, typeid(error).name(),
               error.what(), line);
    return 3;
  }
  return 0;
}

// What a drawer is told that draws each statement after the last was carried out: dtype, shape, whether finite.
void tell(const std::vector<Tensor>& results) {
  fmt::print("ok");
  for (const Tensor& t : results) {
    const bool finite = gradus::isfinite(t.detach()).all().item<bool>();
    fmt::print(" {} {} {}", to_string(t.dtype()), shape_of(t.sizes()), finite ? "finite" : "not");
  }
  fmt::print("\n");
}

// Beside the plain meaning of each program: a statement, an answer.
int run_plain() {
  Slots slots;
  PlainProgram plain;
  std::string line;
  while (std::getline(std::cin, line)) {
    try {
      if (line.rfind("program ", 0) == 0) {
        slots.clear();
        plain = PlainProgram();
        fmt::print("ok\n");
      } else if (line == "end") {
        plain.compare(slots);
        fmt::print("ok {}\n", plain.compare_gradients(slots));
      } else {
        const Statement s = parse(line);
        std::vector<Tensor> made;
        if (s.operation != "drop") {
          Words words(s.words, slots);
          made = operations().at(s.operation).run(words).tensors;
        }
        plain.follow(s, slots, made);
        for (std::size_t i = 0; i < s.results.size(); ++i) slots[s.results[i]] = made.at(i);
        if (s.operation == "drop") {
          for (const std::string& word : s.words) slots.erase(std::stoi(word.substr(1)));
        }
        tell(made);
      }
    } catch (const gradus::Error& error) {
      fmt::print("refused {}\n", one_line(error.what()));
    } catch (const Disagreement& difference) {
      fmt::print("different {}\n", one_line(difference.what()));
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}: {}: {}\n", typeid(error).name(), error.what(), line);
      return 3;
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string option = argc > 1 ? argv[1] : "";
  if (option == "--signatures") {
    for (const auto& [name, operation] : operations()) {
      fmt::print("{} {};{};{};{}\n", name, operation.signature, operation.results, operation.draw, operation.torch);
    }
    return 0;
  }
  if (argc == 2 && option == "--plain") return run_plain();
  if (argc > 2 || (!option.empty() && option != "--wild")) {
    fmt::print(stderr, "usage: run_programs [--wild | --plain | --signatures]\n");
    return 2;
  }
  std::ios::sync_with_stdio(false);
  if (option == "--wild") std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);  // a sanitizer ends it without a flush
  return run(option == "--wild");
}
