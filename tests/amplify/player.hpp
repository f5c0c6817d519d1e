#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amplify/packing.hpp"
#include "amplify/peer.hpp"
#include "amplify/script.hpp"
#include "amplify/spent.hpp"

namespace fanfare::amplify {

/// Who is attacked.
struct Target {
  std::uint16_t port = 0;
  /// Publishes on the site's behalf in the realm that a step names.
  std::function<std::string(std::string_view realm)> token;
  /// CPU time that the server has used so far, to know when it has come to rest. Without it that is
  /// when it has answered pings that were sent behind everything else.
  std::function<std::chrono::nanoseconds()> cpu_used;
  /// Steps are played more than once: what they send is made once.
  bool is_repeated = false;
};

/// Plays scripts: one thread, which never waits for a peer that does not want to.
class Player {
 public:
  explicit Player(Target target);

  /// Plays it to its end, unless `is_over` says that it is (asked every few milliseconds).
  void play(const Script& script, const std::function<bool()>& is_over);
  /// All sockets close, and all sessions are forgotten.
  void leave();

  /// Whether the script wants its sockets to be there when the server is told to end.
  [[nodiscard]] bool stays() const { return stays_; }
  /// Whether all sockets that the script has opened are still open; not when it has opened none.
  [[nodiscard]] bool has_all_sockets() const;

  [[nodiscard]] const Spent& spent() const { return spent_; }
  /// The first answer to a publish of the site that was not 200, or nothing.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  struct Socket {
    std::unique_ptr<Peer> peer;
    std::string realm;
    bool is_in_a_frame;  // begun and not to be ended
  };
  struct Session {
    std::string client_id;
    std::string realm;
    /// Channels 0 to this - 1 at most; and whether it has patterns, which fit any.
    std::uint64_t subscriptions = 0;
    bool has_patterns = false;
  };

  void step(const Step& step);
  void open(const Step& step);
  void handshake(const Step& step);
  void send(const Step& step);
  void raw(const Step& step);
  void get(const Step& step);
  void stream(const Step& step);
  void publish(const Step& step);
  void close(const Step& step);
  void settle();
  void wait_until_at_rest();
  void wait_for_pongs();

  std::string make_bytes(const Step& step, std::size_t socket);
  std::string make_text(const Step& step, std::vector<Session>& sessions, std::size_t socket,
                        std::size_t frame);
  void count(const Step& step, Session& session, std::size_t index);
  void count_publication(std::string_view realm, std::size_t channel, std::size_t bytes);
  std::vector<Socket>& sockets_of(const Step& step);
  std::vector<Session>& sessions_of(const Step& step);

  /// Writes what is left to write and reads what there is to read, until `is_done` or `at_most` has
  /// passed without any progress.
  void pump(milliseconds at_most, const std::function<bool()>& is_done);
  bool turn(milliseconds at_most);
  void write_all();

  Target target_;
  Spent spent_;
  Spent site_;  // what the site's own server sends is no attacker's
  Packing packing_;
  std::function<bool()> is_over_;
  std::map<std::string, std::vector<Socket>, std::less<>> sockets_;
  std::map<std::string, std::vector<Session>, std::less<>> sessions_;
  std::vector<std::unique_ptr<Peer>> helpers_;  // of the steps that need a connection of their own
  std::size_t publications_ = 0;
  std::string refusal_;
  bool stays_ = false;
  std::map<std::pair<const Step*, std::size_t>, std::string> made_;  // by step and socket
  std::array<char, 256 * 1024> scratch_{};
};

}  // namespace fanfare::amplify
