// MNIST from the four files that examples/fetch_mnist brings.
#pragma once

#include <string>

#include "images.h"

namespace examples {

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or the
/// same with .gz behind, from the folder `directory`. Any data set of MNIST's form will do (images of one size, labels
/// 0..9). gradus::FileError when files are missing (it names them all), malformed, or do not fit each other.
Dataset load_mnist(const std::string& directory);

}  // namespace examples
