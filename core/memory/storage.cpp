#include "storage.h"

#include <memory>
#include <new>
#include <utility>

#include "pool.h"

namespace gradus::core {
namespace {

constexpr std::int64_t kHeader = 64;
// Below it nobody's limit needs a look.
constexpr std::int64_t kModest = std::int64_t{1} << 20;

}  // namespace

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
  Loan* const loan = loan_;
  const std::int64_t owned = loan == nullptr ? bytes_ : 0;
  this->~Storage();
  const std::int64_t block = loan == nullptr ? kHeader + owned : std::int64_t{sizeof(Storage)};
  pool_free_array(this, static_cast<std::size_t>(block), owned);
  delete loan;
}

}  // namespace gradus::core
