// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"
#include "server/domain/sessions/own_claims.hpp"
#include "tests/services/services_fixture.hpp"

// Row B-43: which token works where. The whole matrix, so that a new cell cannot be forgotten.
namespace keyturn::server::testing {
namespace {

enum class Endpoint { access, refresh_session, refresh_routes, log_out };
constexpr std::array kEndpoints{Endpoint::access, Endpoint::refresh_session, Endpoint::refresh_routes,
                                Endpoint::log_out};

class CrossUseTest : public ServicesTest {
 protected:
  struct Realm {
    std::string name;
    std::shared_ptr<const AppView> view;
    LoginTokens tokens;
  };

  void SetUp() override {
    other_id = apps.create("other", {})->id;
    ASSERT_TRUE(apps.add_provider(other_id, {{"type", "anon-user"}}));
    TokenSettingsPatch hs256;
    hs256.access_algorithm = "HS256";
    ASSERT_TRUE(apps.set_token_settings(other_id, hs256));
    ASSERT_TRUE(passwords.create_confirmed(*directory.admin_realm(), "root@example.com", "admin-password"));
  }

  std::vector<Realm> realms() {
    std::vector<Realm> all;
    const auto add = [&](std::string name, std::shared_ptr<const AppView> view, std::string_view type,
                         const json::Object& credentials) {
      auto tokens = sessions.log_in(*view, type, credentials, nullptr);
      ASSERT_TRUE(tokens) << name;
      all.push_back({std::move(name), std::move(view), *std::move(tokens)});
    };
    add("ES256 app", directory.by_id(app_id), "anon-user", {});
    add("HS256 app", directory.by_id(other_id), "anon-user", {});
    add("admin realm", directory.admin_realm(), "local-userpass",
        userpass("root@example.com", "admin-password"));
    return all;
  }

  /// The domain a token was accepted for; empty when it was refused.
  std::string used(Endpoint endpoint, std::string_view token) {
    switch (endpoint) {
      case Endpoint::access: {
        const auto checked = sessions.check_access(token);
        return checked ? checked->app->app.domain_id : "";
      }
      case Endpoint::refresh_session: {
        const auto access = sessions.refresh(token);
        return access ? check_token(directory, access->reveal())->claims.domain_id : "";
      }
      case Endpoint::refresh_routes: {
        const auto checked = sessions.check_refresh(token);
        return checked ? checked->app->app.domain_id : "";
      }
      case Endpoint::log_out: {
        const auto before = check_token(directory, token);
        return sessions.log_out(token) ? before->claims.domain_id : "";
      }
    }
    return {};
  }

  static std::string part(std::string_view token, int number) {
    for (; number > 0; --number) token.remove_prefix(token.find('.') + 1);
    return std::string(token.substr(0, token.find('.')));
  }
  static json::Object payload(std::string_view token) {
    return *json::parse(*crypto::base64url_decode(part(token, 1)))->as_object();
  }

  std::string other_id;
};

TEST_F(CrossUseTest, OnlyTheRightTypeWorksAndOnlyForItsOwnRealm) {
  for (const Endpoint endpoint : kEndpoints) {
    for (const Realm& realm : realms()) {
      const bool wants_access = endpoint == Endpoint::access;
      const std::string& own = realm.view->app.domain_id;
      EXPECT_EQ(used(endpoint, realm.tokens.access_token.reveal()), wants_access ? own : "") << realm.name;
      EXPECT_EQ(used(endpoint, realm.tokens.refresh_token.reveal()), wants_access ? "" : own) << realm.name;
    }
  }
}

TEST_F(CrossUseTest, ClaimsOfOneTokenUnderEveryKeyWorkOnlyUnderTheirOwn) {
  // Every payload (realm x type) signed with every key (realm x purpose x algorithm), tried at every
  // endpoint.
  for (const Endpoint endpoint : kEndpoints) {
    for (const Realm& from : realms()) {
      for (const bool is_access : {true, false}) {
        const std::string_view original =
            (is_access ? from.tokens.access_token : from.tokens.refresh_token).reveal();
        const std::string claims = json::write(json::Value(payload(original)));
        for (const Realm& signer : realms()) {
          const SigningKeys& keys_of = *signer.view->keys;
          for (const jwt::Key* key : {&keys_of.access_es256, &keys_of.access_hs256, &keys_of.refresh_hs256}) {
            const bool same_realm = signer.view->app.domain_id == from.view->app.domain_id;
            const bool same_purpose = (key != &keys_of.refresh_hs256) == is_access;
            const bool right_type = (endpoint == Endpoint::access) == is_access;
            const std::string result = used(endpoint, jwt::mint(*key, claims));
            const bool may_work = same_realm && same_purpose && right_type;
            if (!may_work) {
              EXPECT_EQ(result, "") << from.name << " under a key of " << signer.name;
            } else if (endpoint != Endpoint::log_out) {
              EXPECT_EQ(result, from.view->app.domain_id) << from.name;
            }
          }
        }
      }
    }
  }
}

TEST_F(CrossUseTest, AnAlgorithmIsAPropertyOfTheKey) {
  const Realm realm = std::move(realms()[0]);
  const std::string claims = part(realm.tokens.access_token.reveal(), 1);
  const std::string signature = part(realm.tokens.access_token.reveal(), 2);
  const SigningKeys& own = *realm.view->keys;
  for (const std::string& kid :
       {own.access_es256.id(), own.access_hs256.id(), own.refresh_hs256.id(), std::string("unknown")}) {
    for (const char* algorithm : {"none", "HS256", "ES256", "RS256", "EdDSA", "es256"}) {
      if (kid == own.access_es256.id() && algorithm == std::string_view("ES256")) continue;
      const json::Object header{{"alg", algorithm}, {"kid", kid}, {"typ", "JWT"}};
      const std::string head = crypto::base64url_encode(json::write(json::Value(header)));
      EXPECT_FALSE(check_token(directory, head + "." + claims + "." + signature)) << kid << " " << algorithm;
      EXPECT_FALSE(check_token(directory, head + "." + claims + ".")) << kid << " " << algorithm;
    }
  }
}

TEST_F(CrossUseTest, EachClaimIsMandatoryAndOfItsKind) {
  const Realm realm = std::move(realms()[0]);
  const jwt::Key& access_key = realm.view->keys->access_es256;
  const jwt::Key& refresh_key = realm.view->keys->refresh_hs256;
  const json::Object access = payload(realm.tokens.access_token.reveal());
  const json::Object refresh = payload(realm.tokens.refresh_token.reveal());
  ASSERT_TRUE(check_token(directory, jwt::mint(access_key, json::write(json::Value(access)))));
  for (const char* name : {"baas_device_id", "baas_domain_id", "exp", "iat", "iss", "sub", "typ"}) {
    for (const bool is_absent : {true, false}) {
      json::Object odd = access;
      is_absent ? static_cast<void>(odd.erase(name)) : static_cast<void>(odd.set(name, json::Array{}));
      EXPECT_THAT(check_token(directory, jwt::mint(access_key, json::write(json::Value(odd)))),
                  SaysOver("unauthorized", EndReason::none))
          << name;
    }
  }
  for (const char* name : {"baas_device_id", "baas_domain_id", "baas_id", "exp", "iat", "sub", "typ"}) {
    json::Object odd = refresh;
    odd.erase(name);
    EXPECT_FALSE(check_token(directory, jwt::mint(refresh_key, json::write(json::Value(odd))))) << name;
  }
}

TEST_F(CrossUseTest, AKeyOfAnotherAppIsRefusedBeforeAnySessionIsLookedFor) {
  const std::vector<Realm> all = realms();
  const std::string claims = json::write(json::Value(payload(all[0].tokens.refresh_token.reveal())));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_own = i == 0;
    EXPECT_EQ(check_token(directory, jwt::mint(all[i].view->keys->refresh_hs256, claims)).has_value(), is_own)
        << i;
  }
}

TEST_F(CrossUseTest, TokensOfARemovedAppAreUnauthorized) {
  const std::vector<Realm> all = realms();
  ASSERT_TRUE(apps.remove(app_id));
  EXPECT_THAT(sessions.check_access(all[0].tokens.access_token.reveal()),
              SaysOver("unauthorized", EndReason::none));
  EXPECT_TRUE(sessions.check_access(all[1].tokens.access_token.reveal()));
}

TEST_F(CrossUseTest, AccessTokensSurviveAChangeOfTheAlgorithm) {
  const LoginTokens tokens = log_in("anon-user", {});
  TokenSettingsPatch patch;
  patch.access_algorithm = "HS256";
  set_tokens(patch);
  EXPECT_TRUE(sessions.check_access(tokens.access_token.reveal()));
  EXPECT_TRUE(sessions.check_access(sessions.refresh(tokens.refresh_token.reveal())->reveal()));
}

TEST_F(CrossUseTest, TokensHaveExactlyTheDocumentedShape) {
  const LoginTokens tokens = log_in_new("a@example.com");
  const AppView& view = app();
  const Caller who = caller(tokens);
  const std::string& domain = view.app.domain_id;
  const std::string session = who.principal.session_id;
  const std::string now = "1700000000";
  const std::string zeros(kNoDevice);
  EXPECT_EQ(*crypto::base64url_decode(part(tokens.access_token.reveal(), 0)),
            R"({"alg":"ES256","kid":")" + view.keys->access_es256.id() + R"(","typ":"JWT"})");
  EXPECT_EQ(*crypto::base64url_decode(part(tokens.access_token.reveal(), 1)),
            R"({"baas_device_id":")" + zeros + R"(","baas_domain_id":")" + domain +
                R"(","exp":1700001800,"iat":)" + now + R"(,"iss":")" + session + R"(","stitch_devId":")" +
                zeros + R"(","stitch_domainId":")" + domain + R"(","sub":")" + tokens.user_id +
                R"(","typ":"access"})");
  const Identity identity = users.get(app_id, tokens.user_id)->identities[0];
  const std::string ident = R"({"id":")" + identity.id +
                            R"(","provider_type":"local-userpass","provider_id":")" + identity.provider_id +
                            R"("})";
  EXPECT_EQ(*crypto::base64url_decode(part(tokens.refresh_token.reveal(), 0)),
            R"({"alg":"HS256","kid":")" + view.keys->refresh_hs256.id() + R"(","typ":"JWT"})");
  EXPECT_EQ(*crypto::base64url_decode(part(tokens.refresh_token.reveal(), 1)),
            R"({"baas_data":null,"baas_device_id":")" + zeros + R"(","baas_domain_id":")" + domain +
                R"(","baas_id":")" + session + R"(","baas_identity":)" + ident +
                R"(,"exp":1705184000,"iat":)" + now + R"(,"stitch_data":null,"stitch_devId":")" + zeros +
                R"(","stitch_domainId":")" + domain + R"(","stitch_id":")" + session +
                R"(","stitch_ident":)" + ident + R"(,"sub":")" + tokens.user_id + R"(","typ":"refresh"})");
}

TEST_F(CrossUseTest, OwnClaimsAreReadAlikeWithAndWithoutTheParser) {
  const json::Object device{{"platform", "Linux"}};
  const LoginTokens tokens = log_in("anon-user", {}, &device);
  for (const bool is_access : {true, false}) {
    const std::string_view token = (is_access ? tokens.access_token : tokens.refresh_token).reveal();
    const TokenType type = is_access ? TokenType::access : TokenType::refresh;
    const std::string text = *crypto::base64url_decode(part(token, 1));
    const auto quick = read_own_claims(text, type);
    ASSERT_TRUE(quick) << "the quick way must take what we mint";
    const SigningKeys& own = *app().keys;
    // A blank makes it another text with the same meaning, which only the parser takes.
    const auto parsed =
        check_token(directory, jwt::mint(is_access ? own.access_es256 : own.refresh_hs256, " " + text));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(quick->session_id, parsed->claims.session_id);
    EXPECT_EQ(quick->user_id, parsed->claims.user_id);
    EXPECT_EQ(quick->device_id, parsed->claims.device_id);
    EXPECT_EQ(quick->domain_id, parsed->claims.domain_id);
    EXPECT_EQ(quick->issued_at, parsed->claims.issued_at);
    EXPECT_EQ(quick->expires_at, parsed->claims.expires_at);
    EXPECT_FALSE(read_own_claims(text, is_access ? TokenType::refresh : TokenType::access));
    for (std::size_t cut = 0; cut < text.size(); ++cut)
      EXPECT_FALSE(read_own_claims(text.substr(0, cut), type));
    EXPECT_FALSE(read_own_claims(text + " ", type));
  }
}

TEST_F(CrossUseTest, AnIdentityIdWithQuotesCannotSpeakForTheToken) {
  Session session;
  session.id = "0123456789abcdef01234567";
  session.user_id = "1123456789abcdef01234567";
  session.device_id = std::string(kNoDevice);
  session.provider_type = "custom-function";
  session.provider_id = "2123456789abcdef01234567";
  session.identity_id = R"(x"},"exp":9999999999,"iat":1,"sub":"somebody","typ":"refresh"})";
  session.created = clock.wall_now();
  session.refresh_expires = clock.wall_now() + 1h;
  const auto checked = check_token(directory, mint_refresh_token(app(), session));
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->claims.user_id, session.user_id);
  EXPECT_EQ(checked->claims.expires_at, session.refresh_expires);
}

TEST_F(CrossUseTest, UserDataTravelsInTheAccessToken) {
  const LoginTokens tokens = log_in("anon-user", {});
  const json::Object data{{"name", "Ann \"\xC3\xA9\""}, {"level", 3}};
  const std::string token =
      mint_access_token(app(), caller(tokens).claims, clock.wall_now(), json::write(json::Value(data)));
  EXPECT_EQ(check_token(directory, token)->claims.user_data, data);
}

}  // namespace
}  // namespace keyturn::server::testing
