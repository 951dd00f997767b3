// AnyValue: a value of whatever type, on its way from one module to the next.
#pragma once

#include <type_traits>
#include <typeinfo>
#include <utility>

#include "../../core/base/export.h"
#include "../../core/base/own.h"

namespace gradus::nn {

namespace detail {
[[noreturn]] GRADUS_API void fail_other_value(const std::type_info& held, const std::type_info& wanted);
}

/// Holds a copy of what it was made of: `AnyValue(3).get<int>()`. The type has to be the very one.
class GRADUS_API AnyValue {
 public:
  AnyValue() noexcept;  ///< empty
  AnyValue(const AnyValue& other);
  AnyValue(AnyValue&& other) noexcept;
  AnyValue& operator=(AnyValue other) noexcept;
  ~AnyValue();
  template <class T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, AnyValue>) explicit AnyValue(T&& value)
      : content_(new Held<std::decay_t<T>>(std::forward<T>(value))) {}

  bool is_empty() const noexcept { return !content_; }
  /// typeid(void) when empty.
  const std::type_info& type_info() const noexcept { return content_ ? content_->type : typeid(void); }
  /// Null when it is another.
  template <class T>
  T* try_get() noexcept {
    static_assert(std::is_same_v<T, std::decay_t<T>>, "an AnyValue holds decayed types: no references, no arrays");
    return type_info() == typeid(T) ? &static_cast<Held<T>&>(*content_).value : nullptr;
  }
  /// TypeError, naming both types, when it is another.
  template <class T>
  T& get() {
    T* value = try_get<T>();
    if (value == nullptr) detail::fail_other_value(type_info(), typeid(T));
    return *value;
  }

 private:
  struct Content {
    explicit Content(const std::type_info& t) noexcept : type(t) {}
    virtual ~Content() = default;
    virtual Content* clone() const = 0;
    const std::type_info& type;
  };
  template <class T>
  struct Held final : Content {
    template <class U>
    explicit Held(U&& v) : Content(typeid(T)), value(std::forward<U>(v)) {}
    Content* clone() const override { return new Held(value); }
    T value;
  };
  core::Own<Content> content_;
};

}  // namespace gradus::nn
