#include "errors.h"

// Destructors are defined here so that each type's vtable and type information stand in one place: an exception thrown
// by a shared library is caught by its type elsewhere.
namespace gradus {

Error::~Error() = default;
ShapeError::~ShapeError() = default;
DTypeError::~DTypeError() = default;
IndexError::~IndexError() = default;
ValueError::~ValueError() = default;
GradError::~GradError() = default;
MemoryError::~MemoryError() = default;
FileError::~FileError() = default;
ModuleError::~ModuleError() = default;

}  // namespace gradus
