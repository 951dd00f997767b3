// How a program runs: blocks of a parallel loop, and in each of them tile after tile.
#include <algorithm>
#include <cstring>
#include <utility>

#include "../array/create.h"
#include "../memory/pool.h"
#include "../threads/even_grain.h"
#include "../threads/parallel.h"
#include "program.h"

namespace gradus::core::kernels {
namespace {

/// As often as wanted.
void write_out(char* to, const void* element, std::int64_t size, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + i * size, element, static_cast<std::size_t>(size));
}

}  // namespace

/// One block of a parallel loop.
class Program::Range {
 public:
  /// How an input is read: where it lies, one element for all, or gathered into a register tile by tile.
  enum class Access : std::uint8_t { None, Straight, Single, Gathered };
  struct Operand {
    Access access = Access::None;
    const char* data = nullptr;
    std::int64_t size = 0;
    Strides strides;  // of the broadcast array, in elements
  };

  Range(const Program& program, const Shape& shape, const Operand* inputs, char* const* outputs)
      : p_(program), shape_(shape), inputs_(inputs), outputs_(outputs) {}

  void operator()(std::int64_t begin, std::int64_t end) const {
    constexpr std::int64_t kOnStack = 32768;
    alignas(64) char stack[kOnStack];  // left as it is: only what was written is read
    int gathered = 0;
    for (int k = 0; k < p_.inputs_; ++k) gathered += inputs_[k].access > Access::Straight ? 1 : 0;
    const std::int64_t buffers = static_cast<std::int64_t>(p_.filled_.size()) + p_.registers_ + gathered;
    const std::int64_t bytes = buffers * p_.register_bytes_;
    const Pooled pooled(bytes > kOnStack ? static_cast<std::size_t>(bytes) : 0);
    char* buffer = pooled.block != nullptr ? static_cast<char*>(pooled.block) : stack;
    const auto next = [&] { return std::exchange(buffer, buffer + p_.register_bytes_); };

    constexpr int kFew = 64;
    const int slots = p_.first_register_ + p_.registers_;
    char* few[kFew];
    std::vector<char*> many(slots > kFew ? static_cast<std::size_t>(slots) : 0);
    char** const at = slots > kFew ? many.data() : few;
    const std::int64_t most = std::min(p_.tile_, end - begin);
    for (int k = 0; k < p_.inputs_; ++k) {
      const Operand& x = inputs_[k];
      at[k] = const_cast<char*>(x.data);
      if (x.access == Access::Straight) at[k] += begin * x.size;
      if (x.access == Access::Single) write_out(at[k] = next(), x.data, x.size, most);
      if (x.access == Access::Gathered) at[k] = next();
    }
    for (std::size_t k = 0; k < p_.outputs_.size(); ++k) {
      if (p_.written_by_[k] >= 0) at[p_.first_output_ + static_cast<int>(k)] = outputs_[k] + begin * size_of_output(k);
    }
    for (std::size_t k = 0; k < p_.numbers_.size(); ++k) {
      const Value& number = p_.values_[static_cast<std::size_t>(p_.numbers_[k])];
      at[p_.first_number_ + static_cast<int>(k)] =
          reinterpret_cast<char*>(const_cast<unsigned char*>(number.constant.bytes));
    }
    for (std::size_t k = 0; k < p_.filled_.size(); ++k) {
      const Value& value = p_.values_[static_cast<std::size_t>(p_.filled_[k])];
      char*& to = at[p_.first_filled_ + static_cast<int>(k)];
      write_out(to = next(), value.constant.bytes, size_of(value.dtype), most);
    }
    for (int r = 0; r < p_.registers_; ++r) at[p_.first_register_ + r] = next();

    for (std::int64_t i = begin; i < end; i += p_.tile_) {
      const std::int64_t n = std::min(p_.tile_, end - i);
      for (int k = 0; gathered > 0 && k < p_.inputs_; ++k) {
        if (inputs_[k].access == Access::Gathered) gather(inputs_[k], at[k], i, n);
      }
      for (const Step& step : p_.steps_) {
        if (step.chain != nullptr) {
          step.chain(p_.chained_.data() + step.first, step.count, at, static_cast<std::size_t>(n));
          continue;
        }
        const void* const in[3] = {at[step.in[0]], at[step.in[1]], at[step.in[2]]};
        step.kernel(at[step.out], in, static_cast<std::size_t>(n), step.param);
      }
      for (int k = 0; k < p_.inputs_; ++k) {
        if (inputs_[k].access == Access::Straight) at[k] += n * inputs_[k].size;
      }
      for (std::size_t k = 0; k < p_.outputs_.size(); ++k) {
        if (p_.written_by_[k] >= 0) at[p_.first_output_ + static_cast<int>(k)] += n * size_of_output(k);
      }
    }
  }

 private:
  struct Pooled {
    explicit Pooled(std::size_t bytes_) : bytes(bytes_), block(bytes > 0 ? pool_allocate(bytes) : nullptr) {}
    ~Pooled() {
      if (block != nullptr) pool_free(block, bytes);
    }
    Pooled(const Pooled&) = delete;
    Pooled& operator=(const Pooled&) = delete;
    const std::size_t bytes;
    void* const block;
  };

  std::int64_t size_of_output(std::size_t k) const {
    return size_of(p_.values_[static_cast<std::size_t>(p_.outputs_[k])].dtype);
  }

  // Elements i, ..., i + n - 1 in the order of the shape, row by row.
  void gather(const Operand& x, char* to, std::int64_t i, std::int64_t n) const {
    const int dims = shape_.size();
    std::int64_t place[kMaxDims] = {}, rest = i, from = 0;
    for (int d = dims; d-- > 0;) {
      place[d] = rest % shape_[d];
      rest /= shape_[d];
      from += place[d] * x.strides[d];
    }
    const std::int64_t columns = shape_[dims - 1], step = x.strides[dims - 1];
    while (n > 0) {
      const std::int64_t count = std::min(n, columns - place[dims - 1]);
      copy_row(to, x.data + from * x.size, x.size, step, count);
      to += count * x.size;
      n -= count;
      from -= place[dims - 1] * step;
      place[dims - 1] = 0;
      for (int d = dims - 2; d >= 0; --d) {
        from += x.strides[d];
        if (++place[d] < shape_[d]) break;
        from -= place[d] * x.strides[d];
        place[d] = 0;
      }
    }
  }
  static void copy_row(char* to, const char* from, std::int64_t size, std::int64_t step, std::int64_t n) {
    if (step == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(n * size));
    } else if (size == 4) {
      copy_elements<float>(to, from, step, n);
    } else if (size == 8) {
      copy_elements<double>(to, from, step, n);
    } else if (size == 2) {
      copy_elements<std::uint16_t>(to, from, step, n);
    } else {
      copy_elements<unsigned char>(to, from, step, n);
    }
  }
  template <class T>
  static void copy_elements(char* to, const char* from, std::int64_t step, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) reinterpret_cast<T*>(to)[i] = reinterpret_cast<const T*>(from)[i * step];
  }

  const Program& p_;
  const Shape& shape_;
  const Operand* const inputs_;
  char* const* const outputs_;
};

void Program::run(const Shape& shape, const Array* const* inputs, Array* outputs) const {
  constexpr int kFew = 8;
  Range::Operand few[kFew];
  std::vector<Range::Operand> many(inputs_ > kFew ? static_cast<std::size_t>(inputs_) : 0);
  Range::Operand* const operands = inputs_ > kFew ? many.data() : few;
  std::vector<Array> straightened;
  const std::int64_t n = numel_of(shape);
  for (int k = 0; k < inputs_; ++k) {
    if (!reads_input(k)) continue;
    const Array* x = inputs[k];
    Range::Operand& operand = operands[k];
    operand.size = x->element_size();
    const bool whole = x->shape() == shape;
    if (whole && !x->is_contiguous()) {
      straightened.reserve(static_cast<std::size_t>(inputs_));
      x = &straightened.emplace_back(x->contiguous());
    }
    operand.data = static_cast<const char*>(x->data());
    operand.access = whole             ? Range::Access::Straight
                     : x->numel() == 1 ? Range::Access::Single
                                       : Range::Access::Gathered;
    if (operand.access == Range::Access::Gathered) operand.strides = x->expand(shape).strides();
  }
  char* few_to[kFew];
  std::vector<char*> many_to(outputs_.size() > kFew ? outputs_.size() : 0);
  char** const to = outputs_.size() > kFew ? many_to.data() : few_to;
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const int v = outputs_[k];
    if (v < 0) continue;
    const Value& value = values_[static_cast<std::size_t>(v)];
    if (written_by_[k] >= 0) {
      outputs[k] = empty(shape, value.dtype);
      to[k] = static_cast<char*>(outputs[k].data());
    } else if (value.kind == Kind::Input) {
      const Array& x = *inputs[value.index];
      outputs[k] = x.shape() == shape ? x : x.expand(shape);
    } else if (value.kind == Kind::Constant) {
      outputs[k] = empty({}, value.dtype);
      std::memcpy(outputs[k].data(), value.constant.bytes, static_cast<std::size_t>(size_of(value.dtype)));
      outputs[k] = outputs[k].expand(shape);
    } else {
      const auto first = std::find(written_by_.begin(), written_by_.end(), v);
      outputs[k] = outputs[static_cast<std::size_t>(first - written_by_.begin())];
    }
  }
  if (steps_.empty() || n == 0) return;
  const Range range(*this, shape, operands, to);
  // An instruction is worth about as much as the loop of a cheap operation, less the memory.
  const std::int64_t block = std::max<std::int64_t>(65536 / static_cast<std::int64_t>(steps_.size() + 1), 4096);
  if (n <= 2 * block) return range(0, n);
  parallel_for(n, even_grain(n, block, tile_), range);
}

}  // namespace gradus::core::kernels
