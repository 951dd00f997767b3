// What a file keeps beside tensors, and what it may cost: levels, many keys, names, views of one storage, packed entries.
#include <boost/test/unit_test.hpp>

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gradus/core/files/files.h>
#include <gradus/core/files/npy.h>
#include <gradus/core/files/safetensors.h>
#include <gradus/core/files/torch_file.h>
#include <gradus/core/files/values.h>
#include <gradus/core/files/zip.h>
#include <gradus/gradus.h>

#include "../support/arrays.h"
#include "../support/folder.h"

namespace gradus::test {
namespace {

using core::Bytes;
using core::ByteView;
using serialize::InputArchive;
using serialize::OutputArchive;

// A list in a list in a list.
IValue nested(int levels) {
  IValue value(1);
  for (int i = 0; i < levels; ++i) {
    std::vector<IValue> list;
    list.push_back(IValue("text"));
    list.push_back(std::move(value));
    value = IValue(std::move(list));
  }
  return value;
}

IValueDict dict_of(const std::string& key, const IValue& value) {
  IValueDict dict;
  dict.insert(key, value);
  return dict;
}

// Of the processor, which others may want too.
double seconds_of(core::FunctionRef<void()> work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string number(std::uint64_t value, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i < 8 ? static_cast<char>(value >> (8 * i) & 0xff) : '\0');
  return text;
}

// A .npz of one-dimensional arrays of zeros, packed.
std::string packed_zeros(int entries, std::int64_t size) {
  core::Pieces npy;
  core::put_npy(npy, core::zeros({size}, kUInt8));
  std::string content, file, directory;
  for (const ByteView view : npy.views()) content += view.text();
  const auto* bytes = reinterpret_cast<const unsigned char*>(content.data());
  std::string packed(compressBound(content.size()) + 64, '\0');
  z_stream stream = {};
  BOOST_REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = const_cast<unsigned char*>(bytes);
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  BOOST_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  for (int i = 0; i < entries; ++i) {
    const std::string name = std::to_string(i) + ".npy";
    const std::string fields = number(20, 2) + number(0, 2) + number(8, 2) + number(0, 4) +
                               number(crc32_z(0, bytes, content.size()), 4) + number(packed.size(), 4) +
                               number(content.size(), 4) + number(name.size(), 2) + number(0, 2);
    directory += "PK\1\2" + number(20, 2) + fields + number(0, 10) + number(file.size(), 4) + name;
    file += "PK\3\4" + fields + name + packed;
  }
  return file + directory + "PK\5\6" + number(0, 4) + number(static_cast<std::uint64_t>(entries), 2) +
         number(static_cast<std::uint64_t>(entries), 2) + number(directory.size(), 4) + number(file.size(), 4) +
         number(0, 2);
}

ByteView view_of(const std::string& text) { return {reinterpret_cast<const unsigned char*>(text.data()), text.size()}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(files_of_values)

BOOST_AUTO_TEST_CASE(what_is_written_is_no_deeper_than_what_is_read) {
  const Folder folder;
  save(nested(200), folder / "a.pt");
  BOOST_TEST(load(folder / "a.pt").text() == nested(200).text());
  save(dict_of("x", nested(199)), folder / "a.safetensors");
  BOOST_TEST(load(folder / "a.safetensors").toGenericDict().at("x").text() == nested(199).text());
  const std::set<std::string> before = folder.names();
  const IValue deep = nested(2'000);
  for (const char* name : {"b.pt", "b.safetensors", "b.npz"}) {
    check_error<ValueError>([&] { save(deep, folder / name); }, {"save: lists", "on at most 200 levels"});
    check_error<ValueError>([&] { save(nested(201), folder / name); }, {"save: lists", "on at most 200 levels"});
  }
  check_error<ValueError>([&] { pickle_save(nested(201)); }, {"save: lists"});
  IValueDict dict;
  for (int i = 0; i < 300; ++i) dict = dict_of("x", std::move(dict));
  check_error<ValueError>([&] { save(dict, folder / "b"); }, {"on at most 200 levels"});
  BOOST_TEST(folder.names() == before);
  // core's own values, too.
  core::Values values;
  values.root = values.integer(1);
  for (int i = 0; i < 201; ++i) values.root = values.add(core::Value::Kind::List, {values.root});
  check_error<ValueError>([&] { core::to_literal(values); }, {"at most 200 levels deep"});
  core::Pieces pieces;
  check_error<ValueError>([&] { core::put_torch(pieces, values); }, {"at most 200 levels deep"});
}

// A value is destroyed, copied, printed and walked over without a call for each level.
BOOST_AUTO_TEST_CASE(values_stand_within_each_other_on_any_number_of_levels) {
  constexpr int kLevels = 100'000;
  for (int kind = 0; kind < 3; ++kind) {
    IValue value = ones({2});
    for (int level = 0; level < kLevels; ++level) {
      if (kind == 2) {
        IValueDict dict;
        dict.append("k", std::move(value));
        value = std::move(dict);
      } else {
        std::vector<IValue> list(2, level);
        list[0] = std::move(value);
        value = kind == 0 ? IValue(std::move(list)) : IValue::tuple(std::move(list));
      }
    }
    IValue copy = value;
    value = IValue();
    BOOST_TEST(copy.is_deeper_than(core::kMostLevels));
    BOOST_TEST(copy.text().starts_with(kind == 0 ? "[[[" : kind == 1 ? "(((" : "{k: {k: "));
    int tensors = 0;
    copy.each_tensor([&](Tensor&) { ++tensors; });
    BOOST_TEST(tensors == 1);
    copy = kind == 2 ? copy.toGenericDict().at("k") : copy.toListRef()[0];
    check_error<ValueError>([&] { pickle_save(copy); }, {"at most 200 levels"});
  }
  const IValue some = IValue::tuple({1, "x", IValue(), std::vector<IValue>{}, dict_of("k", std::vector<double>{1, 2})});
  BOOST_TEST(IValue(some).text() == "(1, x, none, [], {k: [1, 2]})");
}

BOOST_AUTO_TEST_CASE(many_keys_are_found_at_once) {
  constexpr int kKeys = 60'000;  // some 30 s, were each compared with all before it
  const Folder folder;
  OutputArchive archive;
  const double seconds = seconds_of([&] {
    for (int i = 0; i < kKeys; ++i) archive.write("key" + std::to_string(i), i);
    archive.save_to(folder / "many");
    InputArchive read;
    read.load_from(folder / "many");
    IValue value;
    for (int i = 0; i < kKeys; i += 100) read.read("key" + std::to_string(i), value);
    BOOST_TEST(value.toInt() == kKeys - 100);
  });
  BOOST_TEST(seconds < 5);
}

BOOST_AUTO_TEST_CASE(a_dictionary_of_many_entries_is_one_of_few) {
  IValueDict dict;
  std::vector<std::pair<IValue, int>> expected;
  for (int i = 0; i < 100; ++i) {
    const IValue key = i % 2 == 0 ? IValue(i) : IValue(std::to_string(i));
    BOOST_TEST(dict.insert(key, i));
    BOOST_TEST(!dict.insert(key, -1));
    dict.insert_or_assign(key, i + 1);
    expected.emplace_back(key, i + 1);
    BOOST_TEST((dict.size() == expected.size() && dict.at(key).toInt() == i + 1));
  }
  BOOST_TEST((!dict.contains("2") && !dict.contains(3) && !dict.contains(IValue())));
  IValueDict copy = dict;
  for (int i = 0; i < 100; i += 3) {
    BOOST_TEST((copy.erase(expected[static_cast<std::size_t>(i)].first)));
    BOOST_TEST((!copy.erase(expected[static_cast<std::size_t>(i)].first)));
  }
  for (int i = 0; i < 100; ++i) {
    const auto& [key, value] = expected[static_cast<std::size_t>(i)];
    BOOST_TEST((copy.contains(key) == (i % 3 != 0) && (i % 3 == 0 || copy.at(key).toInt() == value)));
    BOOST_TEST(dict.at(key).toInt() == value);
  }
  while (!copy.empty()) copy.erase(copy.begin()->key());
  const IValueDict moved = std::move(dict);
  BOOST_TEST((moved.at(98).toInt() == 99 && !copy.contains(98)));
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_without_an_error) {
  const Folder folder;
  IValueDict dict, inner;
  inner.insert("none", IValueDict());
  inner.insert("tensors", std::vector<Tensor>());
  inner.insert("list", std::vector<IValue>());
  dict.insert("x", ones({2}));
  dict.insert("inner", inner);
  save(dict, folder / "a");
  const IValueDict read = load(folder / "a").toGenericDict();
  BOOST_TEST(read.size() == 4U);
  BOOST_TEST((read.at("inner.none").isGenericDict() && read.at("inner.none").toGenericDict().empty()));
  BOOST_TEST((read.at("inner.tensors").isList() && read.at("inner.list").isList()));
  for (const char* name : {"a.npz", "a.npy"}) {
    check_error<ValueError>([&] { save(dict, folder / name); },
                            {"must hold tensors alone: 'inner.none' is GenericDict"});
  }
  // A name that is made in two ways.
  for (const IValue& below : {IValue(zeros({1})), IValue(6)}) {
    IValueDict twice = dict_of("a.b", 5);
    twice.insert("a", dict_of("b", below));
    check_error<ValueError>([&] { save(twice, folder / "b"); }, {"save: each name must come once: 'a.b'"});
    save(twice, folder / "b.pt");
    BOOST_TEST(load(folder / "b.pt").toGenericDict().at("a.b").toInt() == 5);
  }
  core::write_safetensors(folder / "both", {{"x", core::zeros({1})}}, {{"value:x", "5"}});
  check_error<FileError>([&] { load(folder / "both"); }, {folder / "both", "'x' is a tensor and a value"});
  check_error<ValueError>([&] { core::write_safetensors(folder / "c", {}, {{"k", "1"}, {"k", "2"}}); }, {"'k'"});
  BOOST_TEST((folder.names() == std::set<std::string>{"a", "b.pt", "both"}));
}

BOOST_AUTO_TEST_CASE(tensors_within_lists_are_found) {
  const Folder folder;
  const Tensor t = ones({2});
  IValueDict inner, all;
  inner.insert("x", t);
  all.insert("pair", IValue::tuple({t, t}));
  all.insert("mixed", std::vector<IValue>{t, 3, std::vector<IValue>{t}, inner});
  all.insert("epoch", 5);
  save(IValue(all), folder / "a.pt");
  const std::vector<std::string> names = {"pair.0", "pair.1", "mixed.0", "mixed.2.0", "mixed.3.x"};
  BOOST_TEST(load_tensors(folder / "a.pt").keys() == names);
}

BOOST_AUTO_TEST_CASE(children_without_state_leave_nothing_in_a_file) {
  const Folder folder;
  nn::Sequential net(nn::Linear(2, 2), nn::ReLU(), nn::Dropout(0.5));
  for (const char* name : {"a.npz", "a.safetensors", "a.pt"}) {
    OutputArchive archive;
    net->save(archive);
    archive.save_to(folder / name);
    BOOST_TEST(load_tensors(folder / name).size() == 2U);
    InputArchive read;
    read.load_from(folder / name);
    net->load(read);
  }
}

BOOST_AUTO_TEST_CASE(nan_of_either_sign_comes_back) {
  const Folder folder;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double nan : {std::copysign(kNan, 1.0), std::copysign(kNan, -1.0)}) {
    core::Values values;
    values.root = values.number(nan);
    BOOST_TEST(core::to_literal(values) == "nan");
    save(dict_of("nan", std::vector<double>{1, nan}), folder / "nan");
    BOOST_TEST(std::isnan(load(folder / "nan").toGenericDict().at("nan").toDoubleVector()[1]));
  }
  const core::Values read = core::parse_literal("[-nan, -inf, -1.5]", "op", "file");
  BOOST_TEST(core::to_literal(read) == "[nan, -inf, -1.5]");
}

BOOST_AUTO_TEST_CASE(of_a_storage_only_what_views_cover_is_written) {
  for (const DType dtype : {kBool, kFloat, kHalf}) {
    const Tensor whole = zeros({100}, dtype);
    std::memset(whole.data_ptr(), 0x77, static_cast<std::size_t>(whole.nbytes()));  // as memory that was never written
    const Tensor rows = whole.slice(0, 20, 32).view({3, 4}), left = rows.slice(1, 0, 2), right = rows.slice(1, 3, 4);
    const Tensor wide = whole.slice(0, 20, 21).expand({5}), none = whole.slice(0, 90, 90), turned = left.t();
    left.copy_(tensor({1, 0, 0, 1, 1, 1}, kFloat).view({3, 2}));
    right.fill_(1);
    IValueDict dict;
    for (const auto& [name, view] :
         {std::pair("left", left), {"right", right}, {"wide", wide}, {"none", none}, {"turned", turned}})
      dict.insert(name, view);
    const std::vector<char> bytes = pickle_save(dict);
    BOOST_TEST(std::count(bytes.begin(), bytes.end(), 0x77) < 8);  // letters
    const IValueDict read = pickle_load(bytes).toGenericDict();
    for (const auto& entry : dict) {
      BOOST_TEST(read.at(entry.key()).toTensor().equal(entry.value().toTensor()));
      BOOST_TEST(read.at(entry.key()).toTensor().sizes() == entry.value().toTensor().sizes());
    }
    const auto storage = read.at("left").toTensor().array().storage();
    BOOST_TEST((storage == read.at("right").toTensor().array().storage()));
    BOOST_TEST(storage->bytes() == 12 * left.element_size());
  }
  // A view of all that is covered is written as it is.
  const Tensor x = arange(1000, kFloat);
  IValueDict dict = dict_of("front", x.slice(0, 10, 20));
  dict.insert("all", x.slice(0, 5, 105).view({10, 10}));
  const IValueDict read = pickle_load(pickle_save(dict)).toGenericDict();
  BOOST_TEST(read.at("front").toTensor().equal(x.slice(0, 10, 20)));
  BOOST_TEST(read.at("all").toTensor().equal(x.slice(0, 5, 105).view({10, 10})));
}

BOOST_AUTO_TEST_CASE(what_is_unpacked_in_all_is_as_memory_allows) {
  constexpr std::int64_t kSize = 1 << 20;
  const std::string file = packed_zeros(8, kSize);
  BOOST_TEST(file.size() < 20'000U);
  BOOST_TEST(core::parse_npz(view_of(file), "whole").size() == 8U);
  const auto read = [&](std::uint64_t memory) {
    core::Zip zip(view_of(file), "packed", memory);
    std::size_t entries = 0;
    Bytes unpacked;
    for (const core::ZipEntry& entry : zip.entries()) {
      zip.content(entry, unpacked);
      ++entries;
    }
    return entries;
  };
  BOOST_TEST(read(17 << 20) == 8U);
  // Half is for the copies that readers make.
  check_error<FileError>([&] { read(15 << 20); }, {"zip: '7.npy' of 'packed' must unpack to at most", "memory allows"});
  check_error<FileError>([&] { read(1 << 20); }, {"zip: '0.npy' of 'packed'"});
  check_error<FileError>([&] { read(100); }, {"must unpack to at most 0 bytes"});
}

// What Python has and Gradus has not (reference/make_foreign.py): each is named, with how to save it, and that is read.
BOOST_AUTO_TEST_CASE(foreign_tensors_are_named_with_their_cure) {
  const std::map<std::string, std::vector<std::string>> said = {
      {"complex64", {"it holds a tensor of dtype complex64", "save torch.view_as_real(x.resolve_conj())"}},
      {"conjugate", {"it holds a tensor of dtype complex64", "save torch.view_as_real(x.resolve_conj())"}},
      {"complex128", {"it holds a tensor of dtype complex128", "save torch.view_as_real(x.resolve_conj())"}},
      {"parameter", {"it holds a tensor of dtype complex64", "save torch.view_as_real(x.resolve_conj())"}},
      {"number", {"it holds a complex number", "save [z.real, z.imag]"}},
      {"uint16", {"it holds a tensor of a dtype as uint16", "x.to(torch.float32)"}},
      {"float8", {"it holds a tensor of a dtype as uint16, float8_e4m3fn", "x.to(torch.float32)"}},
      {"coo", {"it holds a tensor of a sparse layout", "save x.to_dense()"}},
      {"csr", {"it holds a tensor of a sparse layout", "save x.to_dense()"}},
      {"nested", {"it holds a nested tensor", "save list(x.unbind())"}},
      {"jagged", {"it holds a tensor of a class of its own"}},
      {"quantised", {"it holds a quantised tensor", "save x.dequantize()"}},
      {"subclass", {"it holds a tensor of a class of its own", "save x.detach().as_subclass(torch.Tensor)"}},
      {"attribute", {"or with attributes", "save x.detach().as_subclass(torch.Tensor)"}},
      {"negative", {"is the negative of what its storage holds", "save x.resolve_neg()"}}};
  std::size_t refused = 0, read = 0;
  for (const auto& [name, file] : load_tensors(std::string(GRADUS_TEST_DATA) + "/files/foreign.safetensors")) {
    const auto* bytes = static_cast<const char*>(file.array().data());
    const std::vector<char> content(bytes, bytes + file.numel());
    BOOST_TEST_CONTEXT(name) {
      if (name.ends_with(".cured")) {
        BOOST_CHECK_NO_THROW(pickle_load(content));
        ++read;
      } else {
        check_error<FileError>([&] { pickle_load(content); }, said.at(name));
        ++refused;
      }
    }
  }
  BOOST_TEST(refused == said.size());
  BOOST_TEST(read + 1 == said.size());  // a jagged tensor is a class of its own
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
