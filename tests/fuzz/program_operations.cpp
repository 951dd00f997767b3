#include "program_operations.h"

#include <charconv>
#include <limits>

namespace programs {

namespace g = gradus;

const std::string& Words::next() {
  if (at_ == words_.size()) throw BadProgram("an argument is missing");
  return words_[at_++];
}

void Words::check_end() const {
  if (at_ != words_.size()) throw BadProgram("one argument too many: " + words_[at_]);
}

namespace {

template <class T>
T number(const std::string& word) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) throw BadProgram("not a number: " + word);
  return value;
}

}  // namespace

Tensor Words::tensor(const std::string& word) const {
  if (word == "%-") return {};
  if (word.size() < 2 || word[0] != '%') throw BadProgram("not a tensor: " + word);
  const auto slot = slots_.find(number<int>(word.substr(1)));
  if (slot == slots_.end()) throw NoSuchTensor("no such tensor: " + word);
  return slot->second;
}

std::vector<std::string> Words::list() {
  const std::string& word = next();
  if (word.size() < 2 || word.front() != '[' || word.back() != ']') throw BadProgram("not a list: " + word);
  std::vector<std::string> parts;
  for (std::size_t at = 1; at < word.size() - 1;) {
    const std::size_t end = std::min(word.find(',', at), word.size() - 1);
    parts.push_back(word.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

void Words::read(std::vector<Tensor>& value) {
  for (const std::string& part : list()) value.push_back(tensor(part));
}
void Words::read(std::vector<std::int64_t>& value) {
  for (const std::string& part : list()) value.push_back(number<std::int64_t>(part));
}
void Words::read(std::vector<double>& value) {
  for (const std::string& part : list()) value.push_back(number<double>(part));
}
void Words::read(std::int64_t& value) { value = number<std::int64_t>(next()); }
void Words::read(double& value) { value = number<double>(next()); }
void Words::read(bool& value) {
  const std::string& text = next();
  if (text != "true" && text != "false") throw BadProgram("neither true nor false: " + text);
  value = text == "true";
}
void Words::read(Scalar& value) {
  const std::string& text = next();
  if (text == "true" || text == "false") {
    value = Scalar(text == "true");
  } else if (text.find_first_of(".einf") != std::string::npos) {
    value = Scalar(number<double>(text));
  } else {
    value = Scalar(number<std::int64_t>(text));
  }
}
void Words::read(DType& value) {
  const std::string& text = next();
  for (int i = 0; i < g::kDTypeCount; ++i) {
    value = static_cast<DType>(i);
    if (g::to_string(value) == text) return;
  }
  throw BadProgram("no such dtype: " + text);
}
void Words::read(g::Reduction& value) {
  const std::string& text = next();
  for (const g::Reduction each : {g::Reduction::None, g::Reduction::Mean, g::Reduction::Sum}) {
    value = each;
    if (g::to_string(each) == text) return;
  }
  throw BadProgram("no such reduction: " + text);
}

g::TensorIndex index_of(char kind, std::int64_t a, std::int64_t b, std::int64_t c) {
  if (kind == 'i') return a;
  if (kind == 's') return g::indexing::Slice(a, b, c);
  if (kind == 'n') return g::indexing::None;
  if (kind == 'e') return g::indexing::Ellipsis;
  throw BadProgram("no such kind of index");
}

namespace {

using Integers = IntArrayRef;
using OfOne = Tensor (*)(Operand);
using OfTwo = Tensor (*)(Operand, Operand);
using WithNumber = Tensor (*)(Operand, const Scalar&);

Tensor make(DType dtype, IntArrayRef shape, const std::vector<double>& values) {
  return g::tensor(values, g::TensorOptions(g::kFloat64)).reshape(shape).to(dtype).clone();
}

Tensor make_integers(DType dtype, IntArrayRef shape, IntArrayRef values) {
  return g::tensor(std::vector<std::int64_t>(values.begin(), values.end())).reshape(shape).to(dtype).clone();
}

Tensor index_with(const Tensor& x, std::string_view kinds, IntArrayRef numbers) {
  if (kinds.empty() || kinds.size() > 3 || numbers.size() < 3 * kinds.size()) throw BadProgram("index: wrong count");
  const auto at = [&](std::size_t i) {
    return index_of(kinds[i], numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]);
  };
  if (kinds.size() == 1) return x.index({at(0)});
  if (kinds.size() == 2) return x.index({at(0), at(1)});
  return x.index({at(0), at(1), at(2)});
}

Tensor convolve(Operand x, const Tensor& weight, const Tensor& bias, Integers stride, Integers padding,
                Integers dilation, std::int64_t groups) {
  switch (x.tensor().dim()) {
    case 2:
    case 3:
      return weight.dim() == 3 ? g::conv1d(x, weight, bias, stride, padding, dilation, groups)
                               : g::conv2d(x, weight, bias, stride, padding, dilation, groups);
    case 5:
      return g::conv3d(x, weight, bias, stride, padding, dilation, groups);
    default:
      return g::conv2d(x, weight, bias, stride, padding, dilation, groups);
  }
}

Tensor batch_norm(Operand x, const Tensor& mean, const Tensor& var, const Tensor& weight, const Tensor& bias,
                  bool training, double momentum, double eps) {
  return g::nn::functional::batch_norm(
      x, mean, var,
      g::nn::functional::BatchNormFuncOptions().weight(weight).bias(bias).training(training).momentum(momentum).eps(
          eps));
}

Tensor drawn_again(const Tensor& x, double p) {  // dropout of a fixed mask
  g::manual_seed(7);
  return g::dropout(x, p, true);
}

std::map<std::string, Operation, std::less<>> other_operations();

}  // namespace

const std::map<std::string, Operation, std::less<>>& operations() {
  static const std::map<std::string, Operation, std::less<>> table = [] {
    std::map<std::string, Operation, std::less<>> all = drawn_operations();
    all.merge(other_operations());
    draw_others(all);
    return all;
  }();
  return table;
}

namespace {

std::map<std::string, Operation, std::less<>> other_operations() {
  return {
      // Making
      {"tensor", from(&make)},
      {"integers", from(&make_integers)},
      {"zeros", from(+[](Integers shape, DType dtype) { return g::zeros(shape, dtype); })},
      {"full", from(+[](Integers shape, const Scalar& value, DType dtype) { return g::full(shape, value, dtype); })},
      {"arange", from(+[](const Scalar& from, const Scalar& to, const Scalar& step, DType dtype) {
         return g::arange(from, to, step, dtype);
       })},
      {"linspace", from(+[](const Scalar& from, const Scalar& to, std::int64_t steps, DType dtype) {
         return g::linspace(from, to, steps, dtype);
       })},
      {"eye", from(+[](std::int64_t n, std::int64_t m, DType dtype) { return g::eye(n, m, dtype); })},
      {"zeros_like", from(+[](const Tensor& x) { return g::zeros_like(x); })},
      {"same", from(+[](const Tensor& x) { return x; })},

      // Pointwise
      {"neg", from(OfOne(&g::neg))},
      {"abs", from(OfOne(&g::abs))},
      {"sign", from(OfOne(&g::sign))},
      {"square", from(OfOne(&g::square))},
      {"relu", from(OfOne(&g::relu))},
      {"floor", from(OfOne(&g::floor))},
      {"ceil", from(OfOne(&g::ceil))},
      {"round", from(OfOne(&g::round))},
      {"trunc", from(OfOne(&g::trunc))},
      {"sqrt", from(OfOne(&g::sqrt))},
      {"rsqrt", from(OfOne(&g::rsqrt))},
      {"reciprocal", from(OfOne(&g::reciprocal))},
      {"exp", from(OfOne(&g::exp))},
      {"exp2", from(OfOne(&g::exp2))},
      {"expm1", from(OfOne(&g::expm1))},
      {"log", from(OfOne(&g::log))},
      {"log1p", from(OfOne(&g::log1p))},
      {"log2", from(OfOne(&g::log2))},
      {"log10", from(OfOne(&g::log10))},
      {"sin", from(OfOne(&g::sin))},
      {"cos", from(OfOne(&g::cos))},
      {"tan", from(OfOne(&g::tan))},
      {"asin", from(OfOne(&g::asin))},
      {"acos", from(OfOne(&g::acos))},
      {"atan", from(OfOne(&g::atan))},
      {"sinh", from(OfOne(&g::sinh))},
      {"cosh", from(OfOne(&g::cosh))},
      {"tanh", from(OfOne(&g::tanh))},
      {"sigmoid", from(OfOne(&g::sigmoid))},
      {"erf", from(OfOne(&g::erf))},
      {"isnan", from(OfOne(&g::isnan))},
      {"isinf", from(OfOne(&g::isinf))},
      {"isfinite", from(OfOne(&g::isfinite))},
      {"logical_not", from(OfOne(&g::logical_not))},
      {"gelu", from(&g::gelu)},
      {"silu", from(OfOne(&g::silu))},
      {"softplus", from(&g::softplus)},
      {"leaky_relu", from(&g::leaky_relu)},
      {"elu", from(+[](Operand x, const Scalar& alpha) { return g::elu(x, alpha); })},
      {"tanh_backward", from(&g::tanh_backward)},
      {"sigmoid_backward", from(&g::sigmoid_backward)},
      {"add", from(static_cast<Tensor (*)(Operand, Operand, const Scalar&)>(&g::add))},
      {"add_number", from(static_cast<Tensor (*)(Operand, const Scalar&, const Scalar&)>(&g::add))},
      {"sub", from(static_cast<Tensor (*)(Operand, Operand, const Scalar&)>(&g::sub))},
      {"sub_number", from(static_cast<Tensor (*)(Operand, const Scalar&, const Scalar&)>(&g::sub))},
      {"rsub_number", from(WithNumber(&g::rsub))},
      {"mul", from(OfTwo(&g::mul))},
      {"mul_number", from(WithNumber(&g::mul))},
      {"div", from(OfTwo(&g::div))},
      {"div_number", from(WithNumber(&g::div))},
      {"number_div", from(+[](const Scalar& a, Operand b) { return a / b; })},
      {"pow", from(OfTwo(&g::pow))},
      {"pow_number", from(WithNumber(&g::pow))},
      {"number_pow", from(static_cast<Tensor (*)(const Scalar&, Operand)>(&g::pow))},
      {"maximum", from(OfTwo(&g::maximum))},
      {"minimum", from(OfTwo(&g::minimum))},
      {"fmod", from(OfTwo(&g::fmod))},
      {"remainder", from(OfTwo(&g::remainder))},
      {"atan2", from(OfTwo(&g::atan2))},
      {"eq", from(OfTwo(&g::eq))},
      {"ne", from(OfTwo(&g::ne))},
      {"lt", from(OfTwo(&g::lt))},
      {"le", from(OfTwo(&g::le))},
      {"gt", from(OfTwo(&g::gt))},
      {"ge", from(OfTwo(&g::ge))},
      {"eq_number", from(WithNumber(&g::eq))},
      {"ne_number", from(WithNumber(&g::ne))},
      {"lt_number", from(WithNumber(&g::lt))},
      {"le_number", from(WithNumber(&g::le))},
      {"gt_number", from(WithNumber(&g::gt))},
      {"ge_number", from(WithNumber(&g::ge))},
      {"logical_and", from(OfTwo(&g::logical_and))},
      {"logical_or", from(OfTwo(&g::logical_or))},
      {"logical_xor", from(OfTwo(&g::logical_xor))},
      {"where", from(static_cast<Tensor (*)(Operand, Operand, Operand)>(&g::where))},
      {"where_number", from(static_cast<Tensor (*)(Operand, Operand, const Scalar&)>(&g::where))},
      {"clamp",
       from(static_cast<Tensor (*)(Operand, const std::optional<Scalar>&, const std::optional<Scalar>&)>(&g::clamp))},
      {"clamp_min", from(static_cast<Tensor (*)(Operand, const Scalar&)>(&g::clamp_min))},
      {"clamp_max", from(static_cast<Tensor (*)(Operand, const Scalar&)>(&g::clamp_max))},
      {"masked_fill", from(static_cast<Tensor (*)(Operand, Operand, const Scalar&)>(&g::masked_fill))},

      // Reductions and scans
      {"sum", from(static_cast<Tensor (*)(Operand, Integers, bool, std::optional<DType>)>(&g::sum))},
      {"mean", from(static_cast<Tensor (*)(Operand, Integers, bool, std::optional<DType>)>(&g::mean))},
      {"var",
       from(+[](Operand x, Integers dim, bool unbiased, bool keepdim) { return g::var(x, dim, unbiased, keepdim); })},
      {"std",
       from(+[](Operand x, Integers dim, bool unbiased, bool keepdim) { return g::std(x, dim, unbiased, keepdim); })},
      {"max", from(OfOne(&g::max))},
      {"min", from(OfOne(&g::min))},
      {"max_along", from(static_cast<std::tuple<Tensor, Tensor> (*)(Operand, std::int64_t, bool)>(&g::max))},
      {"min_along", from(static_cast<std::tuple<Tensor, Tensor> (*)(Operand, std::int64_t, bool)>(&g::min))},
      {"amax", from(&g::amax)},
      {"amin", from(&g::amin)},
      {"argmax", from(&g::argmax)},
      {"argmin", from(&g::argmin)},
      {"all", from(OfOne(&g::all))},
      {"any", from(OfOne(&g::any))},
      {"all_along", from(static_cast<Tensor (*)(Operand, std::int64_t, bool)>(&g::all))},
      {"any_along", from(static_cast<Tensor (*)(Operand, std::int64_t, bool)>(&g::any))},
      {"norm", from(WithNumber(&g::norm))},
      {"norm_along", from(static_cast<Tensor (*)(Operand, const Scalar&, Integers, bool)>(&g::norm))},
      {"logsumexp", from(&g::logsumexp)},
      {"softmax", from(static_cast<Tensor (*)(Operand, std::int64_t, std::optional<DType>)>(&g::softmax))},
      {"log_softmax", from(static_cast<Tensor (*)(Operand, std::int64_t, std::optional<DType>)>(&g::log_softmax))},
      {"sum_to_size", from(&g::sum_to_size)},
      {"cumsum", from(&g::cumsum)},
      {"cumprod", from(&g::cumprod)},
      {"prod", from(static_cast<Tensor (*)(Operand, std::optional<DType>)>(&g::prod))},
      {"prod_along", from(static_cast<Tensor (*)(Operand, std::int64_t, bool, std::optional<DType>)>(&g::prod))},
      {"linear_recurrence", from(&g::linear_recurrence)},
      {"sort", from(static_cast<std::tuple<Tensor, Tensor> (*)(Operand, std::int64_t, bool)>(&g::sort))},
      {"argsort", from(&g::argsort)},
      {"topk", from(&g::topk)},

      // Products
      {"matmul", from(OfTwo(&g::matmul))},
      {"mm", from(OfTwo(&g::mm))},
      {"bmm", from(OfTwo(&g::bmm))},
      {"mv", from(OfTwo(&g::mv))},
      {"dot", from(OfTwo(&g::dot))},
      {"outer", from(OfTwo(&g::outer))},
      {"addmm", from(&g::addmm)},

      // Views and copies
      {"reshape", from(&g::reshape)},
      {"view", from(+[](const Tensor& x, Integers shape) { return x.view(shape); })},
      {"flatten", from(&g::flatten)},
      {"permute", from(&g::permute)},
      {"transpose", from(&g::transpose)},
      {"t", from(OfOne(&g::t))},
      {"movedim", from(static_cast<Tensor (*)(Operand, std::int64_t, std::int64_t)>(&g::movedim))},
      {"squeeze", from(OfOne(&g::squeeze))},
      {"squeeze_dim", from(static_cast<Tensor (*)(Operand, std::int64_t)>(&g::squeeze))},
      {"unsqueeze", from(&g::unsqueeze)},
      {"select", from(&g::select)},
      {"slice", from(&g::slice)},
      {"narrow", from(static_cast<Tensor (*)(Operand, std::int64_t, std::int64_t, std::int64_t)>(&g::narrow))},
      {"diagonal", from(&g::diagonal)},
      {"as_strided", from(&g::as_strided)},
      {"expand", from(+[](const Tensor& x, Integers shape) { return x.expand(shape); })},
      {"split", from(static_cast<std::vector<Tensor> (*)(Operand, std::int64_t, std::int64_t)>(&g::split))},
      {"chunk", from(&g::chunk)},
      {"unbind", from(&g::unbind)},
      {"index", from(&index_with)},
      {"clone", from(OfOne(&g::clone))},
      {"contiguous", from(+[](const Tensor& x) { return x.contiguous(); })},
      {"to", from(+[](const Tensor& x, DType dtype) { return x.to(dtype); })},
      {"flip", from(&g::flip)},
      {"repeat", from(&g::repeat)},
      {"detach", from(+[](const Tensor& x) { return x.detach(); })},

      // Joining and picking
      {"cat", from(&g::cat)},
      {"stack", from(&g::stack)},
      {"index_select", from(&g::index_select)},
      {"gather", from(&g::gather)},
      {"scatter_add", from(static_cast<Tensor (*)(Integers, std::int64_t, Operand, Operand)>(&g::scatter_add))},
      {"constant_pad_nd", from(&g::constant_pad_nd)},
      {"tril", from(&g::tril)},
      {"triu", from(&g::triu)},

      // Layers
      {"linear", from(&g::nn::functional::linear)},
      {"conv", from(&convolve)},
      {"max_pool1d", from(&g::max_pool1d)},
      {"max_pool2d", from(&g::max_pool2d)},
      {"avg_pool1d", from(&g::avg_pool1d)},
      {"avg_pool2d", from(&g::avg_pool2d)},
      {"avg_pool3d", from(&g::avg_pool3d)},
      {"max_pool3d", from(&g::max_pool3d)},
      {"adaptive_avg_pool2d", from(&g::adaptive_avg_pool2d)},
      {"layer_norm", from(+[](Operand x, Integers shape, const Tensor& weight, const Tensor& bias, double eps) {
         return g::layer_norm(x, shape, weight, bias, eps);
       })},
      {"batch_norm", from(&batch_norm)},
      {"embedding", from(&g::embedding)},
      {"dropout", from(&drawn_again)},
      {"mse_loss", from(static_cast<Tensor (*)(Operand, const Tensor&, g::Reduction)>(&g::mse_loss))},
      {"binary_cross_entropy_with_logits", from(&g::binary_cross_entropy_with_logits)},
      {"cross_entropy", from(&g::cross_entropy_loss)},
      {"nll_loss", from(&g::nll_loss)},
      {"attention", from(+[](Operand query, const Tensor& key, const Tensor& value, bool is_causal) {
         return g::nn::functional::scaled_dot_product_attention(query, key, value, {}, 0, is_causal);
       })},

      // In place
      {"add_", from(+[](const Tensor& x, const Tensor& b, const Scalar& alpha) { x.add_(b, alpha); })},
      {"add_number_", from(+[](const Tensor& x, const Scalar& b, const Scalar& alpha) { x.add_(b, alpha); })},
      {"sub_", from(+[](const Tensor& x, const Tensor& b, const Scalar& alpha) { x.sub_(b, alpha); })},
      {"sub_number_", from(+[](const Tensor& x, const Scalar& b, const Scalar& alpha) { x.sub_(b, alpha); })},
      {"mul_", from(+[](const Tensor& x, const Tensor& b) { x.mul_(b); })},
      {"mul_number_", from(+[](const Tensor& x, const Scalar& b) { x.mul_(b); })},
      {"div_", from(+[](const Tensor& x, const Tensor& b) { x.div_(b); })},
      {"div_number_", from(+[](const Tensor& x, const Scalar& b) { x.div_(b); })},
      {"neg_", from(+[](const Tensor& x) { x.neg_(); })},
      {"abs_", from(+[](const Tensor& x) { x.abs_(); })},
      {"exp_", from(+[](const Tensor& x) { x.exp_(); })},
      {"log_", from(+[](const Tensor& x) { x.log_(); })},
      {"sqrt_", from(+[](const Tensor& x) { x.sqrt_(); })},
      {"relu_", from(+[](const Tensor& x) { x.relu_(); })},
      {"tanh_", from(+[](const Tensor& x) { x.tanh_(); })},
      {"sigmoid_", from(+[](const Tensor& x) { x.sigmoid_(); })},
      {"clamp_", from(+[](const Tensor& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
         x.clamp_(low, high);
       })},
      {"copy_", from(+[](const Tensor& x, const Tensor& src) { x.copy_(src); })},
      {"fill_", from(+[](const Tensor& x, const Scalar& value) { x.fill_(value); })},
      {"zero_", from(+[](const Tensor& x) { x.zero_(); })},
      {"set_item", from(+[](const Tensor& x, std::int64_t i, const Tensor& src) { x[i] = src; })},
      {"set_item_number", from(+[](const Tensor& x, std::int64_t i, const Scalar& value) { x[i] = value; })},
      {"set_index", from(+[](const Tensor& x, std::string_view kinds, Integers numbers, const Tensor& src) {
         index_with(x, kinds, numbers).copy_(src);
       })},

      // History
      {"requires_grad_", from(+[](const Tensor& x, bool wanted) { x.requires_grad_(wanted); })},
      {"detach_", from(+[](const Tensor& x) { x.detach_(); })},
      {"retain_grad", from(+[](const Tensor& x) { x.retain_grad(); })},
      {"zero_grad", from(+[](const Tensor& x) { x.zero_grad(); })},
      {"set_data", from(+[](const Tensor& x, const Tensor& other) { x.set_data(other); })},
      {"hook", from(+[](const Tensor& x, double factor) {
         x.register_hook([factor](const Tensor& g) { return g * factor; });
       })},
      {"recording", from(+[](bool on) { g::GradMode::set_enabled(on); })},
      {"backward", from(+[](const Tensor& x, const Tensor& gradient, bool retain_graph, bool create_graph) {
         x.backward(gradient, retain_graph, create_graph);
       })},
      {"grad", from(+[](const std::vector<Tensor>& y, const std::vector<Tensor>& x, bool retain_graph,
                        bool create_graph) { return g::autograd::grad(y, x, {}, retain_graph, create_graph, true); })},
      // Looking
      {"print", from(+[](const Tensor& x) { (void)g::to_string(x); })},
      {"print_graph", from(+[](const Tensor& x) { (void)g::autograd::graph_to_string(x); })},
      {"ask_requires_grad", from(+[](const Tensor& x) { return x.requires_grad(); })},
      {"ask_is_leaf", from(+[](const Tensor& x) { return x.is_leaf(); })},
      {"ask_is_view", from(+[](const Tensor& x) { return x.is_view(); })},
      {"ask_retains_grad", from(+[](const Tensor& x) { return x.retains_grad(); })},
      {"ask_grad_fn", from(+[](const Tensor& x) { return static_cast<bool>(x.grad_fn()); })},
      {"ask_equal", from(+[](const Tensor& a, const Tensor& b) { return g::equal(a, b); })},
  };
}

}  // namespace

}  // namespace programs
