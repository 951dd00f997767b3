// What a host loads at run time: it uses the library, with its threads, and is unloaded.
#include <gradus/gradus.h>

extern "C" int work() {
  gradus::set_num_threads(4);
  gradus::Tensor x = gradus::ones({300, 300}).requires_grad_();
  for (int step = 0; step < 20; ++step) gradus::matmul(x, x).exp().mean().backward();
  return x.grad().defined() ? 0 : 1;
}
