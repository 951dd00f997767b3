// A row for each module, from which layers/test_modules.cpp draws its proofs: modules_FAMILY.cpp lists those of a family.
// What a row does not say stands in reference/modules_FAMILY.safetensors under its name: the state, the inputs, and
// PyTorch's values.
#pragma once

#include <boost/test/unit_test.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gradus/gradus.h>

#include "../support/arrays.h"

namespace gradus::test {

struct ModuleRow {
  std::string name;  ///< the case in the family's file
  std::string text;  ///< as it prints
  nn::AnyModule module;
  /// forward of a module of this row's type as `layer->forward(x)` calls it: no holder, no container.
  Tensor (*direct)(nn::Module&, const std::vector<Tensor>&);
  std::vector<std::function<void(const std::string&)>> refusals;
  bool draws = false;            ///< at random, in training
  bool is_linear = false;        ///< in each of its inputs and parameters: second derivatives are 0, or nearly all
  bool records_nothing = false;  ///< records nothing of its own

  /// What forward refuses: with an E whose text has the pieces.
  template <class E>
  ModuleRow refuses(std::vector<Tensor> inputs, std::vector<std::string> pieces) && {
    refusals.push_back([=, this_module = module](const std::string& row) {
      BOOST_TEST_CONTEXT(row) {
        check_error<E>([&] { (void)forward(this_module, inputs); }, pieces);
      }
    });
    return std::move(*this);
  }
  ModuleRow drawing() && {
    draws = true;
    return std::move(*this);
  }
  ModuleRow linear() && {
    is_linear = true;
    return std::move(*this);
  }
  ModuleRow recording_nothing() && {
    records_nothing = true;
    return std::move(*this);
  }

  static Tensor forward(const nn::AnyModule& module, const std::vector<Tensor>& x) {
    return x.size() == 1   ? module.forward(x[0])
           : x.size() == 2 ? module.forward(x[0], x[1])
                           : module.forward(x[0], x[1], x[2]);
  }
};

template <class M>
ModuleRow row(std::string name, std::string text, const nn::ModuleHolder<M>& module) {
  return {std::move(name),
          std::move(text),
          module,
          [](nn::Module& m, const std::vector<Tensor>& x) -> Tensor {
            auto* layer = m.as<M>();
            if constexpr (requires { layer->forward(x[0]); }) {
              if (x.size() == 1) return layer->forward(x[0]);
            }
            if constexpr (requires { layer->forward(x[0], x[1]); }) {
              if (x.size() == 2) return layer->forward(x[0], x[1]);
            }
            if constexpr (requires { layer->forward(x[0], x[1], x[2]); }) {
              if (x.size() == 3) return layer->forward(x[0], x[1], x[2]);
            }
            throw std::logic_error("no forward of as many inputs");
          },
          {}};
}

// The families.
std::vector<ModuleRow> activation_modules();
std::vector<ModuleRow> attention_modules();
std::vector<ModuleRow> conv_modules();
std::vector<ModuleRow> distance_modules();
std::vector<ModuleRow> dropout_modules();
std::vector<ModuleRow> embedding_modules();
std::vector<ModuleRow> linear_modules();
std::vector<ModuleRow> loss_modules();
std::vector<ModuleRow> norm_modules();
std::vector<ModuleRow> pool_modules();
std::vector<ModuleRow> recurrent_modules();
std::vector<ModuleRow> sampling_modules();
std::vector<ModuleRow> shape_modules();

struct ModuleFamily {
  const char* name;
  std::vector<ModuleRow> (*rows)();
};
inline constexpr ModuleFamily module_families[] = {
    {"activation", activation_modules},
    {"attention", attention_modules},
    {"conv", conv_modules},
    {"distance", distance_modules},
    {"dropout", dropout_modules},
    {"embedding", embedding_modules},
    {"linear", linear_modules},
    {"loss", loss_modules},
    {"norm", norm_modules},
    {"pool", pool_modules},
    {"recurrent", recurrent_modules},
    {"sampling", sampling_modules},
    {"shape", shape_modules},
};

}  // namespace gradus::test
