// How many CPUs this process may keep busy, as its affinity mask and its control groups say.
#pragma once

#include <string>

#include "../base/export.h"

namespace gradus::core {

/// CPUs of the affinity mask, or the quota's share of CPU time rounded up where that is less; at least 1.
GRADUS_API int allowed_cpus();

/// CPUs' worth of time that the process's control group and those above it grant, the tightest of them; infinite
/// without a quota. From given places: a file in the form of /proc/self/cgroup, and the folder where control groups are
/// mounted. Version 2 keeps `cpu.max` in each group's folder, version 1 `cpu.cfs_quota_us` and `cpu.cfs_period_us` below
/// `cpu,cpuacct/` or however its controllers are listed. What cannot be read is no quota.
GRADUS_API double read_cpu_quota(const std::string& groups_file, const std::string& mount);

}  // namespace gradus::core
