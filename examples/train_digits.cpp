// Trains a multilayer perceptron, or a convolutional network, with BatchNorm and Dropout on real handwritten digits.
//
//   train_digits                     the 1,797 digits of 8x8 pixels that are compiled into this program
//   train_digits --mnist DIR         the 70,000 of MNIST (examples/fetch_mnist brings them)
//   train_digits --cnn               with two convolutions of 3x3, on either
//   train_digits --help              all options
#include <gradus/core/files/files.h>
#include <gradus/gradus.h>
#include <gradus/train.h>

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "data/digits_data.h"
#include "support/digits.h"

namespace nn = gradus::nn;
namespace optim = gradus::optim;
namespace train = gradus::train;
using gradus::Tensor;

namespace {

struct Options {
  std::string mnist;
  bool cnn = false;
  std::vector<std::int64_t> hidden{256, 128};
  double dropout_input = 0.1, dropout = 0.3;
  std::string batch_norm = "before", activation = "relu", init = "default", optimizer = "adam";
  double momentum = 0.9, lr = 2e-3, lr_decay = 0.97, max_norm = 0;
  int epochs = 100, batch_size = 64, threads = 0;
  std::uint64_t seed = 0;
  std::string curves = "learning-curves.svg", history, save, load, checkpoint;
};

// A finite number that is not negative (NaN is refused too); `whole` and positive if asked.
CLI::Validator number(bool whole = false, double least = 0) {
  return {[whole, least](const std::string& text) {
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            const bool fits = end != text.c_str() && *end == 0 && std::isfinite(value) && value >= least &&
                              (!whole || value == std::floor(value));
            return fits ? std::string()
                        : text + " is not a " + (whole ? "whole " : "") + "number of at least " +
                              std::to_string(static_cast<int>(least));
          },
          ""};
}

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app{"Trains a classifier of handwritten digits."};
  app.option_defaults()->always_capture_default();
  app.add_option("--mnist", o.mnist, "folder with MNIST's four files, plain or gzipped, instead of the small digits");
  app.add_flag("--cnn", o.cnn, "two convolutions of 32 and 64 channels, each pooled, before the hidden layer");
  auto* hidden =
      app.add_option("--hidden", o.hidden, "units of the hidden layers")->delimiter(',')->check(number(true, 1));
  auto* dropout_input = app.add_option("--dropout-input", o.dropout_input, "probability of zeroing a pixel");
  auto* dropout = app.add_option("--dropout", o.dropout, "probability of zeroing a hidden unit");
  app.add_option("--batch-norm", o.batch_norm, "where BatchNorm stands: off, or before or after the activation")
      ->check(CLI::IsMember({"off", "before", "after"}));
  app.add_option("--activation", o.activation, "")->check(CLI::IsMember({"relu", "sigmoid", "tanh"}));
  app.add_option("--init", o.init, "weights at the start")->check(CLI::IsMember({"default", "xavier", "kaiming"}));
  app.add_option("--optimizer", o.optimizer, "")->check(CLI::IsMember({"sgd", "adam", "adamw"}));
  app.add_option("--momentum", o.momentum, "of sgd")->check(number());
  auto* lr = app.add_option("--lr", o.lr, "learning rate at the start")->check(number());
  auto* lr_decay =
      app.add_option("--lr-decay", o.lr_decay, "factor on the learning rate after each epoch")->check(number());
  app.add_option("--max-norm", o.max_norm, "bound on the norm of each unit's incoming weights; 0: none")
      ->check(number());
  auto* epochs = app.add_option("--epochs", o.epochs, "")->check(number(true));
  auto* batch_size = app.add_option("--batch-size", o.batch_size, "")->check(CLI::Range(2, 1 << 20));
  app.add_option("--seed", o.seed, "of all random numbers")->check(number(true));
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  app.add_option("--curves", o.curves, "SVG of the learning curves; \"\": none");
  app.add_option("--history", o.history, "CSV of what was measured in each epoch");
  app.add_option("--checkpoint", o.checkpoint, "file that the training goes on from, written after each epoch");
  app.add_option("--save", o.save, "safetensors file for the trained state");
  app.add_option("--load", o.load, "safetensors file to start from");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  if (o.cnn) {  // another network and a larger task have defaults of their own
    if (hidden->count() == 0) o.hidden = {128};
    if (dropout_input->count() == 0) o.dropout_input = 0;
    if (dropout->count() == 0) o.dropout = 0.5;
    if (lr->count() == 0) o.lr = 1e-3;
    if (lr_decay->count() == 0) o.lr_decay = 1;
    if (epochs->count() == 0 && !o.mnist.empty()) o.epochs = 3;
  } else if (!o.mnist.empty()) {
    if (hidden->count() == 0) o.hidden = {512, 512};
    if (dropout_input->count() == 0) o.dropout_input = 0.2;
    if (dropout->count() == 0) o.dropout = 0.5;
    if (lr_decay->count() == 0) o.lr_decay = 0.7;
    if (epochs->count() == 0) o.epochs = 10;
    if (batch_size->count() == 0) o.batch_size = 128;
  }
  return o;
}

// What cannot be written is said before the training, not after it.
void check_writable(const std::string& path) {
  if (path.empty()) return;
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  if (!std::filesystem::is_directory(folder)) {
    throw gradus::FileError("train_digits: the folder of " + path + " must exist: " + folder.string());
  }
  if (std::filesystem::is_directory(path)) throw gradus::FileError("train_digits: " + path + " is a folder");
  if (access(folder.c_str(), W_OK) != 0) {
    throw gradus::FileError("train_digits: the folder of " + path + " must be writable: " + folder.string());
  }
}

struct Samples {
  Tensor x, y;  // [n, pixels] float32 in 0..1, [n] int64
  std::int64_t height, width;
  explicit Samples(const examples::Images& images) : height(images.height), width(images.width) {
    auto* pixels = const_cast<unsigned char*>(images.pixels.data());
    auto* labels = const_cast<unsigned char*>(images.labels.data());
    const std::int64_t n = images.count;
    x = gradus::from_blob(pixels, {n, height * width}, gradus::kByte).to(gradus::kFloat) / images.max_pixel;
    y = gradus::from_blob(labels, {n}, gradus::kByte).to(gradus::kLong);
  }
  explicit Samples(const gradus::data::datasets::MNIST& mnist)
      : x(mnist.images().flatten(1)),
        y(mnist.targets()),
        height(mnist.images().size(2)),
        width(mnist.images().size(3)) {}
};

struct Data {
  Samples train, test;
};
Data read_digits() {
  const examples::Dataset set = examples::split_every_fifth(examples::parse_digits(digits_csv_gz()));
  return {Samples(set.train), Samples(set.test)};
}
Data read_mnist(const std::string& folder) {
  using gradus::data::datasets::MNIST;
  Data data = {Samples(MNIST(folder)), Samples(MNIST(folder, MNIST::Mode::kTest))};
  const auto& [train, test] = data;
  if (train.height != test.height || train.width != test.width) {
    const auto size = [](const Samples& s) { return std::to_string(s.height) + " x " + std::to_string(s.width); };
    throw gradus::FileError("train_digits: all images in " + folder + " must have one size: those to learn from have " +
                            size(train) + ", those to test on " + size(test));
  }
  return data;
}

nn::AnyModule activation(const std::string& name) {
  if (name == "sigmoid") return nn::Sigmoid();
  if (name == "tanh") return nn::Tanh();
  return nn::ReLU();
}

// Two convolutions, each normalised and pooled to half the size: [n, height * width] -> [n, features]. Returns the number
// of features.
std::int64_t add_convolutions(nn::Sequential& net, const Options& o, std::int64_t height, std::int64_t width) {
  net->push_back(nn::Functional([=](const Tensor& x) { return x.view({-1, 1, height, width}); }));
  std::int64_t channels = 1;
  for (const std::int64_t out : {32, 64}) {
    net->push_back(nn::Conv2d(nn::Conv2dOptions(channels, out, 3).padding(1)));
    if (o.batch_norm == "before") net->push_back(nn::BatchNorm2d(out));
    net->push_back(activation(o.activation));
    if (o.batch_norm == "after") net->push_back(nn::BatchNorm2d(out));
    net->push_back(nn::MaxPool2d(2));
    channels = out;
  }
  net->push_back(nn::Flatten());
  return channels * (height / 4) * (width / 4);
}

nn::Sequential make_network(const Options& o, std::int64_t height, std::int64_t width) {
  nn::Sequential net;
  std::int64_t inputs = height * width;
  if (o.dropout_input != 0) net->push_back(nn::Dropout(o.dropout_input));
  if (o.cnn) inputs = add_convolutions(net, o, height, width);
  for (const std::int64_t units : o.hidden) {
    net->push_back(nn::Linear(inputs, units));
    if (o.batch_norm == "before" && !o.cnn) net->push_back(nn::BatchNorm1d(units));
    net->push_back(activation(o.activation));
    if (o.batch_norm == "after" && !o.cnn) net->push_back(nn::BatchNorm1d(units));
    if (o.dropout != 0) net->push_back(nn::Dropout(o.dropout));
    inputs = units;
  }
  net->push_back(nn::Linear(inputs, 10));
  if (o.init != "default") {
    const auto start = [&](const Tensor& weight, const Tensor& bias) {
      if (o.init == "xavier") {
        nn::init::xavier_uniform_(weight);
      } else {
        nn::init::kaiming_uniform_(weight, 0, gradus::kFanIn, gradus::kReLU);
      }
      nn::init::zeros_(bias);
    };
    net->apply([&](nn::Module& module) {
      if (auto* linear = module.as<nn::Linear>()) start(linear->weight, linear->bias);
      if (auto* convolution = module.as<nn::Conv2d>()) start(convolution->weight, convolution->bias);
    });
  }
  return net;
}

std::unique_ptr<optim::Optimizer> make_optimizer(const Options& o, const std::vector<Tensor>& parameters) {
  if (o.optimizer == "sgd") {
    return std::make_unique<optim::SGD>(parameters, optim::SGDOptions(o.lr).momentum(o.momentum));
  }
  if (o.optimizer == "adamw") return std::make_unique<optim::AdamW>(parameters, optim::AdamWOptions(o.lr));
  return std::make_unique<optim::Adam>(parameters, optim::AdamOptions(o.lr));
}

train::Confusion evaluate(nn::Sequential& net, const Samples& samples) {
  const gradus::NoGradGuard no_grad;
  net->eval();
  train::Confusion confusion(10);
  const std::int64_t n = samples.x.size(0), batch = 1000;
  for (std::int64_t start = 0; start < n; start += batch) {
    const std::int64_t stop = std::min(n, start + batch);
    const Tensor guess = net->forward(samples.x.slice(0, start, stop));
    confusion.add(samples.y.slice(0, start, stop), guess);
  }
  return confusion;
}

// One pass over the shuffled samples. Returns the mean loss.
double train_epoch(nn::Sequential& net, optim::Optimizer& optimizer, const Samples& samples, const Options& o,
                   const std::function<void(double done)>& report) {
  net->train();
  const std::int64_t n = samples.x.size(0);
  const Tensor order = gradus::randperm(n);
  double total = 0;
  for (std::int64_t start = 0; start < n;) {
    std::int64_t stop = std::min<std::int64_t>(n, start + o.batch_size);
    if (n - stop == 1) stop = n;  // BatchNorm has no variance of a single sample: it joins the batch before
    const Tensor picked = order.slice(0, start, stop);
    const Tensor x = samples.x.index_select(0, picked), y = samples.y.index_select(0, picked);
    optimizer.zero_grad();
    Tensor loss = nn::functional::cross_entropy(net->forward(x), y);
    loss.backward();
    optimizer.step();
    if (o.max_norm > 0) optim::max_norm_(net->parameters(), o.max_norm);
    total += loss.item<double>() * static_cast<double>(stop - start);
    start = stop;
    report(static_cast<double>(stop) / static_cast<double>(n));
  }
  return total / static_cast<double>(n);
}

// 64-bit FNV-1a of the bytes of all parameters and buffers, in the order of their registration.
std::uint64_t fingerprint(const nn::Sequential& net) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const auto& [name, tensor] : net->state_dict()) {
    const Tensor dense = tensor.contiguous();
    const auto* bytes = static_cast<const unsigned char*>(dense.data_ptr());
    for (std::int64_t i = 0; i < dense.nbytes(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  }
  return hash;
}

std::string described(const Options& o) {
  std::string text = o.cnn ? "two convolutions, hidden" : "hidden";
  for (std::size_t i = 0; i < o.hidden.size(); ++i) text += (i == 0 ? " " : ",") + std::to_string(o.hidden[i]);
  const auto number = [](double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%g", value);
    return std::string(buffer);
  };
  text += ", BatchNorm " + (o.batch_norm == "off" ? o.batch_norm : o.batch_norm + " " + o.activation);
  text += ", dropout " + number(o.dropout_input) + " and " + number(o.dropout);
  text += ", " + o.optimizer + " " + number(o.lr) + " x " + number(o.lr_decay) + " an epoch";
  if (o.max_norm > 0) text += ", max-norm " + number(o.max_norm);
  return text + ", batch " + std::to_string(o.batch_size) + ", seed " + std::to_string(o.seed);
}

void run(const Options& o) {
  check_writable(o.curves);
  check_writable(o.save);
  check_writable(o.history);
  check_writable(o.checkpoint);
  if (o.threads > 0) gradus::set_num_threads(o.threads);
  gradus::manual_seed(o.seed);
  const auto [learned, test] = o.mnist.empty() ? read_digits() : read_mnist(o.mnist);
  nn::Sequential net = make_network(o, learned.height, learned.width);
  if (!o.load.empty()) nn::load(*net, o.load);
  std::printf("%lld digits to learn from, %lld to test on, %d threads\n%s\n\n",
              static_cast<long long>(learned.x.size(0)), static_cast<long long>(test.x.size(0)),
              gradus::get_num_threads(), net->to_string().c_str());

  const auto optimizer = make_optimizer(o, net->parameters());
  optim::ExponentialLR schedule(*optimizer, o.lr_decay);
  std::int64_t epoch = 0;
  train::History history;
  train::Checkpoint checkpoint(o.checkpoint);
  checkpoint.add("model", net).add("optimizer", *optimizer).add("schedule", schedule).add("epoch", epoch);
  checkpoint.add("history", history).add("generator", gradus::default_generator());
  if (!o.checkpoint.empty() && checkpoint.resume())
    std::printf("goes on after epoch %lld\n", static_cast<long long>(epoch));
  const train::Interrupt interrupt;
  std::vector<double> seconds;
  {
    train::Progress progress(o.epochs, "epoch");
    while (epoch < o.epochs && !interrupt.requested()) {
      const auto start = std::chrono::steady_clock::now();
      const double loss = train_epoch(net, *optimizer, learned, o, [&](double done) {
        if (done < 1) progress.update(static_cast<double>(epoch) + done);
      });
      if (!std::isfinite(loss)) {
        throw gradus::ValueError("train_digits: the loss of epoch " + std::to_string(epoch + 1) +
                                 " is not finite: the training has diverged; a smaller --lr may help");
      }
      schedule.step();
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      const double accuracy = evaluate(net, test).accuracy();
      history.add({{"training loss", loss}, {"test accuracy", accuracy}});
      ++epoch;
      if (!o.checkpoint.empty()) checkpoint.save();
      char text[64];
      std::snprintf(text, sizeof text, "loss %.4f, test accuracy %.4f", loss, accuracy);
      progress.update(static_cast<double>(epoch), text);
    }
  }
  if (interrupt.requested()) {
    std::printf("interrupted after epoch %lld of %d%s\n", static_cast<long long>(epoch), o.epochs,
                o.checkpoint.empty() ? "" : "; the same command goes on from there");
  }

  const train::Confusion confusion = evaluate(net, test);
  std::printf("%s\n", confusion.table(train::terminal_of(stdout)).c_str());
  if (!o.save.empty()) nn::save(*net, o.save);
  if (!o.history.empty()) history.save_csv(o.history);
  if (!o.curves.empty() && epoch > 0) {
    char title[96];
    std::snprintf(title, sizeof title, "%s: %.1f %% right after %lld epoch%s",
                  o.mnist.empty() ? "Handwritten digits" : "MNIST", 100 * confusion.accuracy(),
                  static_cast<long long>(epoch), epoch == 1 ? "" : "s");
    history.save_svg(o.curves, title, described(o));
    std::printf("learning curves: %s\n", o.curves.c_str());
  }
  double sum = 0;
  for (double s : seconds) sum += s;
  std::sort(seconds.begin(), seconds.end());
  const std::size_t half = seconds.size() / 2;
  const double median = seconds.empty()           ? 0
                        : seconds.size() % 2 == 1 ? seconds[half]
                                                  : (seconds[half - 1] + seconds[half]) / 2;
  std::printf("training time: %.2f s\nepoch time: %.4f s\ntest accuracy: %.4f\nfingerprint: %016llx\n", sum, median,
              confusion.accuracy(), static_cast<unsigned long long>(fingerprint(net)));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
