// One long column of places that an index names, in parallel: internal to core.
#pragma once

#include "columns.h"

namespace gradus::core {

// Whether a column is worth cutting by where its values go.
template <class T>
bool is_long(const Columns<T>& c) {
  return c.count == 1 && c.n >= 2 * kPickGrain;
}

// As one by one in the order of the index: each row with its values added, in float64 for float32; the last value of each row; the
// extreme.
template <class T>
void add_to_long(const Columns<T>& c);
template <class T>
void write_to_long(const Columns<T>& c);
template <class T>
void extreme_of_long(const Columns<T>& c, bool max);
// The larger, or smaller, of two; NaN stays.
template <class T>
T extreme(T a, T b, bool max) {
  const bool wins = (max ? b > a : b < a) | (b != b);  // without a branch
  return wins ? b : a;
}

}  // namespace gradus::core
