#include "any_module.h"

#include "../../core/base/fail.h"

namespace gradus::nn {

using core::fail;

// --- AnyValue

AnyValue::AnyValue() noexcept = default;
AnyValue::AnyValue(const AnyValue& other) : content_(other.content_ ? other.content_->clone() : nullptr) {}
AnyValue::AnyValue(AnyValue&& other) noexcept = default;
AnyValue& AnyValue::operator=(AnyValue other) noexcept {
  content_.swap(other.content_);
  return *this;
}
AnyValue::~AnyValue() = default;

void detail::fail_other_value(const std::type_info& held, const std::type_info& wanted) {
  fail<TypeError>("AnyValue: get must ask for the type that is held: {} for {}", type_text(wanted), type_text(held));
}

// --- AnyModule

AnyModule::AnyModule(std::shared_ptr<Module> module, const detail::ForwardCalls* known)
    : module_(std::move(module)), calls_(known) {}
AnyModule::AnyModule(const AnyModule&) = default;
AnyModule::AnyModule(AnyModule&&) noexcept = default;
AnyModule& AnyModule::operator=(const AnyModule&) = default;
AnyModule& AnyModule::operator=(AnyModule&&) noexcept = default;
AnyModule::~AnyModule() = default;

AnyModule AnyModule::clone(const std::optional<Device>& device) const {
  return is_empty() ? AnyModule() : AnyModule(ptr()->clone(device), calls_);
}

const std::type_info& AnyModule::type_info() const {
  const Module& module = *ptr();
  return typeid(module);
}

std::size_t AnyModule::default_args(const Module& module, std::vector<AnyValue>& arguments) {
  return module._forward_default_args(arguments);
}

Tensor AnyModule::run(const Operand* x, std::size_t count) const {
  Module& module = *ptr();  // before the functions are looked at: without a module there are none
  if (calls_->tensors != nullptr) return calls_->tensors(module, x, count);
  std::vector<AnyValue> values;
  for (std::size_t i = 0; i < count; ++i) values.emplace_back(x[i].tensor());
  return detail::result_of<Tensor>(calls_->values(module, values, x->at()));
}

AnyValue AnyModule::run_values(std::vector<AnyValue>&& arguments, Location at) const {
  Module& module = *ptr();
  bool tensors = !arguments.empty() && arguments.size() <= 3;
  for (AnyValue& value : arguments) tensors = tensors && value.try_get<Tensor>() != nullptr;
  if (tensors && calls_->tensors != nullptr) {
    std::vector<Operand> x;
    for (AnyValue& value : arguments) x.emplace_back(value.get<Tensor>(), at);
    return AnyValue(calls_->tensors(module, x.data(), x.size()));
  }
  if (calls_->values != nullptr) return calls_->values(module, arguments, at);
  const std::vector<const std::type_info*> types(arguments.size(), &typeid(Tensor));
  detail::check_arguments(module, arguments, types.data(), types.size());
  detail::fail_forward_count(module, arguments.size());
}

NamedAnyModule::NamedAnyModule(std::string name, AnyModule module)
    : name_(std::move(name)), module_(std::move(module)) {}

// --- Errors

std::size_t detail::append_defaults(std::vector<AnyValue>& arguments, std::vector<ForwardDefault> defaults) {
  const std::size_t required = defaults.empty() ? arguments.size() : defaults[0].position;
  if (arguments.size() < required) return required;
  for (ForwardDefault& d : defaults) {
    if (d.position == arguments.size()) arguments.push_back(std::move(d.value));
  }
  return required;
}

void detail::check_arguments(const Module& module, std::vector<AnyValue>& arguments, const std::type_info* const* types,
                             std::size_t count) {
  const std::size_t given = arguments.size();
  const std::size_t required = AnyModule::default_args(module, arguments);
  if (arguments.size() != count) {
    fail<ModuleError>("forward: {} must be called with {}{} arguments: {} were given{}", module.name(),
                      required == given ? "" : fmt::format("{} to ", required), count, given,
                      required == given && given < count
                          ? "; FORWARD_HAS_DEFAULT_ARGS in its class tells an AnyModule of defaults"
                          : "");
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (arguments[i].type_info() != *types[i]) {
      fail<ModuleError>("forward: argument {} of {} must be of type {}: it is of type {}", i, module.name(),
                        type_text(*types[i]), type_text(arguments[i].type_info()));
    }
  }
}

void detail::fail_forward_count(const Module& module, std::size_t count) {
  fail<ModuleError>("forward: {} must be called with as many tensors as its forward takes: {} were given",
                    module.name(), count);
}
void detail::fail_empty_any() { fail<ModuleError>("AnyModule: an empty one was used"); }
void detail::fail_other_type(const Module& module, const std::type_info& wanted) {
  fail<ModuleError>("get: the module must be a {}: it is a {}", short_type_name(wanted), module.name());
}
void detail::fail_other_result(const std::type_info& given, const std::type_info& wanted) {
  fail<ModuleError>("forward: the result must be of the type that is asked for, {}: it is of type {}; forward<{}>(..)",
                    type_text(wanted), type_text(given), type_text(given));
}

}  // namespace gradus::nn
