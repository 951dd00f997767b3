#include "values.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "../base/fail.h"
#include "../base/message.h"

namespace gradus::core {
namespace {

class Literal {
 public:
  using Kind = Value::Kind;
  using Node = Value::Node;

  Literal(std::string_view text, const char* op, const std::string& file) : text_(text), op_(op), file_(file) {}

  Values all() {
    values_.root = value(0);
    skip();
    if (at_ != text_.size()) refuse("the end");
    return std::move(values_);
  }

 private:
  [[noreturn]] void refuse(const char* wanted) const {
    fail<FileError>("{}: the text in '{}' must be a value in Python's notation: {} should stand at {}, {}", op_, file_,
                    wanted, at_, at_ < text_.size() ? in_quotes(text_.substr(at_, 20)) : "where it ends");
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  Node value(int level) {
    skip();
    if (level > kMostLevels) refuse("an end to the nesting");
    if (take("{")) return several(Kind::Dict, "}", level);
    if (take("[")) return several(Kind::List, "]", level);
    if (take("(")) return several(Kind::Tuple, ")", level);
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return text();
    if (take("True")) return values_.boolean(true);
    if (take("False")) return values_.boolean(false);
    if (take("None")) return values_.add(Kind::None);
    if (take("nan") || take("-nan")) return values_.number(std::numeric_limits<double>::quiet_NaN());
    if (take("inf")) return values_.number(std::numeric_limits<double>::infinity());
    if (take("-inf")) return values_.number(-std::numeric_limits<double>::infinity());
    return number();
  }

  Node several(Kind kind, std::string_view end, int level) {
    std::vector<Node> items;
    bool comma = true;
    for (skip(); !take(end); skip()) {
      if (!comma) refuse("a comma");
      items.push_back(value(level + 1));
      skip();
      if (kind == Kind::Dict) {
        if (!take(":")) refuse("a colon");
        items.push_back(value(level + 1));
        skip();
      }
      comma = take(",");
    }
    if (kind == Kind::Tuple && items.size() == 1 && !comma) return items[0];  // parentheses alone
    return values_.add(kind, std::move(items));
  }

  Node text() {
    const char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\') {
        out += text_[at_];
        continue;
      }
      if (++at_ == text_.size()) break;
      switch (text_[at_]) {
        case 'n':
          out += '\n';
          break;
        case 't':
          out += '\t';
          break;
        case 'r':
          out += '\r';
          break;
        case 'x': {
          unsigned code = 0;
          const char* from = text_.data() + at_ + 1;
          if (text_.size() - at_ < 3 || std::from_chars(from, from + 2, code, 16).ptr != from + 2 || code > 0x7f)
            refuse("two hexadecimal digits below 80");
          out += static_cast<char>(code);
          at_ += 2;
          break;
        }
        case '\\':
        case '\'':
        case '"':
          out += text_[at_];
          break;
        default:
          refuse("one of the escapes \\n \\t \\r \\x \\\\ \\' \\\"");
      }
    }
    if (at_ >= text_.size()) refuse("the end of a text");
    ++at_;
    return values_.text(out);
  }

  Node number() {
    const char *from = text_.data() + at_, *end = text_.data() + text_.size();
    std::int64_t integer = 0;
    const auto whole = std::from_chars(from, end, integer);
    double floating = 0;
    const auto any = std::from_chars(from, end, floating);
    // "1.5" is an integer up to its point; nan and inf are told by their names.
    const auto begins = [&] { return from != end && (*from == '-' || (*from >= '0' && *from <= '9')); };
    if (!begins() || any.ec == std::errc::invalid_argument) refuse("a value");
    if (whole.ec == std::errc() && whole.ptr == any.ptr) {
      at_ += static_cast<std::size_t>(whole.ptr - from);
      take("L");  // Python 2's
      return values_.integer(integer);
    }
    const std::string_view digits(from, static_cast<std::size_t>(any.ptr - from));
    if (any.ec != std::errc() || digits.find_first_of(".eE") == std::string_view::npos) refuse("a number in range");
    at_ += digits.size();
    return values_.number(floating);
  }

  std::string_view text_;
  const char* op_;
  const std::string& file_;
  Values values_;
  std::size_t at_ = 0;
};

void append_text(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    if (c == '\\' || c == '\'') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '\'';
}

void append(std::string& out, const Values& values, Value::Node node, int level) {
  Values::check_level("to_literal", level);
  const Value& value = values[node];
  const auto several = [&](char open, char close) {
    out += open;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      if (i > 0) out += value.kind == Value::Kind::Dict && i % 2 == 1 ? ": " : ", ";
      append(out, values, value.items[i], level + 1);
    }
    if (value.kind == Value::Kind::Tuple && value.items.size() == 1) out += ',';
    out += close;
  };
  switch (value.kind) {
    case Value::Kind::Bool:
      out += value.flag ? "True" : "False";
      break;
    case Value::Kind::Int:
      out += std::to_string(value.integer);
      break;
    case Value::Kind::Double: {
      // A NaN has a sign, 0.0 / 0.0 a minus, which Python does not write.
      const std::string digits = std::isnan(value.number) ? "nan" : fmt::format("{}", value.number);
      // An integer's digits would come back as an integer.
      out += digits;
      if (std::isfinite(value.number) && digits.find_first_of(".e") == std::string::npos) out += ".0";
      break;
    }
    case Value::Kind::Text:
      append_text(out, value.text);
      break;
    case Value::Kind::List:
      several('[', ']');
      break;
    case Value::Kind::Tuple:
      several('(', ')');
      break;
    case Value::Kind::Dict:
      several('{', '}');
      break;
    default:
      out += "None";
  }
}

// Walks what a node holds, and counts it down from what is left.
struct Walk {
  const Values& values;
  const char* op;
  const std::string& file;
  std::uint64_t most, left;

  void count(std::uint64_t n) {
    if (n > left) {
      fail<FileError>("{}: '{}' must hold no more than {} values: what it shares among several places makes more", op,
                      file, most);
    }
    left -= n;
  }
  void over(Value::Node node, int level) {
    const Value& value = values[node];
    if (level > kMostLevels) {
      fail<FileError>(
          "{}: the values of '{}' must be nested at most {} levels deep: they are deeper, or hold themselves", op, file,
          kMostLevels);
    }
    if (value.kind >= Value::Kind::Name) {
      fail<FileError>("{}: '{}' must hold tensors and plain values: one is {}", op, file,
                      value.kind == Value::Kind::Name ? in_quotes(value.text) : "a storage");
    }
    count(1 + value.text.size() / 32);
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      if (value.kind == Value::Kind::Dict && i % 2 == 0) {
        const Value::Kind key = values[value.items[i]].kind;
        if (key < Value::Kind::Bool || key > Value::Kind::Text)
          fail<FileError>("{}: the keys of a dictionary in '{}' must be texts or numbers: one is not", op, file);
      }
      over(value.items[i], level + 1);
    }
  }
};

}  // namespace

Values::Node Values::add(Value value) {
  nodes.push_back(std::move(value));
  return static_cast<Node>(nodes.size() - 1);
}
Values::Node Values::add(Kind kind, std::vector<Node> items) {
  Value value;
  value.kind = kind;
  value.items = std::move(items);
  return add(std::move(value));
}
Values::Node Values::boolean(bool value) {
  const Node node = add(Kind::Bool);
  nodes[node].flag = value;
  return node;
}
Values::Node Values::integer(std::int64_t value) {
  const Node node = add(Kind::Int);
  nodes[node].integer = value;
  return node;
}
Values::Node Values::number(double value) {
  const Node node = add(Kind::Double);
  nodes[node].number = value;
  return node;
}
Values::Node Values::text(std::string_view value) {
  const Node node = add(Kind::Text);
  nodes[node].text = value;
  return node;
}
Values::Node Values::array(const Array& value, bool requires_grad) {
  const Node node = add(Kind::Array);
  nodes[node].integer = static_cast<std::int64_t>(arrays.size());
  nodes[node].flag = requires_grad;
  arrays.push_back(value);
  return node;
}

const Value* Values::find(const Value& dict, std::string_view key) const {
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const Value& at = nodes[dict.items[i]];
    if (at.kind == Kind::Text && at.text == key) return &nodes[dict.items[i + 1]];
  }
  return nullptr;
}

void Values::check_tree(const char* op, const std::string& file, std::uint64_t most) const {
  Walk{*this, op, file, most, most}.over(root, 0);
}

void Values::check_level(const char* op, int level) {
  if (level > kMostLevels)
    fail<ValueError>("{}: values must be nested at most {} levels deep: they are deeper", op, kMostLevels);
}

Values parse_literal(std::string_view text, const char* op, const std::string& file) {
  return Literal(text, op, file).all();
}

std::string to_literal(const Values& values) {
  std::string out;
  append(out, values, values.root, 0);
  return out;
}

bool is_utf8(std::string_view text) noexcept {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at != end) {
    const unsigned first = *at++;
    if (first < 0x80) continue;
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || end - at < more) return false;
    // The second byte's range keeps out what is too long, surrogates, and what lies beyond Unicode.
    const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (*at < low || *at > high) return false;
    for (int i = 1; i < more; ++i) {
      if ((at[i] & 0xc0) != 0x80) return false;
    }
    at += more;
  }
  return true;
}

}  // namespace gradus::core
