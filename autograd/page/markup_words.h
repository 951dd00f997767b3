// The words and signs of formulas (internal).
#pragma once

#include <string_view>

namespace gradus::autograd::detail {

struct Sign {
  std::string_view from, to;
};
inline constexpr Sign kLetters[] = {{"alpha", "α"},   {"beta", "β"},    {"gamma", "γ"}, {"delta", "δ"}, {"eps", "ε"},
                                    {"epsilon", "ε"}, {"lambda", "λ"},  {"mu", "μ"},    {"sigma", "σ"}, {"theta", "θ"},
                                    {"rho", "ρ"},     {"eta", "η"},     {"tau", "τ"},   {"phi", "φ"},   {"psi", "ψ"},
                                    {"Phi", "Φ"},     {"pi", "π"},      {"Gamma", "Γ"}, {"Sigma", "Σ"}, {"omega", "ω"},
                                    {"inf", "∞"},     {"infinity", "∞"}};
// Those of operations; longer ones first.
inline constexpr Sign kSigns[] = {{"...", "…"}, {"..", "…"},   {"<->", "↔"},  {"<-", "←"}, {"->", "→"}, {"<=", "≤"},
                                  {">=", "≥"},  {"!=", "≠"},   {"==", "="},   {"+-", "±"}, {"&&", "∧"}, {"-", "−"},
                                  {"*", "·"},   {"<", "&lt;"}, {">", "&gt;"}, {"&", "∧"}};
inline constexpr std::string_view kOperators[] = {"−", "·", "⊙", "⋅", "≤", "≥", "≠", "∧", "∨", "⊻", "¬", "∈", "…",
                                                  "↦", "←", "→", "↔", "⇔", "±", "∂", "≪", "⊗", "∘", "×", "∗"};
inline constexpr Sign kLarge[] = {{"sum", "∑"}, {"product", "∏"}, {"∑", "∑"}, {"∏", "∏"}, {"integral", "∫"}};
// What may have something below it.
inline constexpr std::string_view kLimits[] = {"max", "min", "mean", "argmax", "argmin", "median"};
inline constexpr std::string_view kFunctions[] = {
    "exp",    "ln",        "sin",    "cos",    "tan",     "sinh",  "cosh",  "tanh",     "arcsin", "arccos",  "arctan",
    "arsinh", "arcosh",    "artanh", "max",    "min",     "erf",   "erfc",  "mean",     "sgn",    "sign",    "det",
    "tr",     "softmax",   "round",  "trunc",  "floor",   "arg",   "diag",  "tril",     "triu",   "var",     "std",
    "log",    "log1p",     "expm1",  "mod",    "sinc",    "isnan", "isinf", "isfinite", "rank",   "median",  "sort",
    "if",     "otherwise", "argmax", "argmin", "sigmoid", "relu",  "NaN",   "norm",     "chol",   "logistic"};

}  // namespace gradus::autograd::detail
