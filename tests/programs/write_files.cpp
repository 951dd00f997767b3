// Reads files of Python's and writes them again in all formats, for Python to read: checks/files_of_python.
//
//   write_files FOLDER_OF_PYTHONS_FILES FOLDER
#include <fstream>
#include <iostream>
#include <string>

#include <gradus/gradus.h>

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
    nn::Linear fc(2, 2);
    optim::Adam adam(fc->parameters());
    fc(ones({1, 2})).sum().backward();
    adam.step();
    save(adam, to + "optimizer.pt");
    load(adam, to + "optimizer.pt");
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
