// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"
#include "core/jwt/possession_proof.hpp"
#include "tests/contract/exchange_runner.hpp"

// Sessions that are bound to a key (RFC 9449): the wire of the hosted service with headers added.
namespace keyturn::contract {
namespace {

class Possession : public ::testing::Test {
 protected:
  Possession() {
    runner.run_file("02_login_anonymous.json");
    client = substitute(std::string_view("${client}"), runner.names());
    login =
        substitute(std::string_view("${client}/app/${app}/auth/providers/anon-user/login"), runner.names());
    session = client + "/auth/session";
  }

  [[nodiscard]] std::string proof(const std::string& method, const std::string& path, WallTime made,
                                  const std::string& nonce = {}) {
    return jwt::mint_proof(key,
                           {method, "http://localhost" + path, "id-" + std::to_string(count++), made, nonce});
  }
  HttpResponse send(const std::string& method, const std::string& path, const std::string& bearer,
                    const std::string& proof_text, const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.url = path;
    request.headers = {{"Host", "localhost"}, {"Content-Type", "application/json"}};
    if (!bearer.empty()) request.headers.emplace_back("Authorization", "Bearer " + bearer);
    if (!proof_text.empty()) request.headers.emplace_back("DPoP", proof_text);
    request.body = body;
    return server.ask(request);
  }
  [[nodiscard]] HttpResponse log_in(const std::string& proof_text) {
    return send("POST", login, "", proof_text, "{}");
  }
  HttpResponse refresh(const std::string& token, const std::string& proof_text) {
    return send("POST", session, token, proof_text);
  }
  [[nodiscard]] static std::string member(const HttpResponse& answer, const char* name) {
    const auto body = json::parse(answer.body);
    return body ? std::string(body->string_at(name).value_or("")) : "";
  }
  [[nodiscard]] WallTime now() { return server.clock().wall_now(); }

  ContractServer server;
  ExchangeRunner runner{server};
  std::string client;
  std::string login;
  std::string session;
  const jwt::Key key = jwt::Key::generate_es256("device");
  int count = 0;
};

TEST_F(Possession, ASessionBoundAtLogInRefreshesWithItsKeyOnly) {
  const HttpResponse answer = log_in(proof("POST", login, now()));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(find_header(answer.headers, "DPoP-Nonce").has_value());
  const std::string token = member(answer, "refresh_token");
  for (const char* which : {"access_token", "refresh_token"}) {
    const auto claims = jwt::read_unverified(member(answer, which));
    const json::Value* confirmation = claims->find("cnf");
    ASSERT_NE(confirmation, nullptr) << which;
    EXPECT_EQ(confirmation->string_at("jkt"), jwt::thumbprint_of(key)) << which;
  }

  const HttpResponse good = refresh(token, proof("POST", session, now()));
  EXPECT_EQ(good.status, 201) << good.body;
  EXPECT_NE(jwt::read_unverified(member(good, "access_token"))->find("cnf"), nullptr);

  const HttpResponse unbound = refresh(token, "");
  EXPECT_EQ(unbound.status, 400);
  EXPECT_EQ(member(unbound, "error_code"), "InvalidDpopProof");
  EXPECT_EQ(member(unbound, "reason"), "");

  const std::string foreign = jwt::mint_proof(jwt::Key::generate_es256("thief"),
                                              {"POST", "http://localhost" + session, "t", now(), ""});
  EXPECT_EQ(member(refresh(token, foreign), "error_code"), "InvalidDpopProof");
  EXPECT_EQ(refresh(token, proof("POST", session, now())).status, 201) << "the session is untouched";
}

TEST_F(Possession, AWrongClockIsAnsweredWithANonceThatMendsIt) {
  const std::string token = member(log_in(proof("POST", login, now())), "refresh_token");
  const WallTime years_off = now() - std::chrono::hours(30'000);
  const HttpResponse asked = refresh(token, proof("POST", session, years_off));
  EXPECT_EQ(asked.status, 400);
  EXPECT_EQ(member(asked, "error_code"), "UseDpopNonce");
  const auto nonce = find_header(asked.headers, "DPoP-Nonce");
  ASSERT_TRUE(nonce.has_value());
  EXPECT_EQ(refresh(token, proof("POST", session, years_off, std::string(*nonce))).status, 201);
}

TEST_F(Possession, AProofCountsOnceAndForItsOwnRequest) {
  const std::string token = member(log_in(proof("POST", login, now())), "refresh_token");
  const std::string once = proof("POST", session, now());
  EXPECT_EQ(refresh(token, once).status, 201);
  EXPECT_EQ(member(refresh(token, once), "error_code"), "InvalidDpopProof");
  EXPECT_EQ(member(refresh(token, proof("POST", login, now())), "error_code"), "InvalidDpopProof");
}

// Whoever passes a proof on chooses the Host of the request as well.
TEST_F(Possession, AProofForAnotherServerIsRefusedWhateverTheHostSays) {
  const auto log_in_at = [&](const std::string& origin, const std::string& host) {
    HttpRequest request{"POST",
                        login,
                        {{"Host", host},
                         {"Content-Type", "application/json"},
                         {"DPoP", jwt::mint_proof(key, {"POST", origin + login,
                                                        "at-" + std::to_string(count++), now(), ""})}},
                        "{}",
                        {}};
    return server.ask(request);
  };
  const HttpResponse foreign = log_in_at("http://evil.example", "evil.example");
  EXPECT_EQ(foreign.status, 400);
  EXPECT_EQ(member(foreign, "error_code"), "InvalidDpopProof");
  EXPECT_NE(member(foreign, "error").find("public_url"), std::string::npos) << foreign.body;
  EXPECT_EQ(log_in_at("http://localhost", "evil.example").status, 200);
  EXPECT_EQ(log_in_at("HTTP://LOCALHOST:80", "localhost").status, 200);
}

TEST_F(Possession, AStolenRefreshTokenMakesNoApiKeys) {
  const std::string token = member(log_in(proof("POST", login, now())), "refresh_token");
  const std::string keys = client + "/auth/api_keys";
  EXPECT_EQ(member(send("POST", keys, token, "", R"({"name":"k"})"), "error_code"), "InvalidDpopProof");
  // With the proof it is the next rule that answers: anonymous users have no keys.
  const HttpResponse proven = send("POST", keys, token, proof("POST", keys, now()), R"({"name":"k"})");
  EXPECT_NE(member(proven, "error_code"), "InvalidDpopProof") << proven.body;
}

TEST_F(Possession, ADeviceThatLostItsKeyMayLogOut) {
  const std::string token = member(log_in(proof("POST", login, now())), "refresh_token");
  EXPECT_EQ(send("DELETE", session, token, "").status, 204);
  const HttpResponse over = refresh(token, proof("POST", session, now()));
  EXPECT_EQ(over.status, 401);
  EXPECT_EQ(member(over, "reason"), "logged_out");
}

TEST_F(Possession, ABrokenProofOpensNoSession) {
  EXPECT_EQ(member(log_in("x.y.z"), "error_code"), "InvalidDpopProof");
}

TEST_F(Possession, AnAppMayRequireIt) {
  const auto set = [&](bool required) {
    return runner
        .ask(json::Object{{"method", "PATCH"},
                          {"path", "${admin_api}/groups/${group}/apps/${app_id}/security/session_settings"},
                          {"bearer", "${admin}"},
                          {"body", json::Object{{"require_bound_sessions", required}}}})
        .status;
  };
  const std::string unbound = member(log_in(""), "refresh_token");
  ASSERT_EQ(set(true), 200);
  EXPECT_EQ(member(log_in(""), "error_code"), "InvalidDpopProof");
  const HttpResponse bound = log_in(proof("POST", login, now()));
  EXPECT_EQ(bound.status, 200);
  EXPECT_EQ(refresh(member(bound, "refresh_token"), proof("POST", session, now())).status, 201);

  // A session that was opened before is no way around it, and is not ended by it either.
  const HttpResponse refused = refresh(unbound, "");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(member(refused, "error_code"), "InvalidDpopProof");
  EXPECT_EQ(refresh(unbound, proof("POST", session, now())).status, 400)
      << "a proof binds nothing afterwards";
  ASSERT_EQ(set(false), 200);
  EXPECT_EQ(refresh(unbound, "").status, 201);
  EXPECT_EQ(log_in("").status, 200);
}

TEST_F(Possession, ASessionWithoutAProofStaysABearerSession) {
  const HttpResponse answer = log_in("");
  EXPECT_EQ(jwt::read_unverified(member(answer, "refresh_token"))->find("cnf"), nullptr);
  EXPECT_FALSE(find_header(answer.headers, "DPoP-Nonce").has_value());
  EXPECT_EQ(refresh(member(answer, "refresh_token"), "").status, 201);
}

}  // namespace
}  // namespace keyturn::contract
