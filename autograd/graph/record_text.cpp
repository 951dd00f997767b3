// A Record as lines of text.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "../../core/base/dispatch.h"
#include "../../core/base/fail.h"
#include "record_data.h"

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }

std::string listed(const std::vector<std::string>& names, const char* between) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : between) + name;
  return text;
}

// Lines of a text, with what stands at their right in columns.
class Table {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void write_to(std::string& text) const {
    constexpr std::size_t kWidest = 60;
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], std::min(row[i].size(), kWidest));
    }
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        line += row[i];
        if (row[i].size() < widths[i]) line.append(widths[i] - row[i].size(), ' ');
        if (widths[i] != 0) line += "  ";
      }
      while (line.ends_with(' ')) line.pop_back();
      text += line + '\n';
    }
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

class Text {
 public:
  explicit Text(const Recording& recording)
      : r_(recording), steps_(recording.passes.size()), arrivals_(recording.passes.size()) {
    for (std::size_t k = 0; k < r_.steps.size(); ++k) steps_[at(r_.steps[k].pass)].push_back(static_cast<int>(k));
    for (const RecordedArrival& a : r_.arrivals) arrivals_[at(a.pass)].push_back(&a);
  }

  std::string all() const {
    std::string text = summary();
    Table forward;
    for (int v = 0; v < static_cast<int>(r_.values.size()); ++v) {
      const RecordedValue& value = r_.values[at(v)];
      if (value.kind != RecordedValue::kResult) {
        forward.add({"  " + typed(v), value.kind == RecordedValue::kLeaf ? "leaf" : "constant" + makers(value)});
      } else if (r_.operations[at(value.operation)].elsewhere) {
        forward.add(
            {"  " + typed(v), fmt::format("of {}, recorded elsewhere", r_.operations[at(value.operation)].name)});
      } else if (const int made = r_.value_of(value.operation, value.output); made != v && value.storage >= 0) {
        forward.add({"  " + typed(v), fmt::format("{}, after an unrecorded change", r_.name_of(made))});
      }
    }
    for (const RecordedOperation& o : r_.operations) {
      if (!o.elsewhere) forward.add({"  " + operation(o), saves(o), place(o)});
    }
    forward.write_to(text);
    for (int p = 0; p < static_cast<int>(r_.passes.size()); ++p) backward(p, text);
    return text;
  }

 private:
  std::string typed(int value) const {
    const RecordedValue& v = r_.values[at(value)];
    return r_.name_of(value) + ":" + type_of(v.dtype, v.shape);
  }

  // ", by mul of exp": what computed a constant.
  std::string makers(const RecordedValue& v) const {
    std::string text;
    for (std::uint32_t k = v.made_by.first; k < v.made_by.last; ++k) {
      text += (text.empty() ? ", by " : " of ") + r_.makers[k].name;
    }
    return text;
  }

  std::string summary() const {
    std::int64_t operations = 0, storages = 0, bytes = 0, of_leaves = 0;
    for (const RecordedOperation& o : r_.operations) operations += o.elsewhere ? 0 : 1;
    std::vector<bool> counted(r_.storages.size());
    for (const RecordedSaved& s : r_.saved) {
      if (s.storage < 0 || counted[at(s.storage)]) continue;
      counted[at(s.storage)] = true;
      const RecordedStorage& storage = r_.storages[at(s.storage)];
      ++storages;
      bytes += storage.bytes;
      of_leaves += storage.of_leaf ? storage.bytes : 0;
    }
    std::string text = fmt::format("{} operation{}, {} backward pass{}", operations, operations == 1 ? "" : "s",
                                   r_.passes.size(), r_.passes.size() == 1 ? "" : "es");
    text += fmt::format("; saved: {} in {} storage{}", bytes_text(bytes), storages, storages == 1 ? "" : "s");
    if (of_leaves != 0) text += fmt::format(", {} of it of leaves", bytes_text(of_leaves));
    if (const RecordedMoment* peak = r_.peak(); peak != nullptr) {
      text += fmt::format("; at most {} alive, {}", bytes_text(peak->live_bytes), when(*peak));
    }
    return text + "\n";
  }
  std::string when(const RecordedMoment& moment) const {
    if (moment.kind == RecordedMoment::kEnd) return "at the end of a pass";
    if (moment.kind == RecordedMoment::kUpdate) return "after an optimizer's step";
    const bool forward = moment.kind == RecordedMoment::kOperation;
    const RecordedOperation& o = r_.operations[at(forward ? moment.of : r_.steps[at(moment.of)].operation)];
    return fmt::format("after {}{}", forward ? "" : "the backward of ", o.name);
  }

  std::string operation(const RecordedOperation& o) const {
    std::vector<std::string> results, attributes;
    for (std::uint32_t v = o.outputs.first; v < o.outputs.last; ++v) results.push_back(typed(static_cast<int>(v)));
    for (const Attribute& a : o.attributes) attributes.push_back(a.name + "=" + a.value);
    std::string text = fmt::format("{} = {}", listed(results, " "), o.name);
    if (!attributes.empty()) text += fmt::format("[{}]", listed(attributes, " "));
    for (std::uint32_t i = o.inputs.first; i < o.inputs.last; ++i) {
      text += r_.links[i] < 0 ? " _" : " " + r_.name_of(r_.links[i]);
    }
    return text;
  }
  std::string saves(const RecordedOperation& o) const {
    std::vector<std::string> names;
    for (std::uint32_t s = o.saved.first; s < o.saved.last; ++s) {
      const int value = r_.value_of(o, r_.saved[s]);
      names.push_back((value < 0 ? "_" : r_.name_of(value)) + (r_.saved[s].storage < 0 ? " (packed)" : ""));
    }
    return names.empty() ? "" : "saves " + listed(names, ", ");
  }
  static std::string place(const RecordedOperation& o) {
    std::string text;
    if (o.at) {  // the file's name alone: lines are long as it is
      const std::string_view file = o.at.file();
      text = fmt::format("{}:{}", file.substr(file.rfind('/') + 1), o.at.line());
    }
    if (!o.module.empty()) text += fmt::format(" in {}", o.module);
    if (o.during >= 0) text += " (in backward)";
    return text;
  }

  // "c'", the gradient of c.
  std::string gradient(int operation, int output) const {
    if (operation < 0) return "_";
    const int value = r_.value_of(operation, output);
    return (value < 0 ? std::string(r_.operations[at(operation)].name) : r_.name_of(value)) + "'";
  }
  void backward(int p, std::string& text) const {
    const RecordedPass& pass = r_.passes[at(p)];
    std::vector<std::string> from, arrived;
    for (std::uint32_t i = pass.outputs.first; i < pass.outputs.last; ++i) {
      if (r_.links[i] >= 0) from.push_back(r_.name_of(r_.links[i]));
    }
    text += fmt::format("backward {} from {}{}{}\n", p + 1, listed(from, ", "),
                        pass.outer < 0 ? "" : fmt::format(", inside step {}", pass.outer + 1),
                        pass.end == RecordedPass::kFailed ? ", ended by an exception"
                        : pass.end == RecordedPass::kOpen ? ", recorded in part: it went on when the record ended"
                                                          : "");
    Table table;
    for (const int k : steps_[at(p)]) table.add(step(k, pass));
    table.write_to(text);
    if (!pass.error.empty()) text += fmt::format("  threw: {}\n", pass.error);
    for (const RecordedArrival* a : arrivals_[at(p)]) arrived.push_back(gradient(a->operation, a->output));
    if (!arrived.empty()) text += fmt::format("  arrived: {}\n", listed(arrived, ", "));
  }
  std::vector<std::string> step(int k, const RecordedPass& pass) const {
    const RecordedStep& s = r_.steps[at(k)];
    std::vector<std::string> of_outputs, of_inputs, freed;
    for (std::uint32_t g = s.of_outputs.first; g < s.of_outputs.last; ++g) {
      of_outputs.push_back(gradient(s.operation, r_.gradients[g].index));
    }
    const std::vector<std::uint32_t> summands = r_.summands_of(s);
    for (std::uint32_t g = s.of_inputs.first; g < s.of_inputs.last; ++g) {
      const RecordedGradient& dx = r_.gradients[g];
      const bool added = std::find(summands.begin(), summands.end(), g) != summands.end();
      of_inputs.push_back((added ? "+" : "") + gradient(dx.to, dx.to_output));
    }
    std::int64_t bytes = 0;
    for (std::uint32_t f = s.freed.first; f < s.freed.last; ++f) bytes += r_.storages[at(r_.freed[f])].bytes;
    std::string lets_go;
    if (s.freed.size() != 0) lets_go = fmt::format("lets go {}", bytes_text(bytes));
    return {fmt::format("  {}", r_.operations[at(s.operation)].name),
            fmt::format("{} -> {}", listed(of_outputs, ", "),
                        s.done                              ? listed(of_inputs, ", ")
                        : pass.end == RecordedPass::kFailed ? "(threw)"
                                                            : "(not seen)"),
            lets_go, s.done ? bytes_text(s.live_after) + " alive" : ""};
  }

  const Recording& r_;
  std::vector<std::vector<int>> steps_;  // of each pass
  std::vector<std::vector<const RecordedArrival*>> arrivals_;
};

}  // namespace

double RecordedNumbers::operator[](std::size_t i) const {
  return core::dispatch(dtype, [&](auto tag) {
    typename decltype(tag)::type value;
    std::memcpy(&value, data + i * sizeof(value), sizeof(value));
    return static_cast<double>(value);
  });
}

RecordedNumbers NumbersStore::copy(const core::Array& stored) {
  const core::Array converted =
      is_storage_type(stored.dtype()) ? stored.to(compute_dtype(stored.dtype())) : core::Array();
  const core::Array& x = converted.defined() ? converted : stored;
  RecordedNumbers n;
  n.count = static_cast<std::size_t>(x.numel());
  n.dtype = x.dtype();
  char* const data = take(n.count * static_cast<std::size_t>(x.element_size()));
  copy_numbers(x, data);
  n.data = data;
  return n;
}

NumbersStore::~NumbersStore() {
  for (const Block& block : blocks_) core::pool_free(block.data, block.size);
}

char* NumbersStore::take(std::size_t bytes) {
  constexpr std::size_t kBlock = 64 << 10;
  if (blocks_.empty() || used_ + bytes > blocks_.back().size) {
    const std::size_t size = std::max(kBlock, bytes);
    blocks_.push_back({static_cast<char*>(core::pool_allocate(size)), size});
    used_ = 0;
  }
  return blocks_.back().data + std::exchange(used_, used_ + bytes);
}

std::string Recording::name_of(int value) const {
  const RecordedValue& v = values[at(value)];
  if (v.name >= 0) return names[at(v.name)];
  std::string letters;
  for (int rest = value; rest >= 0; rest = rest / 26 - 1) {
    letters.insert(letters.begin(), static_cast<char>('a' + rest % 26));
  }
  if (given_names.count(letters) == 0) return letters;
  int n = 1;
  while (given_names.count(letters + std::to_string(n)) != 0) ++n;
  return letters + std::to_string(n);
}

// Gradients are handed on in the order of the inputs. Where several go to one place, the first may be the one that the
// others meet: the last ones have met another.
std::vector<std::uint32_t> Recording::summands_of(const RecordedStep& step) const {
  std::vector<std::uint32_t> found(step.added.size());
  std::uint32_t sum = step.added.last;
  for (std::uint32_t g = step.of_inputs.last; g > step.of_inputs.first && sum > step.added.first; --g) {
    const RecordedGradient& dx = gradients[g - 1];
    const RecordedSum& last = added[sum - 1];
    if (dx.to == last.operation && dx.to_output == last.output) found[--sum - step.added.first] = g - 1;
  }
  return found;
}

bool Recording::same(const RecordedNumbers& a, const RecordedNumbers& b) const {
  const auto equal = [](double x, double y) { return x == y || (x != x && y != y); };
  if (a.count != b.count || (a.statistics < 0) != (b.statistics < 0)) return false;
  if (a.statistics >= 0) {
    const core::Description &s = statistics[static_cast<std::size_t>(a.statistics)],
                            &t = statistics[static_cast<std::size_t>(b.statistics)];
    if (!equal(s.min, t.min) || !equal(s.max, t.max) || !equal(s.mean, t.mean) || !equal(s.std, t.std)) return false;
  }
  return a.dtype == b.dtype && std::memcmp(a.data, b.data, a.count * static_cast<std::size_t>(size_of(a.dtype))) == 0;
}

int Recording::value_of(int operation, int output) const {
  const RecordedOperation& o = operations[at(operation)];
  if (!o.elsewhere) return static_cast<int>(o.outputs.first) + output;
  for (std::uint32_t v = o.outputs.first; v < o.outputs.last; ++v) {
    if (values[v].operation == operation && values[v].output == output) return static_cast<int>(v);
  }
  return -1;
}

int Recording::value_of(const RecordedOperation& of, const RecordedSaved& kept) const {
  const auto index = static_cast<std::uint32_t>(kept.index);
  if (kept.kind == std::string_view("output")) return static_cast<int>(of.outputs.first + index);
  return index < of.inputs.size() ? links[of.inputs.first + index] : -1;
}

double Recording::norm(const RecordedNumbers& n, const core::Shape& shape) const {
  if (n.statistics < 0) {
    double sum = 0;
    for (std::size_t i = 0; i < n.count; ++i) sum += n[i] * n[i];
    return std::sqrt(sum);
  }
  const core::Description& s = statistics[at(n.statistics)];
  if (s.nan != 0) return std::numeric_limits<double>::quiet_NaN();
  if (s.infinite != 0) return std::numeric_limits<double>::infinity();
  return std::sqrt(static_cast<double>(core::numel_of(shape)) * (s.mean * s.mean + s.std * s.std));
}

std::vector<std::int64_t> Recording::kept_of(std::int64_t size) const {
  std::vector<std::int64_t> kept;
  const bool all_of_it = size <= (both_ends ? 2 * corner : corner);
  for (std::int64_t i = 0; i < (all_of_it ? size : corner); ++i) kept.push_back(i);
  for (std::int64_t i = all_of_it || !both_ends ? size : size - corner; i < size; ++i) kept.push_back(i);
  return kept;
}

const RecordedMoment* Recording::peak() const {
  const RecordedMoment* most = nullptr;
  for (const RecordedMoment& m : moments) {
    if (most == nullptr || m.live_bytes > most->live_bytes) most = &m;
  }
  return most;
}

std::string type_of(DType dtype, const core::Shape& shape) {
  return fmt::format("{}{}", dtype, core::to_string(shape));
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"KiB", "MiB", "GiB"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return fmt::format("{:.1f} {}", value, unit);
}

std::string record_text(const Recording& recording) { return Text(recording).all(); }

}  // namespace gradus::autograd::detail
