// A Record as JSON: autograd/RECORD.md says what each name means.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "../../core/base/fail.h"
#include "record_data.h"
#include "record_writer.h"

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }

class Json {
 public:
  explicit Json(const Recording& recording)
      : r_(recording), arrivals_(recording.passes.size()), holders_(recording.storages.size()) {
    for (const RecordedArrival& a : r_.arrivals) arrivals_[at(a.pass)].push_back(&a);
    of_elsewhere_.resize(r_.operations.size());
    for (std::size_t v = 0; v < r_.values.size(); ++v) {
      const int o = r_.values[v].operation;
      if (o >= 0 && r_.operations[at(o)].elsewhere) of_elsewhere_[at(o)].push_back(static_cast<int>(v));
    }
    for (std::size_t o = 0; o < r_.operations.size(); ++o) {
      const Range saved = r_.operations[o].saved;
      for (std::uint32_t k = saved.first; k < saved.last; ++k) {
        if (r_.saved[k].storage >= 0) holders_[at(r_.saved[k].storage)].push_back({static_cast<int>(o), &r_.saved[k]});
      }
    }
  }

  std::string all() {
    w_.open('{');
    w_.member("format", quoted("gradus.record"));
    w_.member("version", "1");
    list("operations", r_.operations, [this](int i) { operation(i); });
    list("values", r_.values, [this](int i) { value(i); });
    list("storages", r_.storages, [this](int i) { storage(i); });
    list("passes", r_.passes, [this](int i) { pass(i); });
    list("steps", r_.steps, [this](int i) { step(i); });
    list("calls", r_.calls, [this](int i) { call(i); });
    list("stops", r_.stops, [this](int i) { stop(i); });
    list("updates", r_.updates, [this](int i) { update(i); });
    list("memory", r_.moments, [this](int i) { moment(i); });
    const RecordedMoment* const peak = r_.peak();
    w_.member("peak", peak == nullptr ? "null" : place(static_cast<int>(peak - r_.moments.data())));
    w_.close('}');
    return std::move(w_.out) + "\n";
  }

 private:
  template <class Entries, class One>
  void list(const char* name, const Entries& entries, const One& one) {
    w_.line();
    w_.key(name);
    w_.open('[');
    for (std::size_t i = 0; i < entries.size(); ++i) {
      w_.line();
      w_.open('{');
      w_.member("id", place(static_cast<int>(i)));
      one(static_cast<int>(i));
      w_.close('}');
    }
    w_.close(']');
  }
  template <class One>
  void range(const char* name, Range range, const One& one) {
    w_.key(name);
    w_.open('[');
    for (std::uint32_t i = range.first; i < range.last; ++i) one(i);
    w_.close(']');
  }
  void dims(const char* name, const core::Dims& dims) {
    w_.key(name);
    w_.open('[');
    for (const std::int64_t d : dims) w_.value(fmt::format("{}", d));
    w_.close(']');
  }
  void bytes(const char* name, std::int64_t value) { w_.member(name, fmt::format("{}", value)); }

  void numbers(const RecordedNumbers& n, DType dtype, const core::Shape& shape) {
    w_.key("numbers");
    w_.open('{');
    if (n.statistics >= 0) {
      const core::Description& s = r_.statistics[at(n.statistics)];
      w_.member("min", number(s.min, dtype));
      w_.member("max", number(s.max, dtype));
      w_.member("mean", number(s.mean, kFloat64));
      w_.member("std", number(s.std, kFloat64));
      bytes("nan", s.nan);
      bytes("infinite", s.infinite);
      std::vector<std::vector<std::int64_t>> kept;
      for (int d = std::max(0, shape.size() - 2); d < shape.size(); ++d) kept.push_back(r_.kept_of(shape[d]));
      core::Shape corner;
      for (const auto& places : kept) corner.push_back(static_cast<std::int64_t>(places.size()));
      dims("corner_shape", corner);
      if (r_.both_ends) {
        w_.key("corner_places");
        w_.open('[');
        for (const auto& places : kept) {
          w_.open('[');
          for (const std::int64_t p : places) w_.value(fmt::format("{}", p));
          w_.close(']');
        }
        w_.close(']');
      }
    }
    w_.key(n.statistics < 0 ? "all" : "corner");
    w_.open('[');
    for (std::size_t i = 0; i < n.count; ++i) w_.value(number(n[i], dtype));
    w_.close(']');
    w_.close('}');
  }

  void operation(int i) {
    const RecordedOperation& o = r_.operations[at(i)];
    w_.member("name", quoted(o.name));
    w_.member("kind", o.is_leaf ? "\"leaf\"" : o.elsewhere ? "\"elsewhere\"" : "\"operation\"");
    w_.member("module", quoted(o.module));
    w_.member("call", place(o.call));
    location(o.at);
    w_.member("rule", truth(o.is_rule));
    std::string formula = "null";
    w_.key("attributes");
    w_.open('{');
    for (const Attribute& a : o.attributes) {
      if (a.name == "formula") {
        formula = quoted(a.value);
      } else {
        w_.member(a.name, quoted(a.value));
      }
    }
    w_.close('}');
    w_.member("formula", formula);
    range("inputs", o.inputs, [&](std::uint32_t k) { w_.value(place(r_.links[k])); });
    w_.key("outputs");
    w_.open('[');
    if (o.elsewhere) {
      for (const int v : of_elsewhere_[at(i)]) w_.value(place(v));
    } else {
      for (std::uint32_t v = o.outputs.first; v < o.outputs.last; ++v) w_.value(place(static_cast<int>(v)));
    }
    w_.close(']');
    range("saved", o.saved, [&](std::uint32_t k) {
      const RecordedSaved& s = r_.saved[k];
      w_.open('{');
      w_.member("kind", quoted(s.kind));
      w_.member("index", place(s.index));
      w_.member("value", place(r_.value_of(o, s)));
      w_.member("storage", place(s.storage));
      w_.close('}');
    });
    w_.member("during_step", place(o.during));
    bytes("live_bytes", o.live_bytes);
  }

  void value(int i) {
    const RecordedValue& v = r_.values[at(i)];
    w_.member("name", quoted(r_.name_of(i)));
    w_.member("kind", v.kind == RecordedValue::kLeaf       ? "\"leaf\""
                      : v.kind == RecordedValue::kConstant ? "\"constant\""
                                                           : "\"result\"");
    w_.member("operation", place(v.operation));
    w_.member("output", place(v.output));
    w_.member("dtype", quoted(to_string(v.dtype)));
    dims("shape", v.shape);
    dims("strides", v.strides);
    bytes("offset", v.offset);
    w_.member("storage", place(v.storage));
    range("made_by", v.made_by, [&](std::uint32_t k) {
      w_.open('{');
      w_.member("name", quoted(r_.makers[k].name));
      location(r_.makers[k].at);
      w_.close('}');
    });
    numbers(v.numbers, v.dtype, v.shape);
  }

  void storage(int i) {
    const RecordedStorage& s = r_.storages[at(i)];
    bytes("bytes", s.bytes);
    w_.member("made_by", place(s.made_by));
    w_.member("of_leaf", truth(s.of_leaf));
    w_.key("saved_by");
    w_.open('[');
    for (const auto& [operation, saved] : holders_[at(i)]) {
      w_.open('{');
      w_.member("operation", place(operation));
      w_.member("kind", quoted(saved->kind));
      w_.member("index", place(saved->index));
      w_.close('}');
    }
    w_.close(']');
    w_.member("held", place(s.holders));
    w_.member("freed_by_step", place(s.freed_by_step));
  }
  void gradient(const RecordedGradient& g) {
    w_.member("index", place(g.index));
    w_.member("dtype", quoted(to_string(g.dtype)));
    dims("shape", g.shape);
    if (g.known) {
      numbers(g.numbers, g.dtype, g.shape);
    } else {
      w_.member("numbers", "null");
    }
  }
  void pass(int i) {
    const RecordedPass& p = r_.passes[at(i)];
    w_.member("inside_step", place(p.outer));
    range("outputs", p.outputs, [&](std::uint32_t k) { w_.value(place(r_.links[k])); });
    static constexpr const char* ends[] = {"open", "complete", "exception"};
    w_.member("complete", truth(p.end == RecordedPass::kComplete));
    w_.member("end", quoted(ends[p.end]));
    w_.member("error", p.error.empty() ? "null" : quoted(p.error));
    w_.member("failed", place(p.failed));
    w_.key("arrived");
    w_.open('[');
    for (const RecordedArrival* a : arrivals_[at(i)]) {
      w_.open('{');
      w_.member("operation", place(a->operation));
      gradient(a->gradient);
      w_.close('}');
    }
    w_.close(']');
    bytes("live_bytes", p.live_bytes);
  }
  void step(int i) {
    const RecordedStep& s = r_.steps[at(i)];
    w_.member("pass", place(s.pass));
    w_.member("operation", place(s.operation));
    range("of_outputs", s.of_outputs, [&](std::uint32_t k) {
      w_.open('{');
      gradient(r_.gradients[k]);
      w_.close('}');
    });
    range("of_inputs", s.of_inputs, [&](std::uint32_t k) {
      const RecordedGradient& g = r_.gradients[k];
      w_.open('{');
      gradient(g);
      w_.member("to", place(g.to));
      w_.member("to_output", place(g.to_output));
      w_.close('}');
    });
    const std::vector<std::uint32_t> summands = r_.summands_of(s);
    range("added", s.added, [&](std::uint32_t k) {
      w_.open('{');
      w_.member("input", place(r_.gradients[summands[k - s.added.first]].index));
      w_.member("operation", place(r_.added[k].operation));
      w_.member("output", place(r_.added[k].output));
      w_.close('}');
    });
    if (s.difference >= 0 || std::isnan(s.difference)) {
      w_.key("reference");
      w_.open('{');
      range("of_inputs", s.reference, [&](std::uint32_t k) {
        w_.open('{');
        gradient(r_.gradients[k]);
        w_.close('}');
      });
      w_.member("difference", number(s.difference));
      range("operations", s.composed_of, [&](std::uint32_t k) { w_.value(quoted(r_.reference_names[k])); });
      w_.close('}');
    }
    if (!s.reference_error.empty()) w_.member("reference_error", quoted(s.reference_error));
    range("changed", s.changed, [&](std::uint32_t k) {
      const RecordedChange& c = r_.changes[k];
      w_.open('{');
      w_.member("kind", quoted(c.kind));
      w_.member("index", place(c.index));
      w_.member("by", quoted(c.by));
      location(c.at);
      w_.close('}');
    });
    w_.member("completed", truth(s.done));
    w_.member("error", s.error.empty() ? "null" : quoted(s.error));
    w_.member("released", truth(s.released));
    range("freed", s.freed, [&](std::uint32_t k) { w_.value(place(r_.freed[k])); });
    bytes("live_before", s.live_before);
    bytes("live_after", s.live_after);
  }
  void call(int i) {
    w_.member("module", quoted(r_.calls[at(i)].path));
    w_.member("inside_call", place(r_.calls[at(i)].outer));
  }
  void stop(int i) {
    const RecordedStop& s = r_.stops[at(i)];
    w_.member("value", place(s.value));
    w_.member("why", s.kind == RecordedStop::kDetach ? "\"detach\"" : "\"no_grad\"");
    w_.member("name", quoted(s.name));
    w_.member("from_value", place(s.from));
    location(s.at);
    w_.member("after", place(s.after));
  }
  void update(int i) {
    const RecordedUpdate& u = r_.updates[at(i)];
    w_.member("optimizer", quoted(u.optimizer));
    w_.member("parameter", place(u.operation));
    w_.member("value", place(u.value));
    for (const auto& [name, g] : {std::pair("gradient", &u.gradient), {"before", &u.before}, {"after", &u.after}}) {
      w_.key(name);
      if (!g->known) {
        w_.value("null");
        continue;
      }
      w_.open('{');
      gradient(*g);
      w_.close('}');
    }
  }
  void location(Location at) {
    w_.member("file", at ? quoted(at.file()) : "null");
    w_.member("line", at ? fmt::format("{}", at.line()) : "null");
  }
  void moment(int i) {
    const RecordedMoment& m = r_.moments[at(i)];
    static constexpr const char* kinds[] = {"operation", "step", "released", "end", "update"};
    w_.member("event", quoted(kinds[m.kind]));
    w_.member("of", place(m.of));
    bytes("live_bytes", m.live_bytes);
  }

  const Recording& r_;
  Writer w_;
  std::vector<std::vector<const RecordedArrival*>> arrivals_;  // of each pass
  std::vector<std::vector<int>> of_elsewhere_;                 // values of each operation that is known by its node
  struct Holder {
    int operation;
    const RecordedSaved* saved;
  };
  std::vector<std::vector<Holder>> holders_;  // of each storage
};

// How many bytes the character at the beginning of a text has; 0: it is no UTF-8.
std::size_t length_of_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  // No longer forms than needed, no halves of pairs, nothing beyond U+10FFFF.
  const unsigned low = first == 0xE0   ? 0xA0
                       : first == 0xF0 ? 0x90
                                       : 0x80,
                 high = first == 0xED   ? 0x9F
                        : first == 0xF4 ? 0x8F
                                        : 0xBF;
  if (length == 0 || byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::size_t length = length_of_character(text.substr(i));
    if (length == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD stands for what cannot be read
    } else if (length > 1) {
      out += text.substr(i, length);
      i += length - 1;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string number(double value, DType dtype) {
  if (!std::isfinite(value)) return std::isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"";
  if (!is_floating_point(dtype)) {
    constexpr double kEnd = 0x1p63;  // the largest integers have become this on their way
    if (value >= kEnd) return fmt::format("{}", std::numeric_limits<std::int64_t>::max());
    return fmt::format("{}", static_cast<std::int64_t>(std::max(value, -kEnd)));
  }
  if (dtype != kFloat64) return fmt::format("{}", static_cast<float>(value));
  return fmt::format("{}", value);
}

std::string record_json(const Recording& recording) { return Json(recording).all(); }

}  // namespace gradus::autograd::detail
