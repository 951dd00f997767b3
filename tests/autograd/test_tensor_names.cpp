// Dtypes, devices, formats and lists under PyTorch's names; tensors made like others; tensors that become another view of
// themselves.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <random>
#include <sstream>
#include <type_traits>

#include <gradus/torch.h>

#include "../support/gradients.h"
#include "../support/pytorch.h"

namespace gradus::test {
namespace {

struct DefaultDtype {
  explicit DefaultDtype(DType dtype) { set_default_dtype(dtype); }
  ~DefaultDtype() { set_default_dtype(kFloat32); }
};
Tensor numbers(std::vector<std::int64_t> shape) {
  return arange(core::numel_of(core::Shape(shape)), kDouble).reshape(shape) + 1;
}
using Operands = std::vector<Tensor>;
void doubles(nn::Module& module) {
  for (const Tensor& p : module.parameters(false)) p.set_data(p.detach() * 2);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tensor_names)

BOOST_AUTO_TEST_CASE(borrowed_numbers_have_their_own_dtype) {
  std::vector<double> v{1, 2, 3, 4};
  std::vector<std::int64_t> n{7, 8};
  BOOST_TEST(torch::from_blob(v.data(), {2, 2}).equal(torch::tensor({{1., 2.}, {3., 4.}}, torch::kDouble)));
  BOOST_TEST(torch::from_blob(v.data(), {2, 2}, {1, 2}).equal(torch::tensor({{1., 3.}, {2., 4.}}, torch::kDouble)));
  BOOST_TEST(torch::from_blob(v, {2, 2}).data_ptr<double>() == v.data());
  BOOST_TEST(torch::from_blob(n).equal(torch::tensor({7, 8})));
  BOOST_TEST((torch::from_blob(v.data(), {2}, torch::kLong).dtype() == torch::kLong));
  BOOST_TEST((torch::from_blob(static_cast<void*>(v.data()), {2}).dtype() == torch::kFloat));
}

BOOST_AUTO_TEST_CASE(dtypes) {
  BOOST_TEST(toString(ScalarType::Long) == std::string("Long"));
  BOOST_TEST(tensor({1., 2.}).toString() == "CPUFloatType");
  BOOST_TEST(elementSize(kF64) == 8u);
  BOOST_CHECK(isFloatingType(kF32) && !isFloatingType(kI64) && isIntegralType(kU8, false));
  BOOST_CHECK(!isIntegralType(kBool, false) && isIntegralType(kBool, true));
  BOOST_CHECK(can_cast(kI64, kU8) && can_cast(kBool, kU8) && can_cast(kF64, kF32));
  BOOST_CHECK(!can_cast(kF32, kI64) && !can_cast(kU8, kBool));
  const Tensor integers = arange(3), floats = zeros({2}), one = scalar_tensor(1, kDouble);
  BOOST_CHECK(result_type(integers, floats) == kFloat32 && result_type(floats, one) == kFloat32);
  BOOST_CHECK(result_type(integers, one) == kFloat64 && result_type(integers, 2) == kInt64);
  BOOST_CHECK(result_type(2.5, integers) == kFloat32 && result_type(1, 2.5) == kFloat32 &&
              result_type(1, true) == kInt64);
  BOOST_CHECK(integers.toType(kFloat).dtype() == kFloat32 && integers.type() == kInt64);
  BOOST_CHECK_THROW(zeros({2}, kInt64).data<float>(), TypeError);
  BOOST_TEST(floats.data<float>()[1] == 0);
}

BOOST_AUTO_TEST_CASE(the_default_dtype_is_taken_where_none_is_named) {
  BOOST_CHECK(get_default_dtype() == kFloat32);
  const Tensor integers = arange(3);
  {
    const DefaultDtype changed(kDouble);
    for (const Tensor& x : {zeros({2}),
                            rand({2}),
                            tensor({0.5}),
                            tensor({{1, 2.5}}),
                            full({2}, 0.5),
                            arange(0., 2.),
                            integers + 0.5,
                            integers / integers,
                            integers.exp(),
                            scalar_tensor(1),
                            linspace(0, 1, 3),
                            tensor(std::vector<float>{1}),
                            hann_window(3),
                            logspace(0, 1, 3),
                            copysign(integers, integers),
                            logaddexp2(integers, integers),
                            logaddexp(integers, integers),
                            logit(integers),
                            special::ndtr(integers),
                            logsumexp(integers, 0),
                            sinc(integers)}) {
      BOOST_CHECK(x.dtype() == kFloat64);
    }
    BOOST_CHECK((zeros({2}, kFloat32) + 0.5).dtype() == kFloat32);
    BOOST_TEST(to_string(zeros({1})) == "tensor([0.])");
    BOOST_TEST(to_string(zeros({1}, kFloat32)) == "tensor([0.], dtype=torch.float32)");
    BOOST_CHECK(nn::Linear(2, 3)->weight.dtype() == kFloat64);
  }
  BOOST_CHECK(zeros({2}).dtype() == kFloat32);
  check_error<DTypeError>([] { set_default_dtype(kInt64); }, {"set_default_dtype: ", "int64", "kFloat"});
}

BOOST_AUTO_TEST_CASE(what_a_tensor_says_of_itself) {
  const Tensor x = zeros({2, 3}, kDouble), view = x[1];
  BOOST_CHECK(x.itemsize() == 8 && x.get_device() == -1 && !x.is_sparse() && !torch::is_complex(x));
  BOOST_CHECK(x.is_signed() && torch::is_floating_point(x) && torch::is_signed(x.to(kChar)));
  BOOST_CHECK(!x.to(kByte).is_signed() && !x.to(kBool).is_signed() && !x.is_complex());
  BOOST_CHECK(view.is_alias_of(x) && !x.clone().is_alias_of(x));
  view.mutable_data_ptr<double>()[2] = 7;
  static_assert(std::is_same_v<decltype(x.const_data_ptr<double>()), const double*>);
  BOOST_CHECK(x.const_data_ptr<double>()[5] == 7 && x.const_data_ptr<const double>()[5] == 7);
  BOOST_CHECK(x.const_data_ptr() == x.data_ptr() && x.mutable_data_ptr() == x.data_ptr());
  check_error<DTypeError>([&] { x.const_data_ptr<float>(); }, {"float32", "float64"});
  const Tensor w = (x * 2).requires_grad_(), y = w * 3;
  for (const Tensor& bare : {y.variable_data(), y.tensor_data()}) {
    BOOST_CHECK(!bare.requires_grad() && bare.data_ptr() == y.data_ptr());
  }
  {
    const InferenceMode mode;
    BOOST_CHECK(!zeros({1}).is_inference());  // and may be used where a gradient is asked for
  }
}

BOOST_AUTO_TEST_CASE(numbers_and_their_kinds) {
  const Scalar whole = 3, real = 2.5, truth = true;
  BOOST_CHECK(real.isFloatingPoint() && !whole.isFloatingPoint() && !truth.isFloatingPoint());
  BOOST_CHECK(whole.isIntegral(false) && !real.isIntegral(true) && truth.isIntegral(true) && !truth.isIntegral(false));
  BOOST_CHECK(truth.isBoolean() && !whole.isBoolean() && !real.isComplex() && whole.type() == kLong);
  BOOST_CHECK(-whole == Scalar(-3) && -real == Scalar(-2.5) && (-whole).isIntegral(false));
  check_error<DTypeError>([&] { -truth; }, {"neg: ", "true"});
}

BOOST_AUTO_TEST_CASE(threads_by_name) {
  at::set_num_interop_threads(4);
  BOOST_TEST(at::get_num_interop_threads() == 1);
  BOOST_TEST(torch::get_parallel_info().find("get_num_threads() : " + std::to_string(get_num_threads())) !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(there_is_one_device) {
  BOOST_CHECK(!torch::Device(kCPU).has_index() && torch::Device(kCPU, 0).has_index());
  const Tensor x = zeros({2});
  BOOST_CHECK(!x.is_cuda() && x.is_cpu() && !mps::is_available() && !cuda::cudnn_is_available());
  check_error<ValueError>([&] { x.cuda(); }, {"Device: ", "cuda::is_available()"});
  check_error<ValueError>([&] { x.to(kMPS); }, {"Device: ", "cuda::is_available()"});
  check_error<ValueError>([&] { x.to("cuda:0"); }, {"Device: ", "cuda:0", "cuda::is_available()"});
  BOOST_CHECK(TensorOptions().layout(kStrided).pinned_memory(false).device() == Device(kCPU));
  BOOST_CHECK(Device("cpu:0") == Device(kCPU, 0));
  BOOST_TEST(Device("cpu:0").str() == "cpu:0");
  BOOST_TEST(Device("cpu").str() == "cpu");
  check_error<ValueError>([] { Device("cpu:1"); }, {"cpu:1"});
  at::globalContext().setBenchmarkCuDNN(true);
  BOOST_CHECK(!at::globalContext().hasCUDA() && at::globalContext().deterministicAlgorithms());
}

BOOST_AUTO_TEST_CASE(conversions) {
  const Tensor x = numbers({2, 3}).requires_grad_();
  BOOST_CHECK(x.to(kDouble, false).is_same(x) && x.to(zeros({1}, kDouble)).is_same(x));
  const Tensor copy = x.to(kDouble, false, true);
  BOOST_CHECK(!copy.is_same(x) && copy.data_ptr() != x.data_ptr() && equal(copy, x) && copy.requires_grad());
  BOOST_CHECK(x.to(kCPU, kFloat, true).dtype() == kFloat32 && x.to(kCPU, true).is_same(x));
  BOOST_CHECK(x.to(zeros({1})).dtype() == kFloat32);
  const Tensor y = zeros({2, 3}, kDouble);
  y.copy_(x, true);
  BOOST_CHECK(equal(y, x.detach()));
  check_error<ShapeError>([&] { zeros({2}).fill_(zeros({1})); }, {"fill_: ", "[1]"});
}

BOOST_AUTO_TEST_CASE(channels_last) {
  const Tensor x = numbers({2, 3, 4, 5}).requires_grad_();
  const Tensor y = x.contiguous(MemoryFormat::ChannelsLast);
  BOOST_CHECK((y.strides() == IntArrayRef{60, 1, 15, 3}));
  BOOST_CHECK(y.is_contiguous(MemoryFormat::ChannelsLast) && !x.is_contiguous(MemoryFormat::ChannelsLast));
  BOOST_CHECK(!y.is_view() && equal(x, y) && y.contiguous(MemoryFormat::ChannelsLast).is_same(y));
  BOOST_CHECK(x.contiguous(MemoryFormat::Contiguous).is_same(x) && x.contiguous(MemoryFormat::Preserve).is_same(x));
  BOOST_CHECK(x.clone(MemoryFormat::ChannelsLast).strides() == y.strides());
  BOOST_CHECK(x.to(MemoryFormat::ChannelsLast).strides() == y.strides());
  BOOST_CHECK(x.to(kFloat, false, false, MemoryFormat::ChannelsLast).strides() == y.strides());
  (y * y).sum().backward();
  BOOST_CHECK(equal(x.grad(), 2 * x.detach()));
  BOOST_CHECK(
      (zeros({1, 2, 3, 4, 5}).contiguous(MemoryFormat::ChannelsLast3d).strides() == IntArrayRef{120, 1, 40, 10, 2}));
  check_error<ShapeError>([&] { x[0].contiguous(MemoryFormat::ChannelsLast); }, {"contiguous: ", "[3, 4, 5]"});
}

BOOST_AUTO_TEST_CASE(columns_and_equal_parts) {
  BOOST_TEST(equal(torch::column_stack({tensor(1), tensor(2)}), tensor({{1, 2}})));
  BOOST_TEST(equal(torch::column_stack({tensor({1, 2}), ones({2, 2}, kLong)}), tensor({{1, 1, 1}, {2, 1, 1}})));
  const Tensor x = numbers({2, 4});
  const auto halves = torch::hsplit(x, 2), at = torch::hsplit(x, {1, 3});
  BOOST_CHECK(halves.size() == 2 && equal(halves[1], x.slice(1, 2)) && halves[1]._base().is_same(x));
  BOOST_CHECK(at.size() == 3 && equal(at[1], x.slice(1, 1, 3)) && equal(x[0].hsplit(4)[3], x[0].slice(0, 3)));
  BOOST_CHECK(equal(torch::vsplit(x, 2)[1], x.slice(0, 1)) && torch::dsplit(x.unsqueeze(0), {1, 2}).size() == 3);
}

BOOST_AUTO_TEST_CASE(sums_in_a_named_dtype) {
  const Tensor x = tensor({1, 2, 4}), third = tensor({1. / 3, 1.}).to(kFloat);
  BOOST_TEST(torch::mean(x, kDouble).item<double>() == 7. / 3);
  BOOST_TEST((torch::mean(x, 0, true, kDouble).dtype() == kDouble));
  BOOST_TEST((torch::sum(third, torch::kDouble).dtype() == kDouble));
  BOOST_TEST(torch::sum(third, kDouble).item<double>() == third.to(kDouble).sum().item<double>());
  BOOST_CHECK(torch::sum(x, {}).dtype() == kInt64 && torch::sum(x, 0).item<int>() == 7);
}

BOOST_AUTO_TEST_CASE(made_like_another) {
  const Tensor x = zeros({2}, kDouble).requires_grad_();
  BOOST_CHECK(x.new_zeros({2, 3}).dtype() == kFloat64 && x.new_zeros({3}, kInt64).dtype() == kInt64);
  BOOST_CHECK(!x.new_ones(2).requires_grad() && x.new_ones(2, TensorOptions().requires_grad(true)).requires_grad());
  BOOST_CHECK(equal(x.new_full({2}, 7), tensor({7., 7.}).to(kDouble)) && x.new_empty({0, 3}).numel() == 0);
  BOOST_CHECK((x.new_empty_strided({2, 3}, {1, 2}).strides() == IntArrayRef{1, 2}));
  const Tensor wide = empty_strided({2, 3}, {10, 2});
  wide.fill_(3);
  BOOST_TEST(wide.sum().item<float>() == 18);
  BOOST_TEST(wide.array().storage()->bytes() >= 15 * 4);
  BOOST_TEST(empty_strided({2, 0}, {5, 5}).numel() == 0);
  check_error<ValueError>([] { empty_strided({2}, {-1}); }, {"empty_strided: ", "[-1]"});
  check_error<ShapeError>([] { empty_strided({2}, {1, 1}); }, {"empty_strided: ", "[1, 1]"});
  check_error<ShapeError>([] { empty_strided({1 << 20, 2}, {1LL << 50, 1}); }, {"empty_strided: "});
  BOOST_CHECK(scalar_tensor(3).dtype() == kFloat32 && scalar_tensor(3, kInt64).item<int>() == 3);
  const Tensor drawn = randint_like(zeros({50}, kInt32), 2, 5);
  BOOST_CHECK(drawn.dtype() == kInt32 && drawn.min().item<int>() == 2 && drawn.max().item<int>() == 4);
  check_error<ValueError>([] { hann_window(-1); }, {"hann_window: ", "-1"});
  check_error<DTypeError>([] { hann_window(4, kInt64); }, {"hann_window: ", "int64"});
  BOOST_TEST(hamming_window(0).numel() == 0);
}

BOOST_AUTO_TEST_CASE(normal_with_a_mean_for_each) {
  manual_seed(3);
  const Tensor mean = tensor({-5., 0., 20.}).to(kDouble), std = tensor({1., 0., 3.}).to(kDouble);
  const Tensor x = normal(mean.expand({2000, 3}), std);
  BOOST_TEST((x.mean(0) - mean).abs().max().item<double>() < 0.3);
  BOOST_TEST((x.std(IntArrayRef(0)) - std).abs().max().item<double>() < 0.2);
  BOOST_TEST((normal(mean, 0) - mean).abs().max().item<double>() == 0);
  BOOST_CHECK((normal(2., std).sizes() == IntArrayRef{3}));
  check_error<ValueError>([&] { normal(mean, -std); }, {"normal: ", "-3"});
  check_error<ShapeError>([&] { normal(mean, zeros({2}, kDouble)); }, {"normal: ", "[3]", "[2]"});
}

BOOST_AUTO_TEST_CASE(lists_and_ranges) {
  const std::vector<std::int64_t> sizes = {2, 3, 4};
  const ArrayRef<std::int64_t> list = IntArrayRef(sizes);
  BOOST_CHECK((list.slice(1) == IntArrayRef{3, 4}) && list.slice(0, 2).equals({2, 3}));
  BOOST_TEST(zeros(list).numel() == 24);
  const std::vector<std::string> words = {"a", "b"};
  const ArrayRef<std::string> text = words;
  BOOST_CHECK(text.size() == 2 && text.back() == "b" && text.slice(1).front() == "b" && !text.equals(text.slice(1)));
  const double pair[] = {0.5, 2};
  BOOST_CHECK(equal(torch::tensor(list), tensor({2, 3, 4})) &&
              equal(torch::tensor(zeros(list).sizes()), tensor({2, 3, 4})));
  BOOST_CHECK(equal(torch::tensor(at::ArrayRef<double>(pair)), tensor({0.5, 2.})));
  BOOST_CHECK(torch::tensor(3).dtype() == kInt64 && torch::tensor({1, 2}, kFloat).dtype() == kFloat32);
  int sum = 0;
  for (const auto i : irange(4)) sum += i;
  for (const auto i : irange(2, 5)) sum += i;
  for (const auto i : irange(-3)) sum += i;
  BOOST_TEST(sum == 15);
  BOOST_TEST(str("x", 2, ' ', 0.5, " ", IntArrayRef(sizes)) == "x2 0.5 [2, 3, 4]");
  std::ostringstream out;
  out << Scalar(2) << ' ' << Scalar(0.5) << ' ' << Scalar(true);
  BOOST_TEST(out.str() == "2 0.5 true");
}

BOOST_AUTO_TEST_CASE(modes_and_versions) {
  BOOST_CHECK(is_grad_enabled() && !InferenceMode::is_enabled());
  {
    const InferenceMode mode;
    BOOST_CHECK(!is_grad_enabled() && InferenceMode::is_enabled());
    const InferenceMode off(false);
    BOOST_CHECK(is_grad_enabled() && !InferenceMode::is_enabled());
  }
  BOOST_CHECK(is_grad_enabled() && !InferenceMode::is_enabled());
  const Tensor x = zeros({2, 3}), v = x[0];
  BOOST_CHECK(v._base().is_same(x) && v.is_view());
  check_error<GradError>([&] { x._base(); }, {"_base: ", "[2, 3]"});
  const std::int64_t before = x._version();
  v.add_(1);
  BOOST_TEST(x._version() > before);
  BOOST_CHECK(is_nonzero(v[0]) && !x[1][0].is_nonzero() && numel(x) == 6 && !detach(x).is_same(x));
  check_error<ShapeError>([&] { x.is_nonzero(); }, {"is_nonzero: ", "[2, 3]"});
}

BOOST_AUTO_TEST_CASE(what_changes_in_place_gives_the_tensor_back) {
  Tensor x = ones({2, 2});
  Tensor& y = x.add_(1);
  BOOST_CHECK(&y == &x);
  static_assert(std::is_same_v<decltype(x.mul_(x)), Tensor&> && std::is_same_v<decltype(x.t_()), Tensor&> &&
                std::is_same_v<decltype(x.copy_(x)), Tensor&> && std::is_same_v<decltype(relu_(x)), Tensor&>);
  BOOST_CHECK(&x.t_() == &x && &x.resize_({1}) == &x);
}

BOOST_AUTO_TEST_CASE(a_plain_function_is_applied_to_modules) {
  nn::Sequential net(nn::Linear(2, 2), nn::Linear(2, 1));
  const double before = net->parameters()[0].abs().sum().item<double>();
  net->apply(doubles);
  BOOST_TEST(net->parameters()[0].abs().sum().item<double>() == 2 * before, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(triangles_in_place_of_any_strides) {
  for (const std::int64_t diagonal : {-9, -1, 0, 2, 9}) {
    const Tensor whole = numbers({2, 4, 6}), part = whole.transpose(0, 1).slice(2, 1, {}, 2), before = part.clone();
    const Tensor rest = whole.slice(2, 0, {}, 2).clone();
    part.tril_(diagonal);
    BOOST_CHECK(equal(part, before.tril(diagonal)) && equal(whole.slice(2, 0, {}, 2), rest));
    const Tensor dense = before.clone();
    BOOST_CHECK(equal(dense.triu_(diagonal), before.triu(diagonal)));
  }
  check_error<ShapeError>([] { zeros({3}).tril_(); }, {"tril_: ", "[3]"});
}

// --- Becoming another view

BOOST_AUTO_TEST_CASE(nothing_moves_when_a_tensor_becomes_another_view) {
  const Tensor x = numbers({2, 1, 3});
  const void* const data = x.data_ptr();
  const std::int64_t version = x._version();
  x.squeeze_(1).t_().unsqueeze_(0);
  BOOST_CHECK((x.sizes() == IntArrayRef{1, 3, 2}) && x.data_ptr() == data && x._version() == version);
  BOOST_TEST(x[0][2][1].item<double>() == 6);
}

BOOST_AUTO_TEST_CASE(a_retained_gradient_has_the_new_shape) {
  const Tensor x = numbers({2, 3}).requires_grad_(), y = x * 2;
  y.retain_grad();
  y.t_();
  const Tensor w = numbers({3, 2});
  (y * w).sum().backward();
  BOOST_CHECK(equal(y.grad(), w) && equal(x.grad(), 2 * w.t()));
}

BOOST_AUTO_TEST_CASE(a_leaf_changes_its_shape_where_nothing_is_recorded) {
  const Tensor x = numbers({2, 3}).requires_grad_();
  {
    const NoGradGuard guard;
    x.t_();
  }
  BOOST_CHECK(x.is_leaf() && x.requires_grad());
  (x * x).sum().backward();
  BOOST_CHECK(equal(x.grad(), 2 * x.detach()));
  // What has a history keeps it.
  const Tensor y = x * 3, w = numbers({2, 3});
  {
    const NoGradGuard guard;
    y.transpose_(0, 1);
  }
  BOOST_CHECK(equal(autograd::grad({(y * w).sum()}, {x})[0], 3 * w.t()));
}

// Written through a view from before, through the tensor, and through a view from after.
BOOST_AUTO_TEST_CASE(views_follow_what_their_base_has_become) {
  const Tensor x = numbers({2, 3}).requires_grad_(), w = numbers({3}).requires_grad_();
  const Tensor y = x.clone(), row = y[0];
  y.t_();
  row.mul_(w);
  const Tensor later = y[2];  // [2]: column 2 of x
  y.mul_(2);
  later.add_(1);
  const Tensor expected = stack({x[0] * w * 2, x[1] * 2}).t();
  BOOST_CHECK(equal(y.narrow(0, 0, 2), expected.narrow(0, 0, 2)) && equal(y[2], expected[2] + 1));
  BOOST_CHECK(equal(row, y.select(1, 0)) && row.requires_grad());
  const Tensor up = numbers({3, 2}), of_row = numbers({3});
  const auto ours = autograd::grad({(y * up).sum() + (row * of_row).sum()}, {x, w}, {}, true);
  const auto theirs = autograd::grad({(expected * up).sum() + (expected.select(1, 0) * of_row).sum()}, {x, w});
  BOOST_CHECK(equal(ours[0], theirs[0]) && equal(ours[1], theirs[1]));
}

// Views are taken, become other views, and are written through, in drawn order: the gradients of all are those of finite
// differences, which know nothing of histories.
BOOST_AUTO_TEST_CASE(drawn_programs_of_views_in_place) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    const autograd::TensorFunction program = [seed](const Operands& in) {
      std::mt19937 random(seed);
      const auto draw = [&](std::int64_t below) { return static_cast<std::int64_t>(random()) % below; };
      Operands all = {in[0] * 1.5};
      for (int step = 0; step < 9; ++step) {
        const Tensor x = all[static_cast<std::size_t>(draw(static_cast<std::int64_t>(all.size())))];
        const Tensor w = in[1].select(0, draw(3));
        const std::int64_t dims = x.dim(), dim = dims == 0 ? 0 : draw(dims);
        switch (draw(8)) {
          case 0:
            if (dims > 0) all.push_back(x.select(dim, draw(x.size(dim))));
            break;
          case 1:
            if (dims > 0 && x.size(dim) > 1) all.push_back(x.slice(dim, draw(2), {}, 1 + draw(2)));
            break;
          case 2:
            if (dims > 1) x.transpose_(dim, draw(dims));
            break;
          case 3:
            if (dims < 5) x.unsqueeze_(draw(dims + 1));
            break;
          case 4:
            x.squeeze_();
            break;
          case 5:
            x.mul_(w);
            break;
          case 6:
            x.add_(w);
            break;
          default:
            if (dims == 2)
              x.t_();
            else if (dims > 2)
              all.push_back(x.swapaxes(0, dim));
        }
      }
      Operands sums;
      for (const Tensor& x : all) sums.push_back((x.reshape({-1}) * arange(1, x.numel() + 1, kDouble)).sum());
      return Operands{stack(sums)};
    };
    const Tensor x = (numbers({2, 3, 2}) / 8).requires_grad_(), w = (numbers({3}) / 4).requires_grad_();
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_CHECK(gradcheck(program, {x, w}));
      if (seed % 10 == 0) BOOST_CHECK(gradgradcheck(program, {x, w}));
    }
  }
}

BOOST_AUTO_TEST_CASE(resizing) {
  Tensor x = numbers({2, 3});
  const void* const data = x.data_ptr();
  x.resize_({2, 2});
  BOOST_CHECK((values(x) == std::vector<double>{1, 2, 3, 4}) && x.data_ptr() == data);
  x.resize_({3, 2});
  BOOST_CHECK((values(x) == std::vector<double>{1, 2, 3, 4, 5, 6}));
  x.resize_({2, 4});
  BOOST_CHECK((x.sizes() == IntArrayRef{2, 4}) && equal(x.view(8).narrow(0, 0, 6), numbers({6})));
  x.resize_({0, 5});
  BOOST_TEST(x.numel() == 0);
  const Tensor y = numbers({2}), v = y[0];
  check_error<ValueError>([&] { y.resize_({3}); }, {"resize_: ", "[2]", "[3]", "clone()"});
  check_error<ValueError>([&] { v.resize_({3}); }, {"resize_: ", "clone()"});
  check_error<GradError>([&] { (numbers({2}).requires_grad_() * 2).resize_({1}); }, {"resize_: ", "[2]"});
  check_error<ShapeError>([&] { y.resize_({-1}); }, {"resize_: ", "-1"});
  BOOST_CHECK((y.sizes() == IntArrayRef{2}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
