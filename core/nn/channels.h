// Which dimensions of [N, C, ..] are not the channels: each channel's sums and means run over them.
#pragma once

#include <cstdint>

#include "../base/shape.h"

namespace gradus::core {

inline Dims all_but_channels(std::int64_t dims) {
  Dims all = {0};
  for (std::int64_t d = 2; d < dims; ++d) all.push_back(d);
  return all;
}

}  // namespace gradus::core
