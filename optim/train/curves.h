// Learning curves as a picture.
#pragma once

#include <string>
#include <vector>

namespace gradus::train {

struct Curves {
  std::string title;                  ///< "Handwritten digits: 98.6 % right after 100 epochs"
  std::string configuration;          ///< how it was trained; wrapped where it is long
  std::vector<double> train_loss;     ///< one value for each epoch, the first is epoch 1
  std::vector<double> test_accuracy;  ///< likewise, 0 to 1
};

/// An SVG document with the training loss and the test accuracy side by side over the same epochs; any number of them.
/// It follows the reader's light or dark theme, and where a viewer knows no themes it takes colours that can be read on
/// both. The loss has a logarithmic scale where it falls far; epochs without a finite value are shaded gaps.
std::string curves_svg(const Curves& curves);

}  // namespace gradus::train
