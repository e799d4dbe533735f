// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/jwt.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/crypto/crypto.hpp"
#include "core/crypto/sample_keys.hpp"
#include "core/json/json.hpp"

namespace keyturn::jwt {
namespace {

using namespace std::string_literals;
using crypto::base64url_encode;
using std::chrono::microseconds;
using std::chrono::seconds;

const Key& hmac_key() {
  static const Key key = Key::hmac("h1", std::string(32, 'k')).value();
  return key;
}
const Key& pair() {
  static const Key key = Key::generate_es256("e1");
  return key;
}

// Signs any header over any payload, as an attacker with the key could.
std::string signed_with(const Key& key, std::string_view header, std::string_view payload = "{}") {
  const std::string text = base64url_encode(header) + "." + base64url_encode(payload);
  return text + "." + base64url_encode(key.sign(text));
}

void expect_refused(const Result<VerifiedJws>& jws, const std::string& what) {
  ASSERT_FALSE(jws) << what;
  EXPECT_EQ(jws.error().code, ErrorCode::InvalidSession) << what;
  EXPECT_EQ(jws.error().message, "unauthorized") << what;
}

TEST(Jws, ComesBackAsMinted) {
  for (const Key* const key : {&hmac_key(), &pair()}) {
    const std::string token = mint(*key, R"({"a":1})");
    EXPECT_EQ(token.find_first_of("+/="), std::string::npos);
    const auto jws = verify_jws(token, *key);
    ASSERT_TRUE(jws);
    EXPECT_EQ(jws->payload, R"({"a":1})");
    EXPECT_EQ(json::write(jws->header), R"({"alg":")"s + std::string(to_string(key->algorithm())) +
                                            R"(","kid":")" + key->id() + R"(","typ":"JWT"})");
  }
}

TEST(Jws, MayHaveAnEmptyPayload) { EXPECT_EQ(verify_jws(mint(hmac_key(), ""), hmac_key())->payload, ""); }

TEST(Jws, AsksForTheKeyByTheExactKid) {
  const std::string token = mint(hmac_key(), "{}");
  std::string asked = "nothing";
  const KeyLookup lookup = [&](std::string_view id) {
    asked = id;
    return id == "h1" ? &hmac_key() : nullptr;
  };
  EXPECT_TRUE(verify_jws(token, lookup));
  EXPECT_EQ(asked, "h1");
  for (const char* const kid : {"h2", "H1", "h1 ", "", "../h1", "h1' OR 1=1"}) {
    expect_refused(
        verify_jws(signed_with(hmac_key(), json::write(json::Object{{"alg", "HS256"}, {"kid", kid}})),
                   lookup),
        kid);
    EXPECT_EQ(asked, kid);
  }
  expect_refused(verify_jws(signed_with(hmac_key(), R"({"alg":"HS256"})"), lookup), "no kid");
  EXPECT_EQ(asked, "");
  asked = "nothing";
  for (const char* const header :
       {R"({"alg":"HS256","kid":1})", R"({"alg":"HS256","kid":null})", R"({"alg":"HS256","kid":["h1"]})"}) {
    expect_refused(verify_jws(signed_with(hmac_key(), header), lookup), header);
    EXPECT_EQ(asked, "nothing") << "a kid that is no text is never looked up";
  }
}

TEST(Jws, TakesTheAlgorithmFromTheKeyAndNotFromTheToken) {
  // The public key's text as an HMAC secret: the classic confusion.
  const Key rsa = Key::from_pem("r1", Algorithm::rs256, crypto::sample_keys::kRsa2048Pair).value();
  const Key confused = Key::hmac("r1", crypto::sample_keys::kRsa2048Pair).value();
  expect_refused(verify_jws(mint(confused, "{}"), rsa), "HS256 for an RS256 key");
  expect_refused(verify_jws(mint(pair(), "{}"), hmac_key()), "ES256 for an HS256 key");
  expect_refused(verify_jws(mint(hmac_key(), "{}"), pair()), "HS256 for an ES256 key");
  expect_refused(verify_jws(mint(rsa, "{}"), pair()), "RS256 for an ES256 key");
  for (const char* const alg : {"hs256", "HS256 ", "HS384", "HS512", "", "\\u0048S256\\u0000"}) {
    expect_refused(verify_jws(signed_with(hmac_key(), R"({"alg":")"s + alg + "\"}"), hmac_key()), alg);
  }
  EXPECT_TRUE(verify_jws(signed_with(hmac_key(), R"({"alg":"\u0048S256"})"), hmac_key()))
      << "an escape is the same text";
  for (const char* const header :
       {"{}", R"({"alg":null})", R"({"alg":["HS256"]})", R"({"Alg":"HS256"})", R"({"alg":256})"}) {
    expect_refused(verify_jws(signed_with(hmac_key(), header), hmac_key()), header);
  }
}

TEST(Jws, RefusesNoneInEverySpelling) {
  for (const char* const alg : {"none", "None", "NONE", "nOnE", "none ", ""}) {
    const std::string start =
        base64url_encode(R"({"alg":")"s + alg + R"(","typ":"JWT"})") + "." + base64url_encode("{}") + ".";
    for (const Key* const key : {&hmac_key(), &pair()}) {
      expect_refused(verify_jws(start, *key), alg);
      expect_refused(verify_jws(start + "AA", *key), alg);
      expect_refused(verify_jws(start + base64url_encode(key->sign(start.substr(0, start.size() - 1))), *key),
                     alg);
    }
  }
}

TEST(Jws, RefusesHeaderMembersThatSteerTheCheck) {
  for (const char* const member :
       {R"("crit":["exp"])", R"("crit":[])", R"("b64":false)", R"("b64":true)", R"("zip":"DEF")",
        R"("jku":"https://example.com/keys")", R"("x5u":"https://example.com/cert")", R"("x5c":[])",
        R"("jwk":{"kty":"oct","k":"a2tr"})", R"("jwk":null)"}) {
    expect_refused(verify_jws(signed_with(hmac_key(), R"({"alg":"HS256",)"s + member + "}"), hmac_key()),
                   member);
  }
  EXPECT_TRUE(verify_jws(signed_with(hmac_key(), R"({"alg":"HS256","cty":"x","x":1})"), hmac_key()));
}

TEST(Jws, RefusesHeadersThatAreNoCleanObject) {
  for (const std::string& header :
       {""s, "x"s, "[]"s, "null"s, "\"HS256\""s, R"({"alg":"HS256","alg":"HS256"})"s,
        R"({"alg":"HS256","\u0061lg":"none"})"s, R"({"alg":"HS256","kid":"a","kid":"b"})"s,
        R"({"alg":"HS256","x":{"a":1,"a":2}})"s, R"({"alg":"HS256"} x)"s, R"({"alg":"HS256",})"s,
        "\xef\xbb\xbf{\"alg\":\"HS256\"}"s, "{\"alg\":\"HS256\"}\0"s,
        "{\"alg\":\"HS256\",\"x\":\"\xff\"}"s}) {
    expect_refused(verify_jws(signed_with(hmac_key(), header), hmac_key()), header);
  }
  EXPECT_TRUE(verify_jws(signed_with(hmac_key(), "{ \"alg\" :\r\n\t\"HS256\" }"), hmac_key()));
}

TEST(Jws, RefusesEveryOtherShape) {
  const std::string token = mint(hmac_key(), R"({"a":1})");
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  const std::string header = token.substr(0, first);
  const std::string payload = token.substr(first + 1, last - first - 1);
  const std::string signature = token.substr(last + 1);
  ASSERT_TRUE(verify_jws(header + "." + payload + "." + signature, hmac_key()));
  for (const std::string& text :
       {""s,
        "."s,
        ".."s,
        "..."s,
        header,
        header + "." + payload,
        header + "." + payload + ".",
        "." + payload + "." + signature,
        header + ".." + signature,
        token + ".",
        token + ".x",
        "." + token,
        header + "." + payload + "." + signature + "." + signature + "." + signature,
        " " + token,
        token + " ",
        token + "\n",
        token + "="s,
        token + "\0"s,
        header + ". " + payload + "." + signature,
        "Bearer " + token,
        header + "." + payload + "." + signature.substr(1),
        header + "." + payload + "." + signature + "A",
        header + "." + signature + "." + payload,
        R"({"payload":")" + payload + R"(","protected":")" + header + R"(","signature":")" + signature +
            "\"}",
        R"({"payload":")" + payload + R"(","signatures":[{"protected":")" + header + R"(","signature":")" +
            signature + "\"}]}"}) {
    expect_refused(verify_jws(text, hmac_key()), text);
  }
}

TEST(Jws, RefusesEveryChangeOfOneCharacter) {
  for (const Key* const key : {&hmac_key(), &pair()}) {
    const std::string token = mint(*key, R"({"a":1})");
    for (std::size_t at = 0; at < token.size(); ++at) {
      for (const char c : {'A', '_', '+', '/', '=', '.', ' ', '?', '\0', '\x80'}) {
        if (token[at] == c) continue;
        std::string changed = token;
        changed[at] = c;
        expect_refused(verify_jws(changed, *key), changed);
      }
    }
  }
}

TEST(Jws, RefusesBase64ThatIsNotCanonical) {
  std::string token = mint(hmac_key(), "{}");  // 32 bytes of MAC leave two bits unused in the last character
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::size_t digit = alphabet.find(token.back());
  ASSERT_EQ(digit % 4, 0U);
  for (std::size_t i = 1; i < 4; ++i) {
    token.back() = alphabet[digit + i];
    expect_refused(verify_jws(token, hmac_key()), token);
    expect_refused(verify_jws(token, hmac_key(), Encoding::lenient), token);
  }
}

TEST(Jws, TakesEitherAlphabetAndPaddingOnlyWhenLenient) {
  const std::string header = R"({"alg":"HS256"})";
  const std::string payload = "\xfb\xff\xfe?>";
  const std::string text = crypto::base64_encode(header) + "." + crypto::base64_encode(payload);
  ASSERT_NE(text.find_first_of("+/"), std::string::npos);
  const std::string token = text + "." + crypto::base64_encode(hmac_key().sign(text));
  expect_refused(verify_jws(token, hmac_key()), token);
  const auto jws = verify_jws(token, hmac_key(), Encoding::lenient);
  ASSERT_TRUE(jws);
  EXPECT_EQ(jws->payload, payload);
  EXPECT_TRUE(verify_jws(mint(hmac_key(), "{}"), hmac_key(), Encoding::lenient));
  expect_refused(verify_jws(token + "\n", hmac_key(), Encoding::lenient), "newline");
}

// A valid token of exactly that many characters.
std::string token_of_size(std::size_t size) {
  for (std::size_t pad = 0; pad < 4; ++pad) {
    const std::string header = R"({"alg":"HS256","x":")" + std::string(pad, 'x') + "\"}";
    const std::size_t rest = size - signed_with(hmac_key(), header, "").size();
    for (std::size_t payload = rest / 4 * 3; payload < rest / 4 * 3 + 3; ++payload) {
      std::string token = signed_with(hmac_key(), header, std::string(payload, 'x'));
      if (token.size() == size) return token;
    }
  }
  ADD_FAILURE() << "no token of " << size;
  return {};
}

TEST(Jws, BoundsTheSize) {
  EXPECT_TRUE(verify_jws(token_of_size(kMaxTokenBytes - 1), hmac_key()));
  EXPECT_TRUE(verify_jws(token_of_size(kMaxTokenBytes), hmac_key()));
  expect_refused(verify_jws(token_of_size(kMaxTokenBytes + 1), hmac_key()), "one above");
  expect_refused(verify_jws(token_of_size(2 * kMaxTokenBytes), hmac_key()), "twice");
}

json::Object claims(const char* text) { return *json::parse(text).value().as_object(); }

TEST(Times, AreReadAsIntegersInRange) {
  const auto times = read_times(claims(R"({"iat":1667938818,"exp":1667940618})"));
  ASSERT_TRUE(times);
  EXPECT_EQ(times->issued_at, WallTime(seconds(1667938818)));
  EXPECT_EQ(times->lifetime(), seconds(1800));
  EXPECT_TRUE(read_times(claims(R"({"iat":0,"exp":0})")));
  EXPECT_TRUE(read_times(claims(R"({"iat":0,"exp":1099511627776})")));
  for (const char* const text :
       {"{}", R"({"iat":1})", R"({"exp":1})", R"({"iat":1,"exp":"2"})", R"({"iat":1,"exp":2.0})",
        R"({"iat":1,"exp":2e0})", R"({"iat":1,"exp":null})", R"({"iat":1,"exp":true})",
        R"({"iat":1,"exp":[2]})", R"({"iat":1,"exp":{"$numberLong":"2"}})", R"({"iat":-1,"exp":2})",
        R"({"iat":1,"exp":-2})", R"({"iat":1,"exp":1099511627777})", R"({"iat":1,"exp":9223372036854775807})",
        R"({"iat":1,"exp":9223372036854775808})", R"({"iat":1,"exp":18446744073709551617})",
        R"({"iat":2,"exp":1})"}) {
    EXPECT_FALSE(read_times(claims(text))) << text;
  }
}

TEST(Times, EndAtTheInstantOfExp) {
  const Times times{WallTime(seconds(1000)), WallTime(seconds(2800))};
  EXPECT_EQ(validity_at(times, {}, times.expires_at - seconds(1)), Validity::valid);
  EXPECT_EQ(validity_at(times, {}, times.expires_at - microseconds(1)), Validity::valid);
  EXPECT_EQ(validity_at(times, {}, times.expires_at), Validity::expired);
  EXPECT_EQ(validity_at(times, {}, times.expires_at + seconds(1)), Validity::expired);
}

TEST(Times, MayStartAMinuteAheadAndNoMore) {
  const Times times{WallTime(seconds(1000)), WallTime(seconds(2800))};
  for (const int ahead : {0, 10, 11, 59, 60})
    EXPECT_EQ(validity_at(times, {}, times.issued_at - seconds(ahead)), Validity::valid) << ahead;
  EXPECT_EQ(validity_at(times, {}, times.issued_at - seconds(60) - microseconds(1)), Validity::not_yet);
  EXPECT_EQ(validity_at(times, {}, times.issued_at - seconds(61)), Validity::not_yet);
  const WallTime not_before = times.issued_at + seconds(500);
  for (const int ahead : {10, 60})
    EXPECT_EQ(validity_at(times, not_before, not_before - seconds(ahead)), Validity::valid) << ahead;
  EXPECT_EQ(validity_at(times, not_before, not_before - seconds(61)), Validity::not_yet);
  EXPECT_EQ(validity_at(times, not_before, not_before), Validity::valid);
  EXPECT_EQ(validity_at(times, times.expires_at + seconds(1000), times.expires_at), Validity::expired);
}

TEST(UncheckedClaims, AreReadFromAnyThreeParts) {
  const auto read = read_unverified(mint(hmac_key(), R"({"exp":5})"));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read->find("exp"), json::Value(5));
  EXPECT_TRUE(read_unverified("x." + base64url_encode("{}") + ".x"));
  EXPECT_TRUE(read_unverified("x." + crypto::base64_encode(R"({"a":"??>>"})") + ".x"));
}

TEST(UncheckedClaims, AreABadTokenWhenTheyAreNoObject) {
  for (const std::string& token :
       {""s, "a.b"s, "a..c"s, "."s + base64url_encode("{}") + ".c", "a." + base64url_encode("{}") + ".",
        "a." + base64url_encode("{}") + ".c.d", "a." + base64url_encode("[]") + ".c",
        "a." + base64url_encode("{") + ".c", "a.!.c"s, "a." + base64url_encode(R"({"exp":1,"exp":2})") + ".c",
        "a." + base64url_encode(std::string(kMaxTokenBytes, ' ') + "{}") + ".c"}) {
    const auto read = read_unverified(token);
    ASSERT_FALSE(read) << token;
    EXPECT_EQ(read.error().code, ErrorCode::BadToken);
  }
}

}  // namespace
}  // namespace keyturn::jwt
