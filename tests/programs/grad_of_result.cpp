// Asks for gradients that are there, that will be, and that are kept by nobody: only the last deserve a word, once.
#include <cstdio>

#include <gradus/gradus.h>

int main() {
  using gradus::Tensor;
  const Tensor x = gradus::ones({2}).requires_grad_(), plain = gradus::ones({2});
  const Tensor retained = x * 2, y = (retained * 3).sum(), unkept = x * 4;
  retained.retain_grad();
  const auto asked = [](const Tensor& t) { return t.grad().defined() ? 1 : 0; };
  int defined = asked(x) + asked(plain) + asked(retained) + asked(x.detach());
  y.backward();
  defined += asked(x) + asked(retained) + asked(plain);
  {
    const gradus::NoGradGuard guard;
    defined += asked(x * 2);
  }
  std::fprintf(stderr, "%d defined so far\n", defined);
  for (const Tensor& t : {unkept, y, x[0], unkept}) defined += asked(t);
  return defined == 2 ? 0 : 1;
}
