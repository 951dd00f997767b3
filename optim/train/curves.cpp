#include "curves.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "curve_scale.h"

namespace gradus::train {
namespace {

constexpr double kWidth = 880, kPanelTop = 40, kPlotHeight = 210, kPlotWidth = 304;
constexpr double kLeft[] = {66, 488};

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
  .third .line, .third .key { stroke: #2da160 } .third .dot { fill: #2da160 }
  .fourth .line, .fourth .key { stroke: #a371f7; stroke-dasharray: 6 4 } .fourth .dot { fill: #a371f7 }
  .fifth .line, .fifth .key { stroke: #7d8590; stroke-dasharray: 2 4 } .fifth .dot { fill: #7d8590 }
  .bars { fill: #d9772b; fill-opacity: .7 } .accuracy .bars { fill: #3f87e5 }
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
    .third .line, .third .key { stroke: #1a7f45 } .third .dot { fill: #1a7f45 }
    .fourth .line, .fourth .key { stroke: #8250df } .fourth .dot { fill: #8250df }
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
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
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

// The classes of a panel's lines, in order.
constexpr const char* kClasses[] = {"loss", "accuracy", "third", "fourth", "fifth"};

struct Panel {
  std::string name;
  std::vector<const Curve*> lines;
  Scale scale;
  double left, top;
  double first, last;  // of the horizontal scale
  bool percent, of_epochs;

  const Curve& line() const { return *lines.front(); }
  static double at(const Curve& line, std::size_t i) {
    return line.at.empty() ? static_cast<double>(i) + 1 : line.at[i];
  }
  double x(double at) const { return left + kPlotWidth * (last > first ? (at - first) / (last - first) : 0.5); }
  double y(double value) const { return top + kPlotHeight * (1 - scale.at(value)); }
  bool drawn(double value) const { return can_be_drawn(value) && (!scale.log || value > 0); }
  std::string text_of(double value) const {
    return percent ? fmt::format("{:.2f} %", 100 * value) : fmt::format("{:.3g}", value);
  }
  // A panel of one line has its colour by what the line is.
  const char* css_class(std::size_t i) const {
    return lines.size() == 1 ? kClasses[percent ? 1 : 0] : kClasses[i % std::size(kClasses)];
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
  const double range = panel.last - panel.first;
  double step = range > 0 ? nice_step(range, 5) : 1;
  if (panel.of_epochs) step = std::max(1.0, step);
  std::vector<double> ticks;
  const double from = panel.of_epochs ? 1 : std::ceil(panel.first / step - 1e-9);
  for (int i = 0; (from + i) * step <= panel.last + 1e-9 * range; ++i) ticks.push_back((from + i) * step);
  if (panel.of_epochs && panel.last > 0 && ticks.front() > 1) ticks.insert(ticks.begin(), 1);
  for (const double tick : ticks) {
    fmt::format_to(out,
                   R"(<path class="axis" d="M{0:.1f} {1:.1f}v5"/><text x="{0:.1f}" y="{2:.1f}" text-anchor="middle">)"
                   "{3:g}</text>\n",
                   panel.x(tick), bottom, bottom + 20, std::abs(tick) < 1e-9 * step ? 0 : tick);
  }
  fmt::format_to(out,
                 R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)"
                 "\n",
                 panel.left + kPlotWidth / 2, bottom + 39, escaped(panel.line().across));
}

// Shades each run of epochs without a finite value; returns how many epochs those are.
std::size_t draw_gaps(Out out, const Panel& panel) {
  const std::vector<double>& values = panel.line().values;
  std::size_t count = 0;
  for (std::size_t i = 0; i < values.size();) {
    if (panel.drawn(values[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < values.size() && !panel.drawn(values[i])) ++i;
    count += i - begin;
    const double from = std::max(panel.left, panel.x(static_cast<double>(begin) + 0.5));
    const double to = std::min(panel.left + kPlotWidth, panel.x(static_cast<double>(i) + 0.5));
    const bool whole = panel.last < 2;
    fmt::format_to(out,
                   R"(<rect class="gap" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)"
                   "\n",
                   whole ? panel.left : from, panel.top, whole ? kPlotWidth : std::max(to - from, 1.0), kPlotHeight);
  }
  return count;
}

// How much of the horizontal axis a bar stands for.
double bar_width(const Curve& line) {
  return line.at.size() < 2 ? 1 : (line.at.back() - line.at.front()) / static_cast<double>(line.at.size() - 1);
}

void draw_bars(Out out, const Panel& panel, const Curve& line) {
  const double half = bar_width(line) / 2, bottom = panel.top + kPlotHeight;
  std::string path;
  for (std::size_t i = 0; i < line.values.size(); ++i) {
    if (!panel.drawn(line.values[i])) continue;
    const double at = Panel::at(line, i);
    fmt::format_to(std::back_inserter(path), "M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}z", panel.x(at - half), bottom,
                   panel.y(line.values[i]), panel.x(at + half), bottom);
  }
  fmt::format_to(out, "<path class=\"bars\" d=\"{}\"/>\n", path);
}

void draw_line(Out out, const Panel& panel, const Curve& line) {
  constexpr std::size_t kMaxDots = 30;
  const std::vector<double>& values = line.values;
  std::string path, dots;
  std::size_t last = values.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!panel.drawn(values[i])) continue;
    const bool begins = i == 0 || !panel.drawn(values[i - 1]);
    const bool alone = begins && (i + 1 == values.size() || !panel.drawn(values[i + 1]));
    const double x = panel.x(Panel::at(line, i)), y = panel.y(values[i]);
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", begins ? "M" : "L", x, y);
    if (alone || values.size() <= kMaxDots) {
      fmt::format_to(std::back_inserter(dots), R"(<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.5"/>)", x, y);
    }
    last = i;
  }
  if (last == values.size()) return;
  const double x = panel.x(Panel::at(line, last)), y = panel.y(values[last]);
  fmt::format_to(out,
                 R"(<path class="line" d="{}"/>{}<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/>)"
                 "\n",
                 path, dots, x, y);
  if (panel.lines.size() > 1) return;  // ends that are close together could not be read
  fmt::format_to(out,
                 R"(<text class="value" x="{:.1f}" y="{:.1f}">{}</text>)"
                 "\n",
                 x + 10, y + 4, panel.text_of(values[last]));
}

// The panel of a line alone: what is remarkable about it stands above, at the right.
void draw_note(Out out, const Panel& panel, std::size_t gaps) {
  const std::vector<double>& values = panel.line().values;
  std::string note, note_class = "note";
  const auto better = [&](double a, double b) { return !can_be_drawn(b) || (can_be_drawn(a) && a > b); };
  if (gaps > 0) {
    note_class = "wrong";
    note = fmt::format("not finite in {} epoch{}", gaps, gaps == 1 ? "" : "s");
  } else if (values.empty()) {
    note = "no epochs";
  } else if (panel.percent && values.size() > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < values.size(); ++i) best = better(values[i], values[best]) ? i : best;
    const double at = Panel::at(panel.line(), best);
    note = fmt::format("best {} in {} {:g}", panel.text_of(values[best]), escaped(panel.line().across), at);
    fmt::format_to(out,
                   R"(<circle class="ring" cx="{:.1f}" cy="{:.1f}" r="6"/>)"
                   "\n",
                   panel.x(at), panel.y(values[best]));
  } else if (panel.scale.log) {
    note = "logarithmic scale";
  }
  fmt::format_to(out,
                 R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)"
                 "\n",
                 note_class, panel.left + kPlotWidth, panel.top - 20.5, note);
}

void draw_panel(Out out, const Panel& panel) {
  if (panel.lines.size() == 1) {
    fmt::format_to(out, "<g class=\"{}\">\n", panel.css_class(0));
    fmt::format_to(out,
                   R"(<path class="key" d="M{:.1f} {:.1f}h16"/><text class="name" x="{:.1f}" y="{:.1f}">{}</text>)"
                   "\n",
                   panel.left + 2, panel.top - 25, panel.left + 27, panel.top - 20.5, escaped(panel.name));
    draw_axes(out, panel);
    const std::size_t gaps = panel.of_epochs ? draw_gaps(out, panel) : 0;
    panel.line().bars ? draw_bars(out, panel, panel.line()) : draw_line(out, panel, panel.line());
    draw_note(out, panel, gaps);
    fmt::format_to(out, "</g>\n");
    return;
  }
  fmt::format_to(out, "<g>\n<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\">{}{}</text>\n", panel.left, panel.top - 27.5,
                 escaped(panel.name), panel.scale.log ? " (logarithmic scale)" : "");
  draw_axes(out, panel);
  double key = panel.left;
  for (std::size_t i = 0; i < panel.lines.size(); ++i) {
    const Curve& line = *panel.lines[i];
    fmt::format_to(out,
                   R"(<g class="{}"><path class="key" d="M{:.1f} {:.1f}h12"/><text x="{:.1f}" y="{:.1f}">{}</text>)",
                   panel.css_class(i), key + 2, panel.top - 12, key + 19, panel.top - 8, escaped(line.name));
    key += 33 + 6.4 * static_cast<double>(line.name.size());
    line.bars ? draw_bars(out, panel, line) : draw_line(out, panel, line);
    fmt::format_to(out, "</g>\n");
  }
  fmt::format_to(out, "</g>\n");
}

// The panels in the order of their first lines, with their scales.
std::vector<Panel> panels_of(const std::vector<Curve>& lines) {
  std::vector<Panel> panels;
  std::size_t epochs = 0;
  for (const Curve& each : lines) {
    if (!each.at.empty() && each.at.size() != each.values.size()) {
      core::fail<ValueError>("curves_svg: {} must have as many places as values: {} and {}", core::in_quotes(each.name),
                             each.at.size(), each.values.size());
    }
    if (each.at.empty()) epochs = std::max(epochs, each.values.size());
    const auto known = std::find_if(panels.begin(), panels.end(), [&](const Panel& p) {
      return !each.panel.empty() && p.line().panel == each.panel;
    });
    if (known != panels.end()) {
      known->lines.push_back(&each);
    } else {
      panels.push_back(
          {each.panel.empty() ? each.name : each.panel, {&each}, {}, 0, 0, 0, 0, each.is_share, each.at.empty()});
    }
  }
  for (std::size_t i = 0; i < panels.size(); ++i) {
    Panel& panel = panels[i];
    std::vector<double> values;
    panel.first = panel.of_epochs ? 1 : HUGE_VAL;
    panel.last = panel.of_epochs ? static_cast<double>(epochs) : -HUGE_VAL;
    for (const Curve* line : panel.lines) {
      values.insert(values.end(), line->values.begin(), line->values.end());
      const double margin = line->bars ? bar_width(*line) / 2 : 0;
      for (const double at : line->at) {
        panel.first = std::min(panel.first, at - margin);
        panel.last = std::max(panel.last, at + margin);
      }
    }
    panel.scale = panel.percent ? accuracy_scale(values) : loss_scale(values, !panel.line().bars);
    panel.left = kLeft[i % 2];
    panel.top = kPanelTop + (kPanelTop + kPlotHeight + 60) * static_cast<double>(i / 2);
  }
  return panels;
}

}  // namespace

std::string curves_svg(const Curves& curves) {
  constexpr std::size_t kColumns = 120;
  constexpr double kLine = 18;
  const std::vector<std::string> lines = wrapped(curves.configuration, kColumns);
  const double head = 54 + kLine * static_cast<double>(lines.size());
  const std::vector<Panel> panels = panels_of(curves.lines);
  const std::size_t rows = (panels.size() + 1) / 2;
  const double height = head + (kPanelTop + kPlotHeight + 60) * static_cast<double>(rows);
  std::size_t epochs = 0;
  for (const Curve& each : curves.lines) epochs = each.at.empty() ? std::max(epochs, each.values.size()) : epochs;
  std::string names;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    names += (i == 0 ? "" : i + 1 == panels.size() ? " and " : ", ") + panels[i].name;
  }
  if (epochs > 0 || panels.empty() || panels.front().of_epochs) names += fmt::format(" over {} epochs", epochs);

  std::string svg;
  const Out out = std::back_inserter(svg);
  fmt::format_to(
      out,
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}")"
      R"( role="img" aria-labelledby="title description">)"
      "\n",
      kWidth, height);
  fmt::format_to(out,
                 "<title id=\"title\">{}</title>\n<desc id=\"description\">{}. "
                 "{}</desc>\n<style>{}</style>\n",
                 escaped(curves.title), escaped(names), escaped(curves.configuration), kStyle);
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
