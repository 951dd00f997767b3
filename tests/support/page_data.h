// A record's page as the data in it.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

#include <gradus/autograd/graph/record.h>
#include <gradus/autograd/page/page.h>

#include "folder.h"

namespace gradus::test {

inline std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The data of a record's page.
inline nlohmann::json data_of(const autograd::Record& record) {
  const Folder folder;
  const std::filesystem::path page = folder.path / "page.html";
  autograd::write_page(page.string(), record);
  const std::string html = content(page), before = "id=\"data\">";
  const std::size_t from = html.find(before) + before.size();
  return nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from));
}
inline nlohmann::json data_of(const std::function<void(autograd::Record&)>& compute) {
  autograd::Record record(autograd::RecordOptions::page());
  compute(record);
  return data_of(record);
}
inline const nlohmann::json& entry(const nlohmann::json& list, const nlohmann::json& id) {
  return list.at(id.get<std::size_t>());
}
inline std::string name_of(const nlohmann::json& data, const nlohmann::json& operation) {
  return entry(data["record"]["operations"], operation)["name"].get<std::string>();
}
// The names of a timeline's entries of a kind.
inline std::string timeline(const nlohmann::json& data, const std::string& kind) {
  std::string names;
  for (const nlohmann::json& each : data["timeline"]) {
    if (each["kind"] != kind) continue;
    const nlohmann::json& of =
        kind == "backward" ? entry(data["record"]["steps"], each["of"])["operation"] : each["of"];
    names += (names.empty() ? "" : " ") + name_of(data, of);
  }
  return names;
}

}  // namespace gradus::test
