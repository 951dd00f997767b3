#include "page_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "../../core/base/fail.h"
#include "layout.h"

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }
constexpr double kUnknown = -1;

// A norm: six digits say enough.
std::string norm_text(double x) {
  if (x == kUnknown) return "null";
  return std::isfinite(x) ? fmt::format("{:.6g}", x) : number(x);
}

class Data {
 public:
  explicit Data(const Recording& recording) : r_(recording) {}

  std::string all(const std::string& title, const std::string& language, bool sources) {
    find_timeline();
    find_norms();
    w_.open('{');
    w_.member("format", quoted("gradus.page"));
    w_.member("version", "1");
    w_.member("title", quoted(title));
    w_.member("language", quoted(language));
    w_.line();
    w_.member("record", record_json(r_));
    layout();
    timeline();
    norms();
    waits();
    stops();
    write_memory(w_, r_, times_);
    write_saved_bars(w_, r_, times_);
    write_formulas(w_, r_);
    if (sources) write_sources(w_, r_);
    w_.close('}');
    return std::move(w_.out) + "\n";
  }

 private:
  void location(Location where) {
    w_.member("file", where ? quoted(where.file()) : "null");
    w_.member("line", where ? fmt::format("{}", where.line()) : "null");
  }

  void layout() {
    const Layout layout = layout_of(r_);
    w_.line();
    w_.key("layout");
    w_.open('{');
    int id = 0;
    w_.list("containers", layout.containers, [&](const LayoutContainer& c) {
      w_.object([&] {
        w_.member("id", place(id++));
        w_.member("path", quoted(c.path));
        w_.member("call", place(c.call));
        w_.member("parent", place(c.parent));
        if (!c.label.empty()) w_.member("label", quoted(c.label));
        w_.key("ranks");
        w_.open('[');
        for (const auto& rank : c.ranks) {
          w_.open('[');
          for (const LayoutItem& item : rank) {
            static constexpr const char* kinds[] = {"op", "container", "value"};
            w_.object([&] { w_.member(kinds[item.kind], place(item.id)); });
          }
          w_.close(']');
        }
        w_.close(']');
        w_.member("same_as", place(c.same_as));
        w_.member("repeat", place(c.repeat));
        w_.member("operations", place(c.operations));
      });
    });
    w_.list("container_of", layout.container_of, [&](int c) { w_.value(place(c)); });
    w_.key("edges");
    w_.open('[');
    for (int o = 0; o < static_cast<int>(r_.operations.size()); ++o) {
      const Range inputs = r_.operations[at(o)].inputs;
      for (std::uint32_t k = inputs.first; k < inputs.last; ++k) {
        const int v = r_.links[k];
        if (v < 0) continue;
        w_.object([&] {
          w_.member("from", place(r_.values[at(v)].operation));
          w_.member("output", place(r_.values[at(v)].output));
          w_.member("value", place(v));
          w_.member("to", place(o));
          w_.member("input", place(static_cast<int>(k - inputs.first)));
        });
      }
    }
    w_.close(']');
    w_.close('}');
  }

  // What happened, in this order; a step that threw stands at its pass's end.
  void find_timeline() {
    times_.of_operations.assign(r_.operations.size(), -1);
    times_.of_steps.assign(r_.steps.size(), -1);
    times_.of_updates.assign(r_.updates.size(), -1);
    const auto happened = [&](int kind, int of) {
      int& time = (kind == 0 ? times_.of_operations : kind == 1 ? times_.of_steps : times_.of_updates)[at(of)];
      if (time >= 0) return;
      time = static_cast<int>(timeline_.size());
      timeline_.emplace_back(kind, of);
    };
    std::vector<std::vector<int>> steps(r_.passes.size());
    for (int s = 0; s < static_cast<int>(r_.steps.size()); ++s) steps[at(r_.steps[at(s)].pass)].push_back(s);
    for (const RecordedMoment& m : r_.moments) {
      if (m.kind == RecordedMoment::kOperation) happened(0, m.of);
      if (m.kind == RecordedMoment::kStep) happened(1, m.of);
      if (m.kind == RecordedMoment::kUpdate) happened(2, m.of);
      if (m.kind == RecordedMoment::kEnd) {
        for (const int s : steps[at(m.of)]) happened(1, s);
      }
      times_.of_moments.push_back(static_cast<int>(timeline_.size()) - 1);
    }
    for (const auto& rest : steps) {  // of passes that went on when the record ended
      for (const int s : rest) happened(1, s);
    }
  }
  void timeline() {
    w_.list("timeline", timeline_, [&](const std::pair<int, int>& entry) {
      static constexpr const char* kinds[] = {"forward", "backward", "update"};
      w_.object([&] {
        w_.member("kind", quoted(kinds[entry.first]));
        w_.member("of", place(entry.second));
      });
    });
    std::vector<int> starts(r_.passes.size(), -1);
    for (int t = 0; t < static_cast<int>(timeline_.size()); ++t) {
      if (timeline_[at(t)].first != 1) continue;
      int& start = starts[at(r_.steps[at(timeline_[at(t)].second)].pass)];
      if (start < 0) start = t;
    }
    std::erase(starts, -1);
    std::sort(starts.begin(), starts.end());
    w_.list("backward_starts", starts, [&](int t) { w_.value(place(t)); });
  }

  using Port = std::tuple<int, int, int>;  // pass, operation, output
  double norm_of(const RecordedGradient& g) const { return g.known ? r_.norm(g.numbers, g.shape) : kUnknown; }
  void find_norms() {
    norms_.assign(r_.gradients.size(), kUnknown);
    for (const RecordedArrival& a : r_.arrivals) {
      arrived_[{a.pass, a.operation, a.output}] = norm_of(a.gradient);
    }
    for (const RecordedStep& s : r_.steps) {
      for (std::uint32_t k = s.of_outputs.first; k < s.of_outputs.last; ++k) {
        norms_[k] = norm_of(r_.gradients[k]);
        arrived_[{s.pass, s.operation, r_.gradients[k].index}] = norms_[k];
      }
    }
    // What goes on as it is has the norm that it arrives with.
    for (const RecordedStep& s : r_.steps) {
      for (std::uint32_t k = s.of_inputs.first; k < s.of_inputs.last; ++k) {
        const RecordedGradient& g = r_.gradients[k];
        norms_[k] = norm_of(g);
        const auto found = g.known ? arrived_.end() : arrived_.find({s.pass, g.to, g.to_output});
        if (found != arrived_.end()) norms_[k] = found->second;
      }
    }
  }
  void norms() {
    const auto of = [&](const char* name, Range range) {
      w_.key(name);
      w_.open('[');
      for (std::uint32_t k = range.first; k < range.last; ++k) w_.value(norm_text(norms_[k]));
      w_.close(']');
    };
    w_.list("norms", r_.steps, [&](const RecordedStep& s) {
      w_.object([&] {
        of("of_outputs", s.of_outputs);
        of("of_inputs", s.of_inputs);
      });
    });
  }

  struct Contribution {
    int step, input, output;
    double norm;
  };
  void contributions(const std::vector<Contribution>& given) {
    w_.member("expected", place(static_cast<int>(given.size())));
    w_.key("contributions");
    w_.open('[');
    for (const Contribution& c : given) {
      w_.object([&] {
        w_.member("from_step", place(c.step));
        w_.member("input", place(c.input));
        w_.member("output", place(c.output));
        w_.member("norm", norm_text(c.norm));
      });
    }
    w_.close(']');
  }
  // What came to a node before it ran, or to a leaf: by the outputs of a pass (no step), and by steps.
  void waits() {
    std::map<std::pair<int, int>, std::vector<Contribution>> given;  // to a pass's operation
    for (int p = 0; p < static_cast<int>(r_.passes.size()); ++p) {
      const Range outputs = r_.passes[at(p)].outputs;
      for (std::uint32_t k = outputs.first; k < outputs.last; ++k) {
        if (r_.links[k] < 0) continue;
        const RecordedValue& v = r_.values[at(r_.links[k])];
        given[{p, v.operation}].push_back({-1, -1, v.output, kUnknown});
      }
    }
    for (int s = 0; s < static_cast<int>(r_.steps.size()); ++s) {
      const RecordedStep& step = r_.steps[at(s)];
      for (std::uint32_t k = step.of_inputs.first; k < step.of_inputs.last; ++k) {
        const RecordedGradient& g = r_.gradients[k];
        if (g.to >= 0) given[{step.pass, g.to}].push_back({s, g.index, g.to_output, norms_[k]});
      }
    }
    w_.list("waits", r_.steps, [&](const RecordedStep& s) {
      w_.object([&] { contributions(given[{s.pass, s.operation}]); });
    });
    std::vector<std::pair<int, int>> leaves;
    for (const auto& [to, from] : given) {
      if (to.second >= 0 && r_.operations[at(to.second)].is_leaf) leaves.push_back(to);
    }
    w_.list("leaf_waits", leaves, [&](const std::pair<int, int>& leaf) {
      w_.object([&] {
        w_.member("pass", place(leaf.first));
        w_.member("operation", place(leaf.second));
        const auto norm = arrived_.find({leaf.first, leaf.second, 0});
        w_.member("norm", norm == arrived_.end() ? "null" : norm_text(norm->second));
        contributions(given[leaf]);
      });
    });
  }

  void stops() {
    w_.line();
    w_.key("stops");
    w_.open('[');
    for (const RecordedStop& s : r_.stops) {
      w_.object([&] {
        w_.member("time", place(s.after < 0 ? -1 : times_.of_moments[at(s.after)]));
        w_.member("value", place(s.value));
        w_.member("why", s.kind == RecordedStop::kDetach ? "\"detach\"" : "\"no_grad\"");
        w_.member("name", quoted(s.name));
        w_.member("from_operation", place(s.from < 0 ? -1 : r_.values[at(s.from)].operation));
        w_.member("from_value", place(s.from));
        location(s.at);
      });
    }
    for (int v = 0; v < static_cast<int>(r_.values.size()); ++v) {
      const RecordedValue& value = r_.values[at(v)];
      if (value.kind != RecordedValue::kResult || value.storage < 0 || is_floating_point(value.dtype)) continue;
      w_.object([&] {
        w_.member("value", place(v));
        w_.member("why", "\"integer\"");
        w_.member("from_operation", place(value.operation));
        w_.member("from_value", place(v));
        location(r_.operations[at(value.operation)].at);
      });
    }
    w_.close(']');
  }

  const Recording& r_;
  Writer w_;
  std::vector<std::pair<int, int>> timeline_;  // forward, backward, update; and which
  Times times_;
  std::vector<double> norms_;       // of each gradient
  std::map<Port, double> arrived_;  // the norm of what came there
};

}  // namespace

std::string page_data(const Recording& recording, const std::string& title, const std::string& language, bool sources) {
  return Data(recording).all(title, language, sources);
}

}  // namespace gradus::autograd::detail
