#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bundle.hpp"
#include "core/disconnect.hpp"
#include "protocol/bayeux/peer.hpp"
#include "protocol/bayeux/replies.hpp"
#include "protocol/bayeux/session.hpp"
#include "wire/json/json.hpp"

namespace fanfare::protocol::bayeux {

/// One element of what a client gets, in short: a delivery as "/a:1", a reply as "2 /meta/connect"
/// (id and channel), an unsuccessful one with its error behind.
inline std::string in_short(const wire::json::Value& element) {
  const auto text = [&element](std::string_view key) {
    const auto value = element.find(key);
    return value ? std::string(value->is_string() ? value->as_string() : value->raw()) : "";
  };
  if (const auto data = element.find("data")) {
    return text("channel").append(":").append(data->raw());
  }
  std::string line = text("id");
  if (!line.empty()) line += ' ';
  line += text("channel");
  return text("error").empty() ? line : line.append(" ").append(text("error"));
}

/// The elements of an array of messages, each in short. `elements` is what stands between its
/// brackets.
inline std::vector<std::string> all_in_short(std::string_view elements) {
  const std::string array = "[" + std::string(elements) + "]";
  const auto parsed = wire::json::validate(array);
  if (!parsed) return {"not JSON: " + array};
  std::vector<std::string> lines;
  parsed->for_each_element(
      [&lines](const wire::json::Value& element) { lines.push_back(in_short(element)); });
  return lines;
}

/// A request that ends with its answer, as a POST does.
class FakeCall final : public Caller {
 public:
  [[nodiscard]] std::string peer_network() const override { return network; }
  Outlet* outlet() noexcept override { return nullptr; }
  void answer(std::string_view elements, const Deliveries& deliveries) noexcept override {
    ++answers;
    holder = nullptr;
    text = std::string(elements);
    delivered = deliveries;
    if (!deliveries.bundle) return;
    if (!text.empty()) text += ',';
    text += bayeux::deliveries(*deliveries.bundle);
  }
  void supersede() noexcept override {
    ++answers;
    holder = nullptr;
    is_superseded = true;
  }
  void fail() noexcept override { has_failed = true; }
  void hold(Session& session) noexcept override { holder = &session; }

  /// The peer of a held request goes.
  void leave() { std::exchange(holder, nullptr)->caller_left(); }
  [[nodiscard]] bool is_held() const { return holder != nullptr; }
  [[nodiscard]] std::vector<std::string> lines() const { return all_in_short(text); }

  std::string network = "192.0.2.1";
  int answers = 0;
  std::string text;
  Deliveries delivered;
  bool is_superseded = false;
  bool has_failed = false;
  Session* holder = nullptr;

 private:
  void add_reference() noexcept override { ++references_; }
  void release_reference() noexcept override {
    if (--references_ == 0) delete this;
  }
  int references_ = 0;
};

using CallPtr = boost::intrusive_ptr<FakeCall>;

/// A stream, as a WebSocket is: it takes deliveries as they come, and messages too. While it is
/// `stalled` its peer does not read.
class FakeSocket final : public Outlet, public Caller {
 public:
  FakeSocket() { add_reference(); }  // the test owns it
  FakeSocket(const FakeSocket&) = delete;
  FakeSocket& operator=(const FakeSocket&) = delete;
  ~FakeSocket() override { leave_all(); }

  void send(Session& from, const core::BundlePtr& bundle) noexcept override {
    unwritten_.push_back({bundle, from.id(), {}});
    write();
  }
  [[nodiscard]] bool is_congested() const noexcept override { return !unwritten_.empty(); }
  void reply(std::string_view elements) noexcept override {
    unwritten_.push_back({nullptr, {}, std::string(elements)});
    write();
  }
  void give_back(Session& session) noexcept override {
    for (auto item = unwritten_.rbegin(); item != unwritten_.rend(); ++item) {
      if (item->bundle && item->of == session.id()) session.requeue(item->bundle);
    }
    std::erase_if(unwritten_,
                  [&](const Item& item) { return item.bundle && item.of == session.id(); });
  }
  void end(const core::Disconnect& why) noexcept override {
    ended.emplace_back(why.reason);
    if (why.close_code != core::kDisconnected.close_code) leave_all();
  }

  [[nodiscard]] std::string peer_network() const override { return "192.0.2.2"; }
  Outlet* outlet() noexcept override { return this; }
  void answer(std::string_view elements, const Deliveries& /*deliveries*/) noexcept override {
    ++answers;
    if (!elements.empty()) reply(elements);
  }
  void supersede() noexcept override {}
  void fail() noexcept override { has_failed = true; }
  void hold(Session& /*session*/) noexcept override {}

  void go_on() {
    is_stalled = false;
    write();
    flush_sessions();
  }
  /// The peer goes; what it has not read it never got.
  void break_off() {
    leave_all();
    unwritten_.clear();
  }
  /// All that the peer has read since the last look, frame after frame.
  std::vector<std::string> take_lines() {
    std::vector<std::string> lines;
    for (const std::string& frame : frames)
      std::ranges::move(all_in_short(frame), std::back_inserter(lines));
    frames.clear();
    return lines;
  }

  bool is_stalled = false;
  bool has_failed = false;
  int answers = 0;
  std::vector<std::string> frames;  // what stands between their brackets
  std::vector<std::string> ended;

 private:
  struct Item {
    core::BundlePtr bundle;  // null for a frame of our own
    SessionId of;
    std::string own;
  };

  void write() {
    for (; !is_stalled && !unwritten_.empty(); unwritten_.pop_front()) {
      const Item& first = unwritten_.front();
      frames.emplace_back(first.bundle ? std::string(deliveries(*first.bundle)) : first.own);
    }
  }
  void add_reference() noexcept override { ++references_; }
  void release_reference() noexcept override { --references_; }

  std::deque<Item> unwritten_;
  int references_ = 0;
};

}  // namespace fanfare::protocol::bayeux
