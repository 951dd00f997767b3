#include "summary.h"

#include <algorithm>
#include <ostream>
#include <unordered_map>

#include "../../autograd/graph/observer.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "hooks.h"

namespace gradus::nn {
namespace {

std::int64_t product(const core::Shape& shape, int from = 0) {
  std::int64_t n = 1;
  for (int d = from; d < shape.size(); ++d) n *= shape[d];
  return n;
}

// By what an operation multiplies and adds, from the shapes alone.
std::int64_t multiply_adds(std::string_view name, const autograd::Operand* inputs, int count,
                           const std::vector<core::Array>& outputs) {
  const auto shape = [&](int i) { return inputs[i].tensor().body().array.shape(); };
  const auto last = [&](int i) { return shape(i).size() == 0 ? 1 : shape(i)[shape(i).size() - 1]; };
  const std::int64_t out = product(outputs[0].shape());
  if (name == "matmul" || name == "linear") return out * last(0);
  if (name == "addmm") return out * last(1);
  if (name == "conv") return out * product(shape(1), 1);
  if (name == "conv_transpose") return product(shape(0)) * product(shape(1), 1);
  if (name == "scaled_dot_product_attention")
    return product(shape(0)) * shape(1)[shape(1).size() - 2] + out * shape(1)[shape(1).size() - 2];
  if (name.starts_with("lstm") || name.starts_with("gru") || name.starts_with("rnn")) {
    // Each weight meets each step of each sequence once.
    std::int64_t weights = 0;
    for (int i = 1; i < count; ++i) {
      if (inputs[i].tensor().defined() && shape(i).size() == 2) weights += product(shape(i));
    }
    return product(shape(0)) / std::max<std::int64_t>(1, last(0)) * weights;
  }
  return 0;
}

std::vector<std::vector<std::int64_t>> sizes_of(const std::vector<Tensor>& tensors) {
  std::vector<std::vector<std::int64_t>> sizes;
  for (const Tensor& t : tensors) sizes.push_back(t.defined() ? t.sizes().vec() : std::vector<std::int64_t>());
  return sizes;
}

// Counts for the module whose forward runs.
struct Counting : autograd::Observer {
  std::vector<LayerSummary*> running;
  void recorded(autograd::Node& node, const autograd::Operand* inputs, int count,
                const std::vector<core::Array>& outputs) override {
    if (!running.empty() && !outputs.empty())
      running.back()->multiply_adds += multiply_adds(node.name(), inputs, count, outputs);
  }
};

void count_parameters(const Module& module, LayerSummary& row) {
  for (const Tensor& p : module.parameters()) {
    row.parameters += p.numel();
    row.parameter_bytes += p.nbytes();
    if (p.requires_grad()) row.trainable += p.numel();
  }
  for (const Tensor& b : module.buffers()) row.parameter_bytes += b.nbytes();
}

// "1,234,567".
std::string grouped(std::int64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t i = text.size(); i > 3;) {
    i -= 3;
    text.insert(i, ",");
  }
  return text;
}

std::string text_of_sizes(const std::vector<std::vector<std::int64_t>>& sizes) {
  std::string text;
  for (const auto& size : sizes) {
    if (!text.empty()) text += ", ";
    text += fmt::format("[{}]", fmt::join(size, ", "));
  }
  return text;
}

}  // namespace

Summary detail::summarise(Module& module, core::FunctionRef<void()> forward) {
  Summary summary;
  std::vector<Module*> modules;
  module.apply([&](const std::string& path, Module& m) {
    LayerSummary row;
    row.path = path;
    row.type = m.name();
    row.depth = path.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '.'));
    count_parameters(m, row);
    summary.layers.push_back(std::move(row));
    modules.push_back(&m);
  });

  // All that is changed for the forward is as before afterwards.
  struct Before {
    std::vector<RemovableHandle> handles;
    std::vector<std::pair<Module*, bool>> modes;
    std::vector<Tensor> frozen;
    ~Before() {
      for (RemovableHandle& handle : handles) handle.remove();
      for (const auto& [m, training] : modes) {
        if (m->is_training() != training) m->train(training);  // what is below follows in its turn
      }
      for (const Tensor& p : frozen) p.requires_grad_(false);
    }
  } before;
  Counting counting;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    Module& m = *modules[i];
    LayerSummary& row = summary.layers[i];
    before.modes.emplace_back(&m, m.is_training());
    before.handles.push_back(m.register_forward_pre_hook([&](Module&, const std::vector<Tensor>& inputs) {
      counting.running.push_back(&row);
      if (row.calls++ == 0) row.inputs = sizes_of(inputs);
    }));
    const bool is_last = m.children().empty();
    before.handles.push_back(
        m.register_forward_hook([&, is_last](Module&, const std::vector<Tensor>&, const std::vector<Tensor>& outputs) {
          counting.running.pop_back();
          if (row.outputs.empty()) row.outputs = sizes_of(outputs);
          for (const Tensor& y : outputs) {
            if (is_last && y.defined()) row.output_bytes += y.nbytes();
          }
        }));
  }
  // What is computed is seen when it is recorded: so all parameters have to require a gradient.
  for (const Tensor& p : module.parameters()) {
    if (p.requires_grad() || !p.is_floating_point()) continue;
    p.requires_grad_();
    before.frozen.push_back(p);
  }
  module.eval();
  {
    const AutoGradMode recording(true);
    forward();
  }
  // From below to above.
  for (std::size_t i = summary.layers.size(); i-- > 1;) {
    const LayerSummary& row = summary.layers[i];
    for (std::size_t above = i; above-- > 0;) {
      if (summary.layers[above].depth >= row.depth) continue;
      summary.layers[above].multiply_adds += row.multiply_adds;
      summary.layers[above].output_bytes += row.output_bytes;
      break;
    }
  }
  static_cast<LayerSummary&>(summary) = summary.layers[0];
  return summary;
}

std::vector<Tensor> detail::summary_inputs(const std::vector<std::vector<std::int64_t>>& sizes, const Module& module) {
  DType dtype = kFloat;
  for (const Tensor& p : module.parameters()) {
    if (!p.is_floating_point()) continue;
    dtype = p.dtype();
    break;
  }
  std::vector<Tensor> inputs;
  for (const auto& size : sizes) inputs.push_back(full(size, 0.5, dtype).requires_grad_());
  return inputs;
}

void detail::fail_summary_inputs(const Module& module, std::size_t given) {
  core::fail<ModuleError>("summary: there must be a size for each of the one to three tensors that {} takes: {}",
                          module.name(), given);
}

std::string Summary::to_string() const {
  std::vector<std::vector<std::string>> lines{{"layer", "output", "parameters", "multiply-adds", "bytes"}};
  for (const LayerSummary& row : layers) {
    const std::size_t dot = row.path.rfind('.');
    const std::string name = dot == std::string::npos ? row.path : row.path.substr(dot + 1);
    lines.push_back(
        {std::string(2 * row.depth, ' ') + (name.empty() ? row.type : fmt::format("{}: {}", name, row.type)),
         text_of_sizes(row.outputs), grouped(row.parameters), grouped(row.multiply_adds),
         grouped(row.parameter_bytes + row.output_bytes)});
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
  }
  std::string text;
  for (const auto& line : lines) {
    text += fmt::format("{:<{}}  {:<{}}", line[0], widths[0], line[1], widths[1]);
    for (std::size_t c = 2; c < line.size(); ++c) text += fmt::format("  {:>{}}", line[c], widths[c]);
    text += '\n';
  }
  return text + fmt::format(
                    "parameters {}, {} of them trainable; multiply-adds {}; bytes: {} of parameters and buffers, "
                    "{} of outputs\n",
                    grouped(parameters), grouped(trainable), grouped(multiply_adds), grouped(parameter_bytes),
                    grouped(output_bytes));
}

std::ostream& operator<<(std::ostream& stream, const Summary& summary) { return stream << summary.to_string(); }

}  // namespace gradus::nn
