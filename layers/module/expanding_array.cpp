#include "expanding_array.h"

#include "../../core/base/fail.h"

namespace gradus::detail {

void wrong_length(std::size_t given, std::size_t wanted) {
  core::fail<ShapeError>("options: {} numbers are needed, or one for all: {} given", wanted, given);
}

}  // namespace gradus::detail
