// The one count of memory_stats that is asked for often.
#pragma once

#include <cstdint>

#include "../base/export.h"

namespace gradus::core {

/// memory_stats().live_bytes, at a tenth of the price.
GRADUS_API std::int64_t live_bytes() noexcept;

}  // namespace gradus::core
