#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "core/bundle.hpp"
#include "delivery/queue.hpp"
#include "wire/bayeux/message.hpp"

namespace fanfare::protocol::bayeux {

/// CometD's acknowledgement (spec/bayeux section 9.1): deliveries leave only with connect replies,
/// each reply closes a batch and carries its number, and what the client has not acknowledged is
/// sent again.
class Acknowledgement {
 public:
  /// The client has got everything up to `batch`.
  void forget_up_to(std::int64_t batch);
  /// All that has left and is not known to have arrived, the oldest first; to be sent again.
  std::deque<core::PublicationPtr> take_unacknowledged();

  /// Closes a batch with these publications (null for none) and returns its number.
  std::int64_t close_batch(const core::BundlePtr& bundle);

  [[nodiscard]] std::size_t unacknowledged() const noexcept { return sent_.size(); }
  /// What waits to be acknowledged, and what it takes beside the publications.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t own_bytes() const noexcept {
    return delivery::Queue::kOwnBytes + sent_.size() * sizeof(sent_.front());
  }

 private:
  std::int64_t latest_batch_ = 0;
  std::size_t bytes_ = 0;
  std::deque<std::pair<std::int64_t, core::PublicationPtr>> sent_;
};

/// CometD's clock comparison (section 9.2), as a client asked for it with a handshake or connect.
struct TimeSync {
  std::int64_t client_time_ms;
  std::optional<std::int64_t> lag_ms;
  std::int64_t offset_ms;
  base::WallTime received;

  /// What `ext.timesync` of this message asks, if anything.
  static std::unique_ptr<TimeSync> read(const wire::bayeux::Message& message, base::WallTime now);
  /// The value of `ext.timesync` in the reply; empty when the client's clock is close enough.
  [[nodiscard]] std::string reply(base::WallTime now) const;
};

/// The `ext` of a reply, or empty: `{"ack":3,"timesync":{…}}`.
std::string make_ext(std::string_view ack, std::string_view time_sync);

}  // namespace fanfare::protocol::bayeux
