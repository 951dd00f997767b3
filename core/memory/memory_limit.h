// How much memory this process may have at most, as the machine and its control groups say.
#pragma once

#include <cstdint>
#include <string>

#include "../base/export.h"

namespace gradus::core {

struct MemoryLimit {
  std::int64_t bytes;
  const char* what;  ///< whose limit it is, for messages: a string that lives forever
};

/// The least of the machine's memory and the limits of the control groups that the process is in; read once.
GRADUS_API const MemoryLimit& memory_limit();

/// The same from given places: `physical` bytes, a file in the form of /proc/self/cgroup, and the folder where control
/// groups are mounted. Version 2 keeps `memory.max` in each group's folder, version 1 `memory.limit_in_bytes` below
/// `memory/`; a group's limit holds for all below it. What cannot be read is no limit.
GRADUS_API MemoryLimit read_memory_limit(std::int64_t physical, const std::string& groups_file,
                                         const std::string& mount);

/// The most that a file's content may take: what the library does not hold yet of seven eighths of memory_limit(); the
/// rest is the program's. At least a 64th, so that small files are read whatever else is held.
GRADUS_API std::uint64_t memory_for_a_file();

}  // namespace gradus::core
