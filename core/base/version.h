#pragma once

// The version of Gradus, written here and nowhere else: CMake reads these three lines.
#define GRADUS_VERSION_MAJOR 0
#define GRADUS_VERSION_MINOR 1
#define GRADUS_VERSION_PATCH 0

#define GRADUS_VERSION_TEXT_(major, minor, patch) #major "." #minor "." #patch
#define GRADUS_VERSION_TEXT(major, minor, patch) GRADUS_VERSION_TEXT_(major, minor, patch)

namespace gradus {

// "major.minor.patch", as in the package's files.
inline constexpr char version[] = GRADUS_VERSION_TEXT(GRADUS_VERSION_MAJOR, GRADUS_VERSION_MINOR, GRADUS_VERSION_PATCH);

}  // namespace gradus
