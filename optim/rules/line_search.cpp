#include "line_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace gradus::optim::detail {

namespace {

// Where the cubic through two points, with their slopes, has its minimum, kept within bounds; their middle where it has
// none. (Nocedal and Wright, equation 3.59.)
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double at = a.t <= b.t ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
                               : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return std::min(std::max(at, low), high);
}

}  // namespace

WolfeSearch strong_wolfe(const LinePoint& start, double first, double widest, std::int64_t most,
                         const std::function<LinePoint(double t)>& look) {
  constexpr double c1 = 1e-4, c2 = 0.9, narrowest = 1e-9;  // PyTorch's, whatever tolerance_change is
  const auto is_too_high = [&](const LinePoint& p) { return p.loss > start.loss + c1 * p.t * start.slope; };
  const auto is_flat = [&](const LinePoint& p) { return std::abs(p.slope) <= -c2 * start.slope; };
  // Outwards, until there must be a good point between the last two.
  LinePoint now = look(first), previous = start;
  std::int64_t evaluations = 1, tries = 0;
  for (; tries < most; ++tries) {
    if (is_too_high(now) || (tries > 1 && now.loss >= previous.loss)) break;
    if (is_flat(now)) return {std::move(now), evaluations};
    if (now.slope >= 0) break;
    const double t = cubic_minimum(previous, now, now.t + 0.01 * (now.t - previous.t), now.t * 10);
    previous = std::move(now);
    now = look(t);
    ++evaluations;
  }
  // Inwards.
  std::array<LinePoint, 2> bracket{tries >= most ? start : previous, now};
  bool is_slow = false;
  std::size_t low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  while (tries < most && std::abs(bracket[1].t - bracket[0].t) * widest >= narrowest) {
    const double left = std::min(bracket[0].t, bracket[1].t), right = std::max(bracket[0].t, bracket[1].t);
    double t = cubic_minimum(bracket[0], bracket[1], left, right);
    const double margin = 0.1 * (right - left);
    if (std::min(right - t, t - left) < margin) {  // close to an end: once may do, twice does not
      if (is_slow || t >= right || t <= left) {
        t = std::abs(t - right) < std::abs(t - left) ? right - margin : left + margin;
        is_slow = false;
      } else {
        is_slow = true;
      }
    } else {
      is_slow = false;
    }
    const LinePoint middle = look(t);
    ++evaluations, ++tries;
    const std::size_t high = 1 - low;
    if (is_too_high(middle) || middle.loss >= bracket[low].loss) {
      bracket[high] = middle;
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
      continue;
    }
    const bool is_found = is_flat(middle);
    if (!is_found && middle.slope * (bracket[high].t - bracket[low].t) >= 0) bracket[high] = bracket[low];
    bracket[low] = middle;
    if (is_found) break;
  }
  return {bracket[low], evaluations};
}

}  // namespace gradus::optim::detail
