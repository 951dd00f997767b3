// A training in one file, from which it goes on to the same bits.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../../autograd/files/archive.h"
#include "../../core/base/export.h"
#include "../../core/ops/random.h"
#include "../../layers/module/module.h"
#include "../data/samplers.h"
#include "../optimizer.h"
#include "../schedules/lr_scheduler.h"
#include "history.h"
#include "metrics.h"

namespace gradus::train {

/// What a training consists of, by name, and the file that it is kept in.
///
///     std::int64_t epoch = 0;
///     train::Checkpoint checkpoint("run.safetensors");
///     checkpoint.add("model", net).add("optimizer", optimizer).add("schedule", schedule).add("epoch", epoch);
///     checkpoint.add("generator", default_generator());         // the stream of dropout and of shuffling
///     checkpoint.resume();                                      // false where there is no file: a new training
///     for (; epoch < epochs;) {
///       ...
///       ++epoch;
///       checkpoint.save();
///     }
///
/// A part is held as long as the Checkpoint lives: modules by their handle, everything else by reference. Parts of another
/// kind are added by two functions.
class GRADUS_API Checkpoint {
 public:
  using Write = std::function<void(serialize::OutputArchive&)>;
  using Read = std::function<void(serialize::InputArchive&)>;

  explicit Checkpoint(std::string path);
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;
  ~Checkpoint();

  // ValueError for a name that is empty, has a dot, or is taken.

  Checkpoint& add(const std::string& name, std::shared_ptr<nn::Module> module);
  template <class M>
  Checkpoint& add(const std::string& name, const nn::ModuleHolder<M>& module) {
    return add(name, std::shared_ptr<nn::Module>(module.base_ptr()));
  }
  Checkpoint& add(const std::string& name, nn::Module& module);
  Checkpoint& add(const std::string& name, optim::Optimizer& optimizer);
  Checkpoint& add(const std::string& name, optim::Schedule& schedule);
  Checkpoint& add(const std::string& name, const Generator& generator);  ///< a copy draws from the same stream
  Checkpoint& add(const std::string& name, std::int64_t& number);
  Checkpoint& add(const std::string& name, double& number);
  Checkpoint& add(const std::string& name, const Tensor& tensor);  ///< stays the tensor that it is
  Checkpoint& add(const std::string& name, History& history);
  Checkpoint& add(const std::string& name, EarlyStopping& stopping);
  /// A sampler, or a data loader with its sampler's position: what has position() and set_position().
  template <class Positioned>
  requires requires(Positioned& p, const data::samplers::Position& at) {
    { p.position() } -> std::convertible_to<data::samplers::Position>;
    p.set_position(at);
  }
  Checkpoint& add(const std::string& name, Positioned& p) {
    return add_position(
        name, [&p]() -> data::samplers::Position { return p.position(); },
        [&p](const data::samplers::Position& at) { p.set_position(at); });
  }
  /// `write` fills an archive of the part's own, which `read` is given again: what the file holds of it, or,
  /// where a part does not take that, what it wrote just before.
  Checkpoint& add(const std::string& name, Write write, Read read);

  /// Writes all parts. A kill at any moment, or a disk that is full, leaves the file as it was or the new one whole.
  /// FileError when it cannot be written.
  void save() const;
  /// Takes over what the file holds; false, and nothing happens, where there is none. Where a part does not take what is
  /// there, all are as they were before, and the error says which: FileError for a file that is none, ValueError where parts
  /// are missing, or more, or those of another training.
  bool resume();
  const std::string& path() const noexcept { return path_; }

 private:
  struct Part {
    std::string name, kind;
    Write write;
    Read read;
  };
  Checkpoint& add_part(const std::string& name, std::string kind, Write write, Read read);
  /// The parts up to `last`; returns the names of those that do not take what they wrote.
  std::string put_back(const std::vector<IValueDict>& before, std::size_t last);
  Checkpoint& add_position(const std::string& name, std::function<data::samplers::Position()> get,
                           std::function<void(const data::samplers::Position&)> set);

  std::string path_;
  std::vector<Part> parts_;
};

}  // namespace gradus::train
