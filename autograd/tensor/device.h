// Where a tensor lives (the CPU), and how one is made.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "../../core/base/dtype.h"

namespace gradus {

enum class DeviceType : std::uint8_t { CPU, CUDA, HIP, MPS, XPU };
inline constexpr DeviceType kCPU = DeviceType::CPU;
// For programs that choose; no tensor can live there.
inline constexpr DeviceType kCUDA = DeviceType::CUDA, kHIP = DeviceType::HIP, kMPS = DeviceType::MPS,
                            kXPU = DeviceType::XPU;

/// There is one kind of device. ValueError for any other type, and any name but "cpu" and "cpu:0".
class GRADUS_API Device {
 public:
  constexpr Device(DeviceType type = kCPU, int index = -1) : type_(type), index_(index) {  // NOLINT
    if (type != kCPU) fail_other(type);
  }
  Device(const char* name) : Device(std::string_view(name)) {}         // NOLINT
  Device(const std::string& name) : Device(std::string_view(name)) {}  // NOLINT
  explicit Device(std::string_view name);
  constexpr DeviceType type() const { return type_; }
  constexpr int index() const { return index_; }
  constexpr bool has_index() const { return index_ != -1; }
  constexpr bool is_cpu() const { return true; }
  constexpr bool is_cuda() const { return false; }
  std::string str() const { return index_ < 0 ? "cpu" : "cpu:" + std::to_string(index_); }
  constexpr bool operator==(const Device&) const = default;

 private:
  [[noreturn]] static void fail_other(DeviceType type);
  DeviceType type_;
  int index_;
};

namespace cuda {
/// There is none: programs that ask choose the CPU.
constexpr bool is_available() { return false; }
constexpr bool cudnn_is_available() { return false; }
constexpr int device_count() { return 0; }
}  // namespace cuda
namespace mps {
constexpr bool is_available() { return false; }
}  // namespace mps
constexpr int getNumGPUs() { return 0; }

/// The order of a tensor's dimensions in memory. Nothing that is computed depends on it, but strides do: ChannelsLast of
/// [N, C, H, W] lies as [N, H, W, C], ChannelsLast3d of [N, C, D, H, W] as [N, D, H, W, C]. Preserve keeps a dense order.
enum class MemoryFormat : std::uint8_t { Contiguous, Preserve, ChannelsLast, ChannelsLast3d };
enum class Layout : std::uint8_t { Strided };
inline constexpr Layout kStrided = Layout::Strided;

/// How a tensor is made: `TensorOptions().dtype(kDouble).requires_grad(true)`, or simply `kDouble`.
class TensorOptions {
 public:
  constexpr TensorOptions() = default;
  constexpr TensorOptions(DType dtype) : dtype_(dtype) {}                    // NOLINT(google-explicit-constructor)
  constexpr TensorOptions(Device) {}                                         // NOLINT(google-explicit-constructor)
  constexpr TensorOptions(DeviceType type) : TensorOptions(Device(type)) {}  // NOLINT(google-explicit-constructor)
  constexpr TensorOptions dtype(std::optional<DType> dtype) const {
    TensorOptions o = *this;
    o.dtype_ = dtype;
    return o;
  }
  constexpr TensorOptions requires_grad(bool requires_grad) const {
    TensorOptions o = *this;
    o.requires_grad_ = requires_grad;
    return o;
  }
  constexpr TensorOptions device(Device) const { return *this; }
  constexpr TensorOptions device(DeviceType type, int index) const { return device(Device(type, index)); }
  constexpr TensorOptions layout(Layout) const { return *this; }
  constexpr TensorOptions pinned_memory(bool) const { return *this; }  ///< there is one kind of memory
  constexpr DType dtype() const { return dtype_ ? *dtype_ : get_default_dtype(); }
  constexpr Device device() const { return {}; }
  constexpr bool has_dtype() const { return dtype_.has_value(); }
  constexpr DType dtype_or(DType otherwise) const { return dtype_.value_or(otherwise); }
  constexpr bool requires_grad() const { return requires_grad_; }

 private:
  std::optional<DType> dtype_;
  bool requires_grad_ = false;
};
inline TensorOptions dtype(DType dtype) { return TensorOptions(dtype); }
inline TensorOptions requires_grad(bool requires_grad = true) { return TensorOptions().requires_grad(requires_grad); }
inline TensorOptions device(Device) { return {}; }

}  // namespace gradus
