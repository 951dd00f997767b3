// A pointer that owns.
#pragma once

#include <cstddef>
#include <utility>

namespace gradus::core {

/// What std::unique_ptr<T> does, for members of classes that every file includes: the standard's takes some fifty helper
/// classes more to compile. T may be incomplete where the owner's constructors and destructor are defined elsewhere.
template <class T>
class Own {
 public:
  Own() noexcept = default;
  explicit Own(T* fresh) noexcept : object_(fresh) {}
  Own(Own&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Own& operator=(Own&& other) noexcept {
    Own(std::move(other)).swap(*this);
    return *this;
  }
  Own& operator=(std::nullptr_t) noexcept {
    Own().swap(*this);
    return *this;
  }
  ~Own() { delete object_; }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  bool operator==(std::nullptr_t) const noexcept { return object_ == nullptr; }
  void swap(Own& other) noexcept { std::swap(object_, other.object_); }

 private:
  T* object_ = nullptr;
};

}  // namespace gradus::core
