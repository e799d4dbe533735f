// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/rows.hpp"
#include "server/storage/sqlite/stores.hpp"

namespace keyturn::server::sqlite {
namespace {

/// Reads the columns id, app_id, email, password_hash, confirmed, user_id, pending_password_hash, created.
std::optional<PasswordAccount> next_account(Query& query) {
  if (!query.row()) return std::nullopt;
  return PasswordAccount{query.text(0), query.text(1), query.text(2), query.text(3),
                         query.flag(4), query.text(5), query.text(6), query.time(7)};
}

std::optional<PasswordAccount> account(Connection& sql, std::string_view app_id, std::string_view id) {
  Query query = sql.query(
      "SELECT id, app_id, email, password_hash, confirmed, user_id, pending_password_hash, created "
      "FROM password_accounts WHERE app_id = ?1 AND id = ?2",
      app_id, id);
  return next_account(query);
}

std::string id_of_email(Connection& sql, std::string_view app_id, std::string_view email) {
  Query query = sql.query("SELECT id FROM password_accounts WHERE app_id = ?1 AND email = ?2", app_id, email);
  return query.row() ? query.text(0) : std::string();
}

void change_password(WriteStep& step, const PasswordAccount& account, std::string_view hash, bool end,
                     std::string_view except, WallTime now) {
  step.sql.run(
      "UPDATE password_accounts SET password_hash = ?3, pending_password_hash = '' WHERE app_id = ?1 AND id = ?2",
      account.app_id, account.id, hash);
  step.sql.run("DELETE FROM email_tokens WHERE app_id = ?1 AND account_id = ?2 AND purpose = 1",
               account.app_id, account.id);
  if (!end || account.user_id.empty()) return;
  bump_generation(step.sql, account.app_id, account.user_id);
  end_sessions(step, account.app_id, account.user_id, except, EndReason::password_changed, now);
}

/// The token's account when the token is good; it is gone then.
std::optional<PasswordAccount> use_token(Connection& sql, std::string_view app_id, std::string_view token_id,
                                         std::string_view token_hash, EmailTokenPurpose purpose,
                                         WallTime now) {
  std::string account_id;
  {
    Query query = sql.query(
        "DELETE FROM email_tokens WHERE app_id = ?1 AND id = ?2 AND token_hash = ?3 AND purpose = ?4 AND expires > ?5 "
        "RETURNING account_id",
        app_id, token_id, token_hash, static_cast<int>(purpose), now);
    if (!query.row()) return std::nullopt;
    account_id = query.text(0);
    query.row();
  }
  return account(sql, app_id, account_id);
}

class SqlitePasswordStore final : public PasswordStore {
 public:
  explicit SqlitePasswordStore(Database& database) : database_(database) {}

  Result<RegisterOutcome> register_account(const PasswordAccount& account) override {
    return database_.write([&](WriteStep& step) {
      if (!id_of_email(step.sql, account.app_id, account.email).empty()) return RegisterOutcome::name_in_use;
      step.sql.run(
          "INSERT INTO password_accounts (app_id, id, email, password_hash, confirmed, user_id, pending_password_hash, "
          "created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
          account.app_id, account.id, account.email, account.password_hash, account.confirmed,
          account.user_id, account.pending_password_hash, account.created);
      return RegisterOutcome::registered;
    });
  }

  Result<std::optional<PasswordAccount>> find(std::string_view app_id, std::string_view email) override {
    return database_.read([&](Connection& sql) {
      Query query = sql.query(
          "SELECT id, app_id, email, password_hash, confirmed, user_id, pending_password_hash, created "
          "FROM password_accounts WHERE app_id = ?1 AND email = ?2",
          app_id, email);
      return next_account(query);
    });
  }

  Result<std::optional<PasswordAccount>> find_by_id(std::string_view app_id,
                                                    std::string_view account_id) override {
    return database_.read([&](Connection& sql) { return account(sql, app_id, account_id); });
  }

  Result<std::vector<PasswordAccount>> pending(std::string_view app_id, const PageRequest& page) override {
    return database_.read([&](Connection& sql) {
      std::vector<PasswordAccount> out;
      const Sql text =
          page.descending
              ? Sql("SELECT id, app_id, email, password_hash, confirmed, user_id, pending_password_hash, created "
                    "FROM password_accounts WHERE app_id = ?1 AND confirmed = 0 AND (?2 = '' OR id < ?2) "
                    "ORDER BY id DESC LIMIT ?3")
              : Sql("SELECT id, app_id, email, password_hash, confirmed, user_id, pending_password_hash, created "
                    "FROM password_accounts WHERE app_id = ?1 AND confirmed = 0 AND id > ?2 ORDER BY id LIMIT ?3");
      Query query = sql.query(text, app_id, page.after, std::max(page.limit, 0));
      while (std::optional<PasswordAccount> each = next_account(query)) out.push_back(*std::move(each));
      return out;
    });
  }

  Result<bool> remove(std::string_view app_id, std::string_view email) override {
    return database_.write([&](WriteStep& step) {
      return step.sql.run("DELETE FROM password_accounts WHERE app_id = ?1 AND email = ?2 AND user_id = ''",
                          app_id, email) != 0;
    });
  }

  Result<bool> confirm(std::string_view app_id, std::string_view account_id) override {
    return database_.write([&](WriteStep& step) {
      return step.sql.run("UPDATE password_accounts SET confirmed = 1 WHERE app_id = ?1 AND id = ?2", app_id,
                          account_id) != 0;
    });
  }

  Result<bool> change_email(std::string_view app_id, std::string_view user_id,
                            std::string_view email) override {
    return database_.write([&](WriteStep& step) {
      Connection& sql = step.sql;
      std::string id;
      {
        Query query =
            sql.query("SELECT id FROM password_accounts WHERE app_id = ?1 AND user_id = ?2 AND user_id <> ''",
                      app_id, user_id);
        if (!query.row()) return false;
        id = query.text(0);
      }
      const std::string holder = id_of_email(sql, app_id, email);
      if (!holder.empty() && holder != id) return false;
      sql.run("UPDATE password_accounts SET email = ?3 WHERE app_id = ?1 AND id = ?2", app_id, id, email);
      json::Object data;
      {
        Query query = sql.query(
            "SELECT data FROM identities WHERE app_id = ?1 AND provider_type = 'local-userpass' AND id = ?2",
            app_id, id);
        if (!query.row()) return true;
        data = read_object(sql, query.view(0));
      }
      data.set("email", email);
      sql.run(
          "UPDATE identities SET data = ?3 WHERE app_id = ?1 AND provider_type = 'local-userpass' AND id = ?2",
          app_id, id, write_object(data));
      return true;
    });
  }

  Result<bool> set_pending_password(std::string_view app_id, std::string_view account_id,
                                    std::string_view hash) override {
    return database_.write([&](WriteStep& step) {
      return step.sql.run(
                 "UPDATE password_accounts SET pending_password_hash = ?3 WHERE app_id = ?1 AND id = ?2",
                 app_id, account_id, hash) != 0;
    });
  }

  Result<bool> rehash(std::string_view app_id, std::string_view account_id, std::string_view old_hash,
                      std::string_view new_hash) override {
    return database_.write([&](WriteStep& step) {
      return step.sql.run(
                 "UPDATE password_accounts SET password_hash = ?4 "
                 "WHERE app_id = ?1 AND id = ?2 AND password_hash = ?3",
                 app_id, account_id, old_hash, new_hash) != 0;
    });
  }

  Result<bool> set_password(std::string_view app_id, std::string_view account_id, std::string_view hash,
                            bool end_sessions, std::string_view except_session, WallTime now) override {
    return database_.write([&](WriteStep& step) {
      const std::optional<PasswordAccount> row = account(step.sql, app_id, account_id);
      if (row) change_password(step, *row, hash, end_sessions, except_session, now);
      return row.has_value();
    });
  }

  Result<void> add_token(const EmailToken& token) override {
    return database_.write([&](WriteStep& step) {
      const int purpose = static_cast<int>(token.purpose);
      step.sql.run("DELETE FROM email_tokens WHERE app_id = ?1 AND account_id = ?2 AND purpose = ?3",
                   token.app_id, token.account_id, purpose);
      step.sql.run(
          "INSERT INTO email_tokens (app_id, id, account_id, purpose, token_hash, expires) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
          token.app_id, token.id, token.account_id, purpose, token.token_hash, token.expires);
    });
  }

  Result<TokenOutcome> confirm_with_token(std::string_view app_id, std::string_view token_id,
                                          std::string_view token_hash, WallTime now) override {
    return database_.write([&](WriteStep& step) {
      const std::optional<PasswordAccount> row =
          use_token(step.sql, app_id, token_id, token_hash, EmailTokenPurpose::confirm, now);
      if (!row) return TokenOutcome::invalid;
      step.sql.run("UPDATE password_accounts SET confirmed = 1 WHERE app_id = ?1 AND id = ?2", app_id,
                   row->id);
      return TokenOutcome::done;
    });
  }

  Result<std::optional<PasswordAccount>> find_by_token(std::string_view app_id, std::string_view token_id,
                                                       EmailTokenPurpose purpose) override {
    return database_.read([&](Connection& sql) {
      std::string account_id;
      {
        Query query =
            sql.query("SELECT account_id FROM email_tokens WHERE app_id = ?1 AND id = ?2 AND purpose = ?3",
                      app_id, token_id, static_cast<int>(purpose));
        if (!query.row()) return std::optional<PasswordAccount>();
        account_id = query.text(0);
      }
      return account(sql, app_id, account_id);
    });
  }

  Result<TokenOutcome> reset_with_token(std::string_view app_id, std::string_view token_id,
                                        std::string_view token_hash, std::string_view new_hash,
                                        bool end_sessions, WallTime now) override {
    return database_.write([&](WriteStep& step) {
      const std::optional<PasswordAccount> row =
          use_token(step.sql, app_id, token_id, token_hash, EmailTokenPurpose::reset, now);
      if (!row) return TokenOutcome::invalid;
      const std::string_view pending = row->pending_password_hash;
      change_password(step, *row, pending.empty() ? new_hash : pending, end_sessions, {}, now);
      return TokenOutcome::done;
    });
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<PasswordStore> make_password_store(Database& database) {
  return std::make_unique<SqlitePasswordStore>(database);
}

}  // namespace keyturn::server::sqlite
