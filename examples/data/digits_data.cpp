#include "digits_data.h"

#include <gradus/core/base/embed.h>

GRADUS_EMBED(gradus_digits, GRADUS_DIGITS_FILE);

gradus::core::ByteView digits_csv_gz() { return {gradus_digits, gradus_digits_size}; }
