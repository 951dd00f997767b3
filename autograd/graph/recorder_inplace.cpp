// A Record's view of changes in place: what they read, what they give, the history that they give to a view's base.
#include <algorithm>
#include <utility>

#include "batched.h"
#include "recorder.h"
#include "view_history.h"

namespace gradus::autograd {

using namespace detail;  // NOLINT(google-build-using-namespace): the lists that it fills
using core::Array;

// What the call is about to write over is looked at now, and of a view its base, too; the rest when it has computed, if it
// does.
void Record::Recorder::writing(Node& node, const Operand* inputs, int count, bool certain) {
  if (!on_) return;
  Read read{node.number(), {}};
  const auto same_memory = [&](const Tensor& x) {
    return x.defined() && numbers_of_all(x).storage() == numbers_of_all(inputs[0].tensor()).storage();
  };
  for (int i = 0; i < count; ++i) {
    const Tensor& x = inputs[i].tensor();
    read.values.push_back(!certain || same_memory(x) ? value_of(x) : Read::kLater);
  }
  reads_.push_back(std::move(read));
  stretch_ = {};
  for (int i = 0; i < (certain ? 1 : count); ++i) {
    if (!inputs[i].tensor().defined()) continue;
    const ViewOf* const view = inputs[i].tensor().body().view.get();
    if (view == nullptr || (!certain && (!view->base->edge || view->base->edge.node->as_leaf() != nullptr))) continue;
    (void)value_of(Tensor(view->base));
    if (certain && !view->base->array.is_contiguous()) stretch_ = numbers_of_stretch(view->base->array);
  }
}

// Those of a call in place are known since before it wrote. Calls inside it that are still listed have thrown.
const std::vector<int>& Record::Recorder::values_read(const Node& node, const Operand* inputs, int count) {
  const auto of_this =
      std::find_if(reads_.begin(), reads_.end(), [&](const Read& r) { return r.node == node.number(); });
  if (of_this != reads_.end()) {
    read_ = std::move(of_this->values);
    reads_.erase(of_this, reads_.end());
  } else {
    read_.assign(static_cast<std::size_t>(count), Read::kLater);
  }
  for (int i = 0; i < count; ++i) {
    int& value = read_[static_cast<std::size_t>(i)];
    if (value == Read::kLater) value = value_of(inputs[i].tensor());
  }
  return read_;
}

// The last value known of an operand whose memory may have been written to since; -1: it was not seen.
int Record::Recorder::value_before(const Tensor& x) const {
  const Body& body = x.body();
  if (!body.edge) {
    const int known = bodies_.find(&body);
    if (known < 0) return -1;
    const RecordedValue& v = all.values[static_cast<std::size_t>(known)];
    const std::uint64_t serial = all.storages[static_cast<std::size_t>(v.storage)].serial;
    return v.kind == RecordedValue::kConstant && serial == serials_.find(numbers_of_all(x).storage().get()) ? known
                                                                                                            : -1;
  }
  const int operation = operations_.find(body.edge.node.get());
  if (operation < 0) return -1;
  const RecordedOperation& o = all.operations[static_cast<std::size_t>(operation)];
  if (o.number != body.edge.node->number()) return -1;
  if (!o.elsewhere) {
    const int first = static_cast<int>(o.outputs.first) + body.edge.index;
    const auto changed = changed_.find(first);
    return changed == changed_.end() ? first : changed->second;
  }
  for (std::uint32_t v = o.outputs.last; v-- > o.outputs.first;) {
    if (all.values[v].operation == operation && all.values[v].output == body.edge.index) return static_cast<int>(v);
  }
  return -1;
}

void Record::Recorder::carried_over(Node& node, const Operand* inputs, int count, const Array& result) {
  if (!on_) return;
  read_.clear();
  for (int i = 0; i < count; ++i) {
    const Tensor& x = inputs[i].tensor();
    int value = x.defined() ? value_before(x) : -1;
    if (value < 0 && x.defined()) {
      if (x.body().edge) {
        value = value_of(x);
      } else if (stretch_.defined() && i == 0) {
        value = new_value(RecordedValue::kConstant, -1, 0, std::exchange(stretch_, {}));
      }
    }
    read_.push_back(value);
  }
  const int place = new_operation(node, read_);
  RecordedOperation& o = all.operations.back();
  const Array y = result.defined() ? result : std::exchange(stretch_, {});
  if (y.defined()) {
    new_value(RecordedValue::kResult, place, 0, y);
  } else {  // holds the place: its numbers are not there to be seen
    RecordedValue& unseen = all.values.emplace_back();
    unseen.operation = place;
    unseen.dtype = node.outputs()[0].dtype;
    unseen.shape = node.outputs()[0].shape;
    uses_.push_back(0);
  }
  o.outputs.last = end_of(all.values.size());
  moment(RecordedMoment::kOperation, place);
  o.live_bytes = all.moments.back().live_bytes;
}

// A result whose memory has been written to, as under a NoGradGuard: with other numbers it is another value.
int Record::Recorder::changed(int value, const Body& body, const Array& array) {
  const std::uint64_t writes = array.storage()->write_count();
  const int known = bodies_.find(&body);
  const RecordedValue first = all.values[static_cast<std::size_t>(value)];
  if (known >= 0) {
    const RecordedValue& v = all.values[static_cast<std::size_t>(known)];
    if (v.operation == first.operation && v.output == first.output && v.writes == writes &&
        v.offset == array.storage_offset())
      return known;
  }
  const std::size_t statistics = all.statistics.size();
  const RecordedNumbers now = numbers_of(array);
  if (first.dtype == array.dtype() && first.shape == array.shape() && all.same(first.numbers, now)) {
    all.numbers.take_back(now);
    all.statistics.resize(statistics);
    all.values[static_cast<std::size_t>(value)].writes = writes;
    return value;
  }
  const int fresh = new_value(RecordedValue::kResult, first.operation, first.output, array, &now);
  bodies_.set(&body, fresh);
  changed_[value] = fresh;
  return fresh;
}

}  // namespace gradus::autograd
