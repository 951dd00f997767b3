// A Record in Graphviz's language: a tree of modules' calls, in which what is repeated is folded, and the edges between what
// is drawn of it.
#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "../../core/base/fail.h"
#include "record_data.h"

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }

// An operation, a value without one, or what was recorded in one call of a module (or folded: in one of several
// rounds).
struct Item {
  enum Kind { kOperation, kValue, kBlock, kFold } kind = kBlock;
  int of = -1;
  std::string_view path = {};  // of a block
  std::size_t signature = 0;
  std::vector<Item> children = {};
  int times = 1;               // of a fold: how many rounds its children stand for
  std::string_view last = {};  // of a fold of blocks: the last one's path
};

void mix(std::size_t& hash, std::size_t more) { hash = (hash ^ more) * 0x9E3779B97F4A7C15u + (hash >> 29); }
std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

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
        seen_(recording.values.size()),
        drawn_for_(recording.operations.size()),
        value_drawn_for_(recording.values.size()) {
    for (std::size_t i = 0; i < drawn_for_.size(); ++i) drawn_for_[i] = static_cast<int>(i);
    for (std::size_t i = 0; i < value_drawn_for_.size(); ++i) value_drawn_for_[i] = static_cast<int>(i);
  }

  std::string all() {
    build();
    fold(root_);
    out_ =
        "digraph record {\n  rankdir=TB; compound=true; node [shape=box, style=rounded, fontname=Helvetica, "
        "fontsize=10]; edge [fontname=Helvetica, fontsize=9];\n";
    for (const Item& input : inputs_) draw(input, 1);
    for (const Item& child : root_.children) draw(child, 1);
    edges();
    return std::move(out_) + "}\n";
  }

 private:
  // The tree, in the order of recording: what a module's call recorded lies together.
  void build() {
    for (std::size_t i = 0; i < r_.operations.size(); ++i) {
      const RecordedOperation& o = r_.operations[i];
      if (o.elsewhere || o.during >= 0) continue;
      Item& block = block_for(o.module);
      for (std::uint32_t k = o.inputs.first; k < o.inputs.last; ++k) {
        const int v = r_.links[k];
        if (v < 0 || seen_[at(v)] || (is_result(v) && !r_.operations[at(r_.values[at(v)].operation)].elsewhere))
          continue;
        seen_[at(v)] = true;
        // What comes in is no part of the module that reads it first, as its parameters are.
        (k == o.inputs.first ? inputs_ : block.children).push_back({Item::kValue, v});
      }
      block.children.push_back({Item::kOperation, static_cast<int>(i)});
    }
  }
  bool is_result(int v) const { return r_.values[at(v)].kind == RecordedValue::kResult; }

  // The innermost block for a path, opened at the end of the tree where it is not the last.
  Item& block_for(std::string_view path) {
    Item* block = &root_;
    std::size_t dot = 0;
    while (block->path.size() < path.size()) {
      dot = path.find('.', block->path.empty() ? 0 : block->path.size() + 1);
      const std::string_view next = path.substr(0, dot);
      const bool open = !block->children.empty() && block->children.back().kind == Item::kBlock &&
                        block->children.back().path == next;
      if (!open) block->children.push_back({Item::kBlock, -1, next});
      block = &block->children.back();
    }
    return *block;
  }

  // Equal signatures: the same operations with the same attributes on the same shapes, wired alike within.
  void sign(Item& item) {
    std::size_t hash = static_cast<std::size_t>(item.kind);
    if (item.kind == Item::kValue) {
      const RecordedValue& v = r_.values[at(item.of)];
      mix(hash, hash_of(type_of(v.dtype, v.shape)) + static_cast<std::size_t>(v.kind));
    } else if (item.kind == Item::kOperation) {
      const RecordedOperation& o = r_.operations[at(item.of)];
      mix(hash, hash_of(o.name));
      for (const Attribute& a : o.attributes) mix(hash, hash_of(a.name + "=" + a.value));
      for (std::uint32_t k = o.inputs.first; k < o.inputs.last; ++k) {
        const int v = r_.links[k];
        mix(hash, v < 0 ? 1 : hash_of(type_of(r_.values[at(v)].dtype, r_.values[at(v)].shape)));
      }
      for (std::uint32_t v = o.outputs.first; v < o.outputs.last; ++v) {
        mix(hash, hash_of(type_of(r_.values[v].dtype, r_.values[v].shape)));
      }
    } else {
      mix(hash, static_cast<std::size_t>(item.times));
      for (const Item& child : item.children) mix(hash, child.signature);
    }
    item.signature = hash;
  }

  // From the innermost blocks outwards: rounds that follow one another with equal signatures become one.
  void fold(Item& block) {
    for (Item& child : block.children) {
      if (child.kind == Item::kBlock) fold(child);
      sign(child);
    }
    std::vector<Item> folded;
    std::vector<Item>& items = block.children;
    for (std::size_t i = 0; i < items.size();) {
      constexpr std::size_t kLongest = 16;
      std::size_t best = 0, rounds = 1;
      for (std::size_t period = 1; period <= kLongest && i + 2 * period <= items.size(); ++period) {
        std::size_t n = 1;
        while (same_round(items, i, i + n * period, period)) ++n;
        // Two equal operations in a row are two operations; two equal blocks are a repetition.
        const bool enough = n >= 3 || (n == 2 && items[i].kind == Item::kBlock);
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
      Item all{Item::kFold};
      all.times = static_cast<int>(rounds);
      for (std::size_t n = 1; n < rounds; ++n) {
        for (std::size_t k = 0; k < best; ++k) stand_for(items[i + k], items[i + n * best + k]);
      }
      all.last = items[i + rounds * best - 1].path;
      for (std::size_t k = 0; k < best; ++k) all.children.push_back(std::move(items[i + k]));
      sign(all);
      folded.push_back(std::move(all));
      i += rounds * best;
    }
    block.children = std::move(folded);
    sign(block);
  }
  static bool same_round(const std::vector<Item>& items, std::size_t a, std::size_t b, std::size_t period) {
    if (b + period > items.size()) return false;
    for (std::size_t k = 0; k < period; ++k) {
      if (items[a + k].signature != items[b + k].signature) return false;
    }
    return true;
  }
  void stand_for(const Item& one, const Item& other) {
    if (one.kind == Item::kOperation) drawn_for_[at(other.of)] = one.of;
    if (one.kind == Item::kValue) value_drawn_for_[at(other.of)] = one.of;
    for (std::size_t i = 0; i < one.children.size() && i < other.children.size(); ++i) {
      stand_for(one.children[i], other.children[i]);
    }
  }

  void draw(const Item& item, int depth) {
    const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
    if (item.kind == Item::kOperation) {
      const RecordedOperation& o = r_.operations[at(item.of)];
      const RecordedValue& y = r_.values[o.outputs.first];
      std::string place = o.at ? fmt::format("{}:{}", o.at.file(), o.at.line()) : "";
      for (const Attribute& a : o.attributes) place += fmt::format(" {}={}", a.name, a.value);
      out_ += fmt::format("{}o{} [label=\"{}\\n{}\", tooltip=\"{}\"{}];\n", indent, item.of, escaped(o.name),
                          type_of(y.dtype, y.shape), escaped(place),
                          o.saved.size() == 0 ? "" : ", style=\"rounded,filled\", fillcolor=\"#dbe9f6\"");
    } else if (item.kind == Item::kValue) {
      const RecordedValue& v = r_.values[at(item.of)];
      out_ += fmt::format("{}v{} [label=\"{}\\n{}\", shape={}, style=\"\"];\n", indent, item.of,
                          escaped(v.name < 0 && v.kind == RecordedValue::kConstant ? "constant" : r_.name_of(item.of)),
                          type_of(v.dtype, v.shape), v.kind == RecordedValue::kConstant ? "plaintext" : "ellipse");
    } else {
      out_ += fmt::format("{}subgraph cluster_{} {{\n{}  label=\"{}\"; fontname=Helvetica; fontsize=10; style={};\n",
                          indent, clusters_++, indent, escaped(label(item)),
                          item.kind == Item::kFold ? "dashed" : "rounded");
      for (const Item& child : item.children) draw(child, depth + 1);
      out_ += indent + "}\n";
    }
  }
  static std::string label(const Item& item) {
    if (item.kind == Item::kBlock) return std::string(item.path);
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
  std::string out_;
  Item root_;
  std::vector<Item> inputs_;
  std::vector<bool> seen_;
  std::vector<int> drawn_for_, value_drawn_for_;  // what stands for an operation, a value, where it is folded
  int clusters_ = 0;
};

}  // namespace

std::string record_dot(const Recording& recording) { return Dot(recording).all(); }

}  // namespace gradus::autograd::detail
