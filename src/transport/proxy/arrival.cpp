#include "transport/proxy/arrival.hpp"

#include <cstddef>
#include <utility>

#include "base/fault.hpp"
#include "wire/proxy/header.hpp"

namespace fanfare::transport::proxy {

using wire::proxy::HeaderResult;
using wire::proxy::kHeaderBytesMax;

Arrival::Arrival(ArrivalContext& context, net::Socket socket)
    : context_(context), socket_(std::move(socket)) {}

void Arrival::start() noexcept {
  context_.loop.timers().arm(*this, context_.loop.clock().now() + context_.timeout);
  socket_.wait_readable(this);
}

void Arrival::abort() noexcept {
  base::Timer::cancel();
  ArrivalHook::unlink();
  socket_.close();
}

void Arrival::on_readable() {
  if (!socket_.is_open()) return;  // aborted while the news was on its way
  const ArrivalPtr self(this);
  // The reader wants no more of a header that would be longer, so this is never nothing.
  const auto room = context_.scratch.first(kHeaderBytesMax - header_.size());
  const net::Socket::Outcome outcome = socket_.peek(room);
  switch (outcome.state) {
    case net::Socket::State::open:
      return read_header({room.data(), outcome.bytes});
    case net::Socket::State::would_block:
      return socket_.wait_readable(this);
    case net::Socket::State::peer_left:  // often a proxy that only looks whether we are there
    case net::Socket::State::failed:
      return abort();
  }
}

void Arrival::read_header(std::string_view peeked) {
  FANFARE_MAY_THROW("the PROXY header of a connection");
  const std::size_t known = header_.size();
  header_ += peeked;
  const HeaderResult result = wire::proxy::read_header(header_);
  if (result.state == HeaderResult::failed)
    return refuse("it sent no PROXY header, or a broken one");
  // Takes the header out of the kernel. All of an unfinished one, or we would be told of it
  // forever.
  const bool is_complete = result.state == HeaderResult::complete;
  socket_.read(context_.scratch.first(is_complete ? result.size - known : peeked.size()));
  if (!is_complete) return socket_.wait_readable(this);

  base::Timer::cancel();
  ArrivalHook::unlink();
  if (result.source) socket_.set_peer(*result.source);
  context_.arrived(std::move(socket_));
}

void Arrival::expire(base::TimePoint /*now*/) {
  refuse("its PROXY header did not come within header_timeout");
}

void Arrival::refuse(std::string_view why) {
  const ArrivalPtr self(this);
  abort();
  context_.refused(why);
}

}  // namespace fanfare::transport::proxy
