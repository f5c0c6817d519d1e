#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/running_server.hpp"

namespace fanfare::server {

/// For the script: short waits, and an operator's file.
Config script_config(std::size_t workers);
core::Realm script_realm();

/// Everything that clients do, once: every verb, every transport, each kind of answer. Any of it
/// may fail, and then the rest is done all the same.
class Script {
 public:
  explicit Script(const RunningServer& server) : server_(server) {}

  void play();
  /// Without exceptions: closes what is open.
  void finish() { held_.clear(); }

  /// What was published on /quiet/a and answered 200, in order.
  [[nodiscard]] const std::vector<int>& accepted() const { return accepted_; }

 private:
  void publish_quietly();
  void poll();
  void acknowledge();
  void websocket();
  void compressed_websocket();
  void event_stream();
  void script_tag();
  void files();
  void demo();
  void sent_ahead();
  void much_at_once();
  void behind_a_proxy();
  void move_between_workers();
  void publish_in_sequence();
  void leave_in_the_middle();
  void await_timers();

  /// One GET over a connection of its own; its body.
  std::string get(std::string_view target, std::string_view more = "");

  const RunningServer& server_;
  std::vector<ClientSocket> held_;
  std::vector<int> accepted_;
  int next_ = 0;
};

}  // namespace fanfare::server
