// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

class ConcurrencyTest : public ServicesTest {
 protected:
  template <class Work>
  static void on_threads(int count, const Work& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
    for (std::thread& each : threads) each.join();
  }
};

TEST_F(ConcurrencyTest, NoRefreshSucceedsThatStartsAfterARevokeWasAnswered) {
  for (int round = 0; round < 20; ++round) {
    const LoginTokens tokens = log_in("anon-user", {});
    const std::string session = caller(tokens).principal.session_id;
    std::atomic<bool> is_revoked = false;
    std::atomic<int> late = 0;
    on_threads(4, [&](int i) {
      if (i == 0) {
        EXPECT_TRUE(*sessions.revoke(app_id, tokens.user_id, session));
        is_revoked = true;
        return;
      }
      for (int n = 0; n < 100; ++n) {
        const bool was_revoked = is_revoked;
        const bool works = sessions.check_access(tokens.access_token.reveal()).has_value() ||
                           sessions.refresh(tokens.refresh_token.reveal()).has_value();
        if (was_revoked && works) ++late;
      }
    });
    EXPECT_EQ(late, 0);
  }
}

TEST_F(ConcurrencyTest, OneOfManyLogOutsHasTheEffect) {
  const LoginTokens tokens = log_in("anon-user", {});
  std::atomic<int> ended = 0;
  on_threads(8, [&](int) {
    const auto done = sessions.log_out(tokens.refresh_token.reveal());
    if (done) {
      ++ended;
    } else {
      EXPECT_EQ(done.error().message, "invalid session: failed to find refresh token");
      EXPECT_EQ(done.error().reason, EndReason::logged_out);
    }
  });
  EXPECT_EQ(ended, 1);
}

TEST_F(ConcurrencyTest, OneOfManyResetsWithATokenSucceeds) {
  configure_passwords({{"resetPasswordUrl", "https://x/"}});
  ASSERT_TRUE(passwords.create_confirmed(app(), "a@example.com", "secret-password"));
  ASSERT_TRUE(passwords.send_reset(app(), "a@example.com"));
  const AppView& view = app();
  std::atomic<int> done = 0;
  on_threads(8, [&](int i) {
    if (passwords.reset(view, mail.last("tokenId"), mail.last("token"), "password-" + std::to_string(i)))
      ++done;
  });
  EXPECT_EQ(done, 1);
}

TEST_F(ConcurrencyTest, FirstLogInsOfOneAccountMeetInOneUser) {
  ASSERT_TRUE(passwords.register_account(app(), "a@example.com", "secret-password"));
  const AppView& view = app();
  std::mutex mutex;
  std::vector<std::string> ids;
  on_threads(8, [&](int) {
    const auto tokens = sessions.log_in(view, "local-userpass", userpass("a@example.com"), nullptr);
    ASSERT_TRUE(tokens);
    const std::scoped_lock lock(mutex);
    ids.push_back(tokens->user_id);
  });
  EXPECT_EQ(ids, std::vector<std::string>(8, ids.front()));
}

TEST_F(ConcurrencyTest, SettingsChangeWhileTokensAreRefreshed) {
  const LoginTokens tokens = log_in("anon-user", {});
  std::atomic<bool> is_over = false;
  on_threads(4, [&](int i) {
    if (i == 0) {
      for (int n = 0; n < 100; ++n) {
        TokenSettingsPatch patch;
        patch.access_lifetime_seconds = 300 + n;
        patch.access_algorithm = n % 2 == 0 ? "HS256" : "ES256";
        EXPECT_TRUE(apps.set_token_settings(app_id, patch));
        EXPECT_TRUE(apps.create("other", {}));
      }
      is_over = true;
      return;
    }
    while (!is_over) {
      const auto access = sessions.refresh(tokens.refresh_token.reveal());
      ASSERT_TRUE(access);
      ASSERT_TRUE(sessions.check_access(access->reveal()));
      ASSERT_TRUE(sessions.housekeeping());
    }
  });
}

TEST_F(ConcurrencyTest, AProviderOfATypeIsAddedOnce) {
  std::atomic<int> added = 0;
  on_threads(8, [&](int) {
    if (apps.add_provider(app_id, {{"type", "custom-function"}})) ++added;
  });
  EXPECT_EQ(added, 1);
}

}  // namespace
}  // namespace keyturn::server::testing
