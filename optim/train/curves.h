// Learning curves as a picture.
#pragma once

#include <string>
#include <vector>

#include "../../core/base/export.h"

namespace gradus::train {

/// A line, in a panel of its own unless it names one.
struct Curve {
  std::string name;              ///< "training loss"
  std::vector<double> values;    ///< one for each epoch, the first is epoch 1
  bool is_share = false;         ///< 0 to 1, shown in per cent, the largest marked
  std::string panel = "";        ///< lines that name the same panel are drawn in it, each with its key
  std::string across = "epoch";  ///< what the horizontal axis shows, as the panel's first line has it
  std::vector<double> at = {};   ///< where the values stand, ascending; empty: 1, 2, ... as in all such panels
  bool bars = false;             ///< a histogram: values are the bins' heights, `at` their middles
};

struct Curves {
  std::string title;          ///< "Handwritten digits: 98.6 % right after 100 epochs"
  std::string configuration;  ///< how it was trained; wrapped where it is long
  std::vector<Curve> lines;   ///< two panels in a row
};

/// An SVG document with a panel for each curve over the same epochs; any number of them. It follows the reader's light or
/// dark theme, and where a viewer knows no themes it takes colours that can be read on both. What is no share has a
/// logarithmic scale where it falls far; epochs without a finite value are shaded gaps, in a panel of several lines a break.
/// ValueError when a line has an `at` of another length than its values.
GRADUS_API std::string curves_svg(const Curves& curves);

}  // namespace gradus::train
