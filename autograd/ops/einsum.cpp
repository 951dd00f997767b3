// Einstein's sum, by diagonals, permutations, sums and one matrix product for each operand after the first.
#include <algorithm>
#include <cctype>
#include <string>

#include "../../core/base/fail.h"
#include "../graph/operation.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;

namespace {

// A dimension's name: a letter, or a number below it for those that "..." stands for, the last one 0.
using Label = int;
using Labels = std::vector<Label>;

bool has(const Labels& labels, Label label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }
std::int64_t place(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) - labels.begin();
}

struct Term {
  Tensor x;
  Labels labels;  // one for each dimension
  std::int64_t size(Label label) const { return x.size(place(labels, label)); }
};

class Equation {
 public:
  Equation(std::string_view text, const OperandList& operands) : text_(text) {
    std::string all;
    for (const char c : text) {
      if (c != ' ') all += c;
    }
    const std::size_t arrow = all.find("->");
    std::string left = all.substr(0, arrow);
    std::size_t count = 0;
    for (std::size_t begin = 0; begin <= left.size(); ++count) {
      const std::size_t end = std::min(left.find(',', begin), left.size());
      if (count < operands.size()) terms_.push_back(term(left.substr(begin, end - begin), operands[count].tensor()));
      begin = end + 1;
    }
    if (count != operands.size()) {
      core::fail<ValueError>("einsum: the equation must name each operand: \"{}\" names {} of {}", text_, count,
                             operands.size());
    }
    if (arrow == std::string::npos)
      imply();
    else
      output_ = labels_of(all.substr(arrow + 2), most_, "the result");
    check();
  }

  std::vector<Term>& terms() { return terms_; }
  const Labels& output() const { return output_; }

 private:
  // The labels of one subscript for so many dimensions behind "...", which must be one word.
  Labels labels_of(std::string_view part, std::int64_t rest, const char* of) const {
    Labels labels;
    bool dots = false;
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (std::isalpha(static_cast<unsigned char>(part[i])) != 0) {
        labels.push_back(part[i]);
      } else if (part.substr(i, 3) == "..." && !dots) {
        dots = true;
        i += 2;
        for (std::int64_t d = rest; d-- > 0;) labels.push_back(static_cast<Label>(d));
      } else {
        core::fail<ValueError>("einsum: a subscript must be letters and at most one ellipsis: \"{}\" of {} in \"{}\"",
                               part, of, text_);
      }
    }
    return labels;
  }

  Term term(const std::string& part, const Tensor& x) {
    const auto letters = static_cast<std::int64_t>(
        std::count_if(part.begin(), part.end(), [](unsigned char c) { return std::isalpha(c) != 0; }));
    const bool dots = part.find("...") != std::string::npos;
    const std::int64_t rest = dots ? x.dim() - letters : 0;
    Labels labels = labels_of(part, std::max<std::int64_t>(rest, 0), "an operand");
    if (letters + rest != x.dim() || rest < 0) {
      core::fail<ShapeError>("einsum: a subscript must name each dimension: \"{}\" in \"{}\" for {}", part, text_,
                             x.sizes());
    }
    most_ = std::max(most_, rest);
    Term result{x, std::move(labels)};
    // What is named twice is a diagonal, which comes last.
    for (std::size_t i = 0; i < result.labels.size(); ++i) {
      const Label label = result.labels[i];
      const auto again =
          std::find(result.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, result.labels.end(), label);
      if (again == result.labels.end()) continue;
      const auto j = static_cast<std::size_t>(again - result.labels.begin());
      const std::int64_t a = result.x.size(static_cast<std::int64_t>(i)),
                         b = result.x.size(static_cast<std::int64_t>(j));
      if (a != b) {
        core::fail<ShapeError>(
            "einsum: a letter that is repeated must stand for one size: {} and {} for '{}' in \"{}\"", a, b,
            static_cast<char>(label), text_);
      }
      result.x = result.x.diagonal(0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
      result.labels.erase(again);
      result.labels.erase(result.labels.begin() + static_cast<std::ptrdiff_t>(i));
      result.labels.push_back(label);
      i = static_cast<std::size_t>(-1);  // places have moved: from the beginning
    }
    letters_ += part;
    return result;
  }

  // The result's dimensions where nothing says them: those behind "...", then letters that come once, in their order.
  void imply() {
    for (std::int64_t d = most_; d-- > 0;) output_.push_back(static_cast<Label>(d));
    for (int c = 'A'; c <= 'z'; ++c) {
      if (std::isalpha(c) != 0 && std::count(letters_.begin(), letters_.end(), static_cast<char>(c)) == 1)
        output_.push_back(c);
    }
  }

  void check() const {
    for (const Label label : output_) {
      if (std::count(output_.begin(), output_.end(), label) > 1) {
        core::fail<ValueError>("einsum: the result must name a letter once: '{}' in \"{}\"", static_cast<char>(label),
                               text_);
      }
      if (std::none_of(terms_.begin(), terms_.end(), [&](const Term& t) { return has(t.labels, label); })) {
        core::fail<ValueError>("einsum: the result's letters must be an operand's: '{}' in \"{}\"",
                               static_cast<char>(label), text_);
      }
    }
    for (const Term& t : terms_) {
      for (const Label label : t.labels) {
        for (const Term& other : terms_) {
          if (!has(other.labels, label)) continue;
          const std::int64_t a = t.size(label), b = other.size(label);
          if (a == b || a == 1 || b == 1) continue;
          const std::string name = label < 'A' ? "..." : std::string(1, static_cast<char>(label));
          core::fail<ShapeError>("einsum: a letter must stand for one size: {} and {} for '{}' in \"{}\"", a, b, name,
                                 text_);
        }
      }
    }
  }

  std::string_view text_;
  std::string letters_;  // all that operands are named with
  std::vector<Term> terms_;
  Labels output_;
  std::int64_t most_ = 0;  // dimensions behind "..."
};

Term without(const Term& t, const Labels& gone) {
  if (gone.empty()) return t;
  core::Dims dims;
  Term rest;
  for (const Label label : t.labels) {
    if (has(gone, label))
      dims.push_back(place(t.labels, label));
    else
      rest.labels.push_back(label);
  }
  rest.x = t.x.sum(dims);
  return rest;
}
void drop_single(Term& t, Label label) {
  t.x = t.x.squeeze(place(t.labels, label));
  t.labels.erase(t.labels.begin() + place(t.labels, label));
}
// The dimensions in that order; those that are missing have size 1.
Tensor in_order(const Term& t, const Labels& order) {
  core::Dims dims;
  for (const Label label : order) {
    if (has(t.labels, label)) dims.push_back(place(t.labels, label));
  }
  bool moved = false;
  for (int i = 0; i < dims.size(); ++i) moved |= dims[i] != i;
  Tensor x = moved ? t.x.permute(dims) : t.x;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!has(t.labels, order[i])) x = x.unsqueeze(static_cast<std::int64_t>(i));
  }
  return x;
}
Labels joined(Labels a, const Labels& b, const Labels& c = {}) {
  a.insert(a.end(), b.begin(), b.end());
  a.insert(a.end(), c.begin(), c.end());
  return a;
}
std::int64_t product_of(const Term& t, const Labels& labels) {
  std::int64_t product = 1;
  for (const Label label : labels) product *= t.size(label);
  return product;
}

// The product of two, summed over what is neither wanted behind it nor in the result.
Term contracted(Term a, Term b, const Labels& wanted) {
  const Labels both = a.labels;
  for (const Label label : both) {  // size 1 is as if it were not there
    if (!has(b.labels, label) || a.size(label) == b.size(label)) continue;
    drop_single(a.size(label) == 1 ? a : b, label);
  }
  Labels only_a, only_b, batch, free_a, free_b, inner;
  for (const Label label : a.labels) {
    const bool shared = has(b.labels, label), kept = has(wanted, label);
    (shared ? (kept ? batch : inner) : (kept ? free_a : only_a)).push_back(label);
  }
  for (const Label label : b.labels) {
    if (!has(a.labels, label)) (has(wanted, label) ? free_b : only_b).push_back(label);
  }
  a = without(a, only_a);
  b = without(b, only_b);
  Term result;
  result.labels = joined(batch, free_a, free_b);
  if (inner.empty()) {
    result.x = mul(in_order(a, result.labels), in_order(b, result.labels));
    return result;
  }
  core::Dims shape;
  for (const Label label : result.labels) shape.push_back(has(a.labels, label) ? a.size(label) : b.size(label));
  const std::int64_t n = product_of(a, batch), rows = product_of(a, free_a), k = product_of(a, inner),
                     columns = product_of(b, free_b);
  const Tensor x = in_order(a, joined(batch, free_a, inner)), y = in_order(b, joined(batch, inner, free_b));
  const Tensor product = batch.empty() ? mm(x.reshape({rows, k}), y.reshape({k, columns}))
                                       : bmm(x.reshape({n, rows, k}), y.reshape({n, k, columns}));
  result.x = product.reshape(shape);
  return result;
}

}  // namespace

Tensor einsum(std::string_view equation, OperandList tensors) {
  if (stored(tensors))
    return rounded_once(
        "einsum", [&](const std::vector<Tensor>& t) { return einsum(equation, t); }, tensors);
  if (tensors.empty()) core::fail<ValueError>("einsum: there must be at least one operand: \"{}\"", equation);
  const Scope scope(tensors[0].at());
  return core::in_name_of("einsum", [&] {
    Equation all(equation, tensors);
    std::vector<Term>& terms = all.terms();
    Term result = terms[0];
    for (std::size_t i = 1; i < terms.size(); ++i) {
      Labels wanted = all.output();
      for (std::size_t j = i + 1; j < terms.size(); ++j) wanted = joined(wanted, terms[j].labels);
      result = contracted(result, terms[i], wanted);
    }
    Labels summed;
    for (const Label label : result.labels) {
      if (!has(all.output(), label)) summed.push_back(label);
    }
    const Tensor y = in_order(without(result, summed), all.output());
    if (terms.size() > 1) return detail::as_result(y);
    return y.is_same(tensors[0].tensor()) ? detail::alias_of(tensors[0]) : y;
  });
}

}  // namespace gradus
