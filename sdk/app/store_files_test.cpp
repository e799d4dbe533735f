// SPDX-License-Identifier: Apache-2.0
// What becomes of an app whose files on the device change under it.
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include <keyturn/app.hpp>
#include <keyturn/testing.hpp>

#include "sdk/app/testing/app_on_disk.hpp"

namespace keyturn {
namespace {

namespace fs = std::filesystem;

using StoreFilesTest = testing::AppOnDiskTest;

TEST_F(StoreFilesTest, DeletedUnderARunningAppEndNoSession) {
  std::mutex mutex;
  int removed = 0;
  App app(config());
  User user = log_in_to(app).get();
  const Subscription subscription = app.subscribe([&](const UserEvent& event) {
    const std::scoped_lock lock(mutex);
    if (event.kind == UserEvent::Kind::removed || event.kind == UserEvent::Kind::logged_out) ++removed;
  });
  for (const auto& entry : fs::directory_iterator(directory)) fs::remove_all(entry.path());
  ASSERT_TRUE(user.refresh_access_token().result());
  EXPECT_TRUE(user.is_logged_in());
  App other(config());
  ASSERT_TRUE(other.get_current_user()) << "the session is in the new files";
  EXPECT_EQ(other.get_current_user()->access_token(), user.access_token());
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(removed, 0);
}

}  // namespace
}  // namespace keyturn
