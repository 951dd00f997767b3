#include "digits_data.h"

static_assert(sizeof(std::size_t) == 8, "the length below is written with 8 bytes");

// The assembler copies the file in and knows its length: no compiler has to read it.
asm(R"(
  .pushsection .rodata
  .balign 8
  .globl digits_csv_gz_size
  .type digits_csv_gz_size, %object
  .size digits_csv_gz_size, 8
digits_csv_gz_size:
  .quad 1f - digits_csv_gz
  .globl digits_csv_gz
  .type digits_csv_gz, %object
digits_csv_gz:
  .incbin ")" GRADUS_DIGITS_FILE R"("
1:
  .size digits_csv_gz, . - digits_csv_gz
  .popsection
)");
