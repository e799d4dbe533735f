// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/http.hpp>

/// For the tests of apps that use Keyturn. Not for production.
namespace keyturn::testing {

/// The body of an answer that stays open, written piece by piece by the test: a watch, for instance. Copies
/// are the same one; it belongs to one answer. Thread safety: all members.
class ScriptedStream {
 public:
  ScriptedStream();
  void write(std::string bytes) const;
  /// One event of a `text/event-stream`, escaped as the wire has it (client-api.md 14).
  void write_event(std::string_view data, std::string_view name = {}) const;
  /// Closes the connection after what was written.
  void end() const;
  /// The answer has begun, and neither side has ended it.
  [[nodiscard]] bool is_open() const;

 private:
  friend class ScriptedServer;
  struct State;
  std::shared_ptr<State> state_;
};

/// What a `ScriptedServer` does with one request.
struct ScriptedResponse {
  int status = 200;
  HttpHeaders headers{};  ///< `Content-Type: application/json` is added to a body when missing.
  std::string body{};
  std::chrono::milliseconds delay{0};      ///< Before the first byte.
  std::optional<std::size_t> cut_after{};  ///< The connection is closed after so many bytes of the answer.
  /// What follows the body, without a length; the connection closes at its end.
  std::optional<ScriptedStream> stream{};
};

/// A request as it came.
struct RecordedRequest {
  std::string method;
  std::string path;  ///< With its query.
  HttpHeaders headers;
  std::string body;
};

/// A server on 127.0.0.1 that answers as a test says.
///
/// Three layers, the first that has an answer counts: responses queued for a method and path, in order;
/// handlers; and a small model of a Keyturn server with e-mail and anonymous users (log-in, register,
/// session, profile, log-out), so that an app can be tested without any script. The model's tokens are not
/// signed.
///
/// Thread safety: all members. Lifetime: the destructor ends every connection and waits for its threads.
class ScriptedServer {
 public:
  using Handler = std::function<std::optional<ScriptedResponse>(const RecordedRequest&)>;

  /// Throws `std::runtime_error` when no port can be had.
  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  /// "http://127.0.0.1:PORT".
  [[nodiscard]] std::string base_url() const;

  /// The next request of that method and path (without query) gets this answer, once.
  void enqueue(std::string method, std::string path, ScriptedResponse response);
  /// Asked for each request that nothing was queued for; called on the server's threads.
  void set_handler(Handler handler);
  /// While unreachable, connections are closed as soon as they are made.
  void set_reachable(bool reachable);

  [[nodiscard]] std::vector<RecordedRequest> requests() const;
  /// How many requests of that method and path came.
  [[nodiscard]] int count(std::string_view method, std::string_view path) const;

  // The model.
  void add_user(std::string email, std::string password);
  /// Of access tokens issued from now on; 1,800 s at first.
  void set_access_token_lifetime(std::chrono::seconds lifetime);
  /// Ends every session of the user, as an administrator would.
  void revoke(std::string_view user_id);
  /// Successful and refused `POST auth/session`.
  [[nodiscard]] int refresh_count() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace keyturn::testing
