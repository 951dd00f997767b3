// How a case is measured, of whichever engine: by hand, through Google Benchmark's own options, or for `compare`, which
// keeps a process of each set-up and tells it cases one by one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

// What a case cannot do without, to be held against the machine's limits: float32 operations (two for a fused
// multiply-add; a float64 operation counts as two, its vectors being half as long) and bytes moved when every operation
// called reads each of its operands once and writes its result once. `written` is the part of them that is written, a
// third, as of c = a + b, where nothing is said; in place: over what was read.
struct Work {
  double flops = 0, bytes = 0, written = 1.0 / 3;
  bool in_place = false;
};

// A case with its tensors made: `once` is what is timed.
struct Prepared {
  Work work;
  std::function<void()> once;
  std::shared_ptr<void> guard = {};  // what holds as long as the case is measured
};

struct Named {
  std::string name;
  std::function<Prepared()> prepare;
};

// A case of a line of a list; throws what is wrong with the line.
using Read = std::function<Named(const std::string& line)>;

// What the command line said.
struct Choice {
  std::string list;    // the file of cases
  bool serve = false;  // instead: cases from standard input, one by one
};

// By hand: all cases of the list. Google Benchmark has seen the command line.
void measure_list(const Choice& choice, const std::string& engine, const Read& read);

// For `compare`: says the engine's name, then answers each line "SECONDS REPETITIONS LINE" from standard input with one of
// standard output, "flops bytes written in_place" and the repetitions' times of a call in ns, or "error" and why.
void measure_served(const std::string& engine, const Read& read);

inline void measure(const Choice& choice, const std::string& engine, const Read& read) {
  choice.serve ? measure_served(engine, read) : measure_list(choice, engine, read);
}

}  // namespace bench
