#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "core/publication.hpp"

namespace fanfare::delivery {

/// What a publication weighs with each of those for whom it is kept: it is shared, but its entry,
/// the channel's name, and what the allocator adds are not.
inline std::size_t weight(const core::Publication& publication) {
  constexpr std::size_t kOverhead = 64;
  return publication.data.size() + publication.ext.size() + kOverhead;
}

/// Publications that wait for one session while it has no way to send them.
class Queue {
 public:
  /// What an empty one takes itself: a std::deque with its first block.
  static constexpr std::size_t kOwnBytes = 720;

  void push_back(core::PublicationPtr publication) {
    bytes_ += weight(*publication);
    publications_.push_back(std::move(publication));
  }
  void push_front(core::PublicationPtr publication) {
    bytes_ += weight(*publication);
    publications_.push_front(std::move(publication));
  }
  [[nodiscard]] const core::PublicationPtr& operator[](std::size_t index) const {
    return publications_[index];
  }
  void pop_front(std::size_t count) {
    for (; count > 0; --count) {
      bytes_ -= weight(*publications_.front());
      publications_.pop_front();
    }
  }

  [[nodiscard]] bool is_empty() const noexcept { return publications_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return publications_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// What it takes beside the publications.
  [[nodiscard]] std::size_t own_bytes() const noexcept {
    return kOwnBytes + size() * sizeof(core::PublicationPtr);
  }

  /// Have come while the peer was still reading what it got before.
  std::size_t bytes_behind = 0;

 private:
  std::size_t bytes_ = 0;
  std::deque<core::PublicationPtr> publications_;
};

}  // namespace fanfare::delivery
