#include "observer.h"

#include <utility>

namespace gradus::autograd {

namespace {

thread_local Observer* innermost = nullptr;

}  // namespace

// Nobody observes what an observer does.
Unobserved::Unobserved() noexcept : before_(std::exchange(innermost, nullptr)) {}
Unobserved::~Unobserved() { innermost = before_; }

Observer::Observer() noexcept : outer_(innermost) { innermost = this; }
Observer::~Observer() { innermost = outer_; }
bool Observer::active() noexcept { return innermost != nullptr; }

void Observer::tell_recorded(Node& node, const Operand* inputs, int count, const std::vector<core::Array>& outputs) {
  const Unobserved quiet;
  for (Observer* o = quiet.first(); o != nullptr; o = o->outer_) o->recorded(node, inputs, count, outputs);
}
void Observer::tell_running(Node& node, const Gradients& of_outputs) {
  const Unobserved quiet;
  for (Observer* o = quiet.first(); o != nullptr; o = o->outer_) o->running(node, of_outputs);
}
void Observer::tell_ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) {
  const Unobserved quiet;
  for (Observer* o = quiet.first(); o != nullptr; o = o->outer_) o->ran(node, of_outputs, of_inputs);
}
void Observer::tell_added(Node& node, int output) {
  const Unobserved quiet;
  for (Observer* o = quiet.first(); o != nullptr; o = o->outer_) o->added(node, output);
}
void Observer::tell_released(Node& node) {
  const Unobserved quiet;
  for (Observer* o = quiet.first(); o != nullptr; o = o->outer_) o->released(node);
}
void Observer::tell_accumulated(LeafNode& leaf) {
  const Unobserved quiet;
  for (Observer* o = quiet.first(); o != nullptr; o = o->outer_) o->accumulated(leaf);
}
void Observer::tell_finished() {
  const Unobserved quiet;
  for (Observer* o = quiet.first(); o != nullptr; o = o->outer_) o->finished();
}

}  // namespace gradus::autograd
