// The optimizers whose states go to Python and come from there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <gradus/optim.h>

namespace gradus::test {

using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(const std::vector<Tensor>&)>;

/// By their names in tests/reference/make_files.py, with other settings than there: a state brings its own.
inline std::map<std::string, MakeOptimizer> all_optimizers() {
  const auto plain = []<class O>(std::type_identity<O>) -> MakeOptimizer {
    return [](const std::vector<Tensor>& w) { return std::make_unique<O>(w); };
  };
  return {
      {"SGD", [](const std::vector<Tensor>& w) { return std::make_unique<optim::SGD>(w, optim::SGDOptions(5)); }},
      {"Adam", plain(std::type_identity<optim::Adam>())},
      {"AdamW", plain(std::type_identity<optim::AdamW>())},
      {"RMSprop", plain(std::type_identity<optim::RMSprop>())},
      {"Adagrad", plain(std::type_identity<optim::Adagrad>())},
      {"NAdam", plain(std::type_identity<optim::NAdam>())},
      {"RAdam", plain(std::type_identity<optim::RAdam>())},
      {"Adamax", plain(std::type_identity<optim::Adamax>())},
      {"Adadelta", plain(std::type_identity<optim::Adadelta>())},
      {"ASGD", plain(std::type_identity<optim::ASGD>())},
      {"Rprop", plain(std::type_identity<optim::Rprop>())},
      {"Muon", plain(std::type_identity<optim::Muon>())},
      {"named", plain(std::type_identity<optim::Adam>())},
  };
}

}  // namespace gradus::test
