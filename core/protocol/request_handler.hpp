// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <keyturn/base/http.hpp>

namespace keyturn::protocol {

/// Where a request is worked on, so that slow work of one kind never delays another (problem 20, rows B-68,
/// B-103).
enum class Lane {
  immediate,  ///< On the I/O thread: memory and one indexed read at most (refresh, log-in state, profile,
              ///< location).
  storage,    ///< May wait for a durable commit.
  password,   ///< Hashes a password: at most cores - 1 at once (rule V15).
  function,   ///< Waits for a function worker, seconds at times.
};

/// On whose account a request takes part of its lane: numbers that tell apps, and callers, apart. One app's
/// or one caller's slow requests then never take all of it (row B-87). 0: on nobody's.
struct Share {
  std::uint64_t app = 0;
  std::uint64_t caller = 0;
};

/// What the listener must know before it reads a body.
struct Plan {
  Lane lane = Lane::immediate;
  std::size_t max_body_bytes = std::size_t{1} * 1024 * 1024;  ///< decisions.md "body sizes"; above: 413.
  Share share{};
};

/// A body that is sent while it comes into being (`text/event-stream`, client-api.md 14). The listener pulls,
/// so that what waits for a slow reader is bounded by who makes it.
///
/// Lifetime: destroyed when the peer is gone, the stream has ended, or the server stops.
class BodyStream {
 public:
  BodyStream() = default;
  BodyStream(const BodyStream&) = delete;
  BodyStream& operator=(const BodyStream&) = delete;
  virtual ~BodyStream() = default;

  /// Called once, before anything else. From then on the stream calls `wake`, from any thread and never from
  /// within `take`, whenever there is something to take. `wake` outlives the stream.
  virtual void start(std::function<void()> wake) = 0;

  struct Piece {
    std::string bytes;   ///< Empty: nothing at the moment; `wake` will tell.
    bool ended = false;  ///< The last piece; the connection closes after it.
  };
  /// The next bytes. On the I/O thread, so it must not block.
  virtual Piece take() = 0;
};

/// What a handler gives back: an answer, or the head of one (`body` empty) whose body is a stream.
struct Reply {
  Reply(HttpResponse whole) : response(std::move(whole)) {}  // NOLINT: every answer is a reply
  Reply(HttpResponse head, std::unique_ptr<BodyStream> body)
      : response(std::move(head)), stream(std::move(body)) {}
  HttpResponse response;
  std::unique_ptr<BodyStream> stream;
};

/// Where a request comes from, as far as that is known.
struct ClientAddress {
  std::string address;     ///< Whole; empty: not known.
  std::string counted_as;  ///< Whose tries are counted together (row B-77); empty: nobody's.
};

/// Gives the answer. May be called from any thread, exactly once.
using Respond = std::function<void(Reply)>;

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
  /// The same of a whole head, for handlers whose lane depends on more than the target. `head.body` is not
  /// there yet.
  [[nodiscard]] virtual Plan plan_for(const HttpRequest& head) const noexcept {
    return plan(head.method, head.url);
  }

  /// Answers one request. `request.url` is the target in origin form, as received; the header lines are
  /// complete and already checked for form (rule V17).
  virtual void handle(HttpRequest request, Respond respond) = 0;

  /// The same, with where it comes from. Called for every lane but `immediate`.
  virtual void handle_from(const ClientAddress& /*client*/, HttpRequest request, Respond respond) {
    handle(std::move(request), std::move(respond));
  }

  /// The answer to a request that the listener itself turns down (400, 405, 408, 413, 431, 503): the
  /// same error body, request id and CORS headers as any other. `head` holds what could be read of it.
  [[nodiscard]] virtual HttpResponse refuse(int status, std::string_view why, const HttpRequest& head) = 0;
};

}  // namespace keyturn::protocol
