// What measures, a history and progress make of numbers and texts that are out of bounds.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>

#include <gradus/gradus.h>
#include <gradus/train.h>

#include "../support/written_to_file.h"
#include "../support/arrays.h"
#include "../support/pytorch.h"

using namespace gradus;
using namespace gradus::train;
using test::check_error;
using test::written_to_file;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

}  // namespace

BOOST_AUTO_TEST_SUITE(measures)

BOOST_AUTO_TEST_CASE(a_confusion_counts_a_batch_or_nothing) {
  Confusion confusion(3);
  const Tensor truth = tensor({0, 1, 2});
  for (const Tensor& wrong : {tensor({0, 1, 3}), tensor({0, -1, 2})}) {
    check_error<IndexError>([&] { confusion.add(truth, wrong); }, {"Confusion::add: classes must be from 0 to 2"});
    check_error<IndexError>([&] { confusion.add(wrong, truth); }, {"Confusion::add: classes must be from 0 to 2"});
  }
  for (const DType dtype : {kFloat32, kFloat64, kFloat16}) {
    check_error<DTypeError>([&] { confusion.add(truth.to(dtype), truth); }, {"Confusion::add: ", "must be integers"});
    check_error<DTypeError>([&] { confusion.add(truth, truth.to(dtype)); }, {"Confusion::add: ", "to(kInt64)"});
  }
  const Tensor scores = tensor({0.9, 0.1, 0., 0.1, kNan, 0.2, 0., 0.1, 0.9}).reshape({3, 3});
  check_error<ValueError>([&] { confusion.add(truth, scores); }, {"Confusion::add: ", "row 1 holds NaN"});
  BOOST_TEST(std::isnan(confusion.accuracy()));  // nothing was counted
  for (const DType dtype : {kUInt8, kInt8, kInt16, kInt32, kInt64}) confusion.add(truth.to(dtype), truth.to(dtype));
  confusion.add(truth, tensor({0., kInf, 0., 1., 2., 3., 3., 2., 1.}).reshape({3, 3}));
  BOOST_TEST(confusion.accuracy() == 15.0 / 18);
  Confusion two(2);
  two.add(tensor({0, 1}), tensor({0.2, 0.7}) > 0.5);
  BOOST_TEST(two.accuracy() == 1);
}

BOOST_AUTO_TEST_CASE(scores_of_a_diverged_model_are_wrong) {
  Accuracy accuracy;
  accuracy.add(full({4, 3}, kNan), zeros({4}, kInt64));
  BOOST_TEST(accuracy.value() == 0);
  accuracy.add(tensor({1., 0., kNan, 1., 0., 0.}).reshape({2, 3}), tensor({0, 0}));
  BOOST_TEST(accuracy.value() == 1.0 / 6);
  for (const int target : {3, -1}) {
    check_error<IndexError>(
        [&] {
          accuracy.add(ones({2, 3}), tensor({0, target}));
        },
        {"Accuracy: classes must be from 0 to 2: number 1 is " + std::to_string(target)});
  }
  check_error<DTypeError>([&] { accuracy.add(ones({2, 3}), ones({2})); }, {"Accuracy: ", "must be integers"});
  check_error<DTypeError>([&] { accuracy.add(ones({2}), tensor({1, 1})); }, {"Accuracy: ", "must be integers"});
  BOOST_TEST(accuracy.examples() == 6);
  accuracy.add(ones({0, 3}), zeros({0}, kInt64));
  BOOST_TEST(accuracy.examples() == 6);
}

BOOST_AUTO_TEST_CASE(a_historys_columns_have_names_of_their_own) {
  for (const char* lines : {"", "1,2,3\n"}) {
    check_error<FileError>([&] { History::from_csv(std::string("epoch,a,a\n") + lines, "'h.csv'"); },
                           {"history: line 1 of 'h.csv' must name each column once: 'a' as name 3"});
    check_error<FileError>([&] { History::from_csv(std::string("epoch,,b\n") + lines); }, {"line 1", "'' as name 2"});
  }
  BOOST_TEST(History::from_csv("epoch,a,b\n1,2,3\n")["b"][0] == 3);
}

BOOST_AUTO_TEST_CASE(durations_below_0) {
  BOOST_TEST(duration_text(-1) == "-1.0 s");
  BOOST_TEST(duration_text(-200) == "-3 min 20 s");
  BOOST_TEST(duration_text(-kInf) == "a long time");
}

BOOST_AUTO_TEST_CASE(progress_of_a_total_that_is_not_known) {
  for (const int total : {0, -3}) {
    const std::string text = written_to_file([&](FILE* file) {
      Progress progress(total, "epoch", file);
      for (int i = 1; i <= 100; ++i) progress.update(i, "loss 1");
    });
    BOOST_TEST(text.starts_with("epoch 1: loss 1, "));
    BOOST_TEST(text.find("\nepoch 5: loss 1, ") != std::string::npos);
    BOOST_TEST(text.find('/' + std::to_string(total)) == std::string::npos);
    BOOST_TEST(text.find("left") == std::string::npos);
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 7);  // 1, 2, 5, ... 100
    BOOST_TEST(progress_line({}, "epoch", 5, total, 2, "loss 1") == "epoch 5  2.5 epochs/s, 2.0 s  loss 1");
  }
}

BOOST_AUTO_TEST_CASE(progress_writes_no_control_characters) {
  const std::string text = written_to_file([](FILE* file) {
    Progress progress(2, "epo\nch", file);
    progress.update(1,
                    "a\nb\r\tc\033[2J\x7F \033[32mgreen\033[0m \xC2\x9B"
                    "d Größe");
  });
  BOOST_TEST(text.starts_with("epo ch 1/2: a b  c [2J  green  d Größe, "));
  for (const char c : text.substr(0, text.size() - 1)) BOOST_TEST((static_cast<unsigned char>(c) >= ' ' && c != 0x7F));
  Terminal terminal;
  terminal.colour = true;
  const std::string line = progress_line(terminal, "epoch", 1, 2, 0, "\033[32mgreen\033[0m\033[2J\n");
  BOOST_TEST(line.ends_with("\033[32mgreen\033[0m [2J "));
}

BOOST_AUTO_TEST_SUITE_END()
