#include "interrupt.h"

#include <atomic>
#include <csignal>

#include "../../core/base/fail.h"

namespace gradus::train {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
std::atomic<bool> in_use{false};
std::atomic<int> noted{0};
struct sigaction before[2];

// Lock-free atomics and sigaction are what a handler may use.
static_assert(std::atomic<int>::is_always_lock_free);
extern "C" void note_signal(int signal) {
  noted.store(signal, std::memory_order_relaxed);
  for (int i = 0; i < 2; ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  if (in_use.exchange(true)) core::fail<ValueError>("Interrupt: there is one already; pass it on");
  noted = 0;
  struct sigaction action = {};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  for (const int each : kSignals) sigaddset(&action.sa_mask, each);
  action.sa_flags = SA_RESTART;  // a write to a file that is under way goes on
  for (int i = 0; i < 2; ++i) ::sigaction(kSignals[i], nullptr, &before[i]);
  for (const int each : kSignals) ::sigaction(each, &action, nullptr);
}
Interrupt::~Interrupt() {
  for (int i = 0; i < 2; ++i) ::sigaction(kSignals[i], &before[i], nullptr);
  in_use = false;
}
int Interrupt::signal() const noexcept { return noted.load(std::memory_order_relaxed); }

}  // namespace gradus::train
