// Writes one page about every operation: what it computes and how its gradient is made, in mathematical notation, what it
// keeps for that, what it costs and where it is written. All of it is read from the sources of autograd/ops and layers, and
// held against the list of operations that the library itself has.
//
//   build/release/examples/operations_page operations.html
#include <CLI/CLI.hpp>
#include <gradus/core/files/files.h>
#include <gradus/gradus.h>

#include <cstdio>

#include "operations_page/lines.h"
#include "operations_page/page.h"

int main(int argc, char** argv) try {
  std::string out, formulas, root = GRADUS_SOURCES;  // where the library was built
  bool list = false;
  CLI::App app("Writes a page (HTML) about all operations, made from the sources.");
  app.add_option("page", out, "the file to write");
  app.add_option("--formulas", formulas, "write the formulas as the library carries them (autograd/page/formulas.txt)");
  app.add_option("--sources", root, "the project's folder");
  app.add_flag("--list", list, "print what is shown as C++, and whose result has no formula");
  CLI11_PARSE(app, argc, argv);

  const page::Catalogue catalogue(root);
  if (!formulas.empty()) gradus::core::write_file_atomically(formulas, {page::table_of(catalogue)});
  if (!out.empty()) gradus::core::write_file_atomically(out, {page::page_of(catalogue)});
  std::size_t entries = 0;
  for (const page::Family& family : catalogue.families) entries += family.entries.size();
  std::printf("%s: %zu names, %d formulas; %zu as C++, %zu results named only\n", out.c_str(), entries,
              catalogue.formulas, catalogue.fallbacks.size(), catalogue.without_formula.size());
  if (list) {
    for (const std::string& f : catalogue.fallbacks) std::printf("as C++: %s\n", f.c_str());
    for (const std::string& f : catalogue.without_formula) std::printf("named only: %s\n", f.c_str());
  }
  if (list) {
    for (const std::string& mistake : page::mistakes_in_formulas(true))
      std::printf("to be looked at: %s\n", mistake.c_str());
  }
  // Nothing that the library records may be missing.
  const std::set<std::string> shown = catalogue.names();
  int missing = 0;
  for (const auto& operation : gradus::autograd::operations()) {
    if (shown.contains(std::string(operation.name))) continue;
    std::fprintf(stderr, "operations_page: not on the page: %s\n", std::string(operation.name).c_str());
    ++missing;
  }
  for (const std::string& mistake : page::mistakes_in_formulas(false)) {
    std::fprintf(stderr, "operations_page: %s\n", mistake.c_str());
    ++missing;
  }
  return missing == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "operations_page: %s\n", error.what());
  return 1;
}
