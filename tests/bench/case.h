// One source for two engines: compiled with GRADUS_BENCH_TORCH against libtorch, without it against Gradus.
#pragma once

#ifdef GRADUS_BENCH_TORCH
#include <torch/torch.h>
#else
#include <gradus/torch.h>
#endif

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "measure.h"

namespace bench {

using Sizes = std::vector<std::int64_t>;

struct Operation {
  std::size_t least_sizes, most_sizes;
  bool recording;  // else under a NoGradGuard
  std::function<Prepared(const Sizes&)> prepare;
};

class Operations {
 public:
  // Without history.
  template <class F>
  void plain(const std::string& name, std::size_t sizes, F prepare) {
    add(name, {sizes, sizes, false, std::move(prepare)});
  }
  // With recording, and as many sizes as given, or up to `most_sizes`.
  template <class F>
  void recorded(const std::string& name, std::size_t sizes, F prepare, std::size_t most_sizes = 0) {
    add(name, {sizes, most_sizes > sizes ? most_sizes : sizes, true, std::move(prepare)});
  }
  const Operation* find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &found->second;
  }

 private:
  void add(const std::string& name, Operation operation) { by_name_.emplace(name, std::move(operation)); }
  std::map<std::string, Operation> by_name_;
};

void add_products(Operations& operations);
void add_pointwise(Operations& operations);
void add_reductions(Operations& operations);
void add_indexing(Operations& operations);
void add_recording(Operations& operations);
void add_layers(Operations& operations);
void add_trainings(Operations& operations);

// A random tensor whose gradient is wanted.
inline torch::Tensor leaf(const Sizes& shape) {
  return torch::randn(shape, torch::TensorOptions().requires_grad(true));
}

inline double product(const Sizes& sizes) {
  double n = 1;
  for (const std::int64_t size : sizes) n *= static_cast<double>(size);
  return n;
}

}  // namespace bench
