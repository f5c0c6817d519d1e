#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "core/bundle.hpp"
#include "core/realm.hpp"
#include "protocol/bayeux/session_id.hpp"
#include "wire/bayeux/errors.hpp"
#include "wire/bayeux/reply.hpp"

namespace fanfare::protocol::bayeux {

/// Appends the answer to a connect that went well. `id` is the JSON token to echo, or empty; `ext`
/// a JSON value, or empty.
void append_connect_reply(std::string& out, const core::Realm& realm, const SessionId& session,
                          std::string_view id, std::string_view ext);
/// The same for event streams, where a connect is a heartbeat: come back after `timeout`.
void append_heartbeat_reply(std::string& out, const core::Realm& realm, const SessionId& session,
                            std::string_view id);
/// The same for a session whose client has ended it: do not connect again.
void append_final_connect_reply(std::string& out, const core::Realm& realm, std::string_view id);
/// The answer to a connect whose session we end, in the words of a session that is not there: shake
/// hands again.
void append_failed_connect_reply(std::string& out, const core::Realm& realm,
                                 const SessionId& session, std::string_view id);

/// What a client is told whose session is not, or no longer, there.
inline constexpr wire::bayeux::Advice kHandshakeAgain{
    wire::bayeux::Reconnect::handshake, base::Duration(0), {}};

/// Which server's words the realm's errors are in.
wire::bayeux::Dialect dialect(const core::Realm& realm);

/// Appends the bundle's deliveries as elements of a JSON array, separated by commas.
void append_deliveries(std::string& out, const core::Bundle& bundle);

/// The forms of a bundle that Bayeux and its transports keep (core::Bundle::form).
enum class Form : std::size_t { elements, websocket_frame, websocket_deflated, event };

/// The same as append_deliveries(), made once per bundle.
const std::string& deliveries(core::Bundle& bundle);
/// The same, keeping the bundle.
std::shared_ptr<const std::string> shared_deliveries(const core::BundlePtr& bundle);

}  // namespace fanfare::protocol::bayeux
