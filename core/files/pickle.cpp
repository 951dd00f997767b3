#include "pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "../base/fail.h"
#include "../base/message.h"
#include "../memory/memory_limit.h"
#include "pickle_names.h"

namespace gradus::core {
namespace {

using Kind = Value::Kind;
using Node = Value::Node;

// Marks a dictionary as an object whose attributes are still to come.
constexpr const char* kObject = "object";

// A stack machine. Values are nodes; names stand for what Python would look up and call, and are never called.
class Machine {
 public:
  Machine(ByteView bytes, const std::string& file)
      : bytes_(bytes),
        file_(file),
        most_nodes_(static_cast<std::uint64_t>(memory_limit().bytes) / 20 / sizeof(Value)) {}

  Pickled run() {
    for (bool ended = false; !ended;) ended = step(byte());
    out_.size = at_;
    // What stands in several places costs two bytes at each.
    out_.values.check_tree("pickle", file_, 16 * at_ + 1000);
    return std::move(out_);
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail<FileError>("pickle: '{}' must hold a pickle of tensors and plain values: {}, at byte {}", file_,
                    fmt::format(format, std::forward<Args>(args)...), at_);
  }

  ByteView take(std::uint64_t count) {
    if (count > bytes_.size() - at_) refuse("{} bytes are claimed where {} are left", count, bytes_.size() - at_);
    at_ += static_cast<std::size_t>(count);
    return {bytes_.data() + at_ - count, static_cast<std::size_t>(count)};
  }
  unsigned char byte() { return take(1)[0]; }
  std::uint64_t number(std::size_t count) {
    const ByteView bytes = take(count);
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | bytes[i];
    return value;
  }
  std::string_view line() {
    const std::string_view rest = bytes_.text().substr(at_);
    const std::size_t end = rest.substr(0, 1000).find('\n');
    if (end == std::string_view::npos) refuse("a name does not end");
    at_ += end + 1;
    return rest.substr(0, end);
  }

  void push(Node node) {
    if (values().nodes.size() > most_nodes_) refuse("it makes more than {} values, as memory allows", most_nodes_);
    stack_.push_back(node);
  }
  Node pop() {
    const Node node = top();
    stack_.pop_back();
    return node;
  }
  Node top() const {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("a value is taken that is not there");
    return stack_.back();
  }
  /// What was pushed since the last mark.
  std::vector<Node> since_mark() {
    if (marks_.empty()) refuse("a mark is taken that is not there");
    const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Node> nodes(from, stack_.end());
    stack_.erase(from, stack_.end());
    marks_.pop_back();
    return nodes;
  }
  std::vector<Node> popped(std::size_t count) {
    std::vector<Node> nodes(count);
    while (count-- > 0) nodes[count] = pop();
    return nodes;
  }
  Values& values() { return out_.values; }
  Value& at(Node node) { return out_.values[node]; }

  void push_text(ByteView bytes) {
    if (!is_utf8(bytes.text())) refuse("a text is not UTF-8");
    push(values().text(bytes.text()));
  }
  void push_name(std::string_view module, std::string_view name) {
    const std::string full = std::string(module) + " " + std::string(name);
    if (!is_known_name(full)) fail_unknown_name(full, file_, at_);
    if (const DType* dtype = dtype_named(full)) return push(values().integer(static_cast<std::int64_t>(*dtype)));
    const Node node = values().add(Kind::Name);
    at(node).text = full;
    push(node);
  }
  // Integers of up to eight bytes; longer ones have no place here.
  void push_long(std::uint64_t count) {
    const ByteView bytes = take(count);
    if (count > 8) refuse("an integer takes {} bytes, above 8", count);
    std::uint64_t value = count > 0 && (bytes[static_cast<std::size_t>(count) - 1] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
    push(values().integer(static_cast<std::int64_t>(value)));
  }
  void remember(std::uint64_t place) {
    if (memo_.size() > most_nodes_) refuse("it remembers more than {} values, as memory allows", most_nodes_);
    memo_[place] = top();
  }
  void recall(std::uint64_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) refuse("what is remembered as {} is asked for, and nothing is", place);
    push(found->second);
  }
  void append(Node to, const std::vector<Node>& items, Kind kind) {
    if (at(to).kind != kind) refuse("items are added to what is no {}", kind == Kind::Dict ? "dictionary" : "list");
    if (kind == Kind::Dict && items.size() % 2 != 0) refuse("a key is without a value");
    at(to).items.insert(at(to).items.end(), items.begin(), items.end());
  }

  // One opcode; whether it was the last.
  bool step(unsigned char opcode) {
    switch (opcode) {
      case 0x80:  // PROTO
        if (const unsigned char protocol = byte(); protocol < 2 || protocol > 5)
          refuse("its protocol is {}, and known are 2 to 5", protocol);
        break;
      case 0x95:  // FRAME
        take(8);
        break;
      case '.':  // STOP
        out_.values.root = pop();
        if (!stack_.empty() || !marks_.empty()) refuse("values are left over");
        return true;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        break;
      case '0':  // POP
        if (!marks_.empty() && marks_.back() == stack_.size())
          marks_.pop_back();
        else
          pop();
        break;
      case '1':  // POP_MARK
        since_mark();
        break;
      case '2':  // DUP
        push(top());
        break;
      case 'N':
        push(values().add(Kind::None));
        break;
      case 0x88:
      case 0x89:
        push(values().boolean(opcode == 0x88));
        break;
      case 'K':
      case 'M':
        push(values().integer(static_cast<std::int64_t>(number(opcode == 'K' ? 1 : 2))));
        break;
      case 'J':
        push(values().integer(static_cast<std::int32_t>(number(4))));
        break;
      case 0x8a:
      case 0x8b:
        push_long(number(opcode == 0x8a ? 1 : 4));
        break;
      case 'G': {  // big endian
        const ByteView digits = take(8);
        std::uint64_t bits = 0;
        for (const unsigned char digit : digits) bits = bits << 8 | digit;
        push(values().number(std::bit_cast<double>(bits)));
        break;
      }
      case 'X':
      case 'T':
        push_text(take(number(4)));
        break;
      case 0x8c:
      case 'U':
        push_text(take(number(1)));
        break;
      case 0x8d:
        push_text(take(number(8)));
        break;
      case '}':
        push(values().add(Kind::Dict));
        break;
      case ']':
        push(values().add(Kind::List));
        break;
      case ')':
        push(values().add(Kind::Tuple));
        break;
      case 't':
        push_all(Kind::Tuple, since_mark());
        break;
      case 'l':
        push_all(Kind::List, since_mark());
        break;
      case 'd': {
        std::vector<Node> items = since_mark();
        const Node dict = values().add(Kind::Dict);
        append(dict, items, Kind::Dict);
        push(dict);
        break;
      }
      case 0x85:
      case 0x86:
      case 0x87:
        push_all(Kind::Tuple, popped(opcode - std::size_t{0x84}));
        break;
      case 'a':
      case 'e': {
        const std::vector<Node> items = opcode == 'a' ? popped(1) : since_mark();
        append(top(), items, Kind::List);
        break;
      }
      case 's':
      case 'u': {
        const std::vector<Node> items = opcode == 's' ? popped(2) : since_mark();
        append(top(), items, Kind::Dict);
        break;
      }
      case 'c': {
        const std::string_view module = line();
        push_name(module, line());
        break;
      }
      case 0x93: {
        const Node name = pop(), module = pop();
        if (at(name).kind != Kind::Text || at(module).kind != Kind::Text) refuse("a name is no text");
        push_name(std::string(at(module).text), std::string(at(name).text));
        break;
      }
      case 'q':
      case 'r':
        remember(number(opcode == 'q' ? 1 : 4));
        break;
      case 0x94:
        remember(memo_.size());
        break;
      case 'h':
      case 'j':
        recall(number(opcode == 'h' ? 1 : 4));
        break;
      case 'Q':
        push(storage(pop()));
        break;
      case 'R':
      case 0x81: {
        const Node arguments = pop(), name = pop();
        push(made(name, arguments));
        break;
      }
      case 'b':
        build(pop());
        break;
      default:
        refuse("the opcode {:02x} is none that they need", opcode);
    }
    return false;
  }
  void push_all(Kind kind, std::vector<Node> items) { push(values().add(kind, std::move(items))); }

  const Value& argument(Node tuple, std::size_t i, Kind kind) {
    if (at(tuple).kind != Kind::Tuple || at(tuple).items.size() <= i || at(at(tuple).items[i]).kind != kind)
      refuse("argument {} of a call is not of its kind", i);
    return at(at(tuple).items[i]);
  }

  // ("storage", type, key, location, count): the last two change nothing here but what is claimed.
  Node storage(Node id) {
    if (argument(id, 0, Kind::Text).text != "storage") refuse("a persistent thing is no storage");
    const DType* dtype = storage_named(argument(id, 1, Kind::Name).text);
    if (dtype == nullptr) refuse("a storage is of {}", in_quotes(argument(id, 1, Kind::Name).text));
    const std::string key = argument(id, 2, Kind::Text).text;
    const std::int64_t count = argument(id, 4, Kind::Int).integer;
    if (count < 0) refuse("a storage has {} elements", count);
    const auto [found, fresh] = keys_.emplace(key, out_.storages.size());
    if (fresh) out_.storages.push_back({key, *dtype, static_cast<std::uint64_t>(count)});
    const PickledStorage& known = out_.storages[found->second];
    if (known.dtype != *dtype || known.numel != static_cast<std::uint64_t>(count)) {
      refuse("storage {} is once {} of {} and once {} of {}", in_quotes(key), known.numel, known.dtype, count, *dtype);
    }
    const Node node = values().add(Kind::Storage);
    at(node).integer = static_cast<std::int64_t>(found->second);
    return node;
  }

  Shape sizes(Node tuple, std::size_t i, const char* what) {
    if (at(tuple).items.size() <= i || at(at(tuple).items[i]).kind != Kind::Tuple) refuse("a tensor has no {}", what);
    const std::vector<Node>& items = at(at(tuple).items[i]).items;
    if (items.size() > kMaxDims) refuse("a tensor has {} dimensions, above {}", items.size(), kMaxDims);
    Shape shape;
    for (const Node item : items) {
      if (at(item).kind != Kind::Int || at(item).integer < 0)
        refuse("a tensor's {} are not all integers of 0 or more", what);
      shape.push_back(at(item).integer);
    }
    return shape;
  }

  // _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks, bits)
  Node tensor(Node arguments) {
    PickledTensor tensor;
    tensor.storage = static_cast<std::size_t>(argument(arguments, 0, Kind::Storage).integer);
    tensor.offset = argument(arguments, 1, Kind::Int).integer;
    tensor.shape = sizes(arguments, 2, "sizes");
    tensor.strides = sizes(arguments, 3, "strides");
    const PickledStorage& storage = out_.storages[tensor.storage];
    if (!lies_within(tensor, storage)) {
      refuse("a tensor of shape {}, strides {} and offset {} does not lie in its storage of {}", tensor.shape,
             tensor.strides, tensor.offset, storage.numel);
    }
    const std::vector<Node>& given = at(arguments).items;
    if (given.size() > 6 && values().find(at(given[6]), "neg") != nullptr)
      refuse("a tensor is the negative of what its storage holds: save x.resolve_neg()");
    const bool requires_grad = given.size() > 4 && argument(arguments, 4, Kind::Bool).flag;
    const Node node = values().add(Kind::Array);
    at(node).integer = static_cast<std::int64_t>(out_.tensors.size());
    at(node).flag = requires_grad;
    out_.tensors.push_back(tensor);
    return node;
  }
  Node made(Node name, Node arguments) {
    if (at(name).kind != Kind::Name) refuse("what is called is no name");
    if (at(arguments).kind != Kind::Tuple) refuse("the arguments of a call are no tuple");
    const std::string& what = at(name).text;
    const std::vector<Node>& given = at(arguments).items;
    if (what == "torch._utils _rebuild_tensor_v2" || what == "torch._utils _rebuild_tensor") return tensor(arguments);
    if (what == "torch._utils _rebuild_parameter") {
      const Value& data = argument(arguments, 0, Kind::Array);
      const std::int64_t which = data.integer;
      const bool requires_grad = argument(arguments, 1, Kind::Bool).flag;
      const Node node = values().add(Kind::Array);
      at(node).integer = which;
      at(node).flag = requires_grad;
      return node;
    }
    if (what == "collections OrderedDict" || what == "collections Counter" || what.starts_with("__torch__")) {
      if (given.size() == 1 && at(given[0]).kind == Kind::Dict) return given[0];
      if (!given.empty()) refuse("{} is made of something else than a dictionary", in_quotes(what));
      const bool is_object = what.starts_with("__torch__");
      const Node node = values().add(Kind::Dict);  // from here on `what` and `given` may have moved
      if (is_object) at(node).text = kObject;
      return node;
    }
    if (what == "torch device") {
      argument(arguments, 0, Kind::Text);
      return given[0];
    }
    const bool is_list = what.starts_with("torch.jit._pickle ");
    if (is_list || what == "torch Size") {
      if (given.empty() || at(given[0]).kind < Kind::List || at(given[0]).kind > Kind::Dict)
        refuse("{} is made of no list", in_quotes(what));
      return given[0];
    }
    refuse("{} is called", in_quotes(what));
  }

  // Attributes: of an object all that it holds; of a dictionary nothing that it needs.
  void build(Node state) {
    const Node object = top();
    if (at(object).kind != Kind::Dict) refuse("attributes are given to what has none");
    if (at(object).text != kObject) return;
    if (at(state).kind != Kind::Dict || state == object) refuse("the attributes of an object are no dictionary");
    at(object).items = std::exchange(at(state).items, {});  // moved: copies could be made of many by few bytes
    at(object).text.clear();
  }

  ByteView bytes_;
  const std::string& file_;
  std::uint64_t most_nodes_;
  std::size_t at_ = 0;
  Pickled out_;
  std::vector<Node> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Node> memo_;
  std::unordered_map<std::string, std::size_t> keys_;
};

}  // namespace

Pickled parse_pickle(ByteView bytes, const std::string& name) { return Machine(bytes, name).run(); }

}  // namespace gradus::core
