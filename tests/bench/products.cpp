// Products of float32 matrices, by Gradus or by OpenBLAS, by hand or for `compare` (measure.h).
//
//   bench_products [--threads=N] [--openblas=LIBRARY] [--products=FILE | --serve] [--benchmark_...]
//
// OpenBLAS is loaded when the program runs, so that building takes none; it takes its threads from OPENBLAS_NUM_THREADS
// and OMP_NUM_THREADS. FILE has the form of products.txt, which is taken without it.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <cstdlib>
#include <exception>
#include <gradus/gradus.h>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "measure.h"

namespace {

using bench::Prepared;
using gradus::core::Array;

// cblas_sgemm, whose header not everybody has: order, transpositions, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc.
using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
constexpr int row_major = 101, plain = 111, transposed = 112;

Sgemm load_openblas(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* function = library == nullptr ? nullptr : dlsym(library, "cblas_sgemm");
  if (function == nullptr) throw std::runtime_error(dlerror());
  return reinterpret_cast<Sgemm>(function);
}

// c = a b, of m x k by k x n; a and b are stored as they are or transposed.
struct Product {
  std::int64_t m, k, n;
  bool a_transposed, b_transposed;
};

Prepared prepare(const Product& p, Sgemm sgemm) {
  const Array a = (p.a_transposed ? gradus::randn({p.k, p.m}) : gradus::randn({p.m, p.k})).array();
  const Array b = (p.b_transposed ? gradus::randn({p.n, p.k}) : gradus::randn({p.k, p.n})).array();
  const Array c = gradus::empty({p.m, p.n}).array();
  const double result = static_cast<double>(p.m * p.n), read = static_cast<double>(p.m * p.k + p.k * p.n);
  const bench::Work work{2 * result * static_cast<double>(p.k), 4 * (read + result), result / (read + result)};
  if (sgemm == nullptr) {
    const Array left = p.a_transposed ? a.t() : a, right = p.b_transposed ? b.t() : b;
    return {work, [=] { gradus::core::gemm(c, left, right); }};
  }
  return {work, [=] {
            const int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
            sgemm(row_major, p.a_transposed ? transposed : plain, p.b_transposed ? transposed : plain, m, n, k, 1.0f,
                  a.data_ptr<float>(), p.a_transposed ? m : k, b.data_ptr<float>(), p.b_transposed ? k : n, 0.0f,
                  c.data_ptr<float>(), n);
          }};
}

bench::Named parse(const std::string& line, Sgemm sgemm) {
  std::istringstream words(line);
  Product p{};
  std::string layout;
  if (!(words >> p.m >> p.k >> p.n >> layout) || p.m < 1 || p.k < 1 || p.n < 1 || layout.size() != 2 ||
      layout.find_first_not_of("nt") != std::string::npos) {
    throw std::runtime_error("not `m k n layout`: " + line);
  }
  p.a_transposed = layout[0] == 't', p.b_transposed = layout[1] == 't';
  const std::string name = std::to_string(p.m) + "x" + std::to_string(p.k) + "x" + std::to_string(p.n) + "_" + layout;
  return {name, [p, sgemm] { return prepare(p, sgemm); }};
}

}  // namespace

int main(int argc, char** argv) {
  bench::Choice choice{GRADUS_BENCH_PRODUCTS};
  std::string openblas;
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    int threads = 0;
    if (argument.rfind("--products=", 0) == 0) {
      choice.list = argument.substr(11);
    } else if (argument == "--serve") {
      choice.serve = true;
    } else if (argument.rfind("--openblas=", 0) == 0) {
      openblas = argument.substr(11);
    } else if (argument.rfind("--threads=", 0) == 0 && (threads = std::atoi(argument.c_str() + 10)) > 0) {
      gradus::set_num_threads(threads);
    } else {
      std::cerr << argv[0] << ": unknown argument " << argument
                << "; try --help, --threads=N, --openblas=LIBRARY, --products=FILE, --serve\n";
      return 2;
    }
  }
  gradus::manual_seed(0);
  try {
    const Sgemm sgemm = openblas.empty() ? nullptr : load_openblas(openblas);
    bench::measure(choice, openblas.empty() ? std::string("Gradus ") + gradus::version : "OpenBLAS",
                   [sgemm](const std::string& line) { return parse(line, sgemm); });
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}
