// Activations of straight pieces: operations of the graph (autograd/ops/activation.h), and modules around them.
//
//   Hardtanh:     y = x held within [min_val, max_val]                     ReLU6: within [0, 6]
//   Hardsigmoid:  y = x / 6 + 1 / 2 held within [0, 1]                     Hardswish: x times that (Howard and others, 2019)
//   Hardshrink:   y = x where |x| > lambda, else 0
//   Softshrink:   y = x moved by lambda towards 0, and 0 within [-lambda, lambda]
//   Threshold:    y = x where x > threshold, else value
//   PReLU:        y = x where x > 0, else w x, w learned                   He, Zhang, Ren, Sun, 2015
//   RReLU:        y = x where x > 0, else a x, a drawn in training         Xu, Wang, Chen, Li, 2015
//
//   At a kink each takes the gradient that PyTorch's takes: Hardtanh's bounds that of the flat side, PReLU and RReLU at 0 that
//   of the negative one. `inplace` overwrites the input: GradError on a leaf that requires grad.
#pragma once

#include <cstdint>

#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

struct HardtanhOptions {
  GRADUS_ARG(double, min_val) = -1;
  GRADUS_ARG(double, max_val) = 1;
  GRADUS_ARG(bool, inplace) = false;

 public:
  static constexpr auto fields = named("min_val", &HardtanhOptions::min_val_, "max_val", &HardtanhOptions::max_val_,
                                       unless(false, "inplace"), &HardtanhOptions::inplace_);
};
struct ReLU6Options {
  ReLU6Options(bool inplace = false) : inplace_(inplace) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(bool, inplace);

 public:
  static constexpr auto fields = named(unless(false, "inplace"), &ReLU6Options::inplace_);
};
using HardsigmoidOptions = ReLU6Options;
using HardswishOptions = ReLU6Options;
struct HardshrinkOptions {
  HardshrinkOptions(double lambda = 0.5) : lambda_(lambda) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(double, lambda);

 public:
  static constexpr auto fields = named("", &HardshrinkOptions::lambda_);
};
using SoftshrinkOptions = HardshrinkOptions;
struct ThresholdOptions {
  ThresholdOptions(double threshold, double value) : threshold_(threshold), value_(value) {}
  GRADUS_ARG(double, threshold);
  GRADUS_ARG(double, value);
  GRADUS_ARG(bool, inplace) = false;

 public:
  static constexpr auto fields = named("threshold", &ThresholdOptions::threshold_, "value", &ThresholdOptions::value_,
                                       unless(false, "inplace"), &ThresholdOptions::inplace_);
};
/// One weight, or one for each entry of dimension 1.
struct PReLUOptions {
  GRADUS_ARG(std::int64_t, num_parameters) = 1;
  GRADUS_ARG(double, init) = 0.25;

 public:
  static constexpr auto fields = named("num_parameters", &PReLUOptions::num_parameters_);
};
struct RReLUOptions {
  GRADUS_ARG(double, lower) = 1. / 8;
  GRADUS_ARG(double, upper) = 1. / 3;
  GRADUS_ARG(bool, inplace) = false;

 public:
  static constexpr auto fields = named("lower", &RReLUOptions::lower_, "upper", &RReLUOptions::upper_,
                                       unless(false, "inplace"), &RReLUOptions::inplace_);
};

namespace functional {
using HardtanhFuncOptions = HardtanhOptions;
using ReLU6FuncOptions = ReLU6Options;
using HardsigmoidFuncOptions = HardsigmoidOptions;
using HardswishFuncOptions = HardswishOptions;
using HardshrinkFuncOptions = HardshrinkOptions;
using SoftshrinkFuncOptions = SoftshrinkOptions;
using ThresholdFuncOptions = ThresholdOptions;
struct RReLUFuncOptions {
  GRADUS_ARG(double, lower) = 1. / 8;
  GRADUS_ARG(double, upper) = 1. / 3;
  GRADUS_ARG(bool, training) = false;
  GRADUS_ARG(bool, inplace) = false;
};
/// ValueError unless min_val <= max_val.
GRADUS_API Tensor hardtanh(Operand x, const HardtanhFuncOptions& options = {});
GRADUS_API Tensor relu6(Operand x, const ReLU6FuncOptions& options = {});
GRADUS_API Tensor hardsigmoid(Operand x, const HardsigmoidFuncOptions& options = {});
GRADUS_API Tensor hardswish(Operand x, const HardswishFuncOptions& options = {});
GRADUS_API Tensor hardshrink(Operand x, const HardshrinkFuncOptions& options = {});
/// ValueError for a negative lambda.
GRADUS_API Tensor softshrink(Operand x, const SoftshrinkFuncOptions& options = {});
GRADUS_API Tensor threshold(Operand x, const ThresholdFuncOptions& options);
/// ShapeError unless there is one weight, or one for each entry of dimension 1.
GRADUS_API Tensor prelu(Operand x, const Tensor& weight);
/// ValueError unless lower <= upper.
GRADUS_API Tensor rrelu(Operand x, const RReLUFuncOptions& options = {});
}  // namespace functional

class GRADUS_API HardtanhImpl : public FunctionLayer<HardtanhImpl, functional::hardtanh, HardtanhOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Hardtanh);

class GRADUS_API ReLU6Impl : public FunctionLayer<ReLU6Impl, functional::relu6, ReLU6Options> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(ReLU6);

class GRADUS_API HardsigmoidImpl : public FunctionLayer<HardsigmoidImpl, functional::hardsigmoid, HardsigmoidOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Hardsigmoid);

class GRADUS_API HardswishImpl : public FunctionLayer<HardswishImpl, functional::hardswish, HardswishOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Hardswish);

class GRADUS_API HardshrinkImpl : public FunctionLayer<HardshrinkImpl, functional::hardshrink, HardshrinkOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Hardshrink);

class GRADUS_API SoftshrinkImpl : public FunctionLayer<SoftshrinkImpl, functional::softshrink, SoftshrinkOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Softshrink);

class GRADUS_API ThresholdImpl : public FunctionLayer<ThresholdImpl, functional::threshold, ThresholdOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  ThresholdImpl(double threshold, double value);
};
GRADUS_MODULE(Threshold);

class GRADUS_API PReLUImpl : public Layer<PReLUImpl> {
 public:
  explicit PReLUImpl(const PReLUOptions& chosen = {});
  Tensor compute(Operand x);
  void reset() override;

  PReLUOptions options;
  Tensor weight;  ///< [num_parameters]
};
GRADUS_MODULE(PReLU);

/// In evaluation the slope is the mean of lower and upper.
class GRADUS_API RReLUImpl : public Layer<RReLUImpl> {
 public:
  explicit RReLUImpl(const RReLUOptions& chosen = {});
  Tensor compute(Operand x);
  void reset() override {}

  RReLUOptions options;
};
GRADUS_MODULE(RReLU);

}  // namespace gradus::nn
