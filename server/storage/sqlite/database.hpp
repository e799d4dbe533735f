// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/storage/sqlite/bounded_mutex.hpp"
#include "server/storage/sqlite/connection.hpp"
#include "server/storage/sqlite/data_folder.hpp"
#include "server/storage/sqlite/session_cache.hpp"
#include "server/storage/sqlite/sqlite_stores.hpp"

namespace keyturn::server::sqlite {

/// What a writing step may touch, and what it must tell about stored sessions.
struct WriteStep {
  Connection& sql;
  std::vector<std::string> changed_sessions;
  bool all_sessions_changed = false;
  /// Only `last_used` moves: sessions stay cached and `after_commit` moves them there.
  bool sessions_touched = false;
  /// Runs after the commit, before anyone else writes.
  std::function<void(SessionCache&)> after_commit;
};

/// The opened database: one writing connection, one for reads, one for the look-up of sessions.
///
/// Thread safety: all members. Lock order: a connection's mutex before a cache's; no two connections' at
/// once.
class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const SqliteOptions& options);

  /// Runs `body(WriteStep&)` as one durable transaction and answers its value; a fault undoes all of it.
  template <class Body>
  auto write(Body body) -> Result<std::invoke_result_t<Body&, WriteStep&>>;
  /// Runs `body(Connection&)` on one snapshot of what is committed.
  template <class Body>
  auto read(Body body) -> Result<std::invoke_result_t<Body&, Connection&>>;

  Result<std::optional<SessionState>> find_session(std::string_view id);

  /// Runs a script on the writing connection outside any step, to bring about a fault.
  void sabotage_for_test(const char* script);
  [[nodiscard]] SessionCache& cache() noexcept { return cache_; }

 private:
  struct Lane {
    BoundedMutex mutex;
    std::unique_ptr<Connection> connection;
  };

  Database(DataFolder folder, const SqliteOptions& options)
      : folder_(std::move(folder)),
        diagnostics_(options.diagnostics),
        cache_(options.session_cache_entries) {}

  void begin(Connection& sql);
  void commit(WriteStep& step);
  /// Ends a failed step; the fault's detail for `refuse`.
  static std::string undo(Connection& sql);
  /// Tells the operator, who alone sees the detail. Never called with a lock held.
  Error refuse(std::string_view detail) const;
  /// A lane that is taken for longer than this answers `ServiceUnavailable`.
  static std::unique_lock<BoundedMutex> take(Lane& lane);

  DataFolder folder_;
  std::function<void(std::string_view)> diagnostics_;
  SessionCache cache_;
  Lane writer_;
  Lane reader_;
  Lane session_reader_;
};

/// Fails unless the connection writes so that a commit survives power loss (rule V2).
void assert_durable(Connection& sql);

template <class Body>
auto Database::write(Body body) -> Result<std::invoke_result_t<Body&, WriteStep&>> {
  using Value = std::invoke_result_t<Body&, WriteStep&>;
  std::string fault = "the writing connection stayed busy";
  if (std::unique_lock lock = take(writer_)) {
    WriteStep step{*writer_.connection, {}, false, false, nullptr};
    begin(step.sql);
    if constexpr (std::is_void_v<Value>) {
      body(step);
      commit(step);
      if (!step.sql.failed()) return {};
    } else {
      Value value = body(step);
      commit(step);
      if (!step.sql.failed()) return value;
    }
    fault = undo(step.sql);
  }
  return refuse(fault);
}

template <class Body>
auto Database::read(Body body) -> Result<std::invoke_result_t<Body&, Connection&>> {
  std::string fault = "the reading connection stayed busy";
  if (std::unique_lock lock = take(reader_)) {
    Connection& sql = *reader_.connection;
    sql.run("BEGIN");
    auto value = body(sql);
    sql.run("COMMIT");
    if (!sql.failed()) return value;
    fault = undo(sql);
  }
  return refuse(fault);
}

}  // namespace keyturn::server::sqlite
