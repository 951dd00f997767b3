#include "serialize.h"

#include "../autograd/files/files.h"
#include "../core/base/fail.h"
#include "../core/base/message.h"

namespace gradus {
namespace {

// The texts of a file whose value is the name of what it holds the state of.
constexpr const char *kOptimizer = "optimizer", *kSchedule = "schedule";

template <class Owner, class To>
void save_state(const Owner& owner, const char* kind, To& to) {
  IValueDict values;
  for (const auto& [name, tensor] : owner.state_dict()) values.append(name, tensor.detach());
  serialize::detail::save_values(values, to, {{kind, std::string(owner.name())}});
}

template <class Owner>
void load_state(Owner& owner, const char* kind, const IValue& value, const serialize::detail::Texts& texts,
                const std::string& file) {
  IValueDict others;
  optim::NamedState state;
  if (value.isGenericDict()) state = serialize::detail::flat(value.toGenericDict(), &others);
  std::string name;
  if (const auto text = others.find(kind); text != others.end() && text->value().isString())
    name = text->value().toStringRef();
  for (const auto& [key, text] : texts) {
    if (key == kind) name = text;
  }
  if (name.empty()) {
    core::fail<ValueError>("load: '{}' must hold what save() writes of an optimizer or a schedule: it names no {}",
                           file, kind);
  }
  if (name != owner.name()) {
    core::fail<ValueError>("load: '{}' must hold the state of {}: it is that of {}", file, owner.name(),
                           core::in_quotes(name));
  }
  try {
    owner.load_state_dict(state);
  } catch (Error& error) {
    error.add_note(fmt::format("in the file '{}'", file));
    throw;
  }
}

template <class Owner>
void load_file(Owner& owner, const char* kind, const std::string& path) {
  serialize::detail::Texts texts;
  const IValue value = serialize::detail::load_values(path, &texts);
  load_state(owner, kind, value, texts, path);
}

template <class Owner>
void load_stream(Owner& owner, const char* kind, std::istream& stream) {
  load_state(owner, kind, serialize::detail::load_values(stream), {}, "a stream");
}

}  // namespace

void save(const optim::Optimizer& optimizer, const std::string& path) { save_state(optimizer, kOptimizer, path); }
void save(const optim::Optimizer& optimizer, std::ostream& stream) { save_state(optimizer, kOptimizer, stream); }
void save(const optim::Schedule& schedule, const std::string& path) { save_state(schedule, kSchedule, path); }
void save(const optim::Schedule& schedule, std::ostream& stream) { save_state(schedule, kSchedule, stream); }
void load(optim::Optimizer& optimizer, const std::string& path, std::optional<Device>) {
  load_file(optimizer, kOptimizer, path);
}
void load(optim::Optimizer& optimizer, std::istream& stream, std::optional<Device>) {
  load_stream(optimizer, kOptimizer, stream);
}
void load(optim::Schedule& schedule, const std::string& path) { load_file(schedule, kSchedule, path); }
void load(optim::Schedule& schedule, std::istream& stream) { load_stream(schedule, kSchedule, stream); }

}  // namespace gradus
