#include "net/outbox.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace fanfare::net {
namespace {

// Parts handed to the kernel in one call.
constexpr std::size_t kPartsMax = 16;

}  // namespace

void Outbox::push(std::string bytes, std::size_t written) {
  if (written == bytes.size()) return;
  bytes_ += bytes.size() - written;
  own_bytes_ += bytes.capacity();
  parts_.push_back({std::move(bytes), nullptr, written});
}

void Outbox::push(std::shared_ptr<const std::string> bytes, std::size_t written) {
  if (written == bytes->size()) return;
  bytes_ += bytes->size() - written;
  parts_.push_back({{}, std::move(bytes), written});
}

Socket::Outcome Outbox::write_some(Socket& socket) {
  std::array<iovec, kPartsMax> vectors{};
  std::size_t count = 0;
  for (const Part& part : parts_) {
    if (count == vectors.size()) break;
    const std::string_view left = part.left();
    // The POSIX type lacks the const.
    vectors[count++] = {const_cast<char*>(left.data()), left.size()};
  }
  const Socket::Outcome outcome = socket.write(std::span(vectors).first(count));
  forget(outcome.bytes);
  return outcome;
}

void Outbox::forget(std::size_t written) {
  bytes_ -= written;
  while (!parts_.empty()) {
    Part& first = parts_.front();
    const std::size_t part = std::min(written, first.left().size());
    first.written += part;
    written -= part;
    if (!first.left().empty()) return;
    own_bytes_ -= first.shared ? 0 : first.own.capacity();
    parts_.pop_front();
  }
}

}  // namespace fanfare::net
