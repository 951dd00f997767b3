#include "page.h"

#include <gradus/autograd/page/markup.h>

#include <algorithm>
#include <cmath>

#include "formula_text.h"
#include "lines.h"
#include "style.h"

namespace page {
namespace {

using gradus::autograd::detail::escaped;

std::string math(std::string_view formula, bool block = false) {
  return std::string("<math") + (block ? " display=\"block\"" : "") + ">" + gradus::autograd::detail::math_of(formula) +
         "</math>";
}

std::string count(double passes) {
  std::string text = std::to_string(static_cast<long long>(std::llround(passes)));
  return text;
}
std::string passes_text(const Passes& p) {
  if (!p.known()) return "by the arguments";
  if (p.least == p.most) return count(p.least);
  return count(p.least) + " to " + count(p.most);
}
std::string joined(const std::vector<std::string>& parts, const char* with = ", ") {
  std::string text;
  for (const std::string& p : parts) text += (text.empty() ? "" : with) + p;
  return text;
}

class Writer {
 public:
  explicit Writer(const Catalogue& catalogue) : catalogue_(catalogue) {
    for (const Family& f : catalogue.families) {
      for (const Entry& e : f.entries) anchors_[e.name].push_back(anchor(e));
    }
  }

  std::string page() {
    body();
    return std::string(kHead) + out_ + std::string(kFoot);
  }

 private:
  static std::string anchor(const Entry& e) {
    return (e.scope == "gradus" || e.scope.empty() ? "" : e.scope + ".") + e.name;
  }
  std::string link(const std::string& name) const {
    const auto found = anchors_.find(name);
    const std::string code = "<code>" + escaped(name) + "</code>";
    return found == anchors_.end() ? code : "<a href=\"#" + escaped(found->second[0]) + "\">" + code + "</a>";
  }

  void body() {
    std::size_t entries = 0, primitives = 0, views = 0, rules = 0, composed = 0;
    for (const Family& f : catalogue_.families) {
      entries += f.entries.size();
      for (const Entry& e : f.entries) {
        primitives += e.kind == Entry::Kind::Primitive;
        views += e.kind == Entry::Kind::View;
        rules += e.kind == Entry::Kind::Rule;
        composed += e.kind == Entry::Kind::Composed;
      }
    }
    out_ +=
        "<header><h1>The operations of Gradus</h1><p class=\"lead\">" + std::to_string(entries) +
        " names: " + std::to_string(primitives) + " primitives, " + std::to_string(views) + " views, " +
        std::to_string(rules) + " rules, " + std::to_string(composed) +
        " made of others; with what each computes, how its gradient is made, "
        "what it keeps for that, and what it costs. Written by a program from the library’s sources.</p></header>\n";
    contents();
    out_ += "<main>\n";
    legend();
    for (const Family& f : catalogue_.families) family(f);
    out_ += "<p id=\"none\" hidden=\"hidden\">Nothing has that name.</p></main>\n";
  }
  void contents() {
    out_ +=
        "<nav><input id=\"search\" type=\"search\" placeholder=\"Search\" aria-label=\"Search the operations\"/><ol>\n";
    for (const Family& f : catalogue_.families) {
      if (f.entries.empty()) continue;
      out_ += "<li><a href=\"#family-" + f.name + "\">" + escaped(f.title) + "</a> <small>" +
              std::to_string(f.entries.size()) + "</small></li>\n";
    }
    out_ += "</ol></nav>\n";
  }
  void legend() { out_ += kLegend; }

  void family(const Family& f) {
    if (f.entries.empty()) return;
    out_ += "<section class=\"family\" id=\"family-" + f.name + "\"><h2>" + escaped(f.title) + "</h2>\n";
    if (f.name != "layers" && f.name != "inner" && !f.note.empty())
      out_ += "<p class=\"note\">" + prose(f.note) + "</p>\n";
    out_ += "<p class=\"index\">";
    for (const Entry& e : f.entries) out_ += "<a href=\"#" + escaped(anchor(e)) + "\">" + escaped(e.name) + "</a> ";
    out_ += "</p>\n";
    for (const Entry& e : f.entries) entry(e);
    out_ += "</section>\n";
  }
  static std::string prose(std::string_view text) {
    std::string line;
    for (const char c : text) line += c == '\n' ? ' ' : c;
    return escaped(line);
  }
  static const char* kind_name(Entry::Kind kind) {
    switch (kind) {
      case Entry::Kind::Primitive:
        return "primitive";
      case Entry::Kind::View:
        return "view";
      case Entry::Kind::Rule:
        return "rule";
      case Entry::Kind::Composed:
        return "composed";
      case Entry::Kind::Alias:
        return "second name";
      case Entry::Kind::InPlace:
        return "in place";
      case Entry::Kind::NoGradient:
        return "no gradient";
    }
    return "";
  }

  void entry(const Entry& e) {
    std::string names = e.name;
    for (const std::string& form : e.in_place) names += " " + form;
    for (const Operation* op : e.operations) names += " " + op->name;
    std::string css = kind_name(e.kind);
    std::replace(css.begin(), css.end(), ' ', '-');
    out_ += "<article id=\"" + escaped(anchor(e)) + "\" data-names=\"" + escaped(names) + "\"><h3><a href=\"#" +
            escaped(anchor(e)) + "\">" + (e.scope == "special" ? "special::" : "") + escaped(e.name) +
            "</a><span class=\"kind " + css + "\">" + kind_name(e.kind) + "</span></h3>\n";
    for (const std::string& c : e.comments) out_ += "<p class=\"doc\">" + prose(c) + "</p>\n";
    for (const Operation* op : e.operations) operation(*op, e);
    for (const Shown& s : e.bodies) {
      out_ += "<div class=\"formula\">" + shown(s) + "</div>\n";
    }
    facts(e);
    if (!e.signatures.empty()) {
      out_ += "<details><summary>C++</summary><pre>";
      for (const std::string& s : e.signatures) out_ += escaped(s) + "\n";
      out_ += "</pre></details>";
    }
    out_ += "</article>\n";
  }

  void operation(const Operation& op, const Entry& e) {
    out_ += "<div class=\"operation\" data-operation=\"" + escaped(op.name) + "\">";
    if (op.name != e.name) out_ += "<p class=\"records\">recorded as <code>" + escaped(op.name) + "</code></p>";
    out_ += "<div class=\"formula forward\">" + shown(op.forward) + "</div>\n";
    for (const std::string& clause : op.in_words) {
      out_ += "<div class=\"formula\">" + math(clause, true) + "</div>";
    }
    if (!op.gradients.empty()) {
      out_ += "<div class=\"gradients\">";
      if (!op.in_words.empty()) out_ += "<p class=\"records\">as the code has it</p>";
      for (const Gradient& g : op.gradients) {
        if (g.refused) {
          out_ += "<div class=\"formula\"><span class=\"none\">" + math("d" + g.input) +
                  " is refused, with an error</span></div>";
        } else if (g.none) {
          out_ += "<div class=\"formula\"><span class=\"none\">" + math(g.input) + " has no gradient</span></div>";
        } else if (!g.shown.empty()) {
          out_ += "<div class=\"formula\">" + shown(g.shown);
          if (!g.keeps.empty()) out_ += "<span class=\"keeps\">keeps " + keeps(g.keeps) + "</span>";
          out_ += "</div>";
        }
      }
      out_ += "</div>\n";
    }
    if (!op.reference.empty()) {
      out_ += "<details><summary>Its reference, which the graph differentiates</summary><div class=\"formula\">" +
              shown(op.reference) + "</div></details>\n";
    }
    if (op.kind == Operation::Kind::Rule && e.family == "layers") {
      out_ += "<details><summary>The mathematics, as the source explains it</summary><pre>" +
              escaped(op.item->whole.source->head) + "</pre></details>\n";
    }
    if (!op.comment.empty() && !is_said(op)) out_ += "<p class=\"source-comment\">" + prose(op.comment) + "</p>\n";
    out_ += "</div>\n";
  }
  // Whether the comment is hardly more than the formulas that are shown of it.
  static bool is_said(const Operation& op) {
    std::size_t shown = op.forward.comment.size();
    for (const std::string& clause : op.in_words) shown += clause.size();
    if (op.kind == Operation::Kind::Rule) {
      for (const Gradient& g : op.gradients) shown += g.shown.comment.size();
    }
    return shown * 10 > op.comment.size() * 8;
  }
  static std::string keeps(const std::vector<std::string>& kept) {
    std::vector<std::string> parts;
    for (const std::string& k : kept) {
      const std::size_t space = k.rfind(' ');
      const std::string name = space == std::string::npos ? k : k.substr(space + 1);
      parts.push_back((space == std::string::npos ? "" : k.substr(0, space + 1)) + math(name));
    }
    return joined(parts);
  }

  // Left = right, and what its names stand for.
  static std::string shown(const Shown& s) {
    if (!s.code.empty()) return "<pre class=\"code\">" + escaped(s.code) + "</pre>";
    const std::vector<Line> lines = lines_of(s);
    std::string where;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      where += lines[i].prose.empty()
                   ? math(lines[i].formula)
                   : "<span class=\"prose\">" + math(lines[i].formula) + ": " + prose(lines[i].prose) + "</span>";
    }
    if (where.empty()) return math(lines[0].formula, true);
    return math(lines[0].formula, true) + "<div class=\"where\"><span>where</span>" + where + "</div>";
  }

  void fact(const std::string& name, const std::string& value) {
    if (!value.empty()) out_ += "<div><dt>" + name + "</dt><dd>" + value + "</dd></div>";
  }
  void facts(const Entry& e) {
    out_ += "<dl>";
    if (e.kind == Entry::Kind::Composed || e.kind == Entry::Kind::Alias) {
      std::vector<std::string> parts;
      for (const std::string& callee : e.calls) parts.push_back(link(callee));
      fact("made of", joined(parts));
      fact("gradient", "by the graph");
    }
    std::vector<std::string> forward, backward, places = e.places, kept;
    for (const Operation* op : e.operations) {
      const std::string f = op->kind == Operation::Kind::View ? "none"
                            : op->variadic                    ? "one for each input, one for the result"
                                                              : passes_text(op->forward_passes);
      if (std::find(forward.begin(), forward.end(), f) == forward.end()) forward.push_back(f);
      std::string b = passes_text(op->backward_passes);
      if (op->backward_passes.known() && op->backward_passes.most == 0) b = "none";
      if (std::find(backward.begin(), backward.end(), b) == backward.end()) backward.push_back(b);
      const std::string place = op->item->whole.source->path + ":" + std::to_string(op->line);
      if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
      if (op->kind == Operation::Kind::Rule) kept = op->keeps;
    }
    if (e.operations.empty())
      forward.push_back(e.passes.known() && e.passes.most == 0 ? "none" : passes_text(e.passes));
    if (!kept.empty()) fact("keeps", keeps(kept) + "; for its reference every input that the reference reads");
    if (e.kind != Entry::Kind::InPlace || !forward.empty()) fact("passes forward", joined(forward, " or "));
    fact("backward", joined(backward, " or "));
    std::string forms;
    for (const std::string& form : e.in_place) {
      forms +=
          (forms.empty() ? "" : ", ") + ("<code id=\"" + escaped((e.scope == "gradus" ? "" : e.scope + ".") + form) +
                                         "\">" + escaped(form) + "</code>");
    }
    fact("in place", forms);
    std::vector<std::string> shown_places;
    for (std::size_t i = 0; i < places.size(); ++i) shown_places.push_back("<code>" + escaped(places[i]) + "</code>");
    fact("written in", joined(shown_places));
    out_ += "</dl>\n";
  }

  const Catalogue& catalogue_;
  std::map<std::string, std::vector<std::string>> anchors_;
  std::string out_;
};

}  // namespace

std::string page_of(const Catalogue& catalogue) { return Writer(catalogue).page(); }

}  // namespace page
