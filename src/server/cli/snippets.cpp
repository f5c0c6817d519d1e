#include "server/cli/snippets.hpp"

#include <fmt/format.h>

namespace fanfare::server::cli {
namespace {

// The demo page listens to it, so whoever tries a snippet out sees something happen there.
constexpr std::string_view kChannel = "demo-comments";

std::string html(const Pasting& pasting) {
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
      pasting.base, pasting.library_file, pasting.library_integrity, bayeux_url(pasting), kChannel);
}

std::string python(const Pasting& pasting) {
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
      pasting.base, pasting.realm.id.value(), pasting.realm.keys.front().text, kChannel);
}

// Basic, because a token in a snippet would be out of date when it is pasted.
std::string curl(const Pasting& pasting) {
  return fmt::format(
      "curl {0}/realm/{1}/publish/ \\\n"
      "  -u '{1}:{2}' \\\n"
      "  -H 'Content-Type: application/json' \\\n"
      "  -d '{{\"items\":[{{\"channel\":\"{3}\",\"json-object\":{{\"hello\":\"world\"}}}}]}}'\n",
      pasting.base, pasting.realm.id.value(), pasting.realm.keys.front().text, kChannel);
}

std::string snippet(const Paint& paint, std::string_view title, std::string_view remark,
                    const std::string& text) {
  return fmt::format("\n{} {}\n\n{}", paint.title(title), paint.faint(remark), text);
}

}  // namespace

std::string bayeux_url(const Pasting& pasting) {
  return pasting.base + (pasting.is_only_realm ? "" : "/r/" + pasting.realm.id.value()) + "/bayeux";
}

std::string url_of(std::string_view address) {
  const auto colon = address.rfind(':');
  const std::string_view host = address.substr(0, colon);
  // "Every interface" is not an address that a browser can ask.
  const bool is_everywhere = host == "0.0.0.0" || host == "[::]";
  return fmt::format("http://{}{}", is_everywhere ? "localhost" : host, address.substr(colon));
}

std::string fact(const Paint& paint, std::string_view name, std::string_view value) {
  return fmt::format("  {:<6}  {}\n", name, paint.value(value));
}

std::string snippets_text(const Pasting& pasting, const Paint& paint) {
  return snippet(paint, "In the page", "(HTML)", html(pasting)) +
         snippet(paint, "On the server", "(Python: pip install fanout)", python(pasting)) +
         snippet(paint, "Or from a shell", "(curl)", curl(pasting)) + "\n";
}

std::string realm_text(const Pasting& pasting, const Paint& paint) {
  std::string text = "\n" + fact(paint, "Realm", pasting.realm.id.value());
  for (const auto& key : pasting.realm.keys) text += fact(paint, "Key", key.text);
  text += fact(paint, "Bayeux", bayeux_url(pasting));
  text += fact(paint, "API", fmt::format("{}/realm/{}", pasting.base, pasting.realm.id.value()));
  return text + snippets_text(pasting, paint);
}

}  // namespace fanfare::server::cli
