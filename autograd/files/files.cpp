#include "files.h"

#include <algorithm>
#include <istream>
#include <ostream>
#include <unordered_set>

#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "../../core/files/npy.h"
#include "../../core/files/safetensors.h"
#include "../../core/files/torch_file.h"
#include "../../core/memory/memory_limit.h"
#include "../graph/grad_mode.h"
#include "values.h"

namespace gradus {
namespace serialize::detail {
namespace {

using core::Bytes;
using core::ByteView;

// A value that is no tensor stands under this and its name in the metadata of safetensors, in Python's notation.
constexpr std::string_view kValue = "value:";

enum class Format { Torch, Npz, Npy, Safetensors };

// In any case: "MODEL.PT", too.
bool ends_with(std::string_view path, std::string_view ending) {
  if (path.size() < ending.size()) return false;
  const std::string_view end = path.substr(path.size() - ending.size());
  return std::equal(end.begin(), end.end(), ending.begin(),
                    [](char c, char small) { return (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) == small; });
}

Format format_for(std::string_view path) {
  if (ends_with(path, ".pt") || ends_with(path, ".pth")) return Format::Torch;
  if (ends_with(path, ".npz")) return Format::Npz;
  return ends_with(path, ".npy") ? Format::Npy : Format::Safetensors;
}

std::vector<core::NamedArray> arrays_of(const IValue& value, IValueDict* others) {
  std::vector<core::NamedArray> arrays;
  for (auto& [name, tensor] : flat(as_dict(value), others)) arrays.push_back({name, tensor.array()});
  return arrays;
}

// In formats without nesting, where a name may be made in two ways.
void check_names(const std::vector<core::NamedArray>& arrays, const IValueDict& others) {
  std::unordered_set<std::string> names;
  for (const core::NamedArray& each : arrays) names.insert(each.name);
  for (const auto& entry : others) {
    if (const std::string name = entry.key().text(); !names.insert(name).second) {
      core::fail<ValueError>(
          "save: each name must come once: {} does not, dictionaries' names being joined by dots; .pt holds both",
          core::in_quotes(name));
    }
  }
}

void put(core::Pieces& to, const IValue& value, Format format, const Texts& texts) {
  check_levels(value, "save");
  if (format == Format::Torch) {
    if (texts.empty()) return core::put_torch(to, values_of(value, "save"));
    IValueDict dict = as_dict(value);
    for (const auto& [key, text] : texts) {
      if (!dict.insert(key, text)) core::fail<ValueError>("save: {} must not be taken", core::in_quotes(key));
    }
    return core::put_torch(to, values_of(dict, "save"));
  }
  IValueDict others;
  const std::vector<core::NamedArray> arrays = arrays_of(value, &others);
  if (format != Format::Safetensors && !others.empty()) {
    const IValueDict::Entry& first = *others.begin();
    core::fail<ValueError>("save: a {} file must hold tensors alone: {} is {}; .pt and .safetensors hold other values",
                           format == Format::Npz ? ".npz" : ".npy", core::in_quotes(first.key().text()),
                           first.value().tagKind());
  }
  if (format == Format::Npy) {
    if (arrays.size() != 1)
      core::fail<ValueError>("save: a .npy file must hold one tensor: there are {}; .npz holds several", arrays.size());
    return core::put_npy(to, arrays[0].array);
  }
  if (format == Format::Npz) return core::put_npz(to, arrays);
  check_names(arrays, others);
  // What readers of PyTorch's models ask for.
  core::Metadata metadata = {{"format", "pt"}};
  metadata.insert(metadata.end(), texts.begin(), texts.end());
  for (const auto& entry : others)
    metadata.emplace_back(std::string(kValue) + entry.key().text(), core::to_literal(values_of(entry.value(), "save")));
  core::put_safetensors(to, arrays, metadata);
}

IValue read_safetensors(Bytes bytes, const std::string& name, Texts* texts) {
  const core::Safetensors file(std::move(bytes), name);
  IValueDict dict;
  for (const core::SafetensorsEntry& entry : file.entries()) dict.append(entry.name, Tensor(entry.array()));
  for (const auto& [key, value] : file.metadata()) {
    if (key.starts_with(kValue)) {
      const std::string at = key.substr(kValue.size());
      if (!dict.insert(at, ivalue_of(core::parse_literal(value, "safetensors", name)))) {
        core::fail<FileError>("safetensors: '{}' must name each thing once: {} is a tensor and a value", name,
                              core::in_quotes(at));
      }
    } else if (texts != nullptr) {
      texts->emplace_back(key, value);
    }
  }
  return dict;
}

bool is_npz(ByteView bytes, const std::string& name) {
  if (!core::Zip::is_zip(bytes)) return false;
  const core::Zip zip(bytes, name);
  return zip.entries().empty() || zip.entries()[0].name.ends_with(".npy");
}

IValue read(Bytes bytes, const std::string& name, Texts* texts) {
  if (core::is_npy(bytes)) return Tensor(core::parse_npy(bytes, name));
  if (is_npz(bytes, name)) {
    IValueDict dict;
    for (const auto& [key, array] : core::parse_npz(bytes, name)) dict.append(key, Tensor(array));
    return dict;
  }
  return core::is_torch(bytes) ? ivalue_of(core::parse_torch(bytes, name))
                               : read_safetensors(std::move(bytes), name, texts);
}

void flatten(const std::string& name, const IValue& value, std::vector<std::pair<std::string, Tensor>>& tensors,
             IValueDict* others) {
  const bool is_empty = (value.isGenericDict() && value.toGenericDict().empty()) ||
                        (value.isTensorList() && value.toTensorVector().empty());
  const auto inner = [&](const std::string& key) { return name.empty() ? key : name + "." + key; };
  if (value.isTensor() && value.toTensor().defined()) {
    tensors.emplace_back(name, value.toTensor());
  } else if (is_empty) {
    if (others != nullptr) others->append(name, value);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) flatten(inner(entry.key().text()), entry.value(), tensors, others);
  } else if (value.isTensorList()) {
    std::size_t i = 0;
    for (const Tensor& item : value.toTensorVector()) flatten(inner(std::to_string(i++)), item, tensors, others);
  } else {
    bool has_tensors = false;
    IValue copy = value;
    copy.each_tensor([&](Tensor&) { has_tensors = true; });
    if (value.isTensor()) copy = IValue(), has_tensors = false;
    if (has_tensors) {
      std::size_t i = 0;
      for (const IValue& item : value.toListRef()) flatten(inner(std::to_string(i++)), item, tensors, others);
    } else if (others != nullptr) {
      others->append(name, copy);
    }
  }
}

constexpr const char* kStream = "a stream";

Bytes all_of(std::istream& stream) {
  Bytes bytes;
  const std::uint64_t most = core::memory_for_a_file() / 4;  // the buffer grows by copying
  constexpr std::size_t kStep = std::size_t{1} << 16;
  while (stream) {
    const std::size_t used = bytes.size();
    bytes.resize(used + std::max(kStep, used));
    stream.read(reinterpret_cast<char*>(bytes.data() + used), static_cast<std::streamsize>(bytes.size() - used));
    bytes.resize(used + static_cast<std::size_t>(stream.gcount()));
    if (bytes.size() > most) core::fail<FileError>("load: {} must hold at most {} bytes: it holds more", kStream, most);
  }
  if (stream.bad() || bytes.empty()) core::fail<FileError>("load: {} must be readable, and hold something", kStream);
  return bytes;
}

}  // namespace

IValueDict as_dict(const IValue& value) {
  if (value.isGenericDict()) return value.toGenericDict();
  IValueDict dict;
  if (!value.isList() && !value.isTuple()) {
    dict.append("0", value);
    return dict;
  }
  for (const IValue& item : value.toListRef()) dict.append(std::to_string(dict.size()), item);
  return dict;
}

std::vector<std::pair<std::string, Tensor>> flat(const IValueDict& values, IValueDict* others) {
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const auto& entry : values) flatten(entry.key().text(), entry.value(), tensors, others);
  return tensors;
}

bool has_levels(std::string_view path) { return format_for(path) == Format::Torch; }

void save_values(const IValue& value, const std::string& path, const Texts& texts) {
  const Format format = format_for(path);
  if (!texts.empty() && (format == Format::Npz || format == Format::Npy)) {
    core::fail<ValueError>(
        "save: {} must end in .pt or .safetensors: NumPy's files hold tensors alone, and not that {} is {}",
        core::in_quotes(path), texts[0].first, core::in_quotes(texts[0].second));
  }
  core::Pieces pieces;
  put(pieces, value, format, texts);
  core::write_file_atomically(path, pieces.views());
}

void save_values(const IValue& value, core::FunctionRef<void(const void*, std::size_t)> write) {
  core::Pieces pieces;
  put(pieces, value, Format::Torch, {});
  for (const ByteView piece : pieces.views()) write(piece.data(), piece.size());
}

void save_values(const IValue& value, std::ostream& stream, const Texts& texts) {
  core::Pieces pieces;
  put(pieces, value, Format::Torch, texts);
  for (const ByteView piece : pieces.views())
    stream.write(piece.text().data(), static_cast<std::streamsize>(piece.size()));
  if (!stream.flush()) core::fail<FileError>("save: {} must take all bytes: it does not", kStream);
}

IValue load_values(const std::string& path, Texts* texts) {
  // What is wrong from the start is not read to its end.
  const auto check = [&](ByteView start) {
    if (!core::is_npy(start) && !core::is_torch(start)) core::Safetensors::check_start(start, path);
  };
  return read(core::read_file(path, core::memory_for_a_file() / 2, check), path, texts);
}

IValue load_values(std::istream& stream) { return read(all_of(stream), kStream, nullptr); }

IValue load_values(const void* data, std::size_t size, const std::string& name) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  return read(Bytes(bytes, bytes + size), name, nullptr);
}

}  // namespace serialize::detail

namespace {

using serialize::detail::flat;
using serialize::detail::load_values;
using serialize::detail::save_values;

std::vector<Tensor> tensors_of(const IValue& value, const std::string& name) {
  if (value.isTensor()) return {value.toTensor()};
  if (value.isTensorList()) return value.toTensorVector();
  std::vector<Tensor> tensors;
  if (value.isGenericDict()) {
    for (auto& [key, tensor] : flat(value.toGenericDict())) tensors.push_back(tensor);
  } else if (value.isList() || value.isTuple()) {
    for (const IValue& item : value.toListRef()) {
      if (!item.isTensor())
        core::fail<FileError>("load: '{}' must hold tensors: one value is {}", name, item.tagKind());
      tensors.push_back(item.toTensor());
    }
  } else {
    core::fail<FileError>("load: '{}' must hold tensors: it holds {}", name, value.tagKind());
  }
  return tensors;
}

// Others would be written as nothing, which load() refuses.
const Tensor& defined(const Tensor& tensor) {
  if (!tensor.defined()) core::fail<ValueError>("save: the tensor must be defined: it holds nothing");
  return tensor;
}
const std::vector<Tensor>& defined(const std::vector<Tensor>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].defined()) core::fail<ValueError>("save: all tensors must be defined: number {} holds nothing", i);
  }
  return tensors;
}

void take(Tensor& tensor, const IValue& value, const std::string& name) {
  const std::vector<Tensor> tensors = tensors_of(value, name);
  if (tensors.size() != 1) {
    core::fail<FileError>("load: '{}' must hold one tensor: it holds {}; a std::vector<Tensor> takes all", name,
                          tensors.size());
  }
  serialize::detail::take_over(tensor, tensors[0]);
}

}  // namespace

void serialize::detail::take_over(Tensor& tensor, const Tensor& read) {
  if (!tensor.defined()) {
    tensor = read;
    return;
  }
  const NoGradGuard no_grad;
  if (tensor.dtype() == read.dtype() && tensor.sizes() == read.sizes() && !tensor.array().may_overlap_itself())
    tensor.copy_(read);
  else
    tensor.set_data(read);
}

void save(const Tensor& tensor, const std::string& path) { save_values(defined(tensor), path); }
void save(const Tensor& tensor, std::ostream& stream) { save_values(defined(tensor), stream); }
void save(const std::vector<Tensor>& tensors, const std::string& path) { save_values(defined(tensors), path); }
void save(const std::vector<Tensor>& tensors, std::ostream& stream) { save_values(defined(tensors), stream); }
void save(const IValue& value, const std::string& path) { save_values(value, path); }
void save(const IValue& value, std::ostream& stream) { save_values(value, stream); }

void load(Tensor& tensor, const std::string& path, std::optional<Device>) { take(tensor, load_values(path), path); }
void load(Tensor& tensor, std::istream& stream, std::optional<Device>) {
  take(tensor, load_values(stream), "a stream");
}
void load(std::vector<Tensor>& tensors, const std::string& path, std::optional<Device>) {
  tensors = tensors_of(load_values(path), path);
}
void load(std::vector<Tensor>& tensors, std::istream& stream, std::optional<Device>) {
  tensors = tensors_of(load_values(stream), "a stream");
}
IValue load(const std::string& path) { return load_values(path); }

std::vector<char> pickle_save(const IValue& value) {
  std::vector<char> bytes;
  save_values(value, [&](const void* piece, std::size_t size) {
    const char* from = static_cast<const char*>(piece);
    bytes.insert(bytes.end(), from, from + size);
  });
  return bytes;
}
IValue pickle_load(const std::vector<char>& bytes) {
  if (!core::is_torch({bytes.data(), bytes.size()})) {
    core::fail<FileError>("pickle_load: the bytes must be those of Python's torch.save: {}",
                          bytes.empty() ? "there are none" : "they begin otherwise");
  }
  return serialize::detail::load_values(bytes.data(), bytes.size(), "the bytes given to pickle_load");
}

}  // namespace gradus
