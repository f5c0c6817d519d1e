#include "protocol/bayeux/extensions.hpp"

#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

namespace fanfare::protocol::bayeux {
namespace {

// Below this the clocks agree as well as the network lets anyone know.
constexpr std::int64_t kAccuracyTargetMs = 25;
// Beyond the year 10000 nobody means a time, and sums of three still fit.
constexpr std::int64_t kTimeMsMax = 300'000'000'000'000;

std::int64_t milliseconds_of(base::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::optional<std::int64_t> time_of(const std::optional<wire::json::Value>& value) {
  const auto time = value ? value->as_int64() : std::nullopt;
  if (!time || *time > kTimeMsMax || *time < -kTimeMsMax) return std::nullopt;
  return time;
}

}  // namespace

void Acknowledgement::forget_up_to(std::int64_t batch) {
  for (; !sent_.empty() && sent_.front().first <= batch; sent_.pop_front()) {
    bytes_ -= delivery::weight(*sent_.front().second);
  }
}

std::deque<core::PublicationPtr> Acknowledgement::take_unacknowledged() {
  std::deque<core::PublicationPtr> publications;
  for (auto& [batch, publication] : sent_) publications.push_back(std::move(publication));
  sent_.clear();
  bytes_ = 0;
  return publications;
}

std::int64_t Acknowledgement::close_batch(const core::BundlePtr& bundle) {
  ++latest_batch_;
  if (bundle) {
    bundle->for_each([this](const core::PublicationPtr& publication) {
      sent_.emplace_back(latest_batch_, publication);
      bytes_ += delivery::weight(*publication);
    });
  }
  return latest_batch_;
}

std::unique_ptr<TimeSync> TimeSync::read(const wire::bayeux::Message& message, base::WallTime now) {
  const auto asked = message.ext ? message.ext->find("timesync") : std::nullopt;
  if (!asked) return nullptr;
  const auto client_time = time_of(asked->find("tc"));
  if (!client_time) return nullptr;
  return std::make_unique<TimeSync>(TimeSync{*client_time, time_of(asked->find("l")),
                                             time_of(asked->find("o")).value_or(0), now});
}

std::string TimeSync::reply(base::WallTime now) const {
  const std::int64_t server_time = milliseconds_of(received);
  const std::int64_t held = milliseconds_of(now) - server_time;
  if (!lag_ms)
    return fmt::format(R"({{"tc":{},"ts":{},"p":{}}})", client_time_ms, server_time, held);
  const std::int64_t accuracy = client_time_ms + offset_ms + *lag_ms - server_time;
  if (*lag_ms != 0 && std::abs(accuracy) < kAccuracyTargetMs) return {};
  return fmt::format(R"({{"tc":{},"ts":{},"p":{},"a":{}}})", client_time_ms, server_time, held,
                     accuracy);
}

std::string make_ext(std::string_view ack, std::string_view time_sync) {
  if (ack.empty() && time_sync.empty()) return {};
  std::string ext = "{";
  if (!ack.empty()) ext.append("\"ack\":").append(ack);
  if (!ack.empty() && !time_sync.empty()) ext += ',';
  if (!time_sync.empty()) ext.append("\"timesync\":").append(time_sync);
  return ext + "}";
}

}  // namespace fanfare::protocol::bayeux
