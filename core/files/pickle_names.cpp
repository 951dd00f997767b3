#include "pickle_names.h"

#include <algorithm>
#include <iterator>

#include "../base/fail.h"
#include "../base/message.h"

namespace gradus::core {
namespace {

struct DTypeNames {
  DType dtype;
  std::string_view storage, name;
};

constexpr DTypeNames kDTypeNames[] = {
    {kBool, "torch BoolStorage", "torch bool"},        {kUInt8, "torch ByteStorage", "torch uint8"},
    {kInt8, "torch CharStorage", "torch int8"},        {kInt16, "torch ShortStorage", "torch int16"},
    {kInt32, "torch IntStorage", "torch int32"},       {kInt64, "torch LongStorage", "torch int64"},
    {kFloat16, "torch HalfStorage", "torch float16"},  {kBFloat16, "torch BFloat16Storage", "torch bfloat16"},
    {kFloat32, "torch FloatStorage", "torch float32"}, {kFloat64, "torch DoubleStorage", "torch float64"}};

constexpr std::string_view kOtherNames[] = {"collections OrderedDict",
                                            "collections Counter",
                                            "torch._utils _rebuild_tensor_v2",
                                            "torch._utils _rebuild_tensor",
                                            "torch._utils _rebuild_parameter",
                                            "torch Size",
                                            "torch device",
                                            "torch.jit._pickle build_intlist",
                                            "torch.jit._pickle build_doublelist",
                                            "torch.jit._pickle build_boollist",
                                            "torch.jit._pickle build_tensorlist",
                                            "torch.jit._pickle restore_type_tag"};

// Tensors that Gradus has not: how Python saves what they hold so that it is read.
struct Foreign {
  std::string_view name;
  const char *what, *cure;
};

constexpr Foreign kForeign[] = {
    {"torch ComplexFloatStorage", "a tensor of dtype complex64", "torch.view_as_real(x.resolve_conj())"},
    {"torch ComplexDoubleStorage", "a tensor of dtype complex128", "torch.view_as_real(x.resolve_conj())"},
    {"torch._utils _rebuild_tensor_v3", "a tensor of a dtype as uint16, float8_e4m3fn or complex32",
     "it converted, as x.to(torch.float32)"},
    {"torch._utils _rebuild_sparse_tensor", "a tensor of a sparse layout", "x.to_dense()"},
    {"torch._utils _rebuild_nested_tensor", "a nested tensor", "list(x.unbind())"},
    {"torch._utils _rebuild_qtensor", "a quantised tensor", "x.dequantize()"},
    {"torch._tensor _rebuild_from_type_v2", "a tensor of a class of its own, or with attributes",
     "x.detach().as_subclass(torch.Tensor)"},
    {"__builtin__ complex", "a complex number", "[z.real, z.imag]"}};

const DTypeNames* first(auto holds) {
  const auto* found = std::find_if(std::begin(kDTypeNames), std::end(kDTypeNames), holds);
  return found == std::end(kDTypeNames) ? nullptr : found;
}

}  // namespace

const DType* storage_named(std::string_view name) {
  const DTypeNames* found = first([&](const DTypeNames& names) { return names.storage == name; });
  return found == nullptr ? nullptr : &found->dtype;
}

const DType* dtype_named(std::string_view name) {
  const DTypeNames* found = first([&](const DTypeNames& names) { return names.name == name; });
  return found == nullptr ? nullptr : &found->dtype;
}

std::string_view storage_name_of(DType dtype) {
  return first([&](const DTypeNames& names) { return names.dtype == dtype; })->storage;
}

bool is_known_name(std::string_view name) {
  return name.starts_with("__torch__ ") || name.starts_with("__torch__.") || storage_named(name) != nullptr ||
         dtype_named(name) != nullptr ||
         std::find(std::begin(kOtherNames), std::end(kOtherNames), name) != std::end(kOtherNames);
}

void fail_unknown_name(std::string_view name, const std::string& file, std::size_t at) {
  for (const Foreign& foreign : kForeign) {
    if (foreign.name == name) {
      fail<FileError>(
          "pickle: '{}' must hold dense tensors of bool, integers and floats: it holds {}, at byte {}; save {}", file,
          foreign.what, at, foreign.cure);
    }
  }
  std::string dotted(name);
  if (const std::size_t space = dotted.find(' '); space != std::string::npos) dotted[space] = '.';
  fail<FileError>(
      "pickle: '{}' must name only what tensors and plain values need: it names {}, at byte {}; nothing of a file is "
      "executed: save a state_dict(), or convert what it holds to tensors, numbers, texts, lists and dictionaries",
      file, in_quotes(dotted), at);
}

bool lies_within(const PickledTensor& tensor, const PickledStorage& storage) {
  if (tensor.shape.size() != tensor.strides.size() || tensor.offset < 0) return false;
  // Sizes of zero count as ones in the number of bytes: strides are products too.
  std::int64_t last = tensor.offset, bytes = size_of(storage.dtype);
  bool empty = false;
  for (int d = 0; d < tensor.shape.size(); ++d) {
    const std::int64_t size = std::max<std::int64_t>(tensor.shape[d], 1);
    std::int64_t span = 0;
    empty = empty || tensor.shape[d] == 0;
    if (__builtin_mul_overflow(bytes, size, &bytes) || __builtin_mul_overflow(size - 1, tensor.strides[d], &span) ||
        __builtin_add_overflow(last, span, &last)) {
      return false;
    }
  }
  return empty ? static_cast<std::uint64_t>(tensor.offset) <= storage.numel
               : static_cast<std::uint64_t>(last) < storage.numel;
}

}  // namespace gradus::core
