#pragma once

// GRADUS_API marks what a program outside the library may link to. The library is compiled with hidden visibility, so
// that a shared one exports this and nothing else. A class is marked when a user throws, catches, derives from or
// dynamic_casts to it, or when it has members in a .cpp file.
// One meaning for the static and the shared library: their objects are the same, and users define nothing.
#if defined(__GNUC__)
#define GRADUS_API __attribute__((visibility("default")))
#else
#define GRADUS_API
#endif
