// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>

#include "core/base/object_id.hpp"

namespace keyturn {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(ObjectId, IsTwentyFourHexadecimalDigits) {
  EXPECT_TRUE(is_object_id("0123456789abcdefABCDEF00"));
  EXPECT_FALSE(is_object_id("0123456789abcdefABCDEF0"));
  EXPECT_FALSE(is_object_id("0123456789abcdefABCDEF000"));
  EXPECT_FALSE(is_object_id(""));
  for (const char c : {'g', 'G', '/', ':', '@', '`', ' ', '\0', '\xff'}) {
    std::string text(24, '0');
    text[23] = c;
    EXPECT_FALSE(is_object_id(text)) << static_cast<int>(c);
  }
}

TEST(ObjectId, StartsWithTheSecondAndEndsWithTheBytesGiven) {
  const WallTime when(seconds(0x5eea8667) + microseconds(999'999));
  EXPECT_EQ(make_object_id(when, "\x01\x23\x45\x67\x89\xab\xcd\xef"), "5eea86670123456789abcdef");
  EXPECT_EQ(make_object_id(WallTime{}, std::string_view("\0\0\0\0\0\0\0\0", 8)), "000000000000000000000000");
}

TEST(ObjectId, WrapsWhenTheSecondsNoLongerFit) {
  EXPECT_EQ(make_object_id(WallTime(seconds(0xffff'ffffLL)), "\xff\xff\xff\xff\xff\xff\xff\xff"),
            std::string(24, 'f'));
  EXPECT_EQ(
      make_object_id(WallTime(seconds(0x1'0000'0000LL)), "\xff\xff\xff\xff\xff\xff\xff\xff").substr(0, 8),
      "00000000");
}

TEST(ObjectId, UsesEightBytesWhateverItIsGiven) {
  EXPECT_EQ(make_object_id(WallTime{}, "\x01"), "000000000100000000000000");
  EXPECT_EQ(make_object_id(WallTime{}, "\x01\x01\x01\x01\x01\x01\x01\x01\x02"), "000000000101010101010101");
}

TEST(HttpHeaders, AreFoundWhateverTheCaseAndInOrder) {
  const HttpHeaders headers{
      {"Content-Type", "text/html"}, {"retry-after", "7"}, {"Retry-After", "8"}, {"X", ""}};
  EXPECT_EQ(find_header(headers, "content-type"), "text/html");
  EXPECT_EQ(find_header(headers, "RETRY-AFTER"), "7");
  EXPECT_EQ(find_header(headers, "x"), "");
  EXPECT_EQ(find_header(headers, "content-typ"), std::nullopt);
  EXPECT_EQ(find_header(headers, ""), std::nullopt);
  EXPECT_EQ(find_header({}, "x"), std::nullopt);
}

TEST(HttpHeaders, FoldOnlyAsciiLetters) {
  const HttpHeaders headers{{"a@b", "1"}, {"x[y", "2"}};
  EXPECT_EQ(find_header(headers, "a`b"), std::nullopt);
  EXPECT_EQ(find_header(headers, "x{y"), std::nullopt);
}

TEST(SystemClock, DoesNotStepBackSinceBootAndKnowsTheYear) {
  const Clock& clock = system_clock();
  const BootTime first = clock.boot_now();
  EXPECT_GE(clock.boot_now(), first);
  EXPECT_GT(first.time_since_epoch().count(), 0);
  EXPECT_GT(clock.wall_now(), WallTime(seconds(1'600'000'000)));
}

TEST(Result, HoldsAValueOrAnError) {
  Result<int> good = 5;
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 5);
  EXPECT_THROW((void)good.error(), std::bad_variant_access);

  const Result<int> bad = Error(ErrorCode::BadRequest, "no");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "no");
  EXPECT_THROW((void)bad.value(), std::bad_variant_access);

  EXPECT_TRUE(Result<void>());
  EXPECT_THROW((void)Result<void>().error(), std::bad_variant_access);
  EXPECT_THROW(Result<void>(Error(ErrorCode::BadRequest, "no")).value(), std::bad_variant_access);
}

}  // namespace
}  // namespace keyturn
