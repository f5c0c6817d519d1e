#include "server/cli/snippets.hpp"

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::server::cli {
namespace {

using testing::HasSubstr;

core::Realm realm() {
  core::Realm realm;
  realm.id = core::RealmId("one");
  realm.keys = {*core::parse_realm_key("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
                *core::parse_realm_key("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=")};
  return realm;
}

TEST(SnippetsTest, NameTheRealmInTheAddressOnlyWhereThereAreSeveral) {
  const auto one = realm();
  const Paint plain(false);
  EXPECT_THAT(snippets_text({one, "http://x:1", "f.js", "sha384-x", true}, plain),
              HasSubstr(R"("http://x:1/bayeux")"));
  EXPECT_THAT(snippets_text({one, "http://x:1", "f.js", "sha384-x", false}, plain),
              HasSubstr(R"("http://x:1/r/one/bayeux")"));
}

TEST(SnippetsTest, AShownRealmHasAllItsKeysAndWhereItIs) {
  const auto one = realm();
  const Pasting pasting{one, "https://push.example.com", "f.js", "sha384-x"};
  const std::string text = realm_text(pasting, Paint(false));
  EXPECT_THAT(text, HasSubstr("  Realm   one\n"));
  for (const auto& key : one.keys) EXPECT_THAT(text, HasSubstr("  Key     " + key.text + "\n"));
  EXPECT_THAT(text, HasSubstr("  Bayeux  https://push.example.com/bayeux\n"));
  EXPECT_THAT(text, HasSubstr("  API     https://push.example.com/realm/one\n"));
  EXPECT_THAT(text, HasSubstr(snippets_text(pasting, Paint(false))));
}

TEST(SnippetsTest, AnAddressThatIsEverywhereIsAskedHere) {
  EXPECT_EQ(url_of("127.0.0.1:8400"), "http://127.0.0.1:8400");
  EXPECT_EQ(url_of("[::1]:80"), "http://[::1]:80");
  EXPECT_EQ(url_of("0.0.0.0:80"), "http://localhost:80");
  EXPECT_EQ(url_of("[::]:80"), "http://localhost:80");
}

}  // namespace
}  // namespace fanfare::server::cli
