#include "torch_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <vector>

#include "../array/create.h"
#include "../base/fail.h"
#include "../base/message.h"
#include "pickle.h"

namespace gradus::core {
namespace {

constexpr bool kLittle = std::endian::native == std::endian::little;
constexpr std::string_view kPickle = "data.pkl", kByteOrder = "byteorder", kRoot = "archive/";
// A pickle of the number 0x1950a86a20f9469cfc6c, and one of 1001.
constexpr std::string_view kOldMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.", 21);

// What `bytes` hold of a storage, copied.
Ref<Storage> filled(const PickledStorage& storage, ByteView bytes, bool turned, const std::string& file) {
  const auto element = static_cast<std::uint64_t>(size_of(storage.dtype));
  if (storage.numel > bytes.size() / element) {
    fail<FileError>("pt: storage {} of '{}' must hold the {} {} that are claimed: it holds {} bytes",
                    in_quotes(storage.key), file, storage.numel, storage.dtype, bytes.size());
  }
  const auto size = static_cast<std::size_t>(storage.numel * element);
  if (storage.dtype == kBool) {
    const auto* wrong = std::find_if(bytes.begin(), bytes.begin() + size, [](unsigned char byte) { return byte > 1; });
    if (wrong != bytes.begin() + size)
      fail<FileError>("pt: storage {} of '{}' must hold 0 and 1 only: it holds {}", in_quotes(storage.key), file,
                      *wrong);
  }
  Ref<Storage> copy = Storage::allocate(static_cast<std::int64_t>(size));
  if (size > 0) std::memcpy(copy->data(), bytes.data(), size);
  if (turned) {
    auto* at = static_cast<unsigned char*>(copy->data());
    for (unsigned char* const end = at + size; at != end; at += element) std::reverse(at, at + element);
  }
  return copy;
}

Values with_arrays(Pickled pickled, const std::vector<Ref<Storage>>& storages) {
  for (const PickledTensor& tensor : pickled.tensors) {
    pickled.values.arrays.emplace_back(storages[tensor.storage], tensor.shape, tensor.strides, tensor.offset,
                                       pickled.storages[tensor.storage].dtype);
  }
  return std::move(pickled.values);
}

Values of_zip(ByteView file, const std::string& name) {
  Zip zip(file, name);
  // The one pickle, in whatever folder: it has the name that the file was saved under.
  const ZipEntry* pickle = nullptr;
  for (const ZipEntry& entry : zip.entries()) {
    if (!entry.name.ends_with(kPickle)) continue;
    const std::size_t folder = entry.name.size() - kPickle.size();
    if (folder == 0 || entry.name.find('/') == folder - 1) pickle = &entry;
  }
  if (pickle == nullptr) {
    fail<FileError>("pt: '{}' must hold a {}: it has {} entries{}", name, kPickle, zip.entries().size(),
                    zip.entries().empty() ? std::string() : ", the first " + in_quotes(zip.entries()[0].name));
  }
  const std::string folder = pickle->name.substr(0, pickle->name.size() - kPickle.size());
  bool turned = !kLittle;  // what does not say is little endian
  Bytes unpacked;
  if (const ZipEntry* order = zip.find(folder + std::string(kByteOrder)); order != nullptr) {
    const std::string_view text = zip.content(*order, unpacked).text();
    if (text != "little" && text != "big")
      fail<FileError>("pt: the byte order of '{}' must be little or big: {}", name, in_quotes(text));
    turned = text != (kLittle ? "little" : "big");
  }
  Bytes program;
  Pickled pickled = parse_pickle(zip.content(*pickle, program), name);
  std::vector<Ref<Storage>> storages;
  std::unordered_map<std::string_view, const ZipEntry*> entries;
  for (const ZipEntry& entry : zip.entries()) entries.emplace(entry.name, &entry);
  for (const PickledStorage& storage : pickled.storages) {
    const auto found = entries.find(folder + "data/" + storage.key);
    if (found == entries.end()) {
      fail<FileError>("pt: '{}' must hold storage {}: there is no {}", name, in_quotes(storage.key),
                      in_quotes(folder + "data/" + storage.key));
    }
    Bytes content;
    storages.push_back(filled(storage, zip.content(*found->second, content), turned, name));
  }
  return with_arrays(std::move(pickled), storages);
}

// Magic number, version, the machine's kind, the values, the storages' keys: a pickle each; then each storage's count of
// elements, in eight bytes, and its elements.
Values of_old(ByteView file, const std::string& name) {
  std::size_t at = kOldMagic.size();
  const auto next = [&] {
    Pickled pickled = parse_pickle({file.data() + at, file.size() - at}, name);
    at += pickled.size;
    return pickled;
  };
  const Pickled system = next();
  const Value* little = system.values.find(system.values[system.values.root], "little_endian");
  const bool turned = little != nullptr && little->kind == Value::Kind::Bool && little->flag != kLittle;
  Pickled pickled = next();
  const Pickled keys = next();
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < pickled.storages.size(); ++i) places.emplace(pickled.storages[i].key, i);
  std::vector<Ref<Storage>> storages(pickled.storages.size());
  std::size_t missing = storages.size();
  for (const Value::Node node : keys.values[keys.values.root].items) {
    const Value& key = keys.values[node];
    const auto found = key.kind == Value::Kind::Text ? places.find(key.text) : places.end();
    if (found == places.end() || storages[found->second]) {
      fail<FileError>("pt: '{}' must hold each storage that its tensors need, once: {} is none", name,
                      in_quotes(key.text));
    }
    const PickledStorage& storage = pickled.storages[found->second];
    const auto element = static_cast<std::uint64_t>(size_of(storage.dtype));
    if (file.size() - at < 8 || storage.numel > (file.size() - at - 8) / element) {
      fail<FileError>("pt: storage {} of '{}' must hold the {} {} that are claimed: {} bytes are left",
                      in_quotes(storage.key), name, storage.numel, storage.dtype, file.size() - at);
    }
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < 8; ++i)
      count |= static_cast<std::uint64_t>(file[at + (turned == kLittle ? 7 - i : i)]) << (8 * i);
    if (count != storage.numel) {
      fail<FileError>("pt: storage {} of '{}' must hold {} {}: it is said to hold {}", in_quotes(storage.key), name,
                      storage.numel, storage.dtype, count);
    }
    const auto size = static_cast<std::size_t>(storage.numel * element);
    storages[found->second] = filled(storage, {file.data() + at + 8, size}, turned, name);
    at += 8 + size;
    --missing;
  }
  if (missing > 0)
    fail<FileError>("pt: '{}' must hold all storages that its tensors need: {} are missing", name, missing);
  return with_arrays(std::move(pickled), storages);
}

}  // namespace

bool is_torch(ByteView file) noexcept {
  return Zip::is_zip(file) || (file.size() > 2 && file[0] == 0x80 && file[1] >= 2 && file[1] <= 5);
}

Values parse_torch(ByteView file, const std::string& name) {
  if (Zip::is_zip(file)) return of_zip(file, name);
  if (file.text().starts_with(kOldMagic)) return of_old(file, name);
  Pickled pickled = parse_pickle(file, name);
  if (!pickled.storages.empty())
    fail<FileError>("pt: '{}' must hold the storages of its tensors: it is a pickle alone", name);
  return with_arrays(std::move(pickled), {});
}

namespace {

// What the views of one storage in one dtype cover.
struct Use {
  std::vector<const Array*> views;
  std::int64_t begin = std::numeric_limits<std::int64_t>::max(), end = 0;
  std::size_t number = 0;  // in the file, from 1

  void add(const Array& view) {
    views.push_back(&view);
    if (view.numel() == 0) return;
    std::int64_t last = view.storage_offset();
    for (int d = 0; d < view.dim(); ++d) last += (view.shape()[d] - 1) * view.strides()[d];
    begin = std::min(begin, view.storage_offset());
    end = std::max(end, last + 1);
  }
  std::int64_t size() const { return std::max<std::int64_t>(end - begin, 0); }
  bool covers_all(const Array& view) const { return view.is_contiguous() && view.numel() == size(); }
};

void copy(unsigned char* to, const unsigned char* from, const Array& view, int d, std::int64_t at) {
  const std::int64_t element = view.element_size();
  if (d == view.dim()) {
    std::memcpy(to + at * element, from + at * element, static_cast<std::size_t>(element));
    return;
  }
  const std::int64_t size = view.shape()[d], stride = view.strides()[d];
  if (d + 1 == view.dim() && stride == 1) {
    std::memcpy(to + at * element, from + at * element, static_cast<std::size_t>(size * element));
    return;
  }
  for (std::int64_t i = 0; i < (stride == 0 ? 1 : size); ++i) copy(to, from, view, d + 1, at + i * stride);
}

// The elements from `begin` to `end`. What lies between the views is 0 in the file: it is the program's own, and may
// never have been written.
Array content_of(const Use& use) {
  const Array& first = *use.views[0];
  for (const Array* view : use.views) {
    if (use.covers_all(*view)) return view->reshape({use.size()});
  }
  Array content = zeros({use.size()}, first.dtype());
  auto* const to = static_cast<unsigned char*>(content.data());
  for (const Array* view : use.views) {
    // From the view's first element, as both count.
    if (view->numel() > 0) {
      copy(to + (view->storage_offset() - use.begin) * view->element_size(),
           static_cast<const unsigned char*>(view->data()), *view, 0, 0);
    }
  }
  return content;
}

}  // namespace

void put_torch(Pieces& to, const Values& values) {
  // By storage and dtype: a storage in a file has one.
  std::unordered_map<const Storage*, Use> uses[kDTypeCount];
  for (const Array& array : values.arrays) {
    if (!array.defined()) fail<ValueError>("pt: an array must be defined");
    uses[static_cast<int>(array.dtype())][array.storage().get()].add(array);
  }
  Pickled pickled{values, {}, {}, 0};
  std::vector<Array> contents;
  for (const Array& array : values.arrays) {
    Use& use = uses[static_cast<int>(array.dtype())][array.storage().get()];
    const bool alone = use.views.size() == 1;
    if (use.number == 0) {
      contents.push_back(alone ? array.contiguous() : content_of(use));
      pickled.storages.push_back(
          {std::to_string(contents.size() - 1), array.dtype(), static_cast<std::uint64_t>(contents.back().numel())});
      use.number = contents.size();
    }
    pickled.tensors.push_back({use.number - 1, alone || array.numel() == 0 ? 0 : array.storage_offset() - use.begin,
                               array.shape(), alone ? contents.back().strides() : array.strides()});
  }
  const auto bytes_of = [](std::string_view text) { return Bytes(text.begin(), text.end()); };
  const std::string root(kRoot);
  ZipWriter zip(to);
  zip.add(root + std::string(kPickle), to_pickle(pickled));
  zip.add(root + std::string(kByteOrder), bytes_of(kLittle ? "little" : "big"));
  for (std::size_t i = 0; i < contents.size(); ++i) zip.add(root + "data/" + std::to_string(i), contents[i]);
  zip.add(root + "version", bytes_of("3\n"));
  zip.finish();
}

}  // namespace gradus::core
