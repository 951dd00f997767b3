// The benchmark cases, by hand or for `compare` (measure.h). By hand Google Benchmark's own options
// (--benchmark_filter=..., --help) work as always.
//
//   bench_gradus [--threads=N] [--simd=SET] [--cases=FILE | --serve] [--benchmark_...]
//
// FILE has the form of cases.txt, which is taken without it; so has each case that is served. SET is an instruction set
// that the machine offers ("AVX2"), without it the best.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "case.h"

#ifndef GRADUS_BENCH_TORCH
#include <gradus/core/simd/instruction_set.h>
#endif

namespace bench {

namespace {

Named parse(const std::string& line, const Operations& operations) {
  std::string name, bar, word;
  std::istringstream words(line);
  words >> name >> bar >> word;
  const Operation* const operation = operations.find(word);
  if (bar != "|" || operation == nullptr) throw std::runtime_error("no such operation: " + line);
  Sizes sizes;
  while (words >> word && word != "|") {
    char* end = nullptr;
    sizes.push_back(std::strtoll(word.c_str(), &end, 10));
    if (*end != '\0' || sizes.back() < 1) throw std::runtime_error("a size must be a positive number: " + line);
  }
  if (sizes.size() < operation->least_sizes || sizes.size() > operation->most_sizes) {
    throw std::runtime_error("the wrong number of sizes: " + line);
  }
  return {name, [operation, sizes] {
            Prepared prepared = operation->prepare(sizes);
            if (!operation->recording) prepared.guard = std::make_shared<torch::NoGradGuard>();
            return prepared;
          }};
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
  bench::Choice choice{GRADUS_BENCH_CASES};
  benchmark::Initialize(&argc, argv);
  try {
    for (int i = 1; i < argc; ++i) {
      const std::string argument = argv[i];
      int threads = 0;
      if (argument.rfind("--cases=", 0) == 0) {
        choice.list = argument.substr(8);
      } else if (argument == "--serve") {
        choice.serve = true;
      } else if (argument.rfind("--threads=", 0) == 0 && (threads = std::atoi(argument.c_str() + 10)) > 0) {
        torch::set_num_threads(threads);
#ifndef GRADUS_BENCH_TORCH
      } else if (argument.rfind("--simd=", 0) == 0) {
        gradus::use_instruction_set(argument.substr(7));
#endif
      } else {
        std::cerr << argv[0] << ": unknown argument " << argument
                  << "; try --help, --threads=N, --simd=SET, --cases=FILE, --serve\n";
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
    torch::manual_seed(0);
    bench::measure(choice, bench::engine(), [&](const std::string& line) { return bench::parse(line, operations); });
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}
