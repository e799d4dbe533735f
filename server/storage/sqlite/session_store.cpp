// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/rows.hpp"
#include "server/storage/sqlite/stores.hpp"

namespace keyturn::server::sqlite {
namespace {

class SqliteSessionStore final : public SessionStore {
 public:
  explicit SqliteSessionStore(Database& database) : database_(database) {}

  Result<OpenOutcome> open(const Session& session, std::int64_t user_generation) override {
    return database_.write([&](WriteStep& step) {
      Connection& sql = step.sql;
      {
        Query user = sql.query("SELECT disabled, generation FROM users WHERE app_id = ?1 AND id = ?2",
                               session.app_id, session.user_id);
        if (!user.row()) return OpenOutcome::user_deleted;
        if (user.flag(0)) return OpenOutcome::user_disabled;
        if (user.integer(1) != user_generation) return OpenOutcome::user_changed;
      }
      const std::string device = write_object(session.device);
      sql.run(
          "INSERT INTO sessions (id, app_id, user_id, device_id, device, identity_id, provider_type, provider_id, "
          "created, refresh_expires, last_used, over) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?10)",
          session.id, session.app_id, session.user_id, session.device_id, device, session.identity_id,
          session.provider_type, session.provider_id, session.created, session.refresh_expires,
          session.last_used);
      sql.run("UPDATE users SET last_authentication = ?3 WHERE app_id = ?1 AND id = ?2", session.app_id,
              session.user_id, session.created);
      if (session.device_id.find_first_not_of('0') != std::string::npos) {
        sql.run(
            "INSERT INTO devices (app_id, user_id, id, seen, data) VALUES (?1, ?2, ?3, ?4, ?5) "
            "ON CONFLICT DO UPDATE SET seen = excluded.seen, data = excluded.data",
            session.app_id, session.user_id, session.device_id, session.created, device);
      }
      step.after_commit = [&session](SessionCache& cache) {
        cache.add(session.id, {session.app_id, session.user_id, session.device_id, session.provider_type,
                               session.refresh_expires, session.last_used, false, EndReason::none});
      };
      return OpenOutcome::opened;
    });
  }

  Result<std::optional<SessionState>> find(std::string_view session_id) override {
    return database_.find_session(session_id);
  }

  Result<EndOutcome> end(std::string_view app_id, std::string_view user_id, std::string_view session_id,
                         EndReason reason, WallTime now) override {
    return database_.write([&](WriteStep& step) {
      const int ended = step.sql.run(
          "UPDATE sessions SET ended = ?4, reason = ?5, over = min(refresh_expires, ?4) "
          "WHERE id = ?3 AND app_id = ?1 AND (?2 = '' OR user_id = ?2) AND ended IS NULL",
          app_id, user_id, session_id, now, to_string(reason));
      if (ended != 0) {
        step.changed_sessions.emplace_back(session_id);
        return EndOutcome::ended;
      }
      Query query =
          step.sql.query("SELECT 1 FROM sessions WHERE id = ?3 AND app_id = ?1 AND (?2 = '' OR user_id = ?2)",
                         app_id, user_id, session_id);
      return query.row() ? EndOutcome::already_ended : EndOutcome::unknown;
    });
  }

  Result<int> end_all(std::string_view app_id, std::string_view user_id, std::string_view except,
                      EndReason reason, WallTime now) override {
    return database_.write([&](WriteStep& step) {
      bump_generation(step.sql, app_id, user_id);
      return end_sessions(step, app_id, user_id, except, reason, now);
    });
  }

  Result<std::vector<Session>> list(std::string_view app_id, std::string_view user_id) override {
    return database_.read([&](Connection& sql) {
      std::vector<Session> out;
      Query query = sql.query(
          "SELECT id, app_id, user_id, device_id, device, identity_id, provider_type, provider_id, created, "
          "refresh_expires, last_used FROM sessions WHERE user_id = ?2 AND app_id = ?1 AND ended IS NULL "
          "ORDER BY created DESC, id DESC LIMIT 1000",
          app_id, user_id);
      while (query.row()) {
        Session session;
        session.id = query.text(0);
        session.app_id = query.text(1);
        session.user_id = query.text(2);
        session.device_id = query.text(3);
        session.device = read_object(sql, query.view(4));
        session.identity_id = query.text(5);
        session.provider_type = query.text(6);
        session.provider_id = query.text(7);
        session.created = query.time(8);
        session.refresh_expires = query.time(9);
        session.last_used = query.time(10);
        out.push_back(std::move(session));
      }
      return out;
    });
  }

  Result<std::vector<Device>> devices(std::string_view app_id, std::string_view user_id) override {
    return database_.read([&](Connection& sql) {
      std::vector<Device> out;
      Query query = sql.query(
          "SELECT id, data FROM devices WHERE app_id = ?1 AND user_id = ?2 ORDER BY seen DESC, id DESC LIMIT 1000",
          app_id, user_id);
      while (query.row()) out.push_back({query.text(0), read_object(sql, query.view(1))});
      return out;
    });
  }

  Result<void> touch(const std::vector<std::pair<std::string, WallTime>>& last_used) override {
    if (last_used.empty()) return {};
    return database_.write([&](WriteStep& step) {
      for (const auto& [id, time] : last_used) {
        step.sql.run("UPDATE sessions SET last_used = ?2 WHERE id = ?1 AND last_used < ?2", id, time);
      }
      step.sessions_touched = true;
      step.after_commit = [&last_used](SessionCache& cache) {
        for (const auto& [id, time] : last_used) cache.touch(id, time);
      };
    });
  }

  Result<int> purge(WallTime before, int limit) override {
    return database_.write([&](WriteStep& step) {
      struct Purged {
        std::string app_id;
        std::string user_id;
        WallTime last_used;
      };
      std::vector<Purged> purged;
      {
        Query query = step.sql.query(
            "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE over < ?1 ORDER BY over LIMIT ?2) "
            "RETURNING id, app_id, user_id, last_used",
            before, std::max(limit, 0));
        while (query.row()) {
          step.changed_sessions.push_back(query.text(0));
          purged.push_back({query.text(1), query.text(2), query.time(3)});
        }
      }
      for (const Purged& each : purged) {
        step.sql.run("UPDATE users SET last_active = ?3 WHERE app_id = ?1 AND id = ?2 AND last_active < ?3",
                     each.app_id, each.user_id, each.last_used);
      }
      return static_cast<int>(purged.size());
    });
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<SessionStore> make_session_store(Database& database) {
  return std::make_unique<SqliteSessionStore>(database);
}

}  // namespace keyturn::server::sqlite
