// A number for a storage that no other one has, wherever it comes to lie (internal).
#pragma once

#include <cstdint>

namespace gradus::core {

class Storage;

/// While one lives, storages can be told from those that lay at their address before them, without being kept alive. Any
/// thread may use its own.
class StorageSerials {
 public:
  StorageSerials();
  ~StorageSerials();
  StorageSerials(const StorageSerials&) = delete;
  StorageSerials& operator=(const StorageSerials&) = delete;

  /// Of a storage that is alive: its own, from now until it dies.
  std::uint64_t give(const Storage& storage);
  /// Of the storage that lies at an address; 0: none that was given one.
  std::uint64_t find(const void* address) const;
};

}  // namespace gradus::core
