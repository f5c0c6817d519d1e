#include "core/bundle.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace fanfare::core {

namespace {

std::size_t bytes_of(const Publication& publication) {
  return publication.data.size() + publication.ext.size() + publication.channel.text().size();
}

// What the allocator adds to a block.
constexpr std::size_t kBlockOverhead = 16;

}  // namespace

Bundle::Bundle(BundlePtr previous, std::vector<PublicationPtr> before,
               const PublicationPtr& publication, std::size_t* kept)
    : kept_(kept),
      previous_(std::move(previous)),
      before_(std::move(before)),
      publication_(publication),
      bytes_((previous_ ? previous_->bytes_ : 0) + bytes_of(*publication)),
      size_(static_cast<std::uint32_t>((previous_ ? previous_->size_ : 0) + before_.size() + 1)) {
  for (const PublicationPtr& one : before_) bytes_ += bytes_of(*one);
  count(base_bytes());
}

BundlePtr Bundle::of_row(std::vector<PublicationPtr> row, std::size_t* kept) {
  const PublicationPtr last = std::move(row.back());
  row.pop_back();
  return BundlePtr(new Bundle(nullptr, std::move(row), last, kept));
}

std::ptrdiff_t Bundle::base_bytes() const noexcept {
  return static_cast<std::ptrdiff_t>(sizeof(Bundle) + kBlockOverhead +
                                     before_.capacity() * sizeof(PublicationPtr));
}

Bundle::~Bundle() {
  count(-base_bytes());
  for (const std::string& form : forms_) {
    if (!form.empty()) count(-static_cast<std::ptrdiff_t>(form.capacity()));
  }
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
  BundlePtr child(new Bundle(this, {}, publication, kept_));
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
    part = part ? part->with(next) : of(next, kept_);
  });
  return *halves_;
}

std::vector<const Bundle*> Bundle::path() const {
  std::vector<const Bundle*> path;
  for (const Bundle* bundle = this; bundle != nullptr; bundle = bundle->previous_.get()) {
    path.push_back(bundle);
  }
  std::ranges::reverse(path);
  return path;
}

}  // namespace fanfare::core
