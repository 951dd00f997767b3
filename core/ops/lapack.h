// LAPACK's routines, as OpenBLAS brings them: loaded when first used. For the library's own sources.
//
// They come from a file that is loaded by its path, whose names nobody else sees: a program that links another LAPACK keeps
// it, and nobody links anything for the sake of linear algebra. OpenBLAS's build with POSIX threads is held to one thread,
// unless the program had loaded that very file before, whose setting then stays the program's: a matrix is one call, so its
// bits do not depend on how many of our threads share a batch. (The serial build, as distributions make it, keeps its buffers
// without a lock: where it is all there is, one thread at a time is let into it.)
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::core::lapack {

using Int = std::int32_t;
/// Behind all others a routine of Fortran takes the length of each of its texts.
using Length = std::size_t;

/// The routines for T, float or double, under LAPACK's names without their first letter. Matrices are column-major.
template <class T>
struct Routines {
  void (*potrf)(const char* uplo, const Int* n, T* a, const Int* lda, Int* info, Length);
  void (*getrf)(const Int* m, const Int* n, T* a, const Int* lda, Int* pivots, Int* info);
  void (*getrs)(const char* trans, const Int* n, const Int* columns, const T* a, const Int* lda, const Int* pivots,
                T* b, const Int* ldb, Int* info, Length);
  void (*getri)(const Int* n, T* a, const Int* lda, const Int* pivots, T* work, const Int* size, Int* info);
  void (*trsm)(const char* side, const char* uplo, const char* trans, const char* diag, const Int* m, const Int* n,
               const T* alpha, const T* a, const Int* lda, T* b, const Int* ldb, Length, Length, Length, Length);
  void (*geqrf)(const Int* m, const Int* n, T* a, const Int* lda, T* tau, T* work, const Int* size, Int* info);
  void (*orgqr)(const Int* m, const Int* n, const Int* k, T* a, const Int* lda, const T* tau, T* work, const Int* size,
                Int* info);
  void (*syevd)(const char* jobz, const char* uplo, const Int* n, T* a, const Int* lda, T* w, T* work, const Int* size,
                Int* iwork, const Int* isize, Int* info, Length, Length);
  void (*gesdd)(const char* jobz, const Int* m, const Int* n, T* a, const Int* lda, T* s, T* u, const Int* ldu, T* vt,
                const Int* ldvt, T* work, const Int* size, Int* iwork, Int* info, Length);
  void (*gelsy)(const Int* m, const Int* n, const Int* columns, T* a, const Int* lda, T* b, const Int* ldb, Int* pivots,
                const T* rcond, Int* rank, T* work, const Int* size, Int* info);
};

/// Error in the operation's name, with the cure, when there is no OpenBLAS.
template <class T>
const Routines<T>& routines(const char* op);

/// Whether there is one.
bool available();

/// Lets several threads into it, or one at a time.
class Turn {
 public:
  Turn();
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  bool locked_;
};

}  // namespace gradus::core::lapack
