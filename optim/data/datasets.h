// Data sets that are tensors: given ones, MNIST, tables of numbers in text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../../core/base/arg.h"
#include "dataset.h"

namespace gradus::data {
namespace datasets {

/// Example i is `tensor[i]`, without a target. ShapeError when it has no dimension.
struct GRADUS_API TensorDataset : public Dataset<TensorDataset, TensorExample> {
  explicit TensorDataset(const std::vector<Tensor>& tensors);  ///< of one shape: `stack(tensors)`
  explicit TensorDataset(Tensor tensor_);
  TensorExample get(std::size_t index) override;
  std::optional<std::size_t> size() const override;
  bool rows(Rows& rows) const;
  Tensor tensor;
};

/// A tensor of data and one of targets: example i is row i of both.
class GRADUS_API LabelledDataset {
 public:
  const Tensor& data() const noexcept { return data_; }
  const Tensor& targets() const noexcept { return targets_; }
  bool rows(Rows& rows) const;

 protected:
  LabelledDataset() = default;
  Example<> row(std::size_t index, const char* of) const;
  Tensor data_, targets_;
};

/// The handwritten digits of MNIST (LeCun, Cortes, Burges): images float32 [1, 28, 28] in [0, 1], targets int64.
class GRADUS_API MNIST : public Dataset<MNIST>, public LabelledDataset {
 public:
  enum class Mode { kTrain, kTest };
  /// Reads two of the four files in the folder `root`, plain or gzipped (`train-images-idx3-ubyte.gz`, ...). FileError when
  /// they are missing, damaged or do not fit, or a label is above 9.
  explicit MNIST(const std::string& root, Mode mode = Mode::kTrain);
  Example<> get(std::size_t index) override;
  std::optional<std::size_t> size() const override;
  bool is_train() const noexcept { return train_; }
  const Tensor& images() const { return data_; }  ///< [60000, 1, 28, 28], or 10000 of the test's

 private:
  bool train_;
};

struct CsvDatasetOptions {
  /// Whether the first line holds the columns' names.
  GRADUS_ARG(bool, header) = false;
  GRADUS_ARG(char, delimiter) = ',';
  /// What is shown: names of the header, or numbers from 0, or from -1 for the last. All but the target when empty.
  GRADUS_ARG(std::vector<std::string>, columns);
  /// The column to be said, in the same way.
  GRADUS_ARG(std::string, target) = "-1";
  GRADUS_ARG(DType, dtype) = kFloat;
  /// kInt64 for classes, kFloat for numbers.
  GRADUS_ARG(DType, target_dtype) = kInt64;
};

/// A table of numbers in text, plain or gzipped: data [columns], target a number. Empty lines are passed over; a field may
/// be in quotes. FileError names the line and the field that is no number, or none that its dtype holds (300 for uint8, a
/// fraction for an integer, 1e300 for float32), or the line that has not as many fields as the first; ValueError the column
/// that there is not, or of whose name there are several.
class GRADUS_API CsvDataset : public Dataset<CsvDataset>, public LabelledDataset {
 public:
  explicit CsvDataset(const std::string& path, const CsvDatasetOptions& options = {});
  Example<> get(std::size_t index) override;
  std::optional<std::size_t> size() const override;
  /// The names of the columns that are shown: the header's, or numbers.
  const std::vector<std::string>& columns() const noexcept { return columns_; }

 private:
  std::vector<std::string> columns_;
};
using CSV = CsvDataset;

struct ImageFolderOptions {
  /// 3 for colours, 1 for grey.
  GRADUS_ARG(std::int64_t, channels) = 3;
  /// No picture of more is read: its memory is asked for by what its header claims.
  GRADUS_ARG(std::int64_t, max_pixels) = std::int64_t{1} << 26;
};

/// Pictures in a folder: each of its folders is a class, the classes in the order of their names. Data float32
/// [channels, H, W] in [0, 1], read when asked for; target the class, int64. PNG by libpng and JPEG by libjpeg-turbo, which
/// are loaded when the first such picture is; PPM and PGM without either. Samples are those that are stored, whatever the file
/// says of their gamma. What is no such file, or no link to one, is passed over. FileError names the picture that is damaged
/// or no longer there, or the library that is missing, with the cure; ValueError options that cannot be.
class GRADUS_API ImageFolder : public Dataset<ImageFolder> {
 public:
  explicit ImageFolder(std::string root, const ImageFolderOptions& options = {});
  Example<> get(std::size_t index) override;
  std::optional<std::size_t> size() const override { return files_.size(); }
  const std::vector<std::string>& classes() const noexcept { return classes_; }
  const std::string& path(std::size_t index) const;
  std::int64_t target(std::size_t index) const;

 private:
  struct File {
    std::string path;
    std::int64_t target;
  };
  const File& file(std::size_t index) const;
  std::vector<std::string> classes_;
  std::vector<File> files_;
  ImageFolderOptions options_;
};

/// A picture as float32 [channels, H, W] in [0, 1]. FileError as ImageFolder's.
GRADUS_API Tensor read_image(const std::string& path, const ImageFolderOptions& options = {});

}  // namespace datasets

template <>
inline constexpr bool has_rows<datasets::TensorDataset> = true;
template <>
inline constexpr bool has_rows<datasets::MNIST> = true;
template <>
inline constexpr bool has_rows<datasets::CsvDataset> = true;

}  // namespace gradus::data
