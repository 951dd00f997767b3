#include "page.h"

#include "../../core/base/fail.h"
#include "../../core/files/files.h"
#include "../graph/record.h"
#include "page_data.h"
#include "view.h"

namespace gradus::autograd {
namespace {

// For a place between <script> and </script>: no '<' of the data may end it.
std::string escaped(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

}  // namespace

void write_page(const std::string& path, const Record& record, const PageOptions& options) {
  if (options.language != "en" && options.language != "ru")
    core::fail<ValueError>("write_page: the language is \"en\" or \"ru\": \"{}\"", options.language);
  const std::string title = options.title.empty() ? path.substr(path.rfind('/') + 1) : options.title;
  const std::string json =
      escaped(detail::page_data(detail::recording_of(record), title, options.language, options.sources));
  const detail::View view = detail::page_view();
  core::write_file_atomically(path, {view.before_data, json, view.after_data});
}

}  // namespace gradus::autograd
