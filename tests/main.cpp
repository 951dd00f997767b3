// Boost.Test's own main(); each test_NAME.cpp adds the suite NAME.
#define BOOST_TEST_MODULE gradus
#include <boost/test/unit_test.hpp>

#include <gradus/core/base/errors.h>
#include <gradus/core/simd/instruction_set.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>

// Of suites whose label says that they start no thread (CMakeLists.txt): ThreadSanitizer is not shown them. An emulator has
// a thread of its own from the beginning.
struct Serial {
  static std::ptrdiff_t threads() {
    const std::filesystem::directory_iterator all("/proc/self/task");
    return std::distance(begin(all), end(all));
  }
  void teardown() {
    if (std::getenv("GRADUS_TEST_SERIAL") == nullptr) return;
    BOOST_TEST(threads() == at_first, "the suite's label is serial, and it started a thread");
  }
  const std::ptrdiff_t at_first = threads();
};
BOOST_TEST_GLOBAL_FIXTURE(Serial);

// Every case begins with the kernels of this instruction set, if one is named (checks/instruction_sets).
struct Kernels : boost::unit_test::test_observer {
  Kernels() {
    if (set == nullptr) return;
    try {
      gradus::use_instruction_set(set);
    } catch (const gradus::Error& error) {
      std::cerr << "GRADUS_TEST_SIMD: " << error.what() << '\n';
      std::exit(2);
    }
    boost::unit_test::framework::register_observer(*this);
  }
  ~Kernels() override { boost::unit_test::framework::deregister_observer(*this); }
  void test_unit_start(const boost::unit_test::test_unit&) override { gradus::use_instruction_set(set); }

  const char* const set = std::getenv("GRADUS_TEST_SIMD");
};
BOOST_TEST_GLOBAL_FIXTURE(Kernels);
