#include "base/turn.hpp"

#include <algorithm>
#include <utility>

#include "base/caught.hpp"
#include "base/fault.hpp"

namespace fanfare::base {

Turn::Turn(UniqueFunction<void(Task)> at_turn_end) : at_turn_end_(std::move(at_turn_end)) {}

Turn::~Turn() {
  clear();
}

void Turn::clear() noexcept {
  own_.clear();
  for (auto& [lane, row] : rows_) row->waiters.clear();
  line_.clear();
  rows_.clear();
}

void Turn::wait(Waiter& waiter, Lane lane) noexcept {
  if (waiter.stands_in_line()) return;
  if (lane == kOwn) {
    own_.push_back(waiter);
  } else {
    auto& row = rows_[lane];
    if (!row) {
      row = std::make_unique<Row>();
      row->lane = lane;
      line_.push_back(*row);
    }
    row->waiters.push_back(waiter);
  }
  if (!ends_later_) end_later();
}

void Turn::end_later() noexcept {
  ends_later_ = true;
  at_turn_end_([this] { end(); });
}

void Turn::end() noexcept {
  ends_later_ = false;
  spent_ = 0;
  work_max_ = kWorkMax;
  ++number_;
  if (has_waiting()) end_later();
  serve_own();
  // However much that was, the line moves on.
  work_max_ = std::max(kWorkMax, spent_ + kWorkMax / 2);
  while (!line_.empty() && !is_over()) serve_next_row();
}

void Turn::let_go_on(Waiters& waiters, Work slice) noexcept {
  Waiter& waiter = waiters.front();
  waiters.pop_front();
  slice_end_ = spent_ + slice;
  Waiter::going_on_ = &waiter;
  try {
    FANFARE_MAY_THROW("somebody who had to wait");
    waiter.go_on();
  } catch (...) {
    report_caught("somebody who had to wait");
    if (Waiter::going_on_ == &waiter) waiter.on_failed();
  }
  Waiter::going_on_ = nullptr;
}

/// Each of them once: who waits again goes on in the next turn.
void Turn::serve_own() noexcept {
  for (auto left = own_.size(); left > 0 && !own_.empty(); --left) let_go_on(own_, kOwnSlice);
}

void Turn::serve_next_row() noexcept {
  Row& row = line_.front();
  line_.pop_front();
  // Those who left the line may have left nobody behind.
  if (row.waiters.empty()) {
    rows_.erase(row.lane);
    return;
  }
  line_.push_back(row);
  let_go_on(row.waiters, kSlice);
}

}  // namespace fanfare::base
