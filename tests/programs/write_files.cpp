// Reads files of Python's and writes them again in all formats, for Python to read: checks/python_reads_files.
//
//   write_files FOLDER_OF_PYTHONS_FILES FOLDER
#include <fstream>
#include <iostream>
#include <string>

#include <gradus/gradus.h>

#include "../support/all_optimizers.h"

using namespace gradus;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string from = std::string(argv[1]) + "/", to = std::string(argv[2]) + "/";
  try {
    const IValue state = load(from + "state.pt");
    for (const char* name : {"state.pt", "state.npz", "state.safetensors"}) save(state, to + name);
    std::ofstream stream(to + "stream.pt", std::ios::binary);
    save(state, stream);
    save(state.toGenericDict().at("transposed").toTensor(), to + "one.npy");
    save(load(from + "values.pt"), to + "values.pt");
    for (const std::string name : {"net", "net_half", "net_bfloat16"}) {
      nn::Sequential net(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2));
      if (name != "net") net->to(name == "net_half" ? kHalf : kBFloat16);
      load(net, from + name + ".pt");
      for (const char* ending : {".pt", ".npz", ".safetensors"}) {
        save(net, to + name + ending);
        load(net, to + name + ending);
      }
    }
    const IValueDict saved = load(from + "optimizers.pt").toGenericDict();
    serialize::InputArchive archive;
    archive.load_from(from + "optimizers.pt");
    for (const auto& [name, make] : test::all_optimizers()) {
      serialize::InputArchive entry, part;
      archive.read(name, entry);
      entry.read("saved", part);
      const auto optimizer = make({saved.at(name).toGenericDict().at("before").toTensor().clone().requires_grad_()});
      optimizer->load(part);
      save(*optimizer, to + "optimizer_" + name + ".pt");
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
