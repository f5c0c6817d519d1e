#pragma once

#include <string_view>

#include "api/credentials.hpp"
#include "api/reply.hpp"
#include "base/clock.hpp"
#include "core/exchange.hpp"
#include "core/realm.hpp"
#include "wire/json/json.hpp"

namespace fanfare::api {

/// `POST /realm/{realm}/publish/` and `/publish/{channel}/`, for one worker.
///
/// Threads: one worker's. Cost: one pass over the body to check it, one to take it apart.
class PublishApi {
 public:
  PublishApi(core::Exchange& exchange, const base::Clock& clock,
             std::size_t json_depth_max = wire::json::kDepthMax)
      : exchange_(exchange), clock_(clock), parser_(json_depth_max) {}

  /// `channel` is what follows "publish/" in the path, escapes left in; empty for the usual form.
  /// `reply` runs when the whole batch has its place in its channels, or at once with the refusal.
  void handle(const wire::http1::Request& request, const core::RealmPtr& realm,
              std::string_view channel, Reply reply);

 private:
  base::Result<std::vector<core::PublishItem>> read(const wire::http1::Request& request,
                                                    const core::Realm& realm,
                                                    std::string_view channel);

  core::Exchange& exchange_;
  const base::Clock& clock_;
  CredentialChecker credentials_;
  wire::json::Parser parser_;
};

}  // namespace fanfare::api
