// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include <keyturn/base/clock.hpp>

#include "sdk/session/device_keys.hpp"
#include "sdk/transport/transport.hpp"

namespace keyturn::sdk {

/// Whether a request opens a session or carries a refresh token, so that a server may want to know who holds
/// the session's key. `url` is absolute.
enum class ProofFor { nothing, log_in, refresh_token };
[[nodiscard]] ProofFor proof_wanted(std::string_view method, std::string_view url) noexcept;

/// Adds a proof of possession of the device's key (DPoP, RFC 9449) to requests with a refresh token that is
/// bound to it, whoever bound it, with the nonce that the server gave last. When the server asks for a nonce
/// the request is sent once more with it, so a wrong clock costs one exchange and nothing else. A server that
/// knows nothing of proofs passes the header over, and the session is a bearer session.
///
/// A request whose key cannot be had is not sent; its error is that of `DeviceKeys`. Contract, thread safety:
/// as `HttpTransport`.
class PossessionTransport final : public HttpTransport {
 public:
  /// With `at_log_in` new sessions are bound as well; else they are bearer sessions.
  PossessionTransport(std::shared_ptr<HttpTransport> inner, std::shared_ptr<Clock> clock,
                      std::shared_ptr<IoLoop> loop, std::shared_ptr<DeviceKeys> keys, bool at_log_in);
  void send(HttpRequest request, Callback done) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace keyturn::sdk
