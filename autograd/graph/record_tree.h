// What a Record has written down as a tree of modules' calls (internal): for graphs that are drawn.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "record_data.h"

namespace gradus::autograd::detail {

/// An operation, a value without one, or what was recorded in one call of a module; or, where somebody folds, in one of
/// several rounds.
struct TreeItem {
  enum Kind { kOperation, kValue, kBlock, kFold } kind = kBlock;
  int of = -1;                 // operation or value
  std::string_view path = {};  // of a block
  std::size_t signature = 0;
  std::vector<TreeItem> children = {};
  int times = 1;               // of a fold: how many rounds its children stand for
  std::string_view last = {};  // of a fold of blocks: the last one's path
  int call = -1;               // of a block, in Recording::calls
};

struct RecordedTree {
  TreeItem root;
  std::vector<TreeItem> inputs;  // values that come in from outside of all modules
};

/// In the order of recording: what a module's call recorded lies together, and what it reads first as a parameter with it.
/// Without what backward passes recorded.
RecordedTree tree_of(const Recording& recording);
/// Equal signatures: the same operations with the same attributes (but for where random numbers come from) on the same
/// shapes. Those of the children are known.
void sign(const Recording& recording, TreeItem& item);

}  // namespace gradus::autograd::detail
