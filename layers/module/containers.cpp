#include "containers.h"

#include <ostream>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "copying.h"
#include "module_hooks.h"

namespace gradus::nn {

using core::fail;

void detail::check_index(const char* what, std::size_t index, std::size_t size) {
  if (index >= size) {
    fail<IndexError>("{}: an index must be below the number of modules, {}: {}", what, size,
                     static_cast<std::int64_t>(index));
  }
}

// --- ModuleList

void ModuleListImpl::push_back(std::shared_ptr<Module> module) {
  register_module(std::to_string(size()), module);
  modules_.push_back(std::move(module));
}

void ModuleListImpl::insert(std::size_t index, std::shared_ptr<Module> module) {
  if (index > size())
    fail<IndexError>("ModuleList: insert's index must be at most the number of modules, {}: {}", size(), index);
  push_back(std::move(module));  // all that can fail
  for (std::size_t i = size() - 1; i > index; --i) std::swap(modules_[i], modules_[i - 1]);
  for (std::size_t i = index; i < size(); ++i) replace_module(std::to_string(i), modules_[i]);
}

std::shared_ptr<Module> ModuleListImpl::ptr(std::size_t index) const {
  detail::check_index("ModuleList", index, size());
  return modules_[index];
}

std::shared_ptr<Module> ModuleListImpl::clone(const std::optional<Device>&) const {
  Copying copying(*this);
  auto copy = std::make_shared<ModuleListImpl>(*this);
  copy->forget_registered();
  copy->modules_.clear();
  detail::ModuleHooks::copy(*this, *copy);
  for (const auto& module : modules_) copy->push_back(copying.copy_of(module));
  return copy;
}

// --- ModuleDict

ModuleDictImpl::ModuleDictImpl() = default;
ModuleDictImpl::ModuleDictImpl(const Pairs& modules) { update(modules); }
ModuleDictImpl::ModuleDictImpl(const Items& modules) { update(modules); }
ModuleDict::ModuleDict(std::initializer_list<ModuleDictImpl::Pairs::value_type> modules)
    : ModuleHolder(std::make_shared<ModuleDictImpl>(ModuleDictImpl::Pairs(modules))) {}

void ModuleDictImpl::insert(const std::string& key, std::shared_ptr<Module> module) {
  if (contains(key))
    replace_module(key, std::move(module));
  else
    register_module(key, std::move(module));
}

void ModuleDictImpl::update(const Pairs& modules) {
  for (const auto& [key, module] : modules) insert(key, module);
}

std::shared_ptr<Module> ModuleDictImpl::pop(const std::string& key) {
  std::shared_ptr<Module> module = children_[key];
  unregister_module(key);
  return module;
}

void ModuleDictImpl::update(const ModuleDictImpl& other) { update(Items(other.children_)); }
std::vector<std::string> ModuleDictImpl::keys() const { return children_.keys(); }
std::vector<std::shared_ptr<Module>> ModuleDictImpl::values() const { return children_.values(); }
ModuleDictImpl::Pairs ModuleDictImpl::items() const { return {children_.begin(), children_.end()}; }

std::shared_ptr<Module> ModuleDictImpl::clone(const std::optional<Device>&) const {
  Copying copying(*this);
  auto copy = std::make_shared<ModuleDictImpl>(*this);
  copy->forget_registered();
  detail::ModuleHooks::copy(*this, *copy);
  for (const auto& [key, module] : children_) copy->insert(key, copying.copy_of(module));
  return copy;
}

// --- Parameters

namespace {

void print_parameters(std::ostream& stream, const std::string& name, const NamedTensors& parameters) {
  stream << name << '(';
  for (const auto& [key, parameter] : parameters) {
    stream << fmt::format("\n  ({}): Parameter containing: [{} of size {}]", key, parameter.dtype(),
                          fmt::join(parameter.sizes(), "x"));
  }
  stream << (parameters.is_empty() ? ")" : "\n)");
}

}  // namespace

void ParameterListImpl::append(Tensor parameter) {
  core::expect_defined("ParameterList", "a parameter", parameter);
  const bool requires_grad = parameter.requires_grad();
  register_parameter(std::to_string(size()), std::move(parameter), requires_grad);
}

Tensor& ParameterListImpl::at(std::size_t index) {
  if (index >= size()) {
    fail<IndexError>("ParameterList: an index must be below the number of parameters, {}: {}", size(),
                     static_cast<std::int64_t>(index));
  }
  return parameters_[std::to_string(index)];
}

Tensor& ParameterDictImpl::insert(std::string key, Tensor parameter) {
  core::expect_defined("ParameterDict", "a parameter", parameter);
  const bool requires_grad = parameter.requires_grad();
  return register_parameter(std::move(key), std::move(parameter), requires_grad);
}

void ParameterDictImpl::put(const std::string& key, const Tensor& parameter) {
  if (contains(key)) parameters_.erase(key);
  insert(key, parameter);
}

std::vector<std::string> ParameterDictImpl::keys() const { return parameters_.keys(); }
std::vector<Tensor> ParameterDictImpl::values() const { return parameters_.values(); }
Tensor ParameterDictImpl::pop(const std::string& key) {
  const Tensor parameter = parameters_[key];
  parameters_.erase(key);
  return parameter;
}

void ParameterListImpl::pretty_print(std::ostream& stream) const { print_parameters(stream, name(), parameters_); }
void ParameterDictImpl::pretty_print(std::ostream& stream) const { print_parameters(stream, name(), parameters_); }

std::shared_ptr<Module> ParameterListImpl::clone(const std::optional<Device>&) const {
  Copying copying(*this);
  auto copy = std::make_shared<ParameterListImpl>(*this);
  copying.copy_parameters(*this, *copy);
  return copy;
}

std::shared_ptr<Module> ParameterDictImpl::clone(const std::optional<Device>&) const {
  Copying copying(*this);
  auto copy = std::make_shared<ParameterDictImpl>(*this);
  copying.copy_parameters(*this, *copy);
  return copy;
}

}  // namespace gradus::nn
