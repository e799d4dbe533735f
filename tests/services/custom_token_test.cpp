// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"
#include "server/identity/external_jwt/claims.hpp"
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

const std::string kSecret = "My_very_confidential_secretttttt";

class CustomTokenTest : public ServicesTest {
 protected:
  void add_provider(json::Object config, json::Array fields = {},
                    json::Array signing_keys = {"customTokenKey"}) {
    ASSERT_TRUE(apps.add_secret(app_id, "customTokenKey", Secret(kSecret)));
    const auto added =
        apps.add_provider(app_id, {{"type", "custom-token"},
                                   {"config", std::move(config)},
                                   {"secret_config", json::Object{{"signingKeys", std::move(signing_keys)}}},
                                   {"metadata_fields", std::move(fields)}});
    ASSERT_TRUE(added) << added.error().message;
  }
  void add_hs256(json::Array fields = {}) {
    add_provider({{"signingAlgorithm", "HS256"}, {"useJWKURI", false}}, std::move(fields));
  }
  void add_published() { add_provider({{"useJWKURI", true}, {"jwkURI", "https://issuer.example/keys"}}); }

  [[nodiscard]] std::int64_t now() const {
    return std::chrono::floor<std::chrono::seconds>(clock.wall_now()).time_since_epoch().count();
  }
  json::Object claims() {
    return {{"aud", app().app.client_app_id}, {"sub", "subject-1"}, {"exp", now() + 600}};
  }
  static std::string sign(const json::Object& payload, std::string_view secret = kSecret) {
    return jwt::mint(*jwt::Key::hmac("", secret), json::write(json::Value(payload)));
  }
  Result<LoginTokens> try_log_in(std::string_view token) {
    return sessions.log_in(app(), "custom-token", {{"token", token}}, nullptr);
  }
};

const auto kRefused = Refuses(ErrorCode::AuthError, 401, "unauthorized");

TEST_F(CustomTokenTest, TheSubjectIsTheIdentityAndMetadataIsRenewedAtEachLogIn) {
  add_hs256(
      {json::Value(json::Object{{"required", false}, {"name", "user_data.name"}, {"field_name", "name"}}),
       json::Value(
           json::Object{{"required", true}, {"name", "my_metadata.name"}, {"field_name", "anotherName"}})});
  json::Object payload = claims();
  payload.set("user_data", json::Object{{"name", "Ann"}, {"occupation", "x"}});
  payload.set("my_metadata", json::Object{{"name", "other"}});
  const auto tokens = try_log_in(sign(payload));
  ASSERT_TRUE(tokens);
  const User user = *users.get(app_id, tokens->user_id);
  EXPECT_EQ(user.identities[0].id, "subject-1");
  EXPECT_EQ(merged_profile_data(user), (json::Object{{"name", "Ann"}, {"anotherName", "other"}}));

  payload.set("user_data", json::Object{{"name", "Anna"}});
  EXPECT_EQ(try_log_in(sign(payload))->user_id, tokens->user_id);
  EXPECT_EQ(merged_profile_data(*users.get(app_id, tokens->user_id)),
            (json::Object{{"name", "Anna"}, {"anotherName", "other"}}));
  payload.erase("user_data");
  EXPECT_TRUE(try_log_in(sign(payload)));
  payload.erase("my_metadata");
  EXPECT_THAT(try_log_in(sign(payload)), kRefused) << "a required field is missing";
}

TEST_F(CustomTokenTest, TimesAreCheckedToTheSecond) {
  add_hs256();
  const auto with = [&](const char* name, json::Value value) {
    json::Object payload = claims();
    payload.set(name, std::move(value));
    return sign(payload);
  };
  EXPECT_TRUE(try_log_in(with("exp", now() + 1)));
  EXPECT_THAT(try_log_in(with("exp", now())), kRefused);
  EXPECT_THAT(try_log_in(with("exp", now() - 1)), kRefused);
  EXPECT_THAT(try_log_in(with("exp", "1")), kRefused);
  EXPECT_THAT(try_log_in(with("exp", -1)), kRefused);
  json::Object without = claims();
  without.erase("exp");
  EXPECT_THAT(try_log_in(sign(without)), kRefused);
  for (const char* name : {"nbf", "iat"}) {
    EXPECT_TRUE(try_log_in(with(name, now() + 60))) << name;
    EXPECT_THAT(try_log_in(with(name, now() + 61)), kRefused) << name;
    EXPECT_THAT(try_log_in(with(name, "soon")), kRefused) << name;
  }
}

TEST_F(CustomTokenTest, TheSubjectMustBeUsable) {
  add_hs256();
  for (const json::Value& odd : {json::Value(), json::Value(42), json::Value(""),
                                 json::Value(std::string(257, 'x')), json::Value("a\nb")}) {
    json::Object payload = claims();
    payload.set("sub", odd);
    EXPECT_THAT(try_log_in(sign(payload)), kRefused);
  }
}

TEST_F(CustomTokenTest, OnlyTheConfiguredAlgorithmAndKeysCount) {
  add_hs256();
  EXPECT_TRUE(try_log_in(sign(claims())));
  EXPECT_THAT(try_log_in(sign(claims(), std::string(32, 'x'))), kRefused);
  EXPECT_THAT(try_log_in(jwt::mint(jwt::Key::generate_es256("e"), json::write(json::Value(claims())))),
              kRefused);
  const std::string payload = crypto::base64url_encode(json::write(json::Value(claims())));
  EXPECT_THAT(try_log_in(crypto::base64url_encode(R"({"alg":"none"})") + "." + payload + "."), kRefused);
  EXPECT_THAT(try_log_in("garbage"), kRefused);
  EXPECT_EQ(sessions.log_in(app(), "custom-token", {}, nullptr).error().http_status, 400);
}

TEST_F(CustomTokenTest, TheStandardAlphabetIsTaken) {
  add_hs256();
  json::Object payload = claims();
  payload.set("note", "\xC3\xBE\xC3\xBF~~~>>>");
  const auto standard = [](std::string_view bytes) {
    std::string text = crypto::base64_encode(bytes);
    while (text.back() == '=') text.pop_back();
    return text;
  };
  const std::string text =
      standard(R"({"alg":"HS256","typ":"JWT"})") + "." + standard(json::write(json::Value(payload)));
  ASSERT_NE(text.find_first_of("+/"), std::string::npos);
  const auto mac = crypto::hmac_sha256(kSecret, text);
  EXPECT_TRUE(try_log_in(text + "." + standard({reinterpret_cast<const char*>(mac.data()), mac.size()})));
}

TEST_F(CustomTokenTest, SeveralKeysAreTriedAndAChangedSecretCountsAtOnce) {
  add_provider({{"signingAlgorithm", "HS256"}}, {}, {"missing", "customTokenKey", "second"});
  const std::string second(40, 's');
  EXPECT_THAT(try_log_in(sign(claims(), second)), kRefused);
  const auto id = apps.add_secret(app_id, "second", Secret(second));
  EXPECT_TRUE(try_log_in(sign(claims(), second)));
  EXPECT_TRUE(try_log_in(sign(claims())));
  ASSERT_TRUE(apps.put_secret(app_id, *id, "second", Secret(std::string(40, 't'))));
  EXPECT_THAT(try_log_in(sign(claims(), second)), kRefused);
}

TEST_F(CustomTokenTest, Es256KeysComeAsPem) {
  const jwt::Key pair = jwt::Key::generate_es256("e");
  ASSERT_TRUE(apps.add_secret(app_id, "pem", pair.private_pem()));
  add_provider({{"signingAlgorithm", "ES256"}}, {}, {"pem"});
  EXPECT_TRUE(try_log_in(jwt::mint(pair, json::write(json::Value(claims())))));
  EXPECT_THAT(try_log_in(sign(claims(), pair.private_pem().reveal().substr(0, 64))), kRefused)
      << "the key's text is no HMAC key";
}

TEST_F(CustomTokenTest, AFaultOfTheStoreIsNoRefusal) {
  add_hs256();
  const std::string token = sign(claims());
  faults.fail_call(1, FaultPlan::Mode::not_done);
  EXPECT_EQ(try_log_in(token).error().http_status, 503);
}

/// A published key pair: its JWK has to be had from the public half.
class PublishedKeysTest : public CustomTokenTest {
 protected:
  void SetUp() override {
    add_published();
    // The key of RFC 7515 appendix A.3.
    jwks.document =
        R"({"keys":[{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
        R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
  }
  /// A token of the kid that no key signed: reaches the look-up and fails after it.
  std::string asking_for(const std::string& kid) {
    const json::Object header{{"alg", "ES256"}, {"kid", kid}};
    return crypto::base64url_encode(json::write(json::Value(header))) + "." +
           crypto::base64url_encode(json::write(json::Value(claims()))) + "." +
           crypto::base64url_encode(std::string(64, 'x'));
  }
};

TEST_F(PublishedKeysTest, AreFetchedOnceAMinuteWhateverIsAskedFor) {
  for (int i = 0; i < 100; ++i) EXPECT_THAT(try_log_in(asking_for("unknown-" + std::to_string(i))), kRefused);
  EXPECT_EQ(jwks.fetches, 1);
  clock.advance(60s - 1us);
  EXPECT_THAT(try_log_in(asking_for("x")), kRefused);
  EXPECT_EQ(jwks.fetches, 1);
  clock.advance(1us);
  EXPECT_THAT(try_log_in(asking_for("x")), kRefused);
  EXPECT_EQ(jwks.fetches, 2);
}

TEST_F(PublishedKeysTest, AFaultIsNoRefusalAndIsNotAskedAgainAtOnce) {
  jwks.document.clear();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(try_log_in(asking_for("k1")).error().http_status, 503);
  EXPECT_EQ(jwks.fetches, 1);
}

class JwksCacheTest : public ::testing::Test {
 protected:
  static constexpr const char* kUrl = "https://issuer.example/keys";
  static std::string rsa_free_set(const std::string& kid, const std::string& extra = {}) {
    return R"({"keys":[{"kty":"EC","crv":"P-256","kid":")" + kid +
           R"(","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})" +
           extra + "]}";
  }
  bool has(std::string_view kid) {
    const auto found = cache.find(kUrl, kid);
    return found && found->has_value();
  }
  keyturn::testing::FakeClock clock;
  ScriptedJwks fetcher;
  identity::JwksCache cache{fetcher, clock};
};

TEST_F(JwksCacheTest, KnownKeysCostNoFetchForFiveMinutes) {
  fetcher.document = rsa_free_set("k1");
  EXPECT_TRUE(has("k1"));
  clock.advance(5min);
  EXPECT_TRUE(has("k1"));
  EXPECT_EQ(fetcher.fetches, 1);
  clock.advance(1us);
  EXPECT_TRUE(has("k1"));
  EXPECT_EQ(fetcher.fetches, 2);
}

TEST_F(JwksCacheTest, AWithdrawnKeyIsRefusedAfterTheNextFetch) {
  fetcher.document = rsa_free_set("k1");
  EXPECT_TRUE(has("k1"));
  fetcher.document = rsa_free_set("k2");
  EXPECT_TRUE(has("k1"));
  clock.advance(5min + 1us);
  EXPECT_FALSE(has("k1"));
  EXPECT_TRUE(has("k2"));
}

TEST_F(JwksCacheTest, KeysAreUsedForADayWhileTheIssuerIsDown) {
  fetcher.document = rsa_free_set("k1");
  EXPECT_TRUE(has("k1"));
  fetcher.document.clear();
  clock.advance(24h);
  EXPECT_TRUE(has("k1"));
  clock.advance(1us);
  EXPECT_EQ(cache.find(kUrl, "k1").error().http_status, 503);
  fetcher.document = rsa_free_set("k1");
  clock.advance(60s);
  EXPECT_TRUE(has("k1"));
}

TEST_F(JwksCacheTest, SymmetricKeysAndOddDocumentsAreNotTaken) {
  fetcher.document = rsa_free_set(
      "k1",
      R"(,{"kty":"oct","alg":"HS256","kid":"h","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"})");
  EXPECT_FALSE(has("h"));
  EXPECT_TRUE(has("k1"));
  for (const std::string& odd :
       {std::string("[]"), std::string("<html>"), std::string("{\"keys\":{}}"), std::string(300'000, ' ')}) {
    identity::JwksCache fresh(fetcher, clock);
    fetcher.document = odd;
    EXPECT_EQ(fresh.find(kUrl, "k1").error().http_status, 503);
  }
}

TEST_F(JwksCacheTest, TheOnlyKeyIsMeantByATokenWithoutKeyId) {
  fetcher.document = rsa_free_set("k1");
  EXPECT_TRUE(has(""));
  EXPECT_FALSE(has("K1"));
}

TEST_F(JwksCacheTest, OneCallerFetchesAndTheOthersWaitForIt) {
  std::atomic<int> asking = 0;
  fetcher.document = rsa_free_set("k1");
  fetcher.on_fetch = [&] {
    while (asking < 8) std::this_thread::yield();
  };
  std::vector<std::thread> threads;
  std::atomic<int> found = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      ++asking;
      if (has("k1")) ++found;
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(found, 8);
  EXPECT_EQ(fetcher.fetches, 1);
}

TEST_F(JwksCacheTest, TheNumberOfAddressesIsBounded) {
  fetcher.document = rsa_free_set("k1");
  for (std::size_t i = 0; i < identity::JwksCache::kMostAddresses; ++i) {
    EXPECT_TRUE(cache.find(kUrl + std::to_string(i), "k1"));
  }
  EXPECT_EQ(cache.find(kUrl, "k1").error().http_status, 503);
  clock.advance(5min + 1us);
  EXPECT_TRUE(has("k1"));
}

TEST(Claims, AudiencesAreAllOrAny) {
  using identity::has_audience;
  const json::Object one{{"aud", "a"}};
  const json::Object two{{"aud", json::Array{"a", "b"}}};
  EXPECT_TRUE(has_audience(one, {"a"}, false));
  EXPECT_FALSE(has_audience(one, {"a", "b"}, false));
  EXPECT_TRUE(has_audience(one, {"a", "b"}, true));
  EXPECT_TRUE(has_audience(two, {"a", "b"}, false));
  EXPECT_FALSE(has_audience(two, {"c"}, true));
  EXPECT_FALSE(has_audience({}, {"a"}, true));
  EXPECT_FALSE(has_audience({{"aud", 1}}, {"a"}, true));
}

TEST(Claims, UnconfiguredAudiencesAreTheClientAppId) {
  App app;
  app.client_app_id = "shop-abcde";
  AuthProvider provider;
  const std::vector<std::string> own{"shop-abcde"};
  EXPECT_EQ(identity::wanted_audiences(provider, app), own);
  provider.config.set("audience", "");
  EXPECT_EQ(identity::wanted_audiences(provider, app), own);
  provider.config.set("audience", json::Array{});
  EXPECT_EQ(identity::wanted_audiences(provider, app), own);
  provider.config.set("audience", "mongodb.com");
  EXPECT_EQ(identity::wanted_audiences(provider, app), std::vector<std::string>{"mongodb.com"});
  provider.config.set("audience", json::Array{"a", "b"});
  EXPECT_EQ(identity::wanted_audiences(provider, app), (std::vector<std::string>{"a", "b"}));
}

TEST(Claims, PathsWalkObjectsAndEscapeDots) {
  const json::Object claims{{"a", json::Object{{"b", json::Object{{"c", 1}}}}},
                            {"a.b", 2},
                            {"list", json::Array{1, 2}},
                            {"none", nullptr}};
  EXPECT_EQ(*identity::value_at(claims, "a.b.c"), json::Value(1));
  EXPECT_EQ(*identity::value_at(claims, "a\\.b"), json::Value(2));
  EXPECT_EQ(*identity::value_at(claims, "list"), json::Value(json::Array{1, 2}));
  for (const char* missing : {"a.x", "a.b.c.d", "list.0", "none", "", "."}) {
    EXPECT_EQ(identity::value_at(claims, missing), nullptr) << missing;
  }
}

}  // namespace
}  // namespace keyturn::server::testing
