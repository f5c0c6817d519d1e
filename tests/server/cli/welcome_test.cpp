#include "server/cli/welcome.hpp"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/cli/version.hpp"
#include "server/server.hpp"

namespace fanfare::server::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

core::Realm realm(std::string id) {
  core::Realm realm;
  realm.id = core::RealmId(std::move(id));
  realm.keys = {*core::parse_realm_key("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")};
  return realm;
}

/// Of a first start.
std::string welcome(const std::vector<core::Realm>& realms,
                    std::vector<std::string> addresses = {"127.0.0.1:8400"}) {
  const auto [file, integrity] = Server::browser_library();
  return welcome_text({std::move(addresses), realms, "", file, integrity, true, 0, true, ""},
                      Paint(false));
}

std::string later_welcome(const std::vector<core::Realm>& realms, std::string show_command) {
  const auto [file, integrity] = Server::browser_library();
  return welcome_text(
      {{"127.0.0.1:8400"}, realms, "", file, integrity, true, 0, false, std::move(show_command)},
      Paint(false));
}

TEST(WelcomeTest, PublishesAndListensOnTheChannelOfTheDemoPage) {
  const std::string text = welcome({realm("8c561903")});
  EXPECT_THAT(text, HasSubstr(R"(client.subscribe("/demo-comments",)"));
  EXPECT_THAT(text, HasSubstr("pub.publish(\n    \"demo-comments\",\n"));
  EXPECT_THAT(text, HasSubstr(R"("channel":"demo-comments")"));
}

TEST(WelcomeTest, FitsEightyColumns) {
  // The longest that a first start can come to: a made realm, five digits of a port.
  std::istringstream lines(welcome({realm("8c561903")}, {"127.0.0.1:65535"}));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

// What a service prints stays in the system's log.
TEST(WelcomeTest, TellsAKeyOnlyWhenItHasJustBeenMade) {
  const auto one = realm("8c561903");
  EXPECT_THAT(welcome({one}), HasSubstr("  Key     " + one.keys.front().text + "\n"));
  for (const auto& realms : {std::vector{one}, std::vector{one, realm("two")}}) {
    for (const auto* const command : {"fanfare realm show", ""}) {
      const std::string text = later_welcome(realms, command);
      EXPECT_THAT(text, Not(HasSubstr(one.keys.front().text))) << text;
      EXPECT_THAT(text, HasSubstr("  Realm   8c561903\n"));
      EXPECT_THAT(text, HasSubstr("  Listen  127.0.0.1:8400\n"));
      EXPECT_THAT(text, HasSubstr("http://127.0.0.1:8400/demo/"));
    }
  }
}

TEST(WelcomeTest, LaterSaysWhichCommandPrintsAKey) {
  EXPECT_THAT(later_welcome({realm("one")}, "fanfare realm show --data /x"),
              HasSubstr("`fanfare realm show --data /x one` prints its key"));
  EXPECT_THAT(later_welcome({realm("one"), realm("two")}, "fanfare realm show"),
              HasSubstr("`fanfare realm show ID` prints its key"));
  EXPECT_THAT(later_welcome({realm("one")}, ""), Not(HasSubstr("prints")));
}

TEST(WelcomeTest, SaysTheVersionOfTheProject) {
  EXPECT_EQ(kVersion.find_first_not_of("0123456789."), std::string_view::npos) << kVersion;
  EXPECT_THAT(welcome({realm("one")}), HasSubstr("fanfare " + std::string(kVersion) + "\n"));
}

TEST(WelcomeTest, NamesAnAddressThatABrowserCanAskWhenItListensEverywhere) {
  const std::string text = welcome({realm("one")}, {"0.0.0.0:8400"});
  EXPECT_THAT(text, HasSubstr("http://localhost:8400/demo/"));
  EXPECT_THAT(text, Not(HasSubstr("http://0.0.0.0")));
}

TEST(WelcomeTest, TellsApartWhereProxiesAloneAreHeard) {
  const auto [file, integrity] = Server::browser_library();
  const std::vector realms{realm("one")};
  const std::string text = welcome_text(
      {{"127.0.0.1:8400", "127.0.0.1:8401"}, realms, "", file, integrity, true, 1, false, ""},
      Paint(false));
  EXPECT_THAT(text, HasSubstr("127.0.0.1:8400\n"));
  EXPECT_THAT(text, HasSubstr("127.0.0.1:8401 (PROXY protocol)\n"));
  EXPECT_THAT(text, Not(HasSubstr("http://127.0.0.1:8401")));
}

}  // namespace
}  // namespace fanfare::server::cli
