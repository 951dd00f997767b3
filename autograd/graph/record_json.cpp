// A Record as JSON: autograd/RECORD.md says what each name means.
#include <algorithm>
#include <cmath>

#include "../../core/base/fail.h"
#include "record_data.h"

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
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

// JSON has no NaN and no infinities: they are strings.
std::string number(double value, DType dtype) {
  if (!std::isfinite(value)) return std::isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"";
  if (!is_floating_point(dtype)) return fmt::format("{}", static_cast<std::int64_t>(value));
  if (dtype != kFloat64) return fmt::format("{}", static_cast<float>(value));
  return fmt::format("{}", value);
}
std::string place(int value) { return value < 0 ? "null" : fmt::format("{}", value); }
std::string truth(bool value) { return value ? "true" : "false"; }

// Objects and lists as they are written, one after the other.
class Writer {
 public:
  void open(char bracket) {
    comma();
    out += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out += bracket;
    first_ = false;
  }
  void key(std::string_view name) {
    comma();
    out += quoted(name) + ":";
    first_ = true;
  }
  void value(const std::string& text) {
    comma();
    out += text;
  }
  void member(std::string_view name, const std::string& text) {
    key(name);
    value(text);
  }
  void line() {
    comma();
    out += '\n';
    first_ = true;
  }
  std::string out;

 private:
  void comma() {
    if (!first_) out += ',';
    first_ = false;
  }
  bool first_ = true;
};

class Json {
 public:
  explicit Json(const Recording& recording)
      : r_(recording), arrivals_(recording.passes.size()), holders_(recording.storages.size()) {
    for (const RecordedArrival& a : r_.arrivals) arrivals_[at(a.pass)].push_back(&a);
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
    list("memory", r_.moments, [this](int i) { moment(i); });
    const RecordedMoment* const peak = r_.peak();
    w_.member("peak", peak == nullptr ? "null" : place(static_cast<int>(peak - r_.moments.data())));
    w_.close('}');
    return std::move(w_.out) + "\n";
  }

 private:
  template <class T, class One>
  void list(const char* name, const List<T>& entries, const One& one) {
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

  void numbers(const Numbers& n, DType dtype, const core::Shape& shape) {
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
      core::Shape corner;
      for (int d = std::max(0, shape.size() - 2); d < shape.size(); ++d)
        corner.push_back(std::min(r_.corner, shape[d]));
      dims("corner_shape", corner);
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
    w_.member("file", o.at ? quoted(o.at.file()) : "null");
    w_.member("line", o.at ? fmt::format("{}", o.at.line()) : "null");
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
    for (std::uint32_t v = o.outputs.first; v < o.outputs.last; ++v) {
      if (r_.values[v].operation == i) w_.value(place(static_cast<int>(v)));
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
    w_.member("complete", truth(p.complete));
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
    range("added", s.added, [&](std::uint32_t k) {
      w_.open('{');
      w_.member("operation", place(r_.added[k].operation));
      w_.member("output", place(r_.added[k].output));
      w_.close('}');
    });
    w_.member("completed", truth(s.done));
    w_.member("released", truth(s.released));
    range("freed", s.freed, [&](std::uint32_t k) { w_.value(place(r_.freed[k])); });
    bytes("live_before", s.live_before);
    bytes("live_after", s.live_after);
  }
  void moment(int i) {
    const RecordedMoment& m = r_.moments[at(i)];
    static constexpr const char* kinds[] = {"operation", "step", "released", "end"};
    w_.member("event", quoted(kinds[m.kind]));
    w_.member("of", place(m.of));
    bytes("live_bytes", m.live_bytes);
  }

  const Recording& r_;
  Writer w_;
  std::vector<std::vector<const RecordedArrival*>> arrivals_;  // of each pass
  struct Holder {
    int operation;
    const RecordedSaved* saved;
  };
  std::vector<std::vector<Holder>> holders_;  // of each storage
};

}  // namespace

std::string record_json(const Recording& recording) { return Json(recording).all(); }

}  // namespace gradus::autograd::detail
