#include "observer.h"

#include <cstdio>
#include <cstdlib>

namespace gradus::autograd {

namespace {

thread_local Observer* innermost = nullptr;
thread_local Observer* hidden = nullptr;  // by the innermost Unobserved: where the list ends, for whoever is told
thread_local Unobserved* quiet = nullptr;

}  // namespace

// Observers may outlive their thread: from then on they are in nobody's list.
struct Observer::OfThread {
  ~OfThread() {
    for (Observer* o = innermost; o != nullptr; o = o->outer_) o->listed_ = false;
    innermost = hidden = nullptr;
  }
};

Unobserved::Unobserved(bool tracing) noexcept : hidden_(innermost), outer_(quiet), tracing_(tracing) {
  quiet = this;
  hidden = hidden_;
}
Unobserved::~Unobserved() {
  quiet = outer_;
  hidden = outer_ == nullptr ? nullptr : outer_->hidden_;
}
bool Unobserved::tracing() noexcept {
  for (const Unobserved* u = quiet; u != nullptr; u = u->outer_) {
    if (u->tracing_) return true;
  }
  return false;
}

std::atomic<int> Observer::alive_{0};

Observer::Observer() noexcept : outer_(innermost) {
  alive_.fetch_add(1, std::memory_order_relaxed);
  static thread_local OfThread at_its_end;
  (void)&at_its_end;
  innermost = this;
}
Observer::~Observer() {
  alive_.fetch_sub(1, std::memory_order_relaxed);
  if (!listed_) return;
  Observer** at = &innermost;
  while (*at != nullptr && *at != this) at = &(*at)->outer_;
  if (*at == nullptr) {
    std::fputs(
        "gradus: an Observer (Record, WatchFinite, SavedTensorsHooks, ..) must be destroyed on its own thread, "
        "or after that has ended: another one destroys it; let it live and die in one scope\n",
        stderr);
    std::abort();
  }
  *at = outer_;
  for (Unobserved* u = quiet; u != nullptr; u = u->outer_) {
    if (u->hidden_ == this) u->hidden_ = outer_;
  }
  if (hidden == this) hidden = outer_;
}
bool Observer::active_here() noexcept { return innermost != hidden; }

// Nobody observes what an observer does.
template <class Tell>
void Observer::tell_each(const Tell& tell) {
  Observer* const first = innermost;
  const Unobserved unobserved;
  const auto end = [&] { return unobserved.outer_ == nullptr ? nullptr : unobserved.outer_->hidden_; };
  for (Observer* o = first; o != end(); o = o->outer_) tell(*o);
}

void Observer::tell_recorded(Node& node, const Operand* inputs, int count, const std::vector<core::Array>& outputs) {
  tell_each([&](Observer& o) { o.recorded(node, inputs, count, outputs); });
}
void Observer::tell_writing(Node& node, const Operand* inputs, int count, bool certain) {
  tell_each([&](Observer& o) { o.writing(node, inputs, count, certain); });
}
void Observer::tell_carried_over(Node& node, const Operand* inputs, int count, const core::Array& result) {
  tell_each([&](Observer& o) { o.carried_over(node, inputs, count, result); });
}
void Observer::tell_started(const std::vector<Tensor>& outputs, const Gradients& gradients) {
  std::vector<Observer*> told;
  try {
    tell_each([&](Observer& o) {
      told.reserve(told.size() + 1);
      o.started(outputs, gradients);
      told.push_back(&o);
    });
  } catch (...) {  // who was not told of the beginning is not told of the end
    const Unobserved unobserved;
    for (Observer* o : told) o->ended(false);
    throw;
  }
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
void Observer::tell_failed(Node* node, const Gradients& of_outputs, std::string_view what) noexcept {
  tell_each([&](Observer& o) {
    try {
      o.failed(node, of_outputs, what);
    } catch (...) {  // NOLINT(bugprone-empty-catch): what ends the pass is on its way
    }
  });
}
void Observer::tell_finishing() {
  tell_each([](Observer& o) { o.finishing(); });
}
void Observer::tell_ended(bool complete) noexcept {
  tell_each([&](Observer& o) { o.ended(complete); });
}
void Observer::tell_unrecorded(std::string_view name, const Operand* inputs, int count,
                               const std::vector<core::Array>& outputs) {
  tell_each([&](Observer& o) { o.unrecorded(name, inputs, count, outputs); });
}
void Observer::tell_detached(const Tensor& from, const Tensor& detached) {
  tell_each([&](Observer& o) { o.detached(from, detached); });
}
void Observer::tell_entered(std::string_view module) noexcept {
  tell_each([&](Observer& o) { o.entered(module); });
}
void Observer::tell_left(std::string_view module) noexcept {
  tell_each([&](Observer& o) { o.left(module); });
}
void Observer::tell_updating(std::string_view optimizer, const Tensor& parameter, const Tensor& gradient) {
  tell_each([&](Observer& o) { o.updating(optimizer, parameter, gradient); });
}
void Observer::tell_updated(std::string_view optimizer, const Tensor& parameter) {
  tell_each([&](Observer& o) { o.updated(optimizer, parameter); });
}

}  // namespace gradus::autograd
