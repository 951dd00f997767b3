#include "layout.h"

#include <algorithm>
#include <map>
#include <utility>

#include "../../core/base/fail.h"
#include "../graph/record_tree.h"

namespace gradus::autograd::detail {

namespace {

std::size_t at(int place) { return static_cast<std::size_t>(place); }

class Builder {
 public:
  explicit Builder(const Recording& recording)
      : r_(recording),
        operations_(static_cast<int>(r_.operations.size())),
        values_(static_cast<int>(r_.values.size())) {
    layout_.container_of.assign(at(operations_), -1);
    parents_.assign(at(operations_ + values_), -1);
  }

  Layout build() {
    RecordedTree tree = tree_of(r_);
    sign_all(tree.root);
    open({}, -1, 0);
    for (const TreeItem& value : tree.inputs) place_value(value.of, 0);
    fill(tree.root, 0);
    add_backward();
    // What nothing reads that was recorded, but from which numbers came.
    for (const RecordedStop& stop : r_.stops) {
      if (stop.from >= 0 && !made_here(stop.from)) place_value(stop.from, 0);
    }
    find_operations_of_values();
    connect();
    find_epochs();
    for (int c = 0; c < static_cast<int>(layout_.containers.size()); ++c) rank(c);
    return std::move(layout_);
  }

 private:
  // Items by number: operations, values, containers.
  int number_of(const LayoutItem& item) const {
    return item.id + (item.kind == LayoutItem::kOperation ? 0
                      : item.kind == LayoutItem::kValue   ? operations_
                                                          : operations_ + values_);
  }
  LayoutItem item_of(int number) const {
    if (number < operations_) return {LayoutItem::kOperation, number};
    if (number < operations_ + values_) return {LayoutItem::kValue, number - operations_};
    return {LayoutItem::kContainer, number - operations_ - values_};
  }
  bool made_here(int v) const {
    const RecordedValue& value = r_.values[at(v)];
    return value.kind == RecordedValue::kResult && value.operation >= 0 &&
           !r_.operations[at(value.operation)].elsewhere;
  }

  void sign_all(TreeItem& block) {
    for (TreeItem& child : block.children) {
      if (child.kind == TreeItem::kBlock)
        sign_all(child);
      else
        sign(r_, child);
    }
    sign(r_, block);
  }

  int open(std::string_view path, int parent, std::size_t signature) {
    const int c = static_cast<int>(layout_.containers.size());
    LayoutContainer& container = layout_.containers.emplace_back();
    container.path = path;
    container.parent = parent;
    if (!path.empty()) container.call = ++calls_[path];
    items_.emplace_back();
    signatures_.push_back(signature);
    if (parent >= 0) items_[at(parent)].push_back({LayoutItem::kContainer, c});
    parents_.push_back(parent);
    return c;
  }
  void place_value(int v, int container) {
    if (parents_[at(operations_ + v)] >= 0) return;
    parents_[at(operations_ + v)] = container;
    items_[at(container)].push_back({LayoutItem::kValue, v});
  }
  void place_operation(int o, int container) {
    parents_[at(o)] = layout_.container_of[at(o)] = container;
    items_[at(container)].push_back({LayoutItem::kOperation, o});
    for (int c = container; c >= 0; c = layout_.containers[at(c)].parent) ++layout_.containers[at(c)].operations;
  }

  void fill(const TreeItem& block, int container) {
    int first = -1;  // of neighbours alike
    for (const TreeItem& child : block.children) {
      if (child.kind == TreeItem::kValue) {
        place_value(child.of, container);
        continue;
      }
      if (child.kind == TreeItem::kOperation) {
        place_operation(child.of, container);
        first = -1;
        continue;
      }
      const int inner = open(child.path, container, child.signature);
      fill(child, inner);
      if (first >= 0 && signatures_[at(first)] == child.signature) {
        layout_.containers[at(inner)].same_as = first;
        ++layout_.containers[at(first)].repeat;
      } else {
        first = inner;
      }
    }
  }

  // What passes recorded, for second derivatives: a container for each, where it began.
  void add_backward() {
    std::map<int, int> container_of_pass;
    for (int o = 0; o < operations_; ++o) {
      const RecordedOperation& operation = r_.operations[at(o)];
      if (operation.elsewhere || operation.during < 0) continue;
      const int pass = r_.steps[at(operation.during)].pass;
      auto [found, fresh] = container_of_pass.try_emplace(pass, 0);
      if (fresh) {
        found->second = open({}, 0, 0);
        layout_.containers[at(found->second)].label = fmt::format("backward {}", pass + 1);
      }
      for (std::uint32_t k = operation.inputs.first; k < operation.inputs.last; ++k) {
        if (r_.links[k] >= 0 && !made_here(r_.links[k])) place_value(r_.links[k], found->second);
      }
      place_operation(o, found->second);
    }
    const auto first_of = [&](const LayoutItem& item) {  // values that come first stay there
      if (item.kind != LayoutItem::kContainer) return item.kind == LayoutItem::kOperation ? item.id : -1;
      return first_operation(item.id);
    };
    if (!container_of_pass.empty()) {
      // A value stays with the item after it.
      std::vector<std::pair<int, LayoutItem>> order;
      for (const LayoutItem& item : items_[0]) order.emplace_back(first_of(item), item);
      for (std::size_t i = order.size(); i-- > 0;) {
        if (order[i].first < 0) order[i].first = i + 1 < order.size() ? order[i + 1].first : operations_;
      }
      std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      for (std::size_t i = 0; i < order.size(); ++i) items_[0][i] = order[i].second;
    }
  }
  int first_operation(int container) const {
    for (const LayoutItem& item : items_[at(container)]) {
      const int found = item.kind == LayoutItem::kOperation   ? item.id
                        : item.kind == LayoutItem::kContainer ? first_operation(item.id)
                                                              : -1;
      if (found >= 0) return found;
    }
    return -1;
  }

  // A leaf, or what was recorded elsewhere, stands where its first value does.
  void find_operations_of_values() {
    for (int v = 0; v < values_; ++v) {
      const int o = r_.values[at(v)].operation;
      if (o >= 0 && layout_.container_of[at(o)] < 0) layout_.container_of[at(o)] = parents_[at(operations_ + v)];
    }
    for (int& c : layout_.container_of) c = std::max(c, 0);
  }

  int depth(int container) const {
    int d = 0;
    for (; container > 0; container = layout_.containers[at(container)].parent) ++d;
    return d;
  }
  // What reads what, between items of the innermost container that has both.
  void connect() {
    before_.resize(parents_.size());
    after_.resize(parents_.size());
    for (int o = 0; o < operations_; ++o) {
      const RecordedOperation& operation = r_.operations[at(o)];
      for (std::uint32_t k = operation.inputs.first; k < operation.inputs.last; ++k) {
        const int v = r_.links[k];
        if (v < 0) continue;
        int from = made_here(v) ? r_.values[at(v)].operation : operations_ + v, to = o;
        int of_from = depth(parents_[at(from)]), of_to = depth(parents_[at(to)]);
        const auto climb = [&](int& item, int& height) {
          item = operations_ + values_ + parents_[at(item)];
          --height;
        };
        while (of_from > of_to) climb(from, of_from);
        while (of_to > of_from) climb(to, of_to);
        while (parents_[at(from)] != parents_[at(to)]) {
          climb(from, of_from);
          climb(to, of_to);
        }
        if (from == to) continue;
        before_[at(to)].push_back(from);
        after_[at(from)].push_back(to);
      }
    }
  }

  // How many outermost passes had ended when an operation was recorded.
  void find_epochs() {
    epochs_.assign(at(operations_), 0);
    int ended = 0;
    for (const RecordedMoment& m : r_.moments) {
      if (m.kind == RecordedMoment::kEnd && r_.passes[at(m.of)].outer < 0) ++ended;
      if (m.kind == RecordedMoment::kOperation) epochs_[at(m.of)] = ended;
    }
  }

  void rank(int container) {
    const std::vector<LayoutItem>& items = items_[at(container)];
    ranks_.resize(parents_.size(), 0);
    int base = 0, deepest = -1, epoch = 0;
    for (const LayoutItem& item : items) {
      const int n = number_of(item);
      if (container == 0 && item.kind != LayoutItem::kValue) {
        const int first = item.kind == LayoutItem::kOperation ? item.id : first_operation(item.id);
        if (first >= 0 && epochs_[at(first)] > epoch) {
          epoch = epochs_[at(first)];
          base = deepest + 2;
        }
      }
      int r = item.kind == LayoutItem::kValue ? 0 : base;
      for (const int b : before_[at(n)]) r = std::max(r, ranks_[at(b)] + 1);
      ranks_[at(n)] = r;
      deepest = std::max(deepest, r);
    }
    for (const LayoutItem& item : items) {
      if (item.kind != LayoutItem::kValue || after_[at(number_of(item))].empty()) continue;
      int r = deepest + 1;
      for (const int a : after_[at(number_of(item))]) r = std::min(r, ranks_[at(a)] - 1);
      ranks_[at(number_of(item))] = std::max(r, 0);
    }
    auto& ranks = layout_.containers[at(container)].ranks;
    ranks.resize(at(deepest + 1));
    for (const LayoutItem& item : items) ranks[at(ranks_[at(number_of(item))])].push_back(item);
    std::erase_if(ranks, [](const auto& r) { return r.empty(); });
    places_.resize(parents_.size(), 0);
    note_places(ranks);
    for (std::size_t r = 0; r < ranks.size(); ++r) order(ranks[r], before_);
    for (std::size_t r = ranks.size(); r-- > 0;) order(ranks[r], after_);
    for (std::size_t r = 0; r < ranks.size(); ++r) order(ranks[r], before_);
  }
  void note_places(const std::vector<std::vector<LayoutItem>>& ranks) {
    for (const auto& rank : ranks) note_places(rank);
  }
  void note_places(const std::vector<LayoutItem>& rank) {
    // The middle of each rank is 0: ranks of different widths stand centred.
    const double middle = (static_cast<double>(rank.size()) - 1) / 2;
    for (std::size_t i = 0; i < rank.size(); ++i) places_[at(number_of(rank[i]))] = static_cast<double>(i) - middle;
  }
  // By the mean of the neighbours' places.
  void order(std::vector<LayoutItem>& rank, const std::vector<std::vector<int>>& neighbours) {
    if (rank.size() < 2) return;
    std::vector<std::pair<double, LayoutItem>> keys;
    for (const LayoutItem& item : rank) {
      const std::vector<int>& near = neighbours[at(number_of(item))];
      double sum = 0;
      for (const int n : near) sum += places_[at(n)];
      keys.emplace_back(near.empty() ? places_[at(number_of(item))] : sum / static_cast<double>(near.size()), item);
    }
    std::stable_sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < rank.size(); ++i) rank[i] = keys[i].second;
    note_places(rank);
  }

  const Recording& r_;
  int operations_, values_;
  Layout layout_;
  std::vector<std::vector<LayoutItem>> items_;  // of each container, in the order of recording
  std::vector<std::size_t> signatures_;         // of each container
  std::map<std::string_view, int> calls_;
  std::vector<int> parents_, ranks_;              // of each item
  std::vector<double> places_;                    // of each item, in its rank
  std::vector<std::vector<int>> before_, after_;  // of each item: what it reads, what reads it
  std::vector<int> epochs_;                       // of each operation
};

}  // namespace

Layout layout_of(const Recording& recording) { return Builder(recording).build(); }

}  // namespace gradus::autograd::detail
