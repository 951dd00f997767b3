// The sources are read, and what they hold is put into families.
#include "catalogue.h"

#include <algorithm>
#include <filesystem>

namespace page {
namespace {

std::vector<std::string> files_in(const std::string& root, const std::string& folder, bool deep) {
  std::vector<std::string> found;
  const auto add = [&](const std::filesystem::directory_entry& e) {
    const std::string ending = e.path().extension().string();
    if (ending == ".h" || ending == ".cpp") found.push_back(e.path().lexically_relative(root).generic_string());
  };
  if (deep) {
    for (const auto& e : std::filesystem::recursive_directory_iterator(root + "/" + folder)) add(e);
  } else {
    for (const auto& e : std::filesystem::directory_iterator(root + "/" + folder)) add(e);
  }
  std::sort(found.begin(), found.end());
  return found;
}

// In the order that a course takes them.
struct About {
  const char *name, *title;
};
constexpr About kFamilies[] = {{"pointwise", "Pointwise operations"},
                               {"elementwise", "More pointwise operations"},
                               {"activation", "Activations"},
                               {"special", "Special functions"},
                               {"logic", "Bits, logic and comparisons"},
                               {"reduce", "Reductions"},
                               {"softmax", "Softmax"},
                               {"scan", "Running sums, products, and order"},
                               {"statistics", "Statistics and order statistics"},
                               {"distance", "Distances, differences, integrals"},
                               {"matmul", "Matrix products"},
                               {"linalg", "Linear algebra"},
                               {"views", "Views"},
                               {"shapes", "Shapes"},
                               {"combine", "Joining and picking"},
                               {"indexing", "Indexing, masks, scattering"},
                               {"aliases", "Second names"},
                               {"layers", "Layers' rules"},
                               {"inner", "Inside: recorded by other operations' formulas"}};

}  // namespace

Catalogue::Catalogue(const std::string& root) {
  for (const About& f : kFamilies) families.push_back({f.name, f.title, {}, {}});
  read_files(root);
  find_public();
  for (const auto& items : items_) {
    for (const Item& item : items) read_operations(item);
  }
  read_functions();
  for (const auto& op : operations_) {
    for (const Gradient& g : op->gradients) {
      if (!g.shown.code.empty()) fallbacks.push_back("the gradient of " + op->name + ": " + g.shown.why);
      formulas += !g.shown.code.empty() || g.shown.formula || !g.shown.comment.empty();
    }
    if (!op->reference.code.empty()) fallbacks.push_back("the reference of " + op->name + ": " + op->reference.why);
    formulas += 1 + !op->reference.empty();
  }
  for (const Family& f : families) {
    for (const Entry& e : f.entries) {
      for (const Shown& s : e.bodies) {
        ++formulas;
        if (!s.code.empty()) fallbacks.push_back(e.name + ": " + s.why);
      }
    }
  }
}

void Catalogue::read_files(const std::string& root) {
  std::vector<std::string> paths;
  for (const auto& [folder, deep] :
       {std::pair{"autograd/ops", false}, {"autograd/graph", false}, {"autograd/tensor", false}, {"layers", true}}) {
    for (std::string& path : files_in(root, folder, deep)) paths.push_back(std::move(path));
  }
  for (const std::string& path : paths) {
    sources_.push_back(read_source(root, path));
    items_.push_back(items_of(*sources_.back()));
  }
  const auto enter = [&](auto& self, const Item& item, const std::string& scope) -> void {
    const std::string name = scope.empty() ? item.name : scope + "::" + item.name;
    if (item.kind == Item::Kind::Struct) {
      structs_[item.name].push_back(&item);
      for (const Item& m : item.members) self(self, m, item.name);
    } else if (item.kind == Item::Kind::Function) {
      if (item.has_body()) functions_[name].push_back(&item);
    } else if (scope.empty()) {
      variables_[item.name].push_back(&item);
    }
  };
  for (const auto& items : items_) {
    for (const Item& item : items) enter(enter, item, "");
  }
}

std::string Catalogue::family_of(const Source* source) const {
  const std::string name = std::filesystem::path(source->path).stem().string();
  static const std::map<std::string, std::string> kOthers = {{"pointwise_unary", "pointwise"},
                                                             {"arithmetic", "pointwise"},
                                                             {"binary_operation", "pointwise"},
                                                             {"inplace", "pointwise"},
                                                             {"activation_rules", "activation"},
                                                             {"activation_piecewise", "activation"},
                                                             {"products", "matmul"},
                                                             {"einsum", "matmul"},
                                                             {"masks", "indexing"},
                                                             {"scatter", "indexing"},
                                                             {"conversion", "views"},
                                                             {"view_history", "views"},
                                                             {"windows", "views"},
                                                             {"shapes_inplace", "shapes"},
                                                             {"shapes_moved", "shapes"},
                                                             {"rewrite", "inner"}};
  if (const auto other = kOthers.find(name); other != kOthers.end()) return other->second;
  if (name.starts_with("linalg")) return "linalg";
  if (source->path.starts_with("layers/")) return "layers";
  for (const Family& f : families) {
    if (f.name == name) return name;
  }
  return "inner";
}

Entry* Catalogue::entry(const std::string& name, const std::string& scope) {
  for (Family& f : families) {
    for (Entry& e : f.entries) {
      if (e.name == name && e.scope == scope) return &e;
    }
  }
  return nullptr;
}

std::vector<const Operation*> Catalogue::operations() const {
  std::vector<const Operation*> all;
  for (const auto& op : operations_) all.push_back(op.get());
  return all;
}

std::set<std::string> Catalogue::names() const {
  std::set<std::string> all;
  for (const auto& op : operations_) all.insert(op->name);
  return all;
}

}  // namespace page
