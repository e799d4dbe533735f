// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <keyturn/ejson.hpp>

namespace keyturn::server::mongodb::testing {

/// A peer that speaks MongoDB's wire protocol (OP_MSG, and OP_QUERY for the first greeting) on 127.0.0.1, so
/// that what a driver sends can be seen and what it is answered can be told. It is no database: it greets as
/// the primary of a replica set, answers {"ok": 1} to `ping`, `endSessions` and the like, and everything else
/// from the script.
///
/// Thread safety: all members.
class ScriptedMongo {
 public:
  /// How a command is answered besides with a document.
  enum class Trouble {
    none,
    silence,    ///< Nothing comes, and the connection stays.
    cut_short,  ///< Half of the answer, then the end of the connection.
    hang_up     ///< The end of the connection.
  };
  struct Answer {
    EjsonDocument body;
    Trouble trouble = Trouble::none;
  };

  explicit ScriptedMongo(bool in_replica_set = true);
  ScriptedMongo(const ScriptedMongo&) = delete;
  ScriptedMongo& operator=(const ScriptedMongo&) = delete;
  ~ScriptedMongo();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// With a user and a password, which this peer asks nobody for: `uri` must not be found in any error.
  [[nodiscard]] std::string uri() const;

  /// The next command of that name ("find") is answered so; each answer is used once, in order. `text`:
  /// Extended JSON.
  void answer(std::string_view command, std::string_view text);
  void answer(std::string_view command, Trouble trouble);
  /// From now on the greetings are not answered either.
  void fall_silent();

  /// The commands so far, as Extended JSON in canonical form, without what drivers add to each (`$db`,
  /// `lsid`, `$clusterTime`, `$readPreference`), greetings and `ping`.
  [[nodiscard]] std::vector<std::string> commands() const;
  /// The last command of that name, whole; empty: there was none.
  [[nodiscard]] EjsonDocument last(std::string_view command) const;
  /// Waits, at most ten seconds, until a command of that name has come so many times.
  bool wait_for(std::string_view command, std::size_t times = 1) const;

 private:
  void accept();
  void serve(int socket);
  bool serve_one(int socket);
  Answer answer_to(const EjsonDocument& command);
  EjsonDocument greeting() const;

  const bool in_replica_set_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stops_ = false;
  bool silent_ = false;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::deque<std::pair<std::string, Answer>> script_;
  std::vector<EjsonDocument> commands_;
  std::thread acceptor_;
};

}  // namespace keyturn::server::mongodb::testing
