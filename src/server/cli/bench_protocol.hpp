#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/cli/bench_plan.hpp"

namespace fanfare::server::cli::bench {

/// What a subscriber's side of a protocol keeps between two messages.
struct Conversation {
  std::vector<std::size_t> channels;
  int step = 0;
  /// Whatever it has to send again and again, made once.
  std::string refrain;
};

/// What comes of a message.
struct Reaction {
  std::string send{};
  bool is_subscribed = false;
  /// Why it will never be; empty while it may.
  std::string refusal{};
};

/// A publish request, made once; the numbers in it are overwritten for each publish.
struct PublishRequest {
  std::string bytes;
  /// Where the channel's digits stand, and where the mark of the publication.
  std::size_t channel_at = 0;
  std::size_t mark_at = 0;
};

/// The channel's number in its name, with as many digits for each: see channel_name().
inline constexpr std::size_t kChannelDigits = 7;
inline constexpr std::size_t kChannelsMax = 10'000'000;
std::string channel_digits(std::size_t channel);

/// How one kind of server is spoken to. Stateless: many conversations share one.
class Dialogue {
 public:
  virtual ~Dialogue() = default;

  /// What to send on a new connection: an HTTP request. With an answer of 101, the connection is a
  /// WebSocket from then on.
  [[nodiscard]] virtual std::string begin(Conversation& conversation) const = 0;
  /// To an answer (its head before its body) or a WebSocket message that is or holds something
  /// besides publications. Subscribers that poll hear of each answer.
  [[nodiscard]] virtual Reaction hear(Conversation& conversation, std::string_view head,
                                      std::string_view body) const = 0;
  /// Whether the first request is all there is to subscribing: it stays without an answer until
  /// something is published.
  [[nodiscard]] virtual bool subscribes_by_asking() const { return false; }

  [[nodiscard]] virtual PublishRequest publish_request() const = 0;
  /// What a publisher says on a new connection before anything else.
  [[nodiscard]] virtual std::string publisher_greeting() const { return {}; }
  /// Whether publishers are answered by HTTP, or else by lines of `PONG`.
  [[nodiscard]] virtual bool answers_in_http() const { return true; }
};

std::unique_ptr<Dialogue> make_dialogue(const Plan& plan);

}  // namespace fanfare::server::cli::bench
