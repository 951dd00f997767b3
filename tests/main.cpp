// Boost.Test's own main(); each test_NAME.cpp adds the suite NAME.
#define BOOST_TEST_MODULE gradus
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <iterator>

// Of suites whose label says that they start no thread (CMakeLists.txt): ThreadSanitizer is not shown them.
struct Serial {
  void teardown() {
    if (std::getenv("GRADUS_TEST_SERIAL") == nullptr) return;
    const std::filesystem::directory_iterator threads("/proc/self/task");
    BOOST_TEST(std::distance(begin(threads), end(threads)) == 1, "the suite's label is serial, and it started a thread");
  }
};
BOOST_TEST_GLOBAL_FIXTURE(Serial);
