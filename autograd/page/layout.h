// Where on a page what is: modules' calls as containers, ranks within them, the order within a rank (internal).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../graph/record_data.h"

namespace gradus::autograd::detail {

struct LayoutItem {
  enum Kind { kOperation, kContainer, kValue } kind;
  int id;
  bool operator==(const LayoutItem&) const = default;
};

/// A call of a module, a list of modules, or what a backward pass recorded.
struct LayoutContainer {
  std::string_view path;
  int call = 1;  // of those of this path the how manieth
  int parent = -1;
  std::string label = {};
  std::vector<std::vector<LayoutItem>> ranks = {};
  int same_as = -1;  // of neighbours alike the first
  int repeat = 1;    // of that first one: how many there are
  int operations = 0;
};

/// Everything once: operations, and the values without one that they read (leaves, constants, what was recorded
/// elsewhere). An item stands in a rank below all that it reads within its container; a value in the rank above its first
/// reader. What is recorded after a backward pass stands below what was before. The same record has the same layout.
struct Layout {
  std::vector<LayoutContainer> containers;  // the root first, outer ones before inner ones
  std::vector<int> container_of;            // of each operation; of a leaf, of its first value
};
Layout layout_of(const Recording& recording);

}  // namespace gradus::autograd::detail
