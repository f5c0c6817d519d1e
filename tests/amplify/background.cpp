#include "amplify/background.hpp"

#include <algorithm>
#include <charconv>
#include <poll.h>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace fanfare::amplify {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kSubscribers = 8;
constexpr milliseconds kBetweenNumbers{50};
constexpr milliseconds kBetweenBatches{1'000};
// Many reads (of 64 KiB), so that its beginning has to wait in the server for its end.
constexpr std::size_t kBatchItems = 20;
constexpr std::size_t kBatchItemBytes = 40'000;
constexpr milliseconds kReadyTime{5'000};

/// Reads until `mark` has come in a message; the message.
std::string wait_for(Connection& connection, std::string_view mark) {
  const auto deadline = std::chrono::steady_clock::now() + kReadyTime;
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd waiting{connection.descriptor(), POLLIN, 0};
    ::poll(&waiting, 1, 50);
    connection.pull();
    for (const Arrival& arrival : connection.take()) {
      if (arrival.body.find(mark) != std::string::npos) return arrival.body;
    }
  }
  throw std::runtime_error(fmt::format("a background subscriber waits for {} in vain", mark));
}

std::string client_id_in(std::string_view text) {
  constexpr std::string_view kField = "\"clientId\":\"";
  const std::size_t at = text.find(kField) + kField.size();
  return std::string(text.substr(at, text.find('"', at) - at));
}

std::string connect_message(const std::string& client_id) {
  return fmt::format(
      R"([{{"channel":"/meta/connect","clientId":"{}","connectionType":"websocket"}}])", client_id);
}

}  // namespace

std::string Row::take(std::uint64_t number) {
  const std::uint64_t expected = last_ + 1;
  last_ = std::max(last_, number);
  if (number == expected) return {};
  return number > expected ? fmt::format("lost {} to {}", expected, number - 1)
                           : fmt::format("got {} again or late, after {}", number, expected - 1);
}

Background::Background(std::uint16_t port, std::string token, milliseconds patience)
    : port_(port),
      headers_("Authorization: Bearer " + std::move(token) + "\r\n"),
      patience_(patience),
      subscribers_(kSubscribers) {
  for (Subscriber& subscriber : subscribers_) subscribe(subscriber);
  numbers_.connection = std::make_unique<Connection>(port_);
  batches_.connection = std::make_unique<Connection>(port_);
}

Background::~Background() {
  is_stopping_ = true;
}

void Background::subscribe(Subscriber& subscriber) const {
  subscriber.connection = std::make_unique<Connection>(port_);
  Connection& connection = *subscriber.connection;
  connection.upgrade(fmt::format("/r/{}/bayeux", kRealm));
  connection.send_text(
      R"([{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["websocket"]}])");
  subscriber.client_id = client_id_in(wait_for(connection, "/meta/handshake"));
  connection.send_text(
      fmt::format(R"([{{"channel":"/meta/subscribe","clientId":"{}","subscription":"/news"}}])",
                  subscriber.client_id));
  wait_for(connection, "/meta/subscribe");
  connection.send_text(connect_message(subscriber.client_id));
}

void Background::start() {
  next_number_at_ = Clock::now();
  next_batch_at_ = next_number_at_ + kBetweenBatches / 2;
  thread_ = std::jthread([this] { run(); });
}

std::string Background::finish() {
  is_stopping_ = true;
  thread_.join();
  // A server that is told to end need not wait for these.
  subscribers_.clear();
  numbers_.connection.reset();
  batches_.connection.reset();
  return complaint_;
}

void Background::run() {
  while (!is_stopping_ && complaint_.empty()) turn();
  const Time deadline = Clock::now() + patience_;
  while (!is_all_here() && complaint_.empty() && Clock::now() < deadline) turn();
  if (!is_all_here()) complain("at the end something has not come");
}

void Background::turn() {
  std::vector<pollfd> descriptors;
  const auto add = [&](const Connection& connection) {
    const int events = POLLIN | (connection.has_unwritten() ? POLLOUT : 0);
    descriptors.push_back({connection.descriptor(), static_cast<short>(events), 0});
  };
  for (const Subscriber& subscriber : subscribers_) add(*subscriber.connection);
  add(*numbers_.connection);
  add(*batches_.connection);
  ::poll(descriptors.data(), descriptors.size(), 5);
  for (Subscriber& subscriber : subscribers_) read(subscriber);
  read(numbers_);
  read(batches_);
  if (!is_stopping_ && !numbers_.is_waiting && Clock::now() >= next_number_at_) publish_number();
  if (!is_stopping_ && !batches_.is_waiting && Clock::now() >= next_batch_at_) publish_batch();
  check_patience();
}

void Background::publish_number() {
  published_at_.push_back(numbers_.asked_at = Clock::now());
  next_number_at_ = numbers_.asked_at + kBetweenNumbers;
  numbers_.is_waiting = true;
  numbers_.connection->post(
      fmt::format("/realm/{}/publish/", kRealm),
      fmt::format(R"({{"items":[{{"channel":"news","json-object":{}}}]}})", published_at_.size()),
      headers_);
}

void Background::publish_batch() {
  batches_.asked_at = Clock::now();
  next_batch_at_ = batches_.asked_at + kBetweenBatches;
  batches_.is_waiting = true;
  std::string items;
  for (std::size_t i = 0; i < kBatchItems; ++i) {
    items += fmt::format(R"({}{{"channel":"bulk","json-object":"{}"}})", i == 0 ? "" : ",",
                         std::string(kBatchItemBytes, 'b'));
  }
  batches_.connection->post(fmt::format("/realm/{}/publish/", kRealm),
                            fmt::format(R"({{"items":[{}]}})", items), headers_);
}

void Background::read(Subscriber& subscriber) {
  constexpr std::string_view kData = "\"data\":";
  subscriber.connection->flush();
  subscriber.connection->pull();
  for (const Arrival& arrival : subscriber.connection->take()) {
    if (arrival.kind == Arrival::end || arrival.kind == Arrival::close) {
      return complain(fmt::format("a subscriber's connection was closed ({} {})", arrival.status,
                                  arrival.body));
    }
    const std::string_view text = arrival.body;
    for (std::size_t at = text.find(kData); at != std::string_view::npos;
         at = text.find(kData, at + 1)) {
      std::uint64_t number = 0;
      std::from_chars(text.data() + at + kData.size(), text.data() + text.size(), number);
      if (const std::string wrong = subscriber.row.take(number); !wrong.empty())
        complain("a subscriber " + wrong);
    }
    if (text.find("\"/meta/connect\"") == std::string_view::npos) continue;
    if (text.find("\"successful\":true") == std::string_view::npos)
      return complain(fmt::format("a subscriber has lost its session: {}", text));
    subscriber.connection->send_text(connect_message(subscriber.client_id));
  }
}

void Background::read(Publisher& publisher) {
  publisher.connection->flush();
  publisher.connection->pull();
  for (const Arrival& arrival : publisher.connection->take()) {
    if (arrival.kind == Arrival::answer && arrival.status == 200)
      publisher.is_waiting = false;
    else
      complain(
          fmt::format("{} was answered with {} {}", publisher.name, arrival.status, arrival.body));
  }
}

void Background::check_patience() {
  const Time now = Clock::now();
  for (const Publisher* publisher : {&numbers_, &batches_}) {
    if (publisher->is_waiting && now - publisher->asked_at > patience_)
      complain(publisher->name + " waits too long for its answer");
  }
  for (const Subscriber& subscriber : subscribers_) {
    const std::uint64_t last = subscriber.row.last();
    if (last < published_at_.size() && now - published_at_[last] > patience_)
      return complain(fmt::format("a subscriber waits too long for number {}", last + 1));
  }
}

bool Background::is_all_here() const {
  return !numbers_.is_waiting && !batches_.is_waiting &&
         std::ranges::all_of(subscribers_, [this](const Subscriber& subscriber) {
           return subscriber.row.last() == published_at_.size();
         });
}

void Background::complain(std::string what) {
  if (complaint_.empty()) complaint_ = std::move(what);
}

}  // namespace fanfare::amplify
