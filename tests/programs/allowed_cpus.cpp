// `allowed_cpus N`: restricts itself to the first N of the CPUs that it may use and then asks the library, whose first
// use that is, how many threads it takes. Prints both; 77 when there are fewer CPUs.
#include <gradus/core/threads/parallel.h>

#include <sched.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  const int wanted = argc > 1 ? std::atoi(argv[1]) : 1;
  cpu_set_t all, some;
  if (sched_getaffinity(0, sizeof all, &all) != 0) return 77;
  CPU_ZERO(&some);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&some) < wanted; ++cpu) {
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &some);
  }
  if (CPU_COUNT(&some) < wanted || sched_setaffinity(0, sizeof some, &some) != 0) return 77;
  std::printf("%d CPUs allowed, %d threads\n", wanted, gradus::get_num_threads());
  // A control group's quota may allow fewer still.
  return gradus::get_num_threads() >= 1 && gradus::get_num_threads() <= wanted ? 0 : 1;
}
