// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

namespace keyturn::server::http {

struct FetchOptions {
  std::size_t max_body_bytes = std::size_t{64} * 1024;
  std::chrono::milliseconds deadline{5'000};  ///< Of the whole: name, connection, TLS, answer.
  /// Also fetch from addresses of private and loopback networks. Off: an address that an administrator of an
  /// app can choose must not reach what only the server can reach.
  bool allow_private_addresses = false;
};

/// Whether an IP address is one of the public Internet (RFC 6890, RFC 4193, RFC 4291). False for what is no
/// address.
[[nodiscard]] bool is_public_address(std::string_view address) noexcept;

/// Fetches small documents by `http:` or `https:` URL, from the addresses that it checked itself. Verifies
/// certificates against the system's authorities. Never follows a redirect.
///
/// Thread safety: `get` from several threads; it blocks up to the deadline. The destructor waits for a
/// look-up of a name that is under way.
class Fetcher {
 public:
  Fetcher(FetchOptions options, Clock& clock);
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;
  ~Fetcher();

  /// The body of a 200 answer. Errors: `InvalidConfiguration` for a URL or address that is not allowed,
  /// `ServiceUnavailable` for everything that may pass.
  [[nodiscard]] Result<std::string> get(std::string_view url);

 private:
  class Resolver;
  FetchOptions options_;
  Clock& clock_;
  std::unique_ptr<Resolver> resolver_;
};

}  // namespace keyturn::server::http
