// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/rows.hpp"
#include "server/storage/sqlite/stores.hpp"

namespace keyturn::server::sqlite {
namespace {

constexpr std::int64_t kMaxUserKeys = 20;
constexpr std::int64_t kMaxServerKeys = 100;

/// Reads the columns id, app_id, user_id, name, key_hash, disabled.
std::optional<ApiKey> next_key(Query& query) {
  if (!query.row()) return std::nullopt;
  return ApiKey{query.text(0), query.text(1), query.text(2), query.text(3), query.text(4), query.flag(5)};
}

void end_sessions_of_key(WriteStep& step, std::string_view app_id, std::string_view key_id, WallTime now) {
  Query query = step.sql.query(
      "UPDATE sessions SET ended = ?3, reason = ?4, over = min(refresh_expires, ?3) "
      "WHERE identity_id = ?2 AND provider_type = 'api-key' AND ended IS NULL AND app_id = ?1 RETURNING id",
      app_id, key_id, now, to_string(EndReason::revoked));
  while (query.row()) step.changed_sessions.push_back(query.text(0));
}

class SqliteApiKeyStore final : public ApiKeyStore {
 public:
  explicit SqliteApiKeyStore(Database& database) : database_(database) {}

  Result<CreateKeyOutcome> create(const ApiKey& key) override {
    return database_.write([&](WriteStep& step) {
      Connection& sql = step.sql;
      if (!key.user_id.empty()) {
        Query query = sql.query("SELECT 1 FROM users WHERE app_id = ?1 AND id = ?2", key.app_id, key.user_id);
        if (!query.row()) return CreateKeyOutcome::no_user;
      }
      {
        Query query = sql.query(
            "SELECT count(*), coalesce(max(name = ?3), 0) FROM api_keys WHERE app_id = ?1 AND user_id = ?2",
            key.app_id, key.user_id, key.name);
        query.row();
        if (query.flag(1)) return CreateKeyOutcome::name_in_use;
        if (query.integer(0) >= (key.user_id.empty() ? kMaxServerKeys : kMaxUserKeys))
          return CreateKeyOutcome::too_many;
      }
      sql.run(
          "INSERT INTO api_keys (app_id, id, user_id, name, key_hash, disabled) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
          key.app_id, key.id, key.user_id, key.name, key.key_hash, key.disabled);
      return CreateKeyOutcome::created;
    });
  }

  Result<std::vector<ApiKey>> list(std::string_view app_id, std::string_view user_id) override {
    return database_.read([&](Connection& sql) {
      std::vector<ApiKey> out;
      Query query = sql.query(
          "SELECT id, app_id, user_id, name, key_hash, disabled FROM api_keys WHERE app_id = ?1 AND user_id = ?2 "
          "ORDER BY id",
          app_id, user_id);
      while (std::optional<ApiKey> each = next_key(query)) out.push_back(*std::move(each));
      return out;
    });
  }

  Result<std::optional<ApiKey>> find(std::string_view app_id, std::string_view user_id,
                                     std::string_view key_id) override {
    return database_.read([&](Connection& sql) {
      Query query = sql.query(
          "SELECT id, app_id, user_id, name, key_hash, disabled FROM api_keys "
          "WHERE app_id = ?1 AND user_id = ?2 AND id = ?3",
          app_id, user_id, key_id);
      return next_key(query);
    });
  }

  Result<std::optional<ApiKey>> find_by_hash(std::string_view app_id, std::string_view key_hash) override {
    return database_.read([&](Connection& sql) {
      Query query = sql.query(
          "SELECT id, app_id, user_id, name, key_hash, disabled FROM api_keys WHERE app_id = ?1 AND key_hash = ?2",
          app_id, key_hash);
      return next_key(query);
    });
  }

  Result<bool> set_disabled(std::string_view app_id, std::string_view user_id, std::string_view key_id,
                            bool disabled, WallTime now) override {
    return database_.write([&](WriteStep& step) {
      const int changed =
          step.sql.run("UPDATE api_keys SET disabled = ?4 WHERE app_id = ?1 AND user_id = ?2 AND id = ?3",
                       app_id, user_id, key_id, disabled);
      if (changed != 0 && disabled) end_sessions_of_key(step, app_id, key_id, now);
      return changed != 0;
    });
  }

  Result<bool> remove(std::string_view app_id, std::string_view user_id, std::string_view key_id,
                      WallTime now) override {
    return database_.write([&](WriteStep& step) {
      const int changed = step.sql.run("DELETE FROM api_keys WHERE app_id = ?1 AND user_id = ?2 AND id = ?3",
                                       app_id, user_id, key_id);
      if (changed != 0) end_sessions_of_key(step, app_id, key_id, now);
      return changed != 0;
    });
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<ApiKeyStore> make_api_key_store(Database& database) {
  return std::make_unique<SqliteApiKeyStore>(database);
}

}  // namespace keyturn::server::sqlite
