// SPDX-License-Identifier: Apache-2.0
#include "server/identity/anonymous/anonymous_provider.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn::server::identity {
namespace {

TEST(AnonymousProvider, MakesAnIdentityOfItsFormThatIsNewEachTime) {
  AnonymousProvider provider;
  const auto first = provider.verify({}, {}, {}, WallTime());
  const auto second = provider.verify({}, {}, {}, WallTime());
  ASSERT_TRUE(first && second);
  EXPECT_THAT(first->identity_id, testing::ContainsRegex("^[0-9a-f]{24}-[a-z]{24}$"));
  EXPECT_EQ(first->identity_id.size(), 49U);
  EXPECT_NE(first->identity_id, second->identity_id);
  EXPECT_TRUE(first->data.empty());
  EXPECT_TRUE(first->may_create_user);
}

}  // namespace
}  // namespace keyturn::server::identity
