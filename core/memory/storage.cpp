#include "storage.h"

#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

#include "pool.h"
#include "storage_serials.h"

namespace gradus::core {
namespace {

constexpr std::int64_t kHeader = 64;
// Below it nobody's limit needs a look.
constexpr std::int64_t kModest = std::int64_t{1} << 20;

// Whether any storage has a serial number. Who drops a storage's last owner sees what was written before it got one.
std::atomic<bool> numbered{false};

struct Serials {
  std::mutex mutex;
  std::unordered_map<const void*, std::uint64_t> of;
  std::uint64_t last = 0;
  int users = 0;
};
Serials& serials() {
  static Serials* const all = new Serials;  // storages may outlive what is destroyed at the end
  return *all;
}

[[gnu::noinline]] void forget(const void* storage) noexcept {
  const std::lock_guard lock(serials().mutex);
  serials().of.erase(storage);
}

}  // namespace

StorageSerials::StorageSerials() {
  const std::lock_guard lock(serials().mutex);
  ++serials().users;
}
StorageSerials::~StorageSerials() {
  const std::lock_guard lock(serials().mutex);
  if (--serials().users > 0) return;
  serials().of.clear();
  numbered.store(false, std::memory_order_relaxed);
}
std::uint64_t StorageSerials::give(const Storage& storage) {
  Serials& all = serials();
  const std::lock_guard lock(all.mutex);
  const auto [found, fresh] = all.of.try_emplace(&storage, all.last + 1);
  if (fresh) ++all.last;
  numbered.store(true, std::memory_order_relaxed);
  return found->second;
}
std::uint64_t StorageSerials::find(const void* address) const {
  const std::lock_guard lock(serials().mutex);
  const auto found = serials().of.find(address);
  return found == serials().of.end() ? 0 : found->second;
}

struct Storage::Loan {
  Loan(void* memory, std::function<void(void*)> call) noexcept : data(memory), deleter(std::move(call)) {}
  Loan(Loan&& other) noexcept : data(other.data), deleter(std::exchange(other.deleter, nullptr)) {}
  Loan& operator=(Loan&&) = delete;
  ~Loan() {
    if (deleter) deleter(data);
  }
  void* data;
  std::function<void(void*)> deleter;
};

Ref<Storage> Storage::allocate(std::int64_t bytes) {
  if (bytes > kModest) check_request(bytes);
  char* const block = static_cast<char*>(pool_allocate_array(static_cast<std::size_t>(kHeader + bytes), bytes));
  return Ref<Storage>::adopt(::new (block) Storage(block + kHeader, bytes, nullptr));
}

Ref<Storage> Storage::borrow(void* data, std::int64_t bytes, std::function<void(void*)> deleter) {
  Loan here(data, std::move(deleter));  // calls the deleter if what follows throws
  void* const block = pool_allocate_array(sizeof(Storage), 0);
  Loan* loan;
  try {
    loan = new Loan(std::move(here));
  } catch (...) {
    pool_free_array(block, sizeof(Storage), 0);
    throw;
  }
  return Ref<Storage>::adopt(::new (block) Storage(data, bytes, loan));
}

void Storage::destroy() noexcept {
  if (numbered.load(std::memory_order_relaxed)) [[unlikely]]
    forget(this);
  Loan* const loan = loan_;
  const std::int64_t owned = loan == nullptr ? bytes_ : 0;
  this->~Storage();
  const std::int64_t block = loan == nullptr ? kHeader + owned : std::int64_t{sizeof(Storage)};
  pool_free_array(this, static_cast<std::size_t>(block), owned);
  delete loan;
}

}  // namespace gradus::core
