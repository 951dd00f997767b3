#include "datasets.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "../../autograd/ops/combine.h"
#include "../../autograd/ops/shapes.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "../../core/files/csv.h"
#include "../../core/files/idx.h"

namespace gradus::data::datasets {
namespace {

using core::fail;
using core::in_quotes;

std::size_t rows_of(const Tensor& x) { return static_cast<std::size_t>(x.size(0)); }
std::int64_t checked(std::size_t index, const Tensor& x, const char* of) {
  if (index >= rows_of(x)) {
    fail<IndexError>("{}: an index must be below the data set's size: {} of {}", of, index, rows_of(x));
  }
  return static_cast<std::int64_t>(index);
}

}  // namespace

TensorDataset::TensorDataset(const std::vector<Tensor>& tensors) : TensorDataset(stack(tensors)) {}
TensorDataset::TensorDataset(Tensor tensor_) : tensor(std::move(tensor_)) {
  if (tensor.dim() == 0) fail<ShapeError>("TensorDataset: the tensor must have a dimension of examples: it has none");
}
TensorExample TensorDataset::get(std::size_t index) { return tensor[checked(index, tensor, "TensorDataset")]; }
std::optional<std::size_t> TensorDataset::size() const { return rows_of(tensor); }
bool TensorDataset::rows(Rows& rows) const {
  if (!can_take_rows(tensor)) return false;
  rows.data = tensor;
  return true;
}

bool LabelledDataset::rows(Rows& rows) const {
  if (!can_take_rows(data_) || !can_take_rows(targets_)) return false;
  rows.data = data_;
  rows.target = targets_;
  return true;
}
Example<> LabelledDataset::row(std::size_t index, const char* of) const {
  const std::int64_t i = checked(index, data_, of);
  return {data_[i], targets_[i]};
}

// MNIST

namespace {

// The file as it is, or gzipped.
std::string find_file(const std::string& root, const std::string& name) {
  for (const char* const ending : {"", ".gz"}) {
    std::string path = root + "/" + name + ending;
    if (access(path.c_str(), F_OK) == 0) return path;
  }
  fail<FileError>(
      "MNIST: there must be a file '{0}/{1}', or with the ending .gz: there is neither; `examples/fetch_mnist {0}` "
      "brings MNIST's files",
      root, name);
}
core::Idx read_bytes(const std::string& path, std::size_t dims) {
  core::Idx idx = core::read_idx(path);
  if (idx.type != core::IdxType::UInt8 || idx.shape.size() != dims) {
    fail<FileError>("MNIST: '{}' must hold bytes in {} dimension{}: elements of type {:02x} in {}", path, dims,
                    dims == 1 ? "" : "s", static_cast<int>(idx.type), core::to_string(IntArrayRef(idx.shape)));
  }
  return idx;
}

// Byte by byte, converted and divided; at once, without a copy of 8 bytes a number.
template <class To, class From>
Tensor converted(const std::vector<From>& from, IntArrayRef shape, DType dtype, To scale) {
  core::Array out = core::empty(shape, dtype);
  std::transform(from.begin(), from.end(), out.data_ptr<To>(), [scale](From x) { return static_cast<To>(x) / scale; });
  return Tensor(std::move(out));
}

}  // namespace

MNIST::MNIST(const std::string& root, Mode mode) : train_(mode == Mode::kTrain) {
  const std::string name = train_ ? "train" : "t10k";
  const std::string images_path = find_file(root, name + "-images-idx3-ubyte");
  const std::string labels_path = find_file(root, name + "-labels-idx1-ubyte");
  const core::Idx images = read_bytes(images_path, 3), labels = read_bytes(labels_path, 1);
  if (images.shape[0] != labels.shape[0]) {
    fail<FileError>("MNIST: there must be a label for each image: {} images in '{}', {} labels in '{}'",
                    images.shape[0], images_path, labels.shape[0], labels_path);
  }
  if (images.bytes.empty()) {
    fail<FileError>("MNIST: '{}' must hold at least one image: its shape is {}", images_path,
                    core::to_string(IntArrayRef(images.shape)));
  }
  const auto wrong = std::find_if(labels.bytes.begin(), labels.bytes.end(), [](int label) { return label > 9; });
  if (wrong != labels.bytes.end()) {
    fail<FileError>("MNIST: label {} of '{}' must be from 0 to 9: {}", wrong - labels.bytes.begin(), labels_path,
                    int{*wrong});
  }
  data_ = converted<float>(images.bytes, {images.shape[0], 1, images.shape[1], images.shape[2]}, kFloat, 255.0F);
  targets_ = converted<std::int64_t>(labels.bytes, {labels.shape[0]}, kInt64, 1);
}
Example<> MNIST::get(std::size_t index) { return row(index, "MNIST"); }
std::optional<std::size_t> MNIST::size() const { return rows_of(data_); }

// Tables

namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 34;

using Field = core::CsvLines::Field;

// A finite number stays one.
bool holds(DType dtype, double value) {
  if (dtype == kDouble || !std::isfinite(value)) return true;
  const float rounded = std::abs(static_cast<float>(value));
  if (dtype == kHalf) return rounded < 65520;
  return dtype == kBFloat16 ? rounded < 0x1.ffp127F : std::isfinite(rounded);
}
bool holds(DType dtype, std::int64_t value) {
  if (dtype == kInt64) return true;
  if (dtype == kBool || dtype == kUInt8) return value >= 0 && value <= (dtype == kBool ? 1 : 255);
  const std::int64_t end = std::int64_t{1} << (8 * size_of(dtype) - 1);
  return value >= -end && value < end;
}

class Table {
 public:
  Table(const std::string& path, std::string_view text, char delimiter)
      : path_(path), lines_("CsvDataset", in_quotes(path), text, delimiter) {}
  bool next(std::vector<Field>& fields) { return lines_.next(fields); }

  // A number that the dtype holds: none becomes infinite. `option` names that dtype.
  void read(const std::vector<Field>& fields, std::size_t column, DType dtype, const char* option,
            double& value) const {
    value = number(fields, column);
    if (!holds(dtype, value)) not_held(fields, column, dtype, option, value);
  }
  // The same for whole numbers: none is rounded or wrapped around. 3.0 and 2e3 are such, too, but above 2^53 a double does
  // not tell them from their neighbours.
  void read(const std::vector<Field>& fields, std::size_t column, DType dtype, const char* option,
            std::int64_t& value) const {
    bool whole = whole_field(trimmed(fields[column]), value);
    const double any = whole ? static_cast<double>(value) : number(fields, column);
    if (!whole && std::abs(any) < 0x1p53 && std::floor(any) == any) {
      whole = true;
      value = static_cast<std::int64_t>(any);
    }
    if (!whole || !holds(dtype, value)) not_held(fields, column, dtype, option, any);
  }
  std::size_t width() const { return lines_.width(); }

 private:
  static std::string_view trimmed(const Field& field) {
    std::string_view text = field.get();
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '+')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
  }
  template <class T>
  static bool whole_field(std::string_view text, T& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
  }
  double number(const std::vector<Field>& fields, std::size_t column) const {
    double value = 0;
    if (!whole_field(trimmed(fields[column]), value)) {
      fail<FileError>("CsvDataset: field {} of line {} of '{}' must be a number: {}", column + 1, lines_.line(), path_,
                      in_quotes(fields[column].get()));
    }
    return value;
  }
  [[noreturn]] void not_held(const std::vector<Field>& fields, std::size_t column, DType dtype, const char* option,
                             double value) const {
    fail<FileError>("CsvDataset: field {} of line {} of '{}' must be a number that {} holds: {}; {}({}) takes it",
                    column + 1, lines_.line(), path_, dtype, trimmed(fields[column]), option,
                    holds(kFloat, value) ? "kFloat" : "kDouble");
  }

  const std::string& path_;
  core::CsvLines lines_;
};

// Fields that were read, for a dtype: whole numbers as such.
class Numbers {
 public:
  Numbers(DType dtype, const char* option) : dtype_(dtype), option_(option), floating_(is_floating_point(dtype)) {}
  void read(const Table& table, const std::vector<Field>& fields, std::size_t column) {
    if (floating_) return table.read(fields, column, dtype_, option_, any_.emplace_back());
    table.read(fields, column, dtype_, option_, whole_.emplace_back());
  }
  Tensor tensor(IntArrayRef shape) const {
    return (floating_ ? converted<double>(any_, shape, kDouble, 1.0)
                      : converted<std::int64_t>(whole_, shape, kInt64, std::int64_t{1}))
        .to(dtype_);
  }

 private:
  DType dtype_;
  const char* option_;
  bool floating_;
  std::vector<double> any_;
  std::vector<std::int64_t> whole_;
};

// A name of the header, or a number.
std::size_t find_column(const std::string& column, const std::vector<std::string>& names) {
  if (const auto at = std::find(names.begin(), names.end(), column); at != names.end()) {
    if (std::find(at + 1, names.end(), column) != names.end()) {
      fail<ValueError>("CsvDataset: a column that is asked for by its name must be the only one of that name: {}",
                       in_quotes(column));
    }
    return static_cast<std::size_t>(at - names.begin());
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  const auto count = static_cast<std::int64_t>(names.size());
  if (column.empty() || error != std::errc() || end != column.data() + column.size() || number < -count ||
      number >= count) {
    fail<ValueError>("CsvDataset: a column must be one of {} names, or a number from {} to {}: {}", count, -count,
                     count - 1, in_quotes(column));
  }
  return static_cast<std::size_t>(number < 0 ? number + count : number);
}

}  // namespace

CsvDataset::CsvDataset(const std::string& path, const CsvDatasetOptions& options) {
  const core::Bytes bytes = core::read_unpacked(path, kMostBytes);
  std::string_view text = core::ByteView(bytes).text();
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Table table(path, text, options.delimiter());
  std::vector<Field> fields;
  bool more = table.next(fields);
  if (!more) fail<FileError>("CsvDataset: '{}' must hold at least one line: it is empty", path);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < table.width(); ++i) {
    names.push_back(options.header() ? std::string(fields[i].get()) : std::to_string(i));
  }
  if (options.header()) more = table.next(fields);

  const std::size_t target = find_column(options.target(), names);
  std::vector<std::size_t> shown;
  for (const std::string& column : options.columns()) shown.push_back(find_column(column, names));
  for (std::size_t i = 0; options.columns().empty() && i < names.size(); ++i) {
    if (i != target) shown.push_back(i);
  }
  for (const std::size_t column : shown) columns_.push_back(names[column]);

  Numbers data(options.dtype(), "dtype"), targets(options.target_dtype(), "target_dtype");
  std::int64_t count = 0;
  for (; more; more = table.next(fields), ++count) {
    for (const std::size_t column : shown) data.read(table, fields, column);
    targets.read(table, fields, target);
  }
  data_ = data.tensor({count, static_cast<std::int64_t>(shown.size())});
  targets_ = targets.tensor({count});
}
Example<> CsvDataset::get(std::size_t index) { return row(index, "CsvDataset"); }
std::optional<std::size_t> CsvDataset::size() const { return rows_of(data_); }

}  // namespace gradus::data::datasets
