// The list of all operations in the program.
#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <typeindex>

#include "../../core/base/fail.h"
#include "operation_support.h"

namespace gradus::autograd {

namespace {

// Made on first use and never destroyed: operations register during static initialisation, in any order.
struct Registry {
  std::mutex mutex;
  std::vector<OperationInfo> operations;
  std::vector<std::type_index> types;  // of each
  std::deque<std::string> refusals;    // why a name was not given; what was returned stays where it is
};
Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

}  // namespace

std::vector<OperationInfo> operations() {
  const std::lock_guard lock(registry().mutex);
  std::vector<OperationInfo> list = registry().operations;
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return list;
}

namespace detail {

namespace {

// By attributes, too.
Elements refined(const OperationInfo& info) {
  const std::vector<std::string>& a = info.attributes;
  const Elements declared = info.elements;
  const bool keepdim = std::find(a.begin(), a.end(), "keepdim") != a.end();
  if (keepdim && declared != Elements::kView) return Elements::kReduced;
  const bool line = declared == Elements::kLine;
  return line && std::find(a.begin(), a.end(), "dim") == a.end() ? Elements::kOther : declared;
}

// As the source spells it.
std::string name_of(const std::type_index& type) {
  int status = 0;
  char* const name = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  const std::string readable = name == nullptr ? type.name() : name;
  std::free(name);
  return readable;
}

}  // namespace

const std::string* register_operation(OperationInfo info, const std::type_info& type) noexcept {
  info.elements = refined(info);
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  const std::type_index own(type);
  for (std::size_t i = 0; i < known.operations.size(); ++i) {
    const OperationInfo& other = known.operations[i];
    if (other.name != info.name) continue;
    if (known.types[i] == own && other.inputs == info.inputs) return nullptr;
    if (other.is_rule != info.is_rule) {
      const bool rule = info.is_rule;
      return &known.refusals.emplace_back(
          fmt::format("{}: an operation and a rule must not share a name: {} is the operation, {} the rule; give one "
                      "of them another name",
                      info.name, name_of(rule ? known.types[i] : own), name_of(rule ? own : known.types[i])));
    }
    if (!info.is_rule && other.inputs == info.inputs) {
      return &known.refusals.emplace_back(
          fmt::format("{}: there must be one operation of a name and number of inputs: {} and {} both have {}; "
                      "give one of them another name",
                      info.name, name_of(known.types[i]), name_of(own), info.inputs));
    }
  }
  known.operations.push_back(std::move(info));
  known.types.push_back(own);
  return nullptr;
}

void fail_taken(const std::string& why) { throw ValueError(why); }

}  // namespace detail
}  // namespace gradus::autograd
