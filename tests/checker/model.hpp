#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace fanfare::checker {

// What a server has to do for its visitors, as a plain model: who listens to what from when to
// when, what was published from when to when, and which deliveries follow from that.
//
// The checker is one thread, so everything it does or sees has a tick of its own, and "before" has
// one meaning. A publication is *started* when its request is written and *accepted* when its
// answer is read; a subscription is *asked* for and *joined* in the same way, and ends as
// *leave_asked* and *left*.
//
// The rules, after spec/bayeux sections 7 and 8:
//
// 1. Must. Accepted publications that were started after a matching subscription had joined, and
//    accepted before it was asked to end, reach the session: over HTTP with the answer to the next
//    poll, on a stream within a few seconds (replies may overtake deliveries there).
// 2. May. A publication that crossed a subscribe or an unsubscribe on its way, or that was accepted
//    just before a subscribe and is still on its way between workers. But one subscription is one
//    unbroken piece of its channel: having got one, the session gets the next.
// 3. Must not. Everything else, everything twice, and anything out of its channel's order. That is
//    the order in which a witness gets it, who listens to everything on one WebSocket; it agrees
//    with the order in which publishers saw their answers.
//
// What a broken connection does to them:
//
// 4. A poll whose client leaves (by a close, a reset, or a half-close and reading on) before it has
//    read the whole answer loses nothing and repeats nothing: on one machine the kernel knows which
//    answers were not read, and the server has to ask it.
// 5. A poll whose client has read the whole answer and then *resets* its connection, instead of
//    closing it or using it again, may get the deliveries of that answer once more: the server
//    cannot know whether the client saw them.
// 6. A stream (WebSocket, event stream) that its client breaks off by a close or a reset may lose
//    what the session had not got by then, and what was started before the server noticed: before
//    the session's worker has answered something that was asked after the break. Never twice.
// 7. A stream that its client ends in good order (by a close frame or a half-close, and reading to
//    the end) loses nothing, and neither does one that the server closes because it was not read.
//
// And what a client does to the order that asks in two places:
//
// 8. What was written to a stream before its client went elsewhere (or ended it, or was too slow
//    for it) is still on its way there, and may come after what the client gets elsewhere by then.
// 9. Two connections that ask for the deliveries at the same time may get them in either order.
// 10. What a poll that was cut off might have brought may come after newer publications: the server
//    may see the next request before it sees the cut.

using Tick = std::uint64_t;
inline constexpr Tick kNever = ~Tick{0};
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using std::chrono::milliseconds;

using PublicationId = std::uint32_t;

class Session;

/// The server has broken a rule.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Publication {
  std::size_t channel;
  std::size_t padding;
  Tick started;
  Tick accepted = kNever;
  Time accepted_at = Time::max();
};

/// One life of one subscription.
struct Interval {
  std::size_t pattern;
  Tick asked;
  Tick joined = kNever;
  Tick leave_asked = kNever;
  Tick left = kNever;
  Time asked_at = Clock::now();
};

/// The names that sessions subscribe to; the first of them are channels, the others patterns.
inline constexpr std::size_t kChannels = 10;
const std::vector<std::string>& names();
/// Whether what is published on that channel is for subscribers of that name.
bool matches(std::size_t pattern, std::size_t channel);

/// All that was published in one round, and all sessions.
class Model {
 public:
  Tick tick() { return ++now_; }
  [[nodiscard]] Tick now() const { return now_; }

  PublicationId start(std::size_t channel, std::size_t padding);
  void accept(PublicationId id);
  /// The JSON that carries it.
  [[nodiscard]] std::string data_of(PublicationId id) const;
  [[nodiscard]] const Publication& publication(PublicationId id) const { return publications_[id]; }
  [[nodiscard]] std::size_t publication_count() const { return publications_.size(); }

  std::shared_ptr<Session> add_session(const std::string& client_id);
  void remove(const Session& session);
  /// Worker `worker` has answered what was asked at `asked`.
  void heard(std::size_t worker, Tick asked);

  /// At the end of a round: every session's deliveries against those of the witness.
  void compare(const Session& witness, const std::vector<std::shared_ptr<Session>>& sessions) const;

 private:
  Tick now_ = 0;
  std::deque<Publication> publications_;
  std::vector<std::shared_ptr<Session>> sessions_;
};

/// What one session is owed, and what it has got.
class Session {
 public:
  Session(Model& model, std::string client_id);

  [[nodiscard]] const std::string& client_id() const { return client_id_; }
  [[nodiscard]] std::size_t worker() const { return worker_; }
  [[nodiscard]] std::size_t delivery_count() const { return received_.size(); }

  /// A subscribe is on its way; the number is for joined() and so on.
  std::size_t ask(std::size_t pattern);
  void joined(std::size_t interval);
  void ask_to_leave(std::size_t pattern);
  void left(std::size_t pattern);
  /// A request about this name has been cut off: whether and when it takes effect is not known.
  void lose_track(std::size_t pattern);
  [[nodiscard]] bool is_tracked(std::size_t pattern) const { return !untracked_.contains(pattern); }
  [[nodiscard]] bool is_joined(std::size_t pattern) const;

  /// `data` is what the delivery carried, `channel` where it says it comes from.
  void deliver(std::string_view channel, std::string_view data);
  /// The publications of the deliveries since the last call.
  std::vector<PublicationId> take_latest();
  /// Rule 5.
  void may_repeat(const std::vector<PublicationId>& publications);
  /// Rule 8.
  void came_late(const std::vector<PublicationId>& publications);
  /// Rule 6.
  void stream_broken();
  /// Rule 10.
  void poll_cut() { loose_before_ = model_.tick(); }
  /// Rule 1: a poll that was sent at `asked` has been answered.
  void answered(Tick asked);
  /// Rule 1: what was accepted before `asked` has had time enough to come over a stream.
  void waited(Tick asked);
  /// It has asked to be ended: nothing more is owed.
  void end();

  void trace(std::string line);
  [[nodiscard]] std::string trace_text() const;

 private:
  friend class Model;
  struct Loss {
    Tick broken;
    Tick noticed = kNever;
  };

  [[nodiscard]] bool is_due(const Publication& publication) const;
  [[nodiscard]] bool may_come(const Publication& publication) const;
  [[nodiscard]] bool may_be_lost(const Publication& publication) const;
  void accepted(PublicationId id);
  void insist(Tick asked, std::string_view although) const;

  Model& model_;
  std::string client_id_;
  std::size_t worker_;
  bool has_ended_ = false;
  std::vector<Interval> intervals_;
  std::set<std::size_t> untracked_;
  std::vector<Loss> losses_;
  std::set<PublicationId> due_;
  std::set<PublicationId> may_repeat_;
  std::set<PublicationId> late_;
  Tick loose_before_ = 0;
  std::unordered_set<PublicationId> received_;
  std::vector<std::vector<PublicationId>> by_channel_;
  std::vector<PublicationId> latest_;
  std::deque<std::string> trace_;
};

}  // namespace fanfare::checker
