// Containers that hold modules and parameters by position or by name, and have no forward: ModuleList, ModuleDict,
// ParameterList, ParameterDict.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "any_module.h"
#include "cloneable.h"

namespace gradus::nn {

namespace detail {
/// IndexError when it is none of `size` positions.
GRADUS_API void check_index(const char* what, std::size_t index, std::size_t size);
/// A shared module out of a holder, a shared_ptr or a module by value.
template <class M>
std::shared_ptr<Module> shared_module(M&& module) {
  using Type = std::remove_cvref_t<M>;
  if constexpr (requires { typename Type::ContainedType; })
    return module.base_ptr();
  else if constexpr (std::is_base_of_v<Module, Type>)
    return std::shared_ptr<Module>(std::make_shared<Type>(std::forward<M>(module)));
  else
    return std::shared_ptr<Module>(std::forward<M>(module));
}
template <class M>
concept ModuleLike = std::is_base_of_v<Module, std::remove_cvref_t<M>> || requires {
  typename std::remove_cvref_t<M>::ContainedType;
} || std::is_convertible_v<M, std::shared_ptr<Module>>;
}  // namespace detail

/// Modules that are registered under their positions.
class GRADUS_API ModuleListImpl : public Cloneable<ModuleListImpl> {
 public:
  ModuleListImpl() = default;
  /// From holders, shared_ptrs or modules by value.
  template <class... M>
  requires(sizeof...(M) > 0 &&
           !(sizeof...(M) == 1 && (std::is_base_of_v<ModuleListImpl, std::remove_cvref_t<M>> && ...)) &&
           (detail::ModuleLike<M> && ...)) explicit ModuleListImpl(M&&... modules) {
    (push_back(std::forward<M>(modules)), ...);
  }

  void push_back(std::shared_ptr<Module> module);
  template <class M>
  requires(detail::ModuleLike<M> && !std::is_convertible_v<M, std::shared_ptr<Module>>) void push_back(M&& module) {
    push_back(detail::shared_module(std::forward<M>(module)));
  }
  /// All of a list of modules, or of another ModuleList.
  template <class Container>
  void extend(const Container& container) {
    // Its own, when it is extended by itself.
    std::vector<std::shared_ptr<Module>> all;
    for (const auto& module : container) all.push_back(detail::shared_module(module));
    for (auto& module : all) push_back(std::move(module));
  }
  /// Before the one that is at `index` now; those behind it get the next name. IndexError when index > size().
  void insert(std::size_t index, std::shared_ptr<Module> module);
  template <class M>
  requires(detail::ModuleLike<M> && !std::is_convertible_v<M, std::shared_ptr<Module>>) void insert(std::size_t index,
                                                                                                    M&& module) {
    insert(index, detail::shared_module(std::forward<M>(module)));
  }

  std::size_t size() const noexcept { return modules_.size(); }
  bool is_empty() const noexcept { return modules_.empty(); }
  auto begin() noexcept { return modules_.begin(); }
  auto end() noexcept { return modules_.end(); }
  auto begin() const noexcept { return modules_.begin(); }
  auto end() const noexcept { return modules_.end(); }
  // IndexError when out of range; ModuleError when the module is no M.
  std::shared_ptr<Module> operator[](std::size_t index) const { return ptr(index); }
  std::shared_ptr<Module> ptr(std::size_t index) const;
  template <class M>
  auto& at(std::size_t index) const {
    return detail::module_as<M>(ptr(index));
  }
  template <class M>
  auto ptr(std::size_t index) const {
    return std::dynamic_pointer_cast<M>(ptr(index));
  }

  /// What is inside is pushed back, not made by reset().
  void reset() override {}
  std::shared_ptr<Module> clone(const std::optional<Device>& device = {}) const override;

 private:
  // The row would not know.
  using Module::register_module;
  using Module::replace_module;
  using Module::unregister_module;

  std::vector<std::shared_ptr<Module>> modules_;
};
GRADUS_MODULE(ModuleList);

/// Modules under names, in the order in which they came: `ModuleDict({{"conv", Conv2d(..).ptr()}, {"pool", ..}})`.
class GRADUS_API ModuleDictImpl : public Cloneable<ModuleDictImpl> {
 public:
  using Items = OrderedDict<std::string, std::shared_ptr<Module>>;
  using Pairs = std::vector<std::pair<std::string, std::shared_ptr<Module>>>;
  ModuleDictImpl();
  explicit ModuleDictImpl(const Pairs& modules);
  explicit ModuleDictImpl(const Items& modules);

  /// Adds, or puts in the place of those that are there. ModuleError as of register_module.
  void update(const Pairs& modules);
  /// The same of an OrderedDict, a std::map, another ModuleDict.
  template <class Container>
  void update(const Container& container) {
    for (const auto& item : container) {
      if constexpr (requires { item.key(); })
        insert(item.key(), detail::shared_module(item.value()));
      else
        insert(item.first, detail::shared_module(item.second));
    }
  }
  void update(const ModuleDictImpl& other);
  void update(const ModuleHolder<ModuleDictImpl>& other) { update(*other); }
  void insert(const std::string& key, std::shared_ptr<Module> module);
  template <class M>
  requires(detail::ModuleLike<M> &&
           !std::is_convertible_v<M, std::shared_ptr<Module>>) void insert(const std::string& key, M&& module) {
    insert(key, detail::shared_module(std::forward<M>(module)));
  }
  /// Takes one out and gives it. IndexError when there is none. (PyTorch leaves it registered, so that it goes on to be
  /// listed by parameters(); here it is gone, as in Python.)
  std::shared_ptr<Module> pop(const std::string& key);
  void clear() { children_.clear(); }

  Pairs items() const;
  std::vector<std::string> keys() const;
  std::vector<std::shared_ptr<Module>> values() const;
  auto begin() noexcept { return children_.begin(); }
  auto end() noexcept { return children_.end(); }
  auto begin() const noexcept { return children_.begin(); }
  auto end() const noexcept { return children_.end(); }
  std::size_t size() const noexcept { return children_.size(); }
  bool empty() const noexcept { return children_.is_empty(); }
  bool contains(const std::string& key) const noexcept { return children_.contains(key); }
  // IndexError when there is none; ModuleError when the module is no M.
  std::shared_ptr<Module> operator[](const std::string& key) const { return children_[key]; }
  template <class M>
  auto& at(const std::string& key) const {
    return detail::module_as<M>(children_[key]);
  }

  void reset() override {}
  std::shared_ptr<Module> clone(const std::optional<Device>& device = {}) const override;
};

class ModuleDict : public ModuleHolder<ModuleDictImpl> {
 public:
  using Impl = ModuleDictImpl;
  using ModuleHolder<ModuleDictImpl>::ModuleHolder;
  ModuleDict() = default;
  GRADUS_API ModuleDict(std::initializer_list<ModuleDictImpl::Pairs::value_type> modules);
};

/// Parameters under their positions. What does not require a gradient when it is appended does not afterwards.
class GRADUS_API ParameterListImpl : public Cloneable<ParameterListImpl> {
 public:
  using Item = NamedTensors::Item;
  ParameterListImpl() = default;
  template <class... T>
  requires(sizeof...(T) > 0 &&
           (std::is_convertible_v<T, Tensor> && ...)) explicit ParameterListImpl(T&&... parameters) {
    (append(std::forward<T>(parameters)), ...);
  }

  void append(Tensor parameter);
  void append(const Item& item) { append(item.value()); }
  /// All of a list of tensors, or of another ParameterList.
  template <class Container>
  void extend(const Container& container) {
    for (const auto& parameter : std::vector(container.begin(), container.end())) append(parameter);
  }
  template <class Container>
  ParameterListImpl& operator+=(const Container& other) {
    extend(other);
    return *this;
  }
  auto begin() noexcept { return parameters_.begin(); }
  auto end() noexcept { return parameters_.end(); }
  auto begin() const noexcept { return parameters_.begin(); }
  auto end() const noexcept { return parameters_.end(); }
  std::size_t size() const noexcept { return parameters_.size(); }
  bool is_empty() const noexcept { return parameters_.is_empty(); }
  /// IndexError when out of range.
  Tensor& at(std::size_t index);
  const Tensor& at(std::size_t index) const { return const_cast<ParameterListImpl*>(this)->at(index); }
  Tensor& operator[](std::size_t index) { return at(index); }
  const Tensor& operator[](std::size_t index) const { return at(index); }

  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  std::shared_ptr<Module> clone(const std::optional<Device>& device = {}) const override;
};
GRADUS_MODULE(ParameterList);

/// Parameters under names.
class GRADUS_API ParameterDictImpl : public Cloneable<ParameterDictImpl> {
 public:
  ParameterDictImpl() = default;
  explicit ParameterDictImpl(const NamedTensors& parameters) { update(parameters); }

  /// ModuleError when there is one already.
  Tensor& insert(std::string key, Tensor parameter);
  /// Takes one out and gives it. IndexError when there is none.
  Tensor pop(const std::string& key);
  /// Adds, or puts in the place of those that are there: of an OrderedDict, a std::map, another ParameterDict.
  template <class Container>
  void update(const Container& container) {
    for (const auto& item : container) {
      if constexpr (requires { item.key(); })
        put(item.key(), item.value());
      else
        put(item.first, item.second);
    }
  }
  void clear() { parameters_.clear(); }
  std::vector<std::string> keys() const;
  std::vector<Tensor> values() const;
  auto begin() noexcept { return parameters_.begin(); }
  auto end() noexcept { return parameters_.end(); }
  auto begin() const noexcept { return parameters_.begin(); }
  auto end() const noexcept { return parameters_.end(); }
  std::size_t size() const noexcept { return parameters_.size(); }
  bool empty() const noexcept { return parameters_.is_empty(); }
  bool contains(const std::string& key) const noexcept { return parameters_.contains(key); }
  // IndexError when there is none.
  Tensor& get(const std::string& key) { return parameters_[key]; }
  const Tensor& get(const std::string& key) const { return parameters_[key]; }
  Tensor& operator[](const std::string& key) { return parameters_[key]; }
  const Tensor& operator[](const std::string& key) const { return parameters_[key]; }

  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  std::shared_ptr<Module> clone(const std::optional<Device>& device = {}) const override;

 private:
  void put(const std::string& key, const Tensor& parameter);
};
GRADUS_MODULE(ParameterDict);

}  // namespace gradus::nn
