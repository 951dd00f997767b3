// Labelled images as they lie in a file, before they become tensors.
#pragma once

#include <cstdint>
#include <vector>

namespace examples {

struct Images {
  std::int64_t count = 0, height = 0, width = 0;
  int max_pixel = 0;                  ///< what white is: 16 for the digits
  std::vector<unsigned char> pixels;  ///< count x height x width, each 0..max_pixel
  std::vector<unsigned char> labels;  ///< count, each 0..9
};

struct Dataset {
  Images train, test;
};

}  // namespace examples
