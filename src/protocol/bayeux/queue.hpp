#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "core/publication.hpp"

namespace fanfare::protocol::bayeux {

/// Publications that wait for one session while it has no way to send them. Keeps count of its own
/// bytes and of those of all queues of its worker.
class Queue {
 public:
  explicit Queue(std::size_t& total_bytes) : total_bytes_(total_bytes) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() { total_bytes_ -= bytes_; }

  void push_back(core::PublicationPtr publication) {
    count(*publication);
    publications_.push_back(std::move(publication));
  }
  void push_front(core::PublicationPtr publication) {
    count(*publication);
    publications_.push_front(std::move(publication));
  }
  [[nodiscard]] const core::PublicationPtr& front() const { return publications_.front(); }
  void pop_front() {
    const std::size_t size = weight(*publications_.front());
    bytes_ -= size;
    total_bytes_ -= size;
    publications_.pop_front();
  }

  [[nodiscard]] bool is_empty() const noexcept { return publications_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return publications_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  // A publication is shared, but counted with each session that keeps it alive: the entry, the
  // channel's name, and what the allocator adds.
  static constexpr std::size_t kOverhead = 64;
  static std::size_t weight(const core::Publication& publication) {
    return publication.data.size() + publication.ext.size() + kOverhead;
  }
  void count(const core::Publication& publication) {
    bytes_ += weight(publication);
    total_bytes_ += weight(publication);
  }

  std::size_t& total_bytes_;
  std::size_t bytes_ = 0;
  std::deque<core::PublicationPtr> publications_;
};

}  // namespace fanfare::protocol::bayeux
