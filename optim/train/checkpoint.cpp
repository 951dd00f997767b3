#include "checkpoint.h"

#include <algorithm>
#include <filesystem>

#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "../../layers/module/serialize.h"

namespace gradus::train {
namespace {

constexpr const char* kFormat = "gradus.checkpoint";

using serialize::InputArchive;
using serialize::OutputArchive;

template <class Owner>
Checkpoint::Write writes_state(Owner& owner) {
  return [&owner](OutputArchive& archive) {
    for (const auto& [name, tensor] : owner.state_dict()) archive.write(name, tensor.detach());
  };
}
template <class Owner>
Checkpoint::Read reads_state(Owner& owner) {
  return [&owner](InputArchive& archive) { owner.load_state_dict(serialize::detail::flat(archive.values())); };
}

// A number under "value".
Checkpoint::Write writes_value(std::function<Tensor()> value) {
  return [value = std::move(value)](OutputArchive& archive) { archive.write("value", value()); };
}
Checkpoint::Read reads_value(std::function<void(const Tensor&)> take, DType dtype) {
  return [take = std::move(take), dtype](InputArchive& archive) {
    Tensor value;
    archive.read("value", value);
    if (value.dtype() != dtype || value.numel() != 1)
      core::fail<ValueError>("it must be one number of {}: {} {}", dtype, value.dtype(), value.sizes());
    take(value);
  };
}

Tensor number(double value) { return full({}, value, kFloat64); }
Tensor number(std::int64_t value) { return full({}, Scalar(value), kInt64); }

// A part as it is now, with numbers of its own.
IValueDict copied(const Checkpoint::Write& write) {
  OutputArchive archive;
  write(archive);
  IValue values(archive.values());
  values.each_tensor([](Tensor& each) { each = each.detach().clone(); });
  return values.toGenericDict();
}

}  // namespace

Checkpoint::Checkpoint(std::string path) : path_(std::move(path)) {}
Checkpoint::~Checkpoint() = default;

Checkpoint& Checkpoint::add_part(const std::string& name, std::string kind, Write write, Read read) {
  if (name.empty() || name.find('.') != std::string::npos || name == kFormat)
    core::fail<ValueError>("Checkpoint: a part's name must not be empty or have a dot: {}", core::in_quotes(name));
  if (std::any_of(parts_.begin(), parts_.end(), [&](const Part& each) { return each.name == name; }))
    core::fail<ValueError>("Checkpoint: there is a part {} already", core::in_quotes(name));
  parts_.push_back({name, std::move(kind), std::move(write), std::move(read)});
  return *this;
}

Checkpoint& Checkpoint::add(const std::string& name, Write write, Read read) {
  return add_part(name, "part", std::move(write), std::move(read));
}
Checkpoint& Checkpoint::add(const std::string& name, nn::Module& module) {
  return add_part(
      name, "module", [&module](OutputArchive& archive) { module.save(archive); },
      [&module](InputArchive& archive) { load(module, archive); });
}
Checkpoint& Checkpoint::add(const std::string& name, std::shared_ptr<nn::Module> module) {
  if (module == nullptr) core::fail<ModuleError>("Checkpoint: the module {} must not be empty", core::in_quotes(name));
  return add_part(
      name, "module", [module](OutputArchive& archive) { module->save(archive); },
      [module](InputArchive& archive) { load(*module, archive); });
}
Checkpoint& Checkpoint::add(const std::string& name, optim::Optimizer& optimizer) {
  return add_part(name, "optimizer " + std::string(optimizer.name()), writes_state(optimizer), reads_state(optimizer));
}
Checkpoint& Checkpoint::add(const std::string& name, optim::Schedule& schedule) {
  return add_part(name, "schedule " + std::string(schedule.name()), writes_state(schedule), reads_state(schedule));
}
Checkpoint& Checkpoint::add(const std::string& name, const Generator& generator) {
  return add_part(
      name, "generator", [generator](OutputArchive& archive) { archive.write("state", Tensor(generator.get_state())); },
      [generator](InputArchive& archive) {
        Tensor state;
        archive.read("state", state);
        Generator(generator).set_state(state.array());
      });
}
Checkpoint& Checkpoint::add(const std::string& name, std::int64_t& value) {
  return add_part(name, "integer", writes_value([&value] { return number(value); }),
                  reads_value([&value](const Tensor& t) { value = t.item<std::int64_t>(); }, kInt64));
}
Checkpoint& Checkpoint::add(const std::string& name, double& value) {
  return add_part(name, "number", writes_value([&value] { return number(value); }),
                  reads_value([&value](const Tensor& t) { value = t.item<double>(); }, kFloat64));
}
Checkpoint& Checkpoint::add(const std::string& name, const Tensor& tensor) {
  return add_part(
      name, "tensor", [tensor](OutputArchive& archive) { archive.write("value", tensor.detach()); },
      [tensor](InputArchive& archive) {
        Tensor value;
        archive.read("value", value);
        if (value.sizes() != tensor.sizes() || value.dtype() != tensor.dtype())
          core::fail<ValueError>("it must be {} {}: {} {}", tensor.dtype(), tensor.sizes(), value.dtype(),
                                 value.sizes());
        const NoGradGuard no_grad;
        tensor.copy_(value);
      });
}
Checkpoint& Checkpoint::add(const std::string& name, History& history) {
  return add_part(
      name, "history", [&history](OutputArchive& archive) { archive.write("csv", IValue(history.csv())); },
      [&history](InputArchive& archive) {
        IValue csv;
        archive.read("csv", csv);
        history = History::from_csv(csv.toStringRef());
      });
}
Checkpoint& Checkpoint::add(const std::string& name, EarlyStopping& s) {
  return add_part(
      name, "early stopping",
      [&s](OutputArchive& archive) {
        archive.write("epoch", number(s.epoch_));
        archive.write("best_epoch", number(s.best_epoch_));
        archive.write("since", number(s.since_));
        archive.write("best", number(s.best_));
      },
      [&s](InputArchive& archive) {
        const auto read = [&](const char* key) {
          Tensor value;
          archive.read(key, value);
          return value;
        };
        const auto epoch = read("epoch").item<std::int64_t>(), best_epoch = read("best_epoch").item<std::int64_t>(),
                   since = read("since").item<std::int64_t>();
        s.best_ = read("best").item<double>();
        s.epoch_ = epoch;
        s.best_epoch_ = best_epoch;
        s.since_ = since;
      });
}
Checkpoint& Checkpoint::add_position(const std::string& name, std::function<data::samplers::Position()> get,
                                     std::function<void(const data::samplers::Position&)> set) {
  return add_part(
      name, "position",
      [get = std::move(get)](OutputArchive& archive) {
        for (const auto& [key, tensor] : get()) archive.write(key, tensor);
      },
      [set = std::move(set)](InputArchive& archive) { set(serialize::detail::flat(archive.values())); });
}

void Checkpoint::save() const {
  OutputArchive all;
  std::string kinds;
  for (const Part& each : parts_) {
    OutputArchive own;
    each.write(own);
    all.write(each.name, own);
    kinds += (kinds.empty() ? "" : "; ") + each.name + ": " + each.kind;
  }
  all.write(kFormat, IValue(kinds));
  all.save_to(path_);
}

std::string Checkpoint::put_back(const std::vector<IValueDict>& before, std::size_t last) {
  std::string lost;
  for (std::size_t i = 0; i <= last; ++i) {
    try {
      InputArchive own(before[i]);
      parts_[i].read(own);
    } catch (...) {
      lost += (lost.empty() ? "" : ", ") + parts_[i].name;
    }
  }
  return lost;
}

bool Checkpoint::resume() {
  std::error_code unknown;
  if (!std::filesystem::exists(path_, unknown) && !unknown) return false;
  InputArchive all;
  all.load_from(path_);
  std::string kinds;
  IValue format;
  if (!all.try_read(kFormat, format) || !format.isString())
    core::fail<ValueError>("Checkpoint: '{}' must be what save() writes", path_);
  for (const Part& each : parts_) kinds += (kinds.empty() ? "" : "; ") + each.name + ": " + each.kind;
  if (format.toStringRef() != kinds) {
    core::fail<ValueError>("Checkpoint: '{}' must have the parts of this training:\n  here:     {}\n  the file: {}",
                           path_, kinds, core::in_quotes(format.toStringRef()));
  }
  std::vector<IValueDict> before;
  for (const Part& each : parts_) before.push_back(copied(each.write));
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    try {
      InputArchive own;
      // A part may have nothing to keep: a module without state.
      if (!all.try_read(parts_[i].name, own) && !before[i].empty()) all.read(parts_[i].name, own);
      parts_[i].read(own);
    } catch (...) {
      // Whatever it is, and the part that failed too: it may have changed halfway.
      const std::string lost = put_back(before, i);
      try {
        throw;
      } catch (Error& error) {
        error.add_note(fmt::format("of the part {} in '{}'; {}", parts_[i].name, path_,
                                   lost.empty() ? "all parts are as they were" : "not as they were are " + lost));
        throw;
      }
    }
  }
  return true;
}

}  // namespace gradus::train
