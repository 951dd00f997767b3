// What a page is told (internal): the record, and what is worked out of it.
#pragma once

#include <string>
#include <vector>

#include "../graph/record_data.h"
#include "../graph/record_writer.h"

namespace gradus::autograd::detail {

/// One JSON object: the record, as RECORD.md says; where things stand; what happened in which order; what was waited for,
/// and for how long values were kept; formulas of the operations in it, and, with `sources`, lines of the sources that were found.
std::string page_data(const Recording& recording, const std::string& title, const std::string& language, bool sources);

/// The place in the timeline of each operation, step and update, and of the last entry before the end of each moment; -1: none.
struct Times {
  std::vector<int> of_operations, of_steps, of_updates, of_moments;
};
// Members of that object, one after the other.
/// Bytes by what they are for. Live bytes are the process's; what is counted here is never more than that.
void write_memory(Writer& w, const Recording& r, const Times& times);
/// How long what nodes keep was kept.
void write_saved_bars(Writer& w, const Recording& r, const Times& times);
/// Of the operations that are there, by name and number of inputs.
void write_formulas(Writer& w, const Recording& r);
/// The lines in question with a few around them, of files that are still there.
void write_sources(Writer& w, const Recording& r);

}  // namespace gradus::autograd::detail
