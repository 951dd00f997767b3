// Boost.Test's own main(); each test_NAME.cpp adds the suite NAME.
#define BOOST_TEST_MODULE gradus
#include <boost/test/unit_test.hpp>
