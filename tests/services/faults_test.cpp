// SPDX-License-Identifier: Apache-2.0
#include "tests/services/services_fixture.hpp"

// Each flow with its n-th store call failing, for every n: a fault is only ever told as one, ends no session,
// and leaves nothing behind that stops the next try.
namespace keyturn::server::testing {
namespace {

struct World : ServicesTest {
  World() {
    configure_passwords({{"emailConfirmationUrl", "https://x/"}, {"resetPasswordUrl", "https://x/"}});
    bystander = log_in_new("bystander@example.com");
    EXPECT_TRUE(passwords.create_confirmed(app(), "a@example.com", "secret-password"));
    EXPECT_TRUE(passwords.register_account(app(), "fresh@example.com", "secret-password"));
    tokens = log_in("anon-user", {});
    who = caller(tokens);
    key = api_keys.create(caller(bystander), "k")->value.copy();
  }
  void TestBody() override {}

  using ServicesTest::api_keys;
  using ServicesTest::app;
  using ServicesTest::app_id;
  using ServicesTest::apps;
  using ServicesTest::configure_passwords;
  using ServicesTest::faults;
  using ServicesTest::mail;
  using ServicesTest::passwords;
  using ServicesTest::sessions;
  using ServicesTest::userpass;
  using ServicesTest::users;

  LoginTokens bystander;
  LoginTokens tokens;
  Caller who;
  Secret key;
};

/// What the flow answered: nothing when it went well.
using Outcome = std::optional<Error>;

template <class T>
Outcome outcome_of(const Result<T>& result) {
  return result ? Outcome() : Outcome(result.error());
}

struct Flow {
  // Told by its name when a test fails.
  friend void PrintTo(const Flow& flow, std::ostream* out) { *out << flow.name; }
  std::string name;
  std::function<Outcome(World&)> run;
  /// An answer to the second try that is right when the first was done and only its answer was lost.
  std::vector<ErrorCode> done_already = {};
  bool ends_the_session = false;
};

class FaultTest : public ::testing::TestWithParam<Flow> {};

TEST_P(FaultTest, IsOnlyEverAFaultAndCanBeTriedAgain) {
  const Flow& flow = GetParam();
  for (const FaultPlan::Mode mode : {FaultPlan::Mode::not_done, FaultPlan::Mode::done_but_lost}) {
    for (int n = 1;; ++n) {
      SCOPED_TRACE(flow.name + ", call " + std::to_string(n) +
                   (mode == FaultPlan::Mode::not_done ? "" : ", done but lost"));
      World world;
      world.faults.fail_call(n, mode);
      const Outcome first = flow.run(world);
      const bool was_reached = world.faults.calls() >= n;
      world.faults.stop();
      if (first) {
        EXPECT_EQ(first->code, ErrorCode::ServiceUnavailable) << first->message;
        EXPECT_EQ(first->http_status, 503);
        EXPECT_EQ(first->reason, EndReason::none);
        const Outcome second = flow.run(world);
        const bool is_fine =
            !second || (mode == FaultPlan::Mode::done_but_lost &&
                        std::count(flow.done_already.begin(), flow.done_already.end(), second->code) > 0);
        EXPECT_TRUE(is_fine) << second->message;
      }
      EXPECT_TRUE(world.sessions.check_access(world.bystander.access_token.reveal()));
      if (!flow.ends_the_session) {
        EXPECT_TRUE(world.sessions.refresh(world.tokens.refresh_token.reveal()));
      } else {
        EXPECT_FALSE(world.sessions.refresh(world.tokens.refresh_token.reveal()));
      }
      if (!was_reached) break;
      ASSERT_LT(n, 100);
    }
  }
}

std::vector<Flow> flows() {
  const auto log_in = [](std::string_view type, const auto& credentials) {
    return [type, credentials](World& w) {
      return outcome_of(w.sessions.log_in(w.app(), type, credentials(w), nullptr));
    };
  };
  const auto password_of = [](std::string_view email) {
    return [email](World&) { return World::userpass(email); };
  };
  return {
      {"log in anonymously", log_in("anon-user", [](World&) { return json::Object(); })},
      {"log in with a password", log_in("local-userpass", password_of("a@example.com"))},
      {"log in for the first time", log_in("local-userpass", password_of("fresh@example.com"))},
      {"log in with a key", log_in("api-key",
                                   [](World& w) {
                                     return json::Object{{"key", w.key.reveal()}};
                                   })},
      {"log in with a known device",
       [](World& w) {
         const json::Object device{{"deviceId", "0123456789abcdef01234567"}};
         return outcome_of(
             w.sessions.log_in(w.app(), "local-userpass", World::userpass("a@example.com"), &device));
       }},
      {"link",
       [](World& w) {
         return outcome_of(
             w.sessions.link(w.who, "local-userpass", World::userpass("fresh@example.com"), nullptr));
       }},
      {"refresh", [](World& w) { return outcome_of(w.sessions.refresh(w.tokens.refresh_token.reveal())); }},
      {"check an access token",
       [](World& w) { return outcome_of(w.sessions.check_access(w.tokens.access_token.reveal())); }},
      {"log out",
       [](World& w) { return outcome_of(w.sessions.log_out(w.tokens.refresh_token.reveal())); },
       {ErrorCode::InvalidSession},
       true},
      {"log out after a link",
       [](World& w) {
         const auto live = w.sessions.list(w.app_id, w.tokens.user_id);
         if (live && live->size() == 1) {
           static_cast<void>(
               w.sessions.link(w.who, "local-userpass", World::userpass("fresh@example.com"), nullptr));
         }
         return outcome_of(w.sessions.log_out(w.tokens.refresh_token.reveal()));
       },
       {ErrorCode::InvalidSession},
       true},
      {"revoke",
       [](World& w) {
         return outcome_of(w.sessions.revoke(w.app_id, w.tokens.user_id, w.who.principal.session_id));
       },
       {},
       true},
      {"housekeeping", [](World& w) { return outcome_of(w.sessions.housekeeping()); }},
      {"register",
       [](World& w) {
         return outcome_of(w.passwords.register_account(w.app(), "new@example.com", "secret-password"));
       },
       {ErrorCode::AccountNameInUse}},
      {"create a confirmed user",
       [](World& w) {
         return outcome_of(w.passwords.create_confirmed(w.app(), "new@example.com", "secret-password"));
       },
       {ErrorCode::AccountNameInUse}},
      {"send a reset", [](World& w) { return outcome_of(w.passwords.send_reset(w.app(), "a@example.com")); }},
      {"reset",
       [](World& w) {
         if (w.mail.messages.empty()) {
           if (auto sent = w.passwords.send_reset(w.app(), "a@example.com"); !sent) {
             w.mail.messages.clear();
             return outcome_of(sent);
           }
         }
         return outcome_of(
             w.passwords.reset(w.app(), w.mail.last("tokenId"), w.mail.last("token"), "new-password"));
       },
       {ErrorCode::UserpassTokenInvalid}},
      {"create a key",
       [](World& w) { return outcome_of(w.api_keys.create_server_key(w.app(), "server")); },
       {ErrorCode::APIKeyAlreadyExists}},
      {"create an app", [](World& w) { return outcome_of(w.apps.create("another", {})); }},
      {"disable a provider",
       [](World& w) {
         return outcome_of(w.apps.set_provider_disabled(w.app_id, w.app().provider("anon-user")->id, true));
       }},
  };
}

INSTANTIATE_TEST_SUITE_P(Flows, FaultTest, ::testing::ValuesIn(flows()), [](const auto& case_info) {
  std::string name = case_info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

class FaultOutcomeTest : public ServicesTest {};

TEST_F(FaultOutcomeTest, ALostAnswerToALogOutStillEndedTheSession) {
  const LoginTokens tokens = log_in("anon-user", {});
  faults.fail_call(3, FaultPlan::Mode::done_but_lost);  // find, list, end
  EXPECT_EQ(sessions.log_out(tokens.refresh_token.reveal()).error().http_status, 503);
  faults.stop();
  EXPECT_THAT(sessions.log_out(tokens.refresh_token.reveal()),
              SaysOver("invalid session: failed to find refresh token", EndReason::logged_out));
}

TEST_F(FaultOutcomeTest, AnAnonymousUserWhoseLogInIsUnderWayIsNotTakenForIdle) {
  session_store.before_open = [&] { EXPECT_EQ(*users.remove_idle_anonymous(app(), 100), 0); };
  log_in("anon-user", {});
}

TEST_F(FaultOutcomeTest, AFailedWriteOfUsesKeepsThemForTheNext) {
  const LoginTokens tokens = log_in("anon-user", {});
  clock.advance(2min);
  ASSERT_TRUE(sessions.refresh(tokens.refresh_token.reveal()));
  faults.fail_call(1, FaultPlan::Mode::not_done);
  EXPECT_FALSE(sessions.housekeeping());
  faults.stop();
  const std::string session = caller(tokens).principal.session_id;
  EXPECT_LT(stores.sessions().find(session).value()->last_used, clock.wall_now());
  ASSERT_TRUE(sessions.housekeeping());
  EXPECT_EQ(stores.sessions().find(session).value()->last_used, clock.wall_now());
}

TEST_F(FaultOutcomeTest, ALostAnswerToTheStoringOfAnAppDoesNotStopTheNextStart) {
  faults.fail_call(1, FaultPlan::Mode::done_but_lost);
  EXPECT_FALSE(apps.create("another", {}));
  faults.stop();
  AppDirectory again(app_store, keys);
  EXPECT_TRUE(again.load());
  EXPECT_EQ(again.all().size(), 2U);
}

}  // namespace
}  // namespace keyturn::server::testing
