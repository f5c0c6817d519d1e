#include "server/cli/welcome.hpp"

#include <string_view>

#include <fmt/format.h>

#include "server/cli/version.hpp"

namespace fanfare::server::cli {
namespace {

// The demo page listens to it, so whoever tries a snippet out sees something happen there.
constexpr std::string_view kChannel = "demo-comments";

// "Every interface" is not an address that a browser can ask.
std::string reachable(const std::string& address) {
  const auto colon = address.rfind(':');
  const std::string_view host = std::string_view(address).substr(0, colon);
  if (host == "0.0.0.0" || host == "[::]") return "localhost" + address.substr(colon);
  return address;
}

std::string html(const std::string& base, const std::string& bayeux, const Welcome& welcome) {
  // HTML allows the line break after "integrity=": a SHA-384 needs nearly the whole width.
  return fmt::format(
      "<script src=\"{0}/bayeux/static/{1}\"\n"
      "  integrity=\n"
      "  \"{2}\"\n"
      "  crossorigin=\"anonymous\"></script>\n"
      "<script>\n"
      "  const client = new Faye.Client(\"{3}\");\n"
      "  client.subscribe(\"/{4}\", (data) => console.log(data));\n"
      "</script>\n",
      base, welcome.library_file, welcome.library_integrity, bayeux, kChannel);
}

std::string python(const std::string& base, const core::Realm& realm) {
  return fmt::format(
      "from base64 import b64decode\n"
      "from fanout import JsonObjectFormat\n"
      "from pubcontrol import Item, PubControl\n"
      "\n"
      "pub = PubControl({{\n"
      "    \"uri\": \"{0}/realm/{1}\",\n"
      "    \"iss\": \"{1}\",\n"
      "    \"key\": b64decode(\"{2}\"),\n"
      "}})\n"
      "pub.publish(\n"
      "    \"{3}\",\n"
      "    Item(JsonObjectFormat({{\"hello\": \"world\"}})),\n"
      "    blocking=True,\n"
      ")\n",
      base, realm.id.value(), realm.keys.front().text, kChannel);
}

// Basic, because a token in a snippet would be out of date when it is pasted.
std::string curl(const std::string& base, const core::Realm& realm) {
  return fmt::format(
      "curl {0}/realm/{1}/publish/ \\\n"
      "  -u '{1}:{2}' \\\n"
      "  -H 'Content-Type: application/json' \\\n"
      "  -d '{{\"items\":[{{\"channel\":\"{3}\",\"json-object\":{{\"hello\":\"world\"}}}}]}}'\n",
      base, realm.id.value(), realm.keys.front().text, kChannel);
}

std::string fact(const Paint& paint, std::string_view name, std::string_view value) {
  return fmt::format("  {:<6}  {}\n", name, paint.value(value));
}

std::string snippet(const Paint& paint, std::string_view title, std::string_view remark,
                    const std::string& text) {
  return fmt::format("\n{} {}\n\n{}", paint.title(title), paint.faint(remark), text);
}

}  // namespace

std::string welcome_text(const Welcome& welcome, const Paint& paint) {
  const std::string base = "http://" + reachable(welcome.addresses.front());
  const core::Realm& realm = welcome.realms.front();
  // With one realm there is no need to name it.
  const bool is_only = welcome.realms.size() == 1;
  const std::string bayeux = base + (is_only ? "" : "/r/" + realm.id.value()) + "/bayeux";

  std::string text = fmt::format("\n{} {}\n\n", paint.title("fanfare"), kVersion);
  if (!welcome.config_file.empty()) text += fact(paint, "Config", welcome.config_file);
  const std::size_t open_addresses = welcome.addresses.size() - welcome.proxied_addresses;
  for (std::size_t i = 0; i < welcome.addresses.size(); ++i) {
    const auto* const remark = i < open_addresses ? "" : " (PROXY protocol)";
    text += fact(paint, "Listen", welcome.addresses[i] + remark);
  }
  for (const auto& each : welcome.realms) {
    text += fact(paint, "Realm", each.id.value());
    text += fact(paint, "Key", each.keys.front().text);
  }
  if (welcome.has_demo) text += fact(paint, "Demo", base + "/demo/");
  text += snippet(paint, "In the page", "(HTML)", html(base, bayeux, welcome));
  text += snippet(paint, "On the server", "(Python: pip install fanout)", python(base, realm));
  text += snippet(paint, "Or from a shell", "(curl)", curl(base, realm));
  return text + "\n";
}

}  // namespace fanfare::server::cli
