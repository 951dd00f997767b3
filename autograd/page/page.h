// A recorded computation as a page: one HTML file on which a reader steps forward and backward through it.
#pragma once

#include <string>

#include "../../core/base/export.h"

namespace gradus::autograd {

class Record;

struct PageOptions {
  std::string title = {};       ///< of the window and the heading; empty: the file's name
  std::string language = "en";  ///< what the page speaks at first, "en" or "ru"
  bool sources = true;          ///< the lines of source around each call are copied into the file
};

/// Writes one HTML file that needs nothing else: no server, no network, no installation. Open it in a browser; the arrow
/// keys step, `?` tells the other keys. The file is written whole or not at all.
///
///     autograd::Record record(autograd::RecordOptions::page());
///     net->forward(x).square().mean().backward();
///     autograd::write_page("backward.html", record);
///
/// A file has 0.2 MB of its own and 1 to 5 KB for each operation and its step: 2 MB for 900 operations, 116 MB for 60,000.
///
/// Any record will do; one with the options that `RecordOptions::page()` gives shows most. FileError where it cannot be
/// written, ValueError for a language that it does not speak.
GRADUS_API void write_page(const std::string& path, const Record& record, const PageOptions& options = {});

}  // namespace gradus::autograd
