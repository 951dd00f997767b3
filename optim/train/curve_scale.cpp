#include "curve_scale.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gradus::train {

bool can_be_drawn(double value) { return std::abs(value) < 1e300; }

double nice_step(double range, int steps) {
  const double rough = range / steps, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

double Scale::at(double value) const {
  return log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low)) : (value - low) / (high - low);
}

namespace {

constexpr double kLogFrom = 12;  // the largest loss by the smallest from which a linear scale would show a flat line

std::vector<Tick> linear_ticks(double low, double high, double step, double unit, const char* suffix) {
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step * unit) + 1e-9)));
  std::vector<Tick> ticks;
  const int count = static_cast<int>(std::lround((high - low) / step));
  for (int i = 0; i <= count; ++i) {
    const double value = low + i * step;
    ticks.push_back({value, std::abs(value) < 1e6 ? fmt::format("{:.{}f}{}", value * unit, decimals, suffix)
                                                  : fmt::format("{:.3g}{}", value * unit, suffix)});
  }
  return ticks;
}

// From the last tick at or below `least` to the first at or above `most`; both are positive.
Scale log_scale(double least, double most) {
  const int first = static_cast<int>(std::floor(std::log10(least)));
  const int last = static_cast<int>(std::ceil(std::log10(most)));
  const int every = (last - first + 5) / 6;  // decades between two ticks
  Scale scale;
  scale.log = true;
  for (int decade = first; decade <= last; decade += every) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor > 1 && last - first > 3) continue;
      const double value = factor * std::pow(10, decade);
      if (value <= least * (1 + 1e-9)) scale.ticks.clear();
      if (scale.ticks.empty() || scale.ticks.back().value < most * (1 - 1e-9)) {
        scale.ticks.push_back({value, fmt::format("{:.3g}", value)});
      }
    }
  }
  scale.low = std::min(least, scale.ticks.front().value);
  scale.high = std::max(most, scale.ticks.back().value);
  return scale;
}

}  // namespace

Scale loss_scale(const std::vector<double>& values, bool may_be_log) {
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (const double value : values) {
    if (!can_be_drawn(value)) continue;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  if (may_be_log && least > 1e-300 && most > kLogFrom * least) return log_scale(least, most);
  Scale scale;
  scale.low = std::min(0.0, least);
  scale.high = std::max(0.0, most);
  if (!(scale.high > scale.low)) scale.high = scale.low + 1;
  const double step = nice_step(scale.high - scale.low, 5);
  scale.low = step * std::floor(scale.low / step + 1e-9);
  scale.high = step * std::ceil(scale.high / step - 1e-9);
  scale.ticks = linear_ticks(scale.low, scale.high, step, 1, "");
  return scale;
}

Scale accuracy_scale(const std::vector<double>& values) {
  Scale scale;
  double least = HUGE_VAL;
  for (const double value : values) least = can_be_drawn(value) ? std::min(least, value) : least;
  if (least == HUGE_VAL) least = 0;
  const double step = nice_step(std::clamp(1 - least, 0.01, 1.0), 5);
  // A little room below the least value, for its label stands beside it.
  scale.low = std::max(0.0, 1 - step * std::ceil((1 - std::clamp(least, 0.0, 0.99)) / step + 0.05));
  scale.ticks = linear_ticks(scale.low, 1, step, 100, " %");
  return scale;
}

}  // namespace gradus::train
