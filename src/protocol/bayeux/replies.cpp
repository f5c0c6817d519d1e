#include "protocol/bayeux/replies.hpp"

namespace fanfare::protocol::bayeux {

using wire::bayeux::Advice;
using wire::bayeux::append_reply;
using wire::bayeux::Reconnect;
using wire::bayeux::Reply;

namespace {

constexpr std::string_view kConnect = "/meta/connect";

}  // namespace

void append_connect_reply(std::string& out, const core::Realm& realm, const SessionId& session,
                          std::string_view id, std::string_view ext) {
  const std::string client_id = session.text();
  append_reply(out, Reply{.id = id,
                          .client_id = client_id,
                          .channel = kConnect,
                          .advice = Advice{Reconnect::retry, base::Duration(0),
                                           realm.bayeux.connect_timeout},
                          .ext = ext});
}

void append_heartbeat_reply(std::string& out, const core::Realm& realm, const SessionId& session,
                            std::string_view id) {
  const std::string client_id = session.text();
  append_reply(out, Reply{.id = id,
                          .client_id = client_id,
                          .channel = kConnect,
                          .advice = Advice{Reconnect::retry, realm.bayeux.connect_timeout,
                                           base::Duration(0)}});
}

void append_final_connect_reply(std::string& out, const core::Realm& realm, std::string_view id) {
  append_reply(out, Reply{.id = id,
                          .channel = kConnect,
                          .advice = Advice{Reconnect::none, base::Duration(0),
                                           realm.bayeux.connect_timeout}});
}

void append_failed_connect_reply(std::string& out, const core::Realm& realm,
                                 const SessionId& session, std::string_view id) {
  using wire::bayeux::Problem;
  append_reply(
      out, Reply{.id = id,
                 .channel = kConnect,
                 .is_successful = false,
                 .advice = kHandshakeAgain,
                 .error = error_text(dialect(realm), Problem::session_unknown, session.text())});
}

wire::bayeux::Dialect dialect(const core::Realm& realm) {
  return realm.dialect == core::Dialect::cometd ? wire::bayeux::Dialect::cometd
                                                : wire::bayeux::Dialect::faye;
}

void append_deliveries(std::string& out, const core::Bundle& bundle) {
  bool is_first = true;
  bundle.for_each([&](const core::PublicationPtr& publication) {
    if (!std::exchange(is_first, false)) out += ',';
    wire::bayeux::append_delivery(out, publication->channel.text(), publication->data,
                                  publication->ext);
  });
}

std::shared_ptr<const std::string> shared_deliveries(const core::BundlePtr& bundle) {
  return {std::make_shared<core::BundlePtr>(bundle), &deliveries(*bundle)};
}

const std::string& deliveries(core::Bundle& bundle) {
  return bundle.form(static_cast<std::size_t>(Form::elements),
                     [&bundle](std::string& form) { append_deliveries(form, bundle); });
}

}  // namespace fanfare::protocol::bayeux
