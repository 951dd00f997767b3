// libpng and libjpeg-turbo are loaded when first used, as OpenBLAS is: nobody has to link them. Their headers say how they
// are called, and by which name the linker knows the version that they describe; only where that name is not found is the
// file tried that was there when this was built.
#include "image_codecs.h"

#include <dlfcn.h>

#include <cctype>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#ifdef GRADUS_LIBPNG
#include <png.h>
#endif
#ifdef GRADUS_LIBJPEG
#include <jpeglib.h>

#include <jerror.h>
#endif

#include "../../core/base/fail.h"

namespace gradus::data::detail {
namespace {

using core::ByteView;
using core::fail;

[[noreturn]] void damaged(const std::string& path, const char* format, const std::string& why) {
  fail<FileError>("read_image: '{}' must be a whole {} picture: {}", path, format, why);
}
[[noreturn, maybe_unused]] void missing(const std::string& path, const char* format, const char* package,
                                        const std::string& why) {
  fail<FileError>("read_image: '{}' is a {} picture, which takes {} (Debian: {}): {}", path, format,
                  std::strcmp(format, "PNG") == 0 ? "libpng" : "libjpeg-turbo", package, why);
}

// Sizes that the header claims, before any memory is asked for.
void check_size(std::int64_t width, std::int64_t height, const std::string& path, const char* format,
                std::int64_t max_pixels) {
  if (width <= 0 || height <= 0) damaged(path, format, fmt::format("its size is {} x {}", width, height));
  if (width > max_pixels / height) {
    fail<FileError>("read_image: '{}' must have at most {} pixels (max_pixels): {} x {}", path, max_pixels, width,
                    height);
  }
}

#if defined(GRADUS_LIBPNG) || defined(GRADUS_LIBJPEG)
// Never closed. Null with the reason.
void* load(const std::string& name, const char* built_with, std::string& why) {
  if (void* const handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
  const char* const reason = dlerror();  // NOLINT(concurrency-mt-unsafe): of this thread
  why = reason != nullptr ? reason : name;
  void* const handle = dlopen(built_with, RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) why.clear();
  return handle;
}
template <class F>
void find(void* library, F& function, const char* name, std::string& why) {
  if (library == nullptr) return;
  function = reinterpret_cast<F>(dlsym(library, name));  // NOLINT
  if (function == nullptr && why.empty()) why = std::string("it lacks ") + name;
}
#endif

#ifdef GRADUS_LIBPNG
struct Png {
  Png() {
    void* const library =
        load(fmt::format("libpng{}.so.{}", PNG_LIBPNG_VER_DLLNUM, PNG_LIBPNG_VER_SONUM), GRADUS_LIBPNG, why);
    find(library, begin, "png_image_begin_read_from_memory", why);
    find(library, finish, "png_image_finish_read", why);
    find(library, free, "png_image_free", why);
  }
  decltype(&png_image_begin_read_from_memory) begin = nullptr;
  decltype(&png_image_finish_read) finish = nullptr;
  decltype(&png_image_free) free = nullptr;
  std::string why;
};

// Chunks that say how bright a sample's number is meant: libpng would convert the numbers by them, other readers (PIL,
// torchvision) pass them over. Empty when there are none.
core::Bytes without_gamma(ByteView file) {
  core::Bytes out;
  std::size_t at = 8, copied = 0;  // behind the signature
  while (at + 12 <= file.size()) {
    const unsigned char* const p = file.data() + at;
    const std::size_t size = std::size_t{p[0]} << 24 | std::size_t{p[1]} << 16 | std::size_t{p[2]} << 8 | p[3];
    const std::string_view name = file.text().substr(at + 4, 4);
    if (name == "IDAT" || size > file.size() - at - 12) break;
    if (name == "gAMA" || name == "cHRM" || name == "sRGB" || name == "iCCP") {
      out.insert(out.end(), file.begin() + copied, file.begin() + at);
      copied = at + 12 + size;
    }
    at += 12 + size;
  }
  if (copied > 0) out.insert(out.end(), file.begin() + copied, file.end());
  return out;
}

Picture decode_png(ByteView file, const std::string& path, std::int64_t max_pixels) {
  const core::Bytes stripped = without_gamma(file);
  if (!stripped.empty()) file = stripped;
  static const Png png;
  if (!png.why.empty()) missing(path, "PNG", "libpng16-16", png.why);
  struct Image : png_image {  // freed whatever happens
    Image() : png_image{} { version = PNG_IMAGE_VERSION; }
    Image(const Image&) = delete;
    Image& operator=(const Image&) = delete;
    ~Image() { png.free(this); }
  } image;
  if (png.begin(&image, file.data(), file.size()) == 0) damaged(path, "PNG", image.message);
  check_size(image.width, image.height, path, "PNG", max_pixels);
  // What shines through is passed over, as other readers do.
  const bool indexed = (image.format & PNG_FORMAT_FLAG_COLORMAP) != 0;
  image.format = indexed ? PNG_FORMAT_RGBA_COLORMAP : PNG_FORMAT_RGBA;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  const std::size_t pixels = std::size_t{image.width} * image.height;
  Picture picture{image.height, image.width, {}};
  if (indexed) {
    std::vector<unsigned char> indices(pixels), palette(4 * 256);
    if (png.finish(&image, nullptr, indices.data(), 0, palette.data()) == 0) damaged(path, "PNG", image.message);
    picture.rgb.resize(3 * pixels);
    for (std::size_t i = 0; i < pixels; ++i) {
      if (indices[i] >= image.colormap_entries) {
        damaged(
            path, "PNG",
            fmt::format("its palette has {} colours, pixel {} is of number {}", image.colormap_entries, i, indices[i]));
      }
      std::memcpy(&picture.rgb[3 * i], &palette[4 * std::size_t{indices[i]}], 3);
    }
    return picture;
  }
  std::vector<unsigned char> rgba(4 * pixels);
  if (png.finish(&image, nullptr, rgba.data(), 0, nullptr) == 0) damaged(path, "PNG", image.message);
  picture.rgb.resize(3 * pixels);
  for (std::size_t i = 0; i < pixels; ++i) std::memcpy(&picture.rgb[3 * i], &rgba[4 * i], 3);
  return picture;
}
#else
Picture decode_png(ByteView, const std::string& path, std::int64_t) {
  missing(path, "PNG", "libpng-dev", "this library was built without it");
}
#endif

#ifdef GRADUS_LIBJPEG
// 62, or 8 for the interface of libjpeg 8.
constexpr int kJpegVersion = JPEG_LIB_VERSION >= 70 ? JPEG_LIB_VERSION / 10 : JPEG_LIB_VERSION;

struct Jpeg {
  Jpeg() {
    void* const library = load(fmt::format("libjpeg.so.{}", kJpegVersion), GRADUS_LIBJPEG, why);
    find(library, std_error, "jpeg_std_error", why);
    find(library, create, "jpeg_CreateDecompress", why);
    find(library, source, "jpeg_mem_src", why);
    find(library, header, "jpeg_read_header", why);
    find(library, start, "jpeg_start_decompress", why);
    find(library, rows, "jpeg_read_scanlines", why);
    find(library, finish, "jpeg_finish_decompress", why);
    find(library, destroy, "jpeg_destroy_decompress", why);
  }
  decltype(&jpeg_std_error) std_error = nullptr;
  decltype(&jpeg_CreateDecompress) create = nullptr;
  decltype(&jpeg_mem_src) source = nullptr;
  decltype(&jpeg_read_header) header = nullptr;
  decltype(&jpeg_start_decompress) start = nullptr;
  decltype(&jpeg_read_scanlines) rows = nullptr;
  decltype(&jpeg_finish_decompress) finish = nullptr;
  decltype(&jpeg_destroy_decompress) destroy = nullptr;
  std::string why;
};

// libjpeg's errors jump: out of functions in which nothing has a destructor.
struct JpegReading {
  jpeg_error_mgr errors;  // first: libjpeg hands back its address
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  bool cut_off;
  jpeg_decompress_struct info;
};

void on_error(j_common_ptr info) {
  auto* const reading = reinterpret_cast<JpegReading*>(info->err);
  info->err->format_message(info, reading->message);
  std::longjmp(reading->jump, 1);
}
void on_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) reinterpret_cast<JpegReading*>(info->err)->cut_off = true;
}

bool read_header(const Jpeg& jpeg, JpegReading& reading, ByteView file) {
  if (setjmp(reading.jump) != 0) return false;
  jpeg.create(&reading.info, JPEG_LIB_VERSION, sizeof(jpeg_decompress_struct));
  jpeg.source(&reading.info, file.data(), file.size());
  jpeg.header(&reading.info, 1);
  reading.info.out_color_space = JCS_RGB;
  return true;
}
bool read_rows(const Jpeg& jpeg, JpegReading& reading, unsigned char* to) {
  if (setjmp(reading.jump) != 0) return false;
  jpeg.start(&reading.info);
  while (reading.info.output_scanline < reading.info.output_height) {
    JSAMPROW row = to + std::size_t{reading.info.output_scanline} * reading.info.output_width * 3;
    jpeg.rows(&reading.info, &row, 1);
  }
  jpeg.finish(&reading.info);
  return true;
}

Picture decode_jpeg(ByteView file, const std::string& path, std::int64_t max_pixels) {
  static const Jpeg jpeg;
  if (!jpeg.why.empty()) missing(path, "JPEG", "libjpeg62-turbo", jpeg.why);
  struct Reading : JpegReading {
    Reading() : JpegReading{} {
      info.err = jpeg.std_error(&errors);
      errors.error_exit = on_error;
      errors.emit_message = on_message;
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() {
      if (info.mem != nullptr) jpeg.destroy(&info);
    }
  } reading;
  if (!read_header(jpeg, reading, file)) damaged(path, "JPEG", reading.message);
  Picture picture{reading.info.image_height, reading.info.image_width, {}};
  check_size(picture.width, picture.height, path, "JPEG", max_pixels);
  picture.rgb.resize(static_cast<std::size_t>(3 * picture.width * picture.height));
  if (!read_rows(jpeg, reading, picture.rgb.data())) damaged(path, "JPEG", reading.message);
  if (reading.cut_off) damaged(path, "JPEG", "it is cut off");
  return picture;
}
#else
Picture decode_jpeg(ByteView, const std::string& path, std::int64_t) {
  missing(path, "JPEG", "libjpeg62-turbo-dev", "this library was built without it");
}
#endif

// P5 (grey) and P6 (colours): the letters, three numbers with comments between them, one space, the bytes.
Picture decode_pnm(ByteView file, const std::string& path, std::int64_t max_pixels) {
  const bool grey = file[1] == '5';
  std::size_t at = 2;
  const auto number = [&] {
    while (at < file.size() && (std::isspace(file[at]) != 0 || file[at] == '#')) {
      if (file[at] == '#') {
        while (at < file.size() && file[at] != '\n') ++at;
      } else {
        ++at;
      }
    }
    std::int64_t value = 0;
    for (; at < file.size() && std::isdigit(file[at]) != 0 && value < 100'000'000; ++at)
      value = 10 * value + file[at] - '0';
    return value;
  };
  const std::int64_t width = number(), height = number(), most = number();
  ++at;
  check_size(width, height, path, "PNM", max_pixels);
  if (most != 255) damaged(path, "PNM", fmt::format("its greatest value must be 255: {}", most));
  const auto pixels = static_cast<std::size_t>(width * height), bytes = (grey ? 1 : 3) * pixels;
  if (at > file.size() || file.size() - at < bytes) {
    damaged(path, "PNM",
            fmt::format("{} bytes must follow its header: {}", bytes, at > file.size() ? 0 : file.size() - at));
  }
  Picture picture{height, width, std::vector<unsigned char>(3 * pixels)};
  if (!grey) std::memcpy(picture.rgb.data(), file.data() + at, bytes);
  for (std::size_t i = 0; grey && i < pixels; ++i) std::memset(&picture.rgb[3 * i], file[at + i], 3);
  return picture;
}

}  // namespace

Picture decode(ByteView file, const std::string& path, std::int64_t max_pixels) {
  const auto begins = [&](std::string_view with) { return file.text().substr(0, with.size()) == with; };
  if (begins("\x89PNG")) return decode_png(file, path, max_pixels);
  if (begins("\xFF\xD8")) return decode_jpeg(file, path, max_pixels);
  if (begins("P5") || begins("P6")) return decode_pnm(file, path, max_pixels);
  fail<FileError>("read_image: '{}' must be a PNG, JPEG, PPM or PGM picture: its first bytes are no such", path);
}

}  // namespace gradus::data::detail
