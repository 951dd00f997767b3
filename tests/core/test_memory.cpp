// The pool, the storages in it, what is counted, and what happens when there is no memory.
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

#include <gradus/core/array/array.h>
#include <gradus/core/array/create.h>
#include <gradus/core/memory/memory_limit.h>
#include <gradus/core/memory/pool.h>
#include <gradus/core/memory/size_class.h>

#include "../support/arrays.h"
#include "../support/sanitized.h"

using namespace gradus;
using namespace gradus::core;
using gradus::test::check_error;

namespace {

using gradus::test::kSanitized;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

// Dies after main() has ended and the main thread's lists are gone.
Array until_the_very_end;

// Nothing may differ but what has been counted forever.
struct SameAsBefore {
  MemoryStats before = memory_stats();
  ~SameAsBefore() {
    const MemoryStats now = memory_stats();
    BOOST_TEST(now.live_arrays == before.live_arrays);
    BOOST_TEST(now.live_bytes == before.live_bytes);
  }
};

// Allocates, computes and compares: the library works.
void check_usable() {
  const Array x = core::empty({100, 3}).fill_(2);
  BOOST_TEST(x.clone()[99][2].item<float>() == 2);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(counts_of_arrays_and_bytes) {
  SameAsBefore check;
  const MemoryStats before = memory_stats();
  {
    const Array x = core::empty({10, 3}), same = x, view = x.t(), byte = core::empty(7, kUInt8), none = core::empty(0);
    const MemoryStats now = memory_stats();
    BOOST_TEST(now.live_arrays - before.live_arrays == 3);
    BOOST_TEST(now.live_bytes - before.live_bytes == 127);
    BOOST_TEST(now.allocations - before.allocations == 3);
    BOOST_TEST(!x.unique());
    BOOST_TEST(byte.unique());
  }
  BOOST_TEST(memory_stats().allocations - before.allocations == 3);
}

BOOST_AUTO_TEST_CASE(counts_return_after_an_exception) {
  SameAsBefore check;
  try {
    const Array x = core::empty({4, 4});
    x.copy_(core::empty({3, 3}));
    BOOST_ERROR("no error");
  } catch (const ShapeError&) {
  }
  check_usable();
}

BOOST_AUTO_TEST_CASE(sizes_waste_at_most_an_eighth) {
  for (std::size_t bytes = 1; bytes < (std::size_t{1} << 40); bytes += bytes / 5 + 1) {
    const std::size_t size = size_of_class(size_class(bytes));
    BOOST_REQUIRE(size >= bytes);
    BOOST_REQUIRE(size <= std::max(bytes + 63, bytes + bytes / 8));
    BOOST_REQUIRE(size_class(size) == size_class(bytes));
    BOOST_REQUIRE(size_class(size + 1) == size_class(bytes) + 1);
  }
}

BOOST_AUTO_TEST_CASE(blocks_are_aligned_and_apart) {
  std::mt19937 random(1);
  struct Held {
    unsigned char* data;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<Held> held;
  const std::size_t edges[] = {0, 1, 63, 64, 65, 1024, 1025, 65535, 65536, 65537, 100000, 2097151, 2097152, 5000000};
  for (int round = 0; round < 3000; ++round) {
    if (held.size() > 200 || (!held.empty() && random() % 3 == 0)) {
      const std::size_t i = random() % held.size();
      std::swap(held[i], held.back());
      const Held last = held.back();
      BOOST_REQUIRE(std::all_of(last.data, last.data + last.bytes, [&](unsigned char c) { return c == last.mark; }));
      pool_free(last.data, last.bytes);
      held.pop_back();
    } else {
      const std::size_t bytes = random() % 20 == 0 ? edges[random() % std::size(edges)] : random() % 3000;
      Held block{static_cast<unsigned char*>(pool_allocate(bytes)), bytes, static_cast<unsigned char>(random())};
      const std::size_t alignment = bytes >= 2097152 && !kSanitized ? 2097152 : 64;
      BOOST_REQUIRE(reinterpret_cast<std::uintptr_t>(block.data) % alignment == 0);
      std::memset(block.data, block.mark, bytes);
      held.push_back(block);
    }
  }
  for (const Held& block : held) pool_free(block.data, block.bytes);
}

BOOST_AUTO_TEST_CASE(data_are_aligned) {
  for (std::int64_t n : {0, 1, 15, 16, 1000, 100000, 1000000}) {
    const Array x = core::empty(n, kFloat64);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0U);
  }
}

BOOST_AUTO_TEST_CASE(memory_is_used_again) {
  if (kSanitized) return;  // there every block is a fresh one
  void* const small = pool_allocate(200);
  pool_free(small, 200);
  BOOST_TEST(pool_allocate(200) == small);
  pool_free(small, 200);
  void* const large = pool_allocate(300000);
  pool_free(large, 300000);
  BOOST_TEST(pool_allocate(300000) == large);
  pool_free(large, 300000);

  // A program that does the same thing again and again takes nothing new.
  const auto churn = [] {
    std::vector<void*> blocks;
    for (int i = 0; i < 3000; ++i) blocks.push_back(pool_allocate(static_cast<std::size_t>(i % 700 * 10)));
    for (int i = 0; i < 3000; ++i)
      pool_free(blocks[static_cast<std::size_t>(i)], static_cast<std::size_t>(i % 700 * 10));
  };
  churn();
  const std::int64_t cached = memory_stats().cached_bytes;
  for (int i = 0; i < 20; ++i) churn();
  BOOST_TEST(memory_stats().cached_bytes == cached);
}

// What is taken is missing, what is given back is there again, but for fresh pages.
BOOST_AUTO_TEST_CASE(cached_bytes_are_counted_to_the_byte) {
  if (kSanitized) return;
  constexpr std::int64_t kPages = std::int64_t{512} << 10;
  for (int size_class = 0; size_class < kSmallClasses; ++size_class) {
    const std::size_t bytes = size_of_class(size_class);
    const std::int64_t before = memory_stats().cached_bytes;
    for (int blocks : {1, 2, 3, 70}) {
      std::vector<void*> held;
      for (int i = 0; i < blocks; ++i) held.push_back(pool_allocate(bytes));
      const std::int64_t grown = memory_stats().cached_bytes + blocks * static_cast<std::int64_t>(bytes) - before;
      BOOST_REQUIRE_MESSAGE(grown >= 0 && grown % kPages == 0, "class " << size_class << ", " << blocks << " blocks");
      for (void* block : held) pool_free(block, bytes);
      BOOST_REQUIRE((memory_stats().cached_bytes - before) % kPages == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(blocks_are_freed_on_other_threads) {
  SameAsBefore check;
  std::int64_t cached = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<Array> arrays;
    std::thread([&] {
      for (int i = 0; i < 2000; ++i) arrays.push_back(core::empty(i % 50).fill_(i));
    }).join();
    BOOST_REQUIRE(arrays[1999][0].item<float>() == 1999);
    std::thread([&] { arrays.clear(); }).join();
    // What one thread frees serves the next one.
    if (round == 2) cached = memory_stats().cached_bytes;
    if (round > 2) BOOST_TEST(memory_stats().cached_bytes == cached);
  }
}

BOOST_AUTO_TEST_CASE(many_threads_at_once) {
  SameAsBefore check;
  const std::int64_t before = memory_stats().allocations;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      std::vector<Array> held(64);
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 20000; ++i) {
        const auto slot = random() % held.size();
        if (held[slot].defined() && held[slot][0].item<std::int32_t>() != static_cast<std::int32_t>(slot)) {
          throw std::logic_error("two arrays share memory");
        }
        held[slot] = core::empty(static_cast<std::int64_t>(random() % 300 + 1), kInt32);
        held[slot].select(0, 0).fill_(static_cast<std::int64_t>(slot));
      }
    });
  }
  while (memory_stats().allocations - before < 1000) std::this_thread::yield();  // read while others write
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(memory_stats().allocations - before == 80000);
}

// The thread's lists are gone by the time its oldest object dies.
BOOST_AUTO_TEST_CASE(objects_of_an_ending_thread) {
  SameAsBefore check;
  struct Late {
    std::vector<Array> arrays;
    ~Late() {
      for (int i = 0; i < 100; ++i) arrays.push_back(core::empty(100 * i));
    }
  };
  std::int64_t cached = 0;
  for (int round = 0; round < 30; ++round) {  // more than the tests before left in the store
    std::thread([] {
      static thread_local Late late;
      late.arrays.reserve(1);
      late.arrays.push_back(core::empty(3));
    }).join();
    if (round == 1) cached = memory_stats().cached_bytes;
    if (round > 1) BOOST_TEST(memory_stats().cached_bytes == cached);  // whatever they used is there for the next
  }
}

BOOST_AUTO_TEST_CASE(static_objects) {
  until_the_very_end = core::empty({1000, 1000});
  BOOST_TEST(until_the_very_end.defined());
}

BOOST_AUTO_TEST_CASE(the_cache_of_large_blocks_is_capped) {
  if (kSanitized) return;
  const std::int64_t cap = std::min<std::int64_t>(std::int64_t{1} << 30, memory_limit().bytes / 4);
  constexpr std::size_t kBlock = std::size_t{64} << 20;
  const auto blocks = static_cast<std::size_t>(cap) / kBlock + 4;
  empty_cache();
  const std::int64_t small = memory_stats().cached_bytes;  // blocks of other tests, which have no cap
  std::vector<void*> held;
  for (std::size_t i = 0; i < blocks; ++i) held.push_back(pool_allocate(kBlock));  // address space, mostly
  for (void* block : held) pool_free(block, kBlock);
  const std::int64_t cached = memory_stats().cached_bytes - small;
  BOOST_TEST(cached > cap / 2);
  BOOST_TEST(cached < cap + (std::int64_t{128} << 20));
  // The block freed last is the one taken first.
  void* const block = pool_allocate(kBlock);
  BOOST_TEST(block == held.back());
  pool_free(block, kBlock);
}

BOOST_AUTO_TEST_CASE(requests_beyond_the_machine_are_refused_before_anything_happens) {
  const MemoryStats before = memory_stats();
  const std::int64_t limit = memory_limit().bytes;
  BOOST_REQUIRE(limit > 0);
  const std::int64_t floats = limit / 4 + 1;
  check_error<MemoryError>([=] { core::empty(floats); },
                           {std::to_string(4 * floats) + " bytes", std::to_string(limit), memory_limit().what});
  check_error<MemoryError>([=] { zeros({floats / 7 + 1, 7}); }, {std::to_string(limit)});
  check_error<MemoryError>([=] { core::empty(kMax / 16, kFloat64); }, {std::to_string(kMax / 16 * 8)});
  check_error<MemoryError>([=] { ones(1).expand(floats).clone(); }, {std::to_string(limit)});
  check_error<MemoryError>([=] { check_request(kMax); }, {std::to_string(kMax)});
  check_request(limit);
  const MemoryStats now = memory_stats();
  BOOST_TEST(now.allocations == before.allocations + 1);  // that of ones(1)
  BOOST_TEST(now.live_arrays == before.live_arrays);
  check_usable();
}

BOOST_AUTO_TEST_CASE(sizes_whose_bytes_overflow_are_shape_errors) {
  check_error<ShapeError>([] { core::empty(kMax); }, {"bytes", "[9223372036854775807]", "float32"});
  check_error<ShapeError>([] { core::empty({kMax / 8 + 1}, kFloat64); }, {"bytes", "float64"});
  check_error<ShapeError>([] { core::empty({std::int64_t{1} << 32, std::int64_t{1} << 32}); }, {"product"});
  check_error<ShapeError>([] { core::empty(kMax, kBool); }, {"bytes"});
  check_usable();
}

// The system refuses, although the machine would have had it.
BOOST_AUTO_TEST_CASE(memory_that_the_system_refuses) {
  if (kSanitized) return;  // their shadow memory is beyond any such limit
  SameAsBefore check;
  const std::int64_t request = std::int64_t{2} << 30;
  if (memory_limit().bytes < request) return;
  const Array kept = core::empty(std::int64_t{10} << 20).fill_(3);
  core::empty(std::int64_t{150} << 20, kUInt8);  // lies in the cache now
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit old{};
  BOOST_REQUIRE(getrlimit(RLIMIT_AS, &old) == 0);
  rlimit tight = old;
  tight.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE)) + (rlim_t{64} << 20);
  if (tight.rlim_cur > old.rlim_cur) return;
  BOOST_REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
  BOOST_TEST(core::empty(std::int64_t{180} << 20, kUInt8).defined());  // in place of what the cache held
  check_error<MemoryError>([=] { core::empty(request, kUInt8); }, {"system", "bytes"});
  // Small blocks run out as well, and the error leaves what there is as it was.
  std::vector<Array> many;
  many.reserve(1 << 20);
  check_error<MemoryError>(
      [&] {
        while (true) many.push_back(core::empty(4000));
      },
      {"system"});
  BOOST_TEST(!many.empty());
  BOOST_REQUIRE(setrlimit(RLIMIT_AS, &old) == 0);
  many.clear();
  BOOST_TEST(kept[12345].item<float>() == 3);
  BOOST_TEST(core::empty(request, kUInt8).numel() == request);
  check_usable();
}

BOOST_AUTO_TEST_CASE(limits_of_control_groups) {
  namespace fs = std::filesystem;
  std::string name = (fs::temp_directory_path() / "gradus-memory-XXXXXX").string();
  BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
  const fs::path root = name;
  const auto write = [&](const char* path, const char* text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  };
  const auto limit = [&] { return read_memory_limit(1000, root / "groups", root / "mount"); };

  BOOST_TEST(limit().bytes == 1000);
  BOOST_TEST(limit().what == "this machine's memory");
  write("groups", "0::/a/b\n");
  write("mount/a/b/memory.max", "max\n");
  BOOST_TEST(limit().bytes == 1000);
  write("mount/a/memory.max", "700\n");  // a group's limit holds for those in it
  BOOST_TEST(limit().bytes == 700);
  BOOST_TEST(std::string(limit().what).find("group") != std::string::npos);
  write("mount/a/b/memory.max", "600\n");
  BOOST_TEST(limit().bytes == 600);
  write("mount/other/memory.max", "5\n");
  write("mount/memory.max", "2000\n");
  BOOST_TEST(limit().bytes == 600);
  // Version 1, with the path that only the outside of a container knows.
  write("groups", "12:cpu,cpuacct:/x\n5:hugetlb,memory:/outside\n");
  BOOST_TEST(limit().bytes == 1000);
  write("mount/memory/memory.limit_in_bytes", "400\n");
  BOOST_TEST(limit().bytes == 400);
  write("mount/memory/outside/memory.limit_in_bytes", "9223372036854771712\n");
  BOOST_TEST(limit().bytes == 400);
  write("mount/memory/outside/memory.limit_in_bytes", "300\n");
  BOOST_TEST(limit().bytes == 300);
  write("mount/memory/x/memory.limit_in_bytes", "5\n");
  BOOST_TEST(limit().bytes == 300);
  fs::remove_all(root);
}

BOOST_AUTO_TEST_CASE(borrowed_memory_is_handed_back_once) {
  SameAsBefore check;
  alignas(8) float memory[6] = {0, 1, 2, 3, 4, 5};
  int calls = 0;
  const auto deleter = [&](void* data) {
    BOOST_TEST(data == memory);
    ++calls;
  };
  {
    const MemoryStats before = memory_stats();
    Array view;
    {
      const Array x = from_blob(memory, {2, 3}, {}, deleter, kFloat32);
      BOOST_TEST(memory_stats().live_arrays - before.live_arrays == 1);
      BOOST_TEST(memory_stats().live_bytes == before.live_bytes);
      x[1][1].fill_(9);
      view = x.t();
    }
    BOOST_TEST(memory[4] == 9);
    BOOST_TEST(view[2][1].item<float>() == 5);
    BOOST_TEST(calls == 0);
  }
  BOOST_TEST(calls == 1);
  from_blob(memory, {6}, {}, nullptr, kFloat32);
  BOOST_TEST(calls == 1);

  // Whoever hands memory over is rid of it, whatever happens.
  check_error<ShapeError>([&] { from_blob(memory, {2, -3}, {}, deleter, kFloat32); }, {"from_blob", "[2, -3]"});
  BOOST_TEST(calls == 2);
  check_error<ShapeError>([&] { from_blob(memory, {2, 3}, {1}, deleter, kFloat32); }, {"from_blob", "[2, 3]", "[1]"});
  BOOST_TEST(calls == 3);
  check_error<ValueError>([&] { from_blob(memory, {2}, {-1}, deleter, kFloat32); }, {"from_blob", "[-1]"});
  check_error<ShapeError>([&] { from_blob(memory, {2}, {kMax}, deleter, kFloat64); }, {"from_blob", "64 bits"});
  check_error<ShapeError>([&] { from_blob(memory, {3, 3}, {kMax, kMax}, deleter, kBool); }, {"from_blob"});
  check_error<ShapeError>([&] { from_blob(memory, std::vector<std::int64_t>(9, 1), {}, deleter, kBool); }, {"9"});
  BOOST_TEST(calls == 7);
  const auto other = [&](void*) { ++calls; };
  check_error<ValueError>([&] { from_blob(nullptr, {1}, {}, other, kFloat32); }, {"from_blob", "null"});
  char* const odd = reinterpret_cast<char*>(memory) + 1;
  check_error<ValueError>([&] { from_blob(odd, {1}, {}, other, kFloat32); }, {"from_blob", "aligned", "float32"});
  BOOST_TEST(calls == 9);
  BOOST_TEST(from_blob(nullptr, {0, 2}, {}, other, kFloat32).numel() == 0);
  BOOST_TEST(calls == 10);
}

BOOST_AUTO_TEST_CASE(borrowed_memory_has_bounds) {
  float memory[6] = {0, 1, 2, 3, 4, 5};
  const Array x = from_blob(memory, {2, 2}, {3, 1}, nullptr, kFloat32);
  BOOST_TEST(x.storage()->bytes() == 20);
  BOOST_TEST(x[1][1].item<float>() == 4);
  BOOST_TEST(x.as_strided(5, 1, 0)[4].item<float>() == 4);
  check_error<IndexError>([&] { x.as_strided(6, 1, 0); }, {"5 elements"});
}

BOOST_AUTO_TEST_CASE(writes_are_counted_per_storage) {
  const Array x = core::empty({2, 3}), view = x.t()[0];
  const std::uint64_t before = x.storage()->writes().count;
  view.fill_(1);
  BOOST_TEST(x.storage()->writes().count == before + 1);
  BOOST_TEST(x.storage()->writes().by == "fill_");
  x.copy_(x.clone());
  BOOST_TEST(view.storage()->writes().count == before + 2);
  x.mark_written("mine");
  BOOST_TEST(x.storage()->writes().by == "mine");
  BOOST_TEST(x.storage()->writes().at.file() == __FILE__);
  BOOST_TEST(x.clone().storage()->writes().count < before + 3);
}

BOOST_AUTO_TEST_SUITE_END()
