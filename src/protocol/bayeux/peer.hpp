#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "core/bundle.hpp"
#include "core/disconnect.hpp"
#include "protocol/bayeux/session_id.hpp"

namespace fanfare::protocol::bayeux {

class Session;

/// What lets a session stand in the list of an outlet; destroying it takes it out.
using OutletHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct OutletHookTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
class OutletMember : public OutletHook {
 protected:
  ~OutletMember() = default;
};

/// A connection that takes deliveries as they come: a WebSocket or an event stream. Implemented by
/// transports; several sessions may share one.
///
/// When its connection goes it calls leave_all(), and its destructor does whatever happened: no
/// session may know an outlet that is not there.
class Outlet {
 public:
  /// Takes the bundle whole: writes it now, or as soon as the peer reads again.
  virtual void send(Session& from, const core::BundlePtr& bundle) noexcept = 0;
  /// Whether the peer has not taken all of what was sent: its sessions keep what comes, until this
  /// outlet calls flush_sessions().
  [[nodiscard]] virtual bool is_congested() const noexcept = 0;
  /// Sends an array of replies. `elements` is what stands between its brackets.
  virtual void reply(std::string_view elements) noexcept = 0;
  /// The session goes elsewhere. Gives back, by Session::requeue() and the newest first, what of
  /// its bundles the peer cannot have got; one that is half written ends the connection, so that it
  /// cannot arrive twice.
  virtual void give_back(Session& session) noexcept = 0;
  /// A session has ended, or this outlet is too slow for it. An outlet that serves nobody else
  /// ends.
  virtual void end(const core::Disconnect& why) noexcept = 0;

  /// Sends what this turn has brought its sessions so far, so that replies come after it.
  void flush_sessions() noexcept;
  /// The connection has gone: its sessions queue from now on.
  void leave_all() noexcept;
  /// Answers the connects that are held on it: it is to serve others from now on.
  void supersede_all() noexcept;
  [[nodiscard]] bool has_sessions() const noexcept { return !sessions_.empty(); }
  /// Costs a look at each; there are few.
  [[nodiscard]] std::size_t session_count() const noexcept { return sessions_.size(); }

 protected:
  virtual ~Outlet() = default;

 private:
  friend class Session;
  boost::intrusive::list<OutletMember, boost::intrusive::base_hook<OutletHook>,
                         boost::intrusive::constant_time_size<false>>
      sessions_;  // every one is a Session
};

/// Publications that leave in an answer, and whose they are.
struct Deliveries {
  core::BundlePtr bundle;  // null for none
  SessionId session;
};

/// Whoever sent an array of messages and waits for the array of replies: one HTTP request, or a
/// WebSocket with one of its frames. Implemented by transports.
class Caller {
 public:
  virtual ~Caller() = default;

  /// Whose sessions count together: a text for the peer's address. Empty once it has gone.
  [[nodiscard]] virtual std::string peer_network() const = 0;

  /// The stream that this caller is, or null for a request that ends with its answer.
  virtual Outlet* outlet() noexcept = 0;

  /// The one answer. `elements` is what stands between the brackets of the reply array; deliveries,
  /// if any, come after it in the same array. A WebSocket gets no elements when it is merely to go
  /// on with its next frame.
  virtual void answer(std::string_view elements, const Deliveries& deliveries) noexcept = 0;

  /// The one answer to a held connect that a newer one has replaced (spec/bayeux section 8).
  virtual void supersede() noexcept = 0;

  /// The client has connected again, so the fate of an earlier answer's deliveries is settled: what
  /// surely did not arrive goes back by Session::requeue(), and the rest counts as arrived.
  virtual void settle() noexcept {}

  /// There will be no answer, because something threw: the caller ends, so that nobody waits for
  /// it.
  virtual void fail() noexcept = 0;

  /// The session has a new stream, so what an earlier one still had to bring while it said goodbye
  /// is settled: it goes back, and does not arrive any more. An answer may arrive all the same.
  virtual void settle_goodbye() noexcept {}

  /// This request has become the session's held connect: it calls Session::caller_left() if its
  /// peer leaves before it is answered.
  virtual void hold(Session& session) noexcept = 0;

  friend void intrusive_ptr_add_ref(Caller* caller) noexcept { caller->add_reference(); }
  friend void intrusive_ptr_release(Caller* caller) noexcept { caller->release_reference(); }

 private:
  virtual void add_reference() noexcept = 0;
  virtual void release_reference() noexcept = 0;
};

using CallerPtr = boost::intrusive_ptr<Caller>;

}  // namespace fanfare::protocol::bayeux
