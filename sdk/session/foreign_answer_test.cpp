// SPDX-License-Identifier: Apache-2.0
// Answers that belong to somebody else, and writes that come after somebody else's.
#include <gtest/gtest.h>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;

class ForeignAnswerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start() { return std::make_unique<Process>(clock, server, stores.open()); }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
};

TEST_F(ForeignAnswerTest, ALogInTakesNoProfileOfAnotherUser) {
  auto process = start();
  server.script = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (!request.url.ends_with("/auth/profile")) return std::nullopt;
    return json_answer(200, R"({"user_id":"eve","identities":[],"data":{"email":"eve"},"type":"normal"})");
  };
  const auto user = process->log_in(password_of("ada"));
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code, ErrorCode::InvalidServerResponse);
  EXPECT_TRUE(stores.open()->load()->empty());
}

TEST_F(ForeignAnswerTest, ARefreshTakesNoTokenOfAnotherUser) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  const std::string own = *process->token(user);
  std::string subject = "eve";
  server.script = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "POST") return std::nullopt;
    return json_answer(201, R"({"access_token":")" + server.token("access", "s", subject, 1800s) + "\"}");
  };
  const auto refused = process->turn(process->manager->refresh(user));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidServerResponse);
  EXPECT_EQ(*process->token(user), own);
  EXPECT_EQ((*stores.open()->load_user("ada"))->access_token.reveal(), own);
  clock.advance(60s);
  subject = "";  // says nothing: nothing is wrong with it (rule S14)
  EXPECT_TRUE(process->turn(process->manager->refresh(user)));
}

// A new profile was saved while the refresh was on the wire.
TEST_F(ForeignAnswerTest, ARefreshTakesNoProfileBackThatAnotherProcessSaved) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  process->transport->held = true;
  auto refreshed = process->manager->refresh(user);
  process->loop->run();
  auto sibling = start();
  server.script = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (!request.url.ends_with("/auth/profile")) return std::nullopt;
    return json_answer(200, R"({"user_id":"ada","identities":[],"data":{"email":"new"},"type":"normal"})");
  };
  ASSERT_TRUE(sibling->turn(sibling->manager->refresh_profile(sibling->manager->current())));
  const std::string profile = (*stores.open()->load_user("ada"))->profile_json;
  process->transport->finish(0);
  process->loop->run();
  ASSERT_TRUE(refreshed.result());
  EXPECT_EQ((*stores.open()->load_user("ada"))->profile_json, profile);
  EXPECT_EQ(user->facts().profile_json, profile);
  EXPECT_EQ(process->count(UserEvent::Kind::profile_changed), 1);
}

}  // namespace
}  // namespace keyturn::sdk::testing
