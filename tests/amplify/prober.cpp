#include "amplify/prober.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "amplify/process_use.hpp"
#include "support/client_socket.hpp"

namespace fanfare::amplify {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kQuestion = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
// Often enough to meet every turn of 20 ms, and 1 % of a processor.
constexpr milliseconds kPause{2};
constexpr milliseconds kGlance{50};
// To tell which thread answers: its time stands out against the others', which do nothing.
constexpr int kTrialQuestions = 20;
constexpr int kTrials = 30;
constexpr int kTrialsAgreeing = 3;
constexpr int kTrialLines = 64;

nanoseconds wall_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

/// When the kernel got the bytes, if it says so.
std::optional<nanoseconds> arrival_of(msghdr& message) {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SO_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(each), sizeof at);
    return std::chrono::seconds(at.tv_sec) + nanoseconds(at.tv_nsec);
  }
  return std::nullopt;
}

struct Received {
  enum State { nothing, answer, end } state = nothing;
  nanoseconds at{};
};

Received receive(int descriptor, milliseconds at_most) {
  pollfd waiting{descriptor, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(at_most.count())) <= 0) return {};
  std::array<char, 4096> bytes{};
  alignas(cmsghdr) std::array<char, 256> control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(descriptor, &message, 0);
  if (count <= 0) return {Received::end, {}};
  return {Received::answer, arrival_of(message).value_or(wall_now())};
}

}  // namespace

Prober::Prober(pid_t process, std::uint16_t port, std::size_t workers)
    : process_(process), port_(port) {
  for (int i = 0; i < kTrialLines && lines_.size() < workers; ++i) {
    const Line line = connect();
    const bool is_new =
        line.thread != 0 && std::ranges::find(lines_, line.thread, &Line::thread) == lines_.end();
    if (is_new)
      lines_.push_back(line);
    else
      ::close(line.descriptor);
  }
  if (lines_.size() < workers) throw std::runtime_error("a worker answers no question");
}

Prober::~Prober() {
  stop();
}

Prober::Line Prober::connect() const {
  ClientSocket socket = ClientSocket::connect_to(port_);
  if (!socket.is_open()) throw std::runtime_error("the server takes no connection");
  Line line{::dup(socket.descriptor()), 0};
  const int on = 1;
  ::setsockopt(line.descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  // A process that has just started does other things as well: the same thread has to stand out
  // again and again.
  int agreeing = 0;
  for (int i = 0; i < kTrials && agreeing < kTrialsAgreeing; ++i) {
    const pid_t thread = busiest_thread(line);
    agreeing = thread == std::exchange(line.thread, thread) ? agreeing + 1 : 0;
  }
  return line;
}

pid_t Prober::busiest_thread(const Line& line) const {
  std::map<pid_t, nanoseconds> before;
  for (const pid_t thread : threads_of(process_)) before[thread] = cpu_of_thread(process_, thread);
  for (int i = 0; i < kTrialQuestions; ++i) {
    ::send(line.descriptor, kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL);
    if (receive(line.descriptor, milliseconds(5'000)).state != Received::answer) return 0;
  }
  pid_t busiest = 0;
  nanoseconds most{0};
  for (const auto& [thread, used] : before) {
    const nanoseconds grown = cpu_of_thread(process_, thread) - used;
    if (grown > most) {
      most = grown;
      busiest = thread;
    }
  }
  return busiest;
}

void Prober::start() {
  for (const Line& line : lines_) threads_.emplace_back([this, line] { ask_on(line); });
}

void Prober::stop() {
  is_stopping_ = true;
  threads_.clear();  // joins them
  for (const Line& line : lines_) ::close(line.descriptor);
  lines_.clear();
}

void Prober::ask_on(Line line) {
  while (!is_stopping_ && ask(line)) std::this_thread::sleep_for(kPause);
}

bool Prober::ask(Line line) {
  const nanoseconds cpu_before = cpu_of_thread(process_, line.thread);
  const nanoseconds asked_at = wall_now();
  if (::send(line.descriptor, kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) < 0) {
    was_cut_off_ = true;
    return false;
  }
  Received received;
  do {
    received = receive(line.descriptor, kGlance);
    const nanoseconds waited =
        (received.state == Received::answer ? received.at : wall_now()) - asked_at;
    // One thread cannot have used more time than went by.
    const nanoseconds used = std::min(cpu_of_thread(process_, line.thread) - cpu_before, waited);
    for (std::int64_t known = longest_ns_; used.count() > known;) {
      if (longest_ns_.compare_exchange_weak(known, used.count())) break;
    }
  } while (received.state == Received::nothing && !is_stopping_);
  if (received.state == Received::answer) ++answers_;
  if (received.state == Received::end) was_cut_off_ = true;
  return received.state == Received::answer;
}

std::string Prober::complaint() const {
  return was_cut_off_ ? "the connection that asks for /healthz was closed" : "";
}

}  // namespace fanfare::amplify
