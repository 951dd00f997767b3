// A row for each module, from which test_modules.cpp draws its proofs. What a row does not say stands in
// tests/reference/modules.safetensors under its name: the state, the inputs, and PyTorch's values.
#pragma once

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gradus/gradus.h>

#include "../support/arrays.h"

namespace gradus::test {

struct ModuleRow {
  std::string name;  ///< the case in modules.safetensors
  std::string text;  ///< as it prints
  nn::AnyModule module;
  /// forward of a module of this row's type as `layer->forward(x)` calls it: no holder, no container.
  Tensor (*direct)(nn::Module&, const std::vector<Tensor>&);
  std::vector<std::function<void(const std::string&)>> refusals;
  bool draws = false;      ///< at random, in training
  bool is_linear = false;  ///< in each of its inputs and parameters: second derivatives are 0, or nearly all
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
    return x.size() == 1 ? module.forward(x[0]) : module.forward(x[0], x[1]);
  }
};

template <class M>
ModuleRow row(std::string name, std::string text, const nn::ModuleHolder<M>& module) {
  return {std::move(name),
          std::move(text),
          module,
          [](nn::Module& m, const std::vector<Tensor>& x) -> Tensor {
            auto* layer = m.as<M>();
            if constexpr (requires { layer->forward(x[0]); })
              return layer->forward(x[0]);
            else
              return layer->forward(x[0], x[1]);
          },
          {}};
}

}  // namespace gradus::test
