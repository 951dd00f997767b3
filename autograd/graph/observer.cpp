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

template <class Tell>
void Observer::tell_each(const Tell& tell) {
  const Unobserved quiet;
  for (Observer* o = quiet.first(); o != nullptr; o = o->outer_) tell(*o);
}

void Observer::tell_recorded(Node& node, const Operand* inputs, int count, const std::vector<core::Array>& outputs) {
  tell_each([&](Observer& o) { o.recorded(node, inputs, count, outputs); });
}
void Observer::tell_started(const std::vector<Tensor>& outputs, const Gradients& gradients) {
  tell_each([&](Observer& o) { o.started(outputs, gradients); });
}
void Observer::tell_running(Node& node, const Gradients& of_outputs) {
  tell_each([&](Observer& o) { o.running(node, of_outputs); });
}
void Observer::tell_ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) {
  tell_each([&](Observer& o) { o.ran(node, of_outputs, of_inputs); });
}
void Observer::tell_added(Node& node, int output) {
  tell_each([&](Observer& o) { o.added(node, output); });
}
void Observer::tell_released(Node& node) {
  tell_each([&](Observer& o) { o.released(node); });
}
void Observer::tell_arrived(Node& node, int output, const Tensor& gradient) {
  tell_each([&](Observer& o) { o.arrived(node, output, gradient); });
}
void Observer::tell_finishing() {
  tell_each([](Observer& o) { o.finishing(); });
}
void Observer::tell_ended(bool complete) noexcept {
  tell_each([&](Observer& o) { o.ended(complete); });
}

}  // namespace gradus::autograd
