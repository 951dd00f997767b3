#include "record.h"

#include <unordered_map>

#include "../../core/memory/live_bytes.h"
#include "../../core/ops/describe.h"
#include "batched.h"
#include "observer.h"
#include "record_data.h"
#include "record_places.h"
#include "saved.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

using core::Array;
using namespace detail;

namespace {

int last(std::size_t size) { return static_cast<int>(size) - 1; }
std::uint32_t end_of(std::size_t size) { return static_cast<std::uint32_t>(size); }

}  // namespace

class Record::Recorder final : public Observer {
 public:
  explicit Recorder(const RecordOptions& options) : all(options.corner), options_(options) {
    constexpr std::size_t kUsual = 4096;  // lists that grow are copied
    all.operations.reserve(kUsual);
    all.values.reserve(kUsual);
    all.gradients.reserve(kUsual);
    all.steps.reserve(kUsual);
    all.statistics.reserve(kUsual);
  }

  void name(const Tensor& x, std::string name) {
    all.names.push_back(std::move(name));
    names_[&x.body()] = {x, last(all.names.size()), x.edge() ? RecordedNumbers() : numbers_of(numbers_of_all(x))};
  }
  void stop() noexcept { on_ = false; }

  void recorded(Node& node, const Operand* inputs, int count, const std::vector<Array>& outputs) override;
  void started(const std::vector<Tensor>& outputs, const Gradients& gradients) override;
  void running(Node& node, const Gradients& of_outputs) override;
  void ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) override;
  void added(Node& node, int output) override;
  void released(Node& node) override;
  void arrived(Node& node, int output, const Tensor& gradient) override;
  void ended(bool complete) noexcept override;

  Recording all;

 private:
  int new_operation(const Node& node);
  int operation_of(const Node& node);
  int new_value(RecordedValue::Kind kind, int operation, int output, const Array& x,
                const RecordedNumbers* numbers = nullptr);
  int value_of(const Operand& input);
  int value_of(const Tensor& x);
  int constant(const Tensor& x);
  int new_storage(const Array& x, int made_by);
  int storage_of(const Array& x);
  RecordedNumbers numbers_of(const Array& x);
  void save(Node& node, RecordedOperation& operation);
  RecordedGradient gradient(int index, const Array& g, bool with_numbers);
  void moment(RecordedMoment::Kind kind, int of) { all.moments.push_back({kind, of, core::live_bytes()}); }

  RecordOptions options_;
  bool on_ = true;
  Places operations_, storages_, bodies_;
  std::unordered_map<const Body*, Named> names_;
  std::vector<core::Ref<Node>> leaves_;  // kept, so that no other comes to lie where one was; no tensor hangs by them
  std::vector<std::uint8_t> uses_;       // of each value, by operations: 2 stands for more
  std::vector<int> open_;                // steps that run, passes inside steps
  std::vector<int> passes_;
  int last_step_ = -1;
};

RecordedNumbers Record::Recorder::numbers_of(const Array& x) {
  if (x.numel() <= options_.whole) return all.numbers.copy(x);
  const Array corner = corner_of(x, options_.corner);
  RecordedNumbers n = all.numbers.copy(corner);
  n.statistics = static_cast<int>(all.statistics.size());
  all.statistics.push_back(core::describe(x));
  return n;
}

int Record::Recorder::new_operation(const Node& node) {
  RecordedOperation& o = all.operations.emplace_back();
  o.name = node.name();
  o.module = node.module();
  o.at = node.location();
  o.number = node.number();
  o.attributes = node.attributes();
  o.is_rule = node.is_rule();
  o.during = open_.empty() ? -1 : open_.back();
  o.inputs.first = o.inputs.last = end_of(all.links.size());
  o.outputs.first = o.outputs.last = end_of(all.values.size());
  o.saved.first = o.saved.last = end_of(all.saved.size());
  const int place = last(all.operations.size());
  operations_.set(&node, place);
  return place;
}

int Record::Recorder::operation_of(const Node& node) {
  const int known = operations_.find(&node);
  if (known >= 0 && all.operations[static_cast<std::size_t>(known)].number == node.number()) return known;
  const int place = new_operation(node);
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
  s.bytes = storage->bytes();
  s.made_by = made_by;
  storages_.set(storage, last(all.storages.size()));
  return last(all.storages.size());
}

// What the graph has let go may be gone, and other memory in its place: but for leaves', which their tensors keep.
int Record::Recorder::storage_of(const Array& x) {
  const int known = storages_.find(x.storage().get());
  if (known < 0) return new_storage(x, -1);
  const RecordedStorage& s = all.storages[static_cast<std::size_t>(known)];
  return s.bytes == x.storage()->bytes() && (s.freed_by_step < 0 || s.of_leaf) ? known : new_storage(x, -1);
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
        all.storages[static_cast<std::size_t>(v.storage)].address == array.storage().get() &&
        all.same(v.numbers, now)) {
      all.numbers.take_back(now);
      all.statistics.resize(statistics);
      return known;
    }
  }
  const int fresh = new_value(RecordedValue::kConstant, -1, 0, array, &now);
  bodies_.set(&x.body(), fresh);
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
    } else {
      // Seen by its tensors only, which are looked up as constants are; a leaf may have been given other numbers since.
      value = bodies_.find(&body);
      const RecordedValue* v = value < 0 ? nullptr : &all.values[static_cast<std::size_t>(value)];
      if (v == nullptr || v->operation != operation || v->output != body.edge.index ||
          v->writes != array.storage()->write_count() || v->offset != array.storage_offset()) {
        value =
            new_value(o->is_leaf ? RecordedValue::kLeaf : RecordedValue::kResult, operation, body.edge.index, array);
        all.storages[static_cast<std::size_t>(all.values.back().storage)].of_leaf |= o->is_leaf;
        bodies_.set(&body, value);
        if (o->outputs.size() == 0) o->outputs.first = static_cast<std::uint32_t>(value);
        o->outputs.last = static_cast<std::uint32_t>(value) + 1;
      }
    }
  }
  RecordedValue& v = all.values[static_cast<std::size_t>(value)];
  if (v.name < 0 && !names_.empty()) {
    const auto named = names_.find(&body);
    if (named != names_.end() && named->second.is(x, v, all)) v.name = named->second.name;
  }
  return value;
}

int Record::Recorder::value_of(const Operand& input) {
  const int value = value_of(input.tensor());
  if (value >= 0 && uses_[static_cast<std::size_t>(value)] < 2) ++uses_[static_cast<std::size_t>(value)];
  return value;
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
  int values[32];
  std::vector<int> many;
  int* const of_inputs = count <= 32 ? values : (many.resize(static_cast<std::size_t>(count)), many.data());
  for (int i = 0; i < count; ++i) of_inputs[i] = value_of(inputs[i]);
  const int place = new_operation(node);
  RecordedOperation& o = all.operations.back();
  all.links.insert(all.links.end(), of_inputs, of_inputs + count);
  o.inputs.last = end_of(all.links.size());
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

void Record::Recorder::started(const std::vector<Tensor>& outputs, const Gradients&) {
  if (!on_) return;
  RecordedPass pass;
  pass.outer = open_.empty() ? -1 : open_.back();
  std::vector<int> values;
  for (const Tensor& y : outputs) values.push_back(value_of(y));
  pass.outputs.first = end_of(all.links.size());
  all.links.insert(all.links.end(), values.begin(), values.end());
  pass.outputs.last = end_of(all.links.size());
  all.passes.push_back(pass);
  last_step_ = -1;
  passes_.push_back(last(all.passes.size()));
}

RecordedGradient Record::Recorder::gradient(int index, const Array& g, bool with_numbers) {
  RecordedGradient r;
  r.index = index;
  r.dtype = g.dtype();
  r.shape = g.shape();
  r.known = with_numbers;
  if (with_numbers) r.numbers = numbers_of(g);
  return r;
}

void Record::Recorder::running(Node& node, const Gradients& of_outputs) {
  if (!on_ || passes_.empty()) return;
  const int operation = operation_of(node);
  RecordedStep& step = all.steps.emplace_back();
  step.operation = operation;
  step.pass = passes_.back();
  step.of_outputs.first = end_of(all.gradients.size());
  for (std::size_t k = 0; k < of_outputs.size(); ++k) {
    const Array& dy = numbers_of_all(of_outputs[k]);
    if (dy.defined()) all.gradients.push_back(gradient(static_cast<int>(k), dy, true));
  }
  step.of_outputs.last = step.of_inputs.first = step.of_inputs.last = end_of(all.gradients.size());
  step.added.first = step.added.last = end_of(all.added.size());
  step.freed.first = step.freed.last = end_of(all.freed.size());
  step.live_before = core::live_bytes();
  open_.push_back(last(all.steps.size()));
}

void Record::Recorder::ran(Node& node, const Gradients&, Gradients& of_inputs) {
  if (!on_ || open_.empty()) return;
  last_step_ = open_.back();
  open_.pop_back();
  const std::uint32_t first = end_of(all.gradients.size());
  const Edge* const edges = node.edges();
  for (std::size_t i = 0; i < of_inputs.size(); ++i) {
    const Array& dx = numbers_of_all(of_inputs[i]);
    if (!dx.defined()) continue;
    int to = -1, to_output = 0;
    bool sums = true;
    if (edges[i]) {
      to = operation_of(*edges[i].node);
      to_output = edges[i].index;
      // What is read once goes on as it is, and is seen where it arrives.
      const int value = all.value_of(to, to_output);
      sums = value < 0 || uses_[static_cast<std::size_t>(value)] > 1;
    }
    RecordedGradient g = gradient(static_cast<int>(i), dx, sums);
    g.to = to;
    g.to_output = to_output;
    all.gradients.push_back(g);
  }
  RecordedStep& step = all.steps[static_cast<std::size_t>(last_step_)];
  step.of_inputs = {first, end_of(all.gradients.size())};
  step.done = true;
  step.live_after = core::live_bytes();
  all.moments.push_back({RecordedMoment::kStep, last_step_, step.live_after});
  step.added = {end_of(all.added.size()), end_of(all.added.size())};
  step.freed = {end_of(all.freed.size()), end_of(all.freed.size())};
}

void Record::Recorder::added(Node& node, int output) {
  if (!on_ || passes_.empty()) return;
  const int operation = operation_of(node);
  all.added.push_back({operation, output});
  if (last_step_ >= 0) all.steps[static_cast<std::size_t>(last_step_)].added.last = end_of(all.added.size());
}

void Record::Recorder::released(Node& node) {
  if (!on_ || last_step_ < 0) return;
  const RecordedOperation& o = all.operations[static_cast<std::size_t>(operation_of(node))];
  RecordedStep& step = all.steps[static_cast<std::size_t>(last_step_)];
  if (step.operation != operations_.find(&node)) return;
  step.released = true;
  step.freed = {end_of(all.freed.size()), end_of(all.freed.size())};
  for (std::uint32_t s = o.saved.first; s < o.saved.last; ++s) {
    const int place = all.saved[s].storage;
    if (place < 0) continue;
    RecordedStorage& storage = all.storages[static_cast<std::size_t>(place)];
    if (storage.holders == 0 || --storage.holders > 0) continue;
    storage.freed_by_step = last_step_;
    all.freed.push_back(place);
  }
  step.freed.last = end_of(all.freed.size());
  if (o.saved.size() == 0) return;
  moment(RecordedMoment::kReleased, last_step_);
  step.live_after = all.moments.back().live_bytes;
}

void Record::Recorder::arrived(Node& node, int output, const Tensor& g) {
  if (!on_ || passes_.empty()) return;
  all.arrivals.push_back({passes_.back(), operation_of(node), output, gradient(output, numbers_of_all(g), true)});
}

void Record::Recorder::ended(bool complete) noexcept {
  if (!on_ || passes_.empty()) return;
  const int place = passes_.back();
  passes_.pop_back();
  RecordedPass& pass = all.passes[static_cast<std::size_t>(place)];
  pass.complete = complete;
  while (!open_.empty() && all.steps[static_cast<std::size_t>(open_.back())].pass == place) open_.pop_back();
  moment(RecordedMoment::kEnd, place);
  pass.live_bytes = all.moments.back().live_bytes;
  last_step_ = -1;
}

Record::Record(const RecordOptions& options) : recorder_(new Recorder(options)) {}
Record::~Record() = default;
void Record::name(const Tensor& x, std::string name) { recorder_->name(x, std::move(name)); }
void Record::stop() noexcept { recorder_->stop(); }
std::string Record::text() const { return record_text(recorder_->all); }
std::string Record::dot() const { return record_dot(recorder_->all); }
std::string Record::json() const { return record_json(recorder_->all); }

}  // namespace gradus::autograd
