#include "transport/http/event_stream.hpp"

#include <string>
#include <utility>

#include "protocol/bayeux/replies.hpp"
#include "wire/json/json.hpp"

namespace fanfare::transport::http {
namespace {

using protocol::bayeux::Form;
using protocol::bayeux::Session;

// A comment now and then keeps proxies from closing a stream on which nothing happens.
constexpr base::Duration kPingInterval{30'000};

std::string event(std::string_view elements) {
  std::string event;
  event.reserve(elements.size() + 16);
  event += "data: [";
  event += elements;
  event += "]\r\n\r\n";
  return event;
}

}  // namespace

EventStream::EventStream(ConnectionPtr connection)
    : connection_(std::move(connection)), outbox_bytes_max_(0) {}

void EventStream::open(const ConnectionPtr& connection, Session& session,
                       const wire::http1::Response& head) {
  const boost::intrusive_ptr<EventStream> stream(new EventStream(connection));
  stream->outbox_bytes_max_ = session.realm()->limits.outbox_bytes_max;
  connection->watch(stream.get());
  connection->start_stream(head);
  connection->write_stream("retry: 5000\r\n\r\n");
  stream->arm_ping();
  session.bind(*stream);
}

void EventStream::send(Session& /*from*/, const core::BundlePtr& bundle) noexcept {
  if (!connection_) return;
  unwritten_.push_back(bundle);
  unwritten_bytes_ += bundle->bytes();
  if (unwritten_.size() == 1) return write_bundles();
  if (unwritten_bytes_ > outbox_bytes_max_) connection_->abort();
}

void EventStream::write_bundles() {
  const boost::intrusive_ptr<EventStream> self(this);
  while (connection_ && !unwritten_.empty()) {
    core::Bundle& bundle = *unwritten_.front();
    connection_->write_stream(bundle.form(
        static_cast<std::size_t>(Form::event),
        [&bundle](std::string& form) { form = event(protocol::bayeux::deliveries(bundle)); }));
    if (!connection_ || connection_->unwritten_bytes() > 0) return;
    unwritten_bytes_ -= bundle.bytes();
    unwritten_.pop_front();
  }
}

void EventStream::stream_written() {
  if (unwritten_.empty()) return;
  unwritten_bytes_ -= unwritten_.front()->bytes();
  unwritten_.pop_front();
  write_bundles();
}

void EventStream::reply(std::string_view elements) noexcept {
  if (connection_) connection_->write_stream(event(elements));
}

void EventStream::give_back(Session& session) noexcept {
  const boost::intrusive_ptr<EventStream> self(this);
  for (auto bundle = unwritten_.rbegin(); bundle != unwritten_.rend(); ++bundle)
    session.requeue(*bundle);
  const bool is_half_written = !unwritten_.empty();
  unwritten_.clear();
  base::Timer::cancel();
  if (const auto connection = std::exchange(connection_, nullptr)) {
    connection->watch(nullptr);
    if (is_half_written) {
      connection->abort();
    } else {
      connection->end_stream();
    }
  }
}

void EventStream::end(const core::Disconnect& /*why*/) noexcept {
  const boost::intrusive_ptr<EventStream> self(this);
  base::Timer::cancel();
  if (const auto connection = std::exchange(connection_, nullptr)) {
    connection->watch(nullptr);
    connection->end_stream();
  }
}

void EventStream::peer_left() {
  const boost::intrusive_ptr<EventStream> self(this);
  connection_.reset();
  base::Timer::cancel();
  leave_all();
}

void EventStream::answer_arrived(bool /*has_arrived*/) {
  peer_left();
}

void EventStream::expire(base::TimePoint /*now*/) {
  if (!connection_) return;
  if (unwritten_.empty()) connection_->write_stream(":\r\n\r\n");
  if (connection_) arm_ping();
}

void EventStream::arm_ping() {
  connection_->loop().timers().arm(*this, connection_->loop().clock().now() + kPingInterval);
}

}  // namespace fanfare::transport::http
