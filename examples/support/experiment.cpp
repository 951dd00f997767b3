#include "experiment.h"

#include <gradus/core/files/files.h>
#include <gradus/data.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../data/digits_data.h"
#include "digits.h"

namespace examples {
namespace {

Samples samples(const Images& images) {
  auto* pixels = const_cast<unsigned char*>(images.pixels.data());
  auto* labels = const_cast<unsigned char*>(images.labels.data());
  const gradus::Tensor x = gradus::from_blob(pixels, {images.count, images.height * images.width}, gradus::kByte);
  return {x.to(gradus::kFloat) / images.max_pixel,
          gradus::from_blob(labels, {images.count}, gradus::kByte).to(gradus::kLong)};
}

}  // namespace

Experiment read_experiment(const std::string& mnist) {
  if (mnist.empty()) {
    const Dataset set = split_every_fifth(parse_digits(digits_csv_gz()));
    return {samples(set.train), samples(set.test)};
  }
  using gradus::data::datasets::MNIST;
  const MNIST train(mnist), test(mnist, MNIST::Mode::kTest);
  return {{train.images().flatten(1), train.targets()}, {test.images().flatten(1), test.targets()}};
}

ExperimentOptions parse_experiment(int argc, char** argv, const char* about, const char* length,
                                   const std::vector<std::string>& parts) {
  ExperimentOptions o;
  o.out = std::filesystem::path(argv[0]).stem().string() + "-results";
  CLI::App app{about};
  app.option_defaults()->always_capture_default();
  auto* mnist = app.add_option("--mnist", o.mnist, "folder with MNIST's four files (examples/fetch_mnist brings them)");
  auto* brief =
      app.add_flag("--short", o.brief, "seconds: small nets on 1,797 small digits, which assert what they show");
  app.add_option("--out", o.out, "folder for results, figures and what a killed run goes on from");
  app.add_option("--seeds", o.seeds, "trainings of each net")->check(CLI::Range(1, 1000));
  app.add_option(length, o.length, "of each training; 0: what is written in the program")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  if (!parts.empty()) {
    app.add_option("--part", o.parts, "only this; may come several times")->check(CLI::IsMember(parts));
  }
  mnist->excludes(brief);
  try {
    app.parse(argc, argv);
    if (!o.brief && o.mnist.empty()) throw CLI::RequiredError("--mnist DIR or --short");
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  if (o.parts.empty()) o.parts = parts;
  if (o.threads > 0) gradus::set_num_threads(o.threads);
  std::filesystem::create_directories(o.out);
  return o;
}

Results::Results(std::string path) : path_(std::move(path)) {
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    Line next;
    std::getline(fields, next.name, ',');
    for (std::string field; std::getline(fields, field, ',');)
      next.values.push_back(std::strtod(field.c_str(), nullptr));
    lines_.push_back(next);
  }
}

const Results::Line* Results::find(const std::string& name) const {
  const auto at = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) { return line.name == name; });
  return at == lines_.end() ? nullptr : &*at;
}

std::vector<double> Results::operator[](const std::string& name) const {
  const Line* line = find(name);
  return line == nullptr ? std::vector<double>() : line->values;
}

void Results::add(const std::string& name, const std::vector<double>& values) {
  lines_.push_back({name, values});
  std::string text;
  for (const Line& line : lines_) {
    text += line.name;
    for (const double value : line.values) {
      char number[40];
      std::snprintf(number, sizeof number, ",%.9g", value);
      text += number;
    }
    text += '\n';
  }
  write_text(path_, text);
}

double error_percent(const gradus::Tensor& scores, const gradus::Tensor& y) {
  return 100 * (scores.argmax(1) != y).to(gradus::kDouble).mean().item<double>();
}

std::string summary(const std::vector<double>& values, int decimals) {
  if (values.empty()) return "not yet run";
  const auto n = static_cast<double>(values.size());
  double mean = 0, square = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) square += (value - mean) * (value - mean);
  char text[96];
  if (values.size() == 1) {
    std::snprintf(text, sizeof text, "%.*f (1 seed)", decimals, mean);
  } else {
    std::snprintf(text, sizeof text, "%.*f ± %.*f (%zu seeds)", decimals, mean, decimals, std::sqrt(square / (n - 1)),
                  values.size());
  }
  return text;
}

bool claim(bool holds, const std::string& what) {
  std::printf("%s: %s\n", holds ? "holds" : "DOES NOT HOLD", what.c_str());
  return holds;
}

void write_text(const std::string& path, const std::string& text) { gradus::core::write_file_atomically(path, {text}); }

}  // namespace examples
