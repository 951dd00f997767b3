// The benchmark cases on Google Benchmark; its own options (--benchmark_filter=..., --help) work as always.
//
//   bench_gradus [--threads=N] [--cases=FILE] [--benchmark_...]
//
// FILE has the form of cases.txt, which is taken without it.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "case.h"

namespace bench {

namespace {

struct Case {
  std::string name;
  const Operation* operation;
  Sizes sizes;
};

Case parse(const std::string& line, const Operations& operations) {
  Case result;
  std::string bar, operation, word;
  std::istringstream words(line);
  words >> result.name >> bar >> operation;
  result.operation = operations.find(operation);
  if (bar != "|" || result.operation == nullptr) throw std::runtime_error("no such operation: " + line);
  while (words >> word && word != "|") {
    char* end = nullptr;
    result.sizes.push_back(std::strtoll(word.c_str(), &end, 10));
    if (*end != '\0' || result.sizes.back() < 1) throw std::runtime_error("a size must be a positive number: " + line);
  }
  if (result.sizes.size() < result.operation->least_sizes || result.sizes.size() > result.operation->most_sizes) {
    throw std::runtime_error("the wrong number of sizes: " + line);
  }
  return result;
}

std::vector<Case> read_cases(const std::string& path, const Operations& operations) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') cases.push_back(parse(line, operations));
  }
  return cases;
}

// Google Benchmark calls this several times for a case: its tensors are made once, and let go when another case comes.
void run(const Case& now, benchmark::State& state) {
  static const Case* current = nullptr;
  static Prepared prepared;
  std::optional<torch::NoGradGuard> guard;
  if (!now.operation->recording) guard.emplace();
  try {
    if (current != &now) {
      current = nullptr;
      prepared = {};
      prepared = now.operation->prepare(now.sizes);
      prepared.once();
      prepared.once();
      current = &now;
    }
    for (auto _ : state) prepared.once();
    state.counters["flops"] = prepared.work.flops;
    state.counters["bytes"] = prepared.work.bytes;
    state.counters["form"] = static_cast<double>(prepared.work.form);
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

std::string engine() {
#ifdef GRADUS_BENCH_TORCH
  return "libtorch " TORCH_VERSION;
#else
  return std::string("Gradus ") + gradus::version;
#endif
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  std::string path = GRADUS_BENCH_CASES;
  int threads = 0;
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--cases=", 0) == 0) {
      path = argument.substr(8);
    } else if (argument.rfind("--threads=", 0) == 0 && (threads = std::atoi(argument.c_str() + 10)) > 0) {
    } else {
      std::cerr << argv[0] << ": unknown argument " << argument << "; try --help, --threads=N, --cases=FILE\n";
      return 2;
    }
  }

  bench::Operations operations;
  bench::add_products(operations);
  bench::add_pointwise(operations);
  bench::add_reductions(operations);
  bench::add_indexing(operations);
  bench::add_recording(operations);
  bench::add_layers(operations);
  bench::add_trainings(operations);
  std::vector<bench::Case> cases;
  try {
    cases = bench::read_cases(path, operations);
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
  if (threads > 0) torch::set_num_threads(threads);
  torch::manual_seed(0);
  benchmark::AddCustomContext("engine", bench::engine());
  for (const bench::Case& each : cases) {
    benchmark::RegisterBenchmark(each.name.c_str(), [&each](benchmark::State& state) {
      bench::run(each, state);
    })->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
