#include "memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "memory.h"

namespace gradus::core {
namespace {

// A file with one number in it; "max", which is no number, or no file at all is no limit.
void lower_to(MemoryLimit& limit, const std::string& path) {
  std::ifstream file(path);
  std::int64_t bytes = 0;
  if (file >> bytes && bytes > 0 && bytes < limit.bytes) limit = {bytes, "the control group's limit"};
}

// The group's own limit and those of all groups that it is in. Inside a container the path that the process is told
// may not exist below the mount; the mount itself is then its group.
void lower_along(MemoryLimit& limit, const std::string& mount, std::string group, const char* name) {
  while (true) {
    lower_to(limit, mount + group + "/" + name);
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) return;
    group.resize(slash);
  }
}

}  // namespace

MemoryLimit read_memory_limit(std::int64_t physical, const std::string& groups_file, const std::string& mount) {
  MemoryLimit limit{physical, "this machine's memory"};
  lower_along(limit, mount, "", "memory.max");
  lower_along(limit, mount + "/memory", "", "memory.limit_in_bytes");
  std::ifstream groups(groups_file);
  // Each line is NUMBER:CONTROLLERS:PATH; version 2 has the number 0 and no controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",",
                      path = line.substr(second + 1);
    if (controllers == ",,") lower_along(limit, mount, path, "memory.max");
    if (controllers.find(",memory,") != std::string::npos) {
      lower_along(limit, mount + "/memory", path, "memory.limit_in_bytes");
    }
  }
  return limit;
}

const MemoryLimit& memory_limit() {
  static const MemoryLimit limit = [] {
    const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
    const bool known = pages > 0 && page > 0;
    return read_memory_limit(known ? std::int64_t{pages} * page : std::numeric_limits<std::int64_t>::max(),
                             "/proc/self/cgroup", "/sys/fs/cgroup");
  }();
  return limit;
}

std::uint64_t memory_for_a_file() {
  const std::int64_t bytes = memory_limit().bytes;
  return static_cast<std::uint64_t>(std::max(bytes - bytes / 8 - memory_stats().held_bytes, bytes / 64));
}

}  // namespace gradus::core
