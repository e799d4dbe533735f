// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "core/crypto/password_hash.hpp"
#include "core/json/value.hpp"
#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/accounts/password_gate.hpp"
#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/directory.hpp"
#include "server/domain/apps/function_reference.hpp"
#include "server/domain/ports.hpp"
#include "server/domain/sessions/guess_limiter.hpp"

namespace keyturn::server {

/// How long a mailed token is good (client-api.md 9).
inline constexpr std::chrono::minutes kEmailTokenLife{30};

/// The rules of `local-userpass` accounts: register, confirm, reset (client-api.md 9, with its statuses and
/// texts).
///
/// Thread safety: all members. `register_account`, `reset` and the log-in provider hash a password: call them
/// in the password lane only. Errors as `SessionService`. `runtime` may be null: then what needs a function
/// is refused. `gate` may be null: then only the lane bounds how many are hashed at once. `guesses` may be
/// null; else a new password forgives the wrong ones that were tried before.
class PasswordService {
 public:
  PasswordService(PasswordStore& accounts, UserStore& users, AppStore& apps, EmailSender& email,
                  FunctionRuntime* runtime, Clock& clock, crypto::PasswordCost cost,
                  PasswordGate* gate = nullptr, GuessLimiter* guesses = nullptr);

  Result<void> register_account(const AppView& app, std::string_view email, std::string_view password);
  Result<void> confirm(const AppView& app, std::string_view token_id, std::string_view token);
  Result<void> send_confirmation(const AppView& app, std::string_view email);
  Result<void> call_confirmation(const AppView& app, std::string_view email);
  Result<void> send_reset(const AppView& app, std::string_view email);
  Result<void> reset(const AppView& app, std::string_view token_id, std::string_view token,
                     std::string_view password);
  Result<void> call_reset(const AppView& app, std::string_view email, std::string_view password,
                          const json::Array& arguments);

  // What administrators do (admin-api.md 3).
  /// Creates a confirmed account with its user at once. Errors: `AccountNameInUse`, the checks of
  /// `register_account`.
  Result<User> create_confirmed(const AppView& app, std::string_view email, std::string_view password);
  Result<std::vector<PasswordAccount>> pending(const AppView& app, const PageRequest& page);
  Result<void> remove_pending(const AppView& app, std::string_view email);
  Result<void> confirm_by_admin(const AppView& app, std::string_view email);
  Result<void> change_email(const AppView& app, std::string_view user_id, std::string_view email);
  /// Sets a new password directly (first start of the admin realm, support). Ends other sessions as a reset
  /// does.
  Result<void> set_password(const AppView& app, std::string_view email, std::string_view password);

 private:
  struct Settings;
  struct MailedToken;
  [[nodiscard]] Result<Settings> settings_of(const AppView& app) const;
  [[nodiscard]] MailedToken new_token(std::string_view app_id, std::string_view account_id,
                                      EmailTokenPurpose purpose);
  void forgive(const AppView& app, std::string_view email);
  /// By somebody who may: hashes it, ends sessions as the app wants it, and forgives wrong tries.
  Result<void> replace_password(const AppView& app, std::string_view account_id, std::string_view email,
                                std::string_view password);
  Result<std::string> hash(std::string_view password);
  Result<bool> matches(std::string_view password, const std::string& hash);
  Result<PasswordAccount> find_account(const AppView& app, std::string_view email);
  Result<void> mail(const MailedToken& token, std::string_view email, std::string_view url,
                    std::string_view subject);
  Result<void> mail_confirmation(const Settings& settings, const PasswordAccount& account);
  Result<AccountVerdict> ask(const App& app, const FunctionReference& function, json::Object info,
                             const json::Array& arguments);

  PasswordStore& accounts_;
  UserStore& users_;
  AppStore& apps_;
  EmailSender& email_;
  FunctionRuntime* runtime_;
  Clock& clock_;
  crypto::PasswordCost cost_;
  PasswordGate* gate_;
  GuessLimiter* guesses_;
};

}  // namespace keyturn::server
