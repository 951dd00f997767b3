// A dictionary in the order of insertion: what named_parameters() and its like return.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../core/base/export.h"

namespace gradus {

namespace detail {
[[noreturn]] GRADUS_API void fail_key_absent(std::string_view key);
[[noreturn]] GRADUS_API void fail_key_present(std::string_view key);
}  // namespace detail

/// Few keys (they read as std::string_view), looked up one after the other. `for (auto& p : dict)` gives items with
/// `p.key()` and `p.value()`, and `for (auto& [key, value] : dict)` the same.
template <class Key, class Value>
class OrderedDict {
 public:
  struct Item : std::pair<Key, Value> {
    using std::pair<Key, Value>::pair;
    const Key& key() const noexcept { return this->first; }
    Value& value() noexcept { return this->second; }
    const Value& value() const noexcept { return this->second; }
    Value& operator*() noexcept { return this->second; }
    const Value& operator*() const noexcept { return this->second; }
    Value* operator->() noexcept { return &this->second; }
    const Value* operator->() const noexcept { return &this->second; }
  };

  using Iterator = typename std::vector<Item>::iterator;
  using ConstIterator = typename std::vector<Item>::const_iterator;

  OrderedDict() = default;
  /// ValueError for a key that comes twice.
  OrderedDict(std::initializer_list<Item> items) {
    for (const Item& item : items) insert(item.first, item.second);
  }

  std::size_t size() const noexcept { return items_.size(); }
  bool is_empty() const noexcept { return items_.empty(); }
  auto begin() noexcept { return items_.begin(); }
  auto end() noexcept { return items_.end(); }
  auto begin() const noexcept { return items_.begin(); }
  auto end() const noexcept { return items_.end(); }
  const Item& front() const { return items_.front(); }
  const Item& back() const { return items_.back(); }
  const std::vector<Item>& items() const noexcept { return items_; }

  bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// Null when absent.
  Value* find(std::string_view key) noexcept {
    for (Item& item : items_) {
      if (std::string_view(item.first) == key) return &item.second;
    }
    return nullptr;
  }
  const Value* find(std::string_view key) const noexcept { return const_cast<OrderedDict*>(this)->find(key); }
  /// IndexError when absent.
  Value& operator[](std::string_view key) {
    Value* value = find(key);
    if (value == nullptr) detail::fail_key_absent(key);
    return *value;
  }
  const Value& operator[](std::string_view key) const { return (*const_cast<OrderedDict*>(this))[key]; }

  /// ValueError when the key is there already.
  Value& insert(Key key, Value value) {
    if (contains(key)) detail::fail_key_present(key);
    return append(std::move(key), std::move(value));
  }
  /// The same for a key known to be new.
  Value& append(Key key, Value value) {
    items_.emplace_back(std::move(key), std::move(value));
    return items_.back().second;
  }
  /// All of another, whose keys must be new: ValueError.
  void update(const OrderedDict& other) {
    for (const Item& item : other.items()) insert(item.first, item.second);
  }
  void reserve(std::size_t capacity) { items_.reserve(capacity); }
  /// Returns whether the key was there.
  bool erase(std::string_view key) {
    for (auto item = items_.begin(); item != items_.end(); ++item) {
      if (std::string_view(item->first) == key) {
        items_.erase(item);
        return true;
      }
    }
    return false;
  }
  void clear() noexcept { items_.clear(); }
  std::vector<Key> keys() const {
    std::vector<Key> all;
    for (const Item& item : items_) all.push_back(item.first);
    return all;
  }
  std::vector<std::pair<Key, Value>> pairs() const { return {items_.begin(), items_.end()}; }
  std::vector<Value> values() const {
    std::vector<Value> all;
    for (const Item& item : items_) all.push_back(item.second);
    return all;
  }

 private:
  std::vector<Item> items_;
};

}  // namespace gradus
