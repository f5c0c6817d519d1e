#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace fanfare::amplify {

/// Asks each worker for its health, all the time, and notes what CPU time the worker's thread used
/// between a question and its answer: an upper bound of its longest turn that does not count when
/// others have the processor. When the answer came is the kernel's word, so it does not matter
/// either how late we were told.
class Prober {
 public:
  /// Finds a connection to each of the `workers`; throws when that does not succeed. Nothing else
  /// may ask the server for anything meanwhile.
  Prober(pid_t process, std::uint16_t port, std::size_t workers);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  void start();
  void stop();

  /// Of one question.
  [[nodiscard]] std::chrono::nanoseconds longest() const {
    return std::chrono::nanoseconds(longest_ns_.load());
  }
  [[nodiscard]] std::uint64_t answers() const { return answers_.load(); }
  /// What went wrong with the questions themselves, or nothing.
  [[nodiscard]] std::string complaint() const;

 private:
  struct Line {
    int descriptor = -1;
    pid_t thread = 0;
  };

  Line connect() const;
  pid_t busiest_thread(const Line& line) const;
  void ask_on(Line line);
  bool ask(Line line);

  pid_t process_;
  std::uint16_t port_;
  std::vector<Line> lines_;
  std::vector<std::jthread> threads_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<std::int64_t> longest_ns_ = 0;
  std::atomic<std::uint64_t> answers_ = 0;
  std::atomic<bool> was_cut_off_ = false;
};

}  // namespace fanfare::amplify
