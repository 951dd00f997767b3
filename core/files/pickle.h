// Python's pickle format, for tensors and plain values: read by a machine that knows the opcodes and the dozen names that
// they need, and executes nothing (https://github.com/python/cpython/blob/3.12/Lib/pickletools.py describes the opcodes).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../base/export.h"
#include "files.h"
#include "values.h"

namespace gradus::core {

/// A storage that a pickle speaks of; its bytes stand elsewhere.
struct PickledStorage {
  std::string key;
  DType dtype = kFloat32;
  std::uint64_t numel = 0;
};

/// A view of one of them.
struct PickledTensor {
  std::size_t storage = 0;
  std::int64_t offset = 0;
  Shape shape, strides;
};

/// What one pickle holds: values whose Arrays are numbers of `tensors`.
struct Pickled {
  Values values;
  std::vector<PickledStorage> storages;  ///< each key once
  std::vector<PickledTensor> tensors;
  std::size_t size = 0;  ///< bytes up to its end
};

/// Reads the pickle (protocols 2 to 5) that `bytes` begin with. Known are numbers, texts, lists, tuples, dictionaries
/// (OrderedDict and Counter too), tensors, parameters, sizes, devices, dtypes (as their numbers), and the objects of the
/// C++ frontend's archives (as dictionaries). FileError, with `name` and the actual values in it, for any other name, opcode
/// or use, and where the bytes end early. What is allocated is in proportion to the bytes, and to no more than a 20th of
/// the memory that there is.
GRADUS_API Pickled parse_pickle(ByteView bytes, const std::string& name);

/// A pickle (protocol 2) of a tree of values, whose arrays are views of `storages`, numbered in the order of `tensors`.
/// ValueError for a text that is not UTF-8, and for more levels than are read.
GRADUS_API Bytes to_pickle(const Pickled& pickled);

}  // namespace gradus::core
