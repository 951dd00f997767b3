// The scales of curves.cpp's panels.
#pragma once

#include <string>
#include <vector>

namespace gradus::train {

struct Tick {
  double value;
  std::string label;
};

/// A vertical scale: values from `low` to `high`, on a logarithmic scale where `log`.
struct Scale {
  double low = 0, high = 1;
  bool log = false;
  std::vector<Tick> ticks;

  /// 0 at the bottom, 1 at the top.
  double at(double value) const;
};

/// Not beyond what any picture shows, and near where the arithmetic on it would overflow.
bool can_be_drawn(double value);
/// 1, 2 or 5 times a power of ten, so that `range` takes at most `steps` of them.
double nice_step(double range, int steps);
/// From 0, unless the values fall far and `may_be_log`.
Scale loss_scale(const std::vector<double>& values, bool may_be_log = true);
/// Up to 100 %, from a round value below the least.
Scale accuracy_scale(const std::vector<double>& values);

}  // namespace gradus::train
