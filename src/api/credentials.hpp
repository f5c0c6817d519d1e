#pragma once

#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/realm.hpp"
#include "wire/http1/request.hpp"

namespace fanfare::api {

/// What a caller of the API has proven.
enum class Access {
  none,  ///< Nothing was offered; some channels are for everyone.
  full,  ///< The caller holds a key of the realm.
};

/// Proves who calls, by the header `Authorization`.
///
/// Threads: one worker's. Cost: a publisher keeps its token for an hour, so the one that was proven
/// last is known by its text, which spares the signature (2.6 µs).
class CredentialChecker {
 public:
  /// A Bearer token signed with a key of the realm (spec/fanout section 3.1), or Basic with the
  /// realm's id and key. A missing or empty header is `Access::none`; a wrong one is an error,
  /// `unauthorized`, that says what is wrong with it.
  base::Result<Access> check(const wire::http1::Request& request, const core::Realm& realm,
                             base::WallTime now);

 private:
  struct Proven {
    std::string token;
    base::WallTime until;
  };
  base::Result<Access> check_bearer(std::string_view token, const core::Realm& realm,
                                    base::WallTime now);

  boost::unordered_flat_map<std::string, Proven> proven_;  // by realm id
};

}  // namespace fanfare::api
