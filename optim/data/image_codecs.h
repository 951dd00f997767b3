// Pictures as bytes: internal to optim/data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../../core/files/files.h"

namespace gradus::data::detail {

/// Red, green and blue of each pixel, row by row.
struct Picture {
  std::int64_t height = 0, width = 0;
  std::vector<unsigned char> rgb;
};
/// PNG, JPEG, PPM or PGM, by its first bytes. FileError in the picture's name.
Picture decode(core::ByteView file, const std::string& path, std::int64_t max_pixels);

}  // namespace gradus::data::detail
