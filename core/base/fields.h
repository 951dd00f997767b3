// A struct's fields by name: one line lists them, and printing, graphs and modules' texts go over that list.
//
//   struct Over {
//     Dims dims;
//     bool keepdim = false;
//     static constexpr auto fields = named("dim", &Over::dims, "keepdim", &Over::keepdim);
//   };
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace gradus {
namespace core {

template <class T>
concept HasFields = requires {
  T::fields.entries;
};

/// The name of a field that is passed over where it has its usual value.
template <class T>
struct Unless {
  T usual;
  const char* name;
};

/// Names, each with a member (or a const member function without parameters, for a value that is computed), and members
/// without a name that have fields of their own.
template <class... Entry>
struct Fields {
  std::tuple<Entry...> entries;

  /// Calls visit(name, value) for each field of an object, which visit may change unless it is const.
  template <std::size_t I = 0, class S, class Visit>
  constexpr void each(S& object, const Visit& visit) const {
    if constexpr (I < sizeof...(Entry)) {
      const auto& entry = std::get<I>(entries);
      if constexpr (std::is_member_pointer_v<At<I>>) {
        auto& part = object.*entry;
        std::remove_cvref_t<decltype(part)>::fields.each(part, visit);
        each<I + 1>(object, visit);
      } else {
        const auto member = std::get<I + 1>(entries);
        if constexpr (std::is_member_function_pointer_v<At<I + 1>>)
          show(entry, (object.*member)(), visit);
        else
          show(entry, object.*member, visit);
        each<I + 2>(object, visit);
      }
    }
  }
  /// Calls visit(name) for each field, without an object.
  template <std::size_t I = 0, class Visit>
  constexpr void each_name(const Visit& visit) const {
    if constexpr (I < sizeof...(Entry)) {
      if constexpr (std::is_member_pointer_v<At<I>>) {
        fields_of(std::get<I>(entries)).each_name(visit);
        each_name<I + 1>(visit);
      } else {
        show(std::get<I>(entries), visit);
        each_name<I + 2>(visit);
      }
    }
  }

 private:
  template <std::size_t I>
  using At = std::tuple_element_t<I, std::tuple<Entry...>>;
  template <class T, class Visit>
  static constexpr void show(const char* name, T&& value, const Visit& visit) {
    visit(name, value);
  }
  template <class U, class T, class Visit>
  static constexpr void show(const Unless<U>& field, T&& value, const Visit& visit) {
    if (!(value == field.usual)) visit(field.name, value);
  }
  template <class Visit>
  static constexpr void show(const char* name, const Visit& visit) {
    visit(name);
  }
  template <class U, class Visit>
  static constexpr void show(const Unless<U>& field, const Visit& visit) {
    visit(field.name);
  }
  template <class S, class Part>
  static constexpr const auto& fields_of(Part S::*) {
    return Part::fields;
  }
};

}  // namespace core

/// The list of a struct's fields, in the order in which they are printed: `named("p", &Attrs::p, "eps", &Attrs::eps)`.
/// A member without a name before it stands for its own fields; an empty name leaves the value alone to be printed.
template <class... Entry>
constexpr core::Fields<Entry...> named(Entry... entries) {
  return {{entries...}};
}
/// In the place of a name: the field is listed unless it has its usual value, `unless(false, "inplace")`.
template <class T>
constexpr core::Unless<T> unless(T usual, const char* name) {
  return {usual, name};
}

}  // namespace gradus
