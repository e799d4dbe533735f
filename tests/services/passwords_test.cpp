// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/crypto.hpp"
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

class PasswordServiceTest : public ServicesTest {
 protected:
  void by_mail() {
    configure_passwords({{"autoConfirm", false},
                         {"emailConfirmationUrl", "https://shop.example/confirm"},
                         {"resetPasswordUrl", "https://shop.example/reset?lang=en"},
                         {"resetPasswordSubject", "New password"}});
  }
  void by_function() {
    configure_passwords({{"autoConfirm", false},
                         {"runConfirmationFunction", true},
                         {"confirmationFunctionName", "confirmFunc"},
                         {"runResetFunction", true},
                         {"resetFunctionId", "resetFunc"}});
  }
  Result<LoginTokens> try_log_in(std::string_view email, std::string_view password = "secret-password") {
    return sessions.log_in(app(), "local-userpass", userpass(email, password), nullptr);
  }
  const std::string a = "a@example.com";
};

const auto kNotYet = Refuses(ErrorCode::AuthError, 401, "unauthorized");
const auto kWrong = Refuses(ErrorCode::InvalidPassword, 401, "unauthorized");
const auto kStale = Refuses(ErrorCode::UserpassTokenInvalid, 400, "userpass token is expired or invalid");
const auto kMalformed = Refuses(ErrorCode::BadRequest, 400, "invalid token data");
const auto kNoUser = Refuses(ErrorCode::UserNotFound, 404, "user not found");

TEST_F(PasswordServiceTest, RegisterRefusesWhatIsDocumented) {
  EXPECT_THAT(passwords.register_account(app(), "", "secret-password"),
              Refuses(ErrorCode::BadRequest, 400, "email invalid"));
  EXPECT_THAT(passwords.register_account(app(), a, "short"),
              Refuses(ErrorCode::BadRequest, 400, "password must be between 6 and 128 characters"));
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  EXPECT_THAT(passwords.register_account(app(), a, "other-password"),
              Refuses(ErrorCode::AccountNameInUse, 409, "name already in use"));
  EXPECT_TRUE(passwords.register_account(app(), "A@example.com", "other-password"))
      << "addresses are case-sensitive";
  ASSERT_TRUE(apps.set_provider_disabled(app_id, app().provider("local-userpass")->id, true));
  EXPECT_THAT(
      passwords.register_account(app(), "b@example.com", "secret-password"),
      Refuses(ErrorCode::AuthProviderNotFound, 404, "authentication via 'local-userpass' is unsupported"));
}

TEST_F(PasswordServiceTest, LongAndForeignPasswordsAreNotCutShort) {
  const std::string base(127, 'x');
  ASSERT_TRUE(passwords.register_account(app(), a, base + "1"));
  EXPECT_THAT(try_log_in(a, base + "2"), kWrong);
  EXPECT_TRUE(try_log_in(a, base + "1"));
  const std::string greek = "\xCE\xBA\xCE\xBB\xCE\xB5\xCE\xB9\xCE\xB4\xCE\xAF";
  ASSERT_TRUE(passwords.register_account(app(), "b@example.com", greek));
  EXPECT_TRUE(try_log_in("b@example.com", greek));
}

TEST_F(PasswordServiceTest, AMailedTokenConfirmsOnceWithinHalfAnHour) {
  by_mail();
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  ASSERT_EQ(mail.messages.size(), 1U);
  EXPECT_EQ(mail.messages[0].to, a);
  EXPECT_THAT(
      mail.messages[0].body,
      ::testing::ContainsRegex("^https://shop.example/confirm\\?token=[0-9a-f]{128}&tokenId=[0-9a-f]{24}$"));
  EXPECT_THAT(try_log_in(a), kNotYet);
  EXPECT_THAT(try_log_in(a, "wrong-password"), kWrong);
  clock.advance(30min - 1us);
  const std::string token = mail.last("token");
  const std::string id = mail.last("tokenId");
  EXPECT_TRUE(passwords.confirm(app(), id, token));
  EXPECT_THAT(passwords.confirm(app(), id, token), kStale);
  EXPECT_TRUE(try_log_in(a));
}

TEST_F(PasswordServiceTest, ATokenEndsAfterHalfAnHourAndWithTheNextOne) {
  by_mail();
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  const std::string token = mail.last("token");
  const std::string id = mail.last("tokenId");
  clock.advance(30min);
  EXPECT_THAT(passwords.confirm(app(), id, token), kStale);
  ASSERT_TRUE(passwords.send_confirmation(app(), a));
  const std::string second = mail.last("token");
  const std::string second_id = mail.last("tokenId");
  ASSERT_TRUE(passwords.send_confirmation(app(), a));
  EXPECT_THAT(passwords.confirm(app(), second_id, second), kStale) << "a newer one was mailed";
  EXPECT_THAT(passwords.confirm(app(), mail.last("tokenId"), second), kStale) << "the text is another's";
  EXPECT_TRUE(passwords.confirm(app(), mail.last("tokenId"), mail.last("token")));
  EXPECT_THAT(passwords.send_confirmation(app(), a),
              Refuses(ErrorCode::UserAlreadyConfirmed, 400, "already confirmed"));
  EXPECT_THAT(passwords.send_confirmation(app(), "b@example.com"), kNoUser);
}

TEST_F(PasswordServiceTest, MalformedTokensAreToldApartFromStaleOnes) {
  const std::string token(128, 'a');
  const std::string id(24, 'b');
  for (const auto& [odd_id, odd_token] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {id, "garbage"},
                                                        {"garbage", token},
                                                        {id, token.substr(1)},
                                                        {id, token + "a"},
                                                        {id, std::string(128, 'g')}}) {
    EXPECT_THAT(passwords.confirm(app(), odd_id, odd_token), kMalformed);
    EXPECT_THAT(passwords.reset(app(), odd_id, odd_token, "new-password"), kMalformed);
  }
  EXPECT_THAT(passwords.confirm(app(), id, token), kStale);
  EXPECT_THAT(passwords.reset(app(), id, token, "new-password"), kStale);
}

TEST_F(PasswordServiceTest, OnlyTheHashOfAMailedTokenIsKept) {
  by_mail();
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  const std::string hash = crypto::hex_encode(crypto::sha256(mail.last("token")));
  EXPECT_EQ(stores.passwords()
                .confirm_with_token(app_id, mail.last("tokenId"), mail.last("token"), clock.wall_now())
                .value(),
            TokenOutcome::invalid);
  EXPECT_EQ(
      stores.passwords().confirm_with_token(app_id, mail.last("tokenId"), hash, clock.wall_now()).value(),
      TokenOutcome::done);
}

TEST_F(PasswordServiceTest, AResetSetsThePasswordOnceAndEndsAllSessions) {
  by_mail();
  ASSERT_TRUE(passwords.create_confirmed(app(), a, "secret-password"));
  const LoginTokens tokens = log_in("local-userpass", userpass(a));
  ASSERT_TRUE(passwords.send_reset(app(), a));
  EXPECT_EQ(mail.messages.back().subject, "New password");
  EXPECT_THAT(mail.messages.back().body, ::testing::StartsWith("https://shop.example/reset?lang=en&token="));
  const std::string token = mail.last("token");
  const std::string id = mail.last("tokenId");
  EXPECT_THAT(passwords.confirm(app(), id, token), kStale) << "for another purpose";
  EXPECT_THAT(passwords.reset(app(), id, token, "short"),
              Refuses(ErrorCode::BadRequest, 400, "password must be between 6 and 128 characters"));
  EXPECT_TRUE(sessions.check_access(tokens.access_token.reveal()));
  EXPECT_TRUE(passwords.reset(app(), id, token, "new-password"));
  EXPECT_THAT(passwords.reset(app(), id, token, "newer-password"), kStale);
  EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()),
              SaysOver("invalid session", EndReason::password_changed));
  EXPECT_THAT(try_log_in(a), kWrong);
  EXPECT_TRUE(try_log_in(a, "new-password"));
  EXPECT_THAT(passwords.send_reset(app(), "b@example.com"), kNoUser);
}

TEST_F(PasswordServiceTest, ConfirmationByFunctionHasThreeVerdicts) {
  by_function();
  functions.answer_status("confirmFunc", "fail");
  const auto failed = Refuses(ErrorCode::BadRequest, 400, "failed to confirm user \"a@example.com\"");
  EXPECT_THAT(passwords.register_account(app(), a, "secret-password"), failed);
  EXPECT_THAT(passwords.call_confirmation(app(), a), kNoUser) << "nothing was kept";
  functions.answer_status("confirmFunc", "pending");
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  EXPECT_THAT(try_log_in(a), kNotYet);
  const json::Value info = functions.last_arguments.at(0);
  EXPECT_EQ(info.string_at("username"), a);
  EXPECT_TRUE(mail.messages.empty());

  functions.answer_status("confirmFunc", "fail");
  EXPECT_THAT(passwords.call_confirmation(app(), a), failed);
  functions.answer_status("confirmFunc", "success");
  EXPECT_TRUE(passwords.call_confirmation(app(), a));
  EXPECT_TRUE(try_log_in(a));
  EXPECT_THAT(passwords.call_confirmation(app(), a),
              Refuses(ErrorCode::UserAlreadyConfirmed, 400, "already confirmed"));

  functions.answer_status("confirmFunc", "pending");
  ASSERT_TRUE(passwords.register_account(app(), "b@example.com", "secret-password"));
  const json::Value token = functions.last_arguments.at(0);
  EXPECT_TRUE(passwords.confirm(app(), *token.string_at("tokenId"), *token.string_at("token")));
}

TEST_F(PasswordServiceTest, CallConfirmationIsRefusedWhereConfirmationIsAutomatic) {
  EXPECT_THAT(passwords.call_confirmation(app(), a),
              Refuses(ErrorCode::BadRequest, 400,
                      "cannot run confirmation for a@example.com: automatic confirmation is enabled"));
}

TEST_F(PasswordServiceTest, AMissingFunctionIsAFailure) {
  by_function();
  EXPECT_THAT(passwords.register_account(app(), a, "secret-password"),
              Refuses(ErrorCode::BadRequest, 400, "failed to confirm user \"a@example.com\""));
  PasswordService without(password_store, user_store, app_store, mail, nullptr, clock, kCheap);
  EXPECT_FALSE(without.register_account(app(), a, "secret-password"));
}

TEST_F(PasswordServiceTest, AFunctionIsTheOneThatHasTheId) {
  configure_passwords({{"autoConfirm", false},
                       {"runConfirmationFunction", true},
                       {"confirmationFunctionName", "confirmFunc"},
                       {"confirmationFunctionId", "f1"},
                       {"runResetFunction", true},
                       {"resetFunctionName", "resetFunc"},
                       {"resetFunctionId", "f2"}});
  const auto store = [&](const char* id, const char* name) {
    ASSERT_TRUE(app_store.put_document(app_id, "functions", id, json::Value(json::Object{{"name", name}})));
  };
  store("f1", "confirm-renamed");
  store("f2", "reset-renamed");
  functions.answer_status("confirmFunc", "fail");
  functions.answer_status("resetFunc", "fail");
  functions.answer_status("confirm-renamed", "success");
  functions.answer_status("reset-renamed", "success");
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  ASSERT_TRUE(passwords.call_reset(app(), a, "new-password", {}));
  ASSERT_TRUE(app_store.remove_document(app_id, "functions", "f2"));
  EXPECT_FALSE(passwords.call_reset(app(), a, "third-password", {})) << "without it the name counts";
}

TEST_F(PasswordServiceTest, ResetByFunctionHasThreeVerdicts) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  EXPECT_THAT(passwords.call_reset(app(), a, "new-password", {}),
              Refuses(ErrorCode::BadRequest, 400, "failed to reset password for user \"a@example.com\""));
  by_function();
  EXPECT_THAT(passwords.send_reset(app(), a),
              Refuses(ErrorCode::BadRequest, 400, "please use reset password via function"));
  EXPECT_THAT(passwords.call_reset(app(), "b@example.com", "new-password", {}), kNoUser);
  functions.answer_status("resetFunc", "fail");
  EXPECT_THAT(passwords.call_reset(app(), a, "new-password", {}),
              Refuses(ErrorCode::BadRequest, 400, "failed to reset password for user \"a@example.com\""));

  functions.answer_status("resetFunc", "pending");
  ASSERT_TRUE(passwords.call_reset(app(), a, "new-password", {json::Value("extra")}));
  ASSERT_EQ(functions.last_arguments.size(), 2U);
  EXPECT_EQ(functions.last_arguments[0].bool_at("currentPasswordValid"), false);
  const json::Value info = functions.last_arguments[0];
  EXPECT_THAT(try_log_in(a, "new-password"), kWrong);
  EXPECT_TRUE(try_log_in(a)) << "the old one still works";
  EXPECT_TRUE(passwords.reset(app(), *info.string_at("tokenId"), *info.string_at("token"), "new-password"));
  EXPECT_TRUE(try_log_in(a, "new-password"));
  EXPECT_THAT(try_log_in(a), kWrong);

  functions.answer_status("resetFunc", "success");
  const LoginTokens tokens = log_in("local-userpass", userpass(a, "new-password"));
  ASSERT_TRUE(passwords.call_reset(app(), a, "new-password", {}));
  EXPECT_EQ(functions.last_arguments[0].bool_at("currentPasswordValid"), true);
  EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()),
              SaysOver("invalid session", EndReason::password_changed));
}

TEST_F(PasswordServiceTest, APendingResetNeverChoosesThePasswordThatSomebodyElseConfirms) {
  by_function();
  functions.answer_status("confirmFunc", "success");
  functions.answer_status("resetFunc", "pending");
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  ASSERT_TRUE(passwords.call_reset(app(), a, "attackers-password", {}));
  const json::Value info = functions.last_arguments[0];
  ASSERT_TRUE(
      passwords.reset(app(), *info.string_at("tokenId"), *info.string_at("token"), "owners-password"));
  EXPECT_TRUE(try_log_in(a, "owners-password"));
  EXPECT_THAT(try_log_in(a, "attackers-password"), kWrong);
}

TEST_F(PasswordServiceTest, AHashOfAnotherCostIsMadeAnewAtTheNextLogIn) {
  ASSERT_TRUE(passwords.register_account(app(), a, "secret-password"));
  const std::string before = stores.passwords().find(app_id, a).value()->password_hash;
  identity::PasswordProvider stronger(password_store, {std::size_t{16} * 1024, 2});
  SessionService raised(directory, session_store, user_store, clock, {&stronger});
  const auto tokens = raised.log_in(app(), "local-userpass", userpass(a), nullptr);
  ASSERT_TRUE(tokens);
  const std::string after = stores.passwords().find(app_id, a).value()->password_hash;
  EXPECT_NE(before, after);
  EXPECT_FALSE(crypto::needs_rehash(after, {std::size_t{16} * 1024, 2}));
  EXPECT_TRUE(raised.log_in(app(), "local-userpass", userpass(a), nullptr));
  EXPECT_EQ(stores.passwords().find(app_id, a).value()->password_hash, after);
  EXPECT_TRUE(raised.check_access(tokens->access_token.reveal())) << "no session ends";
}

TEST_F(PasswordServiceTest, AdministratorsDoTheSameByHand) {
  by_mail();
  const auto user = passwords.create_confirmed(app(), a, "secret-password");
  ASSERT_TRUE(user);
  EXPECT_EQ(log_in("local-userpass", userpass(a)).user_id, user->id);
  EXPECT_THAT(passwords.create_confirmed(app(), a, "secret-password"),
              Refuses(ErrorCode::AccountNameInUse, 409, "name already in use"));
  ASSERT_TRUE(passwords.register_account(app(), "b@example.com", "secret-password"));
  ASSERT_EQ(passwords.pending(app(), {})->size(), 1U);
  EXPECT_TRUE(passwords.confirm_by_admin(app(), "b@example.com"));
  EXPECT_THAT(passwords.confirm_by_admin(app(), "b@example.com"),
              Refuses(ErrorCode::UserAlreadyConfirmed, 400, "already confirmed"));
  EXPECT_TRUE(passwords.pending(app(), {})->empty());
  EXPECT_TRUE(passwords.remove_pending(app(), "b@example.com"));
  EXPECT_THAT(passwords.remove_pending(app(), "b@example.com"), kNoUser);
  EXPECT_THAT(passwords.remove_pending(app(), a), kNoUser) << "has a user";
}

TEST_F(PasswordServiceTest, ChangeEmailKeepsTheUserAndItsPassword) {
  const LoginTokens tokens = log_in_new(a);
  log_in_new("b@example.com");
  const LoginTokens anonymous_user = log_in("anon-user", {});
  EXPECT_TRUE(passwords.change_email(app(), tokens.user_id, "c@example.com"));
  EXPECT_EQ(log_in("local-userpass", userpass("c@example.com")).user_id, tokens.user_id);
  EXPECT_THAT(try_log_in(a), kWrong);
  EXPECT_THAT(passwords.change_email(app(), tokens.user_id, ""),
              Refuses(ErrorCode::BadRequest, 400, "email invalid"));
  EXPECT_THAT(passwords.change_email(app(), tokens.user_id, "b@example.com"),
              Refuses(ErrorCode::AccountNameInUse, 409, "name already in use"));
  EXPECT_EQ(passwords.change_email(app(), anonymous_user.user_id, "d@example.com").error().http_status, 400);
  EXPECT_THAT(passwords.change_email(app(), "000000000000000000000001", "d@example.com"), kNoUser);
}

TEST_F(PasswordServiceTest, AMailThatCannotBeSentLeavesNoAccount) {
  by_mail();
  mail.fails = true;
  EXPECT_EQ(passwords.register_account(app(), a, "secret-password").error().http_status, 503);
  mail.fails = false;
  EXPECT_TRUE(passwords.register_account(app(), a, "secret-password"));
}

}  // namespace
}  // namespace keyturn::server::testing
