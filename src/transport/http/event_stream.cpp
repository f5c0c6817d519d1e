#include "transport/http/event_stream.hpp"

#include <string>
#include <utility>

#include "base/fault.hpp"
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

std::string_view event_of(core::Bundle& bundle) {
  return bundle.form(static_cast<std::size_t>(Form::event), [&bundle](std::string& form) {
    form = event(protocol::bayeux::deliveries(bundle));
  });
}

}  // namespace

EventStream::EventStream(ConnectionPtr connection) : connection_(std::move(connection)) {}

EventStream::~EventStream() {
  ++references_;  // give_back() holds one while it works
  leave_all();
}

void EventStream::open(const ConnectionPtr& connection, Session& session,
                       const wire::http1::Response& head) {
  const boost::intrusive_ptr<EventStream> stream(new EventStream(connection));
  connection->watch(stream.get());
  connection->start_stream(head);
  FANFARE_MAY_THROW("an event stream that begins");
  connection->write_stream("retry: 5000\r\n\r\n");
  if (!stream->connection_) return;  // the peer has gone already
  stream->arm_ping();
  session.bind(*stream);
}

void EventStream::send(Session& from, const core::BundlePtr& bundle) noexcept {
  const boost::intrusive_ptr<EventStream> self(this);  // writing may find the peer gone
  if (!connection_) {
    from.requeue(bundle);
    return from.leave_outlet();
  }
  connection_->write_stream(event_of(*bundle));
  if (!connection_) return from.requeue(bundle);
  sent_.add(bundle, from.id(), connection_->given_bytes());
  if (sent_.is_due()) sent_.look(connection_->given_bytes(), in_flight().unacknowledged);
}

delivery::InKernel EventStream::in_flight() {
  const net::Socket::InKernel bytes = connection_->in_flight();
  // While the peer is there, the kernel goes on with what it has taken.
  const bool is_over = connection_->has_broken() || connection_->socket().is_silent();
  return {is_over ? bytes.unsent : connection_->unwritten_bytes(), bytes.unacknowledged};
}

bool EventStream::is_congested() const noexcept {
  return connection_ && connection_->unwritten_bytes() > 0;
}

void EventStream::stream_written() noexcept {
  const boost::intrusive_ptr<EventStream> self(this);
  flush_sessions();
}

void EventStream::reply(std::string_view elements) noexcept {
  if (connection_) connection_->write_stream(event(elements));
}

void EventStream::give_back(Session& session) noexcept {
  const boost::intrusive_ptr<EventStream> self(this);
  if (!connection_) return;
  bool has_unsent = false;
  sent_.take(session.id(), connection_->given_bytes(), in_flight(),
             [&](const core::BundlePtr& bundle) {
               has_unsent = true;
               session.requeue(bundle);
             });
  finish(/*in_good_order=*/!has_unsent);
}

void EventStream::end(const core::Disconnect& /*why*/) noexcept {
  const boost::intrusive_ptr<EventStream> self(this);
  leave_all();
  finish(/*in_good_order=*/true);
}

void EventStream::stream_has_to_end() noexcept {
  // What the kernel has goes out before the end does: it is not for somewhere else.
  sent_.clear();
  end(core::kShutdown);
}

void EventStream::finish(bool in_good_order) noexcept {
  base::Timer::cancel();
  const auto connection = std::exchange(connection_, nullptr);
  if (!connection) return;
  connection->watch(nullptr);
  if (in_good_order) {
    connection->end_stream();
  } else {
    connection->abort();
  }
}

void EventStream::peer_left() noexcept {
  const boost::intrusive_ptr<EventStream> self(this);
  base::Timer::cancel();
  leave_all();
  connection_.reset();
}

void EventStream::answer_arrived(bool /*has_arrived*/) noexcept {
  peer_left();
}

void EventStream::expire(base::TimePoint /*now*/) {
  const boost::intrusive_ptr<EventStream> self(this);
  if (!connection_) return;
  sent_.look(connection_->given_bytes(), in_flight().unacknowledged);
  if (!is_congested()) connection_->write_stream(":\r\n\r\n");
  if (connection_) arm_ping();
}

void EventStream::on_failed() noexcept {
  const boost::intrusive_ptr<EventStream> self(this);
  leave_all();
  finish(/*in_good_order=*/false);
}

void EventStream::arm_ping() {
  connection_->loop().timers().arm(*this, connection_->loop().clock().now() + kPingInterval);
}

}  // namespace fanfare::transport::http
