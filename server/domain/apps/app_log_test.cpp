// SPDX-License-Identifier: Apache-2.0
#include "server/domain/apps/app_log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace keyturn::server {
namespace {

using std::chrono::seconds;

AppLogEntry entry_of(std::string app, int number) {
  AppLogEntry entry;
  entry.app_id = std::move(app);
  entry.request_id = std::to_string(number);
  entry.type = number % 2 == 0 ? "AUTH" : "FUNCTION";
  entry.user_id = number % 3 == 0 ? "ada" : "bob";
  entry.error = number % 5 == 0 ? "no" : "";
  entry.started = WallTime(seconds(number));
  return entry;
}

class AppLogTest : public ::testing::Test {
 protected:
  void fill(int count) {
    for (int i = 0; i < count; ++i) log_.add(entry_of("a", i));
  }
  AppLog::Question question() {
    AppLog::Question out;
    out.app_id = "a";
    return out;
  }
  std::size_t count(const AppLog::Question& question) { return log_.find(question).entries.size(); }
  AppLog log_;
};

TEST_F(AppLogTest, KeepsTheLatestThousandOfAnApp) {
  fill(1'001);
  auto asked = question();
  asked.request_id = "0";
  EXPECT_EQ(count(asked), 0U);
  asked.request_id = "1";
  EXPECT_EQ(count(asked), 1U);
  asked = question();
  asked.limit = 1;
  EXPECT_EQ(log_.find(asked).entries.front().request_id, "1000");
  asked.skip = 999;
  EXPECT_EQ(log_.find(asked).entries.front().request_id, "1");
  EXPECT_FALSE(log_.find(asked).has_more);
  asked.app_id = "b";
  EXPECT_EQ(count(asked), 0U);
}

TEST_F(AppLogTest, LosesNothingOfAnotherApp) {
  log_.add(entry_of("b", 1));
  fill(1'001);
  auto asked = question();
  asked.app_id = "b";
  EXPECT_EQ(count(asked), 1U);
}

TEST_F(AppLogTest, KeepsNoMoreThanTwoMebibytesOfAnApp) {
  for (int i = 0; i < 10; ++i) {
    AppLogEntry entry = entry_of("a", i);
    entry.messages.assign(1'024, std::string(512, 'x'));  // half a mebibyte and more
    log_.add(std::move(entry));
  }
  EXPECT_EQ(count(question()), 3U);
}

TEST_F(AppLogTest, CutsLongTexts) {
  AppLogEntry entry = entry_of("a", 0);
  entry.path.assign(513, 'p');
  entry.error.assign(512, 'e');
  log_.add(std::move(entry));
  const AppLogEntry kept = log_.find(question()).entries.front();
  EXPECT_EQ(kept.path.size(), 512U);
  EXPECT_EQ(kept.error.size(), 512U);
}

TEST_F(AppLogTest, FiltersByEverythingTogether) {
  fill(60);
  auto asked = question();
  asked.user_id = "ada";
  EXPECT_EQ(count(asked), 20U);
  asked.types = {"AUTH", "PUSH"};
  EXPECT_EQ(count(asked), 10U);
  asked.errors_only = true;
  EXPECT_EQ(count(asked), 2U);  // 0 and 30
  asked.start = WallTime(seconds(30));
  EXPECT_EQ(count(asked), 1U);
  asked.start = WallTime(seconds(31));
  EXPECT_EQ(count(asked), 0U);
  asked.start = WallTime::min();
  asked.end = WallTime(seconds(29));
  EXPECT_EQ(log_.find(asked).entries.front().request_id, "0");
}

TEST_F(AppLogTest, PagesFromBothEnds) {
  fill(5);
  auto asked = question();
  asked.limit = 2;
  EXPECT_EQ(log_.find(asked).entries.front().request_id, "4");
  EXPECT_TRUE(log_.find(asked).has_more);
  asked.oldest_first = true;
  EXPECT_EQ(log_.find(asked).entries.front().request_id, "0");
  asked.skip = 3;
  EXPECT_EQ(log_.find(asked).entries.front().request_id, "3");
  EXPECT_FALSE(log_.find(asked).has_more);
}

TEST_F(AppLogTest, ForgetsAnApp) {
  fill(3);
  log_.forget("a");
  log_.forget("b");
  EXPECT_EQ(count(question()), 0U);
}

}  // namespace
}  // namespace keyturn::server
