// SPDX-License-Identifier: Apache-2.0
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

/// Row B-77 by the rules of sessions: who is slowed down, and who is not.
class GuessingTest : public ServicesTest {
 protected:
  GuessRecords records{app_store};
  GuessLimiter guesses{clock, {}, &records};
  void SetUp() override { ASSERT_TRUE(guesses.load()); }
  SessionService limited{
      directory, session_store, user_store, clock, {&anonymous_provider, &password_provider},
      nullptr,   nullptr,       &guesses};
  LoginOrigin origin;

  Result<LoginTokens> try_password(std::string_view password, const json::Object* device = nullptr) {
    return limited.log_in(app(), "local-userpass", userpass(a, password), device, {}, &origin);
  }
  void attack(int times) {
    for (int i = 0; i < times; ++i) {
      while (try_password("guess" + std::to_string(i)).error().code == ErrorCode::TooManyRequests)
        clock.advance(origin.retry_after);
    }
  }
  const std::string a = "a@example.com";
};

const auto kWrongPassword = Refuses(ErrorCode::InvalidPassword, 401, "unauthorized");
const auto kTooMany = Refuses(ErrorCode::TooManyRequests, 429, "too many wrong passwords");

TEST_F(GuessingTest, AWaitIsAskedForAfterTenWrongPasswordsEvenOfTheRightOne) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(try_password("guess"), kWrongPassword) << i;
  EXPECT_THAT(try_password("secret-password"), kTooMany);
  EXPECT_EQ(origin.retry_after, std::chrono::seconds(1));
  clock.advance(origin.retry_after);
  EXPECT_TRUE(try_password("secret-password"));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(try_password("guess"), kWrongPassword) << i;
}

TEST_F(GuessingTest, AtMostAHundredWrongPasswordsAreTakenWithinADay) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  attack(100);
  EXPECT_THAT(try_password("secret-password"), kTooMany);
  EXPECT_EQ(origin.retry_after, std::chrono::hours(24));
}

TEST_F(GuessingTest, UnknownNamesAreAnsweredTheSame) {
  for (int i = 0; i < 10; ++i) EXPECT_THAT(try_password("guess"), kWrongPassword) << i;
  EXPECT_THAT(try_password("guess"), kTooMany) << "no oracle for which accounts there are";
}

TEST_F(GuessingTest, SessionsLiveOnAndTheOwnDeviceGetsInWhileOthersGuess) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  const json::Object fresh{{"platform", "Linux"}};
  const auto mine = try_password("secret-password", &fresh);
  ASSERT_TRUE(mine);
  attack(100);
  EXPECT_THAT(try_password("secret-password"), kTooMany);
  EXPECT_TRUE(limited.refresh(mine->refresh_token.reveal())) << "refreshing is never limited";
  EXPECT_TRUE(limited.check_access(limited.refresh(mine->refresh_token.reveal())->reveal()));
  const json::Object own{{"deviceId", mine->device_id}};
  EXPECT_TRUE(try_password("secret-password", &own));
  const json::Object foreign{{"deviceId", "64f000000000000000000001"}};
  EXPECT_THAT(try_password("secret-password", &foreign), kTooMany);
}

TEST_F(GuessingTest, LinkingAndCredentialsInARequestAreWaysOfGuessingToo) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  const auto guest = limited.log_in(app(), "anon-user", {}, nullptr);
  ASSERT_TRUE(guest);
  const Caller stranger = *limited.check_access(guest->access_token.reveal());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(limited.link(stranger, "local-userpass", userpass(a, "guess"), nullptr).error().http_status,
              401);
    EXPECT_THAT(limited.identify(app(), "local-userpass", userpass(a, "guess"), false), kWrongPassword);
  }
  EXPECT_THAT(limited.link(stranger, "local-userpass", userpass(a, "guess"), nullptr, &origin), kTooMany);
  EXPECT_THAT(limited.identify(app(), "local-userpass", userpass(a, "guess"), false, &origin), kTooMany);
}

TEST_F(GuessingTest, AKnownPasswordInARequestIsNoGuess) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  ASSERT_TRUE(limited.identify(app(), "local-userpass", userpass(a), true));
  attack(20);
  EXPECT_TRUE(limited.identify(app(), "local-userpass", userpass(a), false));
}

TEST_F(GuessingTest, CountsAndKnownDevicesOutliveARestart) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  const json::Object fresh{{"platform", "Linux"}};
  const auto mine = try_password("secret-password", &fresh);
  ASSERT_TRUE(mine);
  attack(20);
  ASSERT_THAT(try_password("secret-password"), kTooMany);
  const auto wait = origin.retry_after;

  keyturn::testing::FakeClock other(clock.wall_now());  // of another boot
  GuessRecords records_after{app_store};
  GuessLimiter after{other, {}, &records_after};
  ASSERT_TRUE(after.load());
  SessionService started{
      directory, session_store, user_store, other, {&anonymous_provider, &password_provider},
      nullptr,   nullptr,       &after};
  EXPECT_THAT(started.log_in(app(), "local-userpass", userpass(a), nullptr, {}, &origin), kTooMany);
  EXPECT_LE(origin.retry_after, wait + std::chrono::seconds(1));
  EXPECT_GE(origin.retry_after, wait - std::chrono::seconds(1));
  const json::Object own{{"deviceId", mine->device_id}};
  EXPECT_TRUE(started.log_in(app(), "local-userpass", userpass(a), &own, {}, &origin));
  other.advance(wait + std::chrono::seconds(1));
  EXPECT_TRUE(started.log_in(app(), "local-userpass", userpass(a), nullptr, {}, &origin));

  GuessLimiter later{other, {}, &records_after};
  ASSERT_TRUE(later.load());
  EXPECT_EQ(later.size(), 0U) << "the right password ended the count for good";
}

TEST_F(GuessingTest, ANewPasswordForgivesTheWrongOnesBefore) {
  PasswordService resetting{password_store, user_store, app_store, mail,    &functions,
                            clock,          kCheap,     nullptr,   &guesses};
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  attack(100);
  ASSERT_THAT(try_password("secret-password"), kTooMany);
  ASSERT_TRUE(resetting.send_reset(app(), a));
  ASSERT_TRUE(resetting.reset(app(), mail.last("tokenId"), mail.last("token"), "another-password"));
  EXPECT_TRUE(try_password("another-password")) << "the owner of the mailbox is not locked out by others";
}

TEST_F(GuessingTest, AStoreThatFailsIsNobodysWrongPassword) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  for (int i = 0; i < 50; ++i) {
    faults.fail_call(1, FaultPlan::Mode::not_done);
    EXPECT_EQ(try_password("guess").error().http_status, 503);
  }
  faults.stop();
  EXPECT_TRUE(try_password("secret-password"));
}

}  // namespace
}  // namespace keyturn::server::testing
