#include "core/intake.hpp"

#include <algorithm>

namespace fanfare::core {
namespace {

// Some 90 ns: docs/benchmarks.md, 10,000 subscribers.
constexpr base::Work kOffer = 90;

}  // namespace

void Intake::wait(const RealmPtr& realm, std::size_t bytes, Enter enter) noexcept {
  auto row = std::ranges::find(rows_, realm, &Row::realm);
  if (row == rows_.end()) row = rows_.insert(row, Row(realm));
  row->entrants.push_back({std::move(enter), bytes});
  count_waiting(*row, bytes);
  turn_.wait(*this, base::Turn::kOwn);
}

void Intake::count_waiting(Row& row, std::size_t bytes) {
  waiting_bytes_ += bytes;  // or less: it wraps
  row.waiting.set(row.waiting.bytes() + bytes);
}

void Intake::count(std::size_t offers) noexcept {
  if (offers == 0) return;
  offers_ = this->offers() + offers;
  turn_of_offers_ = turn_.number();
  turn_.spend(offers * kOffer);
}

void Intake::go_on() {
  turn_that_let_in_ = turn_.number();
  // Whatever happens in there: the others have their turn.
  turn_.wait(*this, base::Turn::kOwn);
  while (!rows_.empty() && has_room() && !turn_.has_to_stop()) {
    // It stays in its place meanwhile, for those who come while one is let in.
    Row& row = rows_.front();
    if (!row.entrants.empty()) let_one_in(row);
    if (!row.entrants.empty()) rows_.push_back(std::move(row));
    rows_.pop_front();
  }
  if (rows_.empty()) leave_line();
}

/// Who threw has been dropped; the others come in in the next turn.
void Intake::on_failed() noexcept {
  if (!rows_.empty()) turn_.wait(*this, base::Turn::kOwn);
}

void Intake::let_one_in(Row& row) {
  Entrant entrant = std::move(row.entrants.front());
  row.entrants.pop_front();
  count_waiting(row, -entrant.bytes);
  if (entrant.enter()) return;
  count_waiting(row, entrant.bytes);
  row.entrants.push_front(std::move(entrant));
}

}  // namespace fanfare::core
