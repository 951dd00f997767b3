// Shapes by other names and in other forms: views made of views, and copies that move elements about.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"
#include "reduce.h"
#include "views.h"

namespace gradus {

// Views.

GRADUS_API Tensor broadcast_to(Operand x, IntArrayRef shape);  ///< x.expand(shape)
/// Each expanded to the shape that all broadcast to.
GRADUS_API std::vector<Tensor> broadcast_tensors(OperandList tensors);
GRADUS_API Tensor movedim(Operand x, IntArrayRef source, IntArrayRef destination);
GRADUS_API Tensor moveaxis(Operand x, std::int64_t source, std::int64_t destination);
GRADUS_API Tensor moveaxis(Operand x, IntArrayRef source, IntArrayRef destination);
GRADUS_API Tensor swapaxes(Operand x, std::int64_t axis0, std::int64_t axis1);
GRADUS_API Tensor swapdims(Operand x, std::int64_t dim0, std::int64_t dim1);
GRADUS_API Tensor adjoint(Operand x);  ///< the last two dimensions swapped: numbers are real
/// A dimension in the place of which `sizes` come; one of them may be -1.
GRADUS_API Tensor unflatten(Operand x, std::int64_t dim, IntArrayRef sizes);
/// Windows of a dimension, `size` long, every `step`: [.., (n - size) / step + 1, .., size]. A view: windows may overlap.
GRADUS_API Tensor unfold(Operand x, std::int64_t dim, std::int64_t size, std::int64_t step);
/// From a 0-d integer tensor's number on.
GRADUS_API Tensor narrow(Operand x, std::int64_t dim, const Tensor& start, std::int64_t length);
GRADUS_API std::vector<Tensor> split(Operand x, IntArrayRef sizes, std::int64_t dim = 0);
GRADUS_API std::vector<Tensor> split_with_sizes(Operand x, IntArrayRef sizes, std::int64_t dim = 0);
/// As many parts, the first n % sections of them one longer; or cut before each index; a tensor stands for either.
GRADUS_API std::vector<Tensor> tensor_split(Operand x, std::int64_t sections, std::int64_t dim = 0);
GRADUS_API std::vector<Tensor> tensor_split(Operand x, IntArrayRef indices, std::int64_t dim = 0);
GRADUS_API std::vector<Tensor> tensor_split(Operand x, const Tensor& indices_or_sections, std::int64_t dim = 0);
/// The same along dimension 1 (of a vector 0), 0 and 2; the sections are of one size. ShapeError where there is no such
/// dimension, ValueError unless the sections divide it.
GRADUS_API std::vector<Tensor> hsplit(Operand x, std::int64_t sections);
GRADUS_API std::vector<Tensor> hsplit(Operand x, IntArrayRef indices);
GRADUS_API std::vector<Tensor> vsplit(Operand x, std::int64_t sections);
GRADUS_API std::vector<Tensor> vsplit(Operand x, IntArrayRef indices);
GRADUS_API std::vector<Tensor> dsplit(Operand x, std::int64_t sections);
GRADUS_API std::vector<Tensor> dsplit(Operand x, IntArrayRef indices);
/// With leading dimensions of size 1 (of a matrix in 3-d: a last one).
GRADUS_API Tensor atleast_1d(Operand x);
GRADUS_API Tensor atleast_2d(Operand x);
GRADUS_API Tensor atleast_3d(Operand x);
GRADUS_API std::vector<Tensor> atleast_1d(OperandList tensors);
GRADUS_API std::vector<Tensor> atleast_2d(OperandList tensors);
GRADUS_API std::vector<Tensor> atleast_3d(OperandList tensors);
/// The coordinates of a grid: the i-th tensor along dimension i of all ("ij"), the first two swapped ("xy").
GRADUS_API std::vector<Tensor> meshgrid(OperandList tensors, std::string_view indexing = "ij");

// Views where strides permit, else copies.

GRADUS_API Tensor ravel(Operand x);
/// Channels, in groups: [N, g c, ..] of c to a group in the order of c.
GRADUS_API Tensor channel_shuffle(Operand x, std::int64_t groups);
/// [.., C r^2, H, W] -> [.., C, H r, W r]; and back.
GRADUS_API Tensor pixel_shuffle(Operand x, std::int64_t upscale_factor);
GRADUS_API Tensor pixel_unshuffle(Operand x, std::int64_t downscale_factor);

// Copies.

GRADUS_API Tensor hstack(OperandList tensors);        ///< along the columns (of 1-d ones: one behind the other)
GRADUS_API Tensor vstack(OperandList tensors);        ///< as rows
GRADUS_API Tensor dstack(OperandList tensors);        ///< along the third dimension
GRADUS_API Tensor column_stack(OperandList tensors);  ///< along dimension 1; vectors and numbers are columns
/// Matrices along the diagonal of one, 0 elsewhere; vectors are rows, numbers matrices of one element.
GRADUS_API Tensor block_diag(OperandList tensors);
GRADUS_API Tensor concat(OperandList tensors, std::int64_t dim = 0);
GRADUS_API Tensor concatenate(OperandList tensors, std::int64_t dim = 0);
/// Elements move on by so many places, those at the end to the beginning; without dims of the flattened tensor.
GRADUS_API Tensor roll(Operand x, IntArrayRef shifts, IntArrayRef dims = {});
/// Turned k times by 90 degrees, from the first of two dimensions towards the second.
GRADUS_API Tensor rot90(Operand x, std::int64_t k = 1, IntArrayRef dims = {0, 1});
GRADUS_API Tensor fliplr(Operand x);                  ///< flip({1})
GRADUS_API Tensor flipud(Operand x);                  ///< flip({0})
GRADUS_API Tensor tile(Operand x, IntArrayRef dims);  ///< repeat, where missing numbers are 1
/// A matrix with x [n] on a diagonal; a copy of the diagonal of a matrix.
GRADUS_API Tensor diag(Operand x, std::int64_t diagonal = 0);
GRADUS_API Tensor diagflat(Operand x, std::int64_t offset = 0);
/// Matrices, in dimensions dim1 and dim2 of the result, with x's last dimension on a diagonal and 0 elsewhere.
GRADUS_API Tensor diag_embed(Operand x, std::int64_t offset = 0, std::int64_t dim1 = -2, std::int64_t dim2 = -1);
/// All choices of r elements of x [n], in order: [n over r, r].
GRADUS_API Tensor combinations(Operand x, std::int64_t r = 2, bool with_replacement = false);
/// All tuples of an element of each: [n1 n2 .., number of tensors]; one alone stays as it is.
GRADUS_API Tensor cartesian_prod(OperandList tensors);
/// Counts before and after each dimension, the last one first; "constant", or what stands there is x's own: "reflect" (not
/// the border itself), "replicate" (the border), "circular" (from the other side). Only constant counts may be negative.
GRADUS_API Tensor pad(Operand x, IntArrayRef pad, std::string_view mode = "constant",
                      std::optional<double> value = std::nullopt);
GRADUS_API Tensor reflection_pad1d(Operand x, IntArrayRef padding);
GRADUS_API Tensor reflection_pad2d(Operand x, IntArrayRef padding);
GRADUS_API Tensor reflection_pad3d(Operand x, IntArrayRef padding);
GRADUS_API Tensor replication_pad1d(Operand x, IntArrayRef padding);
GRADUS_API Tensor replication_pad2d(Operand x, IntArrayRef padding);
GRADUS_API Tensor replication_pad3d(Operand x, IntArrayRef padding);

GRADUS_API Tensor trace(Operand x);  ///< the sum of a matrix's diagonal

/// In place, 0 above or below a diagonal.
GRADUS_API Tensor& tril_(Operand x, std::int64_t diagonal = 0);
GRADUS_API Tensor& triu_(Operand x, std::int64_t diagonal = 0);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class ShapeMembers {
 public:
  Tensor broadcast_to(IntArrayRef shape, Location at = Location::here()) const {
    return gradus::broadcast_to({self(), at}, shape);
  }
  Tensor movedim(IntArrayRef source, IntArrayRef destination, Location at = Location::here()) const {
    return gradus::movedim({self(), at}, source, destination);
  }
  Tensor movedim(std::int64_t source, std::int64_t destination, Location at = Location::here()) const {
    return gradus::movedim({self(), at}, source, destination);
  }
  Tensor moveaxis(std::int64_t source, std::int64_t destination, Location at = Location::here()) const {
    return gradus::moveaxis({self(), at}, source, destination);
  }
  Tensor moveaxis(IntArrayRef source, IntArrayRef destination, Location at = Location::here()) const {
    return gradus::moveaxis({self(), at}, source, destination);
  }
  Tensor swapaxes(std::int64_t axis0, std::int64_t axis1, Location at = Location::here()) const {
    return gradus::swapaxes({self(), at}, axis0, axis1);
  }
  Tensor swapdims(std::int64_t dim0, std::int64_t dim1, Location at = Location::here()) const {
    return gradus::swapdims({self(), at}, dim0, dim1);
  }
  Tensor mT(Location at = Location::here()) const { return gradus::adjoint({self(), at}); }
  Tensor mH(Location at = Location::here()) const { return gradus::adjoint({self(), at}); }
  Tensor adjoint(Location at = Location::here()) const { return gradus::adjoint({self(), at}); }
  Tensor unflatten(std::int64_t dim, IntArrayRef sizes, Location at = Location::here()) const {
    return gradus::unflatten({self(), at}, dim, sizes);
  }
  Tensor unfold(std::int64_t dim, std::int64_t size, std::int64_t step, Location at = Location::here()) const {
    return gradus::unfold({self(), at}, dim, size, step);
  }
  Tensor narrow(std::int64_t dim, std::int64_t start, std::int64_t length, Location at = Location::here()) const {
    return gradus::narrow({self(), at}, dim, start, length);
  }
  Tensor narrow(std::int64_t dim, const Tensor& start, std::int64_t length, Location at = Location::here()) const {
    return gradus::narrow({self(), at}, dim, start, length);
  }
  std::vector<Tensor> split(std::int64_t size, std::int64_t dim = 0, Location at = Location::here()) const {
    return gradus::split({self(), at}, size, dim);
  }
  std::vector<Tensor> split(IntArrayRef sizes, std::int64_t dim = 0, Location at = Location::here()) const {
    return gradus::split({self(), at}, sizes, dim);
  }
  std::vector<Tensor> split_with_sizes(IntArrayRef sizes, std::int64_t dim = 0, Location at = Location::here()) const {
    return gradus::split_with_sizes({self(), at}, sizes, dim);
  }
  std::vector<Tensor> tensor_split(std::int64_t sections, std::int64_t dim = 0, Location at = Location::here()) const {
    return gradus::tensor_split({self(), at}, sections, dim);
  }
  std::vector<Tensor> tensor_split(IntArrayRef indices, std::int64_t dim = 0, Location at = Location::here()) const {
    return gradus::tensor_split({self(), at}, indices, dim);
  }
  std::vector<Tensor> tensor_split(const Tensor& indices_or_sections, std::int64_t dim = 0,
                                   Location at = Location::here()) const {
    return gradus::tensor_split({self(), at}, indices_or_sections, dim);
  }
  std::vector<Tensor> hsplit(std::int64_t sections, Location at = Location::here()) const {
    return gradus::hsplit({self(), at}, sections);
  }
  std::vector<Tensor> hsplit(IntArrayRef indices, Location at = Location::here()) const {
    return gradus::hsplit({self(), at}, indices);
  }
  std::vector<Tensor> vsplit(std::int64_t sections, Location at = Location::here()) const {
    return gradus::vsplit({self(), at}, sections);
  }
  std::vector<Tensor> vsplit(IntArrayRef indices, Location at = Location::here()) const {
    return gradus::vsplit({self(), at}, indices);
  }
  std::vector<Tensor> dsplit(std::int64_t sections, Location at = Location::here()) const {
    return gradus::dsplit({self(), at}, sections);
  }
  std::vector<Tensor> dsplit(IntArrayRef indices, Location at = Location::here()) const {
    return gradus::dsplit({self(), at}, indices);
  }
  Tensor ravel(Location at = Location::here()) const { return gradus::ravel({self(), at}); }
  Tensor roll(IntArrayRef shifts, IntArrayRef dims = {}, Location at = Location::here()) const {
    return gradus::roll({self(), at}, shifts, dims);
  }
  Tensor rot90(std::int64_t k = 1, IntArrayRef dims = {0, 1}, Location at = Location::here()) const {
    return gradus::rot90({self(), at}, k, dims);
  }
  Tensor fliplr(Location at = Location::here()) const { return gradus::fliplr({self(), at}); }
  Tensor flipud(Location at = Location::here()) const { return gradus::flipud({self(), at}); }
  Tensor tile(IntArrayRef dims, Location at = Location::here()) const { return gradus::tile({self(), at}, dims); }
  Tensor diag(std::int64_t diagonal = 0, Location at = Location::here()) const {
    return gradus::diag({self(), at}, diagonal);
  }
  Tensor diagflat(std::int64_t offset = 0, Location at = Location::here()) const {
    return gradus::diagflat({self(), at}, offset);
  }
  Tensor diag_embed(std::int64_t offset = 0, std::int64_t dim1 = -2, std::int64_t dim2 = -1,
                    Location at = Location::here()) const {
    return gradus::diag_embed({self(), at}, offset, dim1, dim2);
  }
  Tensor trace(Location at = Location::here()) const { return gradus::trace({self(), at}); }
  Tensor sum_to_size(IntArrayRef shape, Location at = Location::here()) const {
    return gradus::sum_to_size({self(), at}, shape);
  }
  Tensor& tril_(std::int64_t diagonal = 0, Location at = Location::here()) const {
    return gradus::tril_({self(), at}, diagonal);
  }
  Tensor& triu_(std::int64_t diagonal = 0, Location at = Location::here()) const {
    return gradus::triu_({self(), at}, diagonal);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
