#include "wire/bayeux/errors.hpp"

#include <gtest/gtest.h>

namespace fanfare::wire::bayeux {
namespace {

struct Row {
  Problem problem;
  std::string_view faye;
  std::string_view cometd;
};

// Spec/bayeux sections 5 and 3.7, with "X" as the argument.
constexpr Row kRows[] = {
    {Problem::connection_types_unsupported, "301:X:Connection types not supported",
     "301:X:Connection types not supported"},
    {Problem::session_unknown, "401:X:Unknown client", "402::session_unknown"},
    {Problem::parameter_missing, "402:X:Missing required parameter",
     "402:X:Missing required parameter"},
    {Problem::channel_missing, "405::Invalid channel", "400::channel_missing"},
    {Problem::channel_invalid, "405:X:Invalid channel", "405::channel_invalid"},
    {Problem::channel_forbidden, "403:X:Forbidden channel",
     "403:denied_by_security_policy:create_denied"},
    {Problem::publish_forbidden, "403:X:Forbidden channel",
     "403:denied_by_security_policy:publish_denied"},
    {Problem::subscribe_forbidden, "403:X:Forbidden channel",
     "403:denied_by_security_policy:subscribe_denied"},
    {Problem::subscription_missing, "402:subscription:Missing required parameter",
     "403::subscription_missing"},
    {Problem::subscription_invalid, "405:X:Invalid channel", "403::subscription_invalid"},
    {Problem::data_missing, "402:data:Missing required parameter",
     "402:data:Missing required parameter"},
    {Problem::id_invalid, "400:id:Bad request", "405::message_id_invalid"},
    {Problem::message_deleted, "404::message_deleted", "404::message_deleted"},
    {Problem::handshake_denied, "403::handshake_denied", "403::handshake_denied"},
    {Problem::session_terminated, "403::session_terminated", "403::session_terminated"},
};

TEST(BayeuxErrorTest, SpeaksBothDialects) {
  for (const Row& row : kRows) {
    EXPECT_EQ(error_text(Dialect::faye, row.problem, "X"), row.faye);
    EXPECT_EQ(error_text(Dialect::cometd, row.problem, "X"), row.cometd);
  }
}

TEST(BayeuxErrorTest, TakesAnArgumentAsItIs) {
  EXPECT_EQ(error_text(Dialect::faye, Problem::channel_invalid), "405::Invalid channel");
  EXPECT_EQ(error_text(Dialect::faye, Problem::channel_invalid, "/50%/%"),
            "405:/50%/%:Invalid channel");
}

TEST(BayeuxErrorTest, SpellsAnyOtherRefusalTheSameWay) {
  EXPECT_EQ(error_text(413, "100", "Too many channels"), "413:100:Too many channels");
  EXPECT_EQ(error_text(503, "", "Busy"), "503::Busy");
}

}  // namespace
}  // namespace fanfare::wire::bayeux
