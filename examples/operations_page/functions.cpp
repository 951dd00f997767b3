// Public functions: what each is made of, its forms in place, its place.
#include <algorithm>

#include "catalogue.h"
#include "formula_text.h"

namespace page {
namespace {

using Kind = Expression::Kind;

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

bool is_public_header(const Source& source) {
  return source.path.starts_with("autograd/ops/") && source.path.ends_with(".h") &&
         source.head.find("library's own sources") == std::string::npos;
}
bool is_public(const Item& item) {
  if (item.kind != Item::Kind::Function || item.scope == "detail" || item.whole.empty()) return false;
  return item.whole[0].text == "GRADUS_API" || item.whole[0].text == "inline";
}

// Members of Tensor that record, and that no free function stands for.
bool is_member_view(const std::string& name) {
  return name == "expand" || name == "view" || name == "as_strided" || name == "copy_";
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

void Catalogue::find_public() {
  // What is declared, and where it is defined.
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (!is_public_header(*sources_[i])) continue;
    for (const Item& item : items_[i]) {
      if (!is_public(item)) continue;
      declared_.push_back(&item);
      public_.insert(key(item.scope, item.name));
    }
  }
  for (const auto& [name, all] : functions_) {
    for (const Item* f : all) {
      if (f->scope == "local") continue;
      std::string plain = name, scope = f->scope;
      if (const std::size_t colons = name.rfind("::"); colons != std::string::npos) {
        if (name.substr(0, colons) != "autograd" && name.substr(0, colons) != "special") continue;
        scope = name.substr(0, colons), plain = name.substr(colons + 2);
      }
      if (public_.contains(key(scope, plain)) && !f->whole.source->path.starts_with("layers/"))
        defined_[key(scope, plain)].push_back(f);
    }
  }
  for (const auto& [name, all] : defined_) {
    const std::size_t colons = name.rfind("::");
    const std::string plain = colons == std::string::npos ? name : name.substr(colons + 2);
    if (plain == name || !defined_.contains(plain)) bodies_[plain] = all;
  }
}

void Catalogue::read_functions() {
  // What pointwise.h or reduce.h declares, too, belongs there.
  std::stable_partition(declared_.begin(), declared_.end(),
                        [](const Item* i) { return !i->whole.source->path.ends_with("elementwise.h"); });
  for (const Item* item : declared_) {
    std::string name = item->name;
    const bool in_place =
        name.size() > 1 && name.back() == '_' && public_.contains(key(item->scope, name.substr(0, name.size() - 1)));
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
      const auto found = defined_.find(key(e.scope, e.name));
      finish_entry(e, found == defined_.end() ? std::vector<const Item*>{} : found->second);
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
          const Entry* c = nullptr;
          for (const char* scope : {"gradus", "special", "autograd", "linalg", ""}) {
            if (c == nullptr) c = entry(callee, scope);
          }
          if (c == nullptr && is_member_view(callee)) {
            e.kind = Entry::Kind::Composed;
            changed = true;
            break;
          }
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
        if (v.kind == Kind::Call && names_only && !v.text.ends_with('_') && e.bodies[0].formula->definitions.empty() &&
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

// The public functions that a body calls, itself or by functions of its file.
void Catalogue::find_calls(const Item& body, std::set<std::string>& calls, int depth) const {
  const Range& r = body.body;
  for (std::size_t i = 0; i + 1 < r.size(); ++i) {
    const std::string word(r[i].text);
    if (r[i].kind != Token::Kind::Word || (r[i + 1].text != "(" && r[i + 1].text != ",")) continue;
    if (i > 1 && r[i - 1].text == "::" && r[i - 2].text == "core") continue;
    if (r[i + 1].text == "(" && (bodies_.contains(word) || is_member_view(word))) calls.insert(word);
    const auto helpers = functions_.find(word);
    if (depth == 0 || helpers == functions_.end()) continue;
    for (const Item* h : helpers->second) {
      if (h->whole.source == r.source && h != &body && h->scope == "local") find_calls(*h, calls, depth - 1);
    }
  }
}

void Catalogue::finish_entry(Entry& e, const std::vector<const Item*>& bodies) {
  std::set<std::string> calls;
  std::vector<std::string> seen;
  std::vector<Shown> by_name;
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
    find_calls(*f, calls, 2);
    calls.erase(e.name);
    if (!mine.empty()) continue;
    Shown shown;
    shown.left = "y";
    try {
      Formula body = resolved(read_body(f->body));
      body.value = by_row(body.value);
      for (Definition& d : body.definitions) d.value = by_row(d.value);
      shown.formula = std::move(body);
      add_helpers(shown, nullptr, f->whole.source);
      std::string text = text_of(shown.formula->value, false);
      for (const Definition& d : shown.formula->definitions) text += d.name + text_of(d.value, false);
      if (std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
      // The same by another overload's arguments; alone, it is the one of core that it calls.
      if (shown.formula->value->kind == Kind::Call && shown.formula->value->text == e.name &&
          shown.formula->definitions.empty()) {
        by_name.push_back(std::move(shown));
        continue;
      }
      seen.push_back(text);
    } catch (const NotAFormula& why) {
      shown.why = why.what();
      shown.formula.reset();
      shown.helpers.clear();
      shown.code = code_of(f->body);
    }
    e.bodies.push_back(std::move(shown));
  }
  if (e.bodies.empty() && e.operations.empty() && !by_name.empty()) e.bodies.push_back(by_name[0]);
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

}  // namespace page
