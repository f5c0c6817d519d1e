#include "checker/publisher.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace fanfare::checker {
namespace {

constexpr milliseconds kPatience{10'000};

}  // namespace

Publisher::Publisher(World& world, std::uint64_t seed, std::string token)
    : world_(world),
      random_(seed),
      headers_("Authorization: Bearer " + std::move(token) + "\r\n"),
      next_step_(world.now) {}

void Publisher::step() {
  if (connection_) connection_->flush();
  if (!in_flight_.empty()) {
    if (world_.now > asked_at_ + kPatience) throw Violation("a publish request is never answered");
    return;
  }
  if (is_stopping_ || world_.now < next_step_) return;
  publish();
  // In bursts: what meets in one turn of the server travels together.
  next_step_ = world_.now + milliseconds(random_.percent(50) ? 0 : random_.below(40));
}

void Publisher::publish() {
  if (!connection_) connection_ = std::make_unique<Connection>(world_.port);
  const std::size_t count = random_.percent(70) ? 1 : random_.between(2, 20);
  // Most of a batch is for one channel, where its order shows.
  const std::size_t favourite = random_.below(kChannels);
  std::vector<std::string> items;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t channel = random_.percent(70) ? favourite : random_.below(kChannels);
    const std::size_t padding = random_.percent(10) ? random_.below(3'000) : random_.below(100);
    const PublicationId id = world_.model.start(channel, padding);
    in_flight_.push_back(id);
    const bool is_said_twice = random_.percent(5);
    const std::string name = is_said_twice ? fmt::format(R"("id":"{:x}",)", random_.seed()) : "";
    const std::string item =
        fmt::format(R"({{"channel":"{}",{}"json-object":{}}})", names()[channel].substr(1), name,
                    world_.model.data_of(id));
    items.push_back(item);
    if (is_said_twice) items.push_back(item);
  }
  items_ = items.size();
  asked_at_ = world_.now;
  connection_->post("/realm/check/publish/",
                    fmt::format(R"({{"items":[{}]}})", fmt::join(items, ",")), headers_);
  if (!random_.percent(1)) return;
  // Nobody will know whether these were accepted.
  if (random_.percent(50)) connection_->reset();
  connection_.reset();
  in_flight_.clear();
}

void Publisher::read() {
  if (!connection_) return;
  connection_->pull();
  for (const Arrival& arrival : connection_->take()) {
    if (arrival.kind == Arrival::end)
      throw Violation("the server has closed a publisher's connection");
    const std::string expected = fmt::format("{{\"published\":{}}}\n", items_);
    if (arrival.status != 200 || arrival.body != expected) {
      throw Violation(
          fmt::format("a publish was answered with {} {}", arrival.status, arrival.body));
    }
    for (const PublicationId id : std::exchange(in_flight_, {})) world_.model.accept(id);
  }
}

void Publisher::add_descriptors(std::vector<pollfd>& to) const {
  if (!connection_) return;
  const int events = POLLIN | (connection_->has_unwritten() ? POLLOUT : 0);
  to.push_back({connection_->descriptor(), static_cast<short>(events), 0});
}

}  // namespace fanfare::checker
