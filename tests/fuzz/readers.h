// What the fuzzers call: one reader, one input.
#pragma once

#include <string>

#include <gradus/core/files/files.h>

namespace gradus::fuzz {

/// Archive is any of the formats, told by its content, as tensors and plain values.
enum class Reader { Safetensors, Idx, Gzip, Digits, Npy, Npz, Pickle, Torch, Archive };
inline constexpr int kReaders = 9;
const char* name_of(Reader reader);

/// Hands `input` to the reader, in memory or, where it has such a way, as a file. Returns the reason when it was refused,
/// empty when it was read. Throws std::logic_error when the reader misbehaves: another error than FileError, a message
/// that repeats too much or holds control characters, or a result that contradicts itself.
std::string read(Reader reader, core::ByteView input, bool as_file);

}  // namespace gradus::fuzz
