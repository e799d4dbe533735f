// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include <keyturn/base/secret.hpp>

namespace keyturn {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <class T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<std::string_view, Secret> &&
              !std::is_convertible_v<Secret, std::string_view>);
static_assert(!Printable<Secret> && !Comparable<Secret>);

TEST(Secret, RevealsWhatItWasGiven) {
  const Secret secret(std::string_view("a\0b", 3));
  EXPECT_EQ(secret.reveal(), std::string_view("a\0b", 3));
  EXPECT_EQ(secret.size(), 3U);
  EXPECT_FALSE(secret.empty());
}

TEST(Secret, IsEmptyByDefaultAndFromNothing) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret("").empty());
  EXPECT_EQ(Secret().reveal(), "");
  EXPECT_TRUE(Secret().equals(""));
}

TEST(Secret, ComparesTheWholeOfBoth) {
  const Secret secret("token");
  EXPECT_TRUE(secret.equals("token"));
  EXPECT_FALSE(secret.equals("tokem"));
  EXPECT_FALSE(secret.equals("uoken"));
  EXPECT_FALSE(secret.equals("toke"));
  EXPECT_FALSE(secret.equals("token2"));
  EXPECT_FALSE(secret.equals(""));
}

TEST(Secret, LeavesNothingBehindWhenMovedFrom) {
  Secret from("token");
  Secret to(std::move(from));
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): the promise under test
  EXPECT_EQ(from.reveal(), "");
  EXPECT_EQ(to.reveal(), "token");
  Secret other("old");
  other = std::move(to);
  EXPECT_EQ(other.reveal(), "token");
  EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Secret, SurvivesAMoveToItself) {
  Secret secret("token");
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.reveal(), "token");
}

TEST(Secret, CopiesOnlyOnPurpose) {
  Secret secret("token");
  const Secret copy = secret.copy();
  secret.wipe();
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(copy.reveal(), "token");
}

TEST(WipeMemory, OverwritesTheBytesAndNoMore) {
  std::string bytes(64, 'x');
  wipe_memory(bytes.data(), 63);
  EXPECT_TRUE(std::all_of(bytes.begin(), bytes.begin() + 63, [](char c) { return c == '\0'; }));
  EXPECT_EQ(bytes.back(), 'x');
  wipe_memory(nullptr, 0);
}

}  // namespace
}  // namespace keyturn
