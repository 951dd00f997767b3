// Dropout: A Simple Way to Prevent Neural Networks from Overfitting (Srivastava, Hinton, Krizhevsky, Sutskever,
// Salakhutdinov, JMLR 15, 2014): its permutation-invariant nets on MNIST, and its figures 8, 9 and 11.
//
//   dropout --mnist DIR          everything; goes on where it was when it is started again
//   dropout --short              seconds, on small digits: asserts what it shows
//   dropout --help
//
// Here p is the probability of keeping a unit, as in the paper, and so is the form of Dropout: nothing is scaled in
// training, and a unit's outgoing weights are multiplied by p afterwards (`classic`).
#include <gradus/gradus.h>
#include <gradus/train.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "../support/experiment.h"

namespace nn = gradus::nn;
namespace optim = gradus::optim;
namespace train = gradus::train;
using examples::Results;
using examples::Samples;
using gradus::Tensor;

namespace {

struct Recipe {
  std::string name;
  std::vector<std::int64_t> units;   // of the hidden layers
  double keep_input = 1, keep = 1;   // 1: no dropout
  double max_norm = 0;               // 0: none
  double gain = 2;                   // of the logistic nets' first weights
  double lr = 0.05, momentum = 0.9;  // the rate falls to 0 in a straight line
  std::int64_t epochs = 30, batch = 100;
  bool logistic = false, autoencoder = false;
  bool validation = false;  // learns from five sixths of the images for learning, and is measured on the others
};

// The three nets of the paper's table 2 that this repeats.
const std::vector<Recipe> kNets = {
    {.name = "standard", .units = {800, 800}, .lr = 0.1, .epochs = 30, .batch = 25, .logistic = true},
    {.name = "dropout",
     .units = {1024, 1024, 1024},
     .keep_input = 0.8,
     .keep = 0.5,
     .lr = 0.2,
     .momentum = 0.95,
     .epochs = 60,
     .batch = 200},
    {.name = "dropout and max-norm",
     .units = {1024, 1024, 1024},
     .keep_input = 0.8,
     .keep = 0.5,
     .max_norm = 2,
     .lr = 0.2,
     .momentum = 0.95,
     .epochs = 80,
     .batch = 200},
};

// What was tried before they were written down, without the images for testing: the net's place in kNets, and what was
// another.
struct Trial {
  std::size_t net;
  double lr, momentum = 0.95, max_norm = 0, gain = 2;
  std::int64_t epochs = 10, batch = 200;
};
const std::vector<Trial> kTrials = {
    {.net = 2, .lr = 0.2, .max_norm = 2},
    {.net = 2, .lr = 0.4, .max_norm = 2},
    {.net = 0, .lr = 0.2, .momentum = 0.9, .gain = 1, .epochs = 20, .batch = 100},
    {.net = 0, .lr = 0.2, .momentum = 0.9, .gain = 2, .epochs = 20, .batch = 100},
    {.net = 0, .lr = 0.2, .momentum = 0.9, .gain = 4, .epochs = 20, .batch = 100},
    {.net = 0, .lr = 0.1, .momentum = 0.9, .gain = 2, .epochs = 20, .batch = 25},
};

nn::Dropout classic_dropout(double keep) { return nn::Dropout(nn::DropoutOptions(1 - keep).classic(true)); }

nn::Sequential make_net(const Recipe& r, std::int64_t inputs, std::int64_t outputs) {
  nn::Sequential net;
  double keep = r.keep_input;
  for (std::size_t i = 0; i <= r.units.size(); ++i) {
    if (keep < 1) net->push_back(classic_dropout(keep));
    const std::int64_t units = i < r.units.size() ? r.units[i] : outputs;
    nn::Linear linear(inputs, units);
    if (r.logistic) {  // Glorot and Bengio's for the logistic function, whose slope is a quarter of tanh's
      nn::init::xavier_uniform_(linear->weight, r.gain);
    } else {  // He's, for what arrives when a share `keep` of the inputs does
      nn::init::normal_(linear->weight, 0, std::sqrt(2 / (keep * static_cast<double>(inputs))));
    }
    nn::init::zeros_(linear->bias);
    net->push_back(linear);
    if (i < r.units.size()) r.logistic ? net->push_back(nn::Sigmoid()) : net->push_back(nn::ReLU());
    keep = r.keep;
    inputs = units;
  }
  return net;
}

Tensor evaluate(nn::Sequential& net, const Tensor& x) {
  const gradus::NoGradGuard no_grad;
  std::vector<Tensor> parts;
  for (std::int64_t start = 0; start < x.size(0); start += 1000) {
    parts.push_back(net->forward(x.slice(0, start, std::min(start + 1000, x.size(0)))));
  }
  return gradus::cat(parts);
}

double error_of(nn::Sequential& net, const Samples& samples) {
  net->eval();
  return examples::error_percent(evaluate(net, samples.x), samples.y);
}

double train_epoch(nn::Sequential& net, optim::SGD& sgd, const Recipe& r, const Samples& samples) {
  net->train();
  const std::int64_t n = samples.x.size(0);
  const Tensor order = gradus::randperm(n);
  double total = 0;
  for (std::int64_t start = 0; start < n; start += r.batch) {
    const std::int64_t stop = std::min(n, start + r.batch);
    const Tensor picked = order.slice(0, start, stop), x = samples.x.index_select(0, picked);
    sgd.zero_grad();
    const Tensor out = net->forward(x);
    Tensor loss = r.autoencoder ? nn::functional::binary_cross_entropy_with_logits(out, x) * x.size(1)
                                : nn::functional::cross_entropy(out, samples.y.index_select(0, picked));
    loss.backward();
    sgd.step();
    if (r.max_norm > 0) optim::max_norm_(net->parameters(), r.max_norm);
    total += loss.item<double>() * static_cast<double>(stop - start);
  }
  return total / static_cast<double>(n);
}

// What all parts of the program work with.
struct Lab {
  examples::ExperimentOptions options;
  examples::Experiment data, validation;
  Results results;
  train::Interrupt interrupt;
  explicit Lab(examples::ExperimentOptions o)
      : options(std::move(o)), data(examples::read_experiment(options.mnist)), results(options.out + "/results.csv") {
    const auto& [x, y] = data.train;
    const std::int64_t n = x.size(0), learnt = n - n / 6;
    validation = {{x.slice(0, 0, learnt), y.slice(0, 0, learnt)}, {x.slice(0, learnt, n), y.slice(0, learnt, n)}};
  }
  std::string file(const std::string& name) const { return options.out + "/" + name; }
};

// A trained net: from its file, or from where its training stood, or from the start. Its result is a line "NAME/SEED,
// error on what it didn't learn from, training error, epochs, seconds". Undefined when it was interrupted.
nn::Sequential trained(Lab& lab, Recipe r, std::int64_t seed, bool keep_net = true) {
  if (lab.options.length > 0) r.epochs = lab.options.length;
  const auto& [samples, held_out] = r.validation ? lab.validation : lab.data;
  const std::int64_t pixels = samples.x.size(1);
  const std::string name = r.name + "/" + std::to_string(seed);
  std::string stem = lab.file(r.name + " " + std::to_string(seed));
  for (char& c : stem) c = c == ' ' ? '_' : c;
  gradus::manual_seed(static_cast<std::uint64_t>(seed));
  nn::Sequential net = make_net(r, pixels, r.autoencoder ? pixels : 10);
  if (lab.results.has(name)) {
    if (keep_net) nn::load(*net, stem + ".safetensors");
    return net;
  }
  optim::SGD sgd(net->parameters(), optim::SGDOptions(r.lr).momentum(r.momentum));
  optim::LinearLR schedule(sgd, 1, 0, r.epochs);
  std::int64_t epoch = 0;
  double seconds = 0;
  train::History history;
  train::Checkpoint checkpoint(stem + ".checkpoint");
  checkpoint.add("net", net)
      .add("optimizer", sgd)
      .add("schedule", schedule)
      .add("epoch", epoch)
      .add("seconds", seconds);
  checkpoint.add("history", history).add("generator", gradus::default_generator());
  if (checkpoint.resume()) std::printf("%s goes on after epoch %lld\n", name.c_str(), static_cast<long long>(epoch));
  while (epoch < r.epochs) {
    if (lab.interrupt.requested()) return nn::Sequential(nullptr);
    const auto start = std::chrono::steady_clock::now();
    const double loss = train_epoch(net, sgd, r, samples);
    schedule.step();
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double error = r.autoencoder ? 0 : error_of(net, held_out);
    history.add({{"training loss", loss}, {"test accuracy", 1 - error / 100}});
    ++epoch;
    checkpoint.save();
    if (!lab.options.brief) {
      std::printf("%s epoch %lld of %lld: loss %.4f, test error %.2f %%, %.0f s\n", name.c_str(),
                  static_cast<long long>(epoch), static_cast<long long>(r.epochs), loss, error, seconds);
      std::fflush(stdout);
    }
  }
  if (keep_net) nn::save(*net, stem + ".safetensors");
  history.save_csv(stem + ".csv");
  lab.results.add(name, {r.autoencoder ? 0 : error_of(net, held_out), r.autoencoder ? 0 : error_of(net, samples),
                         static_cast<double>(r.epochs), seconds});
  std::filesystem::remove(checkpoint.path());
  return net;
}

Recipe brief(Recipe r) {
  r.epochs = 12;
  r.batch = 32;
  if (!r.autoencoder) r.lr = 0.05, r.momentum = 0.9;
  for (std::int64_t& units : r.units) units = 64;
  return r;
}

Recipe recipe_of(const Lab& lab, std::size_t net) { return lab.options.brief ? brief(kNets[net]) : kNets[net]; }

bool run_nets(Lab& lab) {
  bool holds = true;
  for (std::int64_t seed = 0; seed < lab.options.seeds; ++seed) {
    for (std::size_t i = 0; i < kNets.size(); ++i) {
      const Recipe recipe = recipe_of(lab, i);
      nn::Sequential net = trained(lab, recipe, seed);
      if (!net) return holds;
      if (!lab.options.brief || recipe.max_norm == 0) continue;
      for (const Tensor& weight : net->parameters()) {
        if (weight.dim() < 2) continue;
        const double largest = weight.detach().square().sum(1).sqrt().max().item<double>();
        holds =
            examples::claim(largest <= recipe.max_norm * (1 + 1e-6), "no unit's weights exceed the max-norm") && holds;
      }
    }
  }
  return holds;
}

// The trials, each a line of the results.
bool run_search(Lab& lab) {
  for (const Trial& t : kTrials) {
    Recipe r = kNets[t.net];
    char name[128];
    std::snprintf(name, sizeof name, "trial of %s rate %g momentum %g c %g gain %g batch %lld", r.name.c_str(), t.lr,
                  t.momentum, t.max_norm, t.gain, static_cast<long long>(t.batch));
    r.name = name;
    r.lr = t.lr, r.momentum = t.momentum, r.max_norm = t.max_norm, r.gain = t.gain;
    r.epochs = t.epochs, r.batch = t.batch;
    r.validation = true;
    if (!trained(lab, lab.options.brief ? brief(r) : r, 0, false) || lab.options.brief) break;
  }
  return true;
}

void save_figure(const Lab& lab, const std::string& name, const train::Curves& figure) {
  examples::write_text(lab.file(name + ".svg"), train::curves_svg(figure));
}

std::vector<double> numbers(const Tensor& x) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < x.numel(); ++i) out.push_back(x[i].item<double>());
  return out;
}

// Figure 8: two autoencoders of 256 units of ReLU, their activations over a batch of test images.
bool run_figure8(Lab& lab) {
  train::Curves figure{
      "Sparsity of features with and without dropout",
      "After figure 8 of Srivastava et al. (2014): autoencoders with 256 hidden ReLUs, 1,000 test images.",
      {}};
  constexpr int kBins = 40;
  std::vector<double> zero;
  for (const double keep : {1.0, 0.5}) {
    Recipe r{.name = keep < 1 ? "autoencoder with dropout" : "autoencoder",
             .units = {256},
             .keep = keep,
             .lr = 0.002,
             .epochs = 20,
             .autoencoder = true};
    nn::Sequential net = trained(lab, lab.options.brief ? brief(r) : r, 0);
    if (!net) return true;
    const gradus::NoGradGuard no_grad;
    const Tensor x = lab.data.test.x.slice(0, 0, 1000);
    const Tensor h = gradus::relu(net[0]->as<nn::Linear>()->forward(x));
    const Tensor mean = h.mean(0);
    zero.push_back((h == 0).to(gradus::kDouble).mean().item<double>());
    const std::string of = keep < 1 ? ", dropout" : ", none";
    for (const auto& [what, values] : {std::pair{"mean activations", mean}, std::pair{"activations", h}}) {
      const double most = std::max(1e-3, values.max().item<double>());
      std::vector<double> at;
      for (int i = 0; i < kBins; ++i) at.push_back((i + 0.5) * most / kBins);
      figure.lines.push_back(
          {what + of, numbers(gradus::histc(values.flatten(), kBins, 0, most)), false, "", "activation", at, true});
    }
    const std::string name = keep < 1 ? "sparsity with dropout" : "sparsity";
    if (!lab.results.has(name)) lab.results.add(name, {zero.back(), h.mean().item<double>()});
  }
  save_figure(lab, "figure8", figure);
  std::printf("share of activations that are 0: %.3f without, %.3f with dropout\n", zero[0], zero[1]);
  return !lab.options.brief || examples::claim(zero[1] > zero[0], "features are sparser with dropout");
}

// Figure 9: the share p of kept units, at n units and at n = N / p.
bool run_figure9(Lab& lab) {
  const std::vector<double> keeps =
      lab.options.brief ? std::vector<double>{0.5, 1} : std::vector<double>{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1};
  train::Curves figure{
      "The share p of units that are kept", "After figure 9 of Srivastava et al. (2014): three layers of n ReLUs.", {}};
  for (const bool constant : {false, true}) {
    std::vector<double> test, learnt;
    for (const double keep : keeps) {
      Recipe r = kNets[1];
      char name[48];
      std::snprintf(name, sizeof name, "%s p %g", constant ? "pn constant" : "n constant", keep);
      const std::int64_t n = constant ? std::lround(64 / keep) : 512;
      r.name = name;
      r.units = {n, n, n};
      r.keep = keep;
      r.keep_input = 1;
      r.lr = 0.1;
      r.epochs = 10;
      if (!trained(lab, lab.options.brief ? brief(r) : r, 0, false)) return true;
      test.push_back(lab.results[r.name + "/0"][0]);
      learnt.push_back(lab.results[r.name + "/0"][1]);
    }
    const std::string panel = constant ? "error in %, n = 64 / p" : "error in %, n = 512";
    figure.lines.push_back({"test", test, false, panel, "p", keeps});
    figure.lines.push_back({"training", learnt, false, panel, "p", keeps});
  }
  save_figure(lab, "figure9", figure);
  return true;
}

// Figure 11: the mean of the answers of k nets with units dropped at random, against the one net of scaled weights.
bool run_figure11(Lab& lab) {
  const Recipe r = recipe_of(lab, 2);
  if (!lab.results.has(r.name + "/0")) return true;  // not trained yet
  nn::Sequential net = trained(lab, r, 0);
  const Samples& test = lab.data.test;
  const double scaled = error_of(net, test);
  net->train();
  gradus::manual_seed(11);
  const int most = lab.options.brief ? 20 : 120;
  Tensor sum;
  std::vector<double> k, sampled;
  for (int i = 1; i <= most; ++i) {
    const Tensor answer = gradus::softmax(evaluate(net, test.x), 1);
    sum = i == 1 ? answer : sum + answer;
    k.push_back(i);
    sampled.push_back(examples::error_percent(sum, test.y));
  }
  train::Curves figure{"Weight scaling and the mean of k sampled nets",
                       "After figure 11 of Srivastava et al. (2014): the net with dropout and max-norm, seed 0.",
                       {}};
  figure.lines.push_back({"mean of k nets", sampled, false, "test error in %", "k", k});
  figure.lines.push_back({"weight scaling", std::vector<double>(k.size(), scaled), false, "test error in %", "k", k});
  save_figure(lab, "figure11", figure);
  if (!lab.results.has("figure 11")) lab.results.add("figure 11", {scaled, sampled.front(), sampled.back()});
  std::printf("test error: weight scaling %.2f %%, one sampled net %.2f %%, the mean of %d %.2f %%\n", scaled,
              sampled.front(), most, sampled.back());
  return !lab.options.brief ||
         (examples::claim(sampled.front() > sampled.back(), "the mean of nets is better than one") &
          examples::claim(scaled < sampled.front(), "weight scaling is better than one sampled net"));
}

void write_table(const Lab& lab) {
  std::string table = "| net | test error in % | the paper's |\n| --- | --- | --- |\n";
  const char* const papers[] = {"1.60", "1.25", "1.06"};
  for (std::size_t i = 0; i < kNets.size(); ++i) {
    std::vector<double> errors;
    for (std::int64_t seed = 0; seed < lab.options.seeds; ++seed) {
      const std::vector<double> line = lab.results[kNets[i].name + "/" + std::to_string(seed)];
      if (!line.empty()) errors.push_back(line[0]);
    }
    table += "| " + kNets[i].name + " | " + examples::summary(errors) + " | " + papers[i] + " |\n";
  }
  examples::write_text(lab.file("table.md"), table);
  std::printf("\n%s", table.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Lab lab(examples::parse_experiment(argc, argv, "The dropout paper's experiments on MNIST.", "--epochs",
                                       {"nets", "figure8", "figure9", "figure11", "search"}));
    bool holds = true;
    for (const std::string& part : lab.options.parts) {
      if (part == "nets") holds = run_nets(lab) && holds;
      if (part == "figure8") holds = run_figure8(lab) && holds;
      if (part == "figure9") holds = run_figure9(lab) && holds;
      if (part == "figure11") holds = run_figure11(lab) && holds;
      if (part == "search") holds = run_search(lab) && holds;
    }
    write_table(lab);
    return holds ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
