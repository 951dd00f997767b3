#include "curves.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace gradus::train {
namespace {

constexpr double kWidth = 880, kPanelTop = 40, kPlotHeight = 210, kPlotWidth = 304;
constexpr double kLeft[] = {66, 488};
constexpr double kLogFrom = 12;  // the largest loss by the smallest from which a linear scale would show a flat line

// The rules without a theme are for viewers that know no media queries: tones that can be read on white and on black.
// With a theme the page is painted as well, for a viewer's theme need not be that of the document around the picture.
constexpr std::string_view kStyle = R"(
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
         font-variant-numeric: tabular-nums; fill: #7d8590 }
  .title { font-size: 17px; font-weight: 600; fill: #7d8590 }
  .name { font-size: 13px; font-weight: 600; fill: #7d8590 }
  .page { fill: none; stroke: none }
  .grid { stroke: #7d8590; stroke-opacity: .22 }
  .axis { stroke: #7d8590; stroke-opacity: .7 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
  .loss .line, .loss .key { stroke: #d9772b } .loss .dot, .loss .value { fill: #d9772b }
  .accuracy .line, .accuracy .key { stroke: #3f87e5 } .accuracy .dot, .accuracy .value { fill: #3f87e5 }
  .key { stroke-width: 3; stroke-linecap: round }
  .value { font-weight: 600 }
  .ring { fill: none; stroke: #3f87e5; stroke-width: 1.5 }
  .gap { fill: #e5534b; fill-opacity: .13 } .wrong { fill: #e5534b }
  @media (prefers-color-scheme: light) {
    .page { fill: #ffffff; stroke: #d8dee4 }
    text { fill: #59636e } .title, .name { fill: #1f2328 }
    .grid { stroke: #d8dee4; stroke-opacity: .75 } .axis { stroke: #afb8c1; stroke-opacity: 1 }
    .loss .line, .loss .key { stroke: #c4570c } .loss .dot, .loss .value { fill: #c4570c }
    .accuracy .line, .accuracy .key, .ring { stroke: #0b66d4 } .accuracy .dot, .accuracy .value { fill: #0b66d4 }
    .wrong { fill: #c9242d }
  }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d }
    text { fill: #9198a1 } .title, .name { fill: #f0f6fc }
    .grid { stroke: #30363d; stroke-opacity: .75 } .axis { stroke: #57606a; stroke-opacity: 1 }
    .loss .line, .loss .key { stroke: #f0883e } .loss .dot, .loss .value { fill: #f0883e }
    .accuracy .line, .accuracy .key, .ring { stroke: #58a6ff } .accuracy .dot, .accuracy .value { fill: #58a6ff }
    .wrong { fill: #ff7b72 }
  }
)";

// Text as XML may hold it: the five characters escaped, control characters, which XML forbids, as spaces.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += (c >= 0 && c < 0x20) || c == 0x7f ? ' ' : c;
    }
  }
  return out;
}

std::vector<std::string> wrapped(const std::string& text, std::size_t columns) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.size();
    if (end - at > columns) {
      const std::size_t space = text.rfind(' ', at + columns);
      // One word of that length is not cut: it might be cut within a character.
      end = space != std::string::npos && space > at ? space : std::min(text.find(' ', at), text.size());
    }
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Beyond what any picture shows, and near where the arithmetic on it would overflow.
bool can_be_drawn(double value) { return std::abs(value) < 1e300; }

// 1, 2 or 5 times a power of ten, so that `range` takes at most `steps` of them.
double nice_step(double range, int steps) {
  const double rough = range / steps, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

struct Tick {
  double value;
  std::string label;
};

// A vertical scale: values from `low` to `high`, on a logarithmic scale where `log`.
struct Scale {
  double low = 0, high = 1;
  bool log = false;
  std::vector<Tick> ticks;

  // 0 at the bottom, 1 at the top.
  double at(double value) const {
    return log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low)) : (value - low) / (high - low);
  }
};

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

// From 0, unless the values fall far.
Scale loss_scale(const std::vector<double>& values) {
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (const double value : values) {
    if (!can_be_drawn(value)) continue;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  if (least > 1e-300 && most > kLogFrom * least) return log_scale(least, most);
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

// Up to 100 %, from a round value below the least.
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

struct Panel {
  const char* css_class;
  std::string name;
  const std::vector<double>& values;
  Scale scale;
  double left, top;
  std::size_t epochs;  // of all panels: they share the horizontal scale
  bool percent;

  double x(double epoch) const {
    return left + kPlotWidth * (epochs < 2 ? 0.5 : (epoch - 1) / (static_cast<double>(epochs) - 1));
  }
  double y(double value) const { return top + kPlotHeight * (1 - scale.at(value)); }
  bool drawn(std::size_t i) const { return can_be_drawn(values[i]) && (!scale.log || values[i] > 0); }
  std::string text_of(double value) const {
    return percent ? fmt::format("{:.2f} %", 100 * value) : fmt::format("{:.3g}", value);
  }
};

using Out = std::back_insert_iterator<std::string>;

void draw_axes(Out out, const Panel& panel) {
  const double right = panel.left + kPlotWidth, bottom = panel.top + kPlotHeight;
  for (const Tick& tick : panel.scale.ticks) {
    const double y = panel.y(tick.value);
    fmt::format_to(out, R"(<path class="{}" d="M{:.1f} {:.1f}H{:.1f}"/>)",
                   tick.value == panel.scale.low ? "axis" : "grid", panel.left, y, right);
    fmt::format_to(out,
                   R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)"
                   "\n",
                   panel.left - 9, y + 4, tick.label);
  }
  const auto last = static_cast<double>(panel.epochs);
  const double step = panel.epochs < 2 ? 1 : std::max(1.0, nice_step(last - 1, 5));
  std::vector<double> ticks;
  for (double epoch = step; epoch <= last; epoch += step) ticks.push_back(epoch);
  if (panel.epochs > 0 && ticks.front() > 1) ticks.insert(ticks.begin(), 1);
  for (const double epoch : ticks) {
    fmt::format_to(out,
                   R"(<path class="axis" d="M{0:.1f} {1:.1f}v5"/><text x="{0:.1f}" y="{2:.1f}" text-anchor="middle">)"
                   "{3:.0f}</text>\n",
                   panel.x(epoch), bottom, bottom + 20, epoch);
  }
  fmt::format_to(out,
                 R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">epoch</text>)"
                 "\n",
                 panel.left + kPlotWidth / 2, bottom + 39);
}

// Shades each run of epochs without a finite value; returns how many epochs those are.
std::size_t draw_gaps(Out out, const Panel& panel) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < panel.values.size();) {
    if (panel.drawn(i)) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < panel.values.size() && !panel.drawn(i)) ++i;
    count += i - begin;
    const double from = std::max(panel.left, panel.x(static_cast<double>(begin) + 0.5));
    const double to = std::min(panel.left + kPlotWidth, panel.x(static_cast<double>(i) + 0.5));
    const bool whole = panel.epochs < 2;
    fmt::format_to(out,
                   R"(<rect class="gap" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)"
                   "\n",
                   whole ? panel.left : from, panel.top, whole ? kPlotWidth : std::max(to - from, 1.0), kPlotHeight);
  }
  return count;
}

void draw_line(Out out, const Panel& panel) {
  constexpr std::size_t kMaxDots = 30;
  std::string path, dots;
  std::size_t last = panel.values.size();
  for (std::size_t i = 0; i < panel.values.size(); ++i) {
    if (!panel.drawn(i)) continue;
    const bool begins = i == 0 || !panel.drawn(i - 1);
    const bool alone = begins && (i + 1 == panel.values.size() || !panel.drawn(i + 1));
    const double x = panel.x(static_cast<double>(i) + 1), y = panel.y(panel.values[i]);
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", begins ? "M" : "L", x, y);
    if (alone || panel.values.size() <= kMaxDots) {
      fmt::format_to(std::back_inserter(dots), R"(<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.5"/>)", x, y);
    }
    last = i;
  }
  if (last == panel.values.size()) return;
  const double x = panel.x(static_cast<double>(last) + 1), y = panel.y(panel.values[last]);
  fmt::format_to(out,
                 R"(<path class="line" d="{}"/>{}<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/>)"
                 "\n",
                 path, dots, x, y);
  fmt::format_to(out,
                 R"(<text class="value" x="{:.1f}" y="{:.1f}">{}</text>)"
                 "\n",
                 x + 10, y + 4, panel.text_of(panel.values[last]));
}

void draw_panel(Out out, const Panel& panel) {
  fmt::format_to(out, "<g class=\"{}\">\n", panel.css_class);
  fmt::format_to(out,
                 R"(<path class="key" d="M{:.1f} {:.1f}h16"/><text class="name" x="{:.1f}" y="{:.1f}">{}</text>)"
                 "\n",
                 panel.left + 2, panel.top - 25, panel.left + 27, panel.top - 20.5, escaped(panel.name));
  draw_axes(out, panel);
  const std::size_t gaps = draw_gaps(out, panel);
  draw_line(out, panel);

  std::string note, note_class = "note";
  const auto better = [&](double a, double b) { return !can_be_drawn(b) || (can_be_drawn(a) && a > b); };
  if (gaps > 0) {
    note_class = "wrong";
    note = fmt::format("not finite in {} epoch{}", gaps, gaps == 1 ? "" : "s");
  } else if (panel.values.empty()) {
    note = "no epochs";
  } else if (panel.percent && panel.values.size() > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < panel.values.size(); ++i) best = better(panel.values[i], panel.values[best]) ? i : best;
    note = fmt::format("best {} in epoch {}", panel.text_of(panel.values[best]), best + 1);
    fmt::format_to(out,
                   R"(<circle class="ring" cx="{:.1f}" cy="{:.1f}" r="6"/>)"
                   "\n",
                   panel.x(static_cast<double>(best) + 1), panel.y(panel.values[best]));
  } else if (panel.scale.log) {
    note = "logarithmic scale";
  }
  fmt::format_to(out,
                 R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)"
                 "\n</g>\n",
                 note_class, panel.left + kPlotWidth, panel.top - 20.5, note);
}

}  // namespace

std::string curves_svg(const Curves& curves) {
  constexpr std::size_t kColumns = 120;
  constexpr double kLine = 18;
  const std::vector<std::string> lines = wrapped(curves.configuration, kColumns);
  const double head = 54 + kLine * static_cast<double>(lines.size());
  const std::size_t rows = (curves.lines.size() + 1) / 2;
  const double height = head + (kPanelTop + kPlotHeight + 60) * static_cast<double>(rows);
  std::size_t epochs = 0;
  for (const Curve& each : curves.lines) epochs = std::max(epochs, each.values.size());
  std::vector<Panel> panels;
  std::string names;
  for (std::size_t i = 0; i < curves.lines.size(); ++i) {
    const Curve& each = curves.lines[i];
    const double top = kPanelTop + (kPanelTop + kPlotHeight + 60) * static_cast<double>(i / 2);
    panels.push_back({each.is_share ? "accuracy" : "loss", each.name, each.values,
                      each.is_share ? accuracy_scale(each.values) : loss_scale(each.values), kLeft[i % 2], top, epochs,
                      each.is_share});
    names += (i == 0 ? "" : i + 1 == curves.lines.size() ? " and " : ", ") + each.name;
  }

  std::string svg;
  const Out out = std::back_inserter(svg);
  fmt::format_to(
      out,
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}")"
      R"( role="img" aria-labelledby="title description">)"
      "\n",
      kWidth, height);
  fmt::format_to(out,
                 "<title id=\"title\">{}</title>\n<desc id=\"description\">{} over {} epochs. "
                 "{}</desc>\n<style>{}</style>\n",
                 escaped(curves.title), escaped(names), epochs, escaped(curves.configuration), kStyle);
  fmt::format_to(out,
                 R"(<rect class="page" x="0.5" y="0.5" width="{:.0f}" height="{:.0f}" rx="8"/>)"
                 "\n",
                 kWidth - 1, height - 1);
  fmt::format_to(out,
                 R"(<text class="title" x="24" y="36">{}</text>)"
                 "\n",
                 escaped(curves.title));
  double y = 58;
  for (const std::string& line : lines) {
    fmt::format_to(out,
                   R"(<text x="24" y="{:.0f}">{}</text>)"
                   "\n",
                   y, escaped(line));
    y += kLine;
  }
  fmt::format_to(out, "<g transform=\"translate(0 {:.0f})\">\n", head);
  for (const Panel& panel : panels) draw_panel(out, panel);
  svg += "</g>\n</svg>\n";
  return svg;
}

}  // namespace gradus::train
