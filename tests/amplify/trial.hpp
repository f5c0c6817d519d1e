#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "amplify/bounds.hpp"
#include "amplify/script.hpp"
#include "amplify/spent.hpp"

namespace fanfare::amplify {

struct Outcome {
  Spent spent;
  Cost cost;
  std::vector<Excess> excesses;
  /// How the site's first publish that was not taken was answered. Under attack that may be right.
  std::string refusal;

  [[nodiscard]] bool is_good() const { return excesses.empty(); }
  /// Whether one of these bounds was exceeded as well.
  [[nodiscard]] bool shares_a_kind_with(const Outcome& other) const;
};

/// Where scripts are played: always against a server of their own, so that nothing is left of the
/// one before.
struct Stage {
  std::string binary;
  Bounds bounds;
};

/// Starts the server and the background, plays the script, waits until the server has come to rest,
/// lets everybody go (but for a script that stays), tells the server to end, and judges. Throws
/// when it does not come so far. `meanwhile` is done to the server's process before the script.
Outcome play(const Stage& stage, const Script& script, std::size_t workers,
             const std::function<void(pid_t)>& meanwhile = {});

/// Plays it again, up to `times`, as long as it goes over the same bounds; the last outcome that is
/// good, or else the last. What fails once in four is the machine's noise, not the script's.
Outcome confirm(const Stage& stage, const Script& script, std::size_t workers, Outcome first,
                int times = 3);

/// The configuration of its servers, in TOML.
std::string server_config();

}  // namespace fanfare::amplify
