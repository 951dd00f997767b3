#include "archive.h"

#include <cstring>

#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "../../core/files/files.h"
#include "../../core/memory/memory_limit.h"
#include "files.h"

namespace gradus::serialize {

OutputArchive::OutputArchive() : values_(new IValueDict) {}
OutputArchive::OutputArchive(const OutputArchive& other) : values_(new IValueDict(other.values())) {}
OutputArchive::OutputArchive(OutputArchive&& other) noexcept = default;
OutputArchive& OutputArchive::operator=(OutputArchive other) noexcept {
  values_.swap(other.values_);
  return *this;
}
OutputArchive::~OutputArchive() = default;

void OutputArchive::write(const std::string& key, const Tensor& tensor, bool) { write(key, IValue(tensor)); }
void OutputArchive::write(const std::string& key, const IValue& value) {
  if (!values_->insert(key, value))
    core::fail<ValueError>("OutputArchive::write: each key must be written once: {}", core::in_quotes(key));
}
void OutputArchive::write(const std::string& key, const OutputArchive& nested) { write(key, IValue(nested.values())); }

void OutputArchive::save_to(const std::string& path) const { detail::save_values(values(), path); }
void OutputArchive::save_to(std::ostream& stream) const { detail::save_values(values(), stream); }
void OutputArchive::save_to(core::FunctionRef<std::size_t(const void*, std::size_t)> write) const {
  detail::save_values(values(), [&](const void* piece, std::size_t size) {
    if (const std::size_t took = write(piece, size); took != size)
      core::fail<FileError>("OutputArchive::save_to: the function must take all {} bytes: it took {}", size, took);
  });
}
const IValueDict& OutputArchive::values() const noexcept { return *values_; }

InputArchive::InputArchive() : values_(new IValueDict) {}
InputArchive::InputArchive(IValueDict values) : values_(new IValueDict(std::move(values))) {}
InputArchive::InputArchive(const InputArchive& other)
    : values_(new IValueDict(other.values())), source_(other.source_) {}
InputArchive::InputArchive(InputArchive&& other) noexcept = default;
InputArchive& InputArchive::operator=(InputArchive other) noexcept {
  values_.swap(other.values_);
  source_.swap(other.source_);
  return *this;
}
InputArchive::~InputArchive() = default;

namespace {

// Entries under "key." in a format that has no nesting, without that.
IValueDict below(const IValueDict& values, const std::string& key) {
  IValueDict found;
  for (const auto& entry : values) {
    const std::string& name = entry.key().isString() ? entry.key().toStringRef() : entry.key().text();
    if (name.size() > key.size() && name[key.size()] == '.' && name.starts_with(key))
      found.append(name.substr(key.size() + 1), entry.value());
  }
  return found;
}

[[noreturn]] void refuse(const InputArchive& archive, const std::string& key, const char* wanted) {
  std::string all;
  for (const std::string& each : archive.keys()) {
    if (all.size() > 300) {
      all += ", ...";
      break;
    }
    all += (all.empty() ? "" : ", ") + core::in_quotes(each);
  }
  const auto found = archive.values().find(key);
  core::fail<ValueError>("InputArchive::read: there must be {} under {}{}{}: {}", wanted, core::in_quotes(key),
                         archive.source().empty() ? "" : " in ", archive.source(),
                         found != archive.values().end() ? "it is " + found->value().tagKind()
                         : all.empty()                   ? std::string("it holds nothing")
                                                         : "its keys are " + all);
}

}  // namespace

bool InputArchive::try_read(const std::string& key, Tensor& tensor, bool) {
  const auto found = values_->find(key);
  if (found == values_->end() || !found->value().isTensor()) return false;
  detail::take_over(tensor, found->value().toTensor());
  return true;
}
bool InputArchive::try_read(const std::string& key, IValue& value) {
  if (const auto found = values_->find(key); found != values_->end()) {
    value = found->value();
    return true;
  }
  const IValueDict nested = below(values(), key);
  if (nested.empty()) return false;
  // A list of tensors, in a format that has none.
  std::vector<Tensor> tensors;
  for (const auto& entry : nested) {
    if (entry.key().text() == std::to_string(tensors.size()) && entry.value().isTensor())
      tensors.push_back(entry.value().toTensor());
  }
  value = tensors.size() == nested.size() ? IValue(tensors) : IValue(nested);
  return true;
}
bool InputArchive::try_read(const std::string& key, InputArchive& archive) {
  const auto found = values_->find(key);
  IValueDict nested =
      found != values_->end() && found->value().isGenericDict() ? found->value().toGenericDict() : below(values(), key);
  if (nested.empty() && (found == values_->end() || !found->value().isGenericDict())) return false;
  *archive.values_ = std::move(nested);
  archive.source_ = source_;
  return true;
}
void InputArchive::read(const std::string& key, Tensor& tensor, bool is_buffer) {
  if (!try_read(key, tensor, is_buffer)) refuse(*this, key, "a tensor");
}
void InputArchive::read(const std::string& key, IValue& value) {
  if (!try_read(key, value)) refuse(*this, key, "a value");
}
void InputArchive::read(const std::string& key, InputArchive& archive) {
  if (!try_read(key, archive)) refuse(*this, key, "an archive");
}

std::vector<std::string> InputArchive::keys() const {
  std::vector<std::string> keys;
  for (const auto& entry : values()) keys.push_back(entry.key().text());
  return keys;
}
const IValueDict& InputArchive::values() const noexcept { return *values_; }

namespace {

IValueDict loaded(const IValue& value, const std::string& name) {
  if (!value.isGenericDict() && !value.isTensor() && !value.isList() && !value.isTuple())
    core::fail<FileError>("InputArchive::load_from: '{}' must hold a dictionary: it holds {}", name, value.tagKind());
  return detail::as_dict(value);
}

}  // namespace

void InputArchive::load_from(const std::string& path, std::optional<Device>) {
  *values_ = loaded(detail::load_values(path), path);
  source_ = path;
}
void InputArchive::load_from(std::istream& stream, std::optional<Device>) {
  *values_ = loaded(detail::load_values(stream), "a stream");
  source_ = "a stream";
}
void InputArchive::load_from(const char* data, std::size_t size, std::optional<Device>) {
  *values_ = loaded(detail::load_values(data, size, "bytes in memory"), "bytes in memory");
  source_ = "bytes in memory";
}
void InputArchive::load_from(core::FunctionRef<std::size_t(std::uint64_t, void*, std::size_t)> read,
                             core::FunctionRef<std::size_t()> size, std::optional<Device> device) {
  const std::size_t all = size();
  if (const std::uint64_t most = core::memory_for_a_file() / 3; all > most)
    core::fail<FileError>("InputArchive::load_from: there must be at most {} bytes: there are {}", most, all);
  std::vector<char> bytes(all);
  for (std::size_t at = 0; at < all;) {
    const std::size_t took = read(at, bytes.data() + at, all - at);
    if (took == 0 || took > all - at)
      core::fail<FileError>("InputArchive::load_from: there must be {} bytes: the function gives {} of them", all, at);
    at += took;
  }
  load_from(bytes.data(), all, device);
}

}  // namespace gradus::serialize
