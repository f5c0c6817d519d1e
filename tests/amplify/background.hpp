#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/connection.hpp"

namespace fanfare::amplify {

/// What one subscriber has got of a row of numbers: 1, 2, 3, …
class Row {
 public:
  /// What is wrong with this one coming next, or nothing.
  std::string take(std::uint64_t number);
  [[nodiscard]] std::uint64_t last() const { return last_; }

 private:
  std::uint64_t last_ = 0;
};

/// The honest ones: subscribers of a realm of their own, and a site that publishes a number 20
/// times a second, and once a second a batch that takes more than one read. Every subscriber is to
/// get every number, in order, in time; every publish is to be answered 200, in time.
class Background {
 public:
  /// Connects; throws if the server does not let it.
  Background(std::uint16_t port, std::string token, std::chrono::milliseconds patience);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void start();
  /// Stops publishing, waits for what is on its way, leaves, and returns what was wrong, or
  /// nothing.
  std::string finish();

  static constexpr std::string_view kRealm = "site";

 private:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  struct Subscriber {
    std::unique_ptr<Connection> connection;
    std::string client_id;
    Row row;
  };
  struct Publisher {
    std::unique_ptr<Connection> connection;
    std::string name;
    Time asked_at{};
    bool is_waiting = false;
  };

  void subscribe(Subscriber& subscriber) const;
  void run();
  void turn();
  void publish_number();
  void publish_batch();
  void read(Subscriber& subscriber);
  void read(Publisher& publisher);
  void check_patience();
  [[nodiscard]] bool is_all_here() const;
  void complain(std::string what);

  std::uint16_t port_;
  std::string headers_;
  std::chrono::milliseconds patience_;
  std::vector<Subscriber> subscribers_;
  Publisher numbers_{nullptr, "a publish of 2 bytes", {}, false};
  Publisher batches_{nullptr, "a publish of 800 KB", {}, false};
  std::vector<Time> published_at_;  // by number - 1
  Time next_number_at_{};
  Time next_batch_at_{};
  std::atomic<bool> is_stopping_ = false;
  std::string complaint_;  // the first
  std::jthread thread_;    // owns all of the above between start() and finish()
};

}  // namespace fanfare::amplify
