// Files of Python's (reference/make_files.py), and of libtorch 1.13: read, written, and read again; hostile ones refused.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gradus/core/files/files.h>
#include <gradus/core/files/npy.h>
#include <gradus/core/files/values.h>
#include <gradus/gradus.h>

#include "../support/all_optimizers.h"
#include "../support/arrays.h"
#include "../support/folder.h"

namespace gradus::test {
namespace {

using core::Bytes;
using core::ByteView;
using serialize::InputArchive;
using serialize::OutputArchive;

std::string python(const std::string& name) { return std::string(GRADUS_TEST_DATA) + "/files/" + name; }

// By the numbers, the shape and the dtype.
bool same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.sizes() == b.sizes() && values(a.array()) == values(b.array());
}

void check_state(const IValue& state, const std::string& what) {
  const nn::NamedTensors expected = load_tensors(python("state.safetensors"));
  const IValueDict dict = state.toGenericDict();
  BOOST_TEST_CONTEXT(what) {
    BOOST_TEST(dict.size() == expected.size());
    for (const auto& [name, tensor] : expected) BOOST_TEST(same(dict.at(name).toTensor(), tensor), name);
  }
}

bool shares(const IValue& state) {
  const IValueDict dict = state.toGenericDict();
  return dict.at("front").toTensor().array().storage() == dict.at("back").toTensor().array().storage();
}

std::string text_of(const std::string& path) {
  const Bytes bytes = core::read_file(path, 1 << 20);
  return {bytes.begin(), bytes.end()};
}

// FileError, soon, with the file's name and these texts.
void check_refused(const std::string& content, const std::vector<std::string>& pieces) {
  const Folder folder;
  std::ofstream(folder / "hostile", std::ios::binary) << content;
  std::vector<std::string> all = pieces;
  all.push_back(folder / "hostile");
  reset_peak_memory_stats();
  const std::int64_t held = memory_stats().held_bytes;
  const auto start = std::chrono::steady_clock::now();
  check_error<FileError>([&] { load(folder / "hostile"); }, all);
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(1)));  // 10 ms, were the machine alone
  BOOST_TEST(memory_stats().peak_bytes - held < (1 << 20));
}

std::string pickle(const std::string& opcodes) { return "\x80\x02" + opcodes + "."; }
std::string zipped(const std::string& pickle, const std::string& storage) {
  core::Pieces pieces;
  core::ZipWriter zip(pieces);
  zip.add("a/data.pkl", Bytes(pickle.begin(), pickle.end()));
  zip.add("a/data/0", Bytes(storage.begin(), storage.end()));
  zip.finish();
  std::string file;
  for (const ByteView view : pieces.views()) file += view.text();
  return file;
}
// A tensor of these sizes, strides and offset, in a storage of `count` float32.
std::string tensor(const std::string& geometry, char count) {
  return pickle(
      "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\1"
      "0U\3cpuK" +
      std::string(1, count) + "tQ" + geometry + "\x89NtR");
}
void replace(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(files_of_python)

BOOST_AUTO_TEST_CASE(a_state_of_all_dtypes_is_read_and_written_in_all_formats) {
  const Folder folder;
  for (const char* name : {"state.pt", "old.pt", "state.npz", "packed.npz", "state.safetensors"})
    check_state(load(python(name)), name);
  for (const char* name : {"state.pt", "old.pt"}) BOOST_TEST(shares(load(python(name))));
  const IValue state = load(python("state.pt"));
  for (const char* name : {"a.pt", "a.pth", "a.npz", "a.safetensors", "a"}) {
    save(state, folder / name);
    check_state(load(folder / name), name);
  }
  BOOST_TEST(shares(load(folder / "a.pt")));
  std::stringstream stream;
  save(state, stream);
  InputArchive archive;
  archive.load_from(stream);
  check_state(archive.values(), "stream");
  // Each format by its first bytes.
  BOOST_TEST(text_of(folder / "a.pth").substr(0, 2) == "PK");
  BOOST_TEST(text_of(folder / "a.npz").find(".npy") < 100U);
  BOOST_TEST(text_of(folder / "a")[8] == '{');
  BOOST_TEST(same(load(python("fortran.npy")).toTensor(), arange(6, kDouble).view({2, 3})));
  BOOST_TEST(same(load(python("big.npy")).toTensor(), arange(-2, 4, kInt).view({2, 3})));
}

BOOST_AUTO_TEST_CASE(plain_values_come_out_as_they_were) {
  const IValueDict dict = load(python("values.pt")).toGenericDict();
  BOOST_TEST(
      IValue(dict).text() ==
      "{epoch: 3, lr: 0.1, name: caf\xc3\xa9, none: none, on: true, big: 1099511627776, below: -7, list: [1, 2.5, a, "
      "[none, false]], ints: [1, -2, 3], tuple: (1, b, ()), 0: {inner: float32 [2]}, counter: {30: 1}, parameter: "
      "float32 [2], dtype: 4, size: (2, 3)}");
  BOOST_TEST((dict.at("ints").toIntVector() == std::vector<std::int64_t>{1, -2, 3}));
  BOOST_TEST(dict.at("tuple").isTuple());
  BOOST_TEST(dict.at("parameter").toTensor().requires_grad());
  BOOST_TEST(dict.at(0).toGenericDict().at("inner").toTensor().equal(ones({2})));
  BOOST_TEST(pickle_load(pickle_save(dict)).text() == IValue(dict).text());
  BOOST_TEST(pickle_load(pickle_save(std::vector<Tensor>{ones({2}), zeros({1})})).toTensorVector()[0].equal(ones({2})));
  BOOST_CHECK_THROW(pickle_load({'x'}), FileError);
}

BOOST_AUTO_TEST_CASE(libtorchs_archives_are_read_without_executing_them) {
  struct Net : nn::Module {
    Net() {
      fc = register_module("fc", nn::Linear(3, 2));
      bn = register_module("bn", nn::BatchNorm1d(2));
    }
    nn::Linear fc{nullptr};
    nn::BatchNorm1d bn{nullptr};
  };
  const auto net = std::make_shared<Net>();
  load(net, python("libtorch_module.pt"), kCPU);
  BOOST_TEST(same(net->fc->weight.detach(), arange(6, kFloat).view({2, 3})));
  InputArchive archive, inner;
  archive.load_from(python("libtorch_archive.pt"));
  IValue epoch, lrs;
  archive.read("epoch", epoch);
  archive.read("lrs", lrs);
  archive.read("inner", inner);
  BOOST_TEST(epoch.toInt() == 7);
  BOOST_TEST((lrs.toDoubleVector() == std::vector<double>{0.1, 0.2}));
  BOOST_TEST((inner.keys() == std::vector<std::string>{"y"}));
  Tensor x;
  load(x, python("libtorch_tensor.pt"));
  BOOST_TEST(same(x, arange(6, kDouble).view({2, 3}).t()));
  std::vector<Tensor> several;
  load(several, python("libtorch_tensors.pt"));
  BOOST_TEST((several.size() == 2 && same(several[1], zeros({1, 2}, kLong))));
}

BOOST_AUTO_TEST_CASE(a_network_of_pythons_gives_its_outputs) {
  const Folder folder;
  const IValueDict outputs = load(python("outputs.pt")).toGenericDict();
  nn::Sequential net(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2));
  load(net, python("net.pt"));
  const Tensor y = net->forward(outputs.at("x").toTensor());
  BOOST_TEST(allclose(y, outputs.at("y").toTensor(), 1e-5, 1e-6));
  for (const char* name : {"net.pt", "net.npz", "net"}) {
    nn::Sequential other(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2));
    save(net, folder / name);
    load(other, folder / name);
    BOOST_TEST(other->forward(outputs.at("x").toTensor()).equal(y));
  }
  std::stringstream stream;
  save(net, stream);
  nn::Sequential other(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2));
  load(other, stream);
  BOOST_TEST(other->forward(outputs.at("x").toTensor()).equal(y));
  for (const DType dtype : {kHalf, kBFloat16}) {
    net->to(dtype);
    load(net, python(dtype == kHalf ? "net_half.pt" : "net_bfloat16.pt"));
    save(net, folder / "half.pt");
    BOOST_TEST(same(load_tensors(folder / "half.pt")["0.weight"], net->state_dict()["0.weight"].detach()));
  }
}

BOOST_AUTO_TEST_CASE(archives_hold_tensors_values_and_archives) {
  const Folder folder;
  OutputArchive archive, inner, empty;
  archive.write("x", ones({2, 2}));
  archive.write("epoch", 7);
  archive.write("name", "a 'net'\n");
  archive.write("rates", std::vector<double>{0.5, 1e-300, 3});
  archive.write("several", std::vector<Tensor>{ones({2}), zeros({3})});
  inner.write("y", zeros({1}), true);
  inner.write("deep", empty);
  archive.write("inner", inner);
  check_error<ValueError>([&] { archive.write("x", 1); }, {"OutputArchive::write: each key must be written once: 'x'"});
  for (const char* name : {"a.pt", "a.safetensors"}) {
    archive.save_to(folder / name);
    InputArchive read, nested, none;
    read.load_from(folder / name, kCPU);
    IValue epoch, text, rates, several;
    read.read("epoch", epoch);
    read.read("name", text);
    read.read("rates", rates);
    read.read("several", several);
    read.read("inner", nested);
    BOOST_TEST((epoch.toInt() == 7 && text.toStringRef() == "a 'net'\n"));
    BOOST_TEST((rates.toDoubleVector() == std::vector<double>{0.5, 1e-300, 3}));
    BOOST_TEST((several.toTensorVector()[1].equal(zeros({3}))));
    Tensor x = zeros({2, 2}), y, held = x;
    read.read("x", x);
    nested.read("y", y, true);
    BOOST_TEST((x.is_same(held) && x.equal(ones({2, 2})) && y.equal(zeros({1}))));
    BOOST_TEST((!read.try_read("absent", y) && !read.try_read("x", none) && !read.try_read("epoch", y)));
    check_error<ValueError>([&] { read.read("absent", y); },
                            {"there must be a tensor under 'absent' in ", folder / name, "its keys are 'x'"});
  }
  check_error<ValueError>([&] { archive.save_to(folder / "a.npz"); },
                          {"a .npz file must hold tensors alone: 'epoch' is Int"});
  std::vector<char> bytes;
  archive.save_to([&](const void* data, std::size_t size) {
    bytes.insert(bytes.end(), static_cast<const char*>(data), static_cast<const char*>(data) + size);
    return size;
  });
  InputArchive read;
  read.load_from(bytes.data(), bytes.size());
  BOOST_TEST(read.keys().size() == 6U);
  read.load_from(
      [&](std::uint64_t at, void* to, std::size_t count) {
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), count, static_cast<char*>(to));
        return count;
      },
      [&] { return bytes.size(); });
  BOOST_TEST(read.keys().size() == 6U);
  BOOST_CHECK_THROW(archive.save_to([](const void*, std::size_t) { return std::size_t{0}; }), FileError);
}

BOOST_AUTO_TEST_CASE(one_tensor_and_several) {
  const Folder folder;
  for (const char* name : {"x.pt", "x.npy", "x.npz", "x"}) {
    const Tensor x = arange(6, kFloat).view({2, 3}).t();
    save(x, folder / name);
    Tensor y, z = zeros({3, 2}), w = zeros({1}, kLong);
    const Tensor held = z;
    load(y, folder / name);
    load(z, folder / name, kCPU);
    load(w, folder / name);
    BOOST_TEST((same(y, x) && same(held, x) && same(w, x)));
  }
  save(std::vector<Tensor>{ones({1}), zeros({2})}, folder / "two");
  Tensor y;
  std::vector<Tensor> both;
  load(both, folder / "two");
  BOOST_TEST(both.size() == 2U);
  check_error<FileError>([&] { load(y, folder / "two"); }, {"must hold one tensor: it holds 2"});
  check_error<ValueError>([&] { save(both, folder / "a.npy"); }, {"a .npy file must hold one tensor: there are 2"});
  BOOST_CHECK_THROW(load(y, folder / "absent"), FileError);
}

BOOST_AUTO_TEST_CASE(a_module_that_saves_more_than_its_state_is_asked) {
  struct Net : nn::Module {
    Net() { fc = register_module("fc", nn::Linear(2, 2)); }
    void save(OutputArchive& archive) const override {
      nn::Module::save(archive);
      archive.write("epoch", epoch);
    }
    void load(InputArchive& archive) override {
      nn::Module::load(archive);
      IValue value;
      archive.read("epoch", value);
      epoch = value.toInt();
    }
    nn::Linear fc{nullptr};
    std::int64_t epoch = 0;
  };
  const Folder folder;
  for (const char* name : {"a.pt", "a"}) {
    Net net, other;
    net.epoch = 5;
    gradus::save(net, folder / name);
    gradus::load(other, folder / name);
    BOOST_TEST((other.epoch == 5 && other.fc->weight.equal(net.fc->weight)));
  }
}

BOOST_AUTO_TEST_CASE(optimizers_go_on_where_pythons_stopped) {
  const auto all = all_optimizers();
  const auto goes_on = [](const std::string& name, optim::Optimizer& optimizer, const IValueDict& values) {
    const Tensor weight = optimizer.parameters()[0];
    for (int i = 0; i < 2; ++i) {
      weight.mutable_grad() = weight.detach().pow(3);
      optimizer.step();
    }
    const Tensor after = values.at("after").toTensor();
    BOOST_TEST(allclose(weight.detach(), after, 1e-6, 1e-9), name << ": " << weight << " for " << after);
  };
  const std::string bytes = text_of(python("optimizers.pt"));
  const IValueDict file = pickle_load({bytes.begin(), bytes.end()}).toGenericDict();
  BOOST_TEST(file.size() == all.size());
  for (const auto& [name, make] : all) {
    const IValueDict values = file.at(name).toGenericDict();
    const auto optimizer = make({values.at("before").toTensor().clone().requires_grad_()});
    InputArchive archive, saved;
    archive.load_from(python("optimizers.pt"));
    BOOST_REQUIRE(archive.try_read(name, saved));
    InputArchive state;
    saved.read("saved", state);
    optimizer->load(state);
    goes_on(name, *optimizer, values);
  }
  const IValueDict values = file.at("Adam").toGenericDict();
  optim::Adam adam({values.at("before").toTensor().clone().requires_grad_()});
  load(adam, python("adam.pt"));
  goes_on("Adam", adam, values);
  // An Adam's state is no AdamW's, and says so.
  optim::AdamW other({values.at("before").toTensor().clone().requires_grad_()});
  check_error<ValueError>([&] { load(other, python("adam.pt")); }, {"unknown", "decoupled_weight_decay"});
}

BOOST_AUTO_TEST_CASE(a_state_of_pythons_that_does_not_fit_is_refused_by_its_name) {
  const Folder folder;
  nn::Linear fc(1, 1);
  optim::SGD sgd(fc->parameters(), 0.5);
  const auto with = [&](const char* setting, IValue value) {
    IValueDict group, state;
    for (const auto& [name, number] :
         {std::pair{"lr", 0.25}, {"momentum", 0.}, {"dampening", 0.}, {"weight_decay", 0.}})
      group.insert_or_assign(name, number);
    group.insert_or_assign("nesterov", false);
    group.insert_or_assign("params", std::vector<std::int64_t>{0, 1});
    group.insert_or_assign(setting, std::move(value));
    state.insert("state", IValueDict());
    state.insert("param_groups", std::vector<IValue>{group});
    save(IValue(state), folder / "sgd.pt");
    load(sgd, folder / "sgd.pt");
  };
  IValueDict levels;
  levels.insert("a", 1);
  for (const IValue& value : {IValue(levels), IValue(std::vector<std::string>{"a"}), IValue(ones({2, 2}))}) {
    check_error<ValueError>([&] { with("mystery", value); }, {"'param_groups.0.mystery'", "sgd.pt"});
  }
  BOOST_TEST(sgd.param_groups()[0].options().get_lr() == 0.5);
  // These say nothing of the numbers.
  for (const char* setting : {"foreach", "fused", "param_names"}) with(setting, std::vector<std::string>{"a", "b"});
  with("momentum", tensor(0.125, kFloat64));
  BOOST_TEST(static_cast<optim::SGDOptions&>(sgd.param_groups()[0].options()).momentum() == 0.125);

  // A checkpoint holds it beside others.
  IValueDict checkpoint;
  checkpoint.insert("epoch", 3);
  checkpoint.insert("optimizer", load(folder / "sgd.pt"));
  save(IValue(checkpoint), folder / "all.pt");
  check_error<ValueError>([&] { load(sgd, folder / "all.pt"); }, {"archive.read('optimizer', part)"});
  optim::SGD other(fc->parameters(), 0.5);
  InputArchive archive, part;
  archive.load_from(folder / "all.pt");
  archive.read("optimizer", part);
  other.load(part);
  BOOST_TEST(other.param_groups()[0].options().get_lr() == 0.25);
}

BOOST_AUTO_TEST_CASE(steps_that_float32_does_not_hold_stay_whole) {
  const Folder folder;
  for (const std::int64_t steps : {7, 16777216, 16777217}) {
    const Tensor w = ones({1}, kFloat64).requires_grad_();
    optim::Adam adam({w}), other({w});
    w.mutable_grad() = ones({1}, kFloat64);
    adam.step();
    static_cast<optim::AdamParamState&>(*adam.state().begin()->second).step(steps);
    save(adam, folder / "a.pt");
    load(other, folder / "a.pt");
    BOOST_TEST(other.state(w)->step() == steps);
  }
}

BOOST_AUTO_TEST_CASE(an_optimizer_goes_through_pythons_format_and_streams) {
  const Folder folder;
  nn::Linear fc(2, 2);
  optim::Adam adam(fc->parameters()), other(fc->parameters());
  fc(ones({1, 2})).sum().backward();
  adam.step();
  save(adam, folder / "a.pt");
  load(other, folder / "a.pt");
  std::stringstream stream;
  save(other, stream);
  load(adam, stream);
  BOOST_TEST(adam.state_dict().size() == other.state_dict().size());
  optim::SGD sgd(fc->parameters(), 0.1);
  check_error<ValueError>([&] { load(sgd, folder / "a.pt"); }, {"must hold the state of SGD: it is that of 'Adam'"});
}

BOOST_AUTO_TEST_CASE(nothing_is_executed) {
  check_refused(pickle("cposix\nsystem\nU\4trueR"), {"it names 'posix.system'", "nothing of a file is executed"});
  check_refused(pickle("U\5posixU\6system\x93"), {"it names 'posix.system'"});
  check_refused(pickle("cbuiltins\neval\nU\1"
                       "1\x85R"),
                {"'builtins.eval'"});
  check_refused(pickle("ctorch\nFloatStorage\n)R"), {"'torch FloatStorage' is called"});
  check_refused(pickle("ccollections\nOrderedDict\n"), {"must hold tensors and plain values", "OrderedDict"});
}

BOOST_AUTO_TEST_CASE(what_claims_more_than_it_holds_is_refused) {
  check_refused(pickle(std::string("X\xff\xff\xff\x7f", 5)), {"2147483647 bytes are claimed where 1 are left"});
  check_refused("\x80\x02]", {"1 bytes are claimed where 0 are left"});
  check_refused(pickle("I"), {"the opcode 49"});
  check_refused(pickle("h\1"), {"what is remembered as 1"});
  check_refused(pickle("]q\1h\1a"), {"nested at most 200 levels deep: they are deeper, or hold themselves"});
  std::string levels = "N";  // each holds the one below five times
  for (char i = 1; i < 20; ++i) {
    levels += std::string("q") + i + "0](";
    for (int times = 0; times < 5; ++times) levels += std::string("h") + i;
    levels += 'e';
  }
  check_refused(pickle(levels), {"must hold no more than"});
  // Tensors outside their storage, and storages that are not there.
  check_refused(zipped(tensor(std::string("K\0(K\2t(K\1t", 10), 2), "1234"),
                {"must hold the 2 float32 that are claimed: it holds 4 bytes"});
  check_refused(zipped(tensor(std::string("K\0(K\3t(K\1t", 10), 2), "12345678"), {"does not lie in its storage of 2"});
  check_refused(zipped(tensor("K\1(K\2t(K\1t", 2), "12345678"), {"offset 1"});
  check_refused(zipped(tensor("J\xff\xff\xff\xff(K\2t(K\1t", 2), "12345678"), {"offset -1"});
  check_refused(tensor(std::string("K\0(K\2t(K\1t", 10), 2), {"it is a pickle alone"});
  std::string none = zipped(tensor(std::string("K\0(K\2t(K\1t", 10), 2), "12345678");
  replace(none, "a/data/0", "a/data/1");
  check_refused(none, {"must hold storage '0': there is no 'a/data/0'"});
  // Zips.
  const std::string whole = text_of(python("state.npz"));
  check_refused(whole.substr(0, whole.size() - 30), {"zip: '", "must end with a directory", "cut off"});
  std::string damaged = whole;
  damaged[damaged.find("NUMPY") + 130] ^= 1;
  check_refused(damaged, {"checksum", "damaged"});
  std::string claims = text_of(python("packed.npz"));
  const std::size_t entry = claims.find("PK\1\2");
  claims.replace(entry + 24, 4, std::string("\xf0\xff\xff\x7f", 4));
  check_refused(claims, {"must hold the 2147483632 bytes that it claims"});
  // .npy
  std::string npy = text_of(python("big.npy"));
  replace(npy, "(2, 3)", "(9, 3)");
  check_refused(
      npy, {"must hold the 108 bytes of its shape [9, 3] and dtype int32: 24 follow its header, so it is cut off"});
  replace(npy, ">i4", "|O8");
  check_refused(npy, {"the dtype of", "must be one of"});
  std::string version = text_of(python("big.npy"));
  version[6] = 9;
  check_refused(version, {"the version of", "it is 9.0"});
  check_refused("\x93NUMPY\2" + std::string("\0\xff\xff\xff\x7f", 5), {"must hold its header of 2147483647 bytes"});
}

BOOST_AUTO_TEST_CASE(bytes_that_two_entries_share_are_refused) {
  // An entry within another, each with a header of its own: what a file packs many times over is made of these.
  const auto number = [](std::size_t value, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += i < 8 ? static_cast<char>(value >> (8 * i) & 0xff) : '\0';
    return text;
  };
  const auto fields = [&](const std::string& content) {
    return number(0, 16) + number(content.size(), 4) + number(content.size(), 4) + number(5, 2);
  };
  const auto local = [&](const std::string& name, const std::string& content) {
    return "PK\3\4" + fields(content).substr(2) + number(0, 2) + name + content;
  };
  const auto entry = [&](const std::string& name, const std::string& content, std::size_t at) {
    return "PK\1\2" + fields(content) + number(0, 12) + number(at, 4) + name;
  };
  const std::string inner = local("b.npy", "x"), outer = local("a.npy", inner);
  const std::string directory = entry("a.npy", inner, 0) + entry("b.npy", "x", outer.size() - inner.size());
  check_refused(outer + directory + "PK\5\6" + number(0, 4) + number(2, 2) + number(2, 2) +
                    number(directory.size(), 4) + number(outer.size(), 4) + number(0, 2),
                {"must not overlap: 'a.npy' and 'b.npy' do"});
}

BOOST_AUTO_TEST_CASE(pythons_notation_goes_both_ways) {
  for (const char* text :
       {"{'a': [1, -2, 3.5, nan, inf], 'b': (True, None), 'c': (), 'd': ('x',)}", "'it\\'s \\\\ \\x0a'", "1e-300"}) {
    const core::Values values = core::parse_literal(text, "op", "file");
    BOOST_TEST(core::to_literal(values) == text);
  }
  for (const char* text :
       {"", "{", "[1", "[1 2]", "'open", "{1}", "1.2.3", "9223372036854775808", "1e999", "__import__('os')", "'\\q'"}) {
    check_error<FileError>([&] { core::parse_literal(text, "op", "file"); },
                           {"op: the text in 'file' must be a value"});
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
