// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/possession_transport.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "core/crypto/crypto.hpp"
#include "core/jwt/possession_proof.hpp"
#include "core/testing/fake_clock.hpp"
#include "sdk/session/testing/device_keys.hpp"
#include "sdk/session/testing/manual_loop.hpp"

namespace keyturn::sdk {
namespace {

constexpr const char* kRefresh = "https://example.com/api/client/v2.0/auth/session";

/// Answers at once what the test has laid ready.
class Canned final : public HttpTransport {
 public:
  void send(HttpRequest request, Callback done) override {
    requests.push_back(std::move(request));
    HttpResponse answer = answers.front();
    answers.pop_front();
    done(std::move(answer));
  }
  std::deque<HttpResponse> answers;
  std::vector<HttpRequest> requests;
};

HttpResponse refusal(const char* code, const char* nonce) {
  return {400,
          {{"Content-Type", "application/json"}, {"DPoP-Nonce", nonce}},
          R"({"error":"x","error_code":")" + std::string(code) + R"("})"};
}

std::string token_bound_to(const std::string& thumbprint) {
  return crypto::base64url_encode("{}") + "." +
         crypto::base64url_encode(R"({"cnf":{"jkt":")" + thumbprint + R"("}})") + ".c2ln";
}

class PossessionTransportTest : public ::testing::Test {
 protected:
  int send(const char* method, const char* url) {
    int status = 0;
    HttpRequest request;
    request.method = method;
    request.url = url;
    request.headers = {{"Authorization", "Bearer " + token}};
    request.body = "body";
    transport.send(request, [&](Result<HttpResponse> answer) {
      ++answered;
      status = answer ? answer->status : -1;
      if (!answer) error = answer.error();
    });
    loop->run();
    return status;
  }
  [[nodiscard]] jwt::CheckedProof proof(std::size_t index) const {
    const auto line = find_header(canned->requests.at(index).headers, "DPoP");
    EXPECT_TRUE(line.has_value());
    return jwt::check_proof(*line).value();
  }

  const std::shared_ptr<Canned> canned = std::make_shared<Canned>();
  const std::shared_ptr<keyturn::testing::FakeClock> clock = std::make_shared<keyturn::testing::FakeClock>();
  const std::shared_ptr<testing::ManualLoop> loop = std::make_shared<testing::ManualLoop>(*clock);
  const jwt::Key key = jwt::Key::generate_es256("device");
  const std::shared_ptr<testing::TestDeviceKeys> keys = std::make_shared<testing::TestDeviceKeys>(key);
  PossessionTransport transport{canned, clock, loop, keys, true};
  std::string token = token_bound_to(jwt::thumbprint_of(key));
  Error error;
  int answered = 0;
};

TEST(ProofWanted, ByWhatOpensASessionOrCarriesARefreshToken) {
  const char* const base = "https://example.com/api/client/v2.0";
  const auto wanted = [&](const char* method, const char* path) {
    return proof_wanted(method, std::string(base) + path);
  };
  EXPECT_EQ(wanted("POST", "/auth/session"), ProofFor::refresh_token);
  EXPECT_EQ(wanted("GET", "/auth/api_keys"), ProofFor::refresh_token);
  EXPECT_EQ(wanted("DELETE", "/auth/api_keys/1"), ProofFor::refresh_token);
  EXPECT_EQ(wanted("POST", "/app/x/auth/providers/anon-user/login"), ProofFor::log_in);
  EXPECT_EQ(wanted("POST", "/app/x/auth/providers/anon-user/login?link=true"), ProofFor::log_in);
  EXPECT_EQ(wanted("DELETE", "/auth/session"), ProofFor::nothing);
  EXPECT_EQ(wanted("GET", "/auth/profile"), ProofFor::nothing);
  EXPECT_EQ(wanted("POST", "/app/x/functions/call"), ProofFor::nothing);
  EXPECT_EQ(wanted("POST", "/app/x/functions/call?a=/auth/session"), ProofFor::nothing);
}

TEST_F(PossessionTransportTest, BindsNoNewSessionUnlessAskedTo) {
  PossessionTransport unasked(canned, clock, loop, keys, false);
  canned->answers = {{200, {}, "{}"}, {200, {}, "{}"}};
  HttpRequest request;
  request.method = "POST";
  request.url = "https://example.com/api/client/v2.0/app/x/auth/providers/anon-user/login";
  unasked.send(request, [](const Result<HttpResponse>&) {});
  transport.send(request, [](const Result<HttpResponse>&) {});
  EXPECT_FALSE(find_header(canned->requests[0].headers, "DPoP").has_value());
  EXPECT_TRUE(find_header(canned->requests[1].headers, "DPoP").has_value());
}

// A session that another process bound, and one that nobody did.
TEST_F(PossessionTransportTest, LooksForTheKeyWhenATokenWantsIt) {
  PossessionTransport unasked(canned, clock, loop, keys, false);
  canned->answers = {{201, {}, "{}"}, {201, {}, "{}"}};
  HttpRequest request;
  request.method = "POST";
  request.url = kRefresh;
  request.headers = {{"Authorization", "Bearer " + token_bound_to("")}};
  unasked.send(request, [](const Result<HttpResponse>&) {});
  EXPECT_EQ(keys->lookups, 0);
  EXPECT_FALSE(find_header(canned->requests[0].headers, "DPoP").has_value());
  request.headers = {{"Authorization", "Bearer " + token}};
  unasked.send(request, [](const Result<HttpResponse>&) {});
  EXPECT_EQ(keys->lookups, 1);
  EXPECT_EQ(proof(1).thumbprint, jwt::thumbprint_of(key));
}

TEST_F(PossessionTransportTest, SendsNothingWithoutTheKey) {
  keys->key.reset();
  EXPECT_EQ(send("POST", kRefresh), -1);
  EXPECT_EQ(error.code, ErrorCode::DeviceKeyUnavailable);
  EXPECT_EQ(answered, 1);
  EXPECT_TRUE(canned->requests.empty());
  keys->key = key;
  canned->answers = {{201, {}, "{}"}};
  EXPECT_EQ(send("POST", kRefresh), 201) << "it came back";
}

TEST_F(PossessionTransportTest, ProvesTheKeyForExactlyThisRequest) {
  canned->answers = {{201, {}, "{}"}};
  EXPECT_EQ(send("POST", "https://example.com/api/client/v2.0/auth/session?x=1"), 201);
  EXPECT_EQ(proof(0).thumbprint, jwt::thumbprint_of(key));
  EXPECT_EQ(proof(0).claims.method, "POST");
  EXPECT_EQ(proof(0).claims.url, kRefresh);
  EXPECT_EQ(proof(0).claims.nonce, "");
  EXPECT_EQ(answered, 1);
}

TEST_F(PossessionTransportTest, LeavesOtherRequestsAsTheyAre) {
  canned->answers = {{200, {}, "{}"}};
  EXPECT_EQ(send("GET", "https://example.com/api/client/v2.0/auth/profile"), 200);
  EXPECT_FALSE(find_header(canned->requests[0].headers, "DPoP").has_value());
}

TEST_F(PossessionTransportTest, SendsOnceMoreWithTheNonceThatTheServerAsksFor) {
  canned->answers = {refusal("UseDpopNonce", "n-1"), {201, {{"DPoP-Nonce", "n-2"}}, "{}"}, {201, {}, "{}"}};
  EXPECT_EQ(send("POST", kRefresh), 201);
  EXPECT_EQ(answered, 1);
  ASSERT_EQ(canned->requests.size(), 2U);
  EXPECT_EQ(proof(1).claims.nonce, "n-1");
  EXPECT_NE(proof(0).claims.id, proof(1).claims.id);
  EXPECT_EQ(canned->requests[1].body, "body");
  EXPECT_EQ(send("POST", kRefresh), 201);
  EXPECT_EQ(proof(2).claims.nonce, "n-2");
}

TEST_F(PossessionTransportTest, AsksOnlyOnceMore) {
  canned->answers = {refusal("UseDpopNonce", "n-1"), refusal("UseDpopNonce", "n-2")};
  EXPECT_EQ(send("POST", kRefresh), 400);
  EXPECT_EQ(canned->requests.size(), 2U);
  EXPECT_EQ(answered, 1);
}

TEST_F(PossessionTransportTest, OtherRefusalsAreTheCallers) {
  canned->answers = {refusal("InvalidDpopProof", "n-1")};
  EXPECT_EQ(send("POST", kRefresh), 400);
  EXPECT_EQ(canned->requests.size(), 1U);
}

TEST_F(PossessionTransportTest, AnEndlessNonceIsNotKept) {
  canned->answers = {{201, {{"DPoP-Nonce", std::string(257, 'x')}}, "{}"}, {201, {}, "{}"}};
  send("POST", kRefresh);
  send("POST", kRefresh);
  EXPECT_EQ(proof(1).claims.nonce, "");
}

}  // namespace
}  // namespace keyturn::sdk
