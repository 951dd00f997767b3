// Adds two tensors of 64 elements N times without history, on one thread: `small_operation N`. What it costs is counted
// from outside.
#include <gradus/gradus.h>

#include <cstdlib>

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  gradus::set_num_threads(1);
  const gradus::NoGradGuard guard;
  const gradus::Tensor a = gradus::ones({64}), b = gradus::ones({64});
  gradus::Tensor c = a + b;
  for (int i = 0; i < count; ++i) c = a + b;
  return c[63].item<float>() == 2 ? 0 : 1;
}
