#include "core/intake.hpp"

#include <algorithm>

namespace fanfare::core {

void Intake::wait(const RealmPtr& realm, std::size_t bytes, Enter enter) {
  auto row = std::ranges::find(rows_, realm, &Row::realm);
  if (row == rows_.end()) row = rows_.insert(row, Row{realm, {}});
  row->entrants.push_back({std::move(enter), bytes});
  waiting_bytes_ += bytes;
  end_turn_later();
}

void Intake::count(std::size_t offers) {
  if (offers == 0) return;
  offers_ += offers;
  end_turn_later();
}

void Intake::end_turn_later() {
  if (std::exchange(ends_turn_later_, true)) return;
  at_turn_end_([this] { end_turn(); });
}

void Intake::end_turn() {
  ends_turn_later_ = false;
  offers_ = 0;
  has_let_in_ = !rows_.empty();
  // Whatever happens in there: the others have their turn, and the crowd is seen to be gone.
  if (has_let_in_) end_turn_later();
  while (!rows_.empty() && has_room()) {
    // It stays in its place meanwhile, for those who come while one is let in.
    Row& row = rows_.front();
    if (!row.entrants.empty()) let_one_in(row);
    if (!row.entrants.empty()) rows_.push_back(std::move(row));
    rows_.pop_front();
  }
}

void Intake::let_one_in(Row& row) {
  Entrant entrant = std::move(row.entrants.front());
  row.entrants.pop_front();
  waiting_bytes_ -= entrant.bytes;
  if (entrant.enter()) return;
  waiting_bytes_ += entrant.bytes;
  row.entrants.push_front(std::move(entrant));
}

}  // namespace fanfare::core
