#pragma once

#include <string>
#include <string_view>

#include "core/realm.hpp"
#include "server/cli/console.hpp"

namespace fanfare::server::cli {

/// For whom there is something to paste.
struct Pasting {
  const core::Realm& realm;
  /// The server's URL, without slashes at its end.
  std::string base;
  /// The browser library: its file name under /bayeux/static/, and its `integrity` value.
  std::string library_file;
  std::string library_integrity;
  /// With one realm there is no need to name it.
  bool is_only_realm = true;
};

/// Where browsers reach the realm: `http://127.0.0.1:8400/bayeux`.
std::string bayeux_url(const Pasting& pasting);

/// `http://127.0.0.1:8400` for a place to listen; one that a browser can ask, also when the server
/// listens everywhere.
std::string url_of(std::string_view address);

/// One line of what is known: `  Listen  127.0.0.1:8400`.
std::string fact(const Paint& paint, std::string_view name, std::string_view value);

/// What to paste into the page and the site; holds the realm's key. Fits 80 columns. Snippets start
/// at the margin, so that they can be pasted as they are: Python reads indentation.
std::string snippets_text(const Pasting& pasting, const Paint& paint);

/// What `fanfare realm show` prints: the realm, its keys, where it is, and what to paste.
std::string realm_text(const Pasting& pasting, const Paint& paint);

}  // namespace fanfare::server::cli
