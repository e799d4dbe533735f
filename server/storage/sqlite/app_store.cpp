// SPDX-License-Identifier: Apache-2.0
#include "core/json/json.hpp"
#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/rows.hpp"
#include "server/storage/sqlite/stores.hpp"

namespace keyturn::server::sqlite {
namespace {

void store_provider(Connection& sql, const AuthProvider& provider) {
  sql.run("INSERT OR REPLACE INTO providers (app_id, id, document) VALUES (?1, ?2, ?3)", provider.app_id,
          provider.id, json::write(to_document(provider)));
}

class SqliteAppStore final : public AppStore {
 public:
  explicit SqliteAppStore(Database& database) : database_(database) {}

  Result<std::vector<App>> all() override {
    return database_.read([&](Connection& sql) {
      std::vector<App> out;
      Query query = sql.query("SELECT document FROM apps ORDER BY id");
      while (query.row()) out.push_back(app_from(read_json(sql, query.view(0))));
      return out;
    });
  }

  Result<void> put(const App& app, const std::vector<AuthProvider>& providers_to_add) override {
    return database_.write([&](WriteStep& step) {
      step.sql.run("INSERT OR REPLACE INTO apps (id, document) VALUES (?1, ?2)", app.id,
                   json::write(to_document(app)));
      for (const AuthProvider& each : providers_to_add) store_provider(step.sql, each);
    });
  }

  Result<bool> remove(std::string_view app_id) override {
    return database_.write([&](WriteStep& step) {
      Connection& sql = step.sql;
      if (sql.run("DELETE FROM apps WHERE id = ?1", app_id) == 0) return false;
      sql.run("DELETE FROM providers WHERE app_id = ?1", app_id);
      sql.run("DELETE FROM secrets WHERE app_id = ?1", app_id);
      sql.run("DELETE FROM documents WHERE app_id = ?1", app_id);
      sql.run("DELETE FROM users WHERE app_id = ?1", app_id);
      sql.run("DELETE FROM password_accounts WHERE app_id = ?1", app_id);
      sql.run("DELETE FROM api_keys WHERE app_id = ?1", app_id);
      sql.run("DELETE FROM sessions WHERE app_id = ?1", app_id);
      step.all_sessions_changed = true;
      return true;
    });
  }

  Result<std::vector<AuthProvider>> providers(std::string_view app_id) override {
    return database_.read([&](Connection& sql) {
      std::vector<AuthProvider> out;
      Query query = sql.query("SELECT document FROM providers WHERE app_id = ?1 ORDER BY id", app_id);
      while (query.row()) out.push_back(provider_from(read_json(sql, query.view(0))));
      return out;
    });
  }

  Result<void> put_provider(const AuthProvider& provider) override {
    return database_.write([&](WriteStep& step) { store_provider(step.sql, provider); });
  }

  Result<bool> remove_provider(std::string_view app_id, std::string_view provider_id) override {
    return database_.write([&](WriteStep& step) {
      return step.sql.run("DELETE FROM providers WHERE app_id = ?1 AND id = ?2", app_id, provider_id) != 0;
    });
  }

  Result<std::vector<std::pair<std::string, std::string>>> secrets(std::string_view app_id) override {
    return database_.read([&](Connection& sql) {
      std::vector<std::pair<std::string, std::string>> out;
      Query query = sql.query("SELECT id, name FROM secrets WHERE app_id = ?1 ORDER BY id", app_id);
      while (query.row()) out.emplace_back(query.text(0), query.text(1));
      return out;
    });
  }

  Result<void> put_secret(std::string_view app_id, std::string_view secret_id, std::string_view name,
                          const Secret& value) override {
    return database_.write([&](WriteStep& step) {
      step.sql.run("INSERT OR REPLACE INTO secrets (app_id, id, name, value) VALUES (?1, ?2, ?3, ?4)", app_id,
                   secret_id, name, Blob{value.reveal()});
    });
  }

  Result<bool> remove_secret(std::string_view app_id, std::string_view secret_id) override {
    return database_.write([&](WriteStep& step) {
      return step.sql.run("DELETE FROM secrets WHERE app_id = ?1 AND id = ?2", app_id, secret_id) != 0;
    });
  }

  Result<std::optional<Secret>> secret_by_name(std::string_view app_id, std::string_view name) override {
    return database_.read([&](Connection& sql) {
      Query query =
          sql.query("SELECT value FROM secrets WHERE app_id = ?1 AND name = ?2 ORDER BY id", app_id, name);
      return query.row() ? std::optional<Secret>(Secret(query.view(0))) : std::optional<Secret>();
    });
  }

  Result<std::vector<ConfigDocument>> documents(std::string_view app_id, std::string_view kind) override {
    return database_.read([&](Connection& sql) {
      std::vector<ConfigDocument> out;
      Query query = sql.query("SELECT id, value FROM documents WHERE app_id = ?1 AND kind = ?2 ORDER BY id",
                              app_id, kind);
      while (query.row()) out.push_back({query.text(0), read_json(sql, query.view(1))});
      return out;
    });
  }

  Result<std::optional<json::Value>> document(std::string_view app_id, std::string_view kind,
                                              std::string_view id) override {
    return database_.read([&](Connection& sql) {
      Query query = sql.query("SELECT value FROM documents WHERE app_id = ?1 AND kind = ?2 AND id = ?3",
                              app_id, kind, id);
      return query.row() ? std::optional<json::Value>(read_json(sql, query.view(0)))
                         : std::optional<json::Value>();
    });
  }

  Result<void> put_document(std::string_view app_id, std::string_view kind, std::string_view id,
                            const json::Value& value) override {
    return database_.write([&](WriteStep& step) {
      step.sql.run("INSERT OR REPLACE INTO documents (app_id, kind, id, value) VALUES (?1, ?2, ?3, ?4)",
                   app_id, kind, id, json::write(value));
    });
  }

  Result<bool> remove_document(std::string_view app_id, std::string_view kind, std::string_view id) override {
    return database_.write([&](WriteStep& step) {
      return step.sql.run("DELETE FROM documents WHERE app_id = ?1 AND kind = ?2 AND id = ?3", app_id, kind,
                          id) != 0;
    });
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<AppStore> make_app_store(Database& database) {
  return std::make_unique<SqliteAppStore>(database);
}

}  // namespace keyturn::server::sqlite
