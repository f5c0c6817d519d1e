#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "api/reply.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "core/exchange.hpp"
#include "core/realm.hpp"
#include "wire/json/json.hpp"

namespace fanfare::api {

/// The comments of the demo page, as a site would keep them in its database.
///
/// Threads: any; all workers share it.
class DemoComments {
 public:
  struct Comment {
    std::uint64_t id;
    std::string name;
    std::string text;
    base::WallTime at;
  };

  /// Comments taken in a second, from all visitors together: each makes everybody who has the page
  /// open ask for the list.
  static constexpr std::size_t kPerSecondMax = 20;

  /// Whether one more comment may come in this second; it counts as one that did.
  [[nodiscard]] bool admit(base::TimePoint now);
  /// Keeps the comment, and forgets the oldest when there are too many. Returns its id.
  std::uint64_t add(std::string name, std::string text, base::WallTime at);
  /// `{"comments":[…]}`, the oldest first.
  std::string to_json();

 private:
  base::Mutex mutex_;
  std::uint64_t next_id_ FANFARE_GUARDED_BY(mutex_) = 1;
  std::deque<Comment> comments_ FANFARE_GUARDED_BY(mutex_);
  base::TimePoint second_began_ FANFARE_GUARDED_BY(mutex_){};
  std::size_t in_this_second_ FANFARE_GUARDED_BY(mutex_) = 0;
};

/// The page under /demo/, for one worker: a comments page as in any site, which tells its visitors
/// of new comments through the server that it demonstrates. It takes comments from its own page
/// alone: a page of another site that could make its visitors' browsers post here would publish.
class Demo {
 public:
  Demo(DemoComments& comments, core::Exchange& exchange, const base::Clock& clock)
      : comments_(comments), exchange_(exchange), clock_(clock) {}

  /// `path` is what follows "/demo/". `bayeux` is where browsers reach the realm: "/bayeux".
  void handle(const wire::http1::Request& request, const core::RealmPtr& realm,
              std::string_view path, std::string_view bayeux, Reply reply);

 private:
  void post_comment(const wire::http1::Request& request, const core::RealmPtr& realm, Reply reply);

  DemoComments& comments_;
  core::Exchange& exchange_;
  const base::Clock& clock_;
  wire::json::Parser parser_;
};

}  // namespace fanfare::api
