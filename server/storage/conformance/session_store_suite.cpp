// SPDX-License-Identifier: Apache-2.0
#include "server/storage/conformance/store_fixture.hpp"

namespace keyturn::server::conformance {

TEST_P(SessionStoreConformance, FindsNothingThatWasNeverOpened) {
  EXPECT_FALSE(sessions().find(id('d', 1)).value().has_value());
  EXPECT_FALSE(sessions().find("").value().has_value());
  EXPECT_FALSE(sessions().find("' OR '1'='1").value().has_value());
}

TEST_P(SessionStoreConformance, KeepsWhatWasOpened) {
  const User owner = add_user(1);
  const Session opened = open_session(1, owner);
  const SessionState found = state(opened);
  EXPECT_EQ(found.app_id, kApp);
  EXPECT_EQ(found.user_id, owner.id);
  EXPECT_EQ(found.device_id, opened.device_id);
  EXPECT_EQ(found.provider_type, "custom-token");
  EXPECT_EQ(found.refresh_expires, opened.refresh_expires);
  EXPECT_EQ(found.last_used, opened.last_used);
  EXPECT_FALSE(found.ended);
  EXPECT_EQ(found.reason, EndReason::none);
  const std::vector<Session> all = sessions().list(kApp, owner.id).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id, opened.id);
  EXPECT_EQ(all[0].device, opened.device);
  EXPECT_EQ(all[0].identity_id, opened.identity_id);
  EXPECT_EQ(all[0].provider_id, opened.provider_id);
  EXPECT_EQ(all[0].created, opened.created);
}

TEST_P(SessionStoreConformance, KeepsIdsOfAnyForm) {
  const User owner = add_user(1);
  Session odd = session(1, owner);
  odd.id = "session 'one'; --";
  odd.device_id = "My Phone";
  ASSERT_EQ(sessions().open(odd, 0).value(), OpenOutcome::opened);
  EXPECT_EQ(state(odd).device_id, "My Phone");
  EXPECT_EQ(sessions().end(kApp, owner.id, odd.id, EndReason::revoked, at(200)).value(), EndOutcome::ended);
  EXPECT_TRUE(state(odd).ended);
}

TEST_P(SessionStoreConformance, OpeningStampsTheUserAndTheDevice) {
  const User owner = add_user(1);
  open_session(1, owner, 100);
  EXPECT_EQ(stored(owner).last_authentication, at(100));
  open_session(2, owner, 200);
  Session again = session(3, owner, 300);
  again.device_id = id('e', 1);
  again.device.set("platform", "android");
  ASSERT_EQ(sessions().open(again, 0).value(), OpenOutcome::opened);
  Session without_device = session(4, owner, 400);
  without_device.device_id = std::string(24, '0');
  ASSERT_EQ(sessions().open(without_device, 0).value(), OpenOutcome::opened);
  const std::vector<Device> devices = sessions().devices(kApp, owner.id).value();
  ASSERT_EQ(devices.size(), 2U) << "zeros stand for no device";
  EXPECT_EQ(devices[0].id, id('e', 1)) << "newest first";
  EXPECT_EQ(*devices[0].data.find("platform")->as_string(), "android");
  EXPECT_EQ(devices[1].id, id('e', 2));
  EXPECT_TRUE(sessions().devices(kOtherApp, owner.id).value().empty());
}

TEST_P(SessionStoreConformance, DoesNotOpenForAUserWhoChanged) {
  const User owner = add_user(1);
  User nobody = user(2);
  EXPECT_EQ(sessions().open(session(1, nobody), 0).value(), OpenOutcome::user_deleted);
  User elsewhere = owner;
  elsewhere.app_id = kOtherApp;
  EXPECT_EQ(sessions().open(session(1, elsewhere), 0).value(), OpenOutcome::user_deleted);
  EXPECT_EQ(sessions().open(session(1, owner), 1).value(), OpenOutcome::user_changed);
  ASSERT_TRUE(sessions().end_all(kApp, owner.id, {}, EndReason::revoked, at(100)).has_value());
  EXPECT_EQ(sessions().open(session(1, owner), 0).value(), OpenOutcome::user_changed);
  ASSERT_TRUE(users().set_disabled(kApp, owner.id, true, at(100)).value());
  EXPECT_EQ(sessions().open(session(1, owner), stored(owner).generation).value(), OpenOutcome::user_disabled);
  ASSERT_TRUE(users().set_disabled(kApp, owner.id, false, at(100)).value());
  EXPECT_EQ(sessions().open(session(1, owner), stored(owner).generation - 1).value(),
            OpenOutcome::user_changed);
  EXPECT_FALSE(sessions().find(id('d', 1)).value().has_value()) << "nothing of a refused session is stored";
  EXPECT_EQ(stored(owner).last_authentication, at(1));
  EXPECT_TRUE(sessions().devices(kApp, owner.id).value().empty());
  EXPECT_EQ(sessions().open(session(1, owner), stored(owner).generation).value(), OpenOutcome::opened);
}

TEST_P(SessionStoreConformance, RefusesAnIdThatIsTaken) {
  const User owner = add_user(1);
  const User other = add_user(2);
  const Session first = open_session(1, owner);
  const auto second = sessions().open(session(1, other), 0);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(state(first).user_id, owner.id) << "never adopted by another user";
}

TEST_P(SessionStoreConformance, EndsOnceAndKeepsTheReason) {
  const User owner = add_user(1);
  const Session opened = open_session(1, owner);
  EXPECT_EQ(sessions().end(kApp, {}, opened.id, EndReason::logged_out, at(200)).value(), EndOutcome::ended);
  EXPECT_TRUE(state(opened).ended);
  EXPECT_EQ(state(opened).reason, EndReason::logged_out);
  EXPECT_EQ(sessions().end(kApp, {}, opened.id, EndReason::revoked, at(300)).value(),
            EndOutcome::already_ended);
  EXPECT_EQ(state(opened).reason, EndReason::logged_out);
  EXPECT_TRUE(sessions().list(kApp, owner.id).value().empty());
}

TEST_P(SessionStoreConformance, EndsOnlyWhatBelongsToTheAppAndUser) {
  const User owner = add_user(1);
  const Session opened = open_session(1, owner);
  EXPECT_EQ(sessions().end(kOtherApp, {}, opened.id, EndReason::revoked, at(200)).value(),
            EndOutcome::unknown);
  EXPECT_EQ(sessions().end(kApp, id('b', 2), opened.id, EndReason::revoked, at(200)).value(),
            EndOutcome::unknown);
  EXPECT_EQ(sessions().end(kApp, owner.id, id('d', 9), EndReason::revoked, at(200)).value(),
            EndOutcome::unknown);
  EXPECT_FALSE(state(opened).ended);
  EXPECT_EQ(sessions().end(kApp, owner.id, opened.id, EndReason::revoked, at(200)).value(),
            EndOutcome::ended);
  EXPECT_EQ(sessions().end(kApp, id('b', 2), opened.id, EndReason::revoked, at(200)).value(),
            EndOutcome::unknown)
      << "no oracle for the sessions of others";
}

TEST_P(SessionStoreConformance, EndsAllButOne) {
  const User owner = add_user(1);
  const User other = add_user(2);
  const Session kept = open_session(1, owner);
  const Session a = open_session(2, owner);
  const Session b = open_session(3, owner);
  const Session foreign = open_session(4, other);
  ASSERT_EQ(sessions().end(kApp, {}, b.id, EndReason::logged_out, at(200)).value(), EndOutcome::ended);
  EXPECT_EQ(sessions().end_all(kApp, owner.id, kept.id, EndReason::revoked, at(300)).value(), 1);
  EXPECT_FALSE(state(kept).ended);
  EXPECT_EQ(state(a).reason, EndReason::revoked);
  EXPECT_EQ(state(b).reason, EndReason::logged_out) << "the first reason stays";
  EXPECT_FALSE(state(foreign).ended);
  EXPECT_EQ(stored(owner).generation, 1);
  EXPECT_EQ(stored(other).generation, 0);
  EXPECT_EQ(sessions().end_all(kOtherApp, owner.id, {}, EndReason::revoked, at(300)).value(), 0);
  EXPECT_EQ(sessions().end_all(kApp, owner.id, {}, EndReason::revoked, at(300)).value(), 1);
  EXPECT_TRUE(state(kept).ended);
}

TEST_P(SessionStoreConformance, ListsNewestFirstAndAtMostAThousand) {
  const User owner = add_user(1);
  for (int i = 1; i <= 1'001; ++i) open_session(i, owner, i);
  const std::vector<Session> all = sessions().list(kApp, owner.id).value();
  ASSERT_EQ(all.size(), 1'000U);
  EXPECT_EQ(all.front().id, id('d', 1'001));
  EXPECT_EQ(all.back().id, id('d', 2));
  EXPECT_EQ(sessions().devices(kApp, owner.id).value().size(), 1'000U);
}

TEST_P(SessionStoreConformance, TouchMovesForwardOnly) {
  const User owner = add_user(1);
  const Session opened = open_session(1, owner, 100);
  ASSERT_TRUE(sessions().touch({{opened.id, at(500)}, {id('d', 9), at(500)}}).has_value());
  EXPECT_EQ(state(opened).last_used, at(500));
  ASSERT_TRUE(sessions().touch({{opened.id, at(400)}}).has_value());
  EXPECT_EQ(state(opened).last_used, at(500));
  EXPECT_EQ(sessions().list(kApp, owner.id).value().at(0).last_used, at(500));
  EXPECT_TRUE(sessions().touch({}).has_value());
}

TEST_P(SessionStoreConformance, PurgesWhatIsOverInSteps) {
  const User owner = add_user(1);
  const Session expired = open_session(1, owner, 0);  // Its refresh token ends at second 1,000,000.
  const Session live = open_session(2, owner, 1'000);
  const Session ended = open_session(3, owner, 1'000);
  ASSERT_EQ(sessions().end(kApp, {}, ended.id, EndReason::revoked, at(2'000)).value(), EndOutcome::ended);
  EXPECT_EQ(sessions().purge(at(2'000), 10).value(), 0) << "not before the moment itself has passed";
  EXPECT_EQ(sessions().purge(at(2'001), 10).value(), 1);
  EXPECT_FALSE(sessions().find(ended.id).value().has_value());
  EXPECT_EQ(sessions().purge(at(1'000'000), 10).value(), 0);
  EXPECT_EQ(sessions().purge(at(1'000'001), 10).value(), 1);
  EXPECT_FALSE(sessions().find(expired.id).value().has_value());
  EXPECT_FALSE(state(live).ended);
  for (int i = 10; i < 15; ++i) open_session(i, owner, 0);
  EXPECT_EQ(sessions().purge(at(1'000'001), 3).value(), 3);
  EXPECT_EQ(sessions().purge(at(1'000'001), 3).value(), 2);
  EXPECT_EQ(sessions().purge(at(1'000'001), 3).value(), 0);
}

}  // namespace keyturn::server::conformance
