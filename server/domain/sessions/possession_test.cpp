// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/possession.hpp"

#include <gtest/gtest.h>

#include "core/jwt/possession_proof.hpp"

namespace keyturn::server {
namespace {

using std::chrono::seconds;

constexpr const char* kPath = "/api/client/v2.0/auth/session";
constexpr const char* kUrl = "https://auth.example.com/api/client/v2.0/auth/session";

bool is_own(std::string_view origin) { return origin == "https://auth.example.com"; }

class PossessionRulesTest : public ::testing::Test {
 protected:
  std::string proof(WallTime made, const std::string& nonce = {}) {
    return jwt::mint_proof(key, {"POST", kUrl, "id-" + std::to_string(count++), made, nonce});
  }
  ErrorCode refused(const std::string& text, WallTime at) {
    const auto checked = rules.check(text, "POST", kPath, is_own, at);
    return checked ? ErrorCode{} : checked.error().code;
  }
  bool accepted(const std::string& text, WallTime at) {
    return rules.check(text, "POST", kPath, is_own, at).has_value();
  }

  const jwt::Key key = jwt::Key::generate_es256("device");
  PossessionRules rules{Secret(std::string(32, 's'))};
  const WallTime now{seconds(1'700'000'100)};  // a period begins 0 s before it
  int count = 0;
};

TEST_F(PossessionRulesTest, AnswersTheThumbprintOfTheKey) {
  EXPECT_EQ(rules.check(proof(now), "POST", kPath, is_own, now).value(), jwt::thumbprint_of(key));
}

TEST_F(PossessionRulesTest, WithoutANonceAMinuteEitherWayIsAllowed) {
  for (const int sign : {-1, 1}) {
    EXPECT_TRUE(accepted(proof(now + sign * seconds(60)), now));
    EXPECT_EQ(refused(proof(now + sign * seconds(61)), now), ErrorCode::UseDpopNonce);
  }
}

TEST_F(PossessionRulesTest, WithANonceAnyClockWillDo) {
  const std::string nonce = rules.nonce(now);
  for (const seconds off : {seconds(0), seconds(315'360'000)}) {
    EXPECT_TRUE(accepted(proof(now + off, nonce), now));
    EXPECT_TRUE(accepted(proof(now - off, nonce), now));
  }
}

TEST_F(PossessionRulesTest, ANonceIsGoodForTwoPeriods) {
  const WallTime begin{now.time_since_epoch() / PossessionRules::kNonceLife * PossessionRules::kNonceLife};
  const std::string nonce = rules.nonce(begin);
  EXPECT_TRUE(accepted(proof(begin, nonce), begin + 2 * PossessionRules::kNonceLife - seconds(1)));
  EXPECT_EQ(refused(proof(begin, nonce), begin + 2 * PossessionRules::kNonceLife), ErrorCode::UseDpopNonce);
  EXPECT_EQ(refused(proof(begin, nonce), begin - seconds(1)), ErrorCode::UseDpopNonce);
}

TEST_F(PossessionRulesTest, AnotherServersNonceIsRefusedWhateverTheClock) {
  const PossessionRules other{Secret(std::string(32, 'o'))};
  EXPECT_EQ(refused(proof(now, other.nonce(now)), now), ErrorCode::UseDpopNonce);
}

TEST_F(PossessionRulesTest, EachProofCountsOnce) {
  const std::string once = proof(now, rules.nonce(now));
  EXPECT_TRUE(accepted(once, now));
  EXPECT_EQ(refused(once, now), ErrorCode::InvalidDpopProof);
  EXPECT_EQ(refused(once, now + PossessionRules::kNonceLife), ErrorCode::InvalidDpopProof);
}

TEST_F(PossessionRulesTest, AProofForAnotherRequestIsRefused) {
  EXPECT_EQ(rules.check(proof(now), "DELETE", kPath, is_own, now).error().code, ErrorCode::InvalidDpopProof);
  EXPECT_EQ(rules.check(proof(now), "POST", std::string(kPath) + "s", is_own, now).error().code,
            ErrorCode::InvalidDpopProof);
}

// RFC 9449 section 4.3: normal forms are compared.
TEST_F(PossessionRulesTest, EachSpellingOfTheAddressIsTheSameRequest) {
  const auto of = [&](const std::string& url) {
    const std::string text = jwt::mint_proof(key, {"POST", url, "id-" + std::to_string(count++), now, {}});
    return rules.check(text, "POST", kPath, is_own, now).has_value();
  };
  const std::string path = kPath;
  for (const std::string& same :
       {"HTTPS://Auth.Example.com" + path, "https://auth.example.com:443" + path, std::string(kUrl) + "?a=b",
        "https://auth.example.com/%61pi" + path.substr(4)})
    EXPECT_TRUE(of(same)) << same;
  for (const std::string& other : {"http://auth.example.com" + path, "https://evil.example" + path,
                                   "https://auth.example.com:8443" + path, std::string(kUrl) + "/", path,
                                   "https://auth.example.com@evil.example" + path})
    EXPECT_FALSE(of(other)) << other;
}

TEST_F(PossessionRulesTest, WhatIsNoProofIsRefused) {
  EXPECT_EQ(refused("x", now), ErrorCode::InvalidDpopProof);
}

}  // namespace
}  // namespace keyturn::server
