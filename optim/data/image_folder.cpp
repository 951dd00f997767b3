#include <algorithm>
#include <cctype>
#include <filesystem>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../autograd/tensor/create.h"
#include "datasets.h"
#include "image_codecs.h"

namespace gradus::data::datasets {
namespace {

using core::fail;

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

bool is_picture(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".ppm" || ending == ".pgm";
}

void check(const ImageFolderOptions& options, const char* op) {
  if (options.channels() != 1 && options.channels() != 3) {
    fail<ValueError>("{}: channels must be 3 (colours) or 1 (grey): {}", op, options.channels());
  }
  if (options.max_pixels() < 1) fail<ValueError>("{}: max_pixels must be at least 1: {}", op, options.max_pixels());
}

// What is in a folder, in the order of the names.
std::vector<std::filesystem::directory_entry> entries(const std::string& folder) {
  std::error_code error;
  std::vector<std::filesystem::directory_entry> all;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) all.push_back(*at);
  if (error) fail<FileError>("ImageFolder: cannot read the folder '{}': {}", folder, error.message());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

Tensor read_image(const std::string& path, const ImageFolderOptions& options) {
  check(options, "read_image");
  const std::int64_t channels = options.channels();
  const core::Bytes file = core::read_file(path, kMostBytes);
  const auto picture = data::detail::decode(file, path, options.max_pixels());
  core::Array out = core::empty({channels, picture.height, picture.width}, kFloat);
  const std::int64_t pixels = picture.height * picture.width;
  float* const to = out.data_ptr<float>();
  const unsigned char* rgb = picture.rgb.data();
  for (std::int64_t i = 0; i < pixels; ++i, rgb += 3) {
    if (channels == 3) {
      for (int c = 0; c < 3; ++c) to[c * pixels + i] = static_cast<float>(rgb[c]) / 255.0F;
    } else {  // ITU-R 601-2 in 16 bits
      to[i] = static_cast<float>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 0x8000) >> 16) / 255.0F;
    }
  }
  return Tensor(std::move(out));
}

ImageFolder::ImageFolder(std::string root, const ImageFolderOptions& options) : options_(options) {
  check(options, "ImageFolder");
  std::error_code ignored;
  for (const std::filesystem::directory_entry& folder : entries(root)) {
    if (!folder.is_directory(ignored)) continue;
    for (const std::filesystem::directory_entry& file : entries(folder.path().string())) {
      if (!is_picture(file.path()) || !file.is_regular_file(ignored)) continue;
      files_.push_back({file.path().string(), static_cast<std::int64_t>(classes_.size())});
    }
    classes_.push_back(folder.path().filename().string());
  }
  if (files_.empty()) {
    fail<FileError>(
        "ImageFolder: '{}' must hold a folder of pictures (.png, .jpg, .jpeg, .ppm, .pgm) for each class: {} folders "
        "without any",
        root, classes_.size());
  }
}
const ImageFolder::File& ImageFolder::file(std::size_t index) const {
  if (index >= files_.size()) {
    fail<IndexError>("ImageFolder: an index must be below the data set's size: {} of {}", index, files_.size());
  }
  return files_[index];
}
const std::string& ImageFolder::path(std::size_t index) const { return file(index).path; }
std::int64_t ImageFolder::target(std::size_t index) const { return file(index).target; }
Example<> ImageFolder::get(std::size_t index) {
  const File& f = file(index);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(f.path, ignored)) {  // a pipe would be waited for
    fail<FileError>("ImageFolder: '{}' must be a file, as it was when the folder was read: it no longer is", f.path);
  }
  return {read_image(f.path, options_), gradus::tensor(f.target)};
}

}  // namespace gradus::data::datasets
