// A pole on a cart for the programs that learn to balance it, and a generator of their own. No guard: see frontend_train.h.
namespace {

/// PCG, 32 bits: O'Neill, "PCG: A family of simple fast space-efficient statistically good algorithms" (2014).
class Generator {
 public:
  uint32_t next() {
    const uint64_t old = state_;
    state_ = old * 6364136223846793005u + 1442695040888963407u;
    const auto mixed = static_cast<uint32_t>(((old >> 18) ^ old) >> 27), turn = static_cast<uint32_t>(old >> 59);
    return (mixed >> turn) | (mixed << ((32 - turn) % 32));
  }
  double uniform() { return next() / 4294967296.0; }
  uint32_t below(size_t count) { return static_cast<uint32_t>(uniform() * static_cast<double>(count)); }

 private:
  uint64_t state_ = 7;
};

/// The equations of motion: Barto, Sutton, Anderson, "Neuronlike adaptive elements that can solve difficult learning control
/// problems" (1983), without friction, by Euler's method.
class Pole {
 public:
  explicit Pole(Generator& draw) { reset(draw); }
  void reset(Generator& draw) {
    for (double& value : state_) value = 0.1 * draw.uniform() - 0.05;
  }
  torch::Tensor observe() const { return torch::tensor({state_[0], state_[1], state_[2], state_[3]}, kDouble); }
  /// To the left (0) or to the right (1). Whether the pole fell or the cart left its track.
  bool push(int action) {
    const double gravity = 9.8, cart = 1.0, pole = 0.1, half = 0.5, tau = 0.02, force = action == 1 ? 10 : -10;
    const double sine = std::sin(state_[2]), cosine = std::cos(state_[2]);
    const double pushed = (force + pole * half * state_[3] * state_[3] * sine) / (cart + pole);
    const double turned =
        (gravity * sine - cosine * pushed) / (half * (4.0 / 3.0 - pole * cosine * cosine / (cart + pole)));
    const double moved = pushed - pole * half * turned * cosine / (cart + pole);
    state_ = {state_[0] + tau * state_[1], state_[1] + tau * moved, state_[2] + tau * state_[3],
              state_[3] + tau * turned};
    return std::abs(state_[0]) > 2.4 || std::abs(state_[2]) > 0.2095;
  }

 private:
  std::array<double, 4> state_{};
};

}  // namespace
