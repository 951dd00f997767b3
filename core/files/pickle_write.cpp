#include <bit>

#include "../base/fail.h"
#include "../base/message.h"
#include "pickle.h"
#include "pickle_names.h"

namespace gradus::core {
namespace {

class Writer {
 public:
  explicit Writer(const Pickled& from) : from_(from) {}

  Bytes all() {
    out_ = {0x80, 2};
    value(from_.values.root, 0);
    out_.push_back('.');
    return std::move(out_);
  }

 private:
  void opcode(char c) { out_.push_back(static_cast<unsigned char>(c)); }
  void number(std::uint64_t value, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out_.push_back(static_cast<unsigned char>(value >> (8 * i)));
  }
  void bytes(std::string_view text) { out_.insert(out_.end(), text.begin(), text.end()); }

  void integer(std::int64_t value) {
    if (value >= 0 && value < 256) {
      opcode('K');
      number(static_cast<std::uint64_t>(value), 1);
    } else if (value == static_cast<std::int32_t>(value)) {
      opcode('J');
      number(static_cast<std::uint64_t>(value), 4);
    } else {
      out_.push_back(0x8a);
      number(8, 1);
      number(static_cast<std::uint64_t>(value), 8);
    }
  }
  void text(std::string_view text) {
    if (!is_utf8(text) || text.size() > 0xffffffff)
      fail<ValueError>("pickle: texts must be UTF-8: {}", in_quotes(text));
    opcode('X');
    number(text.size(), 4);
    bytes(text);
  }
  void boolean(bool value) { out_.push_back(value ? 0x88 : 0x89); }
  // "module name"
  void name(std::string_view full) {
    const std::size_t space = full.find(' ');
    opcode('c');
    bytes(full.substr(0, space));
    opcode('\n');
    bytes(full.substr(space + 1));
    opcode('\n');
  }
  void sizes(const Shape& shape) {
    opcode('(');
    for (const std::int64_t size : shape) integer(size);
    opcode('t');
  }

  void tensor(const PickledTensor& tensor, bool requires_grad) {
    const PickledStorage& storage = from_.storages[tensor.storage];
    name("torch._utils _rebuild_tensor_v2");
    opcode('(');
    opcode('(');
    text("storage");
    name(storage_name_of(storage.dtype));
    text(storage.key);
    text("cpu");
    integer(static_cast<std::int64_t>(storage.numel));
    opcode('t');
    opcode('Q');
    integer(tensor.offset);
    sizes(tensor.shape);
    sizes(tensor.strides);
    boolean(requires_grad);
    name("collections OrderedDict");  // hooks: none
    opcode(')');
    opcode('R');
    opcode('t');
    opcode('R');
  }

  void several(const Value& value, char end, int level) {
    opcode('(');
    for (const Value::Node item : value.items) this->value(item, level + 1);
    opcode(end);
  }

  void value(Value::Node node, int level) {
    Values::check_level("pickle", level);
    const Value& value = from_.values[node];
    switch (value.kind) {
      case Value::Kind::Bool:
        return boolean(value.flag);
      case Value::Kind::Int:
        return integer(value.integer);
      case Value::Kind::Double: {
        opcode('G');
        const auto digits = std::bit_cast<std::uint64_t>(value.number);
        for (int i = 7; i >= 0; --i) number(digits >> (8 * i) & 0xff, 1);
        return;
      }
      case Value::Kind::Text:
        return text(value.text);
      case Value::Kind::List:
        opcode(']');
        return several(value, 'e', level);
      case Value::Kind::Tuple:
        return several(value, 't', level);
      case Value::Kind::Dict:
        opcode('}');
        return several(value, 'u', level);
      case Value::Kind::Array:
        return tensor(from_.tensors[static_cast<std::size_t>(value.integer)], value.flag);
      default:
        opcode('N');
    }
  }

  const Pickled& from_;
  Bytes out_;
};

}  // namespace

Bytes to_pickle(const Pickled& pickled) { return Writer(pickled).all(); }

}  // namespace gradus::core
