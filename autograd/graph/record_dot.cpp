// A Record in Graphviz's language: a tree of modules' calls, in which what is repeated is folded, and the edges between what
// is drawn of it.
#include <algorithm>
#include <set>
#include <utility>

#include "../../core/base/fail.h"
#include "record_tree.h"

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }

// What stands in quotes.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

class Dot {
 public:
  explicit Dot(const Recording& recording)
      : r_(recording),
        tree_(tree_of(recording)),
        root_(tree_.root),
        drawn_for_(recording.operations.size()),
        value_drawn_for_(recording.values.size()) {
    for (std::size_t i = 0; i < drawn_for_.size(); ++i) drawn_for_[i] = static_cast<int>(i);
    for (std::size_t i = 0; i < value_drawn_for_.size(); ++i) value_drawn_for_[i] = static_cast<int>(i);
  }

  std::string all() {
    fold(root_);
    out_ =
        "digraph record {\n  rankdir=TB; compound=true; node [shape=box, style=rounded, fontname=Helvetica, "
        "fontsize=10]; edge [fontname=Helvetica, fontsize=9];\n";
    for (const TreeItem& input : tree_.inputs) draw(input, 1);
    for (const TreeItem& child : root_.children) draw(child, 1);
    edges();
    return std::move(out_) + "}\n";
  }

 private:
  bool is_result(int v) const { return r_.values[at(v)].kind == RecordedValue::kResult; }

  // From the innermost blocks outwards: rounds that follow one another with equal signatures become one.
  void fold(TreeItem& block) {
    for (TreeItem& child : block.children) {
      if (child.kind == TreeItem::kBlock) fold(child);
      sign(r_, child);
    }
    std::vector<TreeItem> folded;
    std::vector<TreeItem>& items = block.children;
    for (std::size_t i = 0; i < items.size();) {
      constexpr std::size_t kLongest = 16;
      std::size_t best = 0, rounds = 1;
      for (std::size_t period = 1; period <= kLongest && i + 2 * period <= items.size(); ++period) {
        std::size_t n = 1;
        while (same_round(items, i, i + n * period, period)) ++n;
        // Two equal operations in a row are two operations; two equal blocks are a repetition.
        const bool enough = n >= 3 || (n == 2 && items[i].kind == TreeItem::kBlock);
        if (enough && n * period > rounds * best) {
          best = period;
          rounds = n;
        }
        if (enough && period == 1) break;
      }
      if (best == 0) {
        folded.push_back(std::move(items[i++]));
        continue;
      }
      TreeItem all{TreeItem::kFold};
      all.times = static_cast<int>(rounds);
      for (std::size_t n = 1; n < rounds; ++n) {
        for (std::size_t k = 0; k < best; ++k) stand_for(items[i + k], items[i + n * best + k]);
      }
      all.last = items[i + rounds * best - 1].path;
      for (std::size_t k = 0; k < best; ++k) all.children.push_back(std::move(items[i + k]));
      sign(r_, all);
      folded.push_back(std::move(all));
      i += rounds * best;
    }
    block.children = std::move(folded);
    sign(r_, block);
  }
  static bool same_round(const std::vector<TreeItem>& items, std::size_t a, std::size_t b, std::size_t period) {
    if (b + period > items.size()) return false;
    for (std::size_t k = 0; k < period; ++k) {
      if (items[a + k].signature != items[b + k].signature) return false;
    }
    return true;
  }
  void stand_for(const TreeItem& one, const TreeItem& other) {
    if (one.kind == TreeItem::kOperation) drawn_for_[at(other.of)] = one.of;
    if (one.kind == TreeItem::kValue) value_drawn_for_[at(other.of)] = one.of;
    for (std::size_t i = 0; i < one.children.size() && i < other.children.size(); ++i) {
      stand_for(one.children[i], other.children[i]);
    }
  }

  void draw(const TreeItem& item, int depth) {
    const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
    if (item.kind == TreeItem::kOperation) {
      const RecordedOperation& o = r_.operations[at(item.of)];
      const RecordedValue& y = r_.values[o.outputs.first];
      std::string place = o.at ? fmt::format("{}:{}", o.at.file(), o.at.line()) : "";
      for (const Attribute& a : o.attributes) place += fmt::format(" {}={}", a.name, a.value);
      out_ += fmt::format("{}o{} [label=\"{}\\n{}\", tooltip=\"{}\"{}];\n", indent, item.of, escaped(o.name),
                          type_of(y.dtype, y.shape), escaped(place),
                          o.saved.size() == 0 ? "" : ", style=\"rounded,filled\", fillcolor=\"#dbe9f6\"");
    } else if (item.kind == TreeItem::kValue) {
      const RecordedValue& v = r_.values[at(item.of)];
      out_ += fmt::format("{}v{} [label=\"{}\\n{}\", shape={}, style=\"\"];\n", indent, item.of,
                          escaped(v.name < 0 && v.kind == RecordedValue::kConstant ? "constant" : r_.name_of(item.of)),
                          type_of(v.dtype, v.shape), v.kind == RecordedValue::kConstant ? "plaintext" : "ellipse");
    } else {
      out_ += fmt::format("{}subgraph cluster_{} {{\n{}  label=\"{}\"; fontname=Helvetica; fontsize=10; style={};\n",
                          indent, clusters_++, indent, escaped(label(item)),
                          item.kind == TreeItem::kFold ? "dashed" : "rounded");
      for (const TreeItem& child : item.children) draw(child, depth + 1);
      out_ += indent + "}\n";
    }
  }
  static std::string label(const TreeItem& item) {
    if (item.kind == TreeItem::kBlock) return std::string(item.path);
    const std::string_view first = item.children.front().path;
    const bool blocks = !first.empty() && !item.last.empty();
    return fmt::format("{}{}{} times", blocks ? std::string(first) + " to " + std::string(item.last) : "",
                       blocks ? ", " : "", item.times);
  }

  // What stands for what stands for it, where folds lie within folds.
  static int stand_in(const std::vector<int>& stands, int of) {
    while (stands[at(of)] != of) of = stands[at(of)];
    return of;
  }
  std::string node_of(int value) const {
    const RecordedValue& v = r_.values[at(value)];
    if (is_result(value) && !r_.operations[at(v.operation)].elsewhere) {
      return fmt::format("o{}", stand_in(drawn_for_, v.operation));
    }
    return fmt::format("v{}", stand_in(value_drawn_for_, value));
  }
  void edges() {
    std::set<std::pair<std::string, std::string>> drawn;
    for (std::size_t i = 0; i < r_.operations.size(); ++i) {
      const RecordedOperation& o = r_.operations[i];
      if (o.elsewhere || o.during >= 0) continue;
      const int here = stand_in(drawn_for_, static_cast<int>(i));
      const std::string to = fmt::format("o{}", here);
      for (std::uint32_t k = o.inputs.first; k < o.inputs.last; ++k) {
        const int v = r_.links[k];
        if (v < 0) continue;
        const std::string from = node_of(v);
        if (!drawn.emplace(from, to).second) continue;
        // From one round of what is folded to the next.
        const bool back = from[0] == 'o' && stand_in(drawn_for_, r_.values[at(v)].operation) >= here;
        out_ += fmt::format("  {} -> {}{};\n", from, to, back ? " [style=dashed, constraint=false]" : "");
      }
    }
  }

  const Recording& r_;
  RecordedTree tree_;
  TreeItem& root_;
  std::string out_;
  std::vector<int> drawn_for_, value_drawn_for_;  // what stands for an operation, a value, where it is folded
  int clusters_ = 0;
};

}  // namespace

std::string record_dot(const Recording& recording) { return Dot(recording).all(); }

}  // namespace gradus::autograd::detail
