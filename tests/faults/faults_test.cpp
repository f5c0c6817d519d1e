#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "base/memory.hpp"
#include "faults/script.hpp"
#include "support/running_server.hpp"
#include "support/seed.hpp"

// Without FANFARE_FAULTS nothing can be thrown; the dev and tsan presets have it.
#ifdef FANFARE_FAULTS

namespace fanfare::server {
namespace {

constexpr std::size_t kWorkers = 2;

/// Places at which something is being brought to a subscriber who has not asked for it just now.
/// Whoever should get it may be told that it is lost; everywhere else, only those who were doing
/// something may notice.
bool concerns_subscribers(std::string_view place) {
  static constexpr std::array<std::string_view, 5> kPlaces{
      "a publication for the subscribers here", "an offer to subscribers", "a session's flush",
      "a timer", "a writable socket"};
  return std::ranges::find(kPlaces, place) != kPlaces.end();
}

/// Listens on a WebSocket and does nothing while others do what fails.
class Bystander {
 public:
  explicit Bystander(const RunningServer& server)
      : server_(server), socket_(std::make_unique<WebSocketClient>(server)) {
    id_ = client_id_in(socket_->call(kHandshake, "/meta/handshake"));
    socket_->call(connect(id_), "/meta/connect");
    socket_->call(subscribe(id_, R"("/quiet/*")"), "/meta/subscribe");
    socket_->send(connect(id_));
    socket_->call("[]", "[]");  // so that it is held by now
  }

  /// Reads until "end" has come, over a new socket if this one has closed.
  void read_to_the_end() {
    for (int sockets = 0; sockets < 3; ++sockets) {
      while (!has_end()) {
        if (socket_->receive().empty()) break;
      }
      const std::vector<std::string> got = data();
      received_.insert(received_.end(), got.begin(), got.end());
      if (!received_.empty() && received_.back() == kEnd) return;
      socket_ = std::make_unique<WebSocketClient>(server_);
      const std::string answer = socket_->call(connect(id_), "/meta/connect");
      was_told_ = answer.find(R"("successful":false)") != std::string::npos;
      if (was_told_) return;
    }
  }

  static constexpr std::string_view kEnd = "-1";
  [[nodiscard]] bool was_told() const { return was_told_; }
  [[nodiscard]] const std::vector<std::string>& received() const { return received_; }

 private:
  [[nodiscard]] std::vector<std::string> data() { return socket_->inbox.by_channel["/quiet/a"]; }
  [[nodiscard]] bool has_end() {
    const auto got = data();
    return !got.empty() && got.back() == kEnd;
  }

  const RunningServer& server_;
  std::unique_ptr<WebSocketClient> socket_;
  std::string id_;
  bool was_told_ = false;
  std::vector<std::string> received_;
};

/// In the order in which they were published, each once, and none of those missing that were
/// answered 200.
void expect_in_order_and_whole(const std::vector<std::string>& received,
                               const std::vector<int>& accepted) {
  std::vector<int> numbers;
  for (const std::string& text : received) {
    if (text != Bystander::kEnd) numbers.push_back(std::stoi(text));
  }
  EXPECT_TRUE(std::ranges::is_sorted(numbers, std::ranges::less_equal()))
      << testing::PrintToString(numbers);
  EXPECT_TRUE(std::ranges::includes(numbers, accepted))
      << testing::PrintToString(numbers) << " of " << testing::PrintToString(accepted);
}

/// Every worker serves newcomers, from the first request to a publication that comes through.
void expect_all_workers_serve(const RunningServer& server) {
  std::set<std::string> workers;
  for (int i = 0; i < 60 && workers.size() < kWorkers; ++i) {
    ClientSocket health = ClientSocket::connect_to(server.port());
    health.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(health.receive_answer().body, "ok\n");
    PollingClient client(server.port(), /*is_restless=*/true);
    if (!workers.insert(worker_of(client.id)).second) continue;
    client.call(subscribe(client.id, R"("/fresh/*")"));
    EXPECT_TRUE(Publisher(server.port()).publish("fresh/" + client.id, "7"));
    client.call(connect(client.id));
    EXPECT_EQ(client.inbox.count, 1U) << "on worker " << worker_of(client.id);
  }
  EXPECT_EQ(workers.size(), kWorkers);
}

/// Plays the script against a server of its own, and throws at the `k`th of the places that it
/// passes (0: at none). Returns how many it passed.
std::uint64_t play(std::uint64_t k) {
  const std::ptrdiff_t descriptors = open_descriptors();
  const int silences = ClientSocket::silences;
  std::uint64_t passes = 0;
  {
    RunningServer server(script_config(kWorkers), {script_realm()});
    std::vector<std::unique_ptr<Bystander>> bystanders;
    for (int i = 0; i < 3; ++i) bystanders.push_back(std::make_unique<Bystander>(server));
    Script script(server);

    base::faults::throw_at(k);
    script.play();
    passes = base::faults::passes();
    const char* const place = base::faults::thrown_at();
    base::faults::throw_at(0);

    SCOPED_TRACE(fmt::format("thrown at pass {}: {}", k, place != nullptr ? place : "nowhere"));
    script.finish();
    EXPECT_TRUE(Publisher(server.port()).publish("quiet/a", std::string(Bystander::kEnd)));
    for (const auto& bystander : bystanders) {
      bystander->read_to_the_end();
      if (bystander->was_told()) {
        EXPECT_TRUE(place != nullptr && concerns_subscribers(place)) << "a bystander was ended";
        expect_in_order_and_whole(bystander->received(), {});
      } else {
        expect_in_order_and_whole(bystander->received(), script.accepted());
      }
    }
    expect_all_workers_serve(server);
    EXPECT_EQ(ClientSocket::silences, silences) << "somebody waited ten seconds for nothing";
  }
  EXPECT_EQ(open_descriptors(), descriptors) << "after pass " << k;
  return passes;
}

/// All that stands in a FANFARE_MAY_THROW("…") of the source.
std::set<std::string> places_in_source() {
  const std::regex marker(R"re(FANFARE_MAY_THROW\("([^"]+)"\))re");
  std::set<std::string> places;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(FANFARE_SOURCE_DIR "/src")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), marker); at != std::sregex_iterator();
         ++at) {
      places.insert((*at)[1]);
    }
  }
  return places;
}

class FaultsTest : public testing::Test {
 protected:
  FaultsTest() {
    base::end_when_out_of_memory();  // and says what was thrown where nothing may be thrown
    base::log::set_level(base::log::Level::error);
  }
  ~FaultsTest() override { base::faults::throw_at(0); }

  /// How often this build can play in the time that a test may take.
  static int plays() {
    const char* const given = std::getenv("FANFARE_FAULTS_PLAYS");
    return given != nullptr ? std::atoi(given) : 300;
  }
};

/// A place that the script does not come to has not been tried.
TEST_F(FaultsTest, TheScriptPassesEveryPlaceThatMayThrow) {
  std::set<std::string> missing = places_in_source();
  ASSERT_GT(missing.size(), 30U);
  // Where the kernel puts a connection is chance, and some places are passed only by those that it
  // puts on another worker than their session.
  for (int round = 0; round < 20 && !missing.empty(); ++round) {
    play(0);
    for (const std::string& place : base::faults::places()) missing.erase(place);
  }
  EXPECT_THAT(missing, testing::IsEmpty());
}

/// Goal: whatever throws, wherever it does, ends what was being done and nothing else: every worker
/// goes on, nobody waits for ever, and who may have lost something is told.
/// Method: a script that uses every verb and every transport, with an exception at one of the
/// places that it passes, picked at random; then a look at all that should not have noticed. With
/// FANFARE_FAULTS_ALL every place takes its turn (`make faults`).
TEST_F(FaultsTest, NothingThatThrowsPassesItsConnection) {
  const std::uint64_t seed = test_seed();
  fmt::print("FANFARE_SEED={}\n", seed);
  SCOPED_TRACE("FANFARE_SEED=" + std::to_string(seed));
  const std::uint64_t passes = play(0);
  fmt::print("{} places are passed\n", passes);
  ASSERT_GT(passes, 100U);
  if (std::getenv("FANFARE_FAULTS_ALL") != nullptr) {
    for (std::uint64_t k = 1; k <= passes; ++k) play(k);
    return;
  }
  Dice dice(seed);
  for (int i = 0; i < plays(); ++i) play(1 + dice.below(passes));
}

}  // namespace
}  // namespace fanfare::server

#endif
