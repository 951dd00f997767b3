// Mutated files for all readers: each is read, or refused by a FileError. The same files for the same seed.
//
//   fuzz_readers [EXECUTIONS] [SEED]    5000 and 1 when not given
//
// What a reader does wrong is told, with the file beside it; sanitizers tell the rest, and which execution it was.
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <set>

#include "files.h"

namespace {

using namespace gradus::fuzz;

// The message without what a file put into it, text in quotes and numbers: its reason.
std::string reason(const std::string& message) {
  std::string text, word;
  bool quoted = false;
  for (const char c : message + " ") {
    if (c == '\'') quoted = !quoted;
    if (!quoted && std::isalpha(static_cast<unsigned char>(c))) {
      word += c;
    } else {
      if (word.size() > 2) text += word + " ";
      word.clear();
    }
  }
  return text;
}

struct Count {
  long read = 0, refused = 0;
  std::set<std::string> reasons;
};

}  // namespace

int main(int argc, char** argv) {
  const long executions = argc > 1 ? std::atol(argv[1]) : 5000;
  const auto seed = static_cast<std::uint64_t>(argc > 2 ? std::atoll(argv[2]) : 1);
  Count counts[kReaders];
  for (long i = 0; i < executions; ++i) {
    // Each by a seed of its own, so that one can be repeated alone.
    Random random((seed << 40) + static_cast<std::uint64_t>(i));
    const auto reader = static_cast<Reader>(i % kReaders);
    const std::string file = draw_file(reader, random);
    Count& count = counts[i % kReaders];
    try {
      const std::string refusal = read(reader, file, random.one_in(16));
      (refusal.empty() ? count.read : count.refused)++;
      if (!refusal.empty() && count.reasons.size() < 1000) count.reasons.insert(reason(refusal));
    } catch (const std::exception& error) {
      const std::string path = std::string("fuzz-") + name_of(reader) + "-" + std::to_string(i);
      std::ofstream(path, std::ios::binary) << file;
      std::printf("%s, execution %ld of seed %llu, kept as %s: %s\n", name_of(reader), i,
                  static_cast<unsigned long long>(seed), path.c_str(), error.what());
      return 1;
    }
    if ((i + 1) % 100'000 == 0) {
      std::printf("%ld executions\n", i + 1);
      std::fflush(stdout);
    }
  }
  // Nothing is shown by files that are all refused for one reason, or all read.
  constexpr std::size_t kLeastReasons[kReaders] = {40, 12, 12, 8};
  bool shown = true;
  for (int r = 0; r < kReaders; ++r) {
    const Count& count = counts[r];
    std::printf("%-11s %7ld read, %7ld refused for %zu reasons\n", name_of(static_cast<Reader>(r)), count.read,
                count.refused, count.reasons.size());
    shown = shown && (executions < 4000 ||
                      (count.read > 100 && count.refused > 100 && count.reasons.size() >= kLeastReasons[r]));
  }
  if (!shown) std::puts("too few files were read, or refused, or for too few reasons: nothing was shown");
  return shown ? 0 : 1;
}
