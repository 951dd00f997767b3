// A struct's fields by name: one line lists them, and printing, graphs and modules' texts go over that list.
//
//   struct Over {
//     Dims dims;
//     bool keepdim = false;
//     static constexpr auto fields = named("dim", &Over::dims, "keepdim", &Over::keepdim);
//   };
#pragma once

#include <type_traits>

namespace gradus {
namespace core {

template <class T>
concept HasFields = requires {
  T::fields.rest;
};

/// The name of a field that is passed over where it has its usual value.
template <class T>
struct Unless {
  T usual;
  const char* name;
};

/// Names, each with a member (or a const member function without parameters, for a value that is computed), and members
/// without a name that have fields of their own. A chain of aggregates: every file that includes an operation makes
/// some, and a std::tuple takes several times as long to compile.
template <class... Entry>
struct Fields {};
template <class Type, class S, class... Rest>
struct Fields<const char*, Type S::*, Rest...> {
  const char* name;
  Type S::*member;
  Fields<Rest...> rest;
};
template <class T, class Type, class S, class... Rest>
struct Fields<Unless<T>, Type S::*, Rest...> {
  Unless<T> name;
  Type S::*member;
  Fields<Rest...> rest;
};
template <class Part, class S, class... Rest>
struct Fields<Part S::*, Rest...> {
  Part S::*part;
  Fields<Rest...> rest;
};

/// Calls visit(name, value) for each field of an object, which visit may change unless it is const.
template <class S, class Visit>
void each_field(S&, const Fields<>&, const Visit&) {}
template <class First, class... Rest, class S, class Visit>
void each_field(S& object, const Fields<First, Rest...>& fields, const Visit& visit) {
  if constexpr (requires { fields.part; }) {
    auto& part = object.*fields.part;
    each_field(part, std::remove_cvref_t<decltype(part)>::fields, visit);
  } else {
    const auto show = [&](auto&& value) {
      if constexpr (std::is_same_v<First, const char*>)
        visit(fields.name, value);
      else if (!(value == fields.name.usual))
        visit(fields.name.name, value);
    };
    if constexpr (std::is_member_function_pointer_v<decltype(fields.member)>)
      show((object.*fields.member)());
    else
      show(object.*fields.member);
  }
  each_field(object, fields.rest, visit);
}
template <class S, class Visit>
void each_field(S& object, const Visit& visit) {
  each_field(object, S::fields, visit);
}

/// Calls visit(name) for each field, without an object.
template <class Visit>
void each_field_name(const Fields<>&, const Visit&) {}
template <class First, class... Rest, class Visit>
void each_field_name(const Fields<First, Rest...>& fields, const Visit& visit) {
  if constexpr (requires { fields.part; })
    [&]<class Part, class S>(Part S::*) { each_field_name(Part::fields, visit); }(fields.part);
  else if constexpr (std::is_same_v<First, const char*>)
    visit(fields.name);
  else
    visit(fields.name.name);
  each_field_name(fields.rest, visit);
}

}  // namespace core

/// The list of a struct's fields, in the order in which they are printed: `named("p", &Attrs::p, "eps", &Attrs::eps)`.
/// A member without a name before it stands for its own fields; an empty name leaves the value alone to be printed.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-braces"  // one pair fills the whole chain
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
template <class... Entry>
constexpr core::Fields<Entry...> named(Entry... entries) {
  return {entries...};
}
#pragma GCC diagnostic pop
/// In the place of a name: the field is listed unless it has its usual value, `unless(false, "inplace")`.
template <class T>
constexpr core::Unless<T> unless(T usual, const char* name) {
  return {usual, name};
}

}  // namespace gradus
