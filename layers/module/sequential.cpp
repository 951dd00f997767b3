#include "sequential.h"

#include "../../core/base/fail.h"
#include "copying.h"
#include "module_hooks.h"

namespace gradus::nn {

using core::fail;

SequentialImpl::SequentialImpl() = default;
SequentialImpl::SequentialImpl(const SequentialImpl&) = default;
SequentialImpl& SequentialImpl::operator=(const SequentialImpl&) = default;
SequentialImpl::~SequentialImpl() = default;

SequentialImpl::SequentialImpl(std::initializer_list<NamedAnyModule> modules) {
  for (const NamedAnyModule& m : modules) push_back(m);
}

Sequential::Sequential(std::initializer_list<NamedAnyModule> modules)
    : ModuleHolder(std::make_shared<SequentialImpl>(modules)) {}

void SequentialImpl::push_back(AnyModule module) { push_back(std::to_string(size()), std::move(module)); }

void SequentialImpl::push_back(std::string name, AnyModule module) {
  register_module(std::move(name), module.ptr());
  modules_.push_back(std::move(module));
}

void SequentialImpl::extend(const SequentialImpl& other) {
  const std::vector<AnyModule> modules = other.modules_;  // its own, when it is extended by itself
  for (const AnyModule& module : modules) push_back(module);
}

const AnyModule& SequentialImpl::any(std::size_t index) const {
  detail::check_index("Sequential", index, size());
  return modules_[index];
}

template <class Call>
void SequentialImpl::each(const Call& call) const {
  if (is_empty()) fail<ModuleError>("Sequential: forward needs a module to call: there is none in it");
  for (std::size_t i = 0; i < size(); ++i) {
    try {
      call(modules_[i], i == 0);
    } catch (Error& error) {
      const Module& module = *modules_[i].ptr();
      error.add_note(fmt::format("in ({}): {}({})", children_.items()[i].key(), module.name(), module.extra_repr()));
      throw;
    }
  }
}

// Tensors go from module to module as they are; what one of another kind gives, or takes, as a value.
Tensor SequentialImpl::run(const Operand* x, std::size_t count) const {
  Tensor y;
  AnyValue value;
  each([&](const AnyModule& module, bool first) {
    if (!first && !value.is_empty()) {
      std::vector<AnyValue> all;
      all.push_back(std::move(value));
      value = module.run_values(std::move(all), x->at());
    } else if (module.gives_tensor()) {
      const Operand previous(y, x->at());
      y = module.run(first ? x : &previous, first ? count : 1);
      return;
    } else {
      std::vector<AnyValue> all;
      if (first) {
        for (std::size_t i = 0; i < count; ++i) all.emplace_back(x[i].tensor());
      } else {
        all.emplace_back(std::move(y));
      }
      value = module.run_values(std::move(all), x->at());
    }
    if (Tensor* tensor = value.try_get<Tensor>()) {
      y = std::move(*tensor);
      value = AnyValue();
    }
  });
  if (!value.is_empty()) detail::fail_other_result(value.type_info(), typeid(Tensor));
  return y;
}

AnyValue SequentialImpl::run_values(std::vector<AnyValue>&& arguments, Location at) const {
  AnyValue y;
  each([&](const AnyModule& module, bool first) {
    if (!first) {
      arguments.clear();
      arguments.push_back(std::move(y));
    }
    y = module.run_values(std::move(arguments), at);
  });
  return y;
}

std::shared_ptr<Module> SequentialImpl::clone(const std::optional<Device>&) const {
  Copying copying(*this);
  auto copy = std::make_shared<SequentialImpl>(*this);
  copy->forget_registered();
  copy->modules_.clear();
  detail::ModuleHooks::copy(*this, *copy);
  for (std::size_t i = 0; i < size(); ++i) {
    const AnyModule& module = modules_[i];
    copy->push_back(children_.items()[i].key(), AnyModule(copying.copy_of(module.ptr()), module.calls_));
  }
  return copy;
}

}  // namespace gradus::nn
