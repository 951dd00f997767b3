// Public functions: what each is made of, its forms in place, its place.
#include <algorithm>
#include <filesystem>

#include "catalogue.h"
#include "mathml.h"

namespace page {
namespace {

using Kind = Expression::Kind;

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

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const char d = c == '\n' ? ' ' : c;
    if (d == ' ' && !line.empty() && line.back() == ' ') continue;
    line += d;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}
std::string signature(const Item& item) {
  std::string text = one_line(text_of(item.whole));
  if (text.starts_with("GRADUS_API ")) text.erase(0, 11);
  return text;
}
std::string key(const std::string& scope, const std::string& name) {
  return scope == "gradus" ? name : scope + "::" + name;
}

bool is_public_header(const std::string& path) { return path.starts_with("autograd/ops/") && path.ends_with(".h"); }
bool is_public(const Item& item) {
  if (item.kind != Item::Kind::Function || item.scope == "detail" || item.whole.empty()) return false;
  return item.whole[0].text == "GRADUS_API" || item.whole[0].text == "inline";
}

// comparison<core::eq>(a, b) is eq(a, b).
Term by_row(const Term& term) {
  if (!term) return term;
  Expression e = *term;
  for (Term& a : e.arguments) a = by_row(a);
  if (e.kind == Kind::Call && e.of.starts_with("core::")) {
    e.text = e.of.substr(6);
    e.of.clear();
  }
  return std::make_shared<const Expression>(std::move(e));
}

}  // namespace

// What applies a struct is that operation.
Term Catalogue::resolved(const Term& term) const {
  if (!term) return term;
  Expression e = *term;
  for (Term& a : e.arguments) a = resolved(a);
  if (e.kind == Kind::Call && e.text == "apply" && !e.of.empty()) {
    const auto found = structs_.find(e.of.substr(0, e.of.find('<')));
    const Item* name = found == structs_.end() ? nullptr : found->second[0]->member("name");
    e.text = "pick";
    if (name != nullptr && name->body.size() == 1) e.text = name->body[0].text.substr(1, name->body[0].text.size() - 2);
    if (e.of.starts_with("Put")) e.text = "put";
    const bool attributes = found != structs_.end() && found->second[0]->member("Attrs") != nullptr;
    if (attributes || e.text == "pick" || e.text == "put") {
      if (!e.arguments.empty()) e.arguments.erase(e.arguments.begin());
    }
    e.of.clear();
  }
  return std::make_shared<const Expression>(std::move(e));
}
Formula Catalogue::resolved(Formula formula) const {
  formula.value = resolved(formula.value);
  for (Definition& d : formula.definitions) d.value = resolved(d.value);
  return formula;
}

namespace {

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

void Catalogue::read_functions() {
  // What is declared, and where it is defined.
  std::vector<const Item*> declared;
  std::set<std::string> names;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (!is_public_header(sources_[i]->path)) continue;
    for (const Item& item : items_[i]) {
      if (!is_public(item)) continue;
      declared.push_back(&item);
      names.insert(key(item.scope, item.name));
    }
  }
  std::map<std::string, std::vector<const Item*>> defined;
  for (const auto& [name, all] : functions_) {
    for (const Item* f : all) {
      std::string plain = name, scope = f->scope;
      if (const std::size_t colons = name.rfind("::"); colons != std::string::npos) {
        if (name.substr(0, colons) != "autograd" && name.substr(0, colons) != "special") continue;
        scope = name.substr(0, colons), plain = name.substr(colons + 2);
      }
      if (names.contains(key(scope, plain)) && !f->whole.source->path.starts_with("layers/"))
        defined[key(scope, plain)].push_back(f);
    }
  }
  for (const auto& [name, all] : defined) {
    const std::size_t colons = name.rfind("::");
    const std::string plain = colons == std::string::npos ? name : name.substr(colons + 2);
    if (plain == name || !defined.contains(plain)) bodies_[plain] = all;
  }
  for (const Item* item : declared) {
    std::string name = item->name;
    const bool in_place =
        name.size() > 1 && name.back() == '_' && names.contains(key(item->scope, name.substr(0, name.size() - 1)));
    if (in_place) name.pop_back();
    const std::string family = family_of(item->whole.source);
    Entry* e = entry(name, item->scope);
    if (e == nullptr) {
      for (Family& f : families) {
        if (f.name != family) continue;
        if (f.note.empty()) f.note = item->whole.source->head;
        f.entries.push_back({});
        e = &f.entries.back();
      }
      e->name = name;
      e->scope = item->scope;
      e->family = family;
    }
    if (in_place) {
      if (std::find(e->in_place.begin(), e->in_place.end(), item->name) == e->in_place.end())
        e->in_place.push_back(item->name);
    }
    e->signatures.push_back(signature(*item));
    if (!item->comment.empty() &&
        std::find(e->comments.begin(), e->comments.end(), item->comment) == e->comments.end() &&
        !(in_place && !e->comments.empty())) {
      e->comments.push_back(item->comment);
    }
  }
  std::set<const Operation*> shown;
  for (Family& f : families) {
    for (Entry& e : f.entries) {
      const auto found = defined.find(key(e.scope, e.name));
      finish_entry(e, found == defined.end() ? std::vector<const Item*>{} : found->second);
      shown.insert(e.operations.begin(), e.operations.end());
    }
  }
  // Operations that no function of their name applies.
  for (const auto& op : operations_) {
    if (shown.contains(op.get())) continue;
    std::string family = family_of(op->item->whole.source);
    const bool inner = family != "layers" && op->kind != Operation::Kind::View;
    const auto same = std::find_if(shown.begin(), shown.end(), [&](const Operation* o) { return o->name == op->name; });
    Entry* e = nullptr;
    if (same != shown.end() || entry(op->name, "") != nullptr)
      e = entry(op->name, entry(op->name, "gradus") != nullptr ? "gradus" : "");
    if (e == nullptr) {
      for (Family& f : families) {
        if (f.name != (inner && !op->name.ends_with('_') ? "inner" : family)) continue;
        f.entries.push_back({});
        e = &f.entries.back();
      }
      e->name = op->name;
      e->family = family;
    }
    e->operations.push_back(op.get());
    e->kind = op->kind == Operation::Kind::View   ? Entry::Kind::View
              : op->kind == Operation::Kind::Rule ? Entry::Kind::Rule
                                                  : Entry::Kind::Primitive;
  }
  // Made of what has a gradient it has one; of nothing of the kind it has none.
  for (bool changed = true; changed;) {
    changed = false;
    for (Family& f : families) {
      for (Entry& e : f.entries) {
        if (e.kind != Entry::Kind::NoGradient) continue;
        for (const std::string& callee : e.calls) {
          const Entry* c = entry(callee, "gradus");
          if (c == nullptr) c = entry(callee, "special");
          if (c == nullptr || c == &e || c->kind == Entry::Kind::NoGradient) continue;
          e.kind = Entry::Kind::Composed;
          changed = true;
          break;
        }
      }
    }
  }
  for (Family& f : families) {
    for (Entry& e : f.entries) {
      if (e.kind == Entry::Kind::Composed && e.bodies.size() == 1 && e.bodies[0].formula) {
        const Expression& v = *e.bodies[0].formula->value;
        const bool names_only =
            std::all_of(v.arguments.begin(), v.arguments.end(), [](const Term& a) { return a->kind == Kind::Name; });
        if (v.kind == Kind::Call && names_only && e.bodies[0].formula->definitions.empty() &&
            bodies_.contains(v.text)) {
          e.kind = Entry::Kind::Alias;
        }
      }
      if (e.operations.empty()) e.passes = passes_of_function(e.name, 1, 0);
      if (e.kind == Entry::Kind::NoGradient && e.name.ends_with('_')) e.kind = Entry::Kind::InPlace;
    }
  }
}

void Catalogue::find_direct(const Item& body, std::set<Operation*>& found, int depth) const {
  const Range& r = body.body;
  for (std::size_t i = 0; i < r.size(); ++i) {
    if (r[i].kind != Token::Kind::Word) continue;
    const std::string word(r[i].text);
    if (word == "core" && i > 1 && r[i - 1].text == "<" && i + 2 < r.size() && r[i - 2].text.starts_with("unary")) {
      const auto [from, to] = by_name_.equal_range(std::string(r[i + 2].text));
      for (auto op = from; op != to; ++op) found.insert(op->second);
    }
    const auto [from, to] = by_struct_.equal_range(word);
    std::string row;
    if (i + 4 < r.size() && r[i + 1].text == "<" && r[i + 2].text == "core") row = r[i + 4].text;
    for (auto op = from; op != to; ++op) {
      if (op->second->item->whole.source != r.source && !op->second->item->whole.source->path.ends_with(".h")) continue;
      if (row.empty() || op->second->name == row) found.insert(op->second);
    }
    if (depth > 0 && i + 1 < r.size() && (r[i + 1].text == "(" || r[i + 1].text == "<")) {
      const auto helpers = functions_.find(word);
      if (helpers == functions_.end()) continue;
      for (const Item* h : helpers->second) {
        const auto open = bodies_.find(word);
        const bool is_public =
            open != bodies_.end() && std::find(open->second.begin(), open->second.end(), h) != open->second.end();
        if (h->whole.source == r.source && h != &body && !h->is_template && !is_public)
          find_direct(*h, found, depth - 1);
      }
    }
  }
}

void Catalogue::finish_entry(Entry& e, const std::vector<const Item*>& bodies) {
  std::set<std::string> calls;
  std::vector<std::string> seen;
  for (const Item* f : bodies) {
    const std::string place = f->whole.source->path + ":" + std::to_string(f->line);
    if (std::find(e.places.begin(), e.places.end(), place) == e.places.end()) e.places.push_back(place);
    std::set<Operation*> direct;
    find_direct(*f, direct, 2);
    // Of a template's operations those of the function's name.
    std::set<Operation*> named;
    for (Operation* op : direct) {
      if (op->name == e.name) named.insert(op);
    }
    const std::set<Operation*>& mine = named.empty() ? direct : named;
    for (Operation* op : mine) {
      if (std::find(e.operations.begin(), e.operations.end(), op) == e.operations.end()) e.operations.push_back(op);
    }
    for (std::size_t i = 0; i + 1 < f->body.size(); ++i) {
      const std::string word(f->body[i].text);
      if (f->body[i + 1].text == "(" && word != e.name && bodies_.contains(word)) calls.insert(word);
    }
    if (!mine.empty()) continue;
    Shown shown;
    shown.left = name_markup("y");
    try {
      Formula body = resolved(read_body(f->body));
      body.value = by_row(body.value);
      for (Definition& d : body.definitions) d.value = by_row(d.value);
      shown.formula = std::move(body);
      add_helpers(shown, nullptr, f->whole.source);
      std::string text = markup(shown.formula->value, false);
      for (const Definition& d : shown.formula->definitions) text += d.name + markup(d.value, false);
      if (std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
      // The same by another overload's arguments.
      if (shown.formula->value->kind == Kind::Call && shown.formula->value->text == e.name &&
          shown.formula->definitions.empty())
        continue;
      seen.push_back(text);
    } catch (const NotAFormula& why) {
      shown.why = why.what();
      shown.formula.reset();
      shown.helpers.clear();
      shown.code = code_of(f->body);
    }
    e.bodies.push_back(std::move(shown));
  }
  std::sort(e.operations.begin(), e.operations.end(),
            [&](const Operation* a, const Operation* b) { return a->item->line < b->item->line; });
  e.calls.assign(calls.begin(), calls.end());
  if (!e.operations.empty()) {
    bool rule = false, view = true;
    for (const Operation* op : e.operations) {
      rule |= op->kind == Operation::Kind::Rule;
      view &= op->kind == Operation::Kind::View;
    }
    e.kind = rule ? Entry::Kind::Rule : view ? Entry::Kind::View : Entry::Kind::Primitive;
  }
}

std::set<std::string> Catalogue::names() const {
  std::set<std::string> all;
  for (const auto& op : operations_) all.insert(op->name);
  return all;
}

}  // namespace page
