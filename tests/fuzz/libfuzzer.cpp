// The same readers under libFuzzer: the first byte says which, whether as a file, and whether what follows is a pickle that
// is put into a zip with right checksums, which mutations would never give. FUZZ_READER=NAME: one reader alone.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string_view>

#include <gradus/core/files/zip.h>

#include "readers.h"

namespace {

using namespace gradus::fuzz;

Reader reader_of(std::uint8_t byte) {
  static const char* const wanted = std::getenv("FUZZ_READER");
  for (int r = 0; wanted != nullptr && r < kReaders; ++r) {
    if (wanted == std::string_view(name_of(static_cast<Reader>(r)))) return static_cast<Reader>(r);
  }
  return static_cast<Reader>(byte % kReaders);
}

gradus::core::Bytes in_zip(gradus::core::ByteView pickle) {
  gradus::core::Pieces pieces;
  gradus::core::ZipWriter zip(pieces);
  zip.add("a/data.pkl", gradus::core::Bytes(pickle.begin(), pickle.end()));
  for (const char* key : {"a/data/0", "a/data/1"}) zip.add(key, gradus::core::Bytes(48, 1));
  zip.finish();
  gradus::core::Bytes file;
  for (const auto view : pieces.views()) file.insert(file.end(), view.begin(), view.end());
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    const Reader reader = reader_of(data[0]);
    const gradus::core::ByteView input(data + 1, size - 1);
    if (data[0] >= 128 && (reader == Reader::Torch || reader == Reader::Archive))
      read(reader, in_zip(input), false);
    else
      read(reader, input, data[0] % 64 < kReaders);
  } catch (const std::exception&) {
    std::terminate();  // what the reader did wrong
  }
  return 0;
}
