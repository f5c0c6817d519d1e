#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/realm.hpp"
#include "server/cli/console.hpp"

namespace fanfare::server::cli {

/// What a start has to say: where the server is, and how to use it.
struct Welcome {
  /// As bound: `127.0.0.1:8400`, `[::]:80`. At least one.
  std::vector<std::string> addresses;
  /// At least one.
  const std::vector<core::Realm>& realms;
  /// The file that was read; empty for none.
  std::string config_file;
  /// The browser library: its file name under /bayeux/static/, and its `integrity` value.
  std::string library_file;
  std::string library_integrity;
  bool has_demo = true;
  /// How many of the addresses, the last ones, hear proxies alone.
  std::size_t proxied_addresses = 0;
  /// Whether the realm was made by this start.
  bool is_realm_new = false;
  /// What to type, before the realm's id, to see a key; empty where no command finds it.
  std::string show_command;
};

/// Fits 80 columns at a first start. A key is told only when it has just been made, with what to
/// paste: what a service prints stays in the system's log. Later starts say how to see it.
std::string welcome_text(const Welcome& welcome, const Paint& paint);

}  // namespace fanfare::server::cli
