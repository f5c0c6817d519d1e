#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/cli/commands.hpp"
#include "server/cli/console.hpp"
#include "server/cli/http_client.hpp"
#include "server/cli/realms.hpp"
#include "server/cli/server_address.hpp"
#include "server/config.hpp"
#include "wire/json/json.hpp"
#include "wire/jwt/jwt.hpp"

namespace fanfare::server::cli {
namespace {

constexpr const char* kHelp = R"help(Usage: fanfare publish CHANNEL JSON [OPTIONS]

Publishes one message, as your site would: JSON is what every subscriber of
CHANNEL receives. A JSON of - is read from standard input.

Options:
  --url URL       The server. Default: http://127.0.0.1:8400
  --realm ID      The realm. Default: $FANFARE_REALM, else $FANOUT_REALM
  --key KEY       Its key in base64. Default: $FANFARE_KEY, else $FANOUT_KEY.
                  Others on this machine can see what is typed here; they cannot
                  see the environment.
  --data DIR      Where to look for realm and key when nothing above names them.
                  Default: ./fanfare-data
  -h, --help      This text.

Examples:
  fanfare publish news '{"title": "It works"}'
  fanfare publish comments-12 42
  echo '["a", "list"]' | fanfare publish news - --url https://push.example.com
)help";

struct PublishFlags {
  std::string channel;
  std::string json;
  std::string url = kDefaultUrl;
  std::optional<std::string> realm;
  std::optional<std::string> key;
  std::string data = Config{}.data_dir;
};

// Fanout's own libraries make tokens of an hour; clocks may differ that much less.
constexpr std::chrono::hours kTokenLife{1};

std::string read_standard_input() {
  std::string text;
  std::array<char, 16384> chunk{};
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), stdin)) {
    text.append(chunk.data(), size);
  }
  return text;
}

std::string make_token(const Credentials& credentials) {
  const auto expires = std::chrono::system_clock::now() + kTokenLife;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
  return wire::jwt::sign_hs256(credentials.realm.value(), seconds, credentials.key.bytes);
}

HttpClient::Request make_request(const PublishFlags& flags, const Credentials& credentials,
                                 std::string_view data) {
  const auto channel = wire::json::quoted(api_channel(flags.channel));
  return {fmt::format("{}/realm/{}/publish/", base_url(flags.url), credentials.realm.value()),
          fmt::format(R"({{"items":[{{"channel":{},"json-object":{}}}]}})", channel, data),
          {"Content-Type: application/json", "Authorization: Bearer " + make_token(credentials)}};
}

int publish(const PublishFlags& flags) {
  const std::string text = flags.json == "-" ? read_standard_input() : flags.json;
  const auto data = wire::json::validate(text);
  if (!data) return fail("the data: " + data.error().detail);
  const auto credentials = find_credentials(flags.realm, flags.key, flags.data);
  if (!credentials) return fail(credentials.error().detail);

  HttpClient client;
  const auto answer = client.post(make_request(flags, *credentials, data->raw()));
  if (!answer) {
    return fail(fmt::format("{} cannot be reached: {}", flags.url, answer.error().detail));
  }
  if (answer->status < 200 || answer->status > 299)
    return fail("the server refused: " + explain_refusal(*answer));
  print(fmt::format("published to {}\n", api_channel(flags.channel)));
  return 0;
}

}  // namespace

void add_publish(CLI::App& program, Command& chosen) {
  auto* command = program.add_subcommand("publish");
  command->formatter_fn([](const auto*, const auto&, auto) { return kHelp; });
  const auto flags = std::make_shared<PublishFlags>();
  command->add_option("CHANNEL", flags->channel)->required();
  command->add_option("JSON", flags->json)->required();
  command->add_option("--url", flags->url);
  command->add_option("--realm", flags->realm);
  command->add_option("--key", flags->key);
  command->add_option("--data", flags->data);
  command->callback([flags, &chosen] { chosen = [flags] { return publish(*flags); }; });
}

}  // namespace fanfare::server::cli
