// What was measured, epoch by epoch: to CSV, and to curves.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "../../core/base/export.h"

namespace gradus::train {

/// Numbers by name for each epoch, the first being epoch 1. What was not measured in an epoch is NaN there.
///
///     train::History history;
///     history.add({{"training loss", loss}, {"test accuracy", accuracy}});   // ends an epoch
///     history.save_csv("history.csv");
///     history.save_svg("curves.svg", "Digits");
class GRADUS_API History {
 public:
  struct Column {
    std::string name;
    std::vector<double> values;  ///< one for each epoch
  };

  /// One more epoch. ValueError when a name is empty, or comes twice.
  void add(std::initializer_list<std::pair<const char*, double>> measured);
  void add(const std::vector<std::pair<std::string, double>>& measured);
  std::size_t epochs() const noexcept { return epochs_; }
  const std::vector<Column>& columns() const noexcept { return columns_; }
  /// The values of one name. ValueError, naming those that there are, when it was never measured.
  const std::vector<double>& operator[](const std::string& name) const;
  /// The epoch (from 1) with the largest value of a name, or the smallest; 0 when there is no number. Of equal ones the first.
  std::size_t best_epoch(const std::string& name, bool largest = true) const;

  /// A line of names, then one for each epoch; numbers with all their digits, NaN as "nan". Names are quoted where CSV needs
  /// it.
  std::string csv() const;
  /// What csv() gives. FileError, with the line and what stands there, for anything else.
  static History from_csv(const std::string& text, const std::string& source = "the text");
  /// A kill at any moment leaves the old file or the new. FileError when it cannot be written, or read.
  void save_csv(const std::string& path) const;
  static History load_csv(const std::string& path);
  /// Curves of all columns: see curves_svg. Columns named like "accuracy" are shares, shown in per cent.
  std::string svg(const std::string& title, const std::string& configuration = "") const;
  void save_svg(const std::string& path, const std::string& title, const std::string& configuration = "") const;

 private:
  std::vector<Column> columns_;
  std::size_t epochs_ = 0;
};

}  // namespace gradus::train
