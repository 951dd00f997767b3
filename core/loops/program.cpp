#include "program.h"

#include <algorithm>
#include <cstring>

namespace gradus::core::kernels {
namespace {

bool same(const Instruction& a, const Instruction& b) {
  return a.kernel == b.kernel && a.result == b.result && a.count == b.count && a.in == b.in && a.number == b.number &&
         a.param_bytes == b.param_bytes && a.param == b.param;
}

}  // namespace

int Program::add_input(DType dtype) {
  values_.push_back({Kind::Input, dtype, inputs_++, {}});
  return static_cast<int>(values_.size()) - 1;
}

int Program::add_constant(const Element& element, DType dtype) {
  for (std::size_t v = 0; v < values_.size(); ++v) {
    const Value& other = values_[v];
    if (other.kind == Kind::Constant && other.dtype == dtype &&
        std::memcmp(other.constant.bytes, element.bytes, sizeof element.bytes) == 0) {
      return static_cast<int>(v);
    }
  }
  values_.push_back({Kind::Constant, dtype, 0, element});
  return static_cast<int>(values_.size()) - 1;
}

int Program::add(Instruction instruction) {
  for (const Instruction& other : instructions_) {
    if (same(other, instruction)) return other.out;
  }
  instruction.out = static_cast<int>(values_.size());
  values_.push_back({Kind::Result, instruction.result, static_cast<int>(instructions_.size()), {}});
  instructions_.push_back(instruction);
  return instruction.out;
}

void Program::drop_unused() {
  std::vector<bool> used(values_.size());
  for (const int y : outputs_) {
    if (y >= 0) used[static_cast<std::size_t>(y)] = true;
  }
  std::vector<Instruction> kept;
  for (auto step = instructions_.rbegin(); step != instructions_.rend(); ++step) {
    if (!used[static_cast<std::size_t>(step->out)]) continue;
    for (int k = 0; k < step->count; ++k) {
      used[static_cast<std::size_t>(step->in[static_cast<std::size_t>(k)])] = true;
    }
    kept.push_back(*step);
  }
  instructions_.assign(kept.rbegin(), kept.rend());
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    values_[static_cast<std::size_t>(instructions_[i].out)].index = static_cast<int>(i);
  }
  reads_.assign(static_cast<std::size_t>(inputs_), false);
  for (std::size_t v = 0; v < values_.size(); ++v) {
    if (values_[v].kind == Kind::Input) reads_[static_cast<std::size_t>(values_[v].index)] = used[v];
  }
}

void Program::finish(const std::vector<int>& outputs) {
  outputs_ = outputs;
  made_with_ = chain_of(kFloat32);
  drop_unused();
  schedule();
  assign_registers();
  chain();
  std::int64_t widest = 1;
  for (const Value& value : values_) widest = std::max(widest, size_of(value.dtype));
  // Many registers are shorter: all of them have to stay in the first cache.
  const std::int64_t buffers = registers_ + static_cast<std::int64_t>(filled_.size()) + inputs_ + 1;
  register_bytes_ = kMostRegisterBytes;
  while (register_bytes_ > kLeastRegisterBytes && buffers * register_bytes_ > kCacheBytes) register_bytes_ /= 2;
  tile_ = register_bytes_ / widest;
}

// What reads the last result comes next, if all else that it reads is there: it finds that in registers (chain()).
void Program::schedule() {
  std::vector<Instruction> order;
  std::vector<bool> done(instructions_.size()), there(values_.size());
  for (std::size_t v = 0; v < values_.size(); ++v) there[v] = values_[v].kind != Kind::Result;
  const auto ready = [&](const Instruction& step) {
    for (int k = 0; k < step.count; ++k) {
      if (!there[static_cast<std::size_t>(step.in[static_cast<std::size_t>(k)])]) return false;
    }
    return true;
  };
  const auto reads = [](const Instruction& step, int value) {
    return step.in[0] == value || (step.count > 1 && step.in[1] == value);
  };
  std::size_t first = 0;
  while (order.size() < instructions_.size()) {
    while (done[first]) ++first;
    std::size_t next = first;  // the first that is left is always ready
    for (std::size_t i = first; i < instructions_.size() && !order.empty(); ++i) {
      if (done[i] || !reads(instructions_[i], order.back().out) || !ready(instructions_[i])) continue;
      if (chain_op_of(instructions_[i]) == ChainOp::None || chain_op_of(order.back()) == ChainOp::None) continue;
      next = i;
      break;
    }
    done[next] = true;
    there[static_cast<std::size_t>(instructions_[next].out)] = true;
    order.push_back(instructions_[next]);
  }
  instructions_ = std::move(order);
}

// Where a value is found. Registers are assigned from first to last instruction, and each is free again after the last
// that reads it; a result may then take its operand's place.
void Program::assign_registers() {
  first_output_ = inputs_;
  first_number_ = first_output_ + static_cast<int>(outputs_.size());
  for (const Instruction& step : instructions_) {
    for (int k = 0; k < step.count; ++k) {
      const int v = step.in[static_cast<std::size_t>(k)];
      if (values_[static_cast<std::size_t>(v)].kind != Kind::Constant) continue;
      std::vector<int>& list = step.number == k ? numbers_ : filled_;
      if (std::find(list.begin(), list.end(), v) == list.end()) list.push_back(v);
    }
  }
  first_filled_ = first_number_ + static_cast<int>(numbers_.size());
  first_register_ = first_filled_ + static_cast<int>(filled_.size());

  std::vector<int> slot(values_.size(), -1), last(values_.size(), -1);
  for (std::size_t v = 0; v < values_.size(); ++v) {
    if (values_[v].kind == Kind::Input) slot[v] = values_[v].index;
  }
  written_by_.assign(outputs_.size(), -1);
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const int v = outputs_[k];
    if (v < 0 || values_[static_cast<std::size_t>(v)].kind != Kind::Result || slot[static_cast<std::size_t>(v)] >= 0) {
      continue;
    }
    slot[static_cast<std::size_t>(v)] = first_output_ + static_cast<int>(k);
    written_by_[k] = v;
  }
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    for (int k = 0; k < instructions_[i].count; ++k) {
      last[static_cast<std::size_t>(instructions_[i].in[static_cast<std::size_t>(k)])] = static_cast<int>(i);
    }
  }
  std::vector<int> free;
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    const Instruction& step = instructions_[i];
    Step run{step.kernel, instructions_[i].param.data()};
    std::vector<int>
        wider;  // read by this instruction for the last time, but too wide to be written over while it reads
    for (int k = 0; k < step.count; ++k) {
      const int v = step.in[static_cast<std::size_t>(k)];
      const Value& value = values_[static_cast<std::size_t>(v)];
      int at = slot[static_cast<std::size_t>(v)];
      if (value.kind == Kind::Constant) {
        const std::vector<int>& list = step.number == k ? numbers_ : filled_;
        at = (step.number == k ? first_number_ : first_filled_) +
             static_cast<int>(std::find(list.begin(), list.end(), v) - list.begin());
      }
      run.in[k] = static_cast<std::uint16_t>(at);
      if (at >= first_register_ && last[static_cast<std::size_t>(v)] == static_cast<int>(i)) {
        last[static_cast<std::size_t>(v)] = -1;  // once, though it is read twice
        (size_of(value.dtype) == size_of(step.result) ? free : wider).push_back(at);
      }
    }
    for (int k = step.count; k < 3; ++k) run.in[k] = run.in[0];
    int& at = slot[static_cast<std::size_t>(step.out)];
    if (at < 0) {
      if (free.empty()) free.push_back(first_register_ + registers_++);
      at = free.back();
      free.pop_back();
    }
    run.out = static_cast<std::uint16_t>(at);
    free.insert(free.end(), wider.begin(), wider.end());
    steps_.push_back(run);
  }
}

ChainOp Program::chain_op_of(const Instruction& step) const {
  // "add" with a parameter is a + alpha b.
  if (!is_floating_point(step.result) || (step.param_bytes > 0 && step.name == "add")) return ChainOp::None;
  const auto wide = [&](int k) {
    return values_[static_cast<std::size_t>(step.in[static_cast<std::size_t>(k)])].dtype == step.result;
  };
  for (int k = 0; k < step.count; ++k) {
    if (!wide(k)) return ChainOp::None;
  }
  return chain_op(key_of(step.name), step.count);
}

// Instructions that follow each other and are simple enough run as one step, in which a result that the next one reads stays
// in registers, and is stored only if it is read again.
void Program::chain() {
  std::vector<int> uses(values_.size());
  for (const Instruction& step : instructions_) {
    for (int k = 0; k < step.count; ++k) ++uses[static_cast<std::size_t>(step.in[static_cast<std::size_t>(k)])];
  }
  for (const int y : outputs_) {
    if (y >= 0) ++uses[static_cast<std::size_t>(y)];
  }
  std::vector<Step> steps;
  for (std::size_t i = 0; i < instructions_.size();) {
    std::size_t end = i;
    while (end < instructions_.size() && instructions_[end].result == instructions_[i].result &&
           chain_op_of(instructions_[end]) != ChainOp::None) {
      ++end;
    }
    if (end < i + 2) {
      steps.push_back(steps_[i++]);
      continue;
    }
    Step run{nullptr, nullptr};
    run.chain = chain_of(instructions_[i].result);
    run.first = static_cast<std::uint32_t>(chained_.size());
    int at_hand = -1;  // the value in registers
    for (; i < end; ++i) {
      const Instruction& step = instructions_[i];
      const Step& places = steps_[i];
      const ChainOp op = chain_op_of(step);
      const bool binary = step.count == 2;
      bool reversed = false;
      if (at_hand != step.in[0]) {
        reversed = binary && at_hand == step.in[1];
        if (!reversed) chained_.push_back({ChainOp::Load, step.number == 0, false, places.in[0]});
      }
      if (binary) {
        const int other = reversed ? 0 : 1;
        chained_.push_back({op, step.number == other, reversed, places.in[other]});
      } else {
        chained_.push_back({op});
      }
      at_hand = step.out;
      const auto v = static_cast<std::size_t>(step.out);
      bool kept = true;
      if (i + 1 < end && uses[v] == 1) {
        const Instruction& next = instructions_[i + 1];
        kept = next.in[0] != step.out && !(next.count == 2 && next.in[1] == step.out);
      }
      if (kept) chained_.push_back({ChainOp::Store, false, false, places.out});
    }
    run.count = static_cast<std::uint32_t>(chained_.size()) - run.first;
    steps.push_back(run);
  }
  steps_ = std::move(steps);
}

}  // namespace gradus::core::kernels
