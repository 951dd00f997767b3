// end_with_graphs: a program that ends while graphs are alive, in static and thread-local variables, in the hands of a
// thread that never returns, and half way down main's own stack. It must end quietly.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/core/threads/parallel.h>

namespace {

using gradus::Tensor;

// A graph that saves values, with hooks, a .grad and a kept gradient.
Tensor graph(int length) {
  const Tensor x = gradus::ones({4, 4}).requires_grad_();
  Tensor y = x;
  for (int i = 0; i < length; ++i) y = (y * x).tanh().view({2, 8}).reshape({4, 4});
  y.register_hook([x](const Tensor&) {});
  y.retain_grad();
  y.sum().backward({}, true, true);
  return y;
}

Tensor at_file_scope = graph(100);  // made before main, while other static variables may not be
thread_local Tensor of_each_thread;
Tensor& in_a_function() {
  static Tensor made_late = graph(100);
  return made_late;
}
std::atomic<bool> ready{false};

}  // namespace

int main() {
  in_a_function();
  of_each_thread = graph(10000);
  gradus::set_num_threads(2);
  const Tensor large = gradus::ones({1000, 1000}).requires_grad_();
  const Tensor y = gradus::matmul(large, large).sum();  // the library's own threads are up
  y.backward({}, true);
  std::thread([] { of_each_thread = graph(1000); }).join();  // ends before the program
  std::thread([] {
    of_each_thread = graph(1000);
    ready = true;
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }).detach();
  while (!ready) std::this_thread::yield();
  std::puts("ends with graphs alive");
  std::exit(0);
}
