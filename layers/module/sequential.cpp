#include "sequential.h"

#include "../../core/base/fail.h"
#include "copying.h"

namespace gradus::nn {

using core::fail;

void detail::fail_forward_count(const Module& module, std::size_t count) {
  fail<ModuleError>("forward: {} must be called with as many tensors as its forward takes: {} were given",
                    module.name(), count);
}

AnyModule::AnyModule(std::shared_ptr<Module> module, Forward function)
    : module_(std::move(module)), forward_(function) {}
AnyModule::AnyModule(const AnyModule&) = default;
AnyModule::AnyModule(AnyModule&&) noexcept = default;
AnyModule& AnyModule::operator=(const AnyModule&) = default;
AnyModule& AnyModule::operator=(AnyModule&&) noexcept = default;
AnyModule::~AnyModule() = default;

AnyModule AnyModule::clone() const { return {ptr()->clone(), forward_}; }

void detail::fail_empty_any() { fail<ModuleError>("AnyModule: an empty one was used"); }

void detail::fail_other_type(const Module& module, const std::type_info& wanted) {
  fail<ModuleError>("get: the module must be a {}: it is a {}", short_type_name(wanted), module.name());
}

namespace {

void check_index(const char* what, std::size_t index, std::size_t size) {
  if (index >= size) {
    fail<IndexError>("{}: an index must be below the number of modules, {}: {}", what, size,
                     static_cast<std::int64_t>(index));
  }
}

}  // namespace

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
  check_index("Sequential", index, size());
  return modules_[index];
}

Tensor SequentialImpl::run(const Operand* x, std::size_t count) {
  if (is_empty()) fail<ModuleError>("Sequential: forward needs a module to call: there is none in it");
  Tensor y;
  for (std::size_t i = 0; i < size(); ++i) {
    try {
      const Operand previous(y, x[0].at());
      y = modules_[i].forward(i == 0 ? x : &previous, i == 0 ? count : 1);
    } catch (Error& error) {
      const Module& module = *modules_[i].ptr();
      error.add_note(fmt::format("in ({}): {}({})", children_.items()[i].key(), module.name(), module.extra_repr()));
      throw;
    }
  }
  return y;
}

std::shared_ptr<Module> SequentialImpl::clone() const {
  Copying copying(*this);
  auto copy = std::make_shared<SequentialImpl>(*this);
  copy->forget_registered();
  copy->modules_.clear();
  for (std::size_t i = 0; i < size(); ++i) {
    const AnyModule& module = modules_[i];
    copy->push_back(children_.items()[i].key(), AnyModule(copying.copy_of(module.ptr()), module.forward_));
  }
  return copy;
}

void ModuleListImpl::push_back(std::shared_ptr<Module> module) {
  register_module(std::to_string(size()), module);
  modules_.push_back(std::move(module));
}

std::shared_ptr<Module> ModuleListImpl::ptr(std::size_t index) const {
  check_index("ModuleList", index, size());
  return modules_[index];
}

std::shared_ptr<Module> ModuleListImpl::clone() const {
  Copying copying(*this);
  auto copy = std::make_shared<ModuleListImpl>(*this);
  copy->forget_registered();
  copy->modules_.clear();
  for (const auto& module : modules_) copy->push_back(copying.copy_of(module));
  return copy;
}

}  // namespace gradus::nn
