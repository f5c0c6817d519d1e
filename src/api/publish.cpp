#include "api/publish.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/credentials.hpp"
#include "api/publish_body.hpp"
#include "base/fault.hpp"
#include "wire/http1/cors.hpp"
#include "wire/http1/url.hpp"

namespace fanfare::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using wire::http1::Request;
using wire::http1::Response;

bool is_public(const core::PublishItem& item) {
  const char mark = item.publication->channel.text()[1];
  return mark == '!' || mark == '+';
}

}  // namespace

Result<std::vector<core::PublishItem>> PublishApi::read(const Request& request,
                                                        const core::Realm& realm,
                                                        std::string_view channel) {
  const auto access = credentials_.check(request, realm, clock_.wall_now());
  if (!access) return access.error();
  const Error unproven{
      Errc::unauthorized,
      "the header Authorization is missing; send 'Bearer' and a token signed with the realm's key"};
  if (*access == Access::none && !realm.anonymous_publish) return unproven;

  std::optional<std::string> path_channel;
  if (!channel.empty()) {
    path_channel = wire::http1::percent_decode(channel);
    if (!path_channel) return Error{Errc::invalid, "the channel in the path has a broken %-escape"};
  }
  FANFARE_MAY_THROW("the body of a publish");
  auto items = read_publish_body(request.body(), path_channel, realm, parser_);
  if (items && *access == Access::none && !std::ranges::all_of(*items, is_public)) return unproven;
  if (const auto backlog = exchange_.check_backlog(realm); !backlog) return backlog.error();
  return items;
}

void PublishApi::handle(const Request& request, const core::RealmPtr& realm,
                        std::string_view channel, Reply reply) {
  FANFARE_MAY_THROW("a publish request");
  if (request.method() == "OPTIONS") return reply(wire::http1::preflight_response(request));
  // Pages of every origin may read what is said.
  auto answer = [reply = std::move(reply), origin = std::string(request.header("Origin").value_or(
                                               ""))](Response response) mutable {
    allow_origin(response, origin);
    reply(std::move(response));
  };
  if (request.method() != "POST") return answer(method_not_allowed("POST, OPTIONS"));
  auto items = read(request, *realm, channel);
  if (!items) return answer(error_response(items.error()));
  FANFARE_MAY_THROW("a publish request that was read");
  const std::size_t count = items->size();
  exchange_.publish(realm, std::move(*items), [answer = std::move(answer), count]() mutable {
    answer(json_response(fmt::format("{{\"published\":{}}}\n", count)));
  });
}

}  // namespace fanfare::api
