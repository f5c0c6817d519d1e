#include "protocol/bayeux/peer.hpp"

#include "protocol/bayeux/session.hpp"

namespace fanfare::protocol::bayeux {

void Outlet::flush_sessions() noexcept {
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    // Sending may find the peer gone, and then this list is emptied under us.
    auto& session = static_cast<Session&>(*at++);
    session.flush_in_turn();
    if (sessions_.empty()) return;
  }
}

void Outlet::leave_all() noexcept {
  while (!sessions_.empty()) static_cast<Session&>(sessions_.front()).leave_outlet();
}

void Outlet::supersede_all() noexcept {
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    static_cast<Session&>(*at++).supersede_held();
    if (sessions_.empty()) return;  // the answer found the peer gone
  }
}

}  // namespace fanfare::protocol::bayeux
