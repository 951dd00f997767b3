// Saving and loading the state of an optimizer or a schedule.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "../autograd/tensor/device.h"
#include "optimizer.h"
#include "schedules/lr_scheduler.h"

namespace gradus {

/// Writes the state_dict(), and the name of what it is of. The format goes by the path's ending, as for modules; a stream
/// gets Python's, from which Python's optimizers load, but LBFGS: `optimizer.load_state_dict(torch.load("adam.pt"))`. A kill
/// at any moment leaves the old file or the new. FileError when it cannot be written; ValueError for .npz and .npy, which have
/// no place for the name.
GRADUS_API void save(const optim::Optimizer& optimizer, const std::string& path);
GRADUS_API void save(const optim::Optimizer& optimizer, std::ostream& stream);
GRADUS_API void save(const optim::Schedule& schedule, const std::string& path);
GRADUS_API void save(const optim::Schedule& schedule, std::ostream& stream);
/// Reads a state, of save() or of Python's `torch.save(optimizer.state_dict())`, into an optimizer of the same kind with
/// parameters of the same shapes and dtypes, as load_state_dict(): all is checked before anything changes. (Until 2.7 Python
/// did not say whether a state was Adam's or AdamW's: then it is either's.) FileError when the file cannot be read or is
/// malformed; ValueError when it is the state of something else.
GRADUS_API void load(optim::Optimizer& optimizer, const std::string& path, std::optional<Device> device = std::nullopt);
GRADUS_API void load(optim::Optimizer& optimizer, std::istream& stream, std::optional<Device> device = std::nullopt);
GRADUS_API void load(optim::Schedule& schedule, const std::string& path);
GRADUS_API void load(optim::Schedule& schedule, std::istream& stream);

}  // namespace gradus
