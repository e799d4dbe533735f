// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/possession_transport.hpp"

#include <mutex>
#include <string>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/jwt/possession_proof.hpp"
#include "core/protocol/error_body.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/session/token_claims.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::string_view kProofHeader = "DPoP";
constexpr std::string_view kNonceHeader = "DPoP-Nonce";
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kLongestNonce = 256;

std::string_view without_query(std::string_view url) { return url.substr(0, url.find_first_of("?#")); }

std::string_view bearer_of(const HttpRequest& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto line = find_header(request.headers, "authorization");
  return line && line->starts_with(kScheme) ? line->substr(kScheme.size()) : std::string_view();
}

bool asks_for_nonce(const Result<HttpResponse>& answer) {
  return answer && answer->status == 400 && find_header(answer->headers, kNonceHeader) &&
         protocol::error_of(*answer).code == ErrorCode::UseDpopNonce;
}

}  // namespace

ProofFor proof_wanted(std::string_view method, std::string_view url) noexcept {
  const std::string_view path = without_query(url);
  if (path.find("/auth/api_keys") != std::string_view::npos) return ProofFor::refresh_token;
  if (method != "POST") return ProofFor::nothing;
  if (path.ends_with(protocol::kSessionPath)) return ProofFor::refresh_token;
  return path.ends_with("/login") ? ProofFor::log_in : ProofFor::nothing;
}

struct PossessionTransport::State {
  [[nodiscard]] HttpRequest proven(const HttpRequest& request, const jwt::Key& key) {
    HttpRequest copy = request;
    jwt::PossessionClaims claims{request.method,
                                 std::string(without_query(request.url)),
                                 crypto::base64url_encode(crypto::random_bytes(kIdBytes)),
                                 clock->wall_now(),
                                 {}};
    {
      const std::scoped_lock lock(mutex);
      claims.nonce = nonce;
    }
    copy.headers.emplace_back(kProofHeader, jwt::mint_proof(key, claims));
    return copy;
  }
  void learn(const Result<HttpResponse>& answer) {
    if (!answer) return;
    const auto given = find_header(answer->headers, kNonceHeader);
    if (!given || given->empty() || given->size() > kLongestNonce) return;
    const std::scoped_lock lock(mutex);
    nonce = *given;
  }

  const std::shared_ptr<HttpTransport> inner;
  const std::shared_ptr<Clock> clock;
  const std::shared_ptr<IoLoop> loop;
  const std::shared_ptr<DeviceKeys> keys;
  const bool at_log_in;
  std::mutex mutex;  // a leaf
  std::string nonce;
};

PossessionTransport::PossessionTransport(std::shared_ptr<HttpTransport> inner, std::shared_ptr<Clock> clock,
                                         std::shared_ptr<IoLoop> loop, std::shared_ptr<DeviceKeys> keys,
                                         bool at_log_in)
    : state_(new State{
          std::move(inner), std::move(clock), std::move(loop), std::move(keys), at_log_in, {}, {}}) {}

void PossessionTransport::send(HttpRequest request, Callback done) {
  const ProofFor wanted = proof_wanted(request.method, request.url);
  const std::string bound_to =
      wanted == ProofFor::refresh_token ? key_bound_to(bearer_of(request)) : std::string();
  const bool binds = wanted == ProofFor::log_in && state_->at_log_in;
  if (bound_to.empty() && !binds) return state_->inner->send(std::move(request), std::move(done));
  auto key = binds ? state_->keys->find_or_make() : state_->keys->find(bound_to);
  if (!key) {
    wipe_message(request);
    return state_->loop->post([done = std::move(done), error = key.error()] { done(error); });
  }
  HttpRequest first = state_->proven(request, *key);
  state_->inner->send(std::move(first), [state = state_, key = std::move(*key), request = std::move(request),
                                         done = std::move(done)](Result<HttpResponse> answer) mutable {
    state->learn(answer);
    if (!asks_for_nonce(answer)) {
      wipe_message(request);
      return done(std::move(answer));
    }
    HttpRequest again = state->proven(request, key);
    wipe_message(request);
    state->inner->send(std::move(again), [state, done = std::move(done)](Result<HttpResponse> second) {
      state->learn(second);
      done(std::move(second));
    });
  });
}

}  // namespace keyturn::sdk
