#include "markup.h"

#include <algorithm>

#include "markup_words.h"

namespace gradus::autograd::detail {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
template <std::size_t N>
bool in_list(std::string_view name, const std::string_view (&list)[N]) {
  return std::find(list, list + N, name) != list + N;
}

std::string wrapped(std::string_view tag, const std::string& inner) {
  return "<" + std::string(tag) + ">" + inner + "</" + std::string(tag) + ">";
}
std::string mo(std::string_view sign, std::string_view attributes = {}) {
  return "<mo" + std::string(attributes) + ">" + std::string(sign) + "</mo>";
}
std::string space(std::string_view width) { return "<mspace width=\"" + std::string(width) + "\"/>"; }
std::string with_mark(std::string element, const std::string& mark) {  // <mi> becomes <mi mark>
  return mark.empty() ? element : element.insert(element.find_first_of(" >"), " " + mark);
}

// A name, alone: letters italic, Greek ones by name, d upright, a hat, a subscript.
std::string name_of(std::string_view name) {
  for (const auto& [from, to] : kLetters) {
    if (name == from) return wrapped("mi", std::string(to));
  }
  if (name.ends_with("_hat") && name.size() > 4)
    return "<mover>" + name_of(name.substr(0, name.size() - 4)) + "<mo>^</mo></mover>";
  if (name.size() > 1 && name[0] == 'd' && name != "dim" && name != "dims" && name != "det" && name != "diag") {
    const std::string_view of = name.substr(1);
    const bool letter = of.size() == 1 || of.ends_with("_hat") || of[1] == '_' || is_digit(of[1]) ||
                        std::any_of(std::begin(kLetters), std::end(kLetters), [&](auto& l) { return l.from == of; });
    if (letter) return "<mrow><mi mathvariant=\"normal\">d</mi>" + name_of(of) + "</mrow>";
  }
  const std::size_t line = name.find('_');
  if (line == 1 && line + 1 < name.size())
    return "<msub>" + name_of(name.substr(0, 1)) + name_of(name.substr(2)) + "</msub>";
  const std::size_t digit = name.find_first_of("0123456789");
  if (digit != name.npos && digit > 0 && name.find_first_not_of("0123456789", digit) == name.npos)
    return "<msub>" + name_of(name.substr(0, digit)) + "<mn>" + std::string(name.substr(digit)) + "</mn></msub>";
  return "<mi>" + escaped(name) + "</mi>";
}

class Reader {
 public:
  Reader(std::string_view text, const Marks& marks, std::vector<std::string>* names)
      : text_(text), marks_(marks), names_(names) {}
  std::string all() { return "<mrow>" + pieces("") + "</mrow>"; }

 private:
  struct Piece {
    std::string markup;
    enum Kind { kSign, kAtom, kFunction, kWords } kind = kAtom;
    std::string inner = {};  // of a bracket: what it holds
  };
  bool at(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool end() const { return at_ >= text_.size(); }
  bool take(std::string_view what) {
    if (!at(what)) return false;
    at_ += what.size();
    return true;
  }
  void skip_spaces() {
    while (!end() && text_[at_] == ' ') ++at_;
  }
  std::string part(std::string_view text) const { return Reader(text, marks_, names_).all(); }

  std::string pieces(std::string_view close) {
    std::vector<Piece> found;
    bool quotient = false;
    while (!end()) {
      if (!close.empty() && take(close)) break;
      if (text_[at_] == ' ') {
        ++at_;
      } else if (take("/")) {
        quotient = true;
      } else if (begins_atom()) {
        Piece next = with_scripts(base());
        if (quotient)
          divide(found, std::move(next));
        else
          found.push_back(std::move(next));
        quotient = false;
      } else {
        found.push_back(sign(found.empty() || found.back().kind == Piece::kSign));
      }
    }
    return joined(found);
  }
  // What stands before the line since the last sign, over what stands behind it.
  void divide(std::vector<Piece>& found, Piece below) {
    if (below.kind == Piece::kFunction) {  // ln(x)
      skip_spaces();
      if (!end() && begins_atom()) below.markup += mo("&#x2061;") + with_scripts(base()).markup;
    }
    std::size_t first = found.size();
    while (first > 0 && (found[first - 1].kind == Piece::kAtom || found[first - 1].kind == Piece::kFunction)) --first;
    std::vector<Piece> above(found.begin() + static_cast<std::ptrdiff_t>(first), found.end());
    found.resize(first);
    const std::string over = above.size() == 1 && !above[0].inner.empty() ? above[0].inner : joined(above);
    const std::string under = below.inner.empty() ? below.markup : below.inner;
    found.push_back({"<mfrac><mrow>" + over + "</mrow><mrow>" + under + "</mrow></mfrac>"});
  }
  static std::string joined(const std::vector<Piece>& pieces) {
    std::string result;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Piece::Kind now = pieces[i].kind, before = i == 0 ? Piece::kSign : pieces[i - 1].kind;
      if (before == Piece::kFunction && now != Piece::kSign)
        result += mo("&#x2061;") + (pieces[i].inner.empty() ? space("0.17em") : "");
      else if (before != Piece::kSign && now != Piece::kSign)
        result += space(before == Piece::kWords || now == Piece::kWords ? "0.33em" : "0.17em");
      result += pieces[i].markup;
    }
    return result;
  }

  bool begins_atom() const {
    const char c = text_[at_];
    if (static_cast<unsigned char>(c) > 127)
      return std::none_of(std::begin(kOperators), std::end(kOperators), [&](auto o) { return at(o); });
    return is_letter(c) || is_digit(c) || std::string_view("(|[{\"").find(c) != std::string_view::npos;
  }
  Piece enclosed(const char* open, const char* close, std::string_view until) {
    at_ += std::string_view(until).size();
    std::string inner = pieces(until == "|" || until == "||" ? until : std::string_view(close));
    return {"<mrow>" + mo(open, " form=\"prefix\" stretchy=\"true\"") + inner +
                mo(close, " form=\"postfix\" stretchy=\"true\"") + "</mrow>",
            Piece::kAtom, until == "(" ? "<mrow>" + inner + "</mrow>" : ""};
  }
  Piece base() {
    if (take("cases{")) return {cases(raw('{', '}'))};

    if (at("(")) return enclosed("(", ")", "(");
    if (at("[")) return enclosed("[", "]", "[");
    if (at("⌊")) return enclosed("⌊", "⌋", "⌊");
    if (at("⌈")) return enclosed("⌈", "⌉", "⌈");
    if (at("||")) return enclosed("‖", "‖", "||");
    if (at("|")) return enclosed("|", "|", "|");
    if (take("{")) {
      const std::string inner = "<mrow>" + pieces("}") + "</mrow>";
      return {inner, Piece::kAtom, inner};
    }
    if (take("\"")) {
      const std::size_t to = std::min(text_.find('"', at_), text_.size());
      const std::string words = wrapped("mtext", escaped(text_.substr(at_, to - at_)));
      at_ = std::min(to + 1, text_.size());
      return {words, Piece::kWords};
    }
    if (is_digit(text_[at_])) return number();
    if (static_cast<unsigned char>(text_[at_]) > 127) {
      for (const auto& [from, to] : kLarge) {
        if (take(from)) return large(to);
      }
      const std::size_t start = at_++;
      while (!end() && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80) ++at_;
      const std::string letter(text_.substr(start, at_ - start));
      const bool function = !end() && text_[at_] == '(';
      return {wrapped("mi", letter), function ? Piece::kFunction : Piece::kAtom};
    }
    return word();
  }
  // Up to the bracket that closes; the one that opens has been read.
  std::string_view raw(char open, char close) {
    const std::size_t start = at_;
    for (int depth = 1; !end(); ++at_) {
      depth += text_[at_] == open ? 1 : text_[at_] == close ? -1 : 0;
      if (depth == 0) break;
    }
    const std::string_view inside = text_.substr(start, at_ - start);
    if (!end()) ++at_;
    return inside;
  }
  static std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    int depth = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size()) {
        const char c = text[i];
        depth += c == '(' || c == '{' || c == '[' ? 1 : c == ')' || c == '}' || c == ']' ? -1 : 0;
      }
      if (i < text.size() && (text[i] != at || depth > 0)) continue;
      parts.push_back(text.substr(start, i - start));
      start = i + 1;
    }
    return parts;
  }
  // The first of these words outside brackets.
  static std::size_t outside(std::string_view text, std::string_view words) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      depth += c == '(' || c == '{' || c == '[' ? 1 : c == ')' || c == '}' || c == ']' ? -1 : 0;
      if (depth == 0 && text.substr(i).starts_with(words)) return i;
    }
    return std::string_view::npos;
  }
  std::string cases(std::string_view inside) const {
    std::string rows;
    for (std::string_view row : split(inside, ';')) {
      const std::size_t when = outside(row, " if "), otherwise = outside(row, " otherwise");
      std::string right;
      if (when != row.npos)
        right = "<mtext>if</mtext>" + space("0.4em") + part(row.substr(when + 4));
      else if (otherwise != row.npos)
        right = "<mtext>otherwise</mtext>";
      const std::string left = part(row.substr(0, std::min(when, otherwise)));
      rows += "<mtr><mtd>" + left + "</mtd><mtd><mrow>" + right + "</mrow></mtd></mtr>";
    }
    return "<mrow><mo form=\"prefix\" stretchy=\"true\">{</mo><mtable class=\"cases\">" + rows + "</mtable></mrow>";
  }
  Piece number() {
    const std::size_t start = at_;
    while (!end() &&
           (is_digit(text_[at_]) || (text_[at_] == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))))
      ++at_;
    const std::string_view digits = text_.substr(start, at_ - start);
    if (digits == "1" && at("[")) {
      ++at_;
      return {"<mrow><mn class=\"one\">𝟏</mn>" + mo("[") + pieces("]") + mo("]") + "</mrow>"};
    }
    const bool power = !end() && text_[at_] == 'e' && at_ + 2 < text_.size() &&
                       (is_digit(text_[at_ + 1]) || (text_[at_ + 1] == '-' && is_digit(text_[at_ + 2])));
    if (!power) return {wrapped("mn", std::string(digits))};
    ++at_;
    const std::string minus = take("-") ? mo("−") : "";
    const std::size_t exponent = at_;
    while (!end() && is_digit(text_[at_])) ++at_;
    const std::string ten = "<msup><mn>10</mn><mrow>" + minus + "<mn>" +
                            std::string(text_.substr(exponent, at_ - exponent)) + "</mn></mrow></msup>";
    return {digits == "1" ? ten : "<mrow>" + wrapped("mn", std::string(digits)) + mo("·") + ten + "</mrow>"};
  }
  Piece large(std::string_view sign) {
    std::string text = mo(sign, " largeop=\"true\" movablelimits=\"false\"");
    if (take("_")) text = "<munder>" + text + script() + "</munder>";
    return {text + space("0.17em"), Piece::kSign};
  }
  // exp(x), sqrt(x), abs(x), square(x), pow(x, y): set as what they mean.
  std::string called(std::string_view name) {
    const std::size_t before = at_++;
    const std::vector<std::string_view> arguments = split(raw('(', ')'), ',');
    const std::string x = part(arguments[0]);
    const bool simple = arguments[0].find_first_of(" ^/") == std::string_view::npos;
    const std::string whole = simple ? x : "<mrow>" + mo("(") + x + mo(")") + "</mrow>";
    if (arguments.size() == 1) {
      if (name == "exp") return "<msup><mi mathvariant=\"normal\">e</mi>" + x + "</msup>";
      if (name == "sqrt") return wrapped("msqrt", x);
      if (name == "square") return "<msup>" + whole + "<mn>2</mn></msup>";
      if (name == "abs")
        return "<mrow>" + mo("|", " form=\"prefix\" stretchy=\"true\"") + x +
               mo("|", " form=\"postfix\" stretchy=\"true\"") + "</mrow>";
    } else if (arguments.size() == 2 && name == "pow") {
      return "<msup>" + whole + part(arguments[1]) + "</msup>";
    }
    at_ = before;
    return {};
  }
  Piece word() {
    // The marked name that fits best.
    const std::string* mark = nullptr;
    std::size_t length = 0;
    for (const auto& [name, how] : marks_) {
      const std::size_t to = at_ + name.size();
      if (name.size() > length && at(name) && (to >= text_.size() || (!is_letter(text_[to]) && !is_digit(text_[to]))))
        mark = &how, length = name.size();
    }
    std::size_t to = at_;
    while (to < text_.size() && (is_letter(text_[to]) || (is_digit(text_[to]) && to > at_))) ++to;
    for (const std::string_view suffix : {"_hat", "_std", "_in", "_out"}) {
      if (text_.substr(to).starts_with(suffix) &&
          (to + suffix.size() >= text_.size() || !is_word(text_[to + suffix.size()])))
        to += suffix.size();
    }
    // A name of code is one word: sum_to_size.
    if (to + 2 < text_.size() && to > at_ + 1 && text_[to] == '_' && is_letter(text_[to + 1]) &&
        is_word(text_[to + 2])) {
      while (to < text_.size() && is_word(text_[to])) ++to;
    }
    if (mark != nullptr && text_.substr(at_ + length, to - at_ - length) == "_hat") mark = nullptr;  // x_hat is no x
    if (mark != nullptr) to = at_ + length;
    const std::string_view name = text_.substr(at_, to - at_);
    at_ = to;
    if (mark != nullptr) {
      if (names_ != nullptr) names_->emplace_back(name);
      return {with_mark(name_of(name), *mark)};
    }
    for (const auto& [from, sign] : kLarge) {
      if (name == from) return large(sign);
    }
    if (!end() && text_[at_] == '(') {
      if (std::string text = called(name); !text.empty()) return {text};
    }
    if (name == "log" && !at("_")) return {"<mi>ln</mi>", Piece::kFunction};
    if (in_list(name, kLimits) && take("_"))
      return {"<munder>" + mo(name, " movablelimits=\"false\"") + script() + "</munder>", Piece::kFunction};
    if (in_list(name, kFunctions)) return {wrapped("mi", std::string(name)), Piece::kFunction};
    if (names_ != nullptr) names_->emplace_back(name);
    std::string markup = name_of(name);
    const bool plain = name.size() > 1 && markup == "<mi>" + std::string(name) + "</mi>";
    const bool function = !end() && text_[at_] == '(';
    if (plain && !function) return {wrapped("mtext", std::string(name)), Piece::kWords};
    return {markup, function && name.size() > 1 ? Piece::kFunction : Piece::kAtom};
  }

  std::string script() {
    if (end()) return "<mrow></mrow>";
    if (take("{")) return "<mrow>" + pieces("}") + "</mrow>";
    if (take("(")) return "<mrow>" + pieces(")") + "</mrow>";
    std::string result;
    if (take("-")) result = mo("−");
    if (take("+")) return "<mrow>" + result + mo("+") + "</mrow>";
    if (at("T") && (at_ + 1 >= text_.size() || !is_word(text_[at_ + 1]))) {
      ++at_;
      return "<mrow>" + result + "<mi>⊤</mi></mrow>";
    }
    if (!end() && static_cast<unsigned char>(text_[at_]) > 127) return "<mrow>" + result + base().markup + "</mrow>";
    const std::size_t start = at_;
    while (!end() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    const std::string_view inner = text_.substr(start, at_ - start);
    for (const auto& [name, how] : marks_) {
      if (name == inner) {
        if (names_ != nullptr) names_->emplace_back(name);
        return "<mrow>" + result + with_mark(name_of(inner), how) + "</mrow>";
      }
    }
    for (const auto& [from, to] : kLetters) {
      if (inner == from) return "<mrow>" + result + name_of(inner) + "</mrow>";
    }
    for (const char c : inner) result += wrapped(is_digit(c) ? "mn" : "mi", std::string(1, c));
    if (names_ != nullptr) {
      for (const char c : inner) {
        if (is_letter(c)) names_->emplace_back(1, c);
      }
    }
    return "<mrow>" + result + "</mrow>";
  }
  Piece with_scripts(Piece piece) {
    if (piece.kind == Piece::kSign) return piece;
    for (;;) {
      if (at("_") && at_ + 1 < text_.size()) {
        ++at_;
        piece.markup = "<msub>" + piece.markup + script() + "</msub>";
      } else if (at("^") && at_ + 1 < text_.size()) {
        ++at_;
        piece.markup = "<msup>" + piece.markup + script() + "</msup>";
      } else if (at("[") && piece.kind != Piece::kFunction) {
        ++at_;
        piece.markup = "<msub>" + piece.markup + "<mrow>" + pieces("]") + "</mrow></msub>";
      } else if (at("'")) {
        ++at_;
        piece.markup = "<msup>" + piece.markup + "<mo>′</mo></msup>";
      } else {
        return piece;
      }
      piece.inner.clear();
    }
  }
  Piece sign(bool prefix) {
    std::string found;
    for (const auto& [from, to] : kSigns) {
      if (found.empty() && take(from)) found = to;
    }
    for (const std::string_view each : kOperators) {
      if (found.empty() && take(each)) found = each;
    }
    if (found.empty()) found = escaped(text_.substr(at_++, 1));
    return {mo(found, prefix && (found == "−" || found == "+" || found == "±") ? " form=\"prefix\"" : ""),
            Piece::kSign};
  }

  std::string_view text_;
  const Marks& marks_;
  std::vector<std::string>* names_;
  std::size_t at_ = 0;
};

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const std::string_view as = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : "";
    as.empty() ? result += c : result += as;
  }
  return result;
}

std::string math_of(std::string_view formula, const Marks& marks, std::vector<std::string>* names) {
  return Reader(formula, marks, names).all();
}

}  // namespace gradus::autograd::detail
