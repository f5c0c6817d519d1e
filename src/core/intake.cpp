#include "core/intake.hpp"

namespace fanfare::core {

void Intake::wait(Enter enter) {
  waiting_.push_back(std::move(enter));
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
  has_let_in_ = !waiting_.empty();
  // Whatever happens in there: the others have their turn, and the crowd is seen to be gone.
  if (has_let_in_) end_turn_later();
  while (!waiting_.empty() && has_room()) {
    Enter enter = std::move(waiting_.front());
    waiting_.pop_front();
    if (!enter()) waiting_.push_front(std::move(enter));
  }
}

}  // namespace fanfare::core
