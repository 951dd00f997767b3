// What a function writes to a file.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <functional>
#include <string>

namespace gradus::test {

inline std::string written_to_file(const std::function<void(FILE*)>& action) {
  FILE* file = tmpfile();
  BOOST_REQUIRE(file != nullptr);
  action(file);
  std::string text(static_cast<std::size_t>(ftell(file)), ' ');
  rewind(file);
  const std::size_t got = fread(text.data(), 1, text.size(), file);
  fclose(file);
  BOOST_REQUIRE(got == text.size());
  return text;
}

}  // namespace gradus::test
