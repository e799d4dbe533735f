// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "server/domain/accounts/identity_rules.hpp"
#include "server/domain/accounts/password_rules.hpp"
#include "server/domain/accounts/provider_rules.hpp"
#include "server/domain/accounts/random_names.hpp"
#include "server/domain/accounts/user_service.hpp"
#include "server/domain/apps/app_service.hpp"

namespace keyturn::server {
namespace {

const PasswordSettings kAnyWord{6, false};

TEST(NewPassword, HasSixToHundredAndTwentyEightCodePoints) {
  EXPECT_FALSE(check_new_password(std::string(5, 'x'), kAnyWord));
  EXPECT_TRUE(check_new_password(std::string(6, 'x'), kAnyWord));
  EXPECT_TRUE(check_new_password(std::string(128, 'x'), kAnyWord));
  const auto refused = check_new_password(std::string(129, 'x'), kAnyWord);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "password must be between 6 and 128 characters");
  EXPECT_EQ(refused.error().http_status, 400);
  EXPECT_EQ(refused.error().code, ErrorCode::BadRequest);
}

TEST(NewPassword, CountsCodePointsNotBytes) {
  std::string five;
  std::string many;
  for (int i = 0; i < 5; ++i) five += "\xF0\x9F\x94\x91";
  for (int i = 0; i < 128; ++i) many += "\xF0\x9F\x94\x91";
  EXPECT_FALSE(check_new_password(five, kAnyWord));
  EXPECT_TRUE(check_new_password(many, kAnyWord));
  EXPECT_FALSE(check_new_password(many + "x", kAnyWord));
}

TEST(NewPassword, HasAsManyCharactersAsTheSettingsSay) {
  const auto refused = check_new_password(std::string(14, 'x'), {15, false});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "password must be between 15 and 128 characters");
  EXPECT_TRUE(check_new_password(std::string(15, 'x'), {15, false}));
}

TEST(NewPassword, IsNotOneThatIsTriedFirst) {
  for (const std::string& common : {std::string("password"), std::string("PassWord1"),
                                    std::string("aaaaaaaaaa"), std::string("ada@example.com")}) {
    const auto refused = check_new_password(common, {}, "ada@example.com");
    ASSERT_FALSE(refused) << common;
    EXPECT_EQ(refused.error().message, "password is too easy to guess: choose another one");
    EXPECT_EQ(refused.error().http_status, 400);
    EXPECT_EQ(refused.error().code, ErrorCode::BadRequest);
    EXPECT_TRUE(check_new_password(common, kAnyWord, "ada@example.com")) << "a setting";
  }
  EXPECT_TRUE(check_new_password("ada@example.com", {}, "bob@example.com"));
}

TEST(NewEmail, IsNotEmptyNotTooLongAndOneLine) {
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a@b.c\r\nBcc: d@e.f"), std::string("a\0b", 3)}) {
    const auto refused = check_new_email(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "email invalid");
  }
  EXPECT_TRUE(check_new_email(std::string(128, 'x')));
  EXPECT_TRUE(check_new_email("J\xC3\xB6rg@example.com"));
}

TEST(IdentityId, IsOfOneTo256BytesWithoutControlCharacters) {
  EXPECT_FALSE(is_identity_id(""));
  EXPECT_TRUE(is_identity_id(std::string(256, 'x')));
  EXPECT_FALSE(is_identity_id(std::string(257, 'x')));
  EXPECT_FALSE(is_identity_id("a\nb"));
}

struct Range {
  std::string member;
  std::int64_t least;
  std::int64_t most;
};

Result<TokenSettings> with(const std::string& member, std::int64_t value, const LifetimeLimits& limits) {
  TokenSettingsPatch patch;
  if (member == "access_token_lifetime_seconds") patch.access_lifetime_seconds = value;
  if (member == "refresh_token_lifetime_seconds") patch.refresh_lifetime_seconds = value;
  if (member == "refresh_token_idle_seconds") patch.refresh_idle_seconds = value;
  return apply({}, patch, limits);
}

void expect_range(const Range& range, const LifetimeLimits& limits) {
  EXPECT_TRUE(with(range.member, range.least, limits)) << range.member;
  EXPECT_TRUE(with(range.member, range.most, limits)) << range.member;
  for (const std::int64_t bad : {range.least - 1, range.most + 1, std::int64_t{-1}}) {
    const auto refused = with(range.member, bad, limits);
    ASSERT_FALSE(refused) << range.member << " " << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidParameter);
    EXPECT_EQ(refused.error().http_status, 400);
    EXPECT_EQ(refused.error().message, range.member + " must be between " + std::to_string(range.least) +
                                           " and " + std::to_string(range.most));
  }
}

TEST(TokenSettings, HaveTheDocumentedRanges) {
  expect_range({"access_token_lifetime_seconds", 300, 86'400}, {});
  expect_range({"refresh_token_lifetime_seconds", 1'800, 157'680'000}, {});
  expect_range({"refresh_token_idle_seconds", 1'800, 157'680'000}, {});
}

TEST(TokenSettings, MayBeShortWhenAllowed) {
  const LifetimeLimits limits = LifetimeLimits::short_ones();
  expect_range({"access_token_lifetime_seconds", 1, 86'400}, limits);
  expect_range({"refresh_token_lifetime_seconds", 1, 157'680'000}, limits);
  expect_range({"refresh_token_idle_seconds", 1, 157'680'000}, limits);
}

TEST(TokenSettings, KeepWhatAPatchLeavesOut) {
  TokenSettings settings;
  settings.refresh_idle = std::chrono::seconds(2'000);
  TokenSettingsPatch patch;
  patch.access_lifetime_seconds = 600;
  auto next = apply(settings, patch, {});
  ASSERT_TRUE(next);
  settings.access_lifetime = std::chrono::seconds(600);
  EXPECT_EQ(*next, settings);

  patch = {};
  patch.refresh_idle_seconds.emplace(std::nullopt);
  EXPECT_FALSE(apply(settings, patch, {})->refresh_idle);
}

TEST(TokenSettings, KnowTwoAlgorithms) {
  TokenSettingsPatch patch;
  patch.access_algorithm = "HS256";
  EXPECT_EQ(apply({}, patch, {})->access_algorithm, jwt::Algorithm::hs256);
  patch.access_algorithm = "ES256";
  EXPECT_EQ(apply({}, patch, {})->access_algorithm, jwt::Algorithm::es256);
  for (const char* bad : {"none", "hs256", "RS256", ""}) {
    patch.access_algorithm = bad;
    EXPECT_FALSE(apply({}, patch, {})) << bad;
  }
}

TEST(ProviderRules, MergeConfigByKeyAndReplaceTheRest) {
  AuthProvider provider;
  provider.type = "local-userpass";
  provider.config = {{"autoConfirm", true}, {"resetPasswordUrl", "http://a"}};
  provider.metadata_fields = {json::Value("old")};
  ASSERT_TRUE(
      merge_provider(provider, {{"config", json::Object{{"autoConfirm", false}}}, {"disabled", true}}));
  EXPECT_EQ(provider.config, (json::Object{{"autoConfirm", false}, {"resetPasswordUrl", "http://a"}}));
  EXPECT_TRUE(provider.disabled);
  EXPECT_EQ(provider.metadata_fields.size(), 1U);
  ASSERT_TRUE(merge_provider(provider, {{"metadata_fields", json::Array{}}}));
  EXPECT_TRUE(provider.metadata_fields.empty());
}

TEST(ProviderRules, RefuseMembersOfTheWrongKind) {
  AuthProvider provider;
  EXPECT_FALSE(merge_provider(provider, {{"disabled", "no"}}));
  EXPECT_FALSE(merge_provider(provider, {{"config", 1}}));
  EXPECT_FALSE(merge_provider(provider, {{"metadata_fields", "x"}}));
  EXPECT_TRUE(merge_provider(
      provider, {{"config", nullptr}, {"secret_config", nullptr}, {"metadata_fields", nullptr}}));
}

Result<void> token_provider(json::Object config, json::Array signing_keys = {}, json::Array fields = {}) {
  AuthProvider provider;
  provider.type = "custom-token";
  provider.config = std::move(config);
  provider.secret_config.set("signingKeys", std::move(signing_keys));
  provider.metadata_fields = std::move(fields);
  return check_provider_settings(provider);
}

TEST(ProviderRules, CheckCustomTokenSettings) {
  EXPECT_TRUE(token_provider({{"audience", ""}, {"signingAlgorithm", "HS256"}}));
  EXPECT_TRUE(token_provider({{"audience", json::Array{}}, {"useJWKURI", false}}));
  EXPECT_TRUE(
      token_provider({{"audience", json::Array{"a", "b"}}, {"signingAlgorithm", "RS256"}}, {"1", "2", "3"}));
  EXPECT_TRUE(token_provider({{"useJWKURI", true}, {"jwkURI", "https://issuer.example/keys"}}));
  EXPECT_FALSE(token_provider({{"audience", json::Array{1}}}));
  EXPECT_FALSE(token_provider({{"signingAlgorithm", "none"}}));
  EXPECT_FALSE(token_provider({{"useJWKURI", true}, {"jwkURI", "file:///etc/passwd"}}));
  EXPECT_FALSE(token_provider({{"useJWKURI", true}}));
  EXPECT_FALSE(token_provider({}, {"1", "2", "3", "4"}));
  EXPECT_FALSE(token_provider({}, {}, {json::Value(json::Object{{"required", true}})}));
  EXPECT_TRUE(token_provider({}, {}, {json::Value(json::Object{{"required", true}, {"name", "a.b"}})}));
}

TEST(MergedProfileData, LetsLaterIdentitiesWin) {
  User user;
  user.identities = {{"1", "custom-token", "p", {{"name", "a"}, {"email", "old"}}},
                     {"2", "local-userpass", "p", {{"email", "new"}}}};
  EXPECT_EQ(merged_profile_data(user), (json::Object{{"name", "a"}, {"email", "new"}}));
}

TEST(RandomNames, AreOfTheirAlphabetAndNewEachTime) {
  EXPECT_THAT(random_lower_letters(24), ::testing::ContainsRegex("^[a-z]{24}$"));
  EXPECT_THAT(random_letters_and_digits(64), ::testing::ContainsRegex("^[A-Za-z0-9]{64}$"));
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(new_object_id(WallTime()));
  EXPECT_EQ(seen.size(), 1'000U);
}

}  // namespace
}  // namespace keyturn::server
