// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <keyturn/base/error.hpp>

namespace keyturn {

/// How an `App` reaches its server. A plain value; every member has a usable default.
struct NetworkConfiguration {
  /// "http://proxy.example:3128", or with `https://`, `socks5://` or `socks5h://`. "direct": none. Empty: as
  /// the environment says (`https_proxy`, `no_proxy`), as libcurl documents it. An https server is reached
  /// through a tunnel, so that no proxy sees a token; of an http server it sees everything.
  std::string proxy{};
  /// Certificate authorities as PEM, in place of the system's.
  std::filesystem::path ca_file{};
  /// Public keys of the server, one of which it must show besides a valid certificate, each as
  /// "sha256//" and the base64 of the key's SHA-256 (RFC 7469 section 2.4). Empty: any. Give a spare one: a
  /// server that shows none of them cannot be reached, and the sessions wait for an update of the app.
  std::vector<std::string> pinned_keys{};
  /// Limit of one exchange that the SDK makes for itself, a refresh or a log-out.
  /// `App::configuration::request_timeout` limits a call as a whole, with all exchanges that it needs.
  std::chrono::milliseconds attempt_timeout{20'000};
};

/// Whether refreshing works at the moment, for one user in this process.
///
/// `closed` is the usual state. A refresh that fails for a passing cause opens the circuit: until `retry_in`
/// is over nothing is sent, and calls that hold no valid token answer `RefreshSuspended` at once. Then it is
/// `half_open`: the next call that needs a refresh tries, and the answer closes or opens it. The pauses grow
/// at random up to a minute and obey the server's `Retry-After`; in ten minutes no more than thirty tries are
/// made. The session is kept whatever the state is.
struct RefreshCircuit {
  enum class State { closed, open, half_open };
  State state = State::closed;
  int failures = 0;                       ///< In a row.
  std::chrono::milliseconds retry_in{0};  ///< While `open`; else 0.
  ErrorCode last_error =
      ErrorCode::AppUnknownError;  ///< Of the latest failure; means nothing while `closed`.
};

}  // namespace keyturn
