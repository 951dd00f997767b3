// Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift (Ioffe and Szegedy, 2015),
// section 4.1: a net of three layers of 100 sigmoids on MNIST, with and without, and what arrives at a sigmoid of the last
// of them over training: its figure 1.
//
//   batch_norm --mnist DIR       everything; goes on where it was when it is started again
//   batch_norm --short           seconds, on small digits: asserts what it shows
//   batch_norm --help
#include <gradus/gradus.h>
#include <gradus/train.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "../support/experiment.h"

namespace nn = gradus::nn;
namespace optim = gradus::optim;
namespace train = gradus::train;
using gradus::Tensor;

namespace {

constexpr std::int64_t kUnits = 100, kBatch = 60;
// The paper says neither SGD's rate nor how small the "small random Gaussian" weights are: several of both.
struct Setup {
  double rate, deviation;
};
const std::vector<Setup> kSetups = {{0.03, 0.1}, {0.1, 0.1}, {0.3, 0.1}, {0.1, 0.03}};
constexpr std::size_t kShown = 1;
const char* const kPercentiles[] = {"15 %", "50 %", "85 %"};

nn::Sequential make_net(bool normalised, double deviation, std::int64_t inputs) {
  nn::Sequential net;
  for (int layer = 0; layer < 3; ++layer) {
    nn::Linear linear(inputs, kUnits);
    nn::init::normal_(linear->weight, 0, deviation);
    nn::init::zeros_(linear->bias);
    net->push_back(linear);
    if (normalised) net->push_back(nn::BatchNorm1d(kUnits));
    net->push_back(nn::Sigmoid());
    inputs = kUnits;
  }
  nn::Linear out(kUnits, 10);
  nn::init::normal_(out->weight, 0, deviation);
  nn::init::zeros_(out->bias);
  net->push_back(out);
  return net;
}

struct Lab {
  examples::ExperimentOptions options;
  examples::Experiment data;
  examples::Results results;
  train::Interrupt interrupt;
  std::int64_t steps, every;  // every: between two measurements
  explicit Lab(examples::ExperimentOptions o)
      : options(std::move(o)), data(examples::read_experiment(options.mnist)), results(options.out + "/results.csv") {
    steps = options.length > 0 ? options.length : options.brief ? 600 : 50000;
    every = std::max<std::int64_t>(1, options.brief ? steps / 12 : steps / 100);
  }
};

std::string column(int percentile, std::int64_t unit) {
  return std::string(kPercentiles[percentile]) + " of " + std::to_string(unit);
}

// What is measured every so many steps, over the test images and in evaluation: the accuracy, and the 15th, 50th and 85th
// percentile of the input of each of the last layer's sigmoids.
std::vector<std::pair<std::string, double>> measure(nn::Sequential& net, const examples::Samples& test) {
  const gradus::NoGradGuard no_grad;
  net->eval();
  Tensor arriving;
  auto watch = net[net->size() - 2]->as<nn::Sigmoid>()->register_forward_pre_hook(
      [&](nn::Module&, const std::vector<Tensor>& inputs) { arriving = inputs[0]; });
  const Tensor scores = net->forward(test.x);
  watch.remove();
  const Tensor percentiles = gradus::quantile(arriving, gradus::tensor({0.15f, 0.5f, 0.85f}), 0);  // [3, units]
  std::vector<std::pair<std::string, double>> row{{"test accuracy", 1 - examples::error_percent(scores, test.y) / 100}};
  for (std::int64_t unit = 0; unit < kUnits; ++unit) {
    for (int i = 0; i < 3; ++i) row.emplace_back(column(i, unit), percentiles.index({i, unit}).item<double>());
  }
  return row;
}

std::string name_of(bool normalised, const Setup& setup, std::int64_t seed) {
  char text[64];
  std::snprintf(text, sizeof text, "%s-%g-%g-%lld", normalised ? "normalised" : "plain", setup.rate, setup.deviation,
                static_cast<long long>(seed));
  return text;
}

// The history of one training, from its file or computed; nothing when it was interrupted.
bool trained(Lab& lab, bool normalised, const Setup& setup, std::int64_t seed, train::History& history) {
  const std::string name = name_of(normalised, setup, seed);
  const std::string stem = lab.options.out + "/" + name;
  if (lab.results.has(name)) {
    history = train::History::load_csv(stem + ".csv");
    return true;
  }
  const examples::Samples& samples = lab.data.train;
  gradus::manual_seed(static_cast<std::uint64_t>(seed));
  nn::Sequential net = make_net(normalised, setup.deviation, samples.x.size(1));
  optim::SGD sgd(net->parameters(), optim::SGDOptions(setup.rate));
  std::int64_t step = 0;
  double seconds = 0;
  train::Checkpoint checkpoint(stem + ".checkpoint");
  checkpoint.add("net", net).add("optimizer", sgd).add("step", step).add("seconds", seconds).add("history", history);
  checkpoint.add("generator", gradus::default_generator());
  if (checkpoint.resume()) std::printf("%s goes on after step %lld\n", name.c_str(), static_cast<long long>(step));
  while (step < lab.steps) {
    if (lab.interrupt.requested()) return false;
    const auto start = std::chrono::steady_clock::now();
    net->train();
    for (std::int64_t i = 0; i < lab.every; ++i) {
      const Tensor picked = gradus::randint(samples.x.size(0), {kBatch}, gradus::kLong);
      sgd.zero_grad();
      nn::functional::cross_entropy(net->forward(samples.x.index_select(0, picked)), samples.y.index_select(0, picked))
          .backward();
      sgd.step();
    }
    step += lab.every;
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    history.add(measure(net, lab.data.test));
    checkpoint.save();
  }
  history.save_csv(stem + ".csv");
  lab.results.add(name, {history["test accuracy"].back(), static_cast<double>(step), seconds});
  std::filesystem::remove(checkpoint.path());
  std::printf("%s: test accuracy %.4f after %lld steps, %.0f s\n", name.c_str(), history["test accuracy"].back(),
              static_cast<long long>(step), seconds);
  std::fflush(stdout);
  return true;
}

// What figure 1b and 1c show, as numbers of all of the last layer's sigmoids: how far a percentile of the input wanders
// over training (the largest less the smallest, by the mean width between the 15th and the 85th), and by what the width
// itself grows.
struct Drift {
  double wander = 0, growth = 0;
};
Drift drift_of(const train::History& history) {
  Drift drift;
  const auto n = static_cast<double>(history.epochs());
  double first = 0, last = 0;
  for (std::int64_t unit = 0; unit < kUnits; ++unit) {
    const std::vector<double>&low = history[column(0, unit)], &high = history[column(2, unit)];
    double width = 0;
    for (std::size_t i = 0; i < low.size(); ++i) width += (high[i] - low[i]) / n;
    for (int i = 0; i < 3; ++i) {
      const auto [least, most] = std::minmax_element(history[column(i, unit)].begin(), history[column(i, unit)].end());
      drift.wander += (*most - *least) / width / (3.0 * kUnits);
    }
    first += high.front() - low.front();
    last += high.back() - low.back();
  }
  drift.growth = last / first;
  return drift;
}

struct Pair {
  train::History plain, normalised;
  // The step by which the normalised net has the accuracy with which the plain one ends, as a share of all; 1 if never.
  double share() const {
    const std::vector<double>& accuracy = normalised["test accuracy"];
    const auto at =
        std::find_if(accuracy.begin(), accuracy.end(), [&](double a) { return a >= plain["test accuracy"].back(); });
    return std::min(1.0, static_cast<double>(at - accuracy.begin() + 1) / static_cast<double>(accuracy.size()));
  }
};

void draw(const Lab& lab, const Pair& pair) {
  train::Curves figure{
      "A net of three layers of 100 sigmoids on MNIST, with and without BatchNorm",
      "After figure 1 of Ioffe and Szegedy (2015). SGD at a rate of 0.1, weights of a deviation of 0.1, batch 60, seed "
      "0. The input is that of "
      "the first of the last layer's sigmoids: its 15th, 50th and 85th percentile over the test images.",
      {}};
  std::vector<double> steps;
  for (std::size_t i = 1; i <= pair.plain.epochs(); ++i)
    steps.push_back(static_cast<double>(i) * static_cast<double>(lab.every));
  const auto add = [&](const std::string& panel, const std::string& name, std::vector<double> values) {
    figure.lines.push_back({name, std::move(values), false, panel, "step", steps});
  };
  const train::History* const nets[] = {&pair.plain, &pair.normalised};
  const char* const names[] = {"without", "with BatchNorm"};
  for (int n = 0; n < 2; ++n) {
    std::vector<double> error = (*nets[n])["test accuracy"];
    for (double& each : error) each = 100 * (1 - each);
    add("test error in %", names[n], error);
  }
  for (int n = 0; n < 2; ++n) {
    for (int i = 2; i >= 0; --i) add(std::string("input, ") + names[n], kPercentiles[i], (*nets[n])[column(i, 0)]);
  }
  examples::write_text(lab.options.out + "/batch_norm.svg", train::curves_svg(figure));
}

// Trains what is not trained yet; prints and writes the table, and the figure. False when a claim doesn't hold.
bool run(Lab& lab) {
  std::string table =
      "| rate | deviation | test accuracy in %: without | with | steps by which the normalised net is as good as the "
      "plain one at "
      "its end | "
      "percentiles wander, in widths: without | with | width grows: without | with |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  bool holds = true, whole = true;
  for (std::size_t s = 0; s < kSetups.size(); ++s) {
    if (lab.options.brief && s != kShown) continue;
    const Setup& setup = kSetups[s];
    std::vector<double> plain, normalised, steps, wander[2], growth[2];
    for (std::int64_t seed = 0; seed < lab.options.seeds && whole; ++seed) {
      Pair pair;
      whole = trained(lab, false, setup, seed, pair.plain) && trained(lab, true, setup, seed, pair.normalised);
      if (!whole) break;
      plain.push_back(100 * pair.plain["test accuracy"].back());
      normalised.push_back(100 * pair.normalised["test accuracy"].back());
      steps.push_back(pair.share() * static_cast<double>(lab.steps));
      const Drift drifts[] = {drift_of(pair.plain), drift_of(pair.normalised)};
      for (int n = 0; n < 2; ++n) {
        wander[n].push_back(drifts[n].wander);
        growth[n].push_back(drifts[n].growth);
      }
      if (s == kShown && seed == 0) draw(lab, pair);
      if (lab.options.brief) {
        holds = examples::claim(normalised.back() > 90 && plain.back() < 50,
                                "with BatchNorm the net has learnt before it stirs without") &&
                holds;
        holds = examples::claim(drifts[1].wander < drifts[0].wander, "with it percentiles wander less") && holds;
      }
    }
    char start[48];
    std::snprintf(start, sizeof start, "| %g | %g | ", setup.rate, setup.deviation);
    using examples::summary;
    table += start + summary(plain) + " | " + summary(normalised) + " | " + summary(steps, 0) + " | " +
             summary(wander[0]) + " | " + summary(wander[1]) + " | " + summary(growth[0], 1) + " | " +
             summary(growth[1], 1) + " |\n";
  }
  examples::write_text(lab.options.out + "/table.md", table);
  std::printf("\n%s", table.c_str());
  return holds;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Lab lab(examples::parse_experiment(argc, argv, "The BatchNorm paper's experiment on MNIST.", "--steps", {}));
    return run(lab) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
