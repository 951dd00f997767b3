// All optimizers of the library, a row each: what the tests of optimizers go over.
#pragma once

#include <vector>

#include <gradus/optim.h>

namespace gradus::test {

template <class Optimizer>
struct Of {
  using type = Optimizer;
};

// One row an optimizer: what its cases in the file are called, how many there are for each dtype, and options to be
// checked. use(Of<Optimizer>, beginning, cases, options) is called for each.
template <class Use>
void each_optimizer(Use use) {
  using namespace optim;
  use(Of<SGD>(), "sgd", 9,
      std::vector<SGDOptions>{
          {0.1},
          SGDOptions(0.1).weight_decay(0.2),
          SGDOptions(0.1).momentum(0.9),
          SGDOptions(0.1).momentum(0.9).dampening(0.3).weight_decay(0.2),
          SGDOptions(0.1).momentum(0.9).nesterov(true),
      });
  use(Of<Adam>(), "adam_", 5,
      std::vector<AdamOptions>{
          {},
          AdamOptions(0.1).weight_decay(0.2),
          AdamOptions(0.1).betas({0.5, 0.6}).eps(0.1),
          AdamOptions(0.1).amsgrad(true).betas({0.9, 0.3}),
      });
  use(Of<AdamW>(), "adamw_", 5,
      std::vector<AdamWOptions>{
          {},
          AdamWOptions(0.1).weight_decay(0),
          AdamWOptions(0.1).betas({0.5, 0.6}).eps(0.1),
          AdamWOptions(0.1).amsgrad(true).betas({0.9, 0.3}),
      });
  use(Of<RMSprop>(), "rmsprop", 6,
      std::vector<RMSpropOptions>{
          {},
          RMSpropOptions(0.1).weight_decay(0.2).alpha(0.5).eps(0.1),
          RMSpropOptions(0.1).momentum(0.9),
          RMSpropOptions(0.1).centered(true),
          RMSpropOptions(0.1).centered(true).momentum(0.9).weight_decay(0.2).alpha(0.8),
      });
  use(Of<Adagrad>(), "adagrad", 5,
      std::vector<AdagradOptions>{
          {},
          AdagradOptions(0.1).lr_decay(0.3).weight_decay(0.2),
          AdagradOptions(0.1).initial_accumulator_value(0.7).eps(0.1),
      });
  // Those of optim_long alone.
  use(Of<NAdam>(), "", 0,
      std::vector<NAdamOptions>{
          {},
          NAdamOptions(0.1).weight_decay(0.2).betas({0.5, 0.6}).eps(0.1).momentum_decay(0.1),
          NAdamOptions(0.1).weight_decay(0.2).decoupled_weight_decay(true).maximize(true),
      });
  use(Of<RAdam>(), "", 0,
      std::vector<RAdamOptions>{
          {},
          RAdamOptions(0.1).weight_decay(0.2).betas({0.5, 0.9}).eps(0.1),
          RAdamOptions(0.1).weight_decay(0.2).decoupled_weight_decay(true),
      });
  use(Of<Adamax>(), "", 0, std::vector<AdamaxOptions>{{}, AdamaxOptions(0.1).weight_decay(0.2).betas({0.5, 0.6})});
  use(Of<Adadelta>(), "", 0, std::vector<AdadeltaOptions>{{}, AdadeltaOptions(0.1).weight_decay(0.2).rho(0.6)});
  use(Of<ASGD>(), "", 0, std::vector<ASGDOptions>{{}, ASGDOptions(0.1).weight_decay(0.2).lambd(0.3).t0(2).alpha(0.6)});
  use(Of<Rprop>(), "", 0, std::vector<RpropOptions>{{}, RpropOptions(0.1).etas({0.4, 1.5}).step_sizes({0.05, 0.2})});
  use(Of<Lion>(), "", 0, std::vector<LionOptions>{{}, LionOptions(0.1).weight_decay(0.2).betas({0.7, 0.8})});
}

}  // namespace gradus::test
