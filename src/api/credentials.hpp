#pragma once

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

/// Looks at `Authorization`: a Bearer token signed with a key of the realm (spec/fanout
/// section 3.1), or Basic with the realm's id and key. A missing or empty header is `Access::none`;
/// a wrong one is an error, `unauthorized`, that says what is wrong with it.
base::Result<Access> check_credentials(const wire::http1::Request& request,
                                       const core::Realm& realm, base::WallTime now);

}  // namespace fanfare::api
