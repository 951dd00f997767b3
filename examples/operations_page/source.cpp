#include "source.h"

#include <gradus/core/files/files.h>

#include <algorithm>
#include <cctype>

namespace page {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// A comment's line without its marks.
std::string_view comment_text(std::string_view line) {
  while (!line.empty() && (line.front() == '/' || line.front() == '<')) line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

class Reader {
 public:
  explicit Reader(Source& source) : source_(source), text_(source.text) {}

  void read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_, ++at_;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at_;
      } else if (text_.substr(at_, 2) == "//") {
        read_comment();
      } else if (text_.substr(at_, 2) == "/*") {
        const std::size_t end = std::min(text_.find("*/", at_), text_.size() - 2) + 2;
        line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                             text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
        at_ = end;
      } else if (c == '#') {
        skip_directive();
      } else {
        read_token();
      }
    }
  }

 private:
  void read_comment() {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = comment_text(text_.substr(at_, end - at_));
    at_ = end;
    if (!source_.tokens.empty() && source_.tokens.back().line == line_) {
      source_.tokens.back().after = std::string(line);
      trailing_ = line_;
      return;
    }
    if (trailing_ == line_ - 1 && !source_.tokens.empty() && comment_.empty()) {
      // Goes on from a comment behind code, or begins anew: aligned far to the right it goes on.
      const std::size_t start = text_.rfind('\n', at_ - 1);
      const std::size_t column = text_.find_first_not_of(' ', start + 1) - start - 1;
      if (column > 20) {
        source_.tokens.back().after += ' ' + std::string(trimmed(line));
        trailing_ = line_;
        return;
      }
    }
    if (comment_line_ != line_ - 1) comment_.clear();
    if (!comment_.empty()) comment_ += '\n';
    comment_ += line;
    comment_line_ = line_;
    if (source_.tokens.empty()) source_.head = comment_;
  }
  void skip_directive() {
    for (;;) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      const bool goes_on = end > at_ && text_[end - 1] == '\\';
      at_ = std::min(end + 1, text_.size());
      ++line_;
      if (!goes_on) return;
    }
  }
  void read_token() {
    const std::size_t start = at_;
    const char c = text_[at_];
    Token::Kind kind = Token::Kind::Mark;
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      kind = Token::Kind::Number;
      const auto goes_on = [&] {
        const char next = text_[at_], before = text_[at_ - 1];
        const bool hex = text_.substr(start, 2) == "0x";
        const bool sign = (next == '-' || next == '+') && (before == (hex ? 'p' : 'e'));
        return is_word(next) || next == '.' || next == '\'' || sign;
      };
      do ++at_;
      while (at_ < text_.size() && goes_on());
    } else if (is_word(c)) {
      kind = Token::Kind::Word;
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    } else if (c == '"' || c == '\'') {
      kind = Token::Kind::Text;
      ++at_;
      while (at_ < text_.size() && text_[at_] != c) at_ += text_[at_] == '\\' ? 2 : 1;
      at_ = std::min(at_ + 1, text_.size());
    } else {
      static constexpr std::string_view kMarks[] = {
          "...", "::", "->", "&&", "||", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "++", "--", "<<"};
      at_ += 1;
      for (const std::string_view mark : kMarks) {
        if (text_.substr(start, mark.size()) != mark) continue;
        at_ = start + mark.size();
        break;
      }
    }
    source_.tokens.push_back({kind, text_.substr(start, at_ - start), line_, {}, {}});
    if (!comment_.empty() && comment_line_ == line_ - 1) source_.tokens.back().before = comment_;
    comment_.clear();
  }

  Source& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1, comment_line_ = -1, trailing_ = -1;
  std::string comment_;
};

bool opens(std::string_view t) { return t == "(" || t == "{" || t == "["; }
bool closes(std::string_view t) { return t == ")" || t == "}" || t == "]"; }

// The items of a range at namespace or struct scope.
class Finder {
 public:
  Finder(const Range& range, std::string scope, bool in_struct) : r_(range), in_struct_(in_struct) {
    scopes_.push_back({std::move(scope), r_.size()});
  }
  std::vector<Item> find() {
    while (at_ < r_.size()) {
      while (at_ >= scopes_.back().end && scopes_.size() > 1) scopes_.pop_back();
      const std::string_view t = r_[at_].text;
      if (t == "namespace" || (t == "inline" && is(at_ + 1, "namespace"))) {
        enter_namespace();
      } else if (t == ";" || t == "}") {
        ++at_;
      } else if ((t == "public" || t == "private" || t == "protected") && is(at_ + 1, ":")) {
        at_ += 2;
      } else {
        read_item();
      }
    }
    return std::move(items_);
  }

 private:
  struct Scope {
    std::string name;
    std::size_t end;
  };
  bool is(std::size_t i, std::string_view text) const { return i < r_.size() && r_[i].text == text; }

  void enter_namespace() {
    std::size_t i = at_;
    std::string name = is(i + 1, "{") ? "local" : scopes_.back().name;
    while (!is(i, "{") && !is(i, ";") && i < r_.size()) {
      if (r_[i].kind == Token::Kind::Word && r_[i].text != "namespace" && r_[i].text != "inline") name = r_[i].text;
      ++i;
    }
    if (is(i, "{")) scopes_.push_back({name, behind_bracket(r_, i) - 1});
    at_ = i + 1;
  }

  // Where the item that begins at `at_` ends, and where its parts stand.
  void read_item() {
    const std::size_t begin = at_;
    std::size_t i = at_;
    bool is_template = false;
    if (is(i, "template")) {
      is_template = true;
      i = behind_arguments(r_, i + 1);
      if (is(i, "requires")) i = is(i + 1, "(") ? behind_bracket(r_, i + 1) : i + 2;
    }
    const std::size_t first = i;
    std::size_t open_paren = 0, close_paren = 0, equals = 0, body = 0, body_end = 0;
    bool is_struct = false;
    for (; i < r_.size(); ++i) {
      const std::string_view t = r_[i].text;
      if (t == ";") break;
      if (i == first && (t == "struct" || t == "class")) is_struct = true;
      if (t == "=" && equals == 0 && !(open_paren != 0 && close_paren == 0)) equals = i;
      if (t == "<" && i > 0 && r_[i - 1].kind == Token::Kind::Word && equals == 0) {
        i = behind_arguments(r_, i) - 1;
        continue;
      }
      if (t == "(" || t == "[") {
        const std::size_t end = behind_bracket(r_, i);
        if (t == "(" && open_paren == 0 && equals == 0) open_paren = i, close_paren = end;
        i = end - 1;
        continue;
      }
      if (t == "{") {
        const std::size_t end = behind_bracket(r_, i);
        if (body == 0) body = i + 1, body_end = end - 1;
        i = end - 1;
        if (open_paren != 0 && equals == 0 && !is_struct) break;  // a function's end
      }
    }
    at_ = std::min(i + 1, r_.size());
    Item item;
    item.line = r_[begin].line;
    item.scope = scopes_.back().name;
    item.comment = r_[begin].before;
    if (item.comment.empty()) item.comment = r_[at_ - 1].after;
    item.whole = r_.part(begin, std::min(i + (is(i, ";") ? 0u : 1u), r_.size()));
    item.is_template = is_template;
    if (is_struct) {
      read_struct(std::move(item), first, body, body_end);
    } else if (open_paren != 0 && open_paren > first && (equals == 0 || equals > close_paren)) {
      std::size_t name = open_paren - 1;
      if (r_[name].kind != Token::Kind::Word) return;  // an operator
      item.kind = Item::Kind::Function;
      item.line = r_[name].line;
      item.name = r_[name].text;
      for (; name >= 2 && r_[name - 1].text == "::"; name -= 2)
        item.name = std::string(r_[name - 2].text) + "::" + item.name;
      if (name >= 1 && r_[name - 1].text == "::" && name >= 2 && r_[name - 2].text == ">")
        return;  // a template's member
      item.parameters = r_.part(open_paren + 1, close_paren - 1);
      if (body > close_paren) item.body = r_.part(body, body_end);
      if (name > first) items_.push_back(std::move(item));  // without a type it is a constructor or a macro
    } else if (equals != 0) {
      read_variables(item, equals, i);
    }
  }
  void read_struct(Item item, std::size_t first, std::size_t body, std::size_t body_end) {
    if (body == 0) return;  // declared only
    std::size_t name = first + 1;
    while (name + 1 < body && r_[name].text.starts_with("GRADUS_")) ++name;
    item.kind = Item::Kind::Struct;
    item.name = r_[name].text;
    if (name + 2 < body) item.bases = r_.part(name + 1, body - 1);
    item.body = r_.part(body, body_end);
    item.members = Finder(item.body, item.name, true).find();
    items_.push_back(std::move(item));
  }
  // `a = 1, b = 2`
  void read_variables(const Item& item, std::size_t equals, std::size_t end) {
    std::size_t start = 0;
    std::string name(r_[equals - 1].text);
    if (name == ">") {  // gradient<core::neg>
      name.clear();
      for (std::size_t k = equals - 1; k > 0 && r_[k].text != "<"; --k) {
        if (r_[k].kind == Token::Kind::Word && name.empty()) name = r_[k].text;
      }
    }
    for (start = equals + 1; start < end;) {
      std::size_t stop = start;
      while (stop < end && r_[stop].text != ",") stop = opens(r_[stop].text) ? behind_bracket(r_, stop) : stop + 1;
      Item variable = item;
      variable.kind = Item::Kind::Variable;
      variable.name = name;
      variable.body = r_.part(start, stop);
      items_.push_back(std::move(variable));
      if (stop + 2 >= end || r_[stop + 2].text != "=") return;
      name = r_[stop + 1].text;
      start = stop + 3;
    }
  }

  Range r_;
  [[maybe_unused]] bool in_struct_;
  std::size_t at_ = 0;
  std::vector<Scope> scopes_;
  std::vector<Item> items_;
};

}  // namespace

const Item* Item::member(std::string_view of_name) const {
  for (const Item& m : members) {
    if (m.name == of_name) return &m;
  }
  return nullptr;
}

std::unique_ptr<Source> read_source(const std::string& root, const std::string& path) {
  auto source = std::make_unique<Source>();
  source->path = path;
  const auto bytes = gradus::core::read_file(root + "/" + path, 1 << 24);
  source->text.assign(bytes.begin(), bytes.end());
  Reader(*source).read();
  return source;
}

std::vector<Item> items_of(const Source& source) {
  return Finder(Range{&source, 0, source.tokens.size()}, "", false).find();
}

std::size_t behind_bracket(const Range& range, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < range.size(); ++i) {
    if (opens(range[i].text)) ++depth;
    if (closes(range[i].text) && --depth == 0) return i + 1;
  }
  return range.size();
}

std::size_t behind_arguments(const Range& range, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < range.size(); ++i) {
    const std::string_view t = range[i].text;
    if (opens(t)) {
      i = behind_bracket(range, i) - 1;
      continue;
    }
    if (t == "<") ++depth;
    if (t == ">" && --depth == 0) return i + 1;
    if (t == ";") return i;
  }
  return range.size();
}

bool is_template_name(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "Dy",        "In",     "Out",           "ShapeOf", "DyArray", "InArray",          "OutArray",
      "optional",  "tuple",  "vector",        "array",   "pair",    "initializer_list", "numeric_limits",
      "function",  "apply",  "get",           "unary",   "unary_",  "comparison",       "static_cast",
      "predicate", "spread", "apply_inplace", "fail",    "reduced", "data_ptr",         "item",
      "Extremum",  "Put",    "put",           "max",     "min"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::vector<Range> split_list(const Range& range) {
  std::vector<Range> parts;
  std::size_t start = 0, i = 0;
  while (i < range.size()) {
    const std::string_view t = range[i].text;
    if (t == ",") {
      parts.push_back(range.part(start, i));
      start = ++i;
    } else if (opens(t)) {
      i = behind_bracket(range, i);
    } else if (t == "<" && i > 0 && is_template_name(range[i - 1].text)) {
      i = behind_arguments(range, i);
    } else {
      ++i;
    }
  }
  if (start < range.size()) parts.push_back(range.part(start, range.size()));
  return parts;
}

std::string text_of(const Range& range) {
  if (range.empty()) return {};
  const char* const from = range[0].text.data();
  const std::string_view last = range[range.size() - 1].text;
  return {from, static_cast<std::size_t>(last.data() + last.size() - from)};
}

std::string code_of(const Range& range) {
  if (range.empty()) return {};
  const std::string_view all = range.source->text;
  const auto from = static_cast<std::size_t>(range[0].text.data() - all.data());
  const std::size_t line = all.rfind('\n', from) == std::string_view::npos ? 0 : all.rfind('\n', from) + 1;
  const std::size_t indent = all.find_first_not_of(' ', line) - line;
  std::string code;
  for (const char c : text_of(range)) {
    code += c;
    if (c == '\n') code += '\x01';
  }
  std::string result;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] != '\x01') {
      result += code[i];
      continue;
    }
    for (std::size_t k = 0; k < indent && i + 1 < code.size() && code[i + 1] == ' '; ++k) ++i;
  }
  return result;
}

}  // namespace page
