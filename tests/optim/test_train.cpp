// What training feels like: tables, curves, history, measures, Ctrl-C, checkpoints.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>

#include <gradus/gradus.h>
#include <gradus/train.h>

#include "../support/arrays.h"
#include "../support/folder.h"
#include "../support/pytorch.h"

using namespace gradus;
using namespace gradus::train;
using test::check_error;
using test::same_bits;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(train)

BOOST_AUTO_TEST_CASE(the_confusion_table) {
  Confusion confusion(3);
  BOOST_TEST(std::isnan(confusion.accuracy()));
  for (int i = 0; i < 35; ++i) confusion.add(0, 0);
  confusion.add(0, 2);
  for (int i = 0; i < 4; ++i) confusion.add(2, 2);
  BOOST_TEST(confusion.accuracy() == 39.0 / 40);
  BOOST_TEST(confusion.recall(0) == 35.0 / 36);
  BOOST_TEST(std::isnan(confusion.recall(1)));
  BOOST_TEST("\n" + confusion.table() == R"(
  true | predicted    recall
       |   0   1   2
  -----+--------------------
     0 |  35   .   1   0.972
     1 |   .   .   .       -
     2 |   .   .   4   1.000
)");
  Terminal terminal;
  terminal.colour = terminal.utf8 = true;
  const std::string coloured_table = confusion.table(terminal);
  BOOST_TEST(holds(coloured_table, "\033[32m  35\033[0m"));
  BOOST_TEST(holds(coloured_table, "\033[1;31m   1\033[0m"));
  BOOST_TEST(holds(coloured_table, "·"));
  for (const auto& [truth, predicted] : {std::pair(3, 0), std::pair(0, 3), std::pair(-1, 0), std::pair(0, -1)}) {
    BOOST_CHECK_THROW(confusion.add(truth, predicted), IndexError);
  }
}

BOOST_AUTO_TEST_CASE(learning_curves_of_any_number_of_epochs) {
  for (const int epochs : {0, 1, 2, 3, 10, 100, 3000}) {
    Curves curves;
    curves.title = "tests & <trials>";
    curves.configuration = "64-10, \"seed\" 0\n";
    std::vector<double> losses, shares;
    for (int i = 0; i < epochs; ++i) {
      losses.push_back(1.5 / (i + 1));
      shares.push_back(1 - 0.5 / (i + 1));
    }
    curves.lines = {{"training loss", losses}, {"test accuracy", shares, true}};
    const std::string svg = curves_svg(curves);
    BOOST_TEST(holds(svg, "tests &amp; &lt;trials&gt;"));
    BOOST_TEST(holds(svg, "&quot;seed&quot; 0 "));
    BOOST_TEST(!holds(svg, "nan"));
    BOOST_TEST(!holds(svg, "inf"));
    BOOST_TEST(count(svg, "<path class=\"line\"") == (epochs == 0 ? 0u : 2u));
    BOOST_TEST(count(svg, "no epochs") == (epochs == 0 ? 2u : 0u));
    BOOST_TEST(holds(svg, "logarithmic scale") == (epochs >= 100));
    BOOST_TEST(holds(svg, "prefers-color-scheme: dark"));
    BOOST_TEST(count(svg, "<g") - count(svg, "<grid") == count(svg, "</g>"));
    BOOST_TEST(svg.ends_with("</svg>\n"));
  }
}

BOOST_AUTO_TEST_CASE(learning_curves_with_values_that_cannot_be_drawn) {
  Curves curves;
  curves.lines = {{"training loss", {2, kNan, kNan, 1, kInf, 0.5, 1e308}},
                  {"test accuracy", {0.1, 0.5, 0.9, 0.7}, true}};
  std::string svg = curves_svg(curves);
  BOOST_TEST(count(svg, "class=\"gap\"") == 3u);
  BOOST_TEST(holds(svg, "not finite in 4 epochs"));
  BOOST_TEST(holds(svg, "best 90.00 % in epoch 3"));
  BOOST_TEST(holds(svg, ">0.5</text>"));
  BOOST_TEST(!holds(svg, "nan"));
  for (const std::vector<double>& losses : std::vector<std::vector<double>>{{kNan},
                                                                            {kNan, kNan, kInf},
                                                                            {0, 0},
                                                                            {-1, -3},
                                                                            {1e-300, 1e299},
                                                                            {1e299, 9e299},
                                                                            {5e-324, 1},
                                                                            {0, 1e-310},
                                                                            {0.3, 0.3}}) {
    curves.lines[0].values = losses;
    svg = curves_svg(curves);
    BOOST_TEST(!holds(svg, "nan"));
    BOOST_TEST(!holds(svg, "inf"));
    BOOST_TEST(svg.size() < 30'000u);
    // Every ordinate lies within the picture.
    for (std::size_t at = 0; (at = svg.find("cy=\"", at)) != std::string::npos; ++at) {
      const double y = std::strtod(svg.c_str() + at + 4, nullptr);
      BOOST_CHECK_MESSAGE(y >= 39 && y <= 251, y << " of losses " << losses[0] << ", ...");
    }
  }
}

BOOST_AUTO_TEST_CASE(several_lines_in_a_panel_over_any_axis) {
  Curves curves;
  curves.lines = {{"test", {1, -2, kNan, 4}, false, "error", "p", {0, 0.1, 0.2, 0.4}},
                  {"training", {1, 2}, false, "error", "p", {-0.4, 0.4}},
                  {"bins", {3, 5}, false, "", "activation", {0.5, 1.5}, true}};
  const std::string svg = curves_svg(curves);
  BOOST_TEST(count(svg, "<path class=\"line\"") == 2u);
  BOOST_TEST(count(svg, "<path class=\"bars\"") == 1u);
  BOOST_TEST(holds(svg, ">p</text>"));
  BOOST_TEST(holds(svg, ">-0.4</text>"));
  BOOST_TEST(holds(svg, ">training</text>"));
  BOOST_TEST(!holds(svg, "nan"));
  BOOST_TEST(!holds(svg, "epoch"));
  BOOST_TEST(count(svg, "<g") - count(svg, "<grid") == count(svg, "</g>"));
  curves.lines[1].at.pop_back();
  check_error<ValueError>([&] { curves_svg(curves); }, {"curves_svg: ", "training", "1 and 2"});
}

BOOST_AUTO_TEST_CASE(a_history_goes_to_csv_and_back) {
  History history;
  BOOST_TEST(history.csv() == "epoch\n");
  history.add({{"loss", 0.1}, {"test accuracy", 0.5}});
  history.add({{"loss", 1.0 / 3}, {"a \"b\", c", 2}});
  history.add({{"test accuracy", 0.7}, {"loss", kNan}});
  BOOST_TEST(history.csv() ==
             "epoch,loss,test accuracy,\"a \"\"b\"\", c\"\n1,0.1,0.5,nan\n2,0.3333333333333333,nan,2\n3,nan,0.7,nan\n");
  const History again = History::from_csv(history.csv());
  BOOST_TEST(again.csv() == history.csv());
  BOOST_TEST(again["loss"][1] == 1.0 / 3);
  BOOST_TEST(again.best_epoch("loss", false) == 1u);
  BOOST_TEST(again.best_epoch("test accuracy") == 3u);
  const test::Folder folder;
  history.save_csv(folder / "history.csv");
  BOOST_TEST(History::load_csv(folder / "history.csv").csv() == history.csv());
  history.save_svg(folder / "curves.svg", "title");
  const std::string svg = history.svg("title");
  BOOST_TEST(count(svg, "<path class=\"line\"") == 3u);  // a panel each
  BOOST_TEST(holds(svg, "a &quot;b&quot;, c"));
  BOOST_TEST(!holds(svg, "nan"));

  check_error<ValueError>([&] { history.add({{"loss", 1}, {"loss", 2}}); }, {"History: ", "loss", "twice"});
  check_error<ValueError>([&] { history.add({{"", 1}}); }, {"History: "});
  BOOST_TEST(history.epochs() == 3u);
  check_error<ValueError>([&] { (void)history["lost"]; }, {"lost", "loss, test accuracy"});
  check_error<FileError>([] { History::from_csv("epoch,a\n1,2\n3,4\n"); }, {"line 3", "epoch 2", "3"});
  check_error<FileError>([] { History::from_csv("epoch,a\n1,x\n"); }, {"field 2 of line 2", "x"});
  check_error<FileError>([] { History::from_csv("epoch,a\n1\n"); }, {"line 2", "2 fields, as the first: 1"});
  check_error<FileError>([] { History::from_csv("loss\n"); }, {"line 1", "loss"});
  check_error<FileError>([] { History::from_csv("epoch,\"a\n"); }, {"a quote in line 1", "closed"});
  for (const char* text : {"", "1 ", "1,5", "0x1"})
    BOOST_CHECK_THROW(History::from_csv(std::string("epoch,a\n1,") + text + "\n"), FileError);
  // 0.0 / 0.0 is negative on x86; what was written so is read.
  History negative;
  negative.add({{"loss", std::copysign(kNan, -1.0)}});
  BOOST_TEST(negative.csv() == "epoch,loss\n1,nan\n");
  BOOST_TEST(History::from_csv("epoch,loss\n1,-nan\n").csv() == negative.csv());
  BOOST_TEST(History::from_csv("epoch,loss\n1,-inf\n2,1e-05\n").csv() == "epoch,loss\n1,-inf\n2,1e-05\n");
}

BOOST_AUTO_TEST_CASE(measures_over_batches) {
  Mean mean;
  BOOST_TEST(std::isnan(mean.value()));
  mean.add(full({}, 2.0), 3);
  mean.add(4, 1);
  BOOST_TEST(mean.value() == 2.5);
  Accuracy accuracy;
  BOOST_TEST(std::isnan(accuracy.value()));
  accuracy.add(tensor({0.1, 0.9, 0.8, 0.2}).reshape({2, 2}), tensor({1, 1}));
  accuracy.add(tensor({3, 4}), tensor({3, 4}));
  BOOST_TEST(accuracy.value() == 0.75);
  check_error<ShapeError>([&] { accuracy.add(ones({2, 3}), tensor({1, 2, 0})); }, {"Accuracy: ", "[2, 3]", "[3]"});
  Confusion confusion(2);
  confusion.add(tensor({1, 1, 0}), tensor({0.1, 0.9, 0.8, 0.2, 0.7, 0.3}).reshape({3, 2}));
  BOOST_TEST(confusion.accuracy() == 2.0 / 3);
  check_error<ShapeError>([&] { confusion.add(tensor({1}), ones({1, 3})); }, {"Confusion", "[n, 2]"});

  EarlyStopping stopping(2, 0.1);
  const std::pair<double, bool> values[] = {{1, false}, {0.95, false}, {0.8, false}, {kNan, false}, {0.75, true}};
  for (const auto& [value, stop] : values) BOOST_TEST(stopping.update(value) == stop);
  BOOST_TEST(stopping.best() == 0.8);
  BOOST_TEST(stopping.best_epoch() == 3);
  EarlyStopping larger(1, 0, EarlyStopping::Better::Larger);
  BOOST_TEST(!larger.update(0.5));
  BOOST_TEST(larger.improved());
  BOOST_TEST(larger.update(0.5));
  check_error<ValueError>([] { EarlyStopping(0); }, {"EarlyStopping", "0"});
}

BOOST_AUTO_TEST_CASE(an_interrupt_is_noted_once) {
  struct sigaction ignored = {}, found = {};
  ignored.sa_handler = SIG_IGN;
  struct sigaction before = {};
  sigaction(SIGINT, &ignored, &before);
  {
    const Interrupt interrupt;
    check_error<ValueError>([] { Interrupt(); }, {"Interrupt"});
    BOOST_TEST(!interrupt.requested());
    raise(SIGINT);
    BOOST_TEST(interrupt.requested());
    BOOST_TEST(interrupt.signal() == SIGINT);
    raise(SIGINT);  // the handler before: ignored
  }
  sigaction(SIGINT, &before, &found);
  BOOST_TEST((found.sa_handler == SIG_IGN));
  BOOST_TEST(!Interrupt().requested());
}

namespace {

// A training with all that there is to keep.
struct Training {
  Training() {
    manual_seed(5);
    net = nn::Sequential(nn::Linear(4, 6), nn::BatchNorm1d(6), nn::ReLU(), nn::Dropout(0.3), nn::Linear(6, 3));
    optimizer = std::make_unique<optim::Adam>(net->parameters(), optim::AdamOptions(0.01));
    schedule = std::make_unique<optim::StepLR>(*optimizer, 2, 0.5);
    manual_seed(6);
  }
  void parts(Checkpoint& checkpoint) {
    checkpoint.add("model", net).add("optimizer", *optimizer).add("schedule", *schedule).add("epoch", epoch);
    checkpoint.add("generator", default_generator()).add("sampler", sampler).add("history", history);
    checkpoint.add("stopping", stopping).add("loss", loss).add("best", best);
  }
  void step() {
    optimizer->zero_grad();
    if (!sampler.next(3)) sampler.reset();
    Tensor l = nn::functional::mse_loss(net->forward(randn({5, 4})), randn({5, 3}));
    l.backward();
    optimizer->step();
    schedule->step();
    ++epoch;
    loss = l.item<double>();
    best.fill_(loss);
    history.add({{"loss", loss}});
    stopping.update(loss);
  }
  std::vector<Tensor> all() {
    std::vector<Tensor> list;
    for (const auto& [name, t] : net->state_dict()) list.push_back(t.clone());
    for (const auto& [name, t] : optimizer->state_dict()) list.push_back(t.clone());
    for (const auto& [name, t] : schedule->state_dict()) list.push_back(t.clone());
    for (const auto& [name, t] : sampler.position()) list.push_back(t.clone());
    list.push_back(tensor({double(epoch), loss, stopping.best(), double(stopping.best_epoch())}, kFloat64));
    list.push_back(best.clone());
    list.push_back(Tensor(default_generator().get_state()));
    return list;
  }
  nn::Sequential net;
  std::unique_ptr<optim::Adam> optimizer;
  std::unique_ptr<optim::StepLR> schedule;
  data::samplers::RandomSampler sampler{10};
  std::int64_t epoch = 0;
  double loss = 0;
  Tensor best = zeros({}, kFloat64);
  History history;
  EarlyStopping stopping{100};
};

bool alike(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same_bits(a[i], b[i])) return false;
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_training_goes_on_from_a_checkpoint_to_the_same_bits) {
  const test::Folder folder;
  for (const char* name : {"run.safetensors", "run.pt"}) {
    Training whole;
    Checkpoint checkpoint(folder / name);
    whole.parts(checkpoint);
    BOOST_TEST(!checkpoint.resume());
    for (int i = 0; i < 3; ++i) whole.step();
    checkpoint.save();
    for (int i = 0; i < 4; ++i) whole.step();
    const auto end = whole.all();

    Training again;
    again.step();  // whatever it did before
    Checkpoint other(folder / name);
    again.parts(other);
    BOOST_TEST(other.resume());
    BOOST_TEST(again.epoch == 3);
    for (int i = 0; i < 4; ++i) again.step();
    BOOST_TEST(alike(again.all(), end), name);
    BOOST_TEST(again.history.csv() == whole.history.csv());
  }
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_does_not_fit_changes_nothing) {
  const test::Folder folder;
  const std::string path = folder / "run.safetensors";
  Training one;
  one.step();
  Checkpoint checkpoint(path);
  one.parts(checkpoint);
  checkpoint.save();

  Training two;
  Checkpoint fewer(path);
  fewer.add("model", two.net);
  check_error<ValueError>([&] { fewer.resume(); }, {"Checkpoint: ", "optimizer Adam"});
  // The last of the parts refuses: the others are put back.
  const Tensor shape = zeros({2}, kFloat64);
  two.best = shape;
  Checkpoint misfit(path);
  two.parts(misfit);
  two.step();
  const auto before = two.all();
  const std::string csv = two.history.csv();
  check_error<ValueError>([&] { misfit.resume(); }, {"the part best", "[2]"});
  BOOST_TEST(alike(two.all(), before));
  BOOST_TEST(two.history.csv() == csv);

  save(one.net, folder / "net.safetensors");
  Checkpoint none(folder / "net.safetensors");
  none.add("model", one.net);
  check_error<ValueError>([&] { none.resume(); }, {"net.safetensors", "save()"});
  check_error<ValueError>([&] { none.add("model", one.net); }, {"'model'", "already"});
  check_error<ValueError>([&] { none.add("a.b", one.net); }, {"'a.b'"});
}

BOOST_AUTO_TEST_CASE(a_part_that_changes_and_then_throws_is_put_back) {
  const test::Folder folder;
  struct Thrower {
    std::vector<std::int64_t> numbers{1, 2};
    std::int64_t bad = -1;
    int kind = 0;
    void write(serialize::OutputArchive& archive) const { archive.write("numbers", numbers); }
    void read(serialize::InputArchive& archive) {
      IValue value;
      archive.read("numbers", value);
      numbers[0] = value.toIntVector()[0];
      if (numbers[0] == bad && kind == 0) throw std::runtime_error("half of it");
      if (numbers[0] == bad && kind == 1) throw std::bad_alloc();
      if (numbers[0] == bad && kind == 2) throw ValueError("half of it");
      numbers[1] = value.toIntVector()[1];
    }
  };
  Training training;
  Thrower part;
  History history;
  history.add({{"loss", std::copysign(kNan, -1.0)}});
  Checkpoint checkpoint(folder / "run");
  training.parts(checkpoint);
  checkpoint.add("losses", history);
  checkpoint.add(
      "thrower", [&](auto& archive) { part.write(archive); }, [&](auto& archive) { part.read(archive); });
  checkpoint.save();
  BOOST_TEST((checkpoint.resume() && history.csv() == "epoch,loss\n1,nan\n"));
  training.step();
  part.numbers = {3, 4};
  part.bad = 1;
  const auto before = training.all();
  const auto check = [&] {
    BOOST_TEST(alike(training.all(), before));
    BOOST_TEST((part.numbers == std::vector<std::int64_t>{3, 4}));
    ++part.kind;
  };
  BOOST_CHECK_THROW(checkpoint.resume(), std::runtime_error);
  check();
  BOOST_CHECK_THROW(checkpoint.resume(), std::bad_alloc);
  check();
  check_error<ValueError>([&] { checkpoint.resume(); },
                          {"half of it", "the part thrower", "all parts are as they were"});
  check();
  // A part that does not even take what it wrote is named.
  part.kind = 2;
  part.bad = 3;
  part.numbers = {1, 2};
  checkpoint.save();
  part.numbers = {3, 4};
  part.bad = 1;
  Checkpoint stubborn(folder / "run");
  training.parts(stubborn);
  stubborn.add("losses", history);
  stubborn.add(
      "thrower", [&](auto& archive) { part.write(archive); }, [](auto&) { throw ValueError("never"); });
  check_error<ValueError>([&] { stubborn.resume(); }, {"never", "not as they were are thrower"});
  BOOST_TEST(alike(training.all(), before));
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_the_checkpoint_as_it_was) {
  const test::Folder folder;
  const std::string path = folder / "run.safetensors";
  Training training;
  training.step();
  Checkpoint checkpoint(path);
  training.parts(checkpoint);
  checkpoint.save();
  const core::Bytes before = core::read_file(path, 1 << 20);
  training.step();
  // Files may grow to 512 bytes, which is how a full disk looks to a program.
  rlimit limit = {};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {512, limit.rlim_max};
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  check_error<FileError>([&] { checkpoint.save(); }, {path});
  setrlimit(RLIMIT_FSIZE, &limit);
  signal(SIGXFSZ, handler);
  BOOST_TEST((core::read_file(path, 1 << 20) == before));
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder / "."), {}) == 1);
  checkpoint.save();
  BOOST_TEST((core::read_file(path, 1 << 20) != before));
}

BOOST_AUTO_TEST_SUITE_END()
