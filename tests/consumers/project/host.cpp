// Loads a plugin, lets two threads work with it, and unloads it at once: helping threads are still on their way, and the
// two end afterwards.
#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (int round = 0; round < 5; ++round) {
    void* const plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
      std::printf("%s\n", dlerror());
      return 1;
    }
    const auto work = reinterpret_cast<int (*)()>(dlsym(plugin, "work"));
    if (work == nullptr) return 1;
    std::atomic<int> worked{0}, failed{0};
    std::atomic<bool> unloaded{false};
    std::thread threads[2];
    for (std::thread& thread : threads) {
      thread = std::thread([&] {
        failed += work();
        ++worked;
        while (!unloaded) std::this_thread::yield();
      });
    }
    while (worked < 2) std::this_thread::yield();
    dlclose(plugin);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    unloaded = true;
    for (std::thread& thread : threads) thread.join();
    if (failed != 0) return 1;
  }
  std::puts("loaded, used and unloaded");
}
