#include "mnist.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include <gradus/core/base/errors.h>
#include <gradus/core/files/idx.h>

namespace examples {
namespace {

constexpr int kMaxPixel = 255, kMaxLabel = 9;

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw gradus::FileError("mnist: " + fmt::format(format, std::forward<Args>(args)...));
}

bool exists(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0;
}

// Where the file `name` lies, plain or gzipped; empty, and noted in `missing`, when it is neither.
std::string find(const std::string& directory, const std::string& name, std::string& missing) {
  for (const char* ending : {"", ".gz"}) {
    std::string path = directory + "/" + name + ending;
    if (exists(path)) return path;
  }
  missing += (missing.empty() ? "" : ", ") + name;
  return {};
}

gradus::core::Idx read(const std::string& path, std::size_t dims) {
  gradus::core::Idx idx = gradus::core::read_idx(path);
  if (idx.type != gradus::core::IdxType::UInt8 || idx.shape.size() != dims) {
    fail("'{}' must hold bytes in {} dimension{}: it holds elements of type {:02x} and shape [{}]", path, dims,
         dims == 1 ? "" : "s", static_cast<int>(idx.type), fmt::join(idx.shape, ", "));
  }
  return idx;
}

Images read_pair(const std::string& images_path, const std::string& labels_path) {
  gradus::core::Idx pixels = read(images_path, 3), labels = read(labels_path, 1);
  if (pixels.shape[0] != labels.shape[0]) {
    fail("there must be a label for each image: '{}' holds {} images, '{}' {} labels", images_path, pixels.shape[0],
         labels_path, labels.shape[0]);
  }
  if (pixels.bytes.empty()) {
    fail("'{}' must hold at least one image: its shape is [{}]", images_path, fmt::join(pixels.shape, ", "));
  }
  const auto wrong =
      std::find_if(labels.bytes.begin(), labels.bytes.end(), [](int label) { return label > kMaxLabel; });
  if (wrong != labels.bytes.end()) {
    fail("label {} of '{}' must be from 0 to {}: it is {}", wrong - labels.bytes.begin(), labels_path, kMaxLabel,
         *wrong);
  }
  Images images;
  images.count = pixels.shape[0];
  images.height = pixels.shape[1];
  images.width = pixels.shape[2];
  images.max_pixel = kMaxPixel;
  images.pixels = std::move(pixels.bytes);
  images.labels = std::move(labels.bytes);
  return images;
}

}  // namespace

Dataset load_mnist(const std::string& directory) {
  if (!exists(directory)) {
    fail("there is no folder '{}': `examples/fetch_mnist {}` makes it and brings the four files", directory, directory);
  }
  std::string missing;
  const std::string train_images = find(directory, "train-images-idx3-ubyte", missing);
  const std::string train_labels = find(directory, "train-labels-idx1-ubyte", missing);
  const std::string test_images = find(directory, "t10k-images-idx3-ubyte", missing);
  const std::string test_labels = find(directory, "t10k-labels-idx1-ubyte", missing);
  if (!missing.empty()) {
    fail(
        "the folder '{}' must hold the four files of MNIST, plain or gzipped (.gz): {} missing; `examples/fetch_mnist "
        "{}` brings what is missing",
        directory, missing, directory);
  }
  Dataset set = {read_pair(train_images, train_labels), read_pair(test_images, test_labels)};
  if (set.train.height != set.test.height || set.train.width != set.test.width) {
    fail("all images must have one size: those of '{}' have {} x {}, those of '{}' {} x {}", train_images,
         set.train.height, set.train.width, test_images, set.test.height, set.test.width);
  }
  return set;
}

}  // namespace examples
