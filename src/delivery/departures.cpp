#include "delivery/departures.hpp"

#include <algorithm>

namespace fanfare::delivery {
namespace {

// Sends between two looks at the sockets, some 0.7 ms of them: a newcomer must not wait for all
// 10,000 subscribers of a channel.
constexpr std::size_t kDeparturesPerTurn = 128;
// For a channel with so many subscribers that one publication takes a whole turn of offers.
constexpr std::size_t kDeparturesPerTurnMax = 2048;
// A send takes the time of so many offers.
constexpr std::size_t kOffersPerDeparture = 64;
// The system call; what has to be encoded or compressed is counted where that is done.
constexpr base::Work kDeparture = 5'500;
// Turns in which publications may come in before the first of them leave.
constexpr int kTurnsWaitedMax = 32;

}  // namespace

Departures::Departures(core::Exchange& exchange, const base::Clock& clock, base::TimerWheel& timers)
    : turn_(exchange.turn()),
      intake_(exchange.intake()),
      rows_(clock, timers, exchange.ledger().common_bytes()),
      root_(&exchange.ledger().common_bytes()) {}

void Departures::go_on() {
  // Publications that came together leave together, if they can come in within a few turns.
  if (!is_leaving_ && intake_.is_crowded() && turns_waited_++ < kTurnsWaitedMax) {
    return turn_.wait(*this, base::Turn::kOwn);
  }
  turns_waited_ = 0;
  // Deliveries leave as fast as publications come in.
  const std::size_t departures = std::clamp(intake_.recent_offers() / kOffersPerDeparture,
                                            kDeparturesPerTurn, kDeparturesPerTurnMax);
  for (std::size_t i = 0; i < departures && !marked_.empty(); ++i) {
    // One at least, so that it comes to an end.
    if (i > 0 && turn_.has_to_stop()) break;
    Departing& next = marked_.front();
    marked_.pop_front();
    turn_.spend(kDeparture);
    next.depart();
  }
  is_leaving_ = !marked_.empty();
  if (!is_leaving_) return root_.reset();
  turn_.wait(*this, base::Turn::kOwn);
}

/// Those who are marked leave in the next turn.
void Departures::on_failed() noexcept {
  if (!marked_.empty()) turn_.wait(*this, base::Turn::kOwn);
}

void Departures::depart_all() noexcept {
  while (!marked_.empty()) {
    Departing& next = marked_.front();
    marked_.pop_front();
    next.depart();
  }
}

void Departures::clear() noexcept {
  marked_.clear();
  root_.reset();
  rows_.clear();
  leave_line();
}

}  // namespace fanfare::delivery
