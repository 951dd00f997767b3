#include "data.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../../core/base/fail.h"
#include "../graph/record_writer.h"
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

  std::string all(const std::string& title, const std::string& language) {
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
    memory();
    saved_bars();
    sources();
    w_.close('}');
    return std::move(w_.out) + "\n";
  }

 private:
  // {"name":value, ...} and [value, ...], on lines of their own.
  template <class Write>
  void object(const Write& write) {
    w_.open('{');
    write();
    w_.close('}');
  }
  template <class Entries, class Write>
  void list(std::string_view name, const Entries& entries, const Write& write) {
    w_.line();
    w_.key(name);
    w_.open('[');
    for (const auto& entry : entries) write(entry);
    w_.close(']');
  }
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
    list("containers", layout.containers, [&](const LayoutContainer& c) {
      object([&] {
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
            object([&] { w_.member(kinds[item.kind], place(item.id)); });
          }
          w_.close(']');
        }
        w_.close(']');
        w_.member("same_as", place(c.same_as));
        w_.member("repeat", place(c.repeat));
        w_.member("operations", place(c.operations));
      });
    });
    list("container_of", layout.container_of, [&](int c) { w_.value(place(c)); });
    w_.key("edges");
    w_.open('[');
    for (int o = 0; o < static_cast<int>(r_.operations.size()); ++o) {
      const Range inputs = r_.operations[at(o)].inputs;
      for (std::uint32_t k = inputs.first; k < inputs.last; ++k) {
        const int v = r_.links[k];
        if (v < 0) continue;
        object([&] {
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
    times_[0].assign(r_.operations.size(), -1);
    times_[1].assign(r_.steps.size(), -1);
    times_[2].assign(r_.updates.size(), -1);
    const auto happened = [&](int kind, int of) {
      if (times_[kind][at(of)] >= 0) return;
      times_[kind][at(of)] = static_cast<int>(timeline_.size());
      timeline_.emplace_back(kind, of);
    };
    for (const RecordedMoment& m : r_.moments) {
      if (m.kind == RecordedMoment::kOperation) happened(0, m.of);
      if (m.kind == RecordedMoment::kStep) happened(1, m.of);
      if (m.kind == RecordedMoment::kUpdate) happened(2, m.of);
      if (m.kind != RecordedMoment::kEnd || r_.passes[at(m.of)].complete) continue;
      for (int s = 0; s < static_cast<int>(r_.steps.size()); ++s) {
        if (r_.steps[at(s)].pass == m.of) happened(1, s);
      }
    }
  }
  void timeline() {
    list("timeline", timeline_, [&](const std::pair<int, int>& entry) {
      static constexpr const char* kinds[] = {"forward", "backward", "update"};
      object([&] {
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
    list("backward_starts", starts, [&](int t) { w_.value(place(t)); });
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
    list("norms", r_.steps, [&](const RecordedStep& s) {
      object([&] {
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
      object([&] {
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
    list("waits", r_.steps, [&](const RecordedStep& s) {
      object([&] { contributions(given[{s.pass, s.operation}]); });
    });
    std::vector<std::pair<int, int>> leaves;
    for (const auto& [to, from] : given) {
      if (to.second >= 0 && r_.operations[at(to.second)].is_leaf) leaves.push_back(to);
    }
    list("leaf_waits", leaves, [&](const std::pair<int, int>& leaf) {
      object([&] {
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
      object([&] {
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
      object([&] {
        w_.member("value", place(v));
        w_.member("why", "\"integer\"");
        w_.member("from_operation", place(value.operation));
        w_.member("from_value", place(v));
        location(r_.operations[at(value.operation)].at);
      });
    }
    w_.close(']');
  }

  // Bytes by what they are for. Live bytes are the process's; what is counted here is never more than that.
  void memory() {
    std::int64_t parameters = 0, saved = 0, flying = 0;
    for (const RecordedStorage& s : r_.storages) parameters += s.of_leaf ? s.bytes : 0;
    std::vector<int> holders(r_.storages.size());
    std::vector<bool> released(r_.operations.size());
    const auto keep = [&](int operation, bool keeps) {
      const Range kept = r_.operations[at(operation)].saved;
      for (std::uint32_t k = kept.first; k < kept.last; ++k) {
        const int s = r_.saved[k].storage;
        if (s < 0 || r_.storages[at(s)].of_leaf) continue;
        const bool counts = keeps ? holders[at(s)]++ == 0 : --holders[at(s)] == 0;
        if (counts) saved += keeps ? r_.storages[at(s)].bytes : -r_.storages[at(s)].bytes;
      }
    };
    // Gradients under way: where each lies, and how many lie there.
    std::map<std::pair<int, int>, std::pair<const void*, std::int64_t>> under_way;
    std::unordered_map<const void*, int> lying;
    const auto arrive = [&](const RecordedGradient& g) {
      if (g.to < 0 || !under_way.try_emplace({g.to, g.to_output}, g.storage, g.bytes).second) return;
      if (lying[g.storage]++ == 0) flying += g.bytes;
    };
    const auto leave = [&](int operation, int output) {
      const auto found = under_way.find({operation, output});
      if (found == under_way.end()) return;
      if (--lying[found->second.first] == 0) flying -= found->second.second;
      under_way.erase(found);
    };
    int id = 0;
    list("memory", r_.moments, [&](const RecordedMoment& m) {
      int time = -1;
      if (m.kind == RecordedMoment::kOperation) {
        keep(m.of, true);
        time = times_[0][at(m.of)];
      } else if (m.kind == RecordedMoment::kStep) {
        const RecordedStep& s = r_.steps[at(m.of)];
        for (std::uint32_t k = s.of_outputs.first; k < s.of_outputs.last; ++k)
          leave(s.operation, r_.gradients[k].index);
        for (std::uint32_t k = s.of_inputs.first; k < s.of_inputs.last; ++k) arrive(r_.gradients[k]);
        time = times_[1][at(m.of)];
      } else if (m.kind == RecordedMoment::kReleased) {
        const int o = r_.steps[at(m.of)].operation;
        if (!released[at(o)]) keep(o, false);
        released[at(o)] = true;
        time = times_[1][at(m.of)];
      } else if (m.kind == RecordedMoment::kUpdate) {
        time = times_[2][at(m.of)];
      } else if (r_.passes[at(m.of)].outer < 0) {
        under_way.clear();
        lying.clear();
        flying = 0;
      }
      std::int64_t rest = m.live_bytes;
      const auto part = [&](const char* name, std::int64_t bytes) {
        const std::int64_t counted = std::clamp<std::int64_t>(bytes, 0, rest);
        rest -= counted;
        w_.member(name, fmt::format("{}", counted));
      };
      static constexpr const char* kinds[] = {"operation", "step", "released", "end", "update"};
      object([&] {
        w_.member("id", place(id++));
        w_.member("event", quoted(kinds[m.kind]));
        w_.member("of", place(m.of));
        w_.member("time", place(time));
        w_.member("live", fmt::format("{}", m.live_bytes));
        part("parameters", parameters);
        part("saved", saved);
        part("gradients", flying + m.of_grads);
        w_.member("other", fmt::format("{}", rest));
      });
    });
  }

  void saved_bars() {
    struct Holder {
      int operation;
      const RecordedSaved* saved;
    };
    std::vector<std::vector<Holder>> holders(r_.storages.size());
    for (int o = 0; o < static_cast<int>(r_.operations.size()); ++o) {
      const Range kept = r_.operations[at(o)].saved;
      for (std::uint32_t k = kept.first; k < kept.last; ++k) {
        if (r_.saved[k].storage >= 0) holders[at(r_.saved[k].storage)].push_back({o, &r_.saved[k]});
      }
    }
    int id = -1;
    list("saved_bars", r_.storages, [&](const RecordedStorage& s) {
      const std::vector<Holder>& by = holders[at(++id)];
      if (by.empty()) return;
      object([&] {
        w_.member("storage", place(id));
        w_.key("by");
        w_.open('[');
        for (const Holder& h : by) {
          object([&] {
            w_.member("operation", place(h.operation));
            w_.member("kind", quoted(h.saved->kind));
            w_.member("index", place(h.saved->index));
            w_.member("value", place(r_.value_of(r_.operations[at(h.operation)], *h.saved)));
          });
        }
        w_.close(']');
        w_.member("from", place(times_[0][at(by.front().operation)]));
        w_.member("to", place(s.freed_by_step < 0 ? -1 : times_[1][at(s.freed_by_step)]));
        w_.member("bytes", fmt::format("{}", s.bytes));
        w_.member("of_leaf", truth(s.of_leaf));
      });
    });
  }

  // The lines in question with a few around them, of files that are still there.
  void sources() {
    constexpr int kAround = 6;
    std::map<std::string_view, std::set<int>> wanted;
    const auto want = [&](Location where) {
      if (!where) return;
      for (int l = where.line() - kAround; l <= where.line() + kAround; ++l) wanted[where.file()].insert(l);
    };
    for (const RecordedOperation& o : r_.operations) want(o.at);
    for (const RecordedStop& s : r_.stops) want(s.at);
    for (const RecordedChange& c : r_.changes) want(c.at);
    w_.line();
    w_.key("sources");
    w_.open('{');
    for (const auto& [file, lines] : wanted) {
      std::ifstream in{std::string(file)};
      if (!in) continue;
      w_.line();
      w_.key(file);
      w_.open('{');
      w_.key("lines");
      w_.open('{');
      std::string line;
      for (int l = 1; l <= *lines.rbegin() && std::getline(in, line); ++l) {
        if (lines.count(l) != 0) w_.member(fmt::format("{}", l), quoted(line));
      }
      w_.close('}');
      w_.close('}');
    }
    w_.close('}');
  }

  const Recording& r_;
  Writer w_;
  std::vector<std::pair<int, int>> timeline_;  // forward, backward, update; and which
  std::vector<int> times_[3];                  // of each of these, its place in the timeline
  std::vector<double> norms_;                  // of each gradient
  std::map<Port, double> arrived_;             // the norm of what came there
};

}  // namespace

std::string page_data(const Recording& recording, const std::string& title, const std::string& language) {
  return Data(recording).all(title, language);
}

}  // namespace gradus::autograd::detail
