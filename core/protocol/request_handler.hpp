// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include <keyturn/base/http.hpp>

namespace keyturn::protocol {

/// Where a request is worked on, so that slow work of one kind never delays another (problem 20, rows B-68,
/// B-103).
enum class Lane {
  immediate,  ///< On the I/O thread: memory and one indexed read at most (refresh, log-in state, profile,
              ///< location).
  storage,    ///< May wait for a durable commit.
  password,   ///< Hashes a password: at most cores - 1 at once (rule V15).
};

/// What the listener must know before it reads a body.
struct Plan {
  Lane lane = Lane::immediate;
  std::size_t max_body_bytes = std::size_t{1} * 1024 * 1024;  ///< decisions.md "body sizes"; above: 413.
};

/// Gives the answer. May be called from any thread, exactly once.
using Respond = std::function<void(HttpResponse)>;

/// What a listener asks of those who answer. Implemented by server/api, called by server/http, which do not
/// know each other.
///
/// Thread safety: every member may be called from several threads at once.
class RequestHandler {
 public:
  RequestHandler() = default;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;
  virtual ~RequestHandler() = default;

  /// `target` is the path with its query in origin form, as received, not decoded.
  [[nodiscard]] virtual Plan plan(std::string_view method, std::string_view target) const noexcept = 0;

  /// Answers one request. `request.url` is the target in origin form, as received; the header lines are
  /// complete and already checked for form (rule V17).
  virtual void handle(HttpRequest request, Respond respond) = 0;

  /// The answer to a request that the listener itself turns down (400, 405, 408, 413, 414, 431, 503): the
  /// same error body, request id and CORS headers as any other. `head` holds what could be read of it.
  [[nodiscard]] virtual HttpResponse refuse(int status, std::string_view why, const HttpRequest& head) = 0;
};

}  // namespace keyturn::protocol
