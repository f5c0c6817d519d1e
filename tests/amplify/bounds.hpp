#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "amplify/spent.hpp"

namespace fanfare::amplify {

/// What an attack may cost the server. Each of these is here beside its reason; a server that keeps
/// them cannot be hurt by much more than it is paid for.
struct Bounds {
  /// CPU time of a worker between a question and its answer. A turn is to be at most 20 ms of it,
  /// and an answer waits for the turn in which it was asked, for the one that reads it, and for
  /// what the scheduler's clock is behind.
  std::chrono::milliseconds turn{60};

  /// CPU time of the whole process. What the figures per unit do not cover: the first use of
  /// everything, page faults of a process that has just started, a busy machine's cold caches.
  std::chrono::milliseconds cpu_fixed{200};
  /// A byte that came, counted with its packet's and its connection's heads (spent.hpp), so that
  /// this is 33 µs for each write and 200 for each connection. Measured (`amplify play`): 12 µs for
  /// a connection, 7 to 30 ns for a byte of frames and requests that are sent together; the dearest
  /// is a file of 33 KB for 36 bytes of request, 850 ns.
  std::uint64_t cpu_ns_per_wire_byte = 500;
  /// Inflated, read as JSON and done: 3 to 20 ns, but for names of 7 bytes that are subscribed to
  /// and dropped again: each is made and forgotten here and at another worker's home, 1 µs.
  std::uint64_t cpu_ns_per_inflated_byte = 130;
  /// A `send` is 8 µs, and compressing or answering a poll doubles it (docs/benchmarks.md). For
  /// deliveries that arrived; one that waits for its reader costs a place in a row.
  std::uint64_t cpu_ns_per_delivery = 25'000;
  std::uint64_t cpu_ns_per_waiting_delivery = 1'000;
  /// What the site publishes is no attack: reading it, checking it, and finding who wants it.
  std::uint64_t cpu_ns_per_publication = 20'000;
  std::uint64_t cpu_ns_per_published_byte = 20;

  /// Memory of the whole process above what it had before. A buffer of each worker grows to the
  /// largest message, each window size has its compressor, and malloc keeps some.
  std::uint64_t memory_fixed = 24 * 1024 * 1024;
  /// What came in part is kept, twice while a buffer grows; headers and clientIds become objects.
  std::uint64_t memory_per_wire_byte = 8;
  /// A connection may be sent 64 KiB ahead and be owed an answer of as much; both buffers grow by
  /// doubling.
  std::uint64_t memory_per_socket = 160 * 1024;
  std::uint64_t memory_per_session = 2 * 1024;
  /// A name of 255 bytes as text, in the hub, in the home and in the session, is more; most are
  /// not.
  std::uint64_t memory_per_subscription = 400;
  /// A publication waits once, whoever waits for it: its text, its frame, its compressed frame.
  std::uint64_t memory_per_published_byte = 4;
  /// A pointer in the row of each session that waits for it, twice while the row grows.
  std::uint64_t memory_per_delivery = 32;

  /// From the publish to each subscriber of the background.
  std::chrono::milliseconds patience{1'000};
};

/// What it did cost.
struct Cost {
  std::chrono::nanoseconds longest_turn{};
  std::chrono::nanoseconds cpu{};  // without the background's
  std::uint64_t memory = 0;        // at its peak, above the beginning
  std::string background;          // what was wrong there
  std::string process;             // how it died, or did not end
};

enum class Kind { turn, cpu, memory, background, process };
std::string_view name_of(Kind kind);

struct Excess {
  Kind kind;
  std::string text;  // with the figure, the bound, and what it is made of
};

/// All bounds that are exceeded; `spent` says what the attack was worth.
std::vector<Excess> judge(const Bounds& bounds, const Spent& spent, const Cost& cost);

std::chrono::nanoseconds cpu_allowed(const Bounds& bounds, const Spent& spent);
std::uint64_t memory_allowed(const Bounds& bounds, const Spent& spent);

}  // namespace fanfare::amplify
