// What a Record has written down (internal). Things are named by their place in their list; -1: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "../../core/base/location.h"
#include "../../core/base/shape.h"
#include "../../core/memory/pool.h"
#include "../../core/ops/describe.h"
#include "node.h"
#include "numbers.h"

namespace gradus::autograd::detail {

/// Entries first to last, the last excluded, of a list that many share.
struct Range {
  std::uint32_t first = 0, last = 0;
  std::uint32_t size() const { return last - first; }
};

/// All numbers of a small tensor, or statistics and the corner of a large one.
struct RecordedNumbers {
  const char* data = nullptr;  // in Recording::numbers, in the order of indices
  std::size_t count = 0;
  DType dtype = kFloat32;  // what they are computed in
  int statistics = -1;     // in Recording::statistics

  double operator[](std::size_t i) const;
};

/// An operation that computed without being recorded, and where it was called.
struct RecordedMaker {
  std::string name;
  Location at = Location::unknown();
};

/// Copies of numbers, which stay where they are.
class NumbersStore {
 public:
  NumbersStore() = default;
  ~NumbersStore();
  NumbersStore(const NumbersStore&) = delete;
  NumbersStore& operator=(const NumbersStore&) = delete;
  RecordedNumbers copy(const core::Array& x);
  /// Of the last copy.
  void take_back(const RecordedNumbers& n) { used_ -= n.count * static_cast<std::size_t>(size_of(n.dtype)); }

 private:
  char* take(std::size_t bytes);
  struct Block {
    char* data;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  std::size_t used_ = 0;  // of the last block
};

struct RecordedValue {
  enum Kind : std::uint8_t { kResult, kLeaf, kConstant };
  Kind kind = kResult;
  DType dtype = kFloat32;
  int operation = -1, output = 0;  // whose result it is; of a leaf, whose node
  int storage = -1;
  core::Shape shape;
  core::Strides strides;
  std::int64_t offset = 0;
  std::uint64_t writes = 0;
  RecordedNumbers numbers;
  int name = -1;  // in Recording::names
  Range made_by;  // in Recording::makers: of a constant, the last operations that computed it, the latest first
};

struct RecordedSaved {
  const char* kind = "";  // "input" or "output"
  int index = 0;
  int storage = -1;  // -1: packed by a hook
  DType dtype = kFloat32;
  core::Shape shape;
};

struct RecordedOperation {
  std::string name;  // a node may name what dies with it
  std::string_view module;
  int call = -1;  // of that module, in Recording::calls; -1: it began before the record did
  Location at = Location::unknown();
  std::uint64_t number = 0;
  AttributeList attributes;
  Range inputs, outputs, saved;  // in Recording::links (values; -1: undefined), in values, in saved
  int during = -1;               // the backward step that recorded it, under create_graph
  std::int64_t live_bytes = 0;   // after it
  bool is_rule = false, is_leaf = false;
  bool elsewhere = false;  // recorded before, or by another: known by its node alone
};

struct RecordedStorage {
  const void* address = nullptr;
  std::uint64_t serial = 0;  // no other storage's, whatever comes to lie there
  std::int64_t bytes = 0;
  int made_by = -1;        // the operation whose output it was first seen as
  bool of_leaf = false;    // a leaf's own
  int holders = 0;         // values saved in it, now
  int freed_by_step = -1;  // the step after which no node kept it any more
};

struct RecordedGradient {
  int index = 0;  // output or input number
  int to = -1;    // of an input's: the operation, or leaf, that it goes to; -1: nowhere
  int to_output = 0;
  DType dtype = kFloat32;
  core::Shape shape;
  bool known = false;  // whether its numbers were taken: an input's are, unless they go on as they are
  RecordedNumbers numbers;
  const void* storage = nullptr;  // where it lay
  std::int64_t bytes = 0;         // of all of that
};

/// A call of a module, and the one inside which it was made.
struct RecordedCall {
  std::string_view path;
  int outer = -1;
};

/// What a node kept and somebody has changed since.
struct RecordedChange {
  const char* kind;
  int index;
  const char* by;
  Location at = Location::unknown();
};

struct RecordedStep {
  int operation = -1, pass = -1;
  Range of_outputs, of_inputs;  // in Recording::gradients
  Range added;                  // in Recording::added: gradients of this step that met others
  Range freed;                  // in Recording::freed
  Range reference;              // in Recording::gradients: of the inputs, by the rule's reference
  Range composed_of;            // in Recording::reference_names: the operations of the reference
  Range changed;                // in Recording::changes
  std::string reference_error;  // what the reference threw
  std::string error;            // what it, or a hook on it, threw
  double difference = -1;  // largest between the rule's and the reference's, of the latter's largest; -1: not known
  bool released = false, done = false;
  std::int64_t live_before = 0, live_after = 0;
};

struct RecordedPass {
  enum End : std::uint8_t { kOpen, kComplete, kFailed };  // kOpen: it goes on, or went on when the record was stopped
  int outer = -1;                                         // the step of another pass inside which it ran
  Range outputs;                                          // in Recording::links: values, or -1
  End end = kOpen;
  std::string error;  // the exception that ended it
  int failed = -1;    // the operation, or leaf, out of which that came; -1: none
  std::int64_t live_bytes = 0;
};

/// Where a gradient met one that waited already.
struct RecordedSum {
  int operation, output;
};

/// A gradient where it was asked for: at a leaf, at an input of grad(), at a tensor that retains its own.
struct RecordedArrival {
  int pass, operation, output;
  RecordedGradient gradient;
};

/// A tensor without history whose numbers come from one that has some.
struct RecordedStop {
  enum Kind : std::uint8_t { kNone, kDetach, kUnrecorded };
  int value;
  Kind kind;
  int from;          // the value that had history; -1: not seen
  std::string name;  // the operation that was not recorded
  Location at = Location::unknown();
  int after = -1;  // the last event before it, in Recording::moments
};

/// What an optimizer did to a parameter.
struct RecordedUpdate {
  std::string optimizer;
  int operation = -1;  // the leaf
  int value = -1;      // what it was before
  RecordedGradient gradient, before, after;
};

/// An event, and the bytes alive after it.
struct RecordedMoment {
  enum Kind : std::uint8_t { kOperation, kStep, kReleased, kEnd, kUpdate };
  Kind kind;
  int of;  // operation, step, pass or update
  std::int64_t live_bytes;
  std::int64_t of_grads = 0;  // of it in `.grad` of leaves
};

struct Recording {
  core::PooledList<RecordedOperation> operations;
  core::PooledList<RecordedValue> values;
  core::PooledList<RecordedSaved> saved;
  core::PooledList<RecordedStorage> storages;
  core::PooledList<RecordedStep> steps;
  core::PooledList<RecordedPass> passes;
  core::PooledList<RecordedGradient> gradients;
  core::PooledList<RecordedSum> added;
  core::PooledList<RecordedArrival> arrivals;
  core::PooledList<RecordedMoment> moments;
  std::vector<RecordedStop> stops;
  std::vector<RecordedMaker> makers;
  std::vector<RecordedUpdate> updates;
  core::PooledList<RecordedChange> changes;
  core::PooledList<RecordedCall> calls;
  std::vector<std::string> reference_names;
  core::PooledList<int> links, freed;
  NumbersStore numbers;
  core::PooledList<core::Description> statistics;
  std::vector<std::string> names;
  std::unordered_set<std::string> given_names;  // the same ones
  std::int64_t corner = 0;                      // rows and columns of corners
  bool both_ends = false;                       // the last ones, too

  Recording(std::int64_t corner_size, bool last_too) : corner(corner_size), both_ends(last_too) {}

  /// "a", "b", .., "z", "aa", ..: what a value is called in texts, unless it was given a name; with a number behind it where
  /// another was given that one.
  std::string name_of(int value) const;
  /// The value of an operation's output (of a leaf, what it was first); -1 where it was not seen.
  int value_of(int operation, int output) const;
  /// The value that an operation keeps.
  int value_of(const RecordedOperation& of, const RecordedSaved& kept) const;
  /// Of each sum of a step the gradient that came to it, as its place in `gradients`.
  std::vector<std::uint32_t> summands_of(const RecordedStep& step) const;
  /// Whether two are the same numbers, of large tensors as far as they are known.
  bool same(const RecordedNumbers& a, const RecordedNumbers& b) const;
  /// The L2 norm of all elements; NaN where one is.
  double norm(const RecordedNumbers& n, const core::Shape& shape) const;
  /// Which rows, or columns, of `size` are kept of a large tensor.
  std::vector<std::int64_t> kept_of(std::int64_t size) const;
  /// The most bytes alive, and when.
  const RecordedMoment* peak() const;
};

/// "float32[2, 3]".
std::string type_of(DType dtype, const core::Shape& shape);
/// "1.5 MiB".
std::string bytes_text(std::int64_t bytes);

std::string record_text(const Recording& recording);
std::string record_dot(const Recording& recording);
std::string record_json(const Recording& recording);

}  // namespace gradus::autograd::detail
