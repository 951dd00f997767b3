// Parts of a page's data that stand for themselves: memory, saved values, formulas, sources.
#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "../../core/base/fail.h"
#include "page_data.h"
#include "formulas.h"

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }

}  // namespace

void write_memory(Writer& w, const Recording& r, const Times& times) {
  std::int64_t parameters = 0, saved = 0, flying = 0;
  for (const RecordedStorage& s : r.storages) parameters += s.of_leaf ? s.bytes : 0;
  std::vector<int> holders(r.storages.size());
  std::vector<bool> released(r.operations.size());
  const auto keep = [&](int operation, bool keeps) {
    const Range kept = r.operations[at(operation)].saved;
    for (std::uint32_t k = kept.first; k < kept.last; ++k) {
      const int s = r.saved[k].storage;
      if (s < 0 || r.storages[at(s)].of_leaf) continue;
      const bool counts = keeps ? holders[at(s)]++ == 0 : --holders[at(s)] == 0;
      if (counts) saved += keeps ? r.storages[at(s)].bytes : -r.storages[at(s)].bytes;
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
  w.list("memory", r.moments, [&](const RecordedMoment& m) {
    int time = -1;
    if (m.kind == RecordedMoment::kOperation) {
      keep(m.of, true);
      time = times.of_operations[at(m.of)];
    } else if (m.kind == RecordedMoment::kStep) {
      const RecordedStep& s = r.steps[at(m.of)];
      for (std::uint32_t k = s.of_outputs.first; k < s.of_outputs.last; ++k) leave(s.operation, r.gradients[k].index);
      for (std::uint32_t k = s.of_inputs.first; k < s.of_inputs.last; ++k) arrive(r.gradients[k]);
      time = times.of_steps[at(m.of)];
    } else if (m.kind == RecordedMoment::kReleased) {
      const int o = r.steps[at(m.of)].operation;
      if (!released[at(o)]) keep(o, false);
      released[at(o)] = true;
      time = times.of_steps[at(m.of)];
    } else if (m.kind == RecordedMoment::kUpdate) {
      time = times.of_updates[at(m.of)];
    } else if (r.passes[at(m.of)].outer < 0) {
      under_way.clear();
      lying.clear();
      flying = 0;
    }
    std::int64_t rest = m.live_bytes;
    const auto part = [&](const char* name, std::int64_t bytes) {
      const std::int64_t counted = std::clamp<std::int64_t>(bytes, 0, rest);
      rest -= counted;
      w.member(name, fmt::format("{}", counted));
    };
    static constexpr const char* kinds[] = {"operation", "step", "released", "end", "update"};
    w.object([&] {
      w.member("id", place(id++));
      w.member("event", quoted(kinds[m.kind]));
      w.member("of", place(m.of));
      w.member("time", place(time));
      w.member("live", fmt::format("{}", m.live_bytes));
      part("parameters", parameters);
      part("saved", saved);
      part("gradients", flying + m.of_grads);
      w.member("other", fmt::format("{}", rest));
    });
  });
}

void write_saved_bars(Writer& w, const Recording& r, const Times& times) {
  struct Holder {
    int operation;
    const RecordedSaved* saved;
  };
  std::vector<std::vector<Holder>> holders(r.storages.size());
  for (int o = 0; o < static_cast<int>(r.operations.size()); ++o) {
    const Range kept = r.operations[at(o)].saved;
    for (std::uint32_t k = kept.first; k < kept.last; ++k) {
      if (r.saved[k].storage >= 0) holders[at(r.saved[k].storage)].push_back({o, &r.saved[k]});
    }
  }
  int id = -1;
  w.list("saved_bars", r.storages, [&](const RecordedStorage& s) {
    const std::vector<Holder>& by = holders[at(++id)];
    if (by.empty()) return;
    w.object([&] {
      w.member("storage", place(id));
      w.key("by");
      w.open('[');
      for (const Holder& h : by) {
        w.object([&] {
          w.member("operation", place(h.operation));
          w.member("kind", quoted(h.saved->kind));
          w.member("index", place(h.saved->index));
          w.member("value", place(r.value_of(r.operations[at(h.operation)], *h.saved)));
        });
      }
      w.close(']');
      w.member("from", place(times.of_operations[at(by.front().operation)]));
      w.member("to", place(s.freed_by_step < 0 ? -1 : times.of_steps[at(s.freed_by_step)]));
      w.member("bytes", fmt::format("{}", s.bytes));
      w.member("of_leaf", truth(s.of_leaf));
    });
  });
}

void write_formulas(Writer& w, const Recording& r) {
  w.line();
  w.key("formulas");
  w.open('{');
  const auto names = [&](const char* name, const std::vector<std::string>& listed) {
    w.key(name);
    w.open('[');
    for (const std::string& each : listed) w.value(quoted(each));
    w.close(']');
  };
  const auto text = [](const std::optional<std::string>& math) { return math ? quoted(*math) : "null"; };
  std::set<std::string> written;
  for (const RecordedOperation& o : r.operations) {
    if (o.is_leaf || o.elsewhere) continue;
    const int inputs = static_cast<int>(o.inputs.size());
    const std::string key = fmt::format("{}/{}", o.name, inputs);
    if (!written.insert(key).second) continue;
    std::string_view said;
    for (const Attribute& a : o.attributes) {
      if (a.name == "formula") said = a.value;
    }
    const std::optional<OperationFormula> formula = formula_of(o.name, inputs, said);
    if (!formula) continue;
    w.line();
    w.key(key);
    w.object([&] {
      w.member("kind", quoted(formula->kind));
      w.member("forward", text(formula->forward));
      w.key("gradients");
      w.open('[');
      for (const auto& gradient : formula->gradients) w.value(text(gradient));
      w.close(']');
      names("inputs", formula->inputs);
      names("outputs", formula->outputs);
      names("attributes", formula->attributes);
    });
  }
  w.close('}');
}

void write_sources(Writer& w, const Recording& r) {
  constexpr int kAround = 6;
  std::map<std::string_view, std::set<int>> wanted;
  const auto want = [&](Location where) {
    if (!where) return;
    for (int l = where.line() - kAround; l <= where.line() + kAround; ++l) wanted[where.file()].insert(l);
  };
  for (const RecordedOperation& o : r.operations) want(o.at);
  for (const RecordedStop& s : r.stops) want(s.at);
  for (const RecordedChange& c : r.changes) want(c.at);
  w.line();
  w.key("sources");
  w.open('{');
  for (const auto& [file, lines] : wanted) {
    std::ifstream in{std::string(file)};
    if (!in) continue;
    w.line();
    w.key(file);
    w.open('{');
    w.key("lines");
    w.open('{');
    std::string line;
    for (int l = 1; l <= *lines.rbegin() && std::getline(in, line); ++l) {
      if (lines.count(l) != 0) w.member(fmt::format("{}", l), quoted(line));
    }
    w.close('}');
    w.close('}');
  }
  w.close('}');
}

}  // namespace gradus::autograd::detail
