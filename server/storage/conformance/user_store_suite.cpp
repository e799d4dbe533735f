// SPDX-License-Identifier: Apache-2.0
#include "server/storage/conformance/store_fixture.hpp"

namespace keyturn::server::conformance {

TEST_P(UserStoreConformance, KeepsAUserWithIdentitiesInOrder) {
  User written = user(1);
  written.type = UserType::server;
  written.generation = 7;
  written.identities.push_back(identity("anon-user", id('c', 50)));
  written.identities.push_back(identity("local-userpass", id('c', 2)));
  ASSERT_EQ(users().create(written).value(), CreateUserOutcome::created);
  const User read = stored(written);
  EXPECT_EQ(read.type, UserType::server);
  EXPECT_FALSE(read.disabled);
  EXPECT_EQ(read.generation, 7);
  EXPECT_EQ(read.created, at(1));
  EXPECT_EQ(read.last_authentication, at(1));
  ASSERT_EQ(read.identities.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.identities[i].id, written.identities[i].id);
    EXPECT_EQ(read.identities[i].provider_type, written.identities[i].provider_type);
    EXPECT_EQ(read.identities[i].provider_id, written.identities[i].provider_id);
    EXPECT_EQ(read.identities[i].data, written.identities[i].data);
  }
  EXPECT_EQ(users().find_by_identity(kApp, "anon-user", id('c', 50)).value()->id, written.id);
  EXPECT_FALSE(users().find_by_identity(kApp, "custom-token", id('c', 50)).value().has_value());
  EXPECT_FALSE(users().find_by_identity(kOtherApp, "anon-user", id('c', 50)).value().has_value());
  EXPECT_FALSE(users().find(kOtherApp, written.id).value().has_value());
}

TEST_P(UserStoreConformance, CreatesNothingWhenAnIdentityIsTaken) {
  add_user(1);
  User second = user(2);
  second.identities.push_back(identity("custom-token", id('c', 1)));
  EXPECT_EQ(users().create(second).value(), CreateUserOutcome::identity_taken);
  EXPECT_FALSE(users().find(kApp, second.id).value().has_value());
  EXPECT_FALSE(users().find_by_identity(kApp, "custom-token", id('c', 2)).value().has_value());
  second.app_id = kOtherApp;
  EXPECT_EQ(users().create(second).value(), CreateUserOutcome::created) << "identities belong to an app";
}

TEST_P(UserStoreConformance, RefusesAUserIdThatIsTaken) {
  add_user(1);
  User second = user(1);
  second.identities = {identity("custom-token", id('c', 9))};
  EXPECT_FALSE(users().create(second).has_value());
  EXPECT_FALSE(users().find_by_identity(kApp, "custom-token", id('c', 9)).value().has_value());
}

TEST_P(UserStoreConformance, ListsInPages) {
  for (int i = 1; i <= 5; ++i) add_user(i);
  const auto ids = [&](const PageRequest& page) {
    std::vector<std::string> out;
    const std::vector<User> found = users().list(kApp, page).value();
    out.reserve(found.size());
    for (const User& each : found) out.push_back(each.id);
    return out;
  };
  const auto b = [](int number) { return id('b', number); };
  EXPECT_EQ(ids({"", false, 2}), (std::vector{b(1), b(2)}));
  EXPECT_EQ(ids({b(2), false, 2}), (std::vector{b(3), b(4)}));
  EXPECT_EQ(ids({b(4), false, 2}), (std::vector{b(5)}));
  EXPECT_EQ(ids({"", true, 2}), (std::vector{b(5), b(4)}));
  EXPECT_EQ(ids({b(2), true, 2}), (std::vector{b(1)}));
  EXPECT_EQ(ids({"", false, 0}).size(), 0U);
  EXPECT_TRUE(users().list(kOtherApp, {}).value().empty());
  EXPECT_EQ(users().list(kApp, {}).value().at(0).identities.size(), 1U);
}

TEST_P(UserStoreConformance, LinksOnceAndToOneUserOnly) {
  const User a = add_user(1);
  const User b = add_user(2);
  const Identity more = identity("anon-user", id('c', 9));
  EXPECT_EQ(users().link(kApp, id('b', 9), more).value(), LinkOutcome::no_user);
  EXPECT_EQ(users().link(kApp, a.id, more).value(), LinkOutcome::linked);
  EXPECT_EQ(users().link(kApp, a.id, more).value(), LinkOutcome::already_linked);
  EXPECT_EQ(users().link(kApp, b.id, more).value(), LinkOutcome::owned_by_other);
  EXPECT_EQ(stored(a).identities.size(), 2U);
  EXPECT_EQ(stored(a).identities.back().id, more.id);
  EXPECT_EQ(stored(b).identities.size(), 1U);
}

TEST_P(UserStoreConformance, LinksOnePasswordIdentityPerUserAndBindsTheAccount) {
  const User a = add_user(1);
  ASSERT_EQ(passwords().register_account(account(11, "a@example.com")).value(), RegisterOutcome::registered);
  ASSERT_EQ(passwords().register_account(account(12, "b@example.com")).value(), RegisterOutcome::registered);
  EXPECT_EQ(users().link(kApp, a.id, identity("local-userpass", id('c', 11))).value(), LinkOutcome::linked);
  EXPECT_EQ(passwords().find_by_id(kApp, id('c', 11)).value()->user_id, a.id);
  EXPECT_EQ(users().link(kApp, a.id, identity("local-userpass", id('c', 12))).value(),
            LinkOutcome::type_already_linked);
  EXPECT_EQ(passwords().find_by_id(kApp, id('c', 12)).value()->user_id, "");
  EXPECT_EQ(users().link(kApp, a.id, identity("local-userpass", id('c', 11))).value(),
            LinkOutcome::already_linked);
  User fresh = user(12, "local-userpass");
  ASSERT_EQ(users().create(fresh).value(), CreateUserOutcome::created);
  EXPECT_EQ(passwords().find_by_id(kApp, id('c', 12)).value()->user_id, fresh.id)
      << "a first log-in binds too";
}

TEST_P(UserStoreConformance, RenewsIdentityData) {
  const User a = add_user(1);
  json::Object data;
  data.set("name", "Ada \"quoted\" \xc3\xa9");
  ASSERT_TRUE(users().update_identity_data(kApp, "custom-token", id('c', 1), data).has_value());
  EXPECT_EQ(stored(a).identities.at(0).data, data);
  EXPECT_TRUE(users().update_identity_data(kApp, "custom-token", id('c', 99), data).has_value());
}

TEST_P(UserStoreConformance, DisablingEndsAllSessionsForGood) {
  const User a = add_user(1);
  const User b = add_user(2);
  const Session of_a = open_session(1, a);
  const Session of_b = open_session(2, b);
  EXPECT_FALSE(users().set_disabled(kApp, id('b', 9), true, at(200)).value());
  EXPECT_FALSE(users().set_disabled(kOtherApp, a.id, true, at(200)).value());
  EXPECT_FALSE(state(of_a).ended);
  EXPECT_TRUE(users().set_disabled(kApp, a.id, true, at(200)).value());
  EXPECT_TRUE(stored(a).disabled);
  EXPECT_EQ(stored(a).generation, 1);
  EXPECT_EQ(state(of_a).reason, EndReason::user_disabled);
  EXPECT_FALSE(state(of_b).ended);
  EXPECT_TRUE(users().set_disabled(kApp, a.id, false, at(300)).value());
  EXPECT_FALSE(stored(a).disabled);
  EXPECT_EQ(stored(a).generation, 2);
  EXPECT_EQ(state(of_a).reason, EndReason::user_disabled) << "old sessions stay dead";
}

TEST_P(UserStoreConformance, RemovingTakesAllThatBelongsAndLeavesTombstones) {
  const User a = add_user(1);
  const User b = add_user(2);
  const PasswordAccount password = account(11, "a@example.com");
  ASSERT_EQ(passwords().register_account(password).value(), RegisterOutcome::registered);
  ASSERT_EQ(users().link(kApp, a.id, identity("local-userpass", password.id)).value(), LinkOutcome::linked);
  const EmailToken token = email_token(1, password, EmailTokenPurpose::reset);
  ASSERT_TRUE(passwords().add_token(token).has_value());
  ASSERT_EQ(api_keys().create(api_key(1, a.id, "mine")).value(), CreateKeyOutcome::created);
  ASSERT_EQ(api_keys().create(api_key(2, b.id, "other")).value(), CreateKeyOutcome::created);
  ASSERT_EQ(api_keys().create(api_key(3, "", "server")).value(), CreateKeyOutcome::created);
  const Session live = open_session(1, a);
  const Session other = open_session(2, b);

  EXPECT_FALSE(users().remove(kOtherApp, a.id, at(200)).value());
  EXPECT_TRUE(users().remove(kApp, a.id, at(200)).value());
  EXPECT_FALSE(users().remove(kApp, a.id, at(200)).value());
  EXPECT_FALSE(users().find(kApp, a.id).value().has_value());
  EXPECT_FALSE(users().find_by_identity(kApp, "custom-token", id('c', 1)).value().has_value());
  EXPECT_FALSE(passwords().find(kApp, "a@example.com").value().has_value());
  EXPECT_EQ(passwords().reset_with_token(kApp, token.id, token.token_hash, "new", true, at(300)).value(),
            TokenOutcome::invalid);
  EXPECT_FALSE(api_keys().find_by_hash(kApp, "key-hash-1").value().has_value());
  EXPECT_TRUE(api_keys().find_by_hash(kApp, "key-hash-2").value().has_value());
  EXPECT_TRUE(api_keys().find_by_hash(kApp, "key-hash-3").value().has_value());
  EXPECT_TRUE(sessions().devices(kApp, a.id).value().empty());
  EXPECT_EQ(state(live).reason, EndReason::user_deleted);
  EXPECT_FALSE(state(other).ended);
  add_user(1);  // The identity is free again.
  EXPECT_TRUE(state(live).ended);
}

TEST_P(UserStoreConformance, FindsIdleAnonymousUsersOnly) {
  const auto idle = [&](int second) { return users().idle_anonymous(kApp, at(second), 10).value(); };
  const User anonymous = user(10, "anon-user");
  User linked = user(11, "anon-user");
  ASSERT_EQ(users().create(anonymous).value(), CreateUserOutcome::created);
  ASSERT_EQ(users().create(linked).value(), CreateUserOutcome::created);
  ASSERT_EQ(users().link(kApp, linked.id, identity("custom-token", id('c', 90))).value(),
            LinkOutcome::linked);
  add_user(12);
  EXPECT_TRUE(idle(10).empty());
  EXPECT_EQ(idle(11), std::vector{anonymous.id});
  const Session used = open_session(1, anonymous, 100);
  EXPECT_TRUE(idle(100).empty());
  EXPECT_EQ(idle(101), std::vector{anonymous.id});
  ASSERT_TRUE(sessions().touch({{used.id, at(500)}}).has_value());
  EXPECT_TRUE(idle(500).empty());
  EXPECT_EQ(idle(501), std::vector{anonymous.id});
  ASSERT_EQ(sessions().end(kApp, {}, used.id, EndReason::logged_out, at(600)).value(), EndOutcome::ended);
  ASSERT_EQ(sessions().purge(at(1'000), 10).value(), 1);
  EXPECT_TRUE(idle(500).empty()) << "activity outlives the session's row";
  EXPECT_EQ(idle(501), std::vector{anonymous.id});
  EXPECT_TRUE(users().idle_anonymous(kApp, at(501), 0).value().empty());
}

}  // namespace keyturn::server::conformance
