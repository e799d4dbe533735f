// SPDX-License-Identifier: Apache-2.0
#include "server/storage/conformance/store_fixture.hpp"

namespace keyturn::server::conformance {
namespace {

constexpr auto kConfirm = EmailTokenPurpose::confirm;
constexpr auto kReset = EmailTokenPurpose::reset;

}  // namespace

TEST_P(PasswordStoreConformance, RegistersAnAddressOnce) {
  PasswordAccount first = account(1, "Ada@example.com");
  first.confirmed = true;
  first.pending_password_hash = "pending";
  EXPECT_EQ(passwords().register_account(first).value(), RegisterOutcome::registered);
  EXPECT_EQ(passwords().register_account(account(2, "Ada@example.com")).value(),
            RegisterOutcome::name_in_use);
  EXPECT_EQ(passwords().register_account(account(3, "ada@example.com")).value(), RegisterOutcome::registered)
      << "case matters";
  EXPECT_EQ(passwords().register_account(account(4, " Ada@example.com")).value(), RegisterOutcome::registered)
      << "never trimmed";
  PasswordAccount elsewhere = account(1, "Ada@example.com");
  elsewhere.app_id = kOtherApp;
  EXPECT_EQ(passwords().register_account(elsewhere).value(), RegisterOutcome::registered);
  const PasswordAccount found = passwords().find(kApp, "Ada@example.com").value().value();
  EXPECT_EQ(found.id, first.id);
  EXPECT_EQ(found.password_hash, "hash-1");
  EXPECT_TRUE(found.confirmed);
  EXPECT_EQ(found.user_id, "");
  EXPECT_EQ(found.pending_password_hash, "pending");
  EXPECT_EQ(found.created, at(1));
  EXPECT_EQ(passwords().find_by_id(kApp, first.id).value()->email, "Ada@example.com");
  EXPECT_FALSE(passwords().find(kApp, "nobody@example.com").value().has_value());
  EXPECT_FALSE(passwords().find(kApp, "' OR 1=1 --").value().has_value());
}

TEST_P(PasswordStoreConformance, ListsPendingAccountsInPages) {
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(passwords().register_account(account(i, "u" + std::to_string(i))).has_value());
  }
  ASSERT_TRUE(passwords().confirm(kApp, id('c', 2)).value());
  EXPECT_FALSE(passwords().confirm(kApp, id('c', 9)).value());
  const auto ids = [&](const PageRequest& page) {
    std::vector<std::string> out;
    const std::vector<PasswordAccount> found = passwords().pending(kApp, page).value();
    out.reserve(found.size());
    for (const PasswordAccount& each : found) out.push_back(each.id);
    return out;
  };
  EXPECT_EQ(ids({}), (std::vector{id('c', 1), id('c', 3), id('c', 4)}));
  EXPECT_EQ(ids({id('c', 1), false, 1}), std::vector{id('c', 3)});
  EXPECT_EQ(ids({"", true, 2}), (std::vector{id('c', 4), id('c', 3)}));
  EXPECT_EQ(ids({id('c', 3), true, 2}), std::vector{id('c', 1)});
}

TEST_P(PasswordStoreConformance, RemovesOnlyAccountsWithoutAUser) {
  const PasswordAccount free = account(1, "free@example.com");
  ASSERT_TRUE(passwords().register_account(free).has_value());
  ASSERT_TRUE(passwords().register_account(account(2, "bound@example.com")).has_value());
  ASSERT_TRUE(users().create(user(2, "local-userpass")).has_value());
  const EmailToken token = email_token(1, free, kConfirm);
  ASSERT_TRUE(passwords().add_token(token).has_value());
  EXPECT_TRUE(passwords().remove(kApp, "free@example.com").value());
  EXPECT_FALSE(passwords().remove(kApp, "free@example.com").value());
  EXPECT_FALSE(passwords().remove(kApp, "bound@example.com").value());
  ASSERT_TRUE(passwords().register_account(free).has_value());
  EXPECT_EQ(passwords().confirm_with_token(kApp, token.id, token.token_hash, at(1)).value(),
            TokenOutcome::invalid);
}

TEST_P(PasswordStoreConformance, ChangesTheAddressOfAccountAndIdentity) {
  ASSERT_TRUE(passwords().register_account(account(1, "old@example.com")).has_value());
  ASSERT_TRUE(passwords().register_account(account(2, "taken@example.com")).has_value());
  const User owner = user(1, "local-userpass");
  ASSERT_TRUE(users().create(owner).has_value());
  EXPECT_FALSE(passwords().change_email(kApp, owner.id, "taken@example.com").value());
  EXPECT_FALSE(passwords().change_email(kApp, id('b', 9), "new@example.com").value());
  EXPECT_FALSE(passwords().change_email(kApp, "", "new@example.com").value()) << "an account without a user";
  EXPECT_TRUE(passwords().change_email(kApp, owner.id, "old@example.com").value());
  EXPECT_TRUE(passwords().change_email(kApp, owner.id, "new@example.com").value());
  EXPECT_FALSE(passwords().find(kApp, "old@example.com").value().has_value());
  EXPECT_EQ(passwords().find(kApp, "new@example.com").value()->id, id('c', 1));
  const json::Object data = stored(owner).identities.at(0).data;
  EXPECT_EQ(*data.find("email")->as_string(), "new@example.com");
  EXPECT_TRUE(data.contains("name")) << "the rest stays";
}

TEST_P(PasswordStoreConformance, RehashComparesTheOldHashAndEndsNothing) {
  ASSERT_TRUE(passwords().register_account(account(1, "a")).has_value());
  const User owner = user(1, "local-userpass");
  ASSERT_TRUE(users().create(owner).has_value());
  const Session live = open_session(1, owner);
  EXPECT_FALSE(passwords().rehash(kApp, id('c', 1), "not the hash", "better").value());
  EXPECT_TRUE(passwords().rehash(kApp, id('c', 1), "hash-1", "better").value());
  EXPECT_FALSE(passwords().rehash(kApp, id('c', 1), "hash-1", "late").value());
  EXPECT_EQ(passwords().find(kApp, "a").value()->password_hash, "better");
  EXPECT_FALSE(state(live).ended);
  EXPECT_EQ(stored(owner).generation, 0);
}

TEST_P(PasswordStoreConformance, ANewPasswordEndsTheOtherSessions) {
  const PasswordAccount mine = account(1, "a");
  ASSERT_TRUE(passwords().register_account(mine).has_value());
  const User owner = user(1, "local-userpass");
  ASSERT_TRUE(users().create(owner).has_value());
  const Session kept = open_session(1, owner);
  const Session other = open_session(2, owner);
  const EmailToken open_reset = email_token(1, mine, kReset);
  const EmailToken open_confirm = email_token(2, mine, kConfirm);
  ASSERT_TRUE(passwords().add_token(open_reset).has_value());
  ASSERT_TRUE(passwords().add_token(open_confirm).has_value());
  EXPECT_FALSE(passwords().set_password(kApp, id('c', 9), "x", true, {}, at(200)).value());
  EXPECT_TRUE(passwords().set_password(kApp, mine.id, "new", true, kept.id, at(200)).value());
  EXPECT_EQ(passwords().find(kApp, "a").value()->password_hash, "new");
  EXPECT_FALSE(state(kept).ended);
  EXPECT_EQ(state(other).reason, EndReason::password_changed);
  EXPECT_EQ(stored(owner).generation, 1);
  EXPECT_EQ(
      passwords().reset_with_token(kApp, open_reset.id, open_reset.token_hash, "y", true, at(300)).value(),
      TokenOutcome::invalid)
      << "open reset tokens are void";
  EXPECT_EQ(passwords().confirm_with_token(kApp, open_confirm.id, open_confirm.token_hash, at(300)).value(),
            TokenOutcome::done);
  EXPECT_TRUE(passwords().set_password(kApp, mine.id, "newer", false, {}, at(400)).value());
  EXPECT_FALSE(state(kept).ended);
  EXPECT_EQ(stored(owner).generation, 1);
}

TEST_P(PasswordStoreConformance, AConfirmationTokenWorksOnceInItsTime) {
  const PasswordAccount mine = account(1, "a");
  ASSERT_TRUE(passwords().register_account(mine).has_value());
  const EmailToken token = email_token(1, mine, kConfirm, 100);
  ASSERT_TRUE(passwords().add_token(token).has_value());
  const auto confirm = [&](const std::string& token_id, const std::string& hash, int second) {
    return passwords().confirm_with_token(kApp, token_id, hash, at(second)).value();
  };
  EXPECT_EQ(confirm(id('7', 9), token.token_hash, 50), TokenOutcome::invalid);
  EXPECT_EQ(confirm(token.id, "another hash", 50), TokenOutcome::invalid);
  EXPECT_EQ(confirm(token.id, token.token_hash, 100), TokenOutcome::invalid) << "expired at the very second";
  EXPECT_EQ(passwords().confirm_with_token(kOtherApp, token.id, token.token_hash, at(50)).value(),
            TokenOutcome::invalid);
  EXPECT_EQ(passwords().reset_with_token(kApp, token.id, token.token_hash, "x", true, at(50)).value(),
            TokenOutcome::invalid)
      << "of another purpose";
  EXPECT_FALSE(passwords().find(kApp, "a").value()->confirmed);
  EXPECT_EQ(confirm(token.id, token.token_hash, 99), TokenOutcome::done);
  EXPECT_TRUE(passwords().find(kApp, "a").value()->confirmed);
  EXPECT_EQ(confirm(token.id, token.token_hash, 99), TokenOutcome::invalid);
}

TEST_P(PasswordStoreConformance, ATokenLeadsToItsAccountUntilItIsUsed) {
  const PasswordAccount mine = account(1, "a");
  ASSERT_TRUE(passwords().register_account(mine).has_value());
  const EmailToken token = email_token(1, mine, kReset, 100);
  ASSERT_TRUE(passwords().add_token(token).has_value());
  const auto found = passwords().find_by_token(kApp, token.id, kReset).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, mine.id);
  EXPECT_EQ(found->email, "a");
  EXPECT_FALSE(passwords().find_by_token(kApp, token.id, kConfirm).value()) << "of another purpose";
  EXPECT_FALSE(passwords().find_by_token(kOtherApp, token.id, kReset).value());
  EXPECT_FALSE(passwords().find_by_token(kApp, id('7', 9), kReset).value());
  EXPECT_EQ(passwords().reset_with_token(kApp, token.id, token.token_hash, "x", true, at(50)).value(),
            TokenOutcome::done);
  EXPECT_FALSE(passwords().find_by_token(kApp, token.id, kReset).value());
}

TEST_P(PasswordStoreConformance, ANewTokenVoidsTheEarlierOfItsPurpose) {
  const PasswordAccount mine = account(1, "a");
  ASSERT_TRUE(passwords().register_account(mine).has_value());
  for (int i = 1; i <= 2; ++i) ASSERT_TRUE(passwords().add_token(email_token(i, mine, kConfirm)).has_value());
  ASSERT_TRUE(passwords().add_token(email_token(3, mine, kReset)).has_value());
  EXPECT_EQ(passwords().confirm_with_token(kApp, id('7', 1), "token-hash-1", at(1)).value(),
            TokenOutcome::invalid);
  EXPECT_EQ(passwords().confirm_with_token(kApp, id('7', 2), "token-hash-2", at(1)).value(),
            TokenOutcome::done);
  EXPECT_EQ(passwords().reset_with_token(kApp, id('7', 3), "token-hash-3", "x", true, at(1)).value(),
            TokenOutcome::done);
}

TEST_P(PasswordStoreConformance, AResetTokenSetsThePasswordAndEndsAllSessions) {
  const PasswordAccount mine = account(1, "a");
  ASSERT_TRUE(passwords().register_account(mine).has_value());
  const User owner = user(1, "local-userpass");
  ASSERT_TRUE(users().create(owner).has_value());
  const Session live = open_session(1, owner);
  ASSERT_TRUE(passwords().add_token(email_token(1, mine, kReset)).has_value());
  EXPECT_EQ(passwords().reset_with_token(kApp, id('7', 1), "token-hash-1", "fresh", true, at(200)).value(),
            TokenOutcome::done);
  EXPECT_EQ(passwords().find(kApp, "a").value()->password_hash, "fresh");
  EXPECT_EQ(state(live).reason, EndReason::password_changed);
  EXPECT_EQ(stored(owner).generation, 1);

  ASSERT_TRUE(passwords().set_pending_password(kApp, mine.id, "by function").value());
  EXPECT_FALSE(passwords().set_pending_password(kApp, id('c', 9), "x").value());
  ASSERT_TRUE(passwords().add_token(email_token(2, mine, kReset)).has_value());
  EXPECT_EQ(passwords().reset_with_token(kApp, id('7', 2), "token-hash-2", "ignored", false, at(300)).value(),
            TokenOutcome::done);
  EXPECT_EQ(passwords().find(kApp, "a").value()->password_hash, "by function");
  EXPECT_EQ(passwords().find(kApp, "a").value()->pending_password_hash, "");
  EXPECT_EQ(stored(owner).generation, 1);
}

}  // namespace keyturn::server::conformance
