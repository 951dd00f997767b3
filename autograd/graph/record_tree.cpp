#include "record_tree.h"

#include <functional>

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }
void mix(std::size_t& hash, std::size_t more) { hash = (hash ^ more) * 0x9E3779B97F4A7C15u + (hash >> 29); }
std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

class Builder {
 public:
  explicit Builder(const Recording& recording) : r_(recording), seen_(recording.values.size()) {}

  RecordedTree build() {
    for (std::size_t i = 0; i < r_.operations.size(); ++i) {
      const RecordedOperation& o = r_.operations[i];
      if (o.elsewhere || o.during >= 0) continue;
      TreeItem& block = block_for(o);
      for (std::uint32_t k = o.inputs.first; k < o.inputs.last; ++k) {
        const int v = r_.links[k];
        if (v < 0 || seen_[at(v)] || made_here(v)) continue;
        seen_[at(v)] = true;
        // What comes in is no part of the module that reads it first, as its parameters are.
        (k == o.inputs.first ? tree_.inputs : block.children).push_back({TreeItem::kValue, v});
      }
      block.children.push_back({TreeItem::kOperation, static_cast<int>(i)});
    }
    return std::move(tree_);
  }

 private:
  bool made_here(int v) const {
    const RecordedValue& value = r_.values[at(v)];
    return value.kind == RecordedValue::kResult && !r_.operations[at(value.operation)].elsewhere;
  }
  // The innermost block for an operation's module, opened at the end of the tree where it is not the last.
  TreeItem& block_for(const RecordedOperation& o) {
    TreeItem* block = &tree_.root;
    std::size_t dot = 0;
    while (block->path.size() < o.module.size()) {
      dot = o.module.find('.', block->path.empty() ? 0 : block->path.size() + 1);
      const std::string_view next = o.module.substr(0, dot);
      const int call = call_of(o, next);
      const bool open = !block->children.empty() && block->children.back().kind == TreeItem::kBlock &&
                        block->children.back().path == next && block->children.back().call == call;
      if (!open) {
        TreeItem fresh{TreeItem::kBlock, -1, next};
        fresh.call = call;
        block->children.push_back(std::move(fresh));
      }
      block = &block->children.back();
    }
    return *block;
  }
  // The call of the module with this path that an operation's own is made in, or is; -1: none, a list of modules.
  int call_of(const RecordedOperation& o, std::string_view path) const {
    int call = o.call;
    while (call >= 0 && r_.calls[at(call)].path != path) call = r_.calls[at(call)].outer;
    return call;
  }

  const Recording& r_;
  RecordedTree tree_;
  std::vector<bool> seen_;
};

}  // namespace

RecordedTree tree_of(const Recording& recording) { return Builder(recording).build(); }

void sign(const Recording& recording, TreeItem& item) {
  const Recording& r = recording;
  std::size_t hash = static_cast<std::size_t>(item.kind);
  if (item.kind == TreeItem::kValue) {
    const RecordedValue& v = r.values[at(item.of)];
    mix(hash, hash_of(type_of(v.dtype, v.shape)) + static_cast<std::size_t>(v.kind));
  } else if (item.kind == TreeItem::kOperation) {
    const RecordedOperation& o = r.operations[at(item.of)];
    mix(hash, hash_of(o.name));
    for (const Attribute& a : o.attributes) {
      if (a.name != "position") mix(hash, hash_of(a.name + "=" + a.value));  // where random numbers are drawn from
    }
    for (std::uint32_t k = o.inputs.first; k < o.inputs.last; ++k) {
      const int v = r.links[k];
      mix(hash, v < 0 ? 1 : hash_of(type_of(r.values[at(v)].dtype, r.values[at(v)].shape)));
    }
    for (std::uint32_t v = o.outputs.first; v < o.outputs.last; ++v) {
      mix(hash, hash_of(type_of(r.values[v].dtype, r.values[v].shape)));
    }
  } else {
    mix(hash, static_cast<std::size_t>(item.times));
    for (const TreeItem& child : item.children) mix(hash, child.signature);
  }
  item.signature = hash;
}

}  // namespace gradus::autograd::detail
