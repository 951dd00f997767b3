#include "averaged_model.h"

#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"

namespace gradus::nn {
namespace {

std::string described(const NamedTensors& all) {
  std::vector<std::string> each;
  for (const auto& item : all.items()) each.push_back(fmt::format("{} {}", item.key(), item.value().sizes()));
  return fmt::format("{}", fmt::join(each, ", "));
}
void check_alike(const NamedTensors& mine, const NamedTensors& theirs, const Module& model) {
  bool alike = mine.keys() == theirs.keys();
  for (std::size_t i = 0; alike && i < mine.size(); ++i) {
    alike = mine.items()[i].value().sizes() == theirs.items()[i].value().sizes();
  }
  if (!alike) {
    core::fail<ModuleError>(
        "AveragedModel: parameters and buffers of {} must be those of the averaged model, by name and shape: [{}] for "
        "[{}]",
        model.name(), described(theirs), described(mine));
  }
}

}  // namespace

detail::AveragedModelBase::AveragedModelBase(const Module& model, std::shared_ptr<Module> copy,
                                             const AveragedModelOptions& chosen)
    : options(chosen) {
  if (options.decay() && !(*options.decay() >= 0 && *options.decay() <= 1)) {
    core::fail<ValueError>("AveragedModel: decay must be in [0, 1]: {}", *options.decay());
  }
  n_averaged = register_buffer("n_averaged", zeros({}, kLong));
  module_ = register_module("module", std::move(copy));
  const NamedTensors mine = module_->state_dict(), theirs = model.state_dict();
  check_alike(mine, theirs, model);
  const NoGradGuard no_grad;
  for (std::size_t i = 0; i < mine.size(); ++i) mine.items()[i].value().copy_(theirs.items()[i].value());
}

detail::AveragedModelBase::~AveragedModelBase() = default;

void detail::AveragedModelBase::update_parameters(const Module& model) {
  check_alike(module_->named_parameters(), model.named_parameters(), model);
  check_alike(module_->named_buffers(), model.named_buffers(), model);
  const NoGradGuard no_grad;
  const auto n = n_averaged.item<std::int64_t>();
  const double weight = n == 0 ? 1 : options.decay() ? 1 - *options.decay() : 1 / static_cast<double>(n + 1);
  const auto update = [&](const std::vector<Tensor>& averages, const std::vector<Tensor>& values, bool average) {
    for (std::size_t i = 0; i < averages.size(); ++i) {
      if (average && n > 0 && averages[i].is_floating_point())
        averages[i].lerp_(values[i].detach().to(averages[i].dtype()), weight);
      else
        averages[i].copy_(values[i]);
    }
  };
  update(module_->parameters(), model.parameters(), true);
  update(module_->buffers(), model.buffers(), options.use_buffers());
  n_averaged.fill_(n + 1);
}

}  // namespace gradus::nn
