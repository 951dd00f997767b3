// long_chain [LENGTH]: a chain of that many operations (10^7) is built, run backward and destroyed; another is destroyed
// without a backward pass. Neither may touch the stack in proportion to its length: run it under `ulimit -s 512`.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/memory/pool.h>

namespace {

using gradus::Operand;
using gradus::Tensor;
using gradus::core::Array;

// y = max(x, 0), its gradient by hand.
struct Ramp {
  static constexpr std::string_view name = "ramp";
  static Array forward(const Array& x) { return gradus::core::relu(x); }
  static std::array<Array, 1> backward(gradus::autograd::DyArray<> dy, gradus::autograd::OutArray<> y) {
    return {gradus::core::where(y > 0, dy, 0)};
  }
  static Tensor reference(const Tensor& x) { return gradus::relu(x); }
};

// Pointwise (with a saved value and without), rules and views by turns; the number stays 1 all the way.
Tensor chain(const Tensor& x, std::int64_t length) {
  Tensor y = x;
  for (std::int64_t i = 0; i < length; ++i) {
    switch (i % 5) {
      case 0:
        y = y * 1;
        break;
      case 1:
        y = gradus::autograd::apply<Ramp>(y);
        break;
      case 2:
        y = y.view({1, 1});
        break;
      case 3:
        y = y.abs();
        break;
      default:
        y = y.select(0, 0);
    }
  }
  return y.sum();
}

std::int64_t megabytes_at_most() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}
void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "long_chain: not so: %s\n", what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t length = argc > 1 ? std::stoll(argv[1]) : 10'000'000;
  rlimit stack{};
  getrlimit(RLIMIT_STACK, &stack);
  const Tensor x = gradus::ones({1}, gradus::kFloat64).requires_grad_();
  chain(x, 5).backward();  // whatever is made once has been made
  x.zero_grad();
  const std::int64_t arrays = gradus::memory_stats().live_arrays, nodes = gradus::autograd::Node::alive();
  {
    const Tensor y = chain(x, length);
    require(gradus::autograd::Node::alive() - nodes == length + 1, "there is a node for each operation");
    y.backward();
    require(x.grad().item<double>() == 1, "the gradient is 1");
  }
  x.zero_grad();
  require(gradus::autograd::Node::alive() == nodes, "no node is left after the backward pass");
  require(gradus::memory_stats().live_arrays == arrays, "no array is left after the backward pass");
  { const Tensor y = chain(x, length); }
  require(gradus::autograd::Node::alive() == nodes, "no node is left without a backward pass");
  require(gradus::memory_stats().live_arrays == arrays, "no array is left without a backward pass");
  std::printf("%lld operations, a stack of %lld KiB, %lld MB at most\n", static_cast<long long>(length),
              stack.rlim_cur == RLIM_INFINITY ? -1 : static_cast<long long>(stack.rlim_cur / 1024),
              static_cast<long long>(megabytes_at_most()));
}
