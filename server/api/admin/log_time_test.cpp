// SPDX-License-Identifier: Apache-2.0
#include "server/api/admin/log_time.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace keyturn::server::api {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNewYear(1'577'836'800s);  // 2020-01-01T00:00:00Z

TEST(LogTime, MayBeADayOrAMinuteOrMore) {
  for (const char* text :
       {"2020-01-01", "2020-01-01T00:00Z", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z",
        "2020-01-01T02:00+02:00", "2020-01-01T02:00+0200", "2019-12-31T23:00-01:00", "1577836800"}) {
    EXPECT_EQ(read_log_time(text), kNewYear) << text;
  }
  EXPECT_EQ(read_log_time("2020-01-01T00:00:01.5Z"), kNewYear + 1500ms);
  EXPECT_EQ(read_log_time("2020-01-02"), kNewYear + 24h);
  EXPECT_EQ(read_log_time("0"), WallTime());
}

TEST(LogTime, IsNothingElse) {
  for (const char* text : {"", "yesterday", "2020-01", "2020-13-01", "2020-02-30", "2020-01-01T",
                           "2020-01-01T00:00", "2020-01-01T00Z", "2020-01-01T24:00Z", "2020-01-01 00:00Z",
                           "2020-01-01Z", "-1", "253402300800", "2020/01/01"}) {
    EXPECT_FALSE(read_log_time(text)) << text;
  }
}

}  // namespace
}  // namespace keyturn::server::api
