// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

#include "server/domain/accounts/user_store.hpp"
#include "server/domain/types.hpp"

namespace keyturn::server {

enum class RegisterOutcome { registered, name_in_use };
enum class TokenOutcome { done, invalid };
enum class CreateKeyOutcome { created, name_in_use, too_many, no_user };

/// Durable password accounts and the single-use tokens mailed for them.
///
/// Thread safety, atomicity, errors: as `SessionStore`.
class PasswordStore {
 public:
  virtual ~PasswordStore() = default;

  virtual Result<RegisterOutcome> register_account(const PasswordAccount& account) = 0;
  virtual Result<std::optional<PasswordAccount>> find(std::string_view app_id, std::string_view email) = 0;
  virtual Result<std::optional<PasswordAccount>> find_by_id(std::string_view app_id,
                                                            std::string_view account_id) = 0;
  /// Accounts that are not confirmed yet, in order of id.
  virtual Result<std::vector<PasswordAccount>> pending(std::string_view app_id, const PageRequest& page) = 0;

  /// Removes an account that has no user. False: no such account, or it has a user.
  virtual Result<bool> remove(std::string_view app_id, std::string_view email) = 0;
  /// Marks as confirmed. False: no such account.
  virtual Result<bool> confirm(std::string_view app_id, std::string_view account_id) = 0;
  /// Changes the address of the account and of its identity's data. False: no such user or the address is in
  /// use.
  virtual Result<bool> change_email(std::string_view app_id, std::string_view user_id,
                                    std::string_view email) = 0;
  /// Remembers a new hash until a reset token confirms it.
  virtual Result<bool> set_pending_password(std::string_view app_id, std::string_view account_id,
                                            std::string_view hash) = 0;
  /// A better hash of the same password (raised cost): no session ends. Compares the old hash; false when it
  /// changed.
  virtual Result<bool> rehash(std::string_view app_id, std::string_view account_id, std::string_view old_hash,
                              std::string_view new_hash) = 0;
  /// A new password. With `end_sessions`, ends every session of the account's user but `except` with
  /// `password_changed` and bumps the user's generation, in the same step. Voids the account's open reset
  /// tokens.
  virtual Result<bool> set_password(std::string_view app_id, std::string_view account_id,
                                    std::string_view hash, bool end_sessions, std::string_view except_session,
                                    WallTime now) = 0;

  /// Stores a token, voiding earlier ones of the same account and purpose.
  virtual Result<void> add_token(const EmailToken& token) = 0;
  /// The account that a token of that purpose belongs to, however old the token is.
  virtual Result<std::optional<PasswordAccount>> find_by_token(std::string_view app_id,
                                                               std::string_view token_id,
                                                               EmailTokenPurpose purpose) = 0;
  /// Uses up a token and confirms the account. `invalid`: unknown, used, expired, or of another hash.
  virtual Result<TokenOutcome> confirm_with_token(std::string_view app_id, std::string_view token_id,
                                                  std::string_view token_hash, WallTime now) = 0;
  /// Uses up a token and sets the password as `set_password` does: `new_hash`, or the pending one when there
  /// is one.
  virtual Result<TokenOutcome> reset_with_token(std::string_view app_id, std::string_view token_id,
                                                std::string_view token_hash, std::string_view new_hash,
                                                bool end_sessions, WallTime now) = 0;
};

/// Durable API keys of users and of the app itself (server keys: empty `user_id`).
///
/// Thread safety, atomicity, errors: as `SessionStore`.
class ApiKeyStore {
 public:
  virtual ~ApiKeyStore() = default;

  /// Limits: 20 per user, 100 server keys per app (client-api.md 11); names unique per owner.
  virtual Result<CreateKeyOutcome> create(const ApiKey& key) = 0;
  virtual Result<std::vector<ApiKey>> list(std::string_view app_id, std::string_view user_id) = 0;
  virtual Result<std::optional<ApiKey>> find(std::string_view app_id, std::string_view user_id,
                                             std::string_view key_id) = 0;
  virtual Result<std::optional<ApiKey>> find_by_hash(std::string_view app_id, std::string_view key_hash) = 0;
  /// Disabling or removing a key ends the sessions that it opened with `revoked`, in the same step. False: no
  /// such key.
  virtual Result<bool> set_disabled(std::string_view app_id, std::string_view user_id,
                                    std::string_view key_id, bool disabled, WallTime now) = 0;
  virtual Result<bool> remove(std::string_view app_id, std::string_view user_id, std::string_view key_id,
                              WallTime now) = 0;
};

}  // namespace keyturn::server
