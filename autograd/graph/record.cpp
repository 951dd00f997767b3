// A Record's forward half: operations, values, storages, calls of modules, where history stops.
#include "recorder.h"

#include <limits>
#include <utility>

#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "../../core/memory/live_bytes.h"
#include "../../core/ops/combine.h"
#include "../../core/ops/describe.h"
#include "batched.h"
#include "grad_mode.h"
#include "saved.h"

namespace gradus::autograd {

using namespace detail;  // NOLINT(google-build-using-namespace): the lists that it fills
using core::Array;

// Of what has been recorded before it was named the values are known already.
void Record::Recorder::name(const Tensor& x, std::string name) {
  if (!x.defined()) core::fail<ValueError>("Record: an undefined tensor cannot be named {}", core::in_quotes(name));
  const int place = static_cast<int>(all.names.size());
  all.given_names.insert(name);
  all.names.push_back(std::move(name));
  names_[&x.body()] = {x, place, serials_};
  const int seen = bodies_.find(&x.body());
  if (!x.edge()) {
    if (seen < 0) return;
    RecordedValue& v = all.values[static_cast<std::size_t>(seen)];
    const std::uint64_t serial = serials_.find(numbers_of_all(x).storage().get());
    const bool same = all.storages[static_cast<std::size_t>(v.storage)].serial == serial;
    if (v.kind == RecordedValue::kConstant && same) v.name = place;
    return;
  }
  const Node& node = *x.edge().node;
  const int operation = operations_.find(&node);
  if (operation < 0 || all.operations[static_cast<std::size_t>(operation)].number != node.number()) return;
  const Range outputs = all.operations[static_cast<std::size_t>(operation)].outputs;
  for (std::uint32_t v = outputs.first; v < outputs.last; ++v) {
    if (all.values[v].operation == operation && all.values[v].output == x.edge().index) all.values[v].name = place;
  }
}

// Rows and columns at both ends, or the first ones alone.
Array Record::Recorder::corner_of(const Array& x) const {
  const std::int64_t n = options_.corner;
  if (!options_.both_ends) return detail::corner_of(x, n);
  Array part = detail::corner_of(x, std::numeric_limits<std::int64_t>::max());
  for (int d = 0; d < part.dim(); ++d) {
    const std::int64_t size = part.shape()[d];
    if (size <= 2 * n) continue;
    const std::vector<Array> ends = {part.narrow(d, 0, n), part.narrow(d, size - n, n)};
    part = core::cat(ends, d);
  }
  return part;
}

RecordedNumbers Record::Recorder::numbers_of(const Array& x) {
  if (x.numel() <= options_.whole) return all.numbers.copy(x);
  RecordedNumbers n = all.numbers.copy(corner_of(x));
  n.statistics = static_cast<int>(all.statistics.size());
  all.statistics.push_back(core::describe(x));
  return n;
}

int Record::Recorder::new_operation(const Node& node, const std::vector<int>& inputs) {
  RecordedOperation& o = all.operations.emplace_back();
  o.name = node.name();
  o.module = node.module();
  if (!calls_.empty() && all.calls[static_cast<std::size_t>(calls_.back())].path == o.module) o.call = calls_.back();
  o.at = node.location();
  o.number = node.number();
  o.attributes = node.attributes();
  o.is_rule = node.is_rule();
  o.during = open_.empty() ? -1 : open_.back();
  for (const int value : inputs) count_use(value);
  o.inputs.first = end_of(all.links.size());
  all.links.insert(all.links.end(), inputs.begin(), inputs.end());
  o.inputs.last = end_of(all.links.size());
  o.outputs.first = o.outputs.last = end_of(all.values.size());
  o.saved.first = o.saved.last = end_of(all.saved.size());
  const int place = last(all.operations.size());
  operations_.set(&node, place);
  return place;
}

int Record::Recorder::operation_of(const Node& node) {
  const int known = operations_.find(&node);
  if (known >= 0 && all.operations[static_cast<std::size_t>(known)].number == node.number()) return known;
  const int place = new_operation(node, {});
  RecordedOperation& o = all.operations.back();
  o.elsewhere = true;
  o.is_leaf = node.num_inputs() == 0;
  if (o.is_leaf) leaves_.emplace_back(const_cast<Node*>(&node));  // NOLINT: counted, not changed
  return place;
}

int Record::Recorder::new_storage(const Array& x, int made_by) {
  const core::Storage* const storage = x.storage().get();
  RecordedStorage& s = all.storages.emplace_back();
  s.address = storage;
  s.serial = serials_.give(*storage);
  s.bytes = storage->bytes();
  s.made_by = made_by;
  storages_.set(storage, last(all.storages.size()));
  return last(all.storages.size());
}

// Another may lie where one lay. What the graph has let go and keeps again is an entry of its own, but for leaves'.
int Record::Recorder::storage_of(const Array& x) {
  const int known = storages_.find(x.storage().get());
  if (known < 0) return new_storage(x, -1);
  const RecordedStorage& s = all.storages[static_cast<std::size_t>(known)];
  return s.serial == serials_.find(x.storage().get()) && (s.freed_by_step < 0 || s.of_leaf) ? known
                                                                                            : new_storage(x, -1);
}

int Record::Recorder::new_value(RecordedValue::Kind kind, int operation, int output, const Array& x,
                                const RecordedNumbers* numbers) {
  RecordedValue& v = all.values.emplace_back();
  v.kind = kind;
  v.operation = operation;
  v.output = output;
  v.dtype = x.dtype();
  v.shape = x.shape();
  v.strides = x.strides();
  v.offset = x.storage_offset();
  v.writes = x.storage()->write_count();
  v.storage = storage_of(x);
  v.numbers = numbers != nullptr ? *numbers : numbers_of(x);
  uses_.push_back(0);
  return last(all.values.size());
}

// What has no history is told from others by where it lies and by its numbers.
int Record::Recorder::constant(const Tensor& x) {
  const Array& array = numbers_of_all(x);
  const int known = bodies_.find(&x.body());
  const std::size_t statistics = all.statistics.size();
  const RecordedNumbers now = numbers_of(array);
  if (known >= 0) {
    const RecordedValue& v = all.values[static_cast<std::size_t>(known)];
    if (v.kind == RecordedValue::kConstant && v.dtype == array.dtype() && v.shape == array.shape() &&
        v.strides == array.strides() && v.offset == array.storage_offset() &&
        all.storages[static_cast<std::size_t>(v.storage)].serial == serials_.find(array.storage().get()) &&
        all.same(v.numbers, now)) {
      all.numbers.take_back(now);
      all.statistics.resize(statistics);
      return known;
    }
  }
  const int fresh = new_value(RecordedValue::kConstant, -1, 0, array, &now);
  bodies_.set(&x.body(), fresh);
  find_origin(fresh);
  return fresh;
}

int Record::Recorder::value_of(const Tensor& x) {
  if (!x.defined()) return -1;
  const Body& body = x.body();
  int value = -1;
  if (!body.edge) {
    value = constant(x);
  } else {
    const int operation = operation_of(*body.edge.node);
    const Array& array = numbers_of_all(x);
    RecordedOperation* o = &all.operations[static_cast<std::size_t>(operation)];
    if (!o->elsewhere) {
      value = static_cast<int>(o->outputs.first) + body.edge.index;
      if (all.values[static_cast<std::size_t>(value)].writes != array.storage()->write_count()) {
        value = changed(value, body, array);
      }
    } else {
      // Seen by its tensors only, which are looked up as constants are; a leaf may have been given other numbers since. A
      // backward that is recorded sees it through a tensor of its own.
      const auto shows = [&](int known) {
        if (known < 0) return false;
        const RecordedValue& v = all.values[static_cast<std::size_t>(known)];
        return v.operation == operation && v.output == body.edge.index && v.offset == array.storage_offset() &&
               v.writes == array.storage()->write_count() &&
               all.storages[static_cast<std::size_t>(v.storage)].serial == serials_.find(array.storage().get());
      };
      const int latest = o->outputs.size() == 0 ? -1 : static_cast<int>(o->outputs.last) - 1;
      value = bodies_.find(&body);
      if (!shows(value)) value = shows(latest) ? latest : -1;
      if (value < 0) {
        value =
            new_value(o->is_leaf ? RecordedValue::kLeaf : RecordedValue::kResult, operation, body.edge.index, array);
        all.storages[static_cast<std::size_t>(all.values.back().storage)].of_leaf |= o->is_leaf;
        if (o->outputs.size() == 0) o->outputs.first = static_cast<std::uint32_t>(value);
        o->outputs.last = static_cast<std::uint32_t>(value) + 1;
      }
      bodies_.set(&body, value);
    }
  }
  RecordedValue& v = all.values[static_cast<std::size_t>(value)];
  if (v.name < 0 && !names_.empty()) {
    const auto named = names_.find(&body);
    if (named != names_.end() && named->second.is(x, serials_)) v.name = named->second.name;
  }
  return value;
}

// Uses are counted by results, whatever was written to them since: gradients are added up by results.
void Record::Recorder::count_use(int value) {
  if (value < 0) return;
  const RecordedValue& v = all.values[static_cast<std::size_t>(value)];
  int counted = value;
  if (v.kind == RecordedValue::kResult && !all.operations[static_cast<std::size_t>(v.operation)].elsewhere)
    counted = static_cast<int>(all.operations[static_cast<std::size_t>(v.operation)].outputs.first) + v.output;
  if (uses_[static_cast<std::size_t>(counted)] < 2) ++uses_[static_cast<std::size_t>(counted)];
}

void Record::Recorder::save(Node& node, RecordedOperation& operation) {
  operation.saved.first = end_of(all.saved.size());
  node.visit_saved([&](const char* kind, int index, Saved& saved) {
    const Array& value = saved.value();
    if (!value.defined() && !saved.packed()) return;
    RecordedSaved& s = all.saved.emplace_back();
    s.kind = kind;
    s.index = index;
    if (!value.defined()) return;
    s.dtype = value.dtype();
    s.shape = value.shape();
    s.storage = storage_of(value);
    ++all.storages[static_cast<std::size_t>(s.storage)].holders;
  });
  operation.saved.last = end_of(all.saved.size());
}

void Record::Recorder::recorded(Node& node, const Operand* inputs, int count, const std::vector<Array>& outputs) {
  if (!on_) return;
  const std::vector<int> read = values_read(node, inputs, count);
  const int place = new_operation(node, read);
  RecordedOperation& o = all.operations.back();
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Array& y = outputs[k];
    if (!y.defined()) {  // holds the place
      all.values.emplace_back().operation = place;
      uses_.push_back(0);
      continue;
    }
    // Memory of its own is new, whatever lay there before.
    bool shared = false;
    for (int i = 0; i < count; ++i) shared |= numbers_of_all(inputs[i].tensor()).storage() == y.storage();
    if (!shared) new_storage(y, place);
    new_value(RecordedValue::kResult, place, static_cast<int>(k), y);
  }
  o.outputs.last = end_of(all.values.size());
  save(node, o);
  moment(RecordedMoment::kOperation, place);
  o.live_bytes = all.moments.back().live_bytes;
}

void Record::Recorder::moment(RecordedMoment::Kind kind, int of) {
  all.moments.push_back({kind, of, core::live_bytes(), grads_bytes_});
}

void Record::Recorder::entered(std::string_view module) noexcept {
  if (!on_ || !open_.empty()) return;
  all.calls.push_back({module, calls_.empty() ? -1 : calls_.back()});
  calls_.push_back(last(all.calls.size()));
}

// Calls that began before the record did end, too.
void Record::Recorder::left(std::string_view module) noexcept {
  if (!on_ || !open_.empty()) return;
  if (!calls_.empty() && all.calls[static_cast<std::size_t>(calls_.back())].path == module) calls_.pop_back();
}

const Record::Recorder::Loose* Record::Recorder::loose(const Array& x) const {
  if (!x.defined()) return nullptr;
  const std::uint64_t serial = serials_.find(x.storage().get());
  const auto found = serial == 0 ? loose_.end() : loose_.find(serial);
  return found == loose_.end() ? nullptr : &found->second;
}

void Record::Recorder::loosen(const Array& result, RecordedStop stop, std::vector<RecordedMaker> made_by) {
  if (!result.defined()) return;
  if (loose_.size() >= most_loose_) forget_the_gone();
  const core::Storage& storage = *result.storage();
  loose_[serials_.give(storage)] = {std::move(stop), std::move(made_by), &storage};
}

void Record::Recorder::forget_the_gone() {
  std::erase_if(loose_, [&](const auto& entry) { return serials_.find(entry.second.storage) != entry.first; });
  most_loose_ = 2 * loose_.size() + 64;
}

// Of a constant that an operation reads: what computed it, and where its numbers' history ended, if they had one.
void Record::Recorder::find_origin(int value) {
  RecordedValue& v = all.values[static_cast<std::size_t>(value)];
  const auto found = loose_.find(all.storages[static_cast<std::size_t>(v.storage)].serial);
  if (found == loose_.end()) return;
  const Loose& origin = found->second;
  v.made_by.first = end_of(all.makers.size());
  all.makers.insert(all.makers.end(), origin.made_by.begin(), origin.made_by.end());
  v.made_by.last = end_of(all.makers.size());
  if (!is_floating_point(v.dtype) || origin.stop.kind == RecordedStop::kNone) return;
  all.stops.push_back(origin.stop);
  all.stops.back().value = value;
}

// Of several operands the one that has had a history is followed, else the first that was computed.
void Record::Recorder::unrecorded(std::string_view name, const Operand* inputs, int count,
                                  const std::vector<Array>& outputs) {
  constexpr std::size_t kFollowed = 8;
  if (!on_ || !open_.empty() || count == 0) return;
  const int after = last(all.moments.size());
  RecordedStop stop{-1, RecordedStop::kNone, -1, std::string(name), inputs[0].at(), after};
  const Loose* followed = nullptr;
  for (int i = 0; i < count && stop.kind == RecordedStop::kNone; ++i) {
    const Tensor& x = inputs[i].tensor();
    if (!x.defined()) continue;
    if (x.edge()) {
      stop.from = value_of(x);
      stop.kind = RecordedStop::kUnrecorded;
      followed = nullptr;
    } else if (const Loose* const origin = loose(numbers_of_all(x)); origin != nullptr) {
      const bool had_history = origin->stop.kind != RecordedStop::kNone;
      if (followed == nullptr || had_history) followed = origin;
      if (had_history) break;
    }
  }
  if (followed != nullptr) stop = followed->stop;
  std::vector<RecordedMaker> made_by{{std::string(name), inputs[0].at()}};
  for (std::size_t k = 0; followed != nullptr && k < followed->made_by.size() && made_by.size() < kFollowed; ++k) {
    made_by.push_back(followed->made_by[k]);
  }
  for (const Array& y : outputs) {
    if (!y.defined()) continue;
    bool is_view = false;
    for (int i = 0; i < count; ++i) {
      const Tensor& x = inputs[i].tensor();
      is_view |= x.defined() && !x.edge() && numbers_of_all(x).storage() == y.storage();
    }
    if (!is_view) loosen(y, stop, made_by);  // what a view shows has its own makers
  }
}

void Record::Recorder::detached(const Tensor& from, const Tensor& to) {
  if (!on_ || !open_.empty()) return;
  const Scope* const scope = Scope::current();
  loosen(numbers_of_all(to),
         {-1, RecordedStop::kDetach, value_of(from), "detach",
          scope == nullptr ? Location::unknown() : scope->location(), last(all.moments.size())},
         {});
}

namespace {

const RecordOptions& checked(const RecordOptions& options) {
  for (const auto& [name, size] : {std::pair("whole", options.whole), {"corner", options.corner}}) {
    if (size < 0) core::fail<ValueError>("Record: {} must not be negative: {}", name, size);
  }
  return options;
}

}  // namespace

Record::Record(const RecordOptions& options) : recorder_(new Recorder(checked(options))) {}
Record::~Record() = default;
void Record::name(const Tensor& x, std::string name) { recorder_->name(x, std::move(name)); }
void Record::stop() noexcept { recorder_->stop(); }
const Recording& detail::recording_of(const Record& record) { return record.recorder_->all; }
std::string Record::text() const { return record_text(recorder_->all); }
std::string Record::dot() const { return record_dot(recorder_->all); }
std::string Record::json() const { return record_json(recorder_->all); }

}  // namespace gradus::autograd
