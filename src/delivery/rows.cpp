#include "delivery/rows.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace fanfare::delivery {
namespace {

/// How many of those in front make up to `bytes_max`, on a wire.
std::size_t fitting(const Queue& queue, std::size_t bytes_max) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (; count < queue.size(); ++count) {
    const core::Publication& next = *queue[count];
    bytes += next.data.size() + next.ext.size() + next.channel.text().size();
    if (count > 0 && bytes > bytes_max) break;
  }
  return count;
}

bool is_same_row(const core::Bundle& bundle, const Queue& queue) {
  bool is_same = true;
  std::size_t index = 0;
  bundle.for_each([&](const core::PublicationPtr& publication) {
    is_same = is_same && publication == queue[index++];
  });
  return is_same;
}

}  // namespace

core::BundlePtr Rows::find(const Queue& queue, std::size_t count) {
  const core::Publication* const last = queue[count - 1].get();
  const auto found = std::ranges::find_if(recent_, [&](const core::BundlePtr& bundle) {
    return bundle->size() == count && &bundle->last() == last && is_same_row(*bundle, queue);
  });
  if (found == recent_.end()) return nullptr;
  std::rotate(recent_.begin(), found, found + 1);
  return recent_.front();
}

core::BundlePtr Rows::take(Queue& queue, std::size_t bytes_max) {
  const std::size_t count = fitting(queue, bytes_max);
  core::BundlePtr bundle = find(queue, count);
  if (!bundle) {
    std::vector<core::PublicationPtr> row;
    row.reserve(count);
    for (std::size_t i = 0; i < count; ++i) row.push_back(queue[i]);
    bundle = core::Bundle::of_row(std::move(row), &kept_);
    recent_.push_front(bundle);
    if (recent_.size() > kRowsMax) recent_.pop_back();
  }
  queue.pop_front(count);
  if (!is_armed()) timers_.arm(*this, clock_.now() + kRemembered);
  return bundle;
}

void Rows::expire(base::TimePoint /*now*/) {
  // Those that nobody holds but we: the sessions have sent them, or gone.
  std::erase_if(recent_, [](const core::BundlePtr& bundle) { return bundle->use_count() == 1; });
  if (!recent_.empty()) timers_.arm(*this, clock_.now() + kRemembered);
}

void Rows::on_failed() noexcept {
  timers_.arm(*this, clock_.now() + kRemembered);
}

}  // namespace fanfare::delivery
