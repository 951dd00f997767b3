// The same readers under libFuzzer: the first byte says which, and whether as a file.
#include <cstddef>
#include <cstdint>
#include <exception>

#include "readers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradus::fuzz;
  if (size == 0) return 0;
  try {
    read(static_cast<Reader>(data[0] % kReaders), {data + 1, size - 1}, data[0] % 64 < kReaders);
  } catch (const std::exception&) {
    std::terminate();  // what the reader did wrong
  }
  return 0;
}
