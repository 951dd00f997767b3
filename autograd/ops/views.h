// Views and copies.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/device.h"
#include "../tensor/operand.h"

namespace gradus {

GRADUS_API Tensor reshape(Operand x, IntArrayRef shape);
GRADUS_API Tensor flatten(Operand x, std::int64_t start_dim = 0, std::int64_t end_dim = -1);
GRADUS_API Tensor permute(Operand x, IntArrayRef dims);
GRADUS_API Tensor transpose(Operand x, std::int64_t dim0, std::int64_t dim1);
GRADUS_API Tensor t(Operand x);
GRADUS_API Tensor movedim(Operand x, std::int64_t source, std::int64_t destination);
GRADUS_API Tensor squeeze(Operand x);
GRADUS_API Tensor squeeze(Operand x, std::int64_t dim);
GRADUS_API Tensor unsqueeze(Operand x, std::int64_t dim);
GRADUS_API Tensor select(Operand x, std::int64_t dim, std::int64_t index);
GRADUS_API Tensor slice(Operand x, std::int64_t dim, std::optional<std::int64_t> start = {},
                        std::optional<std::int64_t> stop = {}, std::int64_t step = 1);
GRADUS_API Tensor narrow(Operand x, std::int64_t dim, std::int64_t start, std::int64_t length);
GRADUS_API Tensor diagonal(Operand x, std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1);
GRADUS_API Tensor as_strided(Operand x, IntArrayRef shape, IntArrayRef strides,
                             std::optional<std::int64_t> storage_offset = {});
GRADUS_API std::vector<Tensor> split(Operand x, std::int64_t size, std::int64_t dim = 0);
GRADUS_API std::vector<Tensor> chunk(Operand x, std::int64_t chunks, std::int64_t dim = 0);
GRADUS_API std::vector<Tensor> unbind(Operand x, std::int64_t dim = 0);
GRADUS_API Tensor clone(Operand x);
GRADUS_API Tensor clone(Operand x, MemoryFormat format);  ///< in that order of dimensions in memory
GRADUS_API Tensor flip(Operand x, IntArrayRef dims);
/// Copies of x side by side: repeats[i] of them along dimension i; leading dimensions may be new.
GRADUS_API Tensor repeat(Operand x, IntArrayRef repeats);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class ViewMembers {
 public:
  Tensor repeat(IntArrayRef repeats, Location at = Location::here()) const {
    return gradus::repeat({self(), at}, repeats);
  }
  Tensor reshape(IntArrayRef shape, Location at = Location::here()) const {
    return gradus::reshape({self(), at}, shape);
  }
  Tensor flatten(std::int64_t start_dim = 0, std::int64_t end_dim = -1, Location at = Location::here()) const {
    return gradus::flatten({self(), at}, start_dim, end_dim);
  }
  Tensor permute(IntArrayRef dims, Location at = Location::here()) const { return gradus::permute({self(), at}, dims); }
  Tensor transpose(std::int64_t dim0, std::int64_t dim1, Location at = Location::here()) const {
    return gradus::transpose({self(), at}, dim0, dim1);
  }
  Tensor t(Location at = Location::here()) const { return gradus::t({self(), at}); }
  Tensor squeeze(Location at = Location::here()) const { return gradus::squeeze({self(), at}); }
  Tensor squeeze(std::int64_t dim, Location at = Location::here()) const { return gradus::squeeze({self(), at}, dim); }
  Tensor unsqueeze(std::int64_t dim, Location at = Location::here()) const {
    return gradus::unsqueeze({self(), at}, dim);
  }
  Tensor select(std::int64_t dim, std::int64_t index, Location at = Location::here()) const {
    return gradus::select({self(), at}, dim, index);
  }
  Tensor slice(std::int64_t dim, std::optional<std::int64_t> start = {}, std::optional<std::int64_t> stop = {},
               std::int64_t step = 1, Location at = Location::here()) const {
    return gradus::slice({self(), at}, dim, start, stop, step);
  }
  Tensor diagonal(std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1,
                  Location at = Location::here()) const {
    return gradus::diagonal({self(), at}, offset, dim1, dim2);
  }
  Tensor as_strided(IntArrayRef shape, IntArrayRef strides, std::optional<std::int64_t> storage_offset = {},
                    Location at = Location::here()) const {
    return gradus::as_strided({self(), at}, shape, strides, storage_offset);
  }
  std::vector<Tensor> chunk(std::int64_t chunks, std::int64_t dim = 0, Location at = Location::here()) const {
    return gradus::chunk({self(), at}, chunks, dim);
  }
  std::vector<Tensor> unbind(std::int64_t dim = 0, Location at = Location::here()) const {
    return gradus::unbind({self(), at}, dim);
  }
  Tensor clone(Location at = Location::here()) const { return gradus::clone({self(), at}); }
  Tensor clone(MemoryFormat format, Location at = Location::here()) const {
    return gradus::clone({self(), at}, format);
  }
  Tensor flip(IntArrayRef dims, Location at = Location::here()) const { return gradus::flip({self(), at}, dims); }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
