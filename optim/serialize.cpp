#include "serialize.h"

#include "../autograd/files/files.h"
#include "../core/base/fail.h"
#include "../core/base/message.h"
#include "python_state.h"

namespace gradus {
namespace {

// The texts of a file whose value is the name of what it holds the state of.
constexpr std::string_view kOptimizer = "optimizer", kSchedule = "schedule";

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

bool has_levels(const std::string& path) { return serialize::detail::has_levels(path); }
bool has_levels(const std::ostream&) { return true; }

template <class To>
void save_state(const optim::Schedule& schedule, To& to) {
  serialize::detail::save_values(values_of(schedule), to, {{std::string(kSchedule), std::string(schedule.name())}});
}
template <class To>
void save_state(const optim::Optimizer& optimizer, To& to) {
  const IValueDict values = values_of(optimizer);
  serialize::detail::save_values(has_levels(to) ? optim::detail::for_python(values, optimizer) : values, to,
                                 {{std::string(kOptimizer), std::string(optimizer.name())}});
}

// A checkpoint of Python's holds an optimizer's state beside others.
std::string part_of(const IValueDict& values) {
  for (const auto& entry : values) {
    if (!entry.value().isGenericDict() || !optim::detail::is_of_python(entry.value().toGenericDict())) continue;
    return fmt::format("; {0} is one: read it as a part of the file, archive.read({0}, part), optimizer.load(part)",
                       core::in_quotes(entry.key().text()));
  }
  return "";
}

template <class Owner>
void load_state(Owner& owner, std::string_view kind, const IValue& value, const serialize::detail::Texts& texts,
                const std::string& file) {
  IValueDict values;
  if (value.isGenericDict()) values = value.toGenericDict();
  std::string name;
  if (const auto text = values.find(std::string(kind)); text != values.end() && text->value().isString())
    name = text->value().toStringRef();
  for (const auto& [key, text] : texts) {
    if (key == kind) name = text;
  }
  // Python does not name the optimizer whose state it writes.
  if (name.empty() && !(kind == kOptimizer && optim::detail::is_of_python(values))) {
    core::fail<ValueError>("load: '{}' must hold what save() writes of an optimizer or a schedule: it names no {}{}",
                           file, kind, kind == kOptimizer ? part_of(values) : "");
  }
  if (!name.empty() && name != owner.name()) {
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
void load_file(Owner& owner, std::string_view kind, const std::string& path) {
  serialize::detail::Texts texts;
  const IValue value = serialize::detail::load_values(path, &texts);
  load_state(owner, kind, value, texts, path);
}

template <class Owner>
void load_stream(Owner& owner, std::string_view kind, std::istream& stream) {
  load_state(owner, kind, serialize::detail::load_values(stream), {}, "a stream");
}

}  // namespace

void optim::Optimizer::save(serialize::OutputArchive& archive) const {
  for (const auto& [name, tensor] : state_dict()) archive.write(name, tensor.detach());
}
void optim::Optimizer::load(serialize::InputArchive& archive) {
  const IValueDict& values = archive.values();
  load_state_dict(serialize::detail::flat(detail::is_of_python(values) ? detail::from_python(values, name()) : values));
}

void save(const optim::Optimizer& optimizer, const std::string& path) { save_state(optimizer, path); }
void save(const optim::Optimizer& optimizer, std::ostream& stream) { save_state(optimizer, stream); }
void save(const optim::Schedule& schedule, const std::string& path) { save_state(schedule, path); }
void save(const optim::Schedule& schedule, std::ostream& stream) { save_state(schedule, stream); }
void load(optim::Optimizer& optimizer, const std::string& path, std::optional<Device>) {
  load_file(optimizer, kOptimizer, path);
}
void load(optim::Optimizer& optimizer, std::istream& stream, std::optional<Device>) {
  load_stream(optimizer, kOptimizer, stream);
}
void load(optim::Schedule& schedule, const std::string& path) { load_file(schedule, kSchedule, path); }
void load(optim::Schedule& schedule, std::istream& stream) { load_stream(schedule, kSchedule, stream); }

}  // namespace gradus
