#include "serialize.h"

#include "../autograd/files/files.h"
#include "../core/base/fail.h"
#include "../core/base/message.h"

namespace gradus {
namespace {

// The texts of a file whose value is the name of what it holds the state of.
constexpr const char *kOptimizer = "optimizer", *kSchedule = "schedule";

IValueDict values_of(const optim::Schedule& schedule) {
  IValueDict values;
  for (const auto& [name, tensor] : schedule.state_dict()) values.append(name, tensor.detach());
  return values;
}
IValueDict values_of(const optim::Optimizer& optimizer) {
  serialize::OutputArchive archive;
  optimizer.save(archive);
  return archive.values();
}

void take(optim::Schedule& schedule, const IValueDict& values) {
  schedule.load_state_dict(serialize::detail::flat(values));
}
void take(optim::Optimizer& optimizer, const IValueDict& values) {
  serialize::InputArchive archive(values);
  optimizer.load(archive);
}

template <class Owner, class To>
void save_state(const Owner& owner, const char* kind, To& to) {
  serialize::detail::save_values(values_of(owner), to, {{kind, std::string(owner.name())}});
}

template <class Owner>
void load_state(Owner& owner, const char* kind, const IValue& value, const serialize::detail::Texts& texts,
                const std::string& file) {
  IValueDict values;
  if (value.isGenericDict()) values = value.toGenericDict();
  std::string name;
  if (const auto text = values.find(kind); text != values.end() && text->value().isString())
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
    take(owner, values);
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

void optim::Optimizer::save(serialize::OutputArchive& archive) const {
  for (const auto& [name, tensor] : state_dict()) archive.write(name, tensor.detach());
}
void optim::Optimizer::load(serialize::InputArchive& archive) {
  load_state_dict(serialize::detail::flat(archive.values()));
}

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
