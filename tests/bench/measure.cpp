#include "measure.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#ifdef __linux__
#include <csignal>
#include <sys/prctl.h>
#endif

namespace bench {

namespace {

double seconds_of(const std::function<void()>& once) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  once();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What a repetition takes goes to a list instead of the screen.
class Times : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) throw std::runtime_error(run.error_message);
      if (run.run_type == Run::RT_Iteration) nanoseconds.push_back(run.GetAdjustedRealTime());
    }
  }
  std::vector<double> nanoseconds;
};

// A case that takes long is repeated as often as half a second allows, at least three times; one of seconds not at all.
constexpr double longest = 0.5;

std::string answer(const std::string& request, const Read& read) {
  std::istringstream words(request);
  double seconds = 0;
  int repetitions = 0;
  words >> seconds >> repetitions;
  std::string line;
  std::getline(words >> std::ws, line);
  const Prepared prepared = read(line).prepare();
  std::ostringstream out;
  out << prepared.work.flops << ' ' << prepared.work.bytes << ' ' << prepared.work.written << ' '
      << prepared.work.in_place;
  // The first call makes what is made once; the second tells how long one takes. Then warm up, for a process that slept
  // meanwhile has cold caches.
  prepared.once();
  const double one = seconds_of(prepared.once);
  if (one > 2 * longest) {
    out << ' ' << 1e9 * one;
    return out.str();
  }
  for (double spent = one; spent < seconds / 2;) spent += seconds_of(prepared.once);
  repetitions = std::min(repetitions, std::max(3, static_cast<int>(longest / std::max(one, seconds))));

  benchmark::ClearRegisteredBenchmarks();
  benchmark::RegisterBenchmark("case",
                               [&](benchmark::State& state) {
                                 for (auto _ : state) prepared.once();
                               })
      ->UseRealTime()
      ->MinTime(seconds)
      ->Repetitions(repetitions);
  Times times;
  benchmark::RunSpecifiedBenchmarks(&times, "all");
  for (const double time : times.nanoseconds) out << ' ' << time;
  return out.str();
}

}  // namespace

void measure_served(const std::string& engine, const Read& read) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // `compare` lets us sleep when others have their turn: nobody would wake us
#endif
  std::cout << engine << std::endl;
  for (std::string request; std::getline(std::cin, request);) {
    std::string out;
    try {
      out = answer(request, read);
    } catch (const std::exception& error) {
      out = std::string("error ") + error.what();
      std::replace(out.begin(), out.end(), '\n', ' ');
    }
    std::cout << out << std::endl;
  }
}

void measure_list(const Choice& choice, const std::string& engine, const Read& read) {
  std::ifstream file(choice.list);
  if (!file) throw std::runtime_error("cannot read " + choice.list);
  std::vector<Named> cases;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') cases.push_back(read(line));
  }
  benchmark::AddCustomContext("engine", engine);
  // Google Benchmark calls this several times for a case: its tensors are made once, and let go when another case comes.
  const Named* current = nullptr;
  Prepared prepared;
  for (const Named& each : cases) {
    benchmark::RegisterBenchmark(each.name.c_str(), [&](benchmark::State& state) {
      try {
        if (current != &each) {
          current = nullptr;
          prepared = {};
          prepared = each.prepare();
          prepared.once();
          prepared.once();
          current = &each;
        }
        for (auto _ : state) prepared.once();
        state.counters["flops"] = prepared.work.flops;
        state.counters["bytes"] = prepared.work.bytes;
      } catch (const std::exception& error) {
        state.SkipWithError(error.what());
      }
    })->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

}  // namespace bench
