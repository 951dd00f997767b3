// A file's bytes as part of the program (internal; the examples' data come in so, too).
#pragma once

#include <cstddef>

static_assert(sizeof(std::size_t) == 8, "a file's length is written with 8 bytes");

/// Declares `const char name[]` and `const std::size_t name_size`, the bytes of a file. The assembler copies it in and knows
/// its length: no compiler has to read it. Stands outside all namespaces.
#define GRADUS_EMBED(name, file)                                      \
  extern "C" {                                                        \
  [[gnu::visibility("hidden")]] extern const std::size_t name##_size; \
  [[gnu::visibility("hidden")]] extern const char name[];             \
  }                                                                   \
  asm(".pushsection .rodata\n"                                        \
      ".balign 8\n"                                                   \
      ".globl " #name "_size\n.hidden " #name "_size\n" #name         \
      "_size:\n"                                                      \
      ".quad 1f - " #name                                             \
      "\n"                                                            \
      ".globl " #name "\n.hidden " #name "\n" #name                   \
      ":\n"                                                           \
      ".incbin \"" file                                               \
      "\"\n"                                                          \
      "1:\n"                                                          \
      ".popsection\n")
