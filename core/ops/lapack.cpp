#include "lapack.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

#include "../base/fail.h"

// Where the build has found one; empty without GRADUS_LINALG.
#ifndef GRADUS_OPENBLAS
#define GRADUS_OPENBLAS ""
#endif

namespace gradus::core::lapack {

namespace {

// OpenBLAS, and what is to be said where there is none.
struct Library {
  Routines<float> singles;
  Routines<double> doubles;
  std::string missing;
  bool concurrent = false;
};

// The library's names are to be its own, even where the program has others of them. Sanitizers cannot bear that.
int how_to_load() {
  const bool sanitized = dlsym(RTLD_DEFAULT, "__asan_init") != nullptr || dlsym(RTLD_DEFAULT, "__tsan_init") != nullptr;
  return RTLD_NOW | RTLD_LOCAL | (sanitized ? 0 : RTLD_DEEPBIND);
}

template <class F>
bool find(void* library, F*& routine, const std::string& name) {
  routine = reinterpret_cast<F*>(dlsym(library, name.c_str()));  // NOLINT
  return routine != nullptr;
}

template <class T>
bool find_all(void* library, char letter, Routines<T>& r) {
  const auto name = [letter](const char* rest) { return letter + std::string(rest) + "_"; };
  return find(library, r.potrf, name("potrf")) && find(library, r.getrf, name("getrf")) &&
         find(library, r.getrs, name("getrs")) && find(library, r.getri, name("getri")) &&
         find(library, r.trsm, name("trsm")) && find(library, r.geqrf, name("geqrf")) &&
         find(library, r.orgqr, name("orgqr")) && find(library, r.syevd, name("syevd")) &&
         find(library, r.gesdd, name("gesdd")) && find(library, r.gelsy, name("gelsy"));
}

// What openblas_get_parallel says of a build without threads.
constexpr int kSerial = 0;

// Whether several threads may be in it at once. `ours`: nobody else uses this copy.
bool prepare(void* library, bool ours) {
  int (*parallel)() = nullptr;
  void (*set_threads)(int) = nullptr;
  if (!find(library, parallel, "openblas_get_parallel") || parallel() == kSerial) return false;
  if (ours && find(library, set_threads, "openblas_set_num_threads")) set_threads(1);
  return true;
}

Library load() {
  Library library;
  const char* const chosen = std::getenv("GRADUS_OPENBLAS");
  const std::string_view built = GRADUS_OPENBLAS;
  if (built.empty() && chosen == nullptr) {
    library.missing = "this library was built without GRADUS_LINALG";
    return library;
  }
  const std::string path(chosen != nullptr ? std::string_view(chosen) : built);
  const bool ours = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD) == nullptr;
  void* const handle = dlopen(path.c_str(), how_to_load());  // never closed: others' threads may be in it
  if (handle == nullptr) {
    const char* const reason = dlerror();  // NOLINT(concurrency-mt-unsafe): of this thread
    library.missing = reason != nullptr ? reason : path;
  } else if (!find_all(handle, 's', library.singles) || !find_all(handle, 'd', library.doubles)) {
    library.missing = path + " lacks routines of LAPACK";
  } else {
    library.concurrent = prepare(handle, ours);
  }
  return library;
}

const Library& loaded() {
  static const Library library = load();
  return library;
}

}  // namespace

template <class T>
const Routines<T>& routines(const char* op) {
  const Library& library = loaded();
  if (!library.missing.empty()) {
    fail<Error>(
        "{}: linear algebra needs OpenBLAS: {}; install it (Debian: libopenblas0-pthread) and configure again with "
        "-DGRADUS_LINALG=ON, or name its file in the environment variable GRADUS_OPENBLAS",
        op, library.missing);
  }
  if constexpr (sizeof(T) == sizeof(float))
    return library.singles;
  else
    return library.doubles;
}
template const Routines<float>& routines<float>(const char*);
template const Routines<double>& routines<double>(const char*);

bool available() { return loaded().missing.empty(); }

namespace {
std::mutex& turn() {
  static std::mutex mutex;
  return mutex;
}
}  // namespace

Turn::Turn() : locked_(!loaded().concurrent) {
  if (locked_) turn().lock();
}
Turn::~Turn() {
  if (locked_) turn().unlock();
}

}  // namespace gradus::core::lapack
