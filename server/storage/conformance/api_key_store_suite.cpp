// SPDX-License-Identifier: Apache-2.0
#include "server/storage/conformance/store_fixture.hpp"

namespace keyturn::server::conformance {

TEST_P(ApiKeyStoreConformance, KeepsKeysOfUsersAndOfTheApp) {
  const User owner = add_user(1);
  const ApiKey mine = api_key(1, owner.id, "mine");
  EXPECT_EQ(api_keys().create(mine).value(), CreateKeyOutcome::created);
  EXPECT_EQ(api_keys().create(api_key(2, owner.id, "mine")).value(), CreateKeyOutcome::name_in_use);
  EXPECT_EQ(api_keys().create(api_key(2, "", "mine")).value(), CreateKeyOutcome::created) << "another owner";
  EXPECT_EQ(api_keys().create(api_key(3, "", "mine")).value(), CreateKeyOutcome::name_in_use);
  EXPECT_EQ(api_keys().create(api_key(4, id('b', 9), "x")).value(), CreateKeyOutcome::no_user);
  EXPECT_EQ(api_keys().list(kApp, owner.id).value().size(), 1U);
  EXPECT_EQ(api_keys().list(kApp, "").value().size(), 1U);
  EXPECT_TRUE(api_keys().list(kOtherApp, owner.id).value().empty());
  const ApiKey found = api_keys().find(kApp, owner.id, mine.id).value().value();
  EXPECT_EQ(found.name, "mine");
  EXPECT_EQ(found.key_hash, "key-hash-1");
  EXPECT_EQ(found.user_id, owner.id);
  EXPECT_FALSE(found.disabled);
  EXPECT_FALSE(api_keys().find(kApp, "", mine.id).value().has_value());
  EXPECT_FALSE(api_keys().find(kApp, id('b', 9), mine.id).value().has_value());
  EXPECT_EQ(api_keys().find_by_hash(kApp, "key-hash-1").value()->id, mine.id);
  EXPECT_FALSE(api_keys().find_by_hash(kOtherApp, "key-hash-1").value().has_value());
  EXPECT_FALSE(api_keys().find_by_hash(kApp, "").value().has_value());
}

TEST_P(ApiKeyStoreConformance, LimitsTheNumberPerOwner) {
  const User owner = add_user(1);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(api_keys().create(api_key(100 + i, owner.id, "k" + std::to_string(i))).value(),
              CreateKeyOutcome::created);
  }
  EXPECT_EQ(api_keys().create(api_key(120, owner.id, "one more")).value(), CreateKeyOutcome::too_many);
  ASSERT_TRUE(api_keys().remove(kApp, owner.id, id('8', 100), at(1)).value());
  EXPECT_EQ(api_keys().create(api_key(120, owner.id, "one more")).value(), CreateKeyOutcome::created);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(api_keys().create(api_key(200 + i, "", "k" + std::to_string(i))).value(),
              CreateKeyOutcome::created);
  }
  EXPECT_EQ(api_keys().create(api_key(300, "", "one more")).value(), CreateKeyOutcome::too_many);
}

TEST_P(ApiKeyStoreConformance, DisablingOrRemovingEndsTheSessionsOfTheKey) {
  const User owner = add_user(1);
  ASSERT_TRUE(api_keys().create(api_key(1, owner.id, "one")).has_value());
  ASSERT_TRUE(api_keys().create(api_key(2, owner.id, "two")).has_value());
  const auto open_with_key = [&](int number, int key) {
    Session out = session(number, owner);
    out.provider_type = "api-key";
    out.identity_id = id('8', key);
    EXPECT_EQ(sessions().open(out, 0).value(), OpenOutcome::opened);
    return out;
  };
  const Session by_one = open_with_key(1, 1);
  const Session by_two = open_with_key(2, 2);
  Session otherwise = session(3, owner);
  otherwise.identity_id = id('8', 1);  // The same id under another provider.
  ASSERT_EQ(sessions().open(otherwise, 0).value(), OpenOutcome::opened);

  EXPECT_FALSE(api_keys().set_disabled(kApp, "", id('8', 1), true, at(200)).value());
  EXPECT_TRUE(api_keys().set_disabled(kApp, owner.id, id('8', 1), true, at(200)).value());
  EXPECT_TRUE(api_keys().find(kApp, owner.id, id('8', 1)).value()->disabled);
  EXPECT_EQ(state(by_one).reason, EndReason::revoked);
  EXPECT_FALSE(state(by_two).ended);
  EXPECT_FALSE(state(otherwise).ended);
  EXPECT_TRUE(api_keys().set_disabled(kApp, owner.id, id('8', 1), false, at(200)).value());
  EXPECT_FALSE(api_keys().find(kApp, owner.id, id('8', 1)).value()->disabled);
  EXPECT_TRUE(state(by_one).ended);
  EXPECT_FALSE(api_keys().remove(kApp, id('b', 9), id('8', 2), at(300)).value());
  EXPECT_TRUE(api_keys().remove(kApp, owner.id, id('8', 2), at(300)).value());
  EXPECT_EQ(state(by_two).reason, EndReason::revoked);
  EXPECT_FALSE(api_keys().remove(kApp, owner.id, id('8', 2), at(300)).value());
  EXPECT_FALSE(api_keys().find_by_hash(kApp, "key-hash-2").value().has_value());
}

}  // namespace keyturn::server::conformance
