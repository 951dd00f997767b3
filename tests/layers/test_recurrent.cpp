// Recurrent layers against PyTorch, three ways, and what sizes, states, packing and threads may be.
#include <boost/test/unit_test.hpp>

#include <string>
#include <tuple>
#include <vector>

#include <gradus/gradus.h>
#include <gradus/layers/recurrent/recurrent_rules.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/three_ways.h"

using namespace gradus;
using nn::GRURule;
using nn::LSTMRule;
using nn::RNNRule;
using test::check_error;
using test::passes;
using test::PyTorchFile;
using test::same_bits;
namespace rnn = nn::utils::rnn;

namespace {

constexpr std::int64_t T = 4, N = 4, I = 2, H = 3, P = 2;

// The numbers that the reference's script has.
Tensor fill(IntArrayRef shape, std::int64_t seed, DType dtype) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < core::numel_of(core::Shape(shape)); ++i)
    numbers.push_back(static_cast<double>((i * 37 + seed * 101 + i * i * 3) % 64 - 32) / 64);
  return tensor(numbers, kFloat64).to(dtype).view(shape);
}
void fill_parameters(nn::Module& module, DType dtype) {
  const NoGradGuard no_grad;
  module.to(dtype);
  std::int64_t k = 0;
  for (const Tensor& p : module.parameters()) p.copy_(fill(p.sizes(), k++, dtype));
}

// What a case's name says.
struct Case {
  explicit Case(const std::string& of) : name(of) {
    bi = says("_bi"), bias = !says("_nobias"), first = says("_first"), packed = says("_packed"), proj = says("_proj");
    hx = says("_hx"), one = says("_one"), cell = says("_cell");
    kind = of.substr(0, of.find('_'));
    dtype = says("_f32") ? kFloat32 : kFloat64;
    if (!cell) layers = of[of.find("_l") + 2] - '0';
  }
  bool says(const char* word) const { return name.find(word) != std::string::npos; }
  template <class Options>
  Options options() const {
    return Options(I, H).num_layers(layers).bidirectional(bi).bias(bias).batch_first(first);
  }
  // h_0 or c_0.
  Tensor state(std::int64_t width, std::int64_t seed) const {
    if (!hx) return {};
    const std::int64_t rows = layers * (bi ? 2 : 1);
    const std::vector<std::int64_t> shape = cell && one ? std::vector<std::int64_t>{width}
                                            : cell      ? std::vector<std::int64_t>{N, width}
                                            : one       ? std::vector<std::int64_t>{rows, width}
                                                        : std::vector<std::int64_t>{rows, N, width};
    return fill(shape, seed, dtype).requires_grad_();
  }
  Tensor input() const {
    const std::vector<std::int64_t> shape = cell && one ? std::vector<std::int64_t>{I}
                                            : cell      ? std::vector<std::int64_t>{N, I}
                                            : one       ? std::vector<std::int64_t>{T, I}
                                            : first     ? std::vector<std::int64_t>{N, T, I}
                                                        : std::vector<std::int64_t>{T, N, I};
    return fill(shape, 21, dtype).requires_grad_();
  }
  std::string name, kind;
  bool bi, bias, first, packed, proj, hx, one, cell;
  DType dtype;
  std::int64_t layers = 1;
};

using States = std::tuple<Tensor, Tensor>;

// Forward of any module: {y, h_n} or {y, h_n, c_n}.
template <class M, class State>
std::vector<Tensor> run(const Case& c, M& module, const Tensor& x, const State& hx) {
  Tensor y;
  std::vector<Tensor> states;
  const auto take = [&](const auto& state) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(state)>, Tensor>)
      states = {state};
    else
      states = {std::get<0>(state), std::get<1>(state)};
  };
  if (c.packed) {
    const auto packed = rnn::pack_padded_sequence(x, tensor({2, 4, 1, 3}), c.first, false);
    const auto [out, state] = module->forward_with_packed_input(packed, hx);
    Tensor lengths;
    std::tie(y, lengths) = rnn::pad_packed_sequence(out, c.first, 0.5);
    BOOST_TEST(equal(lengths, tensor({2, 4, 1, 3}, kInt64)));
    take(state);
  } else {
    const auto [out, state] = module->forward(x, hx);
    y = out;
    take(state);
  }
  states.insert(states.begin(), y);
  return states;
}

// The same with the module that the case asks for; `x` and `states` are its leaves.
std::vector<Tensor> run(const Case& c, std::shared_ptr<nn::Module>& module, const Tensor& x,
                        const std::vector<Tensor>& states) {
  const auto use = [&](auto made, const auto& hx) {
    fill_parameters(*made, c.dtype);
    module = made.ptr();
    return run(c, made, x, hx);
  };
  const auto use_cell = [&](auto made, const auto& hx) -> std::vector<Tensor> {
    fill_parameters(*made, c.dtype);
    module = made.ptr();
    if constexpr (std::is_same_v<decltype(made->forward(x, hx)), Tensor>)
      return {made->forward(x, hx)};
    else
      return {std::get<0>(made->forward(x, hx)), std::get<1>(made->forward(x, hx))};
  };
  const Tensor h = c.hx ? states[0] : Tensor();
  const auto both = c.hx && c.kind == "lstm" ? std::optional<States>(States(states[0], states[1])) : std::nullopt;
  if (c.cell) {
    if (c.kind == "lstm") return use_cell(nn::LSTMCell(nn::LSTMCellOptions(I, H).bias(c.bias)), both);
    if (c.kind == "gru") return use_cell(nn::GRUCell(nn::GRUCellOptions(I, H).bias(c.bias)), h);
    nn::RNNCellOptions options = nn::RNNCellOptions(I, H).bias(c.bias);
    if (c.kind == "relu") options.nonlinearity(kReLU);
    return use_cell(nn::RNNCell(options), h);
  }
  if (c.kind == "lstm") return use(nn::LSTM(c.options<nn::LSTMOptions>().proj_size(c.proj ? P : 0)), both);
  if (c.kind == "gru") return use(nn::GRU(c.options<nn::GRUOptions>()), h);
  nn::RNNOptions options = c.options<nn::RNNOptions>();
  if (c.kind == "relu") options.nonlinearity(kReLU);
  return use(nn::RNN(options), h);
}

// Of packed inputs: batch sizes are not tried expanded or without elements, and the check says so.
void agrees(const autograd::CheckReport& report, std::size_t inputs) {
  BOOST_TEST(report.ok(), report);
  std::set<std::string> second;
  for (const autograd::CheckRow& row : report.rows) {
    if (row.order == 2 && row.verdict == autograd::Verdict::Agree) second.insert(row.variable);
  }
  BOOST_TEST(second.size() >= inputs, report);
}

Tensor draw(IntArrayRef shape) { return randn(shape, kFloat64) * 0.7; }

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrent)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("recurrent");
  const std::vector<std::string> names = file.cases("");
  BOOST_TEST(names.size() == 64u);
  for (const std::string& name : names) {
    const Case c(name);
    const Tensor x = c.input();
    std::vector<Tensor> states;
    if (c.hx) states.push_back(c.state(c.proj ? P : H, 22));
    if (c.hx && c.kind == "lstm") states.push_back(c.state(H, 23));
    std::shared_ptr<nn::Module> module;
    const std::vector<Tensor> results = run(c, module, x, states);
    Tensor loss = zeros({}, c.dtype);
    for (std::size_t k = 0; k < results.size(); ++k)
      loss = loss + (results[k] * fill(results[k].sizes(), 31 + static_cast<std::int64_t>(k), c.dtype)).sum();
    loss.backward();
    const char* const things[] = {"/y", "/h_n", "/c_n"};
    for (std::size_t k = 0; k < results.size(); ++k) file.check(results[k], name + things[k + (c.cell ? 1 : 0)]);
    file.check(x.grad(), name + "/dx");
    if (c.hx) file.check(states[0].grad(), name + "/dh_0");
    if (states.size() > 1) file.check(states[1].grad(), name + "/dc_0");
    std::size_t k = 0;
    for (const Tensor& p : module->parameters()) file.check(p.grad(), name + "/d" + std::to_string(k++));
  }
}

BOOST_AUTO_TEST_CASE(three_ways) {
  manual_seed(1);
  const std::set<std::string> some = {"input", "weight_ih", "weight_hh"};
  std::set<std::string> all = some;
  all.insert({"bias_ih", "bias_hh", "h_0"});
  const Tensor sizes = tensor({3, 1}, kInt64), none;
  passes(nn::check<RNNRule>({false, true}, draw({2, 2, 2}), draw({2, 2}), draw({2, 2}), draw({2}), draw({2}),
                            draw({2, 2}), none),
         all);
  passes(nn::check<GRURule>({true}, draw({2, 2, 1}), draw({6, 1}), draw({6, 2}), none, none, none, none), some);
  passes(nn::check<LSTMRule>({false}, draw({2, 2, 1}), draw({8, 1}), draw({8, 2}), none, none, none, none, none, none),
         some);
  agrees(nn::check<RNNRule>({true, false}, draw({4, 2}), draw({2, 2}), draw({2, 2}), none, none, none, sizes), 3);
  for (const bool reverse : {false, true}) {
    agrees(nn::check<GRURule>({reverse}, draw({4, 1}), draw({6, 1}), draw({6, 2}), draw({6}), draw({6}), draw({3, 2}),
                              sizes),
           6);
    agrees(nn::check<LSTMRule>({reverse}, draw({4, 1}), draw({8, 1}), draw({8, 1}), draw({8}), draw({8}), draw({3, 1}),
                               draw({3, 2}), draw({1, 2}), sizes),
           8);
  }
}

// Sizes beyond one block of sequences, and of the sum over k and not of whole strips, against the references; the same bits at
// any number of threads.
BOOST_AUTO_TEST_CASE(large_sizes_and_threads) {
  manual_seed(2);
  const Tensor sizes = tensor({70, 70, 41, 3}, kInt64);
  for (const std::int64_t hidden : {37, 350}) {
    const Tensor x = randn({184, 19}).requires_grad_(), w = randn({4 * hidden, 19}).requires_grad_();
    const Tensor u = (randn({4 * hidden, hidden}) * 0.05).requires_grad_(), b = randn({4 * hidden}).requires_grad_();
    const Tensor h = randn({70, hidden}).requires_grad_(), above = randn({184, hidden});
    const auto three = [hidden](const Tensor& of) { return of.narrow(0, 0, 3 * hidden); };
    const auto results = [&] {
      const Tensor lstm = std::get<0>(autograd::apply<LSTMRule>({true}, x, w, u, b, b, h, h, Tensor(), sizes));
      const Tensor gru =
          std::get<0>(autograd::apply<GRURule>({false}, x, three(w), three(u), three(b), three(b), h, sizes));
      std::vector<Tensor> all = {lstm.detach(), gru.detach()};
      for (const Tensor& y : {lstm, gru}) {
        for (const Tensor& gradient : autograd::grad({y}, {x, w, u, b, h}, {above})) all.push_back(gradient);
      }
      return all;
    };
    const std::vector<Tensor> first = results();
    {
      const autograd::UseReferences references;
      const std::vector<Tensor> expected = results();
      for (std::size_t i = 0; i < first.size(); ++i)
        test::check_close(first[i], expected[i], 2e-5, "result " + std::to_string(i));
    }
    if (hidden < 350) continue;  // too little for several threads
    test::ManyThreads threads;
    threads.each([&] {
      const std::vector<Tensor> now = results();
      for (std::size_t i = 0; i < now.size(); ++i) BOOST_TEST(same_bits(now[i], first[i]));
    });
  }
}

// Rows of states and of gates 4096 bytes apart, which are packed, or padded, for the products.
BOOST_AUTO_TEST_CASE(rows_a_page_apart) {
  manual_seed(4);
  const std::int64_t units = 128, width = 512;
  const Tensor x = draw({3, 20, 2}).requires_grad_(), w = draw({4 * units, 2}).requires_grad_();
  const Tensor u = (draw({4 * units, width}) * 0.1).requires_grad_(), b = draw({4 * units}).requires_grad_();
  const Tensor p = (draw({width, units}) * 0.1).requires_grad_(), above = draw({3, 20, width}), none;
  const auto results = [&] {
    const Tensor y = std::get<0>(autograd::apply<LSTMRule>({false}, x, w, u, b, none, none, none, p, none));
    std::vector<Tensor> all = autograd::grad({y}, {x, w, u, b, p}, {above});
    all.push_back(y.detach());
    return all;
  };
  const std::vector<Tensor> ours = results();
  const autograd::UseReferences references;
  const std::vector<Tensor> expected = results();
  for (std::size_t i = 0; i < ours.size(); ++i)
    test::check_close(ours[i], expected[i], 1e-12, "result " + std::to_string(i));
}

BOOST_AUTO_TEST_CASE(packed_sequences) {
  const std::vector<Tensor> sequences = {tensor({1, 2}), tensor({3, 4, 5}), tensor({6})};
  const auto packed = rnn::pack_sequence(sequences, false);
  BOOST_TEST(equal(packed.data(), tensor({3, 1, 6, 4, 2, 5})));
  BOOST_TEST(equal(packed.batch_sizes(), tensor({3, 2, 1}, kInt64)));
  BOOST_TEST(equal(packed.sorted_indices(), tensor({1, 0, 2}, kInt64)));
  BOOST_TEST(equal(packed.unsorted_indices(), tensor({1, 0, 2}, kInt64)));
  const auto [padded, lengths] = rnn::pad_packed_sequence(packed, true, -1, 4);
  BOOST_TEST(equal(padded, tensor({1, 2, -1, -1, 3, 4, 5, -1, 6, -1, -1, -1}).view({3, 4})));
  BOOST_TEST(equal(lengths, tensor({2, 3, 1}, kInt64)));
  check_error<ValueError>([&] { rnn::pack_sequence(sequences); }, {"enforce_sorted"});
  check_error<ValueError>([&] { rnn::pad_packed_sequence(packed, true, 0, 2); }, {"total_length", "3", "2"});
  check_error<ValueError>([] { rnn::pack_padded_sequence(zeros({2, 1}), tensor({3})); }, {"from 1", "2", "3"});
}

BOOST_AUTO_TEST_CASE(modules) {
  manual_seed(3);
  nn::LSTM lstm(nn::LSTMOptions(2, 3).num_layers(2).bidirectional(true).proj_size(2).dropout(0.5));
  BOOST_TEST(lstm->named_parameters().keys().back() == "weight_hr_l1_reverse");
  BOOST_TEST(lstm->all_weights().size() == 20u);
  BOOST_TEST(lstm->to_string() ==
             "LSTM(input_size=2, hidden_size=3, num_layers=2, bias=true, batch_first=false, dropout=0.5, "
             "bidirectional=true, proj_size=2)");
  BOOST_TEST(nn::RNNCell(nn::RNNCellOptions(2, 3).bias(false).nonlinearity(kReLU))->to_string() ==
             "RNNCell(2, 3, bias=false, nonlinearity=kReLU)");
  for (const Tensor& p : lstm->parameters()) BOOST_TEST(p.abs().max().item<float>() <= 1 / std::sqrt(3.0f));
  // Dropout is between the layers, in training alone.
  const Tensor x = randn({4, 3, 2});
  const auto y = [&](nn::LSTM& of) { return std::get<0>(of(x)); };
  BOOST_TEST(!equal(y(lstm), y(lstm)));
  lstm->eval();
  BOOST_TEST(equal(y(lstm), y(lstm)));
  // A copy has parameters of its own.
  nn::LSTM copy(std::dynamic_pointer_cast<nn::LSTMImpl>(lstm->clone()));
  BOOST_TEST(equal(y(copy), y(lstm)));
  const NoGradGuard no_grad;
  copy->all_weights()[0].zero_();
  BOOST_TEST(!equal(y(copy), y(lstm)));

  nn::GRU gru(2, 3);
  const auto one = [&](const Tensor& of) { return std::get<0>(gru->forward(of)); };
  // In containers, which don't see the defaults of forward.
  nn::Sequential sequence(gru);
  BOOST_TEST(equal(std::get<0>(sequence->forward<std::tuple<Tensor, Tensor>>(x)), one(x)));
  const auto [h, c] = nn::AnyModule(nn::LSTMCell(2, 3)).forward<nn::LSTMCellImpl::States>(x[0]);
  BOOST_TEST(h.sizes() == c.sizes());
  autograd::warn_of_loops(false);
  test::check_close(func::vmap(one, 1, 1)(x), one(x), 1e-6, "each sequence alone");
  autograd::warn_of_loops(true);
  check_error<ShapeError>([&] { gru->forward(zeros({4, 3, 5})); }, {"GRU: input must be [T, N, 2]", "[4, 3, 5]"});
  check_error<ShapeError>([&] { gru->forward(x, zeros({1, 4, 3})); }, {"GRU: hx", "[1, 4, 3] for [1, 3, 3]"});
  check_error<ShapeError>([&] { nn::GRUCell(2, 3)->forward(zeros({4, 3})); }, {"GRUCell: input", "[4, 3]"});
  check_error<ValueError>([] { nn::GRU(2, 0); }, {"GRU: sizes must be above 0"});
  check_error<ValueError>([] { nn::LSTM(nn::LSTMOptions(2, 3).proj_size(3)); }, {"proj_size"});
}

// The modules' numbers and gradients from their parameters, in a batch and alone.
BOOST_AUTO_TEST_CASE(cells_as_functions) {
  const auto agree = [](const nn::Module& module, const Tensor& ours, const Tensor& theirs) {
    BOOST_TEST(equal(ours, theirs));
    const auto leaves = module.parameters();
    const auto a = autograd::grad({ours.sum()}, leaves), b = autograd::grad({theirs.sum()}, leaves);
    for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(equal(a[i], b[i]));
  };
  const auto compare = [&](const Tensor& x, const Tensor& h, const Tensor& c) {
    const nn::LSTMCell lstm(I, H);
    const auto [h_1, c_1] = lstm_cell(x, {h, c}, lstm->weight_ih, lstm->weight_hh, lstm->bias_ih, lstm->bias_hh);
    const auto [h_2, c_2] = lstm->forward(x, States(h, c));
    agree(*lstm, h_1 * c_1, h_2 * c_2);
    const nn::GRUCell gru(nn::GRUCellOptions(I, H).bias(false));
    agree(*gru, gru_cell(x, h, gru->weight_ih, gru->weight_hh), gru->forward(x, h));
    for (const bool relu : {false, true}) {
      nn::RNNCellOptions options = nn::RNNCellOptions(I, H);
      if (relu) options.nonlinearity(kReLU);
      const nn::RNNCell rnn(options);
      const auto function = relu ? rnn_relu_cell : rnn_tanh_cell;
      agree(*rnn, function(x, h, rnn->weight_ih, rnn->weight_hh, rnn->bias_ih, rnn->bias_hh), rnn->forward(x, h));
    }
  };
  const Tensor x = fill({N, I}, 1, kFloat), h = fill({N, H}, 2, kFloat), c = fill({N, H}, 3, kFloat);
  compare(x, h, c);
  compare(x[1], h[1], c[1]);
  compare(x, {}, {});

  const Tensor w_ih = ones({3 * H, I}), w_hh = ones({3 * H, H});
  check_error<ShapeError>([&] { gru_cell(x, h[0], w_ih, w_hh); }, {"gru_cell: hx must be [N, 3] or [3]", "[3]"});
  check_error<ShapeError>([&] { gru_cell(h, h, w_ih, w_hh); }, {"gru_cell: input", "[4, 3]"});
  check_error<ShapeError>([&] { gru_cell(x, h, w_ih[0], w_hh); }, {"gru_cell: w_ih", "[2]"});
  check_error<ShapeError>([&] { gru_cell(x, h, w_ih, w_hh.t()); }, {"gru_cell: "});
  // By the names that the caller wrote.
  const Tensor four = ones({4 * H, I}), bias = ones({3 * H}), doubles = ones({3 * H, H}, kDouble);
  check_error<ShapeError>([&] { gru_cell(x, h, four, w_hh); },
                          {"gru_cell: w_ih must be [gates of H, I]: [12, 2] for [9, 2]"});
  check_error<ShapeError>([&] { gru_cell(x, h, w_ih, ones({4 * H, H})); }, {"gru_cell: w_hh must be [gates of H, H]"});
  check_error<ShapeError>([&] { gru_cell(x, h, w_ih, w_hh, ones({H})); },
                          {"gru_cell: b_ih must be [gates of H]: [3] for [9]"});
  check_error<ShapeError>([&] { gru_cell(x, h, w_ih, w_hh, bias, ones({H})); },
                          {"gru_cell: b_hh must be [gates of H]"});
  check_error<DTypeError>([&] { gru_cell(x, h, w_ih, doubles); },
                          {"gru_cell: w_hh must have input's dtype: float64 for float32"});
  check_error<DTypeError>([&] { gru_cell(x, h.to(kDouble), w_ih, w_hh); }, {"gru_cell: hx must have input's dtype"});
  check_error<DTypeError>([&] { nn::GRUCell(I, H)(x, h.to(kDouble)); }, {"GRUCell: hx must have input's dtype"});
  check_error<DTypeError>(
      [&] {
        lstm_cell(x, {h, h.to(kDouble)}, four, ones({4 * H, H}));
      },
      {"lstm_cell: cx must have input's dtype"});
  check_error<ValueError>([&] { lstm_cell(x, {h}, w_ih, w_hh); }, {"lstm_cell: hx must be two tensors", "1"});
}

BOOST_AUTO_TEST_CASE(a_packed_sequence_is_checked) {
  const auto sizes = [](const std::vector<std::int64_t>& of) { return tensor(of, kInt64); };
  using Packed = rnn::PackedSequence;
  const Tensor data = ones({4, 2});
  check_error<ValueError>(
      [&] {
        Packed(ones({300, 2}), sizes({1, 299}));
      },
      {"PackedSequence: batch_sizes must be above 0 and not grow: 299 at step 1"});
  check_error<ValueError>([&] { Packed(data, sizes({3, 0, 1})); }, {"above 0", "0 at step 1"});
  check_error<ValueError>([&] { Packed(data, sizes({5, -1})); }, {"above 0", "-1 at step 1"});
  check_error<ValueError>([&] { Packed(data, sizes({3, 2})); }, {"must add up to the rows", "5 for [4, 2]"});
  check_error<ValueError>([&] { Packed(data, sizes({INT64_MAX, INT64_MAX})); }, {"must add up to the rows"});
  check_error<ValueError>([&] { Packed(data, ones({4})); }, {"int64 [T]", "float32"});
  check_error<ValueError>([&] { Packed(data, ones({1, 4}, kInt64)); }, {"int64 [T]", "[1, 4]"});
  check_error<ValueError>([&] { Packed(data, {}); }, {"batch_sizes"});
  check_error<ValueError>([&] { Packed({}, sizes({4})); }, {"data"});
  check_error<ShapeError>([&] { Packed(ones({}), sizes({1})); }, {"packed data"});
  const Tensor three = sizes({3, 1});
  check_error<ShapeError>([&] { Packed(data, three, sizes({0, 1})); }, {"sorted_indices", "[2]", "[3]"});
  check_error<ValueError>([&] { Packed(data, three, sizes({0, 1, 3})); }, {"sorted_indices", "below 3 once: 3"});
  check_error<ValueError>(
      [&] {
        Packed(data, three, sizes({0, 1, 2}), sizes({0, 1, 1}));
      },
      {"unsorted_indices", ": 1"});
  check_error<DTypeError>([&] { Packed(data, three, ones({3})); }, {"sorted_indices", "float32"});
  // What is written into it later is seen, too.
  const Packed packed(data, three, sizes({2, 0, 1}));
  BOOST_TEST(equal(packed.unsorted_indices(), sizes({1, 2, 0})));
  check_error<MemoryError>([&] { rnn::pad_packed_sequence(packed, false, 0, std::int64_t{1} << 56); }, {"bytes"});
  check_error<ShapeError>([&] { rnn::pad_packed_sequence(packed, false, 0, std::int64_t{1} << 62); },
                          {"pad_packed_sequence"});
  three[1] = 299;
  check_error<ValueError>([&] { rnn::pad_packed_sequence(packed); }, {"pad_packed_sequence: batch_sizes", "299"});
}

BOOST_AUTO_TEST_SUITE_END()
