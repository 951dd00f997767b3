// Mutated files for all readers: each is read, or refused by a FileError. The same files for the same seed.
//
//   fuzz_readers [EXECUTIONS] [SEED]    5000 and 1 when not given
//
// What a reader does wrong, by its result or by a sanitizer's judgement, is told, and the file is kept.
#include <malloc.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <new>
#include <set>
#include <stdexcept>
#include <string>

#include <gradus/core/memory/memory.h>

#include "files.h"

// What is allocated now, and at most since it was last set; of one thread.
static std::size_t live_bytes = 0, peak_bytes = 0;

void* operator new(std::size_t size) {
  void* const block = std::malloc(size > 0 ? size : 1);
  if (block == nullptr) throw std::bad_alloc();
  live_bytes += malloc_usable_size(block);
  if (live_bytes > peak_bytes) peak_bytes = live_bytes;
  return block;
}
void operator delete(void* block) noexcept {
  live_bytes -= malloc_usable_size(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

// There in programs that a sanitizer is built into.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

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

// What is being read, for a sanitizer that ends the program.
struct Execution {
  long number = 0;
  long long seed = 0;
  Reader reader = Reader::Safetensors;
  std::string file;
} current;

void keep_current() {
  const std::string path = std::string("fuzz-") + name_of(current.reader) + "-" + std::to_string(current.number);
  std::ofstream(path, std::ios::binary) << current.file;
  std::printf("%s, execution %ld of seed %lld, kept as %s\n", name_of(current.reader), current.number, current.seed,
              path.c_str());
  std::fflush(stdout);
}

// No more than the file's size allows is allocated: deflate packs up to 1032 : 1, and what is unpacked may be there three times.
std::string read_within_bounds(Reader reader, const std::string& file, bool as_file) {
  const std::size_t before = live_bytes;
  const std::int64_t held = gradus::memory_stats().held_bytes;
  peak_bytes = live_bytes;
  gradus::reset_peak_memory_stats();
  std::string refusal = read(reader, file, as_file);
  const std::size_t allowed = (std::size_t{1} << 20) + 3200 * file.size() + (reader == Reader::Gzip ? 8 << 20 : 0);
  const auto arrays = static_cast<std::size_t>(std::max<std::int64_t>(gradus::memory_stats().peak_bytes - held, 0));
  if (const std::size_t used = peak_bytes - before + arrays; used > allowed)
    throw std::logic_error("a file of " + std::to_string(file.size()) + " bytes took " + std::to_string(used));
  return refusal;
}

struct Count {
  long read = 0, refused = 0;
  std::set<std::string> reasons;
};

}  // namespace

int main(int argc, char** argv) {
  const long executions = argc > 1 ? std::atol(argv[1]) : 5000;
  const auto seed = static_cast<std::uint64_t>(argc > 2 ? std::atoll(argv[2]) : 1);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_current);
  Count counts[kReaders];
  for (long i = 0; i < executions; ++i) {
    // Each by a seed of its own, so that one can be repeated alone.
    Random random((seed << 40) + static_cast<std::uint64_t>(i));
    const auto reader = static_cast<Reader>(i % kReaders);
    current = {i, static_cast<long long>(seed), reader, draw_file(reader, random)};
    Count& count = counts[i % kReaders];
    try {
      const std::string refusal = read_within_bounds(reader, current.file, random.one_in(16));
      (refusal.empty() ? count.read : count.refused)++;
      if (!refusal.empty() && count.reasons.size() < 1000) count.reasons.insert(reason(refusal));
    } catch (const std::exception& error) {
      std::printf("%s\n", error.what());
      keep_current();
      return 1;
    }
    if ((i + 1) % 100'000 == 0) {
      std::printf("%ld executions\n", i + 1);
      std::fflush(stdout);
    }
  }
  // Nothing is shown by files that are all refused for one reason, or all read.
  constexpr std::size_t kLeastReasons[kReaders] = {40, 12, 12, 8, 12, 12, 20, 20, 30};
  bool shown = true;
  for (int r = 0; r < kReaders; ++r) {
    const Count& count = counts[r];
    std::printf("%-11s %7ld read, %7ld refused for %zu reasons\n", name_of(static_cast<Reader>(r)), count.read,
                count.refused, count.reasons.size());
    shown = shown &&
            (executions < 4000 || (count.read > 50 && count.refused > 50 && count.reasons.size() >= kLeastReasons[r]));
  }
  if (!shown) std::puts("too few files were read, or refused, or for too few reasons: nothing was shown");
  return shown ? 0 : 1;
}
