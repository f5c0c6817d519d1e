#include "core/bundle.hpp"

#include <utility>
#include <vector>

namespace fanfare::core {

Bundle::Bundle(BundlePtr previous, const PublicationPtr& publication)
    : previous_(std::move(previous)),
      publication_(publication),
      bytes_((previous_ ? previous_->bytes_ : 0) + publication->data.size() +
             publication->ext.size() + publication->channel.text().size()),
      size_((previous_ ? previous_->size_ : 0) + 1) {}

Bundle::~Bundle() {
  if (previous_ && previous_->latest_child_ == this) previous_->latest_child_ = nullptr;
  // A long row is taken apart in a loop: one destructor inside the other would use up the stack.
  BundlePtr at = std::move(previous_);
  while (at && at->use_count() == 1) {
    if (at->previous_ && at->previous_->latest_child_ == at.get()) {
      at->previous_->latest_child_ = nullptr;
    }
    at = std::move(at->previous_);
  }
}

BundlePtr Bundle::with(const PublicationPtr& publication) {
  if (latest_child_ != nullptr && latest_child_->publication_ == publication) return latest_child_;
  BundlePtr child(new Bundle(this, publication));
  latest_child_ = child.get();
  return child;
}

const Bundle::Halves& Bundle::split(std::size_t bytes_max) {
  if (halves_) return *halves_;
  halves_ = std::make_unique<Halves>();
  BundlePtr& first = halves_->first;
  BundlePtr& rest = halves_->rest;
  for_each([&](const PublicationPtr& next) {
    const bool fits = !first || (!rest && first->bytes() + next->data.size() <= bytes_max);
    BundlePtr& part = fits ? first : rest;
    part = part ? part->with(next) : of(next);
  });
  return *halves_;
}

std::vector<const Bundle*> Bundle::path() const {
  std::vector<const Bundle*> path(size_);
  std::size_t at = size_;
  for (const Bundle* bundle = this; bundle != nullptr; bundle = bundle->previous_.get()) {
    path[--at] = bundle;
  }
  return path;
}

}  // namespace fanfare::core
