#include "each_example.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "made_batch.h"

namespace gradus::data {

namespace {
thread_local MadeBatch* made_here = nullptr;
}  // namespace

Making::Making(MadeBatch& batch) : before_(std::exchange(made_here, &batch)) {}
Making::~Making() { made_here = before_; }

EachExample::EachExample() noexcept : batch_(made_here != nullptr && !made_here->in_loop_ ? made_here : nullptr) {
  if (batch_ == nullptr) return;
  batch_->in_loop_ = true;
  exceptions_ = std::uncaught_exceptions();
  stage_ = ++batch_->stages_;
  const core::RandomPosition at = batch_->generator_.position();
  seed_ = at.seed;
  offset_ = at.offset;
}
EachExample::~EachExample() {
  if (batch_ == nullptr) return;
  batch_->in_loop_ = false;
  if (std::uncaught_exceptions() == exceptions_) batch_->example_.reset();  // no fault of an example's
  batch_->generator_.set_position({seed_, offset_});
}
void EachExample::begin(std::size_t index) {
  if (batch_ == nullptr) return;
  batch_->indices_.resize(std::max(batch_->indices_.size(), slot_ + 1));
  batch_->indices_[slot_] = index;
  begin();
}
void EachExample::begin() noexcept {
  if (batch_ == nullptr) return;
  batch_->example_.reset();
  if (slot_ < batch_->indices_.size()) batch_->example_ = batch_->indices_[slot_];
  batch_->go_to(batch_->first_ + slot_, stage_);
  ++slot_;
}

}  // namespace gradus::data
