#include "module.h"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <mutex>
#include <ostream>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "../../autograd/graph/error_notes.h"
#include "../../core/base/fail.h"
#include "any_module.h"
#include "module_hooks.h"

namespace gradus {

void detail::fail_key_absent(std::string_view key) { core::fail<IndexError>("OrderedDict: there is no '{}'", key); }
void detail::fail_key_present(std::string_view key) {
  core::fail<ValueError>("OrderedDict: there is a '{}' already", key);
}

namespace nn {

using core::fail;

std::string detail::type_text(const std::type_info& type) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? demangled : type.name();
  std::free(demangled);
  // What a program writes: std::string, and no allocator.
  const auto replace = [&name](std::string_view from, std::string_view to) {
    for (auto at = name.find(from); at != std::string::npos; at = name.find(from)) name.replace(at, from.size(), to);
  };
  replace("std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string");
  for (auto at = name.find(", std::allocator<"); at != std::string::npos; at = name.find(", std::allocator<")) {
    std::size_t end = at + std::string_view(", std::allocator<").size();
    for (int depth = 1; depth > 0 && end < name.size(); ++end) depth += (name[end] == '<') - (name[end] == '>');
    if (end < name.size() && name[end] == ' ') ++end;
    name.erase(at, end - at);
  }
  return name;
}

std::string detail::short_type_name(const std::type_info& type) {
  std::string name = type_text(type);
  // The namespace ends at the last "::" that is in no template's arguments and in no function's.
  int depth = 0;
  for (std::size_t i = name.size(); i-- > 0;) {
    if (name[i] == '>' || name[i] == ')') ++depth;
    if (name[i] == '<' || name[i] == '(') --depth;
    if (depth == 0 && name[i] == ':') {
      name.erase(0, i + 1);
      break;
    }
  }
  if (name.size() > 4 && name.ends_with("Impl")) name.resize(name.size() - 4);
  return name;
}

namespace {

// Paths live forever: nodes of the graph bear them, and may outlive the module.
std::string_view intern(std::string path) {
  static std::mutex mutex;
  static auto& paths = *new std::unordered_set<std::string>();
  const std::lock_guard lock(mutex);
  return *paths.insert(std::move(path)).first;
}

std::string join(std::string_view prefix, const std::string& name) {
  return prefix.empty() ? name : fmt::format("{}.{}", prefix, name);
}

using Seen = std::unordered_set<const void*>;

}  // namespace

std::shared_ptr<Module> detail::share(Module* fresh) { return std::shared_ptr<Module>(fresh); }

// The innermost module names itself, those around it let its exception pass: the very one, which is kept for that until the
// next, so that no other can have its address.
void detail::rethrow_from(const Module& module, Location called_at) {
  thread_local std::exception_ptr noted;
  if (std::current_exception() == noted) throw;
  std::string note = fmt::format("in the forward of {}", module.path());
  note += module.path().empty() ? module.name() : fmt::format(" ({})", module.name());
  if (called_at) note += fmt::format(", called at {}:{}", called_at.file(), called_at.line());
  try {
    autograd::rethrow_with(note);
  } catch (const std::exception&) {
    noted = std::current_exception();
    throw;
  }
}

void detail::fail_empty_holder(const std::type_info& impl) {
  fail<ModuleError>("{}: an empty holder was used: it was made with {{nullptr}}, and no module was assigned to it",
                    short_type_name(impl));
}

struct Module::Tree {
  using Visit = core::FunctionRef<void(const std::string& path, const std::shared_ptr<Module>& module)>;

  // Each module below, before those below it; each once when `seen` keeps those that have been met.
  static void visit_below(const Module& module, const std::string& path, Seen* seen, Visit visit) {
    for (const auto& [name, child] : module.children_) {
      if (seen != nullptr && !seen->insert(child.get()).second) continue;
      const std::string below = join(path, name);
      visit(below, child);
      visit_below(*child, below, seen, visit);
    }
  }

  // What the modules have of one kind, each tensor once.
  static NamedTensors tensors(const Module& module, bool recurse, NamedTensors Module::*kind) {
    NamedTensors all;
    Seen tensors, modules{&module};
    const auto add = [&](const std::string& path, const Module& m) {
      for (const auto& [name, tensor] : m.*kind) {
        if (tensor.defined() && tensors.insert(&tensor.body()).second) all.append(join(path, name), tensor);
      }
    };
    add("", module);
    if (recurse) visit_below(module, "", &modules, [&](const std::string& path, const auto& m) { add(path, *m); });
    return all;
  }
};

Module::Module() = default;
Module::Module(std::string name) : name_(std::move(name)) {}

// --- Registration

void Module::check_name(const char* op, const std::string& name) const {
  if (name.empty()) fail<ModuleError>("{}: a name must not be empty (in {})", op, this->name());
  if (name.find('.') != std::string::npos) {
    fail<ModuleError>("{}: a name must not have a dot, which separates the parts of a path: '{}'", op, name);
  }
  const char* what = parameters_.contains(name) ? "parameter" : buffers_.contains(name) ? "buffer" : "submodule";
  if (parameters_.contains(name) || buffers_.contains(name) || children_.contains(name)) {
    fail<ModuleError>("{}: {} has a {} '{}' already", op, this->name(), what, name);
  }
}

void Module::check_child(const char* op, const std::string& name, const std::shared_ptr<Module>& child) const {
  if (child == nullptr) fail<ModuleError>("{}: the module for '{}' is null", op, name);
  bool cycle = child.get() == this;
  Seen seen;
  Tree::visit_below(*child, "", &seen,
                    [&](const std::string&, const auto& below) { cycle = cycle || below.get() == this; });
  if (cycle) fail<ModuleError>("{}: '{}' would make {} a submodule of itself", op, name, this->name());
}

Tensor& Module::register_parameter(std::string name, Tensor tensor, bool requires_grad) {
  check_name("register_parameter", name);
  if (tensor.defined()) {
    if (!tensor.is_leaf()) {
      fail<ModuleError>(
          "register_parameter: '{}' must not be the result of an operation: it is that of {}; detach() it", name,
          tensor.grad_fn()->name());
    }
    if (requires_grad && !tensor.is_floating_point()) {
      fail<GradError>(
          "register_parameter: '{}' must be of a floating dtype to have a gradient: it is {}; register a buffer, or "
          "pass requires_grad = false",
          name, tensor.dtype());
    }
    tensor.requires_grad_(requires_grad);
  }
  tensor = shared_in_copy(&Module::parameters_, name, std::move(tensor));
  return parameters_.append(std::move(name), std::move(tensor));
}

Tensor& Module::register_buffer(std::string name, Tensor tensor) {
  check_name("register_buffer", name);
  tensor = shared_in_copy(&Module::buffers_, name, std::move(tensor));
  return buffers_.append(std::move(name), std::move(tensor));
}

void Module::add_child(std::string name, std::shared_ptr<Module> child) {
  check_name("register_module", name);
  check_child("register_module", name, child);
  child->set_path(join(path_, name));
  children_.append(std::move(name), std::move(child));
}

void Module::replace_child(const std::string& name, std::shared_ptr<Module> child) {
  auto* place = children_.find(name);
  if (place == nullptr) fail<ModuleError>("replace_module: {} has no submodule '{}'", this->name(), name);
  check_child("replace_module", name, child);
  child->set_path(join(path_, name));
  *place = std::move(child);
}

void Module::unregister_module(const std::string& name) {
  if (!children_.erase(name)) fail<ModuleError>("unregister_module: {} has no submodule '{}'", this->name(), name);
}

void Module::set_path(std::string_view path) {
  path_ = intern(std::string(path));
  for (const auto& [name, child] : children_) child->set_path(join(path_, name));
}

// --- What is registered

NamedTensors Module::named_parameters(bool recurse) const {
  return Tree::tensors(*this, recurse, &Module::parameters_);
}
NamedTensors Module::named_buffers(bool recurse) const { return Tree::tensors(*this, recurse, &Module::buffers_); }
std::vector<Tensor> Module::parameters(bool recurse) const { return named_parameters(recurse).values(); }
std::vector<Tensor> Module::buffers(bool recurse) const { return named_buffers(recurse).values(); }

NamedTensors Module::state_dict() const {
  NamedTensors state;
  const auto add = [&](const std::string& path, const Module& m) {
    for (const NamedTensors* own : {&m.parameters_, &m.buffers_}) {
      for (const auto& [name, tensor] : *own) {
        if (tensor.defined()) state.append(join(path, name), tensor);
      }
    }
  };
  add("", *this);
  Tree::visit_below(*this, "", nullptr, [&](const std::string& path, const auto& m) { add(path, *m); });
  return state;
}

std::vector<std::shared_ptr<Module>> Module::children() const { return children_.values(); }
OrderedDict<std::string, std::shared_ptr<Module>> Module::named_children() const { return children_; }

OrderedDict<std::string, std::shared_ptr<Module>> Module::named_modules(const std::string& name_prefix,
                                                                        bool include_self) const {
  OrderedDict<std::string, std::shared_ptr<Module>> all;
  if (include_self) {
    // The list holds what may be changed, as children() does.
    auto self = std::const_pointer_cast<Module>(weak_from_this().lock());
    if (self == nullptr) {
      fail<ModuleError>(
          "modules: {} is held by no shared_ptr, so it cannot be listed itself: make it with "
          "std::make_shared, or ask with include_self = false",
          name());
    }
    all.append(name_prefix, std::move(self));
  }
  Seen seen{this};
  Tree::visit_below(*this, name_prefix, &seen, [&](const std::string& path, const auto& m) { all.append(path, m); });
  return all;
}

std::vector<std::shared_ptr<Module>> Module::modules(bool include_self) const {
  return named_modules({}, include_self).values();
}

// --- What goes down to the submodules

void Module::train(bool on) {
  is_training_ = on;
  for (const auto& [name, child] : children_) child->train(on);
}

void Module::zero_grad(bool set_to_none) {
  for (const auto& [name, child] : children_) child->zero_grad(set_to_none);
  for (const auto& [name, parameter] : parameters_) {
    if (!parameter.defined() || !parameter.grad().defined()) continue;
    if (set_to_none) {
      parameter.mutable_grad() = Tensor();
    } else {
      const Tensor grad = parameter.grad().detach();  // of create_graph, it may have a history
      const NoGradGuard no_grad;
      grad.zero_();
      parameter.mutable_grad() = grad;
    }
  }
}

namespace {

// What the outermost to() has converted before anything changes, for those within. An override may change a tensor before
// the library's to() comes to it: it is then converted anew.
struct Conversion {
  core::Array from, value, grad;
  std::uint64_t version;
};
using Conversions = std::unordered_map<const autograd::Body*, Conversion>;
thread_local Conversions* prepared = nullptr;

Conversion conversion(const Tensor& tensor, DType dtype) {
  const core::Array& from = tensor.array();
  const bool has_grad = tensor.is_leaf() && tensor.grad().defined();
  return {from, from.to(dtype), has_grad ? tensor.grad().array().to(dtype) : core::Array(), tensor.version()};
}

}  // namespace

void Module::to(DType dtype, bool non_blocking) {
  if (!is_floating_point(dtype)) fail<DTypeError>("to: a module's dtype must be a floating one: {}", dtype);
  const auto each = [&](const NamedTensors& all, const auto& visit) {
    for (const auto& [name, tensor] : all) {
      if (tensor.defined() && tensor.is_floating_point() && tensor.dtype() != dtype) visit(tensor);
    }
  };
  Conversions conversions;
  struct Outermost {
    ~Outermost() {
      if (is) prepared = nullptr;
    }
    bool is;
  } const outermost{prepared == nullptr};
  if (outermost.is) {
    const auto prepare = [&](const Tensor& t) { conversions.try_emplace(&t.body(), conversion(t, dtype)); };
    each(named_parameters(), prepare);
    each(named_buffers(), prepare);
    prepared = &conversions;
  }
  for (const auto& [name, child] : children_) child->to(dtype, non_blocking);
  const auto convert = [&](const Tensor& tensor) {
    const auto found = prepared->find(&tensor.body());
    const bool valid = found != prepared->end() && found->second.value.dtype() == dtype &&
                       found->second.from.data() == tensor.array().data() && found->second.version == tensor.version();
    const Conversion now = valid ? found->second : conversion(tensor, dtype);
    tensor.set_data(Tensor(now.value));
    if (now.grad.defined()) tensor.mutable_grad() = Tensor(now.grad);
  };
  each(parameters_, convert);
  each(buffers_, convert);
}

// One device: nothing to do but to let overrides know.
void Module::to(Device device, bool non_blocking) {
  for (const auto& [name, child] : children_) child->to(device, non_blocking);
}

void Module::to(Device device, DType dtype, bool non_blocking) {
  to(device, non_blocking);
  to(dtype, non_blocking);
}

void Module::apply(core::FunctionRef<void(const std::string&, Module&)> function, const std::string& name_prefix) {
  function(name_prefix, *this);
  Seen seen{this};
  Tree::visit_below(*this, name_prefix, &seen, [&](const std::string& path, const auto& m) { function(path, *m); });
}
void Module::apply(core::FunctionRef<void(const std::string&, const Module&)> function,
                   const std::string& name_prefix) const {
  const_cast<Module*>(this)->apply([&](const std::string& path, Module& module) { function(path, module); },
                                   name_prefix);
}
void Module::apply(core::FunctionRef<void(const std::string&, const std::shared_ptr<Module>&)> function,
                   const std::string& name_prefix) const {
  for (const auto& [path, module] : named_modules(name_prefix)) function(path, module);
}
void Module::apply(core::FunctionRef<void(Module&)> function) {
  apply([&](const std::string&, Module& module) { function(module); });
}
void Module::apply(core::FunctionRef<void(const Module&)> function) const {
  apply([&](const std::string&, const Module& module) { function(module); });
}
void Module::apply(core::FunctionRef<void(const std::shared_ptr<Module>&)> function) const {
  apply([&](const std::string&, const std::shared_ptr<Module>& module) { function(module); });
}

std::size_t Module::_forward_default_args(std::vector<AnyValue>& arguments) const { return arguments.size(); }

// --- Printing

std::string Module::name() const { return name_.empty() ? detail::short_type_name(typeid(*this)) : name_; }

void Module::pretty_print(std::ostream& stream) const {
  stream << name();
  const std::string extra = extra_repr();
  if (children_.is_empty() || !extra.empty()) stream << '(' << extra << ')';
}

void Module::print(std::ostream& stream, const std::string& indentation) const {
  pretty_print(stream);
  if (children_.is_empty()) return;
  stream << "(\n";
  for (const auto& [name, child] : children_) {
    stream << indentation << "  (" << name << "): ";
    child->print(stream, indentation + "  ");
    stream << '\n';
  }
  stream << indentation << ')';
}

std::string Module::to_string() const {
  std::ostringstream stream;
  print(stream, "");
  return stream.str();
}

std::ostream& operator<<(std::ostream& stream, const Module& module) { return stream << module.to_string(); }

}  // namespace nn
}  // namespace gradus
