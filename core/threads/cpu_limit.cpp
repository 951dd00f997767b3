#include "cpu_limit.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

namespace gradus::core {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

int cpus_by_affinity() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(CPU_COUNT(&set), 1);
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);  // more CPUs than a cpu_set_t holds
}

// What one group grants.
double quota_of(const std::string& folder) {
  std::string quota;
  double period = 0;
  if (std::ifstream v2(folder + "/cpu.max"); v2 >> quota >> period) {
    return quota == "max" || period <= 0 ? kNone : std::strtod(quota.c_str(), nullptr) / period;
  }
  double amount = 0;
  std::ifstream v1_quota(folder + "/cpu.cfs_quota_us"), v1_period(folder + "/cpu.cfs_period_us");
  return v1_quota >> amount && v1_period >> period && amount > 0 && period > 0 ? amount / period : kNone;
}

}  // namespace

double read_cpu_quota(const std::string& groups_file, const std::string& mount) {
  double least = kNone;
  std::ifstream groups(groups_file);
  for (std::string line; std::getline(groups, line);) {  // "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1)
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const std::string root = controllers.empty() ? mount : mount + "/" + controllers;
    for (std::string path = line.substr(second + 1);; path.erase(path.rfind('/'))) {
      least = std::min(least, quota_of(root + path));
      if (path.rfind('/') == std::string::npos) break;
    }
  }
  return least;
}

int allowed_cpus() {
  const double quota = read_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  const int cpus = cpus_by_affinity();
  return quota < cpus ? std::max(static_cast<int>(std::ceil(quota)), 1) : cpus;
}

}  // namespace gradus::core
