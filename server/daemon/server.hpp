// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "server/daemon/log.hpp"
#include "server/daemon/options.hpp"

namespace keyturn::server::daemon {

/// What a first start must tell its operator.
struct FirstAdmin {
  std::string email;
  Secret generated_password;  ///< Empty when the operator gave one.
};

/// The whole server, put together.
///
/// Thread safety: one thread. Lifetime: log and clock must outlive it.
class Server {
 public:
  /// Opens the stores, makes what a first start needs, and listens. `admin_password` may be empty.
  /// Errors: one clear line.
  static Result<std::unique_ptr<Server>> start(const Config& config, const Secret& admin_password, Log& log,
                                               Clock& clock);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Stops.
  ~Server();

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Set when this start made the first administrator.
  [[nodiscard]] const std::optional<FirstAdmin>& first_admin() const noexcept;
  /// Answers what is under way, at most ten seconds, then closes everything.
  void stop();

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace keyturn::server::daemon
