// Whether a sanitizer watches: what it holds in memory for itself is counted with the program's, and numbers by the
// hundred thousand take minutes.
#pragma once

#include <cstddef>

namespace gradus::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

/// Of samples that are many for the sake of their values: under a sanitizer, which looks at how memory is read, not at
/// numbers, every sixteenth of them.
inline constexpr std::size_t kStride = kSanitized ? 16 : 1;

}  // namespace gradus::test
