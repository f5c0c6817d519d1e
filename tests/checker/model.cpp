#include "checker/model.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace fanfare::checker {
namespace {

constexpr std::size_t kTraceLinesMax = 2000;
// What mail between two workers takes at most, on a busy machine.
constexpr milliseconds kTravelTime{1'000};
constexpr std::string_view kDataBegin = R"({"n":)";

/// The server's own words for "/x/*" and "/x/**", said once more from the specification (section
/// 4).
bool matches_text(std::string_view pattern, std::string_view channel) {
  if (pattern.ends_with("/**")) {
    const std::string_view base = pattern.substr(0, pattern.size() - 2);
    return channel.starts_with(base) && channel.size() > base.size();
  }
  if (pattern.ends_with("/*")) {
    const std::string_view base = pattern.substr(0, pattern.size() - 1);
    return channel.starts_with(base) && channel.size() > base.size() &&
           channel.find('/', base.size()) == std::string_view::npos;
  }
  return pattern == channel;
}

}  // namespace

const std::vector<std::string>& names() {
  static const std::vector<std::string> names{
      "/a", "/b",   "/c/1",  "/c/2",  "/c/2/x", "/d/e/f", "/d/e/g", "/h", "/i/j",
      "/k", "/c/*", "/c/**", "/d/**", "/d/e/*", "/*",     "/i/**",  "/**"};
  return names;
}

bool matches(std::size_t pattern, std::size_t channel) {
  static const std::vector<std::vector<bool>> table = [] {
    std::vector<std::vector<bool>> rows;
    for (const std::string& name : names()) {
      auto& row = rows.emplace_back();
      for (std::size_t at = 0; at < kChannels; ++at) row.push_back(matches_text(name, names()[at]));
    }
    return rows;
  }();
  return table[pattern][channel];
}

PublicationId Model::start(std::size_t channel, std::size_t padding) {
  publications_.push_back({.channel = channel, .padding = padding, .started = tick()});
  return static_cast<PublicationId>(publications_.size() - 1);
}

void Model::accept(PublicationId id) {
  publications_[id].accepted = tick();
  publications_[id].accepted_at = Clock::now();
  for (const auto& session : sessions_) session->accepted(id);
}

std::string Model::data_of(PublicationId id) const {
  const Publication& publication = publications_[id];
  return fmt::format(R"({}{},"pad":"{}"}})", kDataBegin, id,
                     std::string(publication.padding, static_cast<char>('a' + id % 26)));
}

std::shared_ptr<Session> Model::add_session(const std::string& client_id) {
  return sessions_.emplace_back(std::make_shared<Session>(*this, client_id));
}

void Model::remove(const Session& session) {
  std::erase_if(sessions_, [&](const auto& known) { return known.get() == &session; });
}

void Model::heard(std::size_t worker, Tick asked) {
  for (const auto& session : sessions_) {
    if (session->worker() != worker) continue;
    for (Session::Loss& loss : session->losses_) {
      if (loss.noticed == kNever && loss.broken < asked) loss.noticed = tick();
    }
  }
}

void Model::compare(const Session& witness,
                    const std::vector<std::shared_ptr<Session>>& sessions) const {
  std::unordered_map<PublicationId, std::size_t> ranks;
  for (const auto& channel : witness.by_channel_) {
    Tick latest_start = 0;
    for (std::size_t rank = 0; rank < channel.size(); ++rank) {
      const Publication& publication = publications_[channel[rank]];
      if (publication.accepted < latest_start) {
        throw Violation(
            fmt::format("publication {} comes after one that was started when {} had "
                        "been accepted",
                        channel[rank], channel[rank]));
      }
      latest_start = std::max(latest_start, publication.started);
      ranks[channel[rank]] = rank;
    }
  }
  for (const auto& session : sessions) {
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      const auto matching = std::ranges::count_if(
          session->intervals_, [&](const Interval& at) { return matches(at.pattern, channel); });
      const bool is_one_piece = matching == 1 && session->untracked_.empty() &&
                                session->losses_.empty() && session->late_.empty();
      std::vector<PublicationId> row = session->by_channel_[channel];
      std::erase_if(row, [&](PublicationId id) { return session->late_.contains(id); });
      for (std::size_t at = 0; at < row.size(); ++at) {
        const auto rank = ranks.find(row[at]);
        if (rank == ranks.end()) {
          throw Violation(fmt::format("session {} got publication {}, the witness did not\n{}",
                                      session->client_id_, row[at], session->trace_text()));
        }
        if (at == 0) continue;
        const std::size_t previous = ranks.at(row[at - 1]);
        if (rank->second <= previous || (is_one_piece && rank->second != previous + 1)) {
          throw Violation(fmt::format(
              "session {} got publication {} right after {}: their places in {} are {} and {}\n{}",
              session->client_id_, row[at], row[at - 1], names()[channel], rank->second, previous,
              session->trace_text()));
        }
      }
    }
  }
}

Session::Session(Model& model, std::string client_id)
    : model_(model), client_id_(std::move(client_id)), by_channel_(kChannels) {
  // The first two characters name the worker, in base 36 (protocol/bayeux/session_id.hpp).
  const std::string worker = client_id_.substr(0, 2);
  worker_ = 0;
  std::from_chars(worker.data(), worker.data() + worker.size(), worker_, 36);
}

std::size_t Session::ask(std::size_t pattern) {
  intervals_.push_back({.pattern = pattern, .asked = model_.tick()});
  return intervals_.size() - 1;
}

void Session::joined(std::size_t interval) {
  if (untracked_.contains(intervals_[interval].pattern)) return;
  intervals_[interval].joined = model_.tick();
}

void Session::ask_to_leave(std::size_t pattern) {
  for (Interval& interval : intervals_) {
    if (interval.pattern == pattern && interval.leave_asked == kNever) {
      interval.leave_asked = model_.tick();
    }
  }
}

void Session::left(std::size_t pattern) {
  if (untracked_.contains(pattern)) return;
  for (Interval& interval : intervals_) {
    if (interval.pattern == pattern && interval.left == kNever) interval.left = model_.tick();
  }
}

void Session::lose_track(std::size_t pattern) {
  untracked_.insert(pattern);
  for (Interval& interval : intervals_) {
    if (interval.pattern == pattern && interval.left == kNever) {
      interval.leave_asked = std::min(interval.leave_asked, model_.tick());
    }
  }
}

bool Session::is_joined(std::size_t pattern) const {
  return std::ranges::any_of(intervals_, [&](const Interval& interval) {
    return interval.pattern == pattern && interval.joined != kNever &&
           interval.leave_asked == kNever;
  });
}

bool Session::is_due(const Publication& publication) const {
  return std::ranges::any_of(intervals_, [&](const Interval& interval) {
    return matches(interval.pattern, publication.channel) &&
           interval.joined < publication.started && interval.leave_asked == kNever;
  });
}

bool Session::may_come(const Publication& publication) const {
  return std::ranges::any_of(intervals_, [&](const Interval& interval) {
    return matches(interval.pattern, publication.channel) &&
           interval.asked_at - kTravelTime < publication.accepted_at &&
           publication.started < interval.left;
  });
}

bool Session::may_be_lost(const Publication& publication) const {
  return std::ranges::any_of(losses_,
                             [&](const Loss& loss) { return publication.started < loss.noticed; });
}

void Session::accepted(PublicationId id) {
  const Publication& publication = model_.publication(id);
  if (has_ended_ || received_.contains(id)) return;
  if (is_due(publication) && !may_be_lost(publication)) due_.insert(id);
}

void Session::deliver(std::string_view channel, std::string_view data) {
  std::string_view digits = data;
  PublicationId id = 0;
  if (digits.starts_with(kDataBegin)) digits.remove_prefix(kDataBegin.size());
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (failure != std::errc() || id >= model_.publication_count() || data != model_.data_of(id)) {
    throw Violation(
        fmt::format("what came on {} was never published: {}", channel, data.substr(0, 80)));
  }
  const Publication& publication = model_.publication(id);
  if (channel != names()[publication.channel]) {
    throw Violation(fmt::format("publication {} came on {}", id, channel));
  }
  due_.erase(id);
  latest_.push_back(id);
  if (!received_.insert(id).second) {
    if (may_repeat_.erase(id) == 1) return;
    throw Violation(fmt::format("publication {} came twice", id));
  }
  if (!may_come(publication)) {
    throw Violation(
        fmt::format("publication {} (started at {}, accepted at {}) is not for this "
                    "session",
                    id, publication.started, publication.accepted));
  }
  if (publication.started < loose_before_) late_.insert(id);
  by_channel_[publication.channel].push_back(id);
}

std::vector<PublicationId> Session::take_latest() {
  if (!latest_.empty()) trace(fmt::format("  got {}", fmt::join(latest_, " ")));
  return std::exchange(latest_, {});
}

void Session::may_repeat(const std::vector<PublicationId>& publications) {
  may_repeat_.insert(publications.begin(), publications.end());
}

void Session::came_late(const std::vector<PublicationId>& publications) {
  late_.insert(publications.begin(), publications.end());
}

void Session::stream_broken() {
  due_.clear();
  losses_.push_back({model_.tick()});
}

void Session::answered(Tick asked) {
  insist(asked, "although a poll that was sent after that has been answered");
}

void Session::waited(Tick asked) {
  insist(asked, "although its stream had time enough");
}

void Session::insist(Tick asked, std::string_view although) const {
  for (const PublicationId id : due_) {
    const Publication& publication = model_.publication(id);
    if (publication.accepted >= asked) continue;
    throw Violation(fmt::format(
        "publication {} on {} (started at {}, accepted at {}) had not come by {}, {}", id,
        names()[publication.channel], publication.started, publication.accepted, asked, although));
  }
}

void Session::end() {
  has_ended_ = true;
  due_.clear();
  for (Interval& interval : intervals_) {
    interval.leave_asked = std::min(interval.leave_asked, model_.now());
  }
}

void Session::trace(std::string line) {
  trace_.push_back(fmt::format("{:>9} {}", model_.tick(), std::move(line)));
  if (trace_.size() > kTraceLinesMax) trace_.pop_front();
}

std::string Session::trace_text() const {
  std::string text = fmt::format("  session {} on worker {}\n", client_id_, worker_);
  for (const Interval& interval : intervals_) {
    const auto show = [](Tick tick) { return tick == kNever ? "-" : fmt::to_string(tick); };
    text += fmt::format("  {}: asked {}, joined {}, leave asked {}, left {}\n",
                        names()[interval.pattern], interval.asked, show(interval.joined),
                        show(interval.leave_asked), show(interval.left));
  }
  for (const std::string& line : trace_) text += line + '\n';
  if (!latest_.empty()) text += fmt::format("{:>9}   got {}\n", "now", fmt::join(latest_, " "));
  return text;
}

}  // namespace fanfare::checker
