#include "api/reply.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api/api_requests.hpp"
#include "wire/json/json.hpp"

namespace fanfare::api {
namespace {

using base::Errc;

TEST(ReplyTest, EveryFailureHasItsStatusAndItsName) {
  const std::vector<std::pair<Errc, ErrorForm>> table{
      {Errc::invalid, {400, "invalid"}},         {Errc::unauthorized, {401, "unauthorized"}},
      {Errc::forbidden, {403, "forbidden"}},     {Errc::not_found, {404, "not_found"}},
      {Errc::conflict, {409, "conflict"}},       {Errc::too_large, {413, "too_large"}},
      {Errc::unavailable, {503, "unavailable"}}, {Errc::io, {500, "internal"}}};
  for (const auto& [code, form] : table) {
    EXPECT_EQ(error_form(code).status, form.status);
    EXPECT_EQ(error_form(code).code, form.code);
    const auto response = error_response({code, "why"});
    EXPECT_EQ(response.status, form.status);
    EXPECT_EQ(response.body, R"({"error":{"code":")" + std::string(form.code) +
                                 R"(","message":"why"}})"
                                 "\n");
  }
}

TEST(ReplyTest, ErrorsAreJsonWhateverPeersPutIntoThem) {
  const auto response = error_response({Errc::invalid, "\"quoted\"\n\xff\x01</script>"});
  const auto parsed = wire::json::validate(response.body);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->find("error")->find("message")->as_string(),
            "\"quoted\"\n\xef\xbf\xbd\x01</script>");
  EXPECT_EQ(header_of(response, "Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(header_of(response, "X-Content-Type-Options"), "nosniff");
}

// Not Basic: browsers would ask the visitor for a password.
TEST(ReplyTest, OnlyTheUnauthorizedAreChallengedAndForATokenOnly) {
  EXPECT_EQ(header_of(error_response({Errc::unauthorized, ""}), "WWW-Authenticate"),
            "Bearer realm=\"fanfare\"");
  EXPECT_EQ(header_of(error_response({Errc::forbidden, ""}), "WWW-Authenticate"), "none");
}

TEST(ReplyTest, NamesTheMethodsThatWork) {
  const auto response = method_not_allowed("GET, HEAD");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(header_of(response, "Allow"), "GET, HEAD");
}

}  // namespace
}  // namespace fanfare::api
