// What programs for PyTorch's C++ frontend take for granted, with one changed include and no other.
#include <gradus/torch.h>

int main() {
  torch::manual_seed(0);
  const torch::Tensor drawn = torch::empty({3}).uniform_(0, 1);
  drawn.set_requires_grad(true);  // of a const tensor, and after what returns one
  auto chained = torch::ones({2}).mul_(2).set_requires_grad(true);
  (chained * chained).sum().backward();
  std::cout << drawn.requires_grad() << '\n' << chained.grad() << std::endl;  // without <iostream>
  return drawn.requires_grad() && chained.grad().equal(torch::full({2}, 4.f)) ? 0 : 1;
}
