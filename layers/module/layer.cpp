#include "layer.h"

namespace gradus::nn {

std::string detail::repr(const autograd::AttributeList& fields) {
  std::string text;
  for (const autograd::Attribute& field : fields) {
    if (!text.empty()) text += ", ";
    if (!field.name.empty()) text += field.name + "=";
    text += field.value;
  }
  return text;
}

}  // namespace gradus::nn
