// Formulas as comments write them, in one line, set piece by piece.
#include <cctype>
#include <map>

#include "mathml.h"

namespace page {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

class Liner {
 public:
  explicit Liner(std::string_view text) : text_(text) {}
  std::string all() { return "<mrow>" + pieces("") + "</mrow>"; }

 private:
  bool at(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  std::string pieces(std::string_view close) {
    std::string result;
    bool after_atom = false;
    while (at_ < text_.size()) {
      if (!close.empty() && at(close)) {
        at_ += close.size();
        return result;
      }
      if (text_[at_] == ' ') {
        ++at_;
        continue;
      }
      const bool atom = begins_atom();
      std::string piece = atom ? with_scripts(base()) : sign();
      if (atom && after_atom) result += "<mspace width=\"0.2em\"/>";
      result += piece;
      after_atom = atom;
    }
    return result;
  }
  bool begins_atom() const {
    const char c = text_[at_];
    return is_letter(c) || is_digit(c) || c == '(' || c == '|' || c == '[' || c == '{' ||
           static_cast<unsigned char>(c) > 127;
  }
  std::string base() {
    const char c = text_[at_];
    for (const auto& [open, close] : {std::pair{"(", ")"}, {"[", "]"}, {"{", "}"}}) {
      if (!at(open)) continue;
      ++at_;
      return std::string("<mrow><mo>") + open + "</mo>" + pieces(close) + "<mo>" + close + "</mo></mrow>";
    }
    if (at("||")) {
      at_ += 2;
      return "<mrow><mo stretchy=\"true\">‖</mo>" + pieces("||") + "<mo stretchy=\"true\">‖</mo></mrow>";
    }
    if (c == '|') {
      ++at_;
      return "<mrow><mo form=\"prefix\" stretchy=\"true\">|</mo>" + pieces("|") +
             "<mo form=\"postfix\" stretchy=\"true\">|</mo></mrow>";
    }
    if (is_digit(c)) {
      const std::size_t start = at_;
      while (at_ < text_.size() &&
             (is_digit(text_[at_]) || (text_[at_] == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))))
        ++at_;
      return "<mn>" + std::string(text_.substr(start, at_ - start)) + "</mn>";
    }
    if (static_cast<unsigned char>(c) > 127) {
      const std::size_t start = at_++;
      while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80) ++at_;
      return "<mi>" + std::string(text_.substr(start, at_ - start)) + "</mi>";
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || (is_digit(text_[at_]) && at_ > start))) ++at_;
    for (const std::string_view suffix : {"_hat", "_std"}) {
      if (at(suffix)) at_ += suffix.size();
    }
    return word(text_.substr(start, at_ - start));
  }
  std::string word(std::string_view name) {
    static const std::map<std::string_view, std::string_view> kSigns = {
        {"sum", "∑"}, {"product", "∏"}, {"log", "ln"}, {"integral", "∫"}};
    static constexpr std::string_view kFunctions[] = {
        "exp",     "ln",    "sin",   "cos", "tan",  "tanh", "min",  "max", "sigmoid", "erf",   "mean", "sign", "det",
        "softmax", "round", "floor", "arg", "diag", "tril", "triu", "var", "shape",   "index", "abs",  "log2"};
    if (name == "sqrt") {
      skip_spaces();
      if (at_ < text_.size() && text_[at_] == '(') {
        ++at_;
        return "<msqrt><mrow>" + pieces(")") + "</mrow></msqrt>";
      }
    }
    if (const auto sign = kSigns.find(name); sign != kSigns.end()) return "<mo>" + std::string(sign->second) + "</mo>";
    for (const std::string_view f : kFunctions) {
      if (name == f) return "<mi>" + std::string(f) + "</mi>";
    }
    const std::string markup = name_markup(name);
    // Words of the sentence are text; names have a letter, or are Greek, or gradients.
    if (name.size() > 1 && markup == "<mi>" + std::string(name) + "</mi>")
      return "<mtext>" + std::string(name) + "</mtext>";
    return markup;
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  std::string script() {
    if (at_ >= text_.size()) return "<mrow></mrow>";
    if (text_[at_] == '(' || text_[at_] == '{') {
      const std::string_view close = text_[at_] == '(' ? ")" : "}";
      ++at_;
      return "<mrow>" + pieces(close) + "</mrow>";
    }
    std::string result;
    if (text_[at_] == '-') {
      ++at_;
      result = "<mo>−</mo>";
    }
    if (at_ < text_.size() && text_[at_] == '+') {
      ++at_;
      result = "<mo>+</mo>";
    }
    if (at_ < text_.size() && text_[at_] == 'T') {
      ++at_;
      return "<mrow>" + result + "<mi>⊤</mi></mrow>";
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    const std::string_view inner = text_.substr(start, at_ - start);
    for (std::size_t i = 0; i < inner.size(); ++i) {
      result += is_digit(inner[i]) ? "<mn>" + std::string(1, inner[i]) + "</mn>"
                                   : "<mi>" + std::string(1, inner[i]) + "</mi>";
    }
    return "<mrow>" + result + "</mrow>";
  }
  std::string with_scripts(std::string base) {
    for (;;) {
      if (at("_") && at_ + 1 < text_.size()) {
        ++at_;
        base = "<msub>" + base + script() + "</msub>";
      } else if (at("^") && at_ + 1 < text_.size()) {
        ++at_;
        base = "<msup>" + base + script() + "</msup>";
      } else if (at("[")) {
        ++at_;
        base = "<msub>" + base + "<mrow>" + pieces("]") + "</mrow></msub>";
      } else if (at("'")) {
        ++at_;
        base = "<msup>" + base + "<mo>′</mo></msup>";
      } else {
        return base;
      }
    }
  }
  std::string sign() {
    static const std::pair<std::string_view, std::string_view> kSigns[] = {
        {"...", "…"}, {"..", "…"}, {"<->", "↔"}, {"<-", "←"}, {"->", "→"},   {"<=", "≤"},   {">=", "≥"},
        {"!=", "≠"},  {"+-", "±"}, {"-", "−"},   {"*", "·"},  {"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}};
    for (const auto& [from, to] : kSigns) {
      if (!at(from)) continue;
      at_ += from.size();
      return "<mo>" + std::string(to) + "</mo>";
    }
    return "<mo>" + escaped(text_.substr(at_++, 1)) + "</mo>";
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string markup_of_comment(std::string_view formula) {
  std::string text(formula);
  for (std::size_t at = text.find("dL/d"); at != std::string::npos; at = text.find("dL/d")) text.erase(at, 3);
  return Liner(text).all();
}

}  // namespace page
