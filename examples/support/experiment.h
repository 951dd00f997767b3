// What the reproductions of papers share: their data, the results that outlive a kill, and the command line's options.
#pragma once

#include <gradus/gradus.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace examples {

/// Images as rows, all in memory.
struct Samples {
  gradus::Tensor x, y;  ///< [n, pixels] float32 in [0, 1], [n] int64
};
struct Experiment {
  Samples train, test;
};

/// MNIST's 60,000 and 10,000 from a folder with its four files; of `mnist` == "" the 1,797 small digits of 8x8, every fifth
/// of them for testing.
Experiment read_experiment(const std::string& mnist);

struct ExperimentOptions {
  std::string mnist, out;
  std::int64_t seeds = 3, length = 0;  ///< length: epochs or steps, as the program says; 0: what is written there
  int threads = 0;
  bool brief = false;  ///< --short
  std::vector<std::string> parts;
};
/// The common options; exits where they are wrong or --help is asked for. `length` names its option; of `parts` any may be
/// chosen, and all are where none is. Makes the folder `out`, and sets the number of threads.
ExperimentOptions parse_experiment(int argc, char** argv, const char* about, const char* length,
                                   const std::vector<std::string>& parts);

/// Measured numbers by name, each a line `name,value,...` of a file that is written at once: what stands there is not
/// computed again when a killed program is started anew.
class Results {
 public:
  explicit Results(std::string path);
  bool has(const std::string& name) const { return find(name) != nullptr; }
  /// The numbers of a name; none where there is none.
  std::vector<double> operator[](const std::string& name) const;
  void add(const std::string& name, const std::vector<double>& values);

 private:
  struct Line {
    std::string name;
    std::vector<double> values;
  };
  const Line* find(const std::string& name) const;
  std::string path_;
  std::vector<Line> lines_;
};

/// 100 times the share of wrong answers.
double error_percent(const gradus::Tensor& scores, const gradus::Tensor& y);

/// "1.25 +- 0.03 (3 seeds)": mean and the standard deviation of one; "not yet run" of none.
std::string summary(const std::vector<double>& values, int decimals = 2);

/// Whether `holds`; says so on the terminal, in one line. For the short forms.
bool claim(bool holds, const std::string& what);

void write_text(const std::string& path, const std::string& text);

}  // namespace examples
