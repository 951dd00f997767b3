// An intrusive, atomically counted pointer: one word, and no control block beside the object.
#pragma once

#include <utility>

namespace gradus::core {

/// Owns a share of a T that counts its owners itself: `void T::retain() noexcept` and `void T::release() noexcept`
/// (the release that drops the count to zero destroys the object).
template <class T>
class Ref {
 public:
  Ref() noexcept = default;
  Ref(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  /// Shares ownership of an object that has an owner already.
  explicit Ref(T* shared) noexcept : object_(shared) {
    if (object_ != nullptr) object_->retain();
  }
  /// Takes over the one count that a fresh object is born with.
  static Ref adopt(T* fresh) noexcept {
    Ref ref;
    ref.object_ = fresh;
    return ref;
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->release();
  }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  bool operator==(const Ref& other) const noexcept = default;
  void reset() noexcept { Ref().swap(*this); }
  void swap(Ref& other) noexcept { std::swap(object_, other.object_); }
  /// Gives the count up to the caller.
  T* detach() noexcept { return std::exchange(object_, nullptr); }

 private:
  T* object_ = nullptr;
};

}  // namespace gradus::core
