// write_pages FOLDER [NAME...]: pages of networks, some of them with faults, and beside each its data, NAME.json.
#include <gradus/autograd/page/page.h>
#include <gradus/gradus.h>

#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

using namespace gradus;
namespace F = nn::functional;

namespace {

// A ReLU with a wrong gradient beside a right reference: it forgets where the input was negative.
struct ForgetfulRelu {
  static constexpr std::string_view name = "forgetful_relu";
  static core::Array forward(const core::Array& x) { return core::maximum(x, core::zeros_like(x)); }
  static std::array<core::Array, 1> backward(autograd::Needs, autograd::DyArray<> dy, autograd::InArray<0>) {
    return {dy};
  }
  static Tensor reference(const Tensor& x) { return maximum(x, zeros_like(x)); }
};
// y = a^2 b, known to this program alone.
struct Mix {
  static constexpr std::string_view name = "mix";
  static constexpr bool broadcasts = true;
  static core::Array forward(const core::Array& a, const core::Array& b) { return a * a * b; }
  static constexpr auto gradients =
      autograd::formulas([](autograd::Dy<> dy, autograd::In<0> a, autograd::In<1> b) { return dy * 2 * a * b; },
                         [](autograd::Dy<> dy, autograd::In<0> a) { return dy * square(a); });
};

struct BlockImpl : nn::Module {
  BlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride) {
    conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)));
    bn1 = register_module("bn1", nn::BatchNorm2d(out));
    conv2 = register_module("conv2", nn::Conv2d(nn::Conv2dOptions(out, out, 3).padding(1).bias(false)));
    bn2 = register_module("bn2", nn::BatchNorm2d(out));
    if (stride != 1 || in != out) {
      down = register_module(
          "down",
          nn::Sequential(nn::Conv2d(nn::Conv2dOptions(in, out, 1).stride(stride).bias(false)), nn::BatchNorm2d(out)));
    }
  }
  Tensor forward(Tensor x) {
    const Tensor y = bn2(conv2(relu(bn1(conv1(x)))));
    return relu(y + (down.is_empty() ? x : down->forward(x)));
  }
  nn::Conv2d conv1{nullptr}, conv2{nullptr};
  nn::BatchNorm2d bn1{nullptr}, bn2{nullptr};
  nn::Sequential down{nullptr};
};
GRADUS_MODULE(Block);

void name_all(autograd::Record& record, const nn::Module& net) {
  for (const auto& entry : net.named_parameters()) record.name(entry.value(), entry.key());
}
template <class Optimizer>
void learn(Optimizer& optimizer, const std::function<Tensor()>& loss, int steps) {
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    loss().backward();
    optimizer.step();
  }
}

using Draw = std::function<void(autograd::Record&)>;

void mlp(autograd::Record& record) {
  nn::Sequential net(nn::Linear(4, 8), nn::Tanh(), nn::Linear(8, 8), nn::ReLU(), nn::Linear(8, 3));
  const Tensor x = randn({6, 4}), target = randint(0, 3, {6}, kInt64);
  record.name(x, "x");
  name_all(record, *net);
  optim::SGD sgd(net->parameters(), optim::SGDOptions(0.1));
  learn(
      sgd, [&] { return F::cross_entropy(net->forward(x), target); }, 2);
}

void cnn(autograd::Record& record) {
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(1, 4, 3).padding(1)), nn::BatchNorm2d(4), nn::ReLU(),
                     nn::MaxPool2d(2), nn::Conv2d(nn::Conv2dOptions(4, 8, 3).padding(1)), nn::BatchNorm2d(8),
                     nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Dropout(0.25), nn::Linear(32, 5));
  const Tensor x = randn({3, 1, 8, 8}), target = randint(0, 5, {3}, kInt64);
  record.name(x, "images");
  name_all(record, *net);
  optim::Adam adam(net->parameters(), optim::AdamOptions(0.01));
  learn(
      adam, [&] { return F::cross_entropy(net->forward(x), target); }, 1);
}

struct Translator : nn::Module {
  Translator() {
    embed = register_module("embed", nn::Embedding(11, 16));
    encoder = register_module(
        "encoder",
        nn::TransformerEncoder(
            nn::TransformerEncoderLayer(nn::TransformerEncoderLayerOptions(16, 2).dim_feedforward(32).dropout(0.1)),
            2));
    head = register_module("head", nn::Linear(16, 11));
  }
  Tensor forward(const Tensor& tokens) { return head(encoder(embed(tokens))); }
  nn::Embedding embed{nullptr};
  nn::TransformerEncoder encoder{nullptr};
  nn::Linear head{nullptr};
};
void transformer(autograd::Record& record) {
  Translator net;
  const Tensor tokens = randint(0, 11, {5, 3}, kInt64), next = randint(0, 11, {15}, kInt64);
  record.name(tokens, "tokens");
  name_all(record, net);
  optim::Adam adam(net.parameters(), optim::AdamOptions(0.001));
  learn(
      adam,
      [&] {
        return F::cross_entropy(net.forward(tokens).reshape({15, 11}), next);
      },
      1);
}

void fanout(autograd::Record& record) {
  const Tensor a = tensor({1.0, -2.0}, kFloat64).requires_grad_();
  record.name(a, "a");
  const Tensor b = a + a;
  const Tensor c = b + b;
  c.backward(ones_like(c));
}

void views(autograd::Record& record) {
  const Tensor w = arange(0, 12, 1, kFloat64).view({3, 4}).clone().requires_grad_(),
               b = ones({3, 1}, kFloat64).requires_grad_();
  record.name(w, "w");
  record.name(b, "b");
  const Tensor picked = w.t().slice(0, 1, 3);
  const Tensor mixed = autograd::apply<Mix>(picked, b.view({3}));
  (mixed.exp().sum() + w.select(0, 1).mean()).backward();
}

void penalty(autograd::Record& record) {
  nn::Sequential net(nn::Linear(2, 5), nn::Tanh(), nn::Linear(5, 1));
  name_all(record, *net);
  const Tensor x = randn({4, 2}).requires_grad_();
  record.name(x, "x");
  const Tensor g = autograd::grad({net->forward(x).sum()}, {x}, {}, std::nullopt, true)[0];
  (g.square().sum(1).sqrt() - 1).square().mean().backward();
}

// Five nets with a fault each.
void detached(autograd::Record& record) {
  nn::Sequential front(nn::Linear(3, 6), nn::Tanh()), back(nn::Linear(6, 2));
  const Tensor x = randn({4, 3}), target = randn({4, 2});
  record.name(x, "x");
  const Tensor hidden = front->forward(x).detach();
  F::mse_loss(back->forward(hidden), target).backward();
}
void frozen(autograd::Record& record) {
  const Tensor x = randn({3, 4}), w = randn({3, 4}).requires_grad_(), scale = randn({4}).requires_grad_();
  record.name(x, "x");
  record.name(w, "w");
  record.name(scale, "scale");
  Tensor features;
  {
    const NoGradGuard guard;
    features = x * w;
  }
  (features * scale).tanh().sum().backward();
}
void wrong_gradient(autograd::Record& record) {
  nn::Sequential front(nn::Linear(3, 6)), back(nn::Linear(6, 2));
  const Tensor x = randn({4, 3}), target = randn({4, 2});
  record.name(x, "x");
  F::mse_loss(back->forward(autograd::apply<ForgetfulRelu>(front->forward(x))), target).backward();
}
void dead_relu(autograd::Record& record) {
  nn::Sequential net(nn::Linear(3, 6), nn::ReLU(), nn::Linear(6, 6), nn::ReLU(), nn::Linear(6, 2));
  {
    const NoGradGuard guard;
    net->parameters()[3].fill_(-9);  // the second layer's bias
  }
  const Tensor x = randn({4, 3}), target = randn({4, 2});
  record.name(x, "x");
  name_all(record, *net);
  F::mse_loss(net->forward(x), target).backward();
}
void exploding(autograd::Record& record) {
  nn::Sequential net;
  for (int i = 0; i < 6; ++i) {
    net->push_back(nn::Linear(8, 8));
    net->push_back(nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)));
  }
  {
    const NoGradGuard guard;
    net->parameters()[6].mul_(2e4);  // the fourth layer's weight
  }
  const Tensor x = randn({4, 8});
  record.name(x, "x");
  name_all(record, *net);
  net->forward(x).square().mean().backward();
}
void in_place(autograd::Record& record) {
  const Tensor x = randn({4, 3}), w = randn({3, 3}).requires_grad_();
  record.name(x, "x");
  record.name(w, "w");
  const Tensor h = (x.mm(w)).sigmoid();
  const Tensor y = h * 2;
  h.mul_(0.5);
  try {
    (y + h).sum().backward();
  } catch (const Error& error) {
    std::cerr << "in_place: " << error.what() << '\n';
  }
}
void faults(autograd::Record& record) {
  detached(record);
  wrong_gradient(record);
  dead_relu(record);
  exploding(record);
  in_place(record);
}

// Passes that end before they are through, gradients that are no numbers, numbers from outside the graph.
void freed(autograd::Record& record) {
  const Tensor x = randn({3}), w = randn({3}).requires_grad_();
  record.name(w, "w");
  const Tensor y = (x * w).exp().sum();
  y.backward({}, true);
  y.backward();
  try {
    y.backward();
  } catch (const Error& error) {
    std::cerr << "freed: " << error.what() << '\n';
  }
}
void hooked(autograd::Record& record) {
  const Tensor w = randn({3}).requires_grad_(), v = randn({3}).requires_grad_();
  record.name(w, "w");
  record.name(v, "v");
  const Tensor h = w * v;
  h.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("a hook's own <b>error</b>"); });
  try {
    h.tanh().sum().backward();
  } catch (const std::exception& error) {
    std::cerr << "hooked: " << error.what() << '\n';
  }
}
void not_finite(autograd::Record& record) {
  const Tensor a = tensor({0.0, 1.0}).requires_grad_(), b = tensor({0.0, 1.0}).requires_grad_(),
               c = tensor({1.0, 2.0}).requires_grad_();
  record.name(a, "infinite");
  record.name(b, "nan");
  record.name(c, "zero");
  (a.sqrt() + b.sqrt() * 0 + c * 0).sum().backward();
}
void outside(autograd::Record& record) {
  const Tensor w = randn({4}).requires_grad_(), raw = rand({4});
  record.name(w, "w");
  record.name(raw, "raw");
  const Tensor scaled = (raw - raw.mean()) / raw.std();
  const Tensor target = (w.tanh().detach() * 2 + 1).exp();
  (w * scaled - target).square().sum().backward();
}
void stopped(autograd::Record& record) {
  const Tensor w = randn({3}).requires_grad_();
  record.name(w, "w");
  const Tensor h = w.sin();
  h.register_hook([&](const Tensor&) {
    record.stop();
    return Tensor();
  });
  h.exp().sum().backward();
}
void ends(autograd::Record& record) {
  freed(record);
  hooked(record);
  not_finite(record);
  outside(record);
  stopped(record);
}

// Names that look like markup, long ones, other scripts.
void odd_names(autograd::Record& record) {
  const std::string evil = "</script><script>window.__hit=1</script><img src=x onerror='window.__hit=2'>\"<!--";
  const Tensor x = randn({3, 4}), w = randn({4, 2}).requires_grad_(), b = randn({2}).requires_grad_();
  record.name(x, evil);
  record.name(w, std::string(10'000, 'W'));
  record.name(b, "вес мира \u202e 重み \U0001f600");
  nn::Sequential net;
  net->push_back("<b onclick=alert()>\\\"'&amp;", nn::Tanh());
  net->push_back(std::string(300, 'm'), nn::ReLU());
  net->forward(x.mm(w) + b).square().sum().backward();
}

void big(autograd::Record& record) {
  Tensor x = randn({4}, kFloat64).requires_grad_();
  record.name(x, "x");
  nn::ModuleList layers;
  for (int i = 0; i < 50; ++i) {
    nn::Sequential layer;
    for (int k = 0; k < 50; ++k) {
      layer->push_back(nn::Functional([](const Tensor& v) { return v + 0.01; }));
      layer->push_back(nn::Tanh());
    }
    layers->push_back(layer);
  }
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < 1; ++k) x = (*layers)[i % 50]->as<nn::Sequential>()->forward(x);
  }
  x.sum().backward();
}

void resnet18(autograd::Record& record) {
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(3, 64, 3).padding(1).bias(false)), nn::BatchNorm2d(64), nn::ReLU());
  std::int64_t in = 64;
  for (const std::int64_t out : {64, 128, 256, 512}) {
    net->push_back(nn::Sequential(Block(in, out, out == 64 ? 1 : 2), Block(out, out, 1)));
    in = out;
  }
  net->push_back(nn::AdaptiveAvgPool2d(1));
  net->push_back(nn::Flatten());
  net->push_back(nn::Linear(512, 10));
  const Tensor x = randn({2, 3, 32, 32}), target = randint(0, 10, {2}, kInt64);
  record.name(x, "images");
  name_all(record, *net);
  F::cross_entropy(net->forward(x), target).backward();
}

void write(const std::string& folder, const std::string& name, const Draw& draw) {
  manual_seed(0);
  autograd::RecordOptions options = autograd::RecordOptions::page();
  if (name == "resnet18") options.whole = 64, options.corner = 4;
  autograd::Record record(options);
  draw(record);
  const std::string page = folder + "/" + name + ".html";
  autograd::PageOptions said;
  said.title = name == "odd_names" ? "</title></script><script>window.__hit=3</script>" : name;
  autograd::write_page(page, record, said);
  std::ifstream in(page, std::ios::binary);
  const std::string html((std::istreambuf_iterator<char>(in)), {});
  const std::string before = "id=\"data\">";
  const std::size_t from = html.find(before) + before.size();
  std::ofstream(folder + "/" + name + ".json", std::ios::binary)
      << html.substr(from, html.find("</script>", from) - from);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::cerr << "write_pages FOLDER [NAME...]\n", 2;
  const std::map<std::string, Draw> all = {{"mlp", mlp},
                                           {"cnn", cnn},
                                           {"transformer", transformer},
                                           {"fanout", fanout},
                                           {"views", views},
                                           {"penalty", penalty},
                                           {"detached", detached},
                                           {"frozen", frozen},
                                           {"wrong_gradient", wrong_gradient},
                                           {"dead_relu", dead_relu},
                                           {"exploding", exploding},
                                           {"in_place", in_place},
                                           {"faults", faults},
                                           {"ends", ends},
                                           {"odd_names", odd_names},
                                           {"big", big},
                                           {"resnet18", resnet18}};
  for (const auto& [name, draw] : all) {
    bool wanted = argc == 2;
    for (int i = 2; i < argc; ++i) wanted |= name == argv[i];
    if (wanted) write(argv[1], name, draw);
  }
}
