// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/rows.hpp"
#include "server/storage/sqlite/stores.hpp"

namespace keyturn::server::sqlite {
namespace {

std::string owner_of(Connection& sql, std::string_view app_id, std::string_view provider_type,
                     std::string_view id) {
  Query query =
      sql.query("SELECT user_id FROM identities WHERE app_id = ?1 AND provider_type = ?2 AND id = ?3", app_id,
                provider_type, id);
  return query.row() ? query.text(0) : std::string();
}

void add_identity(Connection& sql, std::string_view app_id, std::string_view user_id,
                  const Identity& identity) {
  sql.run(
      "INSERT INTO identities (app_id, provider_type, id, user_id, position, provider_id, data) "
      "SELECT ?1, ?2, ?3, ?4, count(*), ?5, ?6 FROM identities WHERE app_id = ?1 AND user_id = ?4",
      app_id, identity.provider_type, identity.id, user_id, identity.provider_id,
      write_object(identity.data));
  if (identity.provider_type == "local-userpass") {
    sql.run("UPDATE password_accounts SET user_id = ?3 WHERE app_id = ?1 AND id = ?2 AND user_id = ''",
            app_id, identity.id, user_id);
  }
}

class SqliteUserStore final : public UserStore {
 public:
  explicit SqliteUserStore(Database& database) : database_(database) {}

  Result<CreateUserOutcome> create(const User& user) override {
    return database_.write([&](WriteStep& step) {
      Connection& sql = step.sql;
      for (const Identity& each : user.identities) {
        if (!owner_of(sql, user.app_id, each.provider_type, each.id).empty())
          return CreateUserOutcome::identity_taken;
      }
      const bool anonymous =
          user.identities.size() == 1 && user.identities.front().provider_type == "anon-user";
      sql.run(
          "INSERT INTO users (app_id, id, type, disabled, created, last_authentication, generation, anonymous) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
          user.app_id, user.id, user.type == UserType::server, user.disabled, user.created,
          user.last_authentication, user.generation, anonymous);
      for (const Identity& each : user.identities) add_identity(sql, user.app_id, user.id, each);
      return CreateUserOutcome::created;
    });
  }

  Result<std::optional<User>> find(std::string_view app_id, std::string_view user_id) override {
    return database_.read([&](Connection& sql) { return load_user(sql, app_id, user_id); });
  }

  Result<std::optional<User>> find_by_identity(std::string_view app_id, std::string_view provider_type,
                                               std::string_view identity_id) override {
    return database_.read([&](Connection& sql) {
      const std::string owner = owner_of(sql, app_id, provider_type, identity_id);
      return owner.empty() ? std::optional<User>() : load_user(sql, app_id, owner);
    });
  }

  Result<std::vector<User>> list(std::string_view app_id, const PageRequest& page) override {
    return database_.read([&](Connection& sql) {
      std::vector<std::string> ids;
      const Sql text = page.descending
                           ? Sql("SELECT id FROM users WHERE app_id = ?1 AND (?2 = '' OR id < ?2) "
                                 "ORDER BY id DESC LIMIT ?3")
                           : Sql("SELECT id FROM users WHERE app_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
      {
        Query query = sql.query(text, app_id, page.after, std::max(page.limit, 0));
        while (query.row()) ids.push_back(query.text(0));
      }
      std::vector<User> out;
      for (const std::string& id : ids) {
        if (std::optional<User> user = load_user(sql, app_id, id)) out.push_back(*std::move(user));
      }
      return out;
    });
  }

  Result<LinkOutcome> link(std::string_view app_id, std::string_view user_id,
                           const Identity& identity) override {
    return database_.write([&](WriteStep& step) {
      Connection& sql = step.sql;
      const std::optional<User> user = load_user(sql, app_id, user_id);
      if (!user) return LinkOutcome::no_user;
      const std::string owner = owner_of(sql, app_id, identity.provider_type, identity.id);
      if (!owner.empty()) return owner == user_id ? LinkOutcome::already_linked : LinkOutcome::owned_by_other;
      for (const Identity& each : user->identities) {
        if (each.provider_type == "local-userpass" && identity.provider_type == "local-userpass") {
          return LinkOutcome::type_already_linked;
        }
      }
      add_identity(sql, app_id, user_id, identity);
      const bool anonymous = user->identities.empty() && identity.provider_type == "anon-user";
      sql.run("UPDATE users SET anonymous = ?3 WHERE app_id = ?1 AND id = ?2", app_id, user_id, anonymous);
      return LinkOutcome::linked;
    });
  }

  Result<void> update_identity_data(std::string_view app_id, std::string_view provider_type,
                                    std::string_view identity_id, const json::Object& data) override {
    return database_.write([&](WriteStep& step) {
      step.sql.run("UPDATE identities SET data = ?4 WHERE app_id = ?1 AND provider_type = ?2 AND id = ?3",
                   app_id, provider_type, identity_id, write_object(data));
    });
  }

  Result<bool> set_disabled(std::string_view app_id, std::string_view user_id, bool disabled,
                            WallTime now) override {
    return database_.write([&](WriteStep& step) {
      const int changed = step.sql.run(
          "UPDATE users SET disabled = ?3, generation = generation + 1 WHERE app_id = ?1 AND id = ?2", app_id,
          user_id, disabled);
      if (changed != 0 && disabled) end_sessions(step, app_id, user_id, {}, EndReason::user_disabled, now);
      return changed != 0;
    });
  }

  Result<bool> remove(std::string_view app_id, std::string_view user_id, WallTime now) override {
    return database_.write([&](WriteStep& step) {
      Connection& sql = step.sql;
      // Identities and devices go with the user, e-mail tokens with the account (foreign keys).
      if (sql.run("DELETE FROM users WHERE app_id = ?1 AND id = ?2", app_id, user_id) == 0) return false;
      sql.run("DELETE FROM password_accounts WHERE app_id = ?1 AND user_id = ?2 AND user_id <> ''", app_id,
              user_id);
      sql.run("DELETE FROM api_keys WHERE app_id = ?1 AND user_id = ?2 AND user_id <> ''", app_id, user_id);
      end_sessions(step, app_id, user_id, {}, EndReason::user_deleted, now);
      return true;
    });
  }

  Result<std::vector<std::string>> idle_anonymous(std::string_view app_id, WallTime before,
                                                  int limit) override {
    return database_.read([&](Connection& sql) {
      std::vector<std::string> out;
      Query query = sql.query(
          "SELECT id FROM users AS u WHERE app_id = ?1 AND anonymous = 1 AND last_authentication < ?2 "
          "AND last_active < ?2 AND NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.user_id = u.id "
          "AND s.app_id = u.app_id AND s.last_used >= ?2) LIMIT ?3",
          app_id, before, std::max(limit, 0));
      while (query.row()) out.push_back(query.text(0));
      return out;
    });
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<UserStore> make_user_store(Database& database) {
  return std::make_unique<SqliteUserStore>(database);
}

}  // namespace keyturn::server::sqlite
