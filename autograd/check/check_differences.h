// Upstream gradients, central differences, and the comparison of a gradient got in three ways (internal to the checks).
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../../core/array/array.h"
#include "../../core/ops/random.h"
#include "check_engine.h"
#include "check_hints.h"
#include "check_layouts.h"
#include "check_report.h"

namespace gradus::autograd::detail {

core::Array draw_normal(const core::Shape& shape, core::Generator& random);

/// An upstream gradient: one array for each output.
struct Upstream {
  std::string name;
  std::vector<core::Array> dy;
};
/// One that is contiguous, the same transposed, and another that is expanded; for outputs without dimensions only the
/// first. Of several outputs that require grad, also the first for each of them alone: the others are absent, undefined.
std::vector<Upstream> draw_upstreams(const std::vector<Tensor>& y, core::Generator& random);

/// The directions along which a tensor is moved: each element by itself, or a few random ones when there are too many.
class Directions {
 public:
  Directions(core::Array x, std::int64_t every_element, core::Generator& random);
  bool every_element() const { return random_.empty(); }
  std::size_t count() const { return every_element() ? static_cast<std::size_t>(x_.numel()) : random_.size(); }
  /// x moved up and down by a step along direction k; how far apart the two are.
  double moved(std::size_t k, double step, core::Array& up, core::Array& down) const;
  /// The components of a gradient along the directions.
  Numbers components(const core::Array& gradient) const;
  const core::Shape& shape() const { return x_.shape(); }

 private:
  core::Array x_;
  std::vector<core::Array> random_;
};

/// d(w . f)/dx along each direction.
struct Difference {
  Numbers value;
  double scale = 0;      ///< what the largest would be without cancellation: sum |w df|
  double size = 0;       ///< sum |w f|
  double rounding = 0;   ///< how much of a value may be f's rounding
  std::size_t kink = 0;  ///< direction of the largest jump between one-sided derivatives, and the jump
  double jump = 0;
};

/// The differences of one function around x.
struct Sweep {
  Directions x;
  std::function<Numbers(const core::Array&)> f;
  const Numbers& f0;  ///< f(x)
  double eps;
  /// For several w at once; the step is eps times `factor`.
  std::vector<Difference> differences(const std::vector<Numbers>& weights, double factor = 1) const;
};

/// What a hint may mention.
struct Mentions {
  const CheckOptions& options;
  const std::vector<NamedArray>& tensors;
  std::vector<NamedArray> terms;
  const std::vector<NamedNumber>& numbers;
  bool formulas_only = false;  ///< hand and graph are the same
  std::string shared = {};     ///< operations whose formulas hand and graph have in common
};

/// Who agrees with whom, and why not, given the differences for a weight. Where these don't agree they are taken once
/// more with twice the step: as far as the two differ, they aren't to be relied on.
CheckRow judged(const std::string& name, int order, const core::Array& hand, const core::Array& graph,
                const Sweep& sweep, const Numbers& weight, Difference finite, const Mentions& mentions);
/// The same for an output's value, for which there are two ways only.
CheckRow judged_values(const std::string& name, const core::Array& hand, const core::Array& graph,
                       const Mentions& mentions);

}  // namespace gradus::autograd::detail
