#include "server/config.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <netinet/in.h>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "server/config_file.hpp"
#include "server/config_keys.hpp"

namespace fanfare::server {
namespace {

using base::Errc;
using base::Error;

Error bad_address(std::string_view text) {
  return Error{Errc::invalid,
               fmt::format("'{}' is not an address to listen on; write a numeric address and a "
                           "port, like \"127.0.0.1:8400\" or \"[::1]:8400\", or \"0.0.0.0:8400\" "
                           "for every interface",
                           text)};
}

bool is_numeric_address(int family, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, host.c_str(), bytes.data()) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, port);
  if (failure != std::errc{} || rest != end) return std::nullopt;
  return port;
}

// ---- Flags

class FlagReader {
 public:
  explicit FlagReader(ConfigReading& reading) : reading_(reading) {}

  void read(const ConfigFlags& flags) {
    set("--listen", "listen", flags.listen);
    set("--trusted-proxy", "trusted_proxies", flags.trusted_proxy);
    set("--data", "data", flags.data);
    set("--static", "static", flags.static_dir);
    set("--workers", "workers", flags.workers);
    set("--domain", "domain", flags.domain);
    set("--log-level", "log_level", flags.log_level);
    if (flags.demo) set_value("--demo", "demo", true);
    for (const auto& text : flags.realm) add_realm(text);
  }

 private:
  void set(std::string_view flag, std::string_view name, const std::vector<std::string>& texts) {
    if (!texts.empty()) set_value(flag, name, texts);
  }
  template <typename T>
  void set(std::string_view flag, std::string_view name, const std::optional<T>& value) {
    if (value) set_value(flag, name, *value);
  }

  void set_value(std::string_view flag, std::string_view name, const ConfigValue& value) {
    const auto keys = server_keys();
    const auto key = std::ranges::find(keys, name, &ConfigKey<Config>::name);
    const auto status = key->set(reading_.config, value);
    if (!status) report(flag, status.error().detail);
  }

  void add_realm(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {
      return report("--realm", "write the id, a colon and the key in base64: ID:BASE64KEY");
    }
    const auto id = core::parse_realm_id(text.substr(0, colon));
    if (!id) return report("--realm", id.error().detail);
    auto key = core::parse_realm_key(text.substr(colon + 1));
    if (!key) return report("--realm", id->value() + ": " + key.error().detail);
    if (auto* realm = realm_of(*id)) realm->keys = {std::move(*key)};
  }

  // Finds the realm in the file, or adds it; null, and told, when the id cannot be used.
  core::Realm* realm_of(const core::RealmId& id) {
    if (!labels_.insert(host_label(id)).second) {
      report("--realm", id.value() + " is there twice; give each realm its own id");
      return nullptr;
    }
    auto& realms = reading_.config.realms;
    const auto known = std::ranges::find(realms, host_label(id),
                                         [](const auto& realm) { return host_label(realm.id); });
    if (known == realms.end()) {
      auto& realm = realms.emplace_back();
      realm.id = id;
      reading_.config.apply_defaults(realm);
      return &realm;
    }
    if (known->id == id) return &*known;
    report("--realm", fmt::format("{} differs from {} of the file only in its capitals; give it "
                                  "another id",
                                  id.value(), known->id.value()));
    return nullptr;
  }

  void report(std::string_view flag, std::string_view what) {
    reading_.mistakes.push_back(fmt::format("{}: {}", flag, what));
  }

  ConfigReading& reading_;
  std::set<std::string> labels_;  // of the flags read so far
};

// ---- The file

base::Result<std::string> read_text(const std::string& name) {
  const auto failed = [&name] {
    return Error{Errc::io, fmt::format("{}: cannot be read: {}", name,
                                       std::error_code(errno, std::generic_category()).message())};
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(name.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return failed();
  std::string text;
  std::array<char, 16384> chunk{};
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    text.append(chunk.data(), size);
  }
  if (std::ferror(file.get()) != 0) return failed();
  return text;
}

std::optional<std::string> file_to_read(const ConfigFlags& flags) {
  if (flags.config) return flags.config;
  std::error_code failure;
  const std::string by_default(kDefaultConfigFile);
  if (std::filesystem::exists(by_default, failure)) return by_default;
  return std::nullopt;
}

}  // namespace

base::Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  const auto port = parse_port(text.substr(colon + 1));
  std::string host(text.substr(0, colon));
  if (!port) return bad_address(text);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (is_numeric_address(AF_INET6, host)) return ListenAddress{std::move(host), *port};
  } else if (is_numeric_address(AF_INET, host)) {
    return ListenAddress{std::move(host), *port};
  }
  return bad_address(text);
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

std::string host_label(const core::RealmId& id) {
  return to_lower(id.value());
}

std::string to_string(const ListenAddress& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  if (is_v6) return fmt::format("[{}]:{}", address.host, address.port);
  return fmt::format("{}:{}", address.host, address.port);
}

bool is_loopback(const ListenAddress& address) {
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  in_addr v4{};
  return inet_pton(AF_INET, address.host.c_str(), &v4) == 1 &&
         ntohl(v4.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

bool Config::has_demo() const {
  return demo.value_or(std::ranges::all_of(listen, is_loopback));
}

void Config::apply_defaults(core::Realm& realm) const {
  realm.limits = realm_limits;
  realm.bayeux = bayeux;
}

std::size_t Config::default_workers() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kWorkersMax);
}

ConfigReading read_config(const ConfigFlags& flags) {
  const auto file = file_to_read(flags);
  if (!file) return read_config_text("", "", flags);
  const auto text = read_text(*file);
  auto reading = read_config_text(text ? *text : "", *file, flags);
  if (!text) reading.mistakes.insert(reading.mistakes.begin(), text.error().detail);
  return reading;
}

ConfigReading read_config_text(std::string_view toml, const std::string& name,
                               const ConfigFlags& flags) {
  ConfigReading reading;
  reading.file = name;
  read_config_file(toml, name, flags, reading);
  FlagReader(reading).read(flags);
  return reading;
}

}  // namespace fanfare::server
