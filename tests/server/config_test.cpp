#include "server/config.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config_keys.hpp"

namespace fanfare::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

ConfigReading read(std::string_view toml, const ConfigFlags& flags = {}) {
  return read_config_text(toml, "fanfare.toml", flags);
}

std::vector<std::string> mistakes(std::string_view toml) {
  return read(toml).mistakes;
}

// For texts with exactly one mistake.
std::string mistake(std::string_view toml) {
  const auto all = mistakes(toml);
  EXPECT_EQ(all.size(), 1U) << testing::PrintToString(all);
  return all.empty() ? "" : all.front();
}

// ---- What is right

TEST(ConfigTest, HasDefaultsForEverything) {
  const auto reading = read("");
  EXPECT_THAT(reading.mistakes, IsEmpty());
  const Config& config = reading.config;
  EXPECT_THAT(config.listen, ElementsAre(ListenAddress{"127.0.0.1", 8400}));
  EXPECT_EQ(config.data_dir, "./fanfare-data");
  EXPECT_EQ(config.static_dir, std::nullopt);
  EXPECT_GE(config.workers, 1U);
  EXPECT_LE(config.workers, kWorkersMax);
  EXPECT_THAT(config.domains, ElementsAre("localhost"));
  EXPECT_EQ(config.log_level, base::log::Level::info);
  EXPECT_THAT(config.realms, IsEmpty());
}

TEST(ConfigTest, TheDemoIsThereByItselfOnlyWhereNobodyElseReachesIt) {
  const auto has_demo = [](std::string_view toml) {
    return read("[server]\n" + std::string(toml)).config.has_demo();
  };
  EXPECT_TRUE(has_demo(""));
  for (const auto* listen : {R"("127.0.0.1:1")", R"("127.255.0.9:1")", R"("[::1]:1")",
                             R"("localhost:1")", R"(["127.0.0.1:1", "[::1]:1"])"}) {
    const std::string line = fmt::format("listen = {}\n", listen);
    EXPECT_TRUE(has_demo(line)) << listen;
    EXPECT_FALSE(has_demo(line + "demo = false")) << listen;
  }
  for (const auto* listen :
       {R"("0.0.0.0:1")", R"("[::]:1")", R"("192.168.1.2:1")", R"("128.0.0.1:1")", R"("[::2]:1")",
        R"(["127.0.0.1:1", "10.0.0.1:1"])"}) {
    const std::string line = fmt::format("listen = {}\n", listen);
    EXPECT_FALSE(has_demo(line)) << listen;
    EXPECT_TRUE(has_demo(line + "demo = true")) << listen;
  }
  EXPECT_THAT(mistake("[server]\ndemo = \"yes\""), HasSubstr("write true or false"));
}

TEST(ConfigTest, AFlagAsksForTheDemo) {
  ConfigFlags flags;
  flags.listen = {"0.0.0.0:8400"};
  EXPECT_FALSE(read("", flags).config.has_demo());
  flags.demo = true;
  EXPECT_TRUE(read("[server]\ndemo = false", flags).config.has_demo());
}

TEST(ConfigTest, ReadsEveryKindOfKey) {
  const auto reading = read(R"(
    [server]
    listen = ["0.0.0.0:80", "[::1]:8400"]
    data = "/var/lib/fanfare"
    static = "."
    workers = 3
    domain = "Push.Example.COM"
    log_level = "debug"
    [limits]
    connections_max = 5000
    keep_alive_timeout = "90s"
    message_bytes_max = "16KiB"
    queue_messages_max = 2000
    [bayeux]
    connect_timeout = "25s"
    session_timeouts = 3
  )");
  ASSERT_THAT(reading.mistakes, IsEmpty());
  const Config& config = reading.config;
  EXPECT_THAT(config.listen, ElementsAre(ListenAddress{"0.0.0.0", 80}, ListenAddress{"::1", 8400}));
  EXPECT_EQ(config.data_dir, "/var/lib/fanfare");
  EXPECT_EQ(config.static_dir, ".");
  EXPECT_EQ(config.workers, 3U);
  EXPECT_THAT(config.domains, ElementsAre("push.example.com"));
  EXPECT_EQ(config.log_level, base::log::Level::debug);
  EXPECT_EQ(config.server_limits.connections_max, 5000U);
  EXPECT_EQ(config.server_limits.keep_alive_timeout, milliseconds(90'000));
  EXPECT_EQ(config.realm_limits.message_bytes_max, 16_KiB);
  EXPECT_EQ(config.realm_limits.queue_messages_max, 2000U);
  EXPECT_EQ(config.bayeux.connect_timeout, milliseconds(25'000));
  EXPECT_EQ(config.bayeux.session_timeouts, 3);
}

TEST(ConfigTest, ReadsRealmsWithSettingsOfTheirOwn) {
  const auto reading = read(R"(
    [[realm]]
    id = "one"
    key = "Zmlyc3Q="
    client_publish = true
    anonymous_publish = true
    dialect = "cometd"
    channel_names = "extended"
    [realm.limits]
    message_bytes_max = "1KiB"
    [realm.bayeux]
    connect_timeout = "10s"

    [[realm]]
    id = "two"
    keys = ["Zmlyc3Q=", "c2Vjb25k"]
  )");
  ASSERT_THAT(reading.mistakes, IsEmpty());
  ASSERT_EQ(reading.config.realms.size(), 2U);
  const core::Realm& one = reading.config.realms[0];
  EXPECT_EQ(one.id.value(), "one");
  ASSERT_EQ(one.keys.size(), 1U);
  EXPECT_EQ(one.keys[0].bytes, "first");
  EXPECT_TRUE(one.client_publish);
  EXPECT_TRUE(one.anonymous_publish);
  EXPECT_EQ(one.dialect, core::Dialect::cometd);
  EXPECT_EQ(one.channel_alphabet, core::ChannelAlphabet::extended);
  EXPECT_EQ(one.limits.message_bytes_max, 1_KiB);
  EXPECT_EQ(one.bayeux.connect_timeout, milliseconds(10'000));
  const core::Realm& two = reading.config.realms[1];
  EXPECT_EQ(two.keys.size(), 2U);
  EXPECT_FALSE(two.client_publish);
  EXPECT_EQ(two.limits.message_bytes_max, 64_KiB);
}

TEST(ConfigTest, TakesOriginsAsBrowsersWriteThemWhateverTheirForm) {
  const auto reading = read(R"(
    [[realm]]
    id = "a"
    key = "MDEyMzQ1Njc4OWFiY2RlZg=="
    allowed_origins = ["https://Example.com:443", "http://a.b:80", "https://a.b:8443"]
    [[realm]]
    id = "b"
    key = "MDEyMzQ1Njc4OWFiY2RlZg=="
    allowed_origins = []
  )");
  ASSERT_THAT(reading.mistakes, IsEmpty());
  EXPECT_THAT(reading.config.realms[0].allowed_origins,
              ElementsAre("https://example.com", "http://a.b", "https://a.b:8443"));
  EXPECT_THAT(reading.config.realms[1].allowed_origins, IsEmpty());
}

TEST(ConfigTest, StartsEachRealmFromTheLimitsOfAllWhereverTheyStand) {
  const auto reading = read(R"(
    [[realm]]
    id = "one"
    key = "Zmlyc3Q="
    [realm.limits]
    sessions_max = 7
    [limits]
    message_bytes_max = "2KiB"
    [bayeux]
    connect_timeout = "20s"
  )");
  ASSERT_THAT(reading.mistakes, IsEmpty());
  EXPECT_EQ(reading.config.realms[0].limits.message_bytes_max, 2_KiB);
  EXPECT_EQ(reading.config.realms[0].limits.sessions_max, 7U);
  EXPECT_EQ(reading.config.realms[0].bayeux.connect_timeout, milliseconds(20'000));
  core::Realm stored;
  reading.config.apply_defaults(stored);
  EXPECT_EQ(stored.limits.message_bytes_max, 2_KiB);
  EXPECT_EQ(stored.bayeux.connect_timeout, milliseconds(20'000));
}

TEST(ConfigTest, HasAKeyForEveryLimit) {
  // All fields are 8 bytes wide, so a new one without a key shows here.
  EXPECT_EQ(realm_limit_keys().size() * 8, sizeof(core::RealmLimits));
  EXPECT_EQ(server_limit_keys().size() * 8, sizeof(ServerLimits));
}

// ---- What is wrong

TEST(ConfigTest, ReportsAllMistakesAtOnceInTheOrderOfTheirLines) {
  EXPECT_THAT(
      mistakes("[[realm]]\n"
               "id = \"a b\"\n"
               "key = \"Zmlyc3Q=\"\n"
               "[server]\n"
               "workers = 0\n"
               "listn = \"127.0.0.1:80\"\n"
               "[limits]\n"
               "body_timeout = 30\n"),
      ElementsAre("fanfare.toml:2: [[realm]] id: a realm id has 1 to 63 letters, digits, '-' and "
                  "'_', and nothing else",
                  "fanfare.toml:5: [server] workers: write a whole number from 1 to 64, without "
                  "quotes",
                  "fanfare.toml:6: [server] listn: is not known; did you mean listen?",
                  "fanfare.toml:8: [limits] body_timeout: write a time with its unit, in quotes, "
                  "like \"30s\""));
}

TEST(ConfigTest, NamesTheNearestNeighbourOfAnUnknownKey) {
  EXPECT_EQ(mistake("[limits]\noutbox_byte_max = \"1MiB\""),
            "fanfare.toml:2: [limits] outbox_byte_max: is not known; did you mean "
            "outbox_bytes_max?");
  EXPECT_EQ(mistake("[server]\ndomains = \"x.org\""),
            "fanfare.toml:2: [server] domains: is not known; did you mean domain?");
  EXPECT_EQ(mistake("[limit]\n"), "fanfare.toml:1: [limit]: is not known; did you mean limits?");
  EXPECT_EQ(mistake("[[realm]]\nid = \"a\"\nkey = \"Zmlyc3Q=\"\nclient_pubish = true"),
            "fanfare.toml:4: [[realm]] client_pubish: is not known; did you mean client_publish?");
}

TEST(ConfigTest, SaysWhereAKeyBelongsThatStandsInTheWrongSection) {
  EXPECT_EQ(mistake("listen = \"127.0.0.1:80\""),
            "fanfare.toml:1: listen: belongs in [server]; move it there");
  EXPECT_EQ(mistake("[[realm]]\nid = \"a\"\nkey = \"Zmlyc3Q=\"\n[realm.limits]\n"
                    "body_bytes_max = \"1MB\""),
            "fanfare.toml:5: [realm.limits] body_bytes_max: belongs in [limits]; move it there");
}

TEST(ConfigTest, SaysWhenASectionIsNotWrittenAsOne) {
  EXPECT_EQ(mistake("limits = 5"),
            "fanfare.toml:1: limits: is a section; write [limits] on a line of its own");
  EXPECT_EQ(mistake("[realm]\nid = \"a\""),
            "fanfare.toml:1: realm: write [[realm]], in two brackets, above each realm");
}

TEST(ConfigTest, SaysOnWhichLineTheFileIsNotToml) {
  EXPECT_THAT(mistake("[server]\nworkers = \n"), StartsWith("fanfare.toml:2: "));
  EXPECT_THAT(mistake("[server]\nworkers = 1\nworkers = 2\n"), StartsWith("fanfare.toml:3: "));
}

TEST(ConfigTest, RefusesSizesAndTimesWithoutAUnit) {
  EXPECT_THAT(mistake("[limits]\nmessage_bytes_max = 65536"),
              HasSubstr("write a size with its unit, in quotes, like \"64KiB\""));
  EXPECT_THAT(mistake("[limits]\nheader_timeout = \"30\""), HasSubstr("\"30s\""));
  EXPECT_THAT(mistake("[limits]\nheader_timeout = \"30 parsecs\""), HasSubstr("30 parsecs"));
}

TEST(ConfigTest, RefusesValuesOutOfBoundsAndNamesTheBounds) {
  EXPECT_EQ(mistake("[limits]\nmessage_bytes_max = \"1GiB\""),
            "fanfare.toml:2: [limits] message_bytes_max: is 1GiB; write a size from \"256B\" to "
            "\"64MiB\"");
  EXPECT_EQ(mistake("[limits]\nheader_timeout = \"1ms\""),
            "fanfare.toml:2: [limits] header_timeout: is 1ms; write a time from \"1s\" to \"10m\"");
  EXPECT_THAT(mistake("[limits]\nconnections_max = -1"), HasSubstr("from 1 to 10000000"));
  EXPECT_THAT(mistake("[server]\nworkers = 65"), HasSubstr("from 1 to 64"));
}

TEST(ConfigTest, RefusesWhatHasTheWrongType) {
  for (const auto* line : {"[server]\nlisten = 8400", "[server]\nlisten = []",
                           "[server]\nlisten = [1, \"127.0.0.1:80\"]", "[server]\ndata = true",
                           "[server]\nworkers = \"2\"", "[server]\nworkers = 1.5",
                           "[server]\nlog_level = \"loud\"", "[limits]\nbody_timeout = 10:00:00",
                           "[server]\ndata = \"\"", "[server]\nstatic = \"/no/such/directory\""}) {
    EXPECT_THAT(mistake(line), StartsWith("fanfare.toml:2: [")) << line;
  }
}

TEST(ConfigTest, RefusesDomainsThatAreMoreThanADomain) {
  for (const auto* domain : {"", "https://x.org", "x.org:80", "x.org/y", ".x.org", "a..b", "*.x"}) {
    EXPECT_THAT(mistake("[server]\ndomain = \"" + std::string(domain) + "\""),
                HasSubstr("is not a domain"))
        << domain;
  }
}

TEST(ConfigTest, RefusesTheSameAddressTwiceButNotTheSameFreePort) {
  EXPECT_EQ(mistake("[server]\nlisten = [\"127.0.0.1:80\", \"localhost:80\"]"),
            "fanfare.toml:2: [server] listen: localhost:80 is there twice; write it once");
  EXPECT_THAT(mistakes("[server]\nlisten = [\"127.0.0.1:0\", \"127.0.0.1:0\"]"), IsEmpty());
}

TEST(ConfigTest, RefusesARealmWithoutIdOrKey) {
  EXPECT_THAT(mistakes("[[realm]]\nclient_publish = true\n"),
              ElementsAre(StartsWith("fanfare.toml:1: [[realm]] id: is missing"),
                          StartsWith("fanfare.toml:1: [[realm]] key: is missing")));
}

TEST(ConfigTest, RefusesABadKeyWithoutRepeatingIt) {
  const auto text = mistake("[[realm]]\nid = \"a\"\nkey = \"?secret\"");
  EXPECT_THAT(text, StartsWith("fanfare.toml:3: [[realm]] key: the key is not standard base64"));
  EXPECT_EQ(text.find("?secret"), std::string::npos);
}

TEST(ConfigTest, TakesOneOrTwoKeysAndNoMore) {
  EXPECT_THAT(mistake("[[realm]]\nid = \"a\"\nkeys = [\"eA==\", \"eA==\", \"eA==\"]"),
              HasSubstr("one or two keys"));
  EXPECT_THAT(mistake("[[realm]]\nid = \"a\"\nkey = \"eA==\"\nkeys = [\"eA==\"]"),
              StartsWith("fanfare.toml:4: [[realm]] keys: stands beside key"));
}

TEST(ConfigTest, RefusesTwoRealmsOfOneIdAlsoWhenOnlyCapitalsDiffer) {
  EXPECT_THAT(mistake("[[realm]]\nid = \"demo\"\nkey = \"eA==\"\n"
                      "[[realm]]\nid = \"Demo\"\nkey = \"eA==\""),
              StartsWith("fanfare.toml:5: [[realm]] id: 'Demo' is also the realm of line 2"));
}

TEST(ConfigTest, ChannelSectionsAreNotKnownYet) {
  EXPECT_THAT(mistake("[[realm]]\nid = \"demo\"\nkey = \"eA==\"\n[[realm.channel]]\n"),
              StartsWith("fanfare.toml:4: [[realm]] channel: is not known"));
}

TEST(ConfigTest, HoldsLimitsToTheirRelationsAndSaysSoAtTheKeyThatIsThere) {
  EXPECT_EQ(mistake("[limits]\noutbox_bytes_max = \"64KiB\""),
            "fanfare.toml:2: [limits] outbox_bytes_max: is \"64KiB\"; write at least \"128KiB\": "
            "one full message must not close the connection that receives it");
  EXPECT_THAT(mistakes("[limits]\nmessage_bytes_max = \"1MiB\"\n"),
              ElementsAre(StartsWith("fanfare.toml:2: [limits] message_bytes_max: is too much for "
                                     "outbox_bytes_max = \"1MiB\""),
                          StartsWith("fanfare.toml:2: [limits] message_bytes_max: is too much for "
                                     "websocket_message_bytes_max")));
  EXPECT_THAT(mistake("[[realm]]\nid = \"a\"\nkey = \"eA==\"\n"
                      "[realm.limits]\nqueue_messages_max = 10"),
              StartsWith("fanfare.toml:5: [realm.limits] queue_messages_max: is 10; write at least "
                         "1000"));
}

TEST(ConfigTest, ReportsABrokenRelationOnceAndNotForEachRealmThatInheritsIt) {
  EXPECT_THAT(mistake("[limits]\nqueue_messages_max = 10\n"
                      "[[realm]]\nid = \"a\"\nkey = \"eA==\"\n[realm.limits]\nsessions_max = 5"),
              StartsWith("fanfare.toml:2: "));
}

TEST(ConfigTest, DoesNotBlameAKeyForANeighbourThatWasRefused) {
  EXPECT_THAT(mistake("[limits]\nmessage_bytes_max = \"2 pounds\"\noutbox_bytes_max = \"4KiB\""),
              StartsWith("fanfare.toml:2: "));
}

// ---- Addresses

TEST(ConfigTest, ReadsAddressesToListenOn) {
  EXPECT_EQ(*parse_listen_address("0.0.0.0:0"), (ListenAddress{"0.0.0.0", 0}));
  EXPECT_EQ(*parse_listen_address("[::]:65535"), (ListenAddress{"::", 65535}));
  EXPECT_EQ(*parse_listen_address("localhost:80"), (ListenAddress{"127.0.0.1", 80}));
  EXPECT_EQ(to_string(ListenAddress{"::1", 80}), "[::1]:80");
  EXPECT_EQ(to_string(ListenAddress{"127.0.0.1", 80}), "127.0.0.1:80");
}

TEST(ConfigTest, RefusesAddressesThatAreIncompleteOrNames) {
  for (const auto* text : {"", "8400", ":8400", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:8o", "example.com:80", "::1:80", "[::1]",
                           "[::1]80", "[127.0.0.1]:80", "*:80", "256.0.0.1:80", "127.1:80"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().detail, HasSubstr("127.0.0.1:8400"));
  }
}

// ---- Proxies

TEST(ConfigTest, ReadsPlacesToListenOnWithAndWithoutThePROXYProtocol) {
  const auto reading = read(R"(
    [server]
    listen = ["127.0.0.1:80", { address = "[::]:81", proxy_protocol = true },
              { address = "localhost:82" }, { address = "127.0.0.1:83", proxy_protocol = false }]
    trusted_proxies = ["10.0.0.7", "fd00::/8"]
  )");
  ASSERT_THAT(reading.mistakes, IsEmpty());
  EXPECT_THAT(reading.config.listen,
              ElementsAre(ListenAddress{"127.0.0.1", 80}, ListenAddress{"::", 81, true},
                          ListenAddress{"127.0.0.1", 82}, ListenAddress{"127.0.0.1", 83}));
  EXPECT_THAT(reading.config.trusted_proxies, ElementsAre(*base::IpNetwork::parse("10.0.0.7"),
                                                          *base::IpNetwork::parse("fd00::/8")));
}

TEST(ConfigTest, TakesOneTableInsteadOfAList) {
  const auto reading = read(
      "[server]\nlisten = { address = \"127.0.0.1:80\", proxy_protocol = true }\n"
      "trusted_proxies = \"127.0.0.1\"");
  ASSERT_THAT(reading.mistakes, IsEmpty());
  EXPECT_THAT(reading.config.listen, ElementsAre(ListenAddress{"127.0.0.1", 80, true}));
  EXPECT_THAT(mistakes("[[server.listen]]\naddress = \"127.0.0.1:80\""), IsEmpty());
}

TEST(ConfigTest, ShowsWhatItReadOfProxiesInAFormThatItReads) {
  for (const auto* lines :
       {R"(["127.0.0.1:80", { address = "[::]:81", proxy_protocol = true }])",
        R"({ address = "127.0.0.1:80", proxy_protocol = true })", R"("127.0.0.1:80")"}) {
    const auto reading = read("[server]\nlisten = " + std::string(lines) +
                              "\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]");
    ASSERT_THAT(reading.mistakes, IsEmpty());
    EXPECT_EQ(server_keys()[0].show(reading.config), lines);
    EXPECT_EQ(server_keys()[1].show(reading.config), R"(["127.0.0.1", "10.0.0.0/8"])");
  }
}

TEST(ConfigTest, RefusesAPlaceToListenOnThatIsNoSuchTable) {
  for (const auto* table :
       {"{}", "{ proxy_protocol = true }", "{ address = 80 }",
        "{ address = \"127.0.0.1:80\", x = 1 }",
        "{ address = \"127.0.0.1:80\", proxy_protocol = \"yes\" }", "[{}, 1]"}) {
    EXPECT_THAT(mistake("[server]\ntrusted_proxies = \"::1\"\nlisten = " + std::string(table)),
                StartsWith("fanfare.toml:3: [server] listen: "))
        << table;
  }
  EXPECT_THAT(mistake("[server]\nlisten = [{ address = \"127.0.0.1:80\", proxy = true }]"),
              HasSubstr("'proxy' is not known here, or not of its kind; write a table like "
                        "{ address = \"0.0.0.0:8400\", proxy_protocol = true }"));
  EXPECT_THAT(mistake("[server]\nlisten = [{ address = \"nowhere\" }]"), HasSubstr("'nowhere'"));
}

TEST(ConfigTest, RefusesTheSameAddressTwiceAlsoWhenOneIsForProxies) {
  EXPECT_EQ(mistake("[server]\ntrusted_proxies = \"127.0.0.1\"\n"
                    "listen = [\"127.0.0.1:80\","
                    " { address = \"localhost:80\", proxy_protocol = true }]"),
            "fanfare.toml:3: [server] listen: 127.0.0.1:80 is there twice; write it once");
}

TEST(ConfigTest, RefusesAPlaceForProxiesWhereNoneIsTrusted) {
  constexpr auto kListen =
      "[server]\nlisten = [{ address = \"127.0.0.1:80\", proxy_protocol = true }]";
  EXPECT_EQ(mistake(kListen),
            "fanfare.toml:2: [server] listen: 127.0.0.1:80 has proxy_protocol = true, but no proxy "
            "is trusted to connect; write trusted_proxies = [\"10.0.0.7\"] with the addresses of "
            "yours");
  ConfigFlags trusting;
  trusting.trusted_proxy = {"127.0.0.1", "::1"};
  const auto reading = read(kListen, trusting);
  EXPECT_THAT(reading.mistakes, IsEmpty());
  EXPECT_EQ(reading.config.trusted_proxies.size(), 2U);
  ConfigFlags elsewhere;
  elsewhere.listen = {"127.0.0.1:81"};
  EXPECT_THAT(read(kListen, elsewhere).mistakes, IsEmpty());
}

TEST(ConfigTest, RefusesProxiesThatAreNoAddresses) {
  EXPECT_THAT(mistake("[server]\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.1/8\"]"),
              StartsWith("fanfare.toml:2: [server] trusted_proxies: '10.0.0.1/8' is not where a "
                         "network begins: 10.0.0.0/8 does"));
  EXPECT_THAT(mistake("[server]\ntrusted_proxies = true"), HasSubstr("write a text"));
  EXPECT_THAT(mistake("[server]\ntrusted_proxies = \"proxy.example.com\"\n"
                      "listen = { address = \"127.0.0.1:80\", proxy_protocol = true }"),
              HasSubstr("'proxy.example.com' is neither an address nor a network"));
  EXPECT_THAT(mistakes("[server]\ntrusted_proxies = []"), IsEmpty());
  ConfigFlags flags;
  flags.trusted_proxy = {"here"};
  EXPECT_THAT(read("", flags).mistakes, ElementsAre(StartsWith("--trusted-proxy: 'here' is ")));
}

// ---- Flags

TEST(ConfigTest, LetsFlagsReplaceWhatTheFileSays) {
  ConfigFlags flags;
  flags.listen = {"127.0.0.1:1", "127.0.0.1:2"};
  flags.data = "elsewhere";
  flags.workers = 2;
  flags.domain = {"x.org"};
  flags.log_level = "error";
  const auto reading = read(
      "[server]\nlisten = \"127.0.0.1:9\"\ndata = \"here\"\nworkers = 5\n"
      "domain = [\"a.org\", \"b.org\"]\nlog_level = \"debug\"",
      flags);
  ASSERT_THAT(reading.mistakes, IsEmpty());
  EXPECT_THAT(reading.config.listen,
              ElementsAre(ListenAddress{"127.0.0.1", 1}, ListenAddress{"127.0.0.1", 2}));
  EXPECT_EQ(reading.config.data_dir, "elsewhere");
  EXPECT_EQ(reading.config.workers, 2U);
  EXPECT_THAT(reading.config.domains, ElementsAre("x.org"));
  EXPECT_EQ(reading.config.log_level, base::log::Level::error);
}

TEST(ConfigTest, AddsTheRealmsOfFlagsWithTheLimitsOfAll) {
  ConfigFlags flags;
  flags.realm = {"two:c2Vjb25k"};
  const auto reading =
      read("[limits]\nsessions_max = 9\n[[realm]]\nid = \"one\"\nkey = \"Zmlyc3Q=\"\n", flags);
  ASSERT_THAT(reading.mistakes, IsEmpty());
  ASSERT_EQ(reading.config.realms.size(), 2U);
  EXPECT_EQ(reading.config.realms[1].id.value(), "two");
  EXPECT_EQ(reading.config.realms[1].keys[0].bytes, "second");
  EXPECT_EQ(reading.config.realms[1].limits.sessions_max, 9U);
}

TEST(ConfigTest, LetsAFlagReplaceTheKeyOfARealmOfTheFile) {
  ConfigFlags flags;
  flags.realm = {"one:c2Vjb25k"};
  const auto reading =
      read("[[realm]]\nid = \"one\"\nkey = \"Zmlyc3Q=\"\nclient_publish = true", flags);
  ASSERT_THAT(reading.mistakes, IsEmpty());
  ASSERT_EQ(reading.config.realms.size(), 1U);
  ASSERT_EQ(reading.config.realms[0].keys.size(), 1U);
  EXPECT_EQ(reading.config.realms[0].keys[0].bytes, "second");
  EXPECT_TRUE(reading.config.realms[0].client_publish);
}

TEST(ConfigTest, RefusesAFlagWhoseRealmDiffersFromOneOfTheFileOnlyInCapitals) {
  ConfigFlags flags;
  flags.realm = {"Demo:c2Vjb25k"};
  EXPECT_THAT(read("[[realm]]\nid = \"demo\"\nkey = \"Zmlyc3Q=\"", flags).mistakes,
              ElementsAre(StartsWith("--realm: Demo differs from demo of the file")));
}

TEST(ConfigTest, ReportsTheMistakesOfFlagsAfterThoseOfTheFile) {
  ConfigFlags flags;
  flags.listen = {"nowhere"};
  flags.workers = 1000;
  flags.log_level = "loud";
  flags.realm = {"one", "one:?", "o n e:eA==", "two:eA==", "two:eA==", "Two:eA=="};
  EXPECT_THAT(
      read("[server]\nwat = 1", flags).mistakes,
      ElementsAre(StartsWith("fanfare.toml:2: [server] wat: "),
                  StartsWith("--listen: 'nowhere' is not an address"),
                  StartsWith("--workers: write a whole number from 1 to 64"),
                  StartsWith("--log-level: write "),
                  StartsWith("--realm: write the id, a colon and the key"),
                  StartsWith("--realm: one: the key is not standard base64"),
                  StartsWith("--realm: a realm id has"), StartsWith("--realm: two is there twice"),
                  StartsWith("--realm: Two is there twice")));
}

// ---- Files

class ConfigFileTest : public testing::Test {
 protected:
  ConfigFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "fanfare-config-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~ConfigFileTest() override { std::filesystem::remove_all(root_); }

  std::filesystem::path root_;
};

TEST_F(ConfigFileTest, ReadsTheFileThatIsNamed) {
  const auto file = (root_ / "mine.toml").string();
  std::ofstream(file) << "[server]\nworkers = 3\nfoo = 1\n";
  ConfigFlags flags;
  flags.config = file;
  const auto reading = read_config(flags);
  EXPECT_EQ(reading.file, file);
  EXPECT_EQ(reading.config.workers, 3U);
  EXPECT_THAT(reading.mistakes, ElementsAre(StartsWith(file + ":3: [server] foo: ")));
}

TEST_F(ConfigFileTest, SaysInOneLineThatAFileCannotBeRead) {
  ConfigFlags flags;
  flags.config = (root_ / "absent.toml").string();
  EXPECT_THAT(read_config(flags).mistakes,
              ElementsAre(*flags.config + ": cannot be read: No such file or directory"));
  flags.config = root_.string();
  EXPECT_THAT(read_config(flags).mistakes,
              ElementsAre(*flags.config + ": cannot be read: Is a directory"));
}

// ---- The reference

TEST(ConfigTest, HasAReferenceThatReadsAsTheDefaults) {
  const auto reading = read(config_reference());
  EXPECT_THAT(reading.mistakes, IsEmpty());
  const Config defaults;
  const auto expect_same = [](const auto& keys, const auto& left, const auto& right) {
    for (const auto& key : keys) EXPECT_EQ(key.show(left), key.show(right)) << key.name;
  };
  expect_same(server_keys(), reading.config, defaults);
  expect_same(server_limit_keys(), reading.config.server_limits, defaults.server_limits);
  expect_same(realm_limit_keys(), reading.config.realm_limits, defaults.realm_limits);
  expect_same(bayeux_keys(), reading.config.bayeux, defaults.bayeux);
}

TEST(ConfigTest, HasAReferenceWithEveryKeyAndLinesThatFitAScreen) {
  const std::string reference = config_reference();
  const auto expect_all = [&reference](const auto& keys) {
    for (const auto& key : keys) {
      EXPECT_THAT(reference, HasSubstr("\n" + std::string(key.name) + " = ")) << key.name;
    }
  };
  expect_all(server_limit_keys());
  expect_all(realm_limit_keys());
  expect_all(bayeux_keys());
  for (const auto& key : realm_keys()) {
    EXPECT_THAT(reference, HasSubstr("\n# " + std::string(key.name) + " = ")) << key.name;
  }
  std::size_t column = 0;
  for (const char letter : reference) {
    column = letter == '\n' ? 0 : column + 1;
    ASSERT_LE(column, 110U);
  }
}

TEST(ConfigTest, HasAReferenceWhoseExamplesAreRightToo) {
  // Without the first "# " of each line that is a key or a section, comments stay comments.
  std::string toml;
  bool is_realm = false;
  const std::string reference = config_reference();
  for (std::size_t at = 0; at < reference.size();) {
    const auto end = reference.find('\n', at);
    std::string line = reference.substr(at, end - at);
    at = end + 1;
    if (line == "# [[realm]]") is_realm = true;
    const bool is_code = line.find(" = ") != std::string::npos || line.find("# [") == 0;
    if (is_realm && is_code && line.find("# keys") != 0) line.erase(0, 2);
    // The example of a key must be one that nobody can use.
    if (line.find("key = ") == 0) line = "key = \"Zmlyc3Q=\"";
    toml += line + "\n";
  }
  const auto reading = read(toml);
  EXPECT_THAT(reading.mistakes, IsEmpty());
  EXPECT_EQ(reading.config.realms.size(), 1U);
}

TEST(ConfigTest, FindsTheNearestWord) {
  const std::vector<std::string_view> words{"listen", "data", "static"};
  EXPECT_EQ(nearest_word("lisen", words), "listen");
  EXPECT_EQ(nearest_word("date", words), "data");
  EXPECT_EQ(nearest_word("statics", words), "static");
}

}  // namespace
}  // namespace fanfare::server
