// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/session_cache.hpp"

#include "server/storage/conformance/store_fixture.hpp"

namespace keyturn::server::sqlite {
namespace {

using conformance::at;
using conformance::id;

SessionState state_of(int user) {
  return {conformance::kApp, id('b', user), id('e', user), "anon-user",
          at(1'000),         at(10),        false,         EndReason::none};
}

TEST(SessionCache, AnswersWhatWasPut) {
  SessionCache cache(160);
  SessionState written = state_of(1);
  written.ended = true;
  written.reason = EndReason::idle;
  EXPECT_FALSE(cache.find(id('d', 1)).has_value());
  cache.put(id('d', 1), written, cache.ticket());
  const SessionState read = cache.find(id('d', 1)).value();
  EXPECT_EQ(read.app_id, written.app_id);
  EXPECT_EQ(read.user_id, written.user_id);
  EXPECT_EQ(read.device_id, written.device_id);
  EXPECT_EQ(read.provider_type, written.provider_type);
  EXPECT_EQ(read.refresh_expires, written.refresh_expires);
  EXPECT_EQ(read.last_used, written.last_used);
  EXPECT_TRUE(read.ended);
  EXPECT_EQ(read.reason, EndReason::idle);
  EXPECT_FALSE(cache.find(id('d', 2)).has_value());
}

TEST(SessionCache, LeavesOtherFormsOfIdsToTheFile) {
  SessionCache cache(160);
  for (const std::string& odd : {std::string(), std::string(23, 'a'), std::string(25, 'a'),
                                 std::string(24, 'A'), std::string(24, 'g'), std::string(24, '\0')}) {
    cache.put(odd, state_of(1), cache.ticket());
    EXPECT_FALSE(cache.find(odd).has_value());
    SessionState odd_user = state_of(1);
    odd_user.user_id = odd;
    cache.put(id('d', 1), odd_user, cache.ticket());
    EXPECT_FALSE(cache.find(id('d', 1)).has_value());
  }
  EXPECT_EQ(cache.size(), 0U);
}

TEST(SessionCache, DropsAReadThatAChangeOvertook) {
  SessionCache cache(160);
  const std::uint64_t before = cache.ticket();
  cache.begin_change({id('d', 1)});
  const std::uint64_t during = cache.ticket();
  cache.put(id('d', 1), state_of(1), before);
  EXPECT_EQ(cache.size(), 0U) << "read before the change began";
  cache.put(id('d', 1), state_of(1), during);
  EXPECT_EQ(cache.size(), 0U) << "read while it is being committed";
  cache.end_change();
  cache.put(id('d', 1), state_of(1), before);
  cache.put(id('d', 1), state_of(1), during);
  EXPECT_EQ(cache.size(), 0U) << "put after it";
  cache.put(id('d', 1), state_of(1), cache.ticket());
  EXPECT_EQ(cache.size(), 1U);
}

TEST(SessionCache, AChangeTakesOutWhatItNames) {
  SessionCache cache(1'600);
  for (int i = 0; i < 10; ++i) cache.add(id('d', i), state_of(i));
  cache.begin_change({id('d', 3), "odd"});
  EXPECT_FALSE(cache.find(id('d', 3)).has_value());
  EXPECT_TRUE(cache.find(id('d', 4)).has_value());
  cache.end_change();
  EXPECT_EQ(cache.size(), 9U);
  cache.begin_change_of_all();
  cache.end_change();
  EXPECT_EQ(cache.size(), 0U);
}

TEST(SessionCache, TouchMovesForwardOnly) {
  SessionCache cache(160);
  cache.add(id('d', 1), state_of(1));
  cache.touch(id('d', 1), at(20));
  EXPECT_EQ(cache.find(id('d', 1))->last_used, at(20));
  cache.touch(id('d', 1), at(15));
  EXPECT_EQ(cache.find(id('d', 1))->last_used, at(20));
  cache.touch(id('d', 2), at(15));
  EXPECT_EQ(cache.size(), 1U);
}

TEST(SessionCache, StaysWithinItsBoundAndKeepsWhatIsUsed) {
  SessionCache cache(1'600);
  const std::string favourite = id('d', 999'999);
  cache.add(favourite, state_of(1));
  int kept = 0;
  for (int i = 0; i < 20'000; ++i) {
    cache.add(id('d', i), state_of(i));
    ASSERT_LE(cache.size(), 1'600U);
    kept += cache.find(favourite).has_value() ? 1 : 0;
  }
  EXPECT_EQ(kept, 20'000) << "an entry in constant use is not a victim";
  EXPECT_GT(cache.size(), 1'500U) << "ids that count up are spread over the shards";
}

}  // namespace
}  // namespace keyturn::server::sqlite
