// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/password_service.hpp"

#include <algorithm>
#include <utility>

#include "core/base/object_id.hpp"
#include "core/crypto/crypto.hpp"
#include "server/domain/accounts/password_rules.hpp"
#include "server/domain/accounts/random_names.hpp"
#include "server/domain/accounts/user_creation.hpp"
#include "server/domain/apps/settings.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr std::string_view kType = "local-userpass";
constexpr std::size_t kTokenBytes = 64;

std::string hash_of_token(std::string_view token) { return crypto::hex_encode(crypto::sha256(token)); }

Error not_confirmed(std::string_view email) {
  return bad_request("failed to confirm user \"" + std::string(email) + "\"");
}
Error not_reset(std::string_view email) {
  return bad_request("failed to reset password for user \"" + std::string(email) + "\"");
}
Error no_such_user() { return refusal(ErrorCode::UserNotFound, "user not found"); }
Error confirmed_already() { return refusal(ErrorCode::UserAlreadyConfirmed, "already confirmed"); }
Error name_in_use() { return refusal(ErrorCode::AccountNameInUse, "name already in use"); }

/// The form of what was mailed: 128 and 24 hexadecimal digits (client-api.md 9).
Result<void> check_token_form(std::string_view token_id, std::string_view token) {
  const bool is_hex = token.size() == 2 * kTokenBytes && crypto::hex_decode(token).has_value();
  if (!is_hex || !is_object_id(token_id)) return bad_request("invalid token data");
  return {};
}

Result<void> outcome_of(const Result<TokenOutcome>& outcome) {
  if (!outcome) return unavailable(outcome.error());
  if (*outcome == TokenOutcome::invalid) {
    return refusal(ErrorCode::UserpassTokenInvalid, "userpass token is expired or invalid");
  }
  return {};
}

Identity identity_of(const PasswordAccount& account, std::string_view provider_id) {
  return {account.id, std::string(kType), std::string(provider_id), json::Object{{"email", account.email}}};
}

}  // namespace

struct PasswordService::Settings {
  std::string provider_id;
  json::Object config;
  [[nodiscard]] bool auto_confirm() const { return flag_at(config, "autoConfirm"); }
  [[nodiscard]] bool runs_confirmation() const { return flag_at(config, "runConfirmationFunction"); }
  [[nodiscard]] bool runs_reset() const { return flag_at(config, "runResetFunction"); }
  [[nodiscard]] FunctionReference confirmation() const {
    return function_at(config, "confirmationFunctionName", "confirmationFunctionId");
  }
  [[nodiscard]] FunctionReference reset() const {
    return function_at(config, "resetFunctionName", "resetFunctionId");
  }
};

/// A token as it is mailed and as it is kept.
struct PasswordService::MailedToken {
  std::string text;
  EmailToken row;
  [[nodiscard]] json::Object info(std::string_view email) const {
    return {{"token", text}, {"tokenId", row.id}, {"username", email}};
  }
};

PasswordService::PasswordService(PasswordStore& accounts, UserStore& users, AppStore& apps,
                                 EmailSender& email, FunctionRuntime* runtime, Clock& clock,
                                 crypto::PasswordCost cost, PasswordGate* gate, GuessLimiter* guesses)
    : accounts_(accounts),
      users_(users),
      apps_(apps),
      email_(email),
      runtime_(runtime),
      clock_(clock),
      cost_(cost),
      gate_(gate),
      guesses_(guesses) {}

void PasswordService::forgive(const AppView& app, std::string_view email) {
  if (guesses_ != nullptr) guesses_->forgive(app.app.id, email);
}

Result<void> PasswordService::replace_password(const AppView& app, std::string_view account_id,
                                               std::string_view email, std::string_view password) {
  const auto hashed = hash(password);
  if (!hashed) return hashed.error();
  auto done = accounts_.set_password(app.app.id, account_id, *hashed, app.app.end_sessions_on_password_change,
                                     {}, clock_.wall_now());
  if (!done) return unavailable(done.error());
  if (!*done) return no_such_user();
  forgive(app, email);
  return {};
}

Result<std::string> PasswordService::hash(std::string_view password) {
  const auto work = [&] { return crypto::hash_password(password, cost_); };
  return gate_ == nullptr ? Result<std::string>(work()) : gate_->run(work);
}

Result<bool> PasswordService::matches(std::string_view password, const std::string& hash) {
  const auto work = [&] { return crypto::verify_password(password, hash); };
  return gate_ == nullptr ? Result<bool>(work()) : gate_->run(work);
}

Result<PasswordService::Settings> PasswordService::settings_of(const AppView& app) const {
  const AuthProvider* provider = app.provider(kType);
  if (provider == nullptr || provider->disabled) return provider_unsupported(kType);
  return Settings{provider->id, provider->config};
}

PasswordService::MailedToken PasswordService::new_token(std::string_view app_id, std::string_view account_id,
                                                        EmailTokenPurpose purpose) {
  const WallTime now = clock_.wall_now();
  MailedToken token;
  token.text = crypto::hex_encode(crypto::random_bytes(kTokenBytes));
  token.row = {new_object_id(now),        std::string(app_id),  std::string(account_id), purpose,
               hash_of_token(token.text), now + kEmailTokenLife};
  return token;
}

Result<PasswordAccount> PasswordService::find_account(const AppView& app, std::string_view email) {
  auto account = accounts_.find(app.app.id, email);
  if (!account) return unavailable(account.error());
  if (!*account) return no_such_user();
  return std::move(**account);
}

Result<void> PasswordService::mail(const MailedToken& token, std::string_view email, std::string_view url,
                                   std::string_view subject) {
  if (auto stored = accounts_.add_token(token.row); !stored) return unavailable(stored.error());
  std::string link(url);
  link += url.find('?') == std::string_view::npos ? '?' : '&';
  link += "token=" + token.text + "&tokenId=" + token.row.id;
  auto sent = email_.send({std::string(email), std::string(subject), link});
  if (!sent) return unavailable(sent.error());
  return {};
}

Result<void> PasswordService::mail_confirmation(const Settings& settings, const PasswordAccount& account) {
  std::string_view subject = text_at(settings.config, "confirmEmailSubject");
  if (subject.empty()) subject = "Confirm your e-mail address";
  return mail(new_token(account.app_id, account.id, EmailTokenPurpose::confirm), account.email,
              text_at(settings.config, "emailConfirmationUrl"), subject);
}

Result<AccountVerdict> PasswordService::ask(const App& app, const FunctionReference& function,
                                            json::Object info, const json::Array& arguments) {
  if (runtime_ == nullptr || function.empty()) return AccountVerdict::fail;
  const auto name = function_name_of(apps_, app.id, function);
  if (!name) return name.error();
  json::Array all{json::Value(std::move(info))};
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto result = runtime_->run(app, *name, all, std::nullopt);
  if (!result) {
    if (result.error().code == ErrorCode::ServiceUnavailable) return unavailable(result.error());
    return AccountVerdict::fail;
  }
  const auto status = result->string_at("status");
  if (status == "success") return AccountVerdict::success;
  if (status == "pending") return AccountVerdict::pending;
  return AccountVerdict::fail;
}

Result<void> PasswordService::register_account(const AppView& app, std::string_view email,
                                               std::string_view password) {
  auto settings = settings_of(app);
  if (!settings) return settings.error();
  if (auto checked = check_new_email(email); !checked) return checked;
  if (auto checked = check_new_password(password, app.app.passwords, email); !checked) return checked;
  // Before the slow hash; the store decides again.
  auto existing = accounts_.find(app.app.id, email);
  if (!existing) return unavailable(existing.error());
  if (*existing) return name_in_use();

  PasswordAccount account;
  account.id = new_object_id(clock_.wall_now());
  account.app_id = app.app.id;
  account.email = email;
  account.created = clock_.wall_now();
  account.confirmed = settings->auto_confirm();
  const MailedToken token = new_token(app.app.id, account.id, EmailTokenPurpose::confirm);
  const bool by_function = !account.confirmed && settings->runs_confirmation();
  if (by_function) {
    auto verdict = ask(app.app, settings->confirmation(), token.info(email), {});
    if (!verdict) return verdict.error();
    if (*verdict == AccountVerdict::fail) return not_confirmed(email);
    account.confirmed = *verdict == AccountVerdict::success;
  }
  auto hashed = hash(password);
  if (!hashed) return hashed.error();
  account.password_hash = *std::move(hashed);
  auto outcome = accounts_.register_account(account);
  if (!outcome) return unavailable(outcome.error());
  if (*outcome == RegisterOutcome::name_in_use) return name_in_use();
  if (account.confirmed) return {};

  Result<void> told;
  if (by_function) {
    if (auto stored = accounts_.add_token(token.row); !stored) told = unavailable(stored.error());
  } else {
    told = mail_confirmation(*settings, account);
  }
  // Nothing half-done: the same registration can be tried again. If even this fails, `confirm/send` goes on
  // from here.
  if (!told) static_cast<void>(accounts_.remove(app.app.id, email));
  return told;
}

Result<void> PasswordService::confirm(const AppView& app, std::string_view token_id, std::string_view token) {
  if (auto settings = settings_of(app); !settings) return settings.error();
  if (auto checked = check_token_form(token_id, token); !checked) return checked;
  return outcome_of(
      accounts_.confirm_with_token(app.app.id, token_id, hash_of_token(token), clock_.wall_now()));
}

Result<void> PasswordService::send_confirmation(const AppView& app, std::string_view email) {
  auto settings = settings_of(app);
  if (!settings) return settings.error();
  auto account = find_account(app, email);
  if (!account) return account.error();
  if (account->confirmed) return confirmed_already();
  if (settings->runs_confirmation()) return bad_request("please confirm via function");
  return mail_confirmation(*settings, *account);
}

Result<void> PasswordService::call_confirmation(const AppView& app, std::string_view email) {
  auto settings = settings_of(app);
  if (!settings) return settings.error();
  if (settings->auto_confirm()) {
    return bad_request("cannot run confirmation for " + std::string(email) +
                       ": automatic confirmation is enabled");
  }
  auto account = find_account(app, email);
  if (!account) return account.error();
  if (account->confirmed) return confirmed_already();
  const MailedToken token = new_token(app.app.id, account->id, EmailTokenPurpose::confirm);
  auto verdict = settings->runs_confirmation() ? ask(app.app, settings->confirmation(), token.info(email), {})
                                               : Result<AccountVerdict>(AccountVerdict::fail);
  if (!verdict) return verdict.error();
  if (*verdict == AccountVerdict::fail) return not_confirmed(email);
  if (*verdict == AccountVerdict::pending) {
    if (auto stored = accounts_.add_token(token.row); !stored) return unavailable(stored.error());
    return {};
  }
  auto done = accounts_.confirm(app.app.id, account->id);
  if (!done) return unavailable(done.error());
  if (!*done) return no_such_user();
  return {};
}

Result<void> PasswordService::send_reset(const AppView& app, std::string_view email) {
  auto settings = settings_of(app);
  if (!settings) return settings.error();
  if (settings->runs_reset()) return bad_request("please use reset password via function");
  auto account = find_account(app, email);
  if (!account) return account.error();
  std::string_view subject = text_at(settings->config, "resetPasswordSubject");
  if (subject.empty()) subject = "Reset your password";
  return mail(new_token(app.app.id, account->id, EmailTokenPurpose::reset), email,
              text_at(settings->config, "resetPasswordUrl"), subject);
}

Result<void> PasswordService::reset(const AppView& app, std::string_view token_id, std::string_view token,
                                    std::string_view password) {
  if (auto settings = settings_of(app); !settings) return settings.error();
  if (auto checked = check_token_form(token_id, token); !checked) return checked;
  auto account = accounts_.find_by_token(app.app.id, token_id, EmailTokenPurpose::reset);
  if (!account) return unavailable(account.error());
  const std::string email = *account ? (*account)->email : std::string();
  if (auto checked = check_new_password(password, app.app.passwords, email); !checked) return checked;
  if (!*account) return outcome_of(TokenOutcome::invalid);  // nobody gets a slow hash for made-up tokens
  const auto hashed = hash(password);
  if (!hashed) return hashed.error();
  const auto outcome = accounts_.reset_with_token(app.app.id, token_id, hash_of_token(token), *hashed,
                                                  app.app.end_sessions_on_password_change, clock_.wall_now());
  if (outcome && *outcome == TokenOutcome::done) forgive(app, email);
  return outcome_of(outcome);
}

Result<void> PasswordService::call_reset(const AppView& app, std::string_view email,
                                         std::string_view password, const json::Array& arguments) {
  auto settings = settings_of(app);
  if (!settings) return settings.error();
  if (!settings->runs_reset()) return not_reset(email);
  auto account = find_account(app, email);
  if (!account) return account.error();
  if (auto checked = check_new_password(password, app.app.passwords, email); !checked) return checked;
  const MailedToken token = new_token(app.app.id, account->id, EmailTokenPurpose::reset);
  json::Object info = token.info(email);
  info.set("password", password);
  const auto is_current = matches(password, account->password_hash);
  if (!is_current) return is_current.error();
  info.set("currentPasswordValid", *is_current);
  auto verdict = ask(app.app, settings->reset(), std::move(info), arguments);
  if (!verdict) return verdict.error();
  if (*verdict == AccountVerdict::fail) return not_reset(email);
  if (*verdict == AccountVerdict::pending) {
    // The new password is not kept: it comes again with the token. Keeping it would let whoever asked last
    // choose the password that the owner of the mailbox then confirms.
    if (auto stored = accounts_.add_token(token.row); !stored) return unavailable(stored.error());
    return {};
  }
  return replace_password(app, account->id, email, password);
}

Result<User> PasswordService::create_confirmed(const AppView& app, std::string_view email,
                                               std::string_view password) {
  auto settings = settings_of(app);
  if (!settings) return settings.error();
  if (auto checked = check_new_email(email); !checked) return checked.error();
  if (auto checked = check_new_password(password, app.app.passwords, email); !checked) return checked.error();
  const WallTime now = clock_.wall_now();
  auto existing = accounts_.find(app.app.id, email);
  if (!existing) return unavailable(existing.error());
  PasswordAccount account;
  if (*existing) {
    // An account without user and with this password is what an earlier try left when it failed half-way.
    account = std::move(**existing);
    if (!account.confirmed || !account.user_id.empty()) return name_in_use();
    const auto is_same = matches(password, account.password_hash);
    if (!is_same) return is_same.error();
    if (!*is_same) return name_in_use();
  } else {
    account.id = new_object_id(now);
    account.app_id = app.app.id;
    account.email = email;
    auto hashed = hash(password);
    if (!hashed) return hashed.error();
    account.password_hash = *std::move(hashed);
    account.confirmed = true;
    account.created = now;
    auto outcome = accounts_.register_account(account);
    if (!outcome) return unavailable(outcome.error());
    if (*outcome == RegisterOutcome::name_in_use) return name_in_use();
  }
  User user;
  user.id = new_object_id(now);
  user.app_id = app.app.id;
  user.identities.push_back(identity_of(account, settings->provider_id));
  user.created = now;
  if (auto asked = ask_before_creating(runtime_, app.app, user); !asked) return asked.error();
  auto created = users_.create(user);
  if (!created) return unavailable(created.error());
  if (*created == CreateUserOutcome::identity_taken) return name_in_use();
  return user;
}

Result<std::vector<PasswordAccount>> PasswordService::pending(const AppView& app, const PageRequest& page) {
  PageRequest bounded = page;
  bounded.limit = std::clamp(page.limit, 1, 50);
  auto accounts = accounts_.pending(app.app.id, bounded);
  if (!accounts) return unavailable(accounts.error());
  return accounts;
}

Result<void> PasswordService::remove_pending(const AppView& app, std::string_view email) {
  auto removed = accounts_.remove(app.app.id, email);
  if (!removed) return unavailable(removed.error());
  if (!*removed) return no_such_user();
  return {};
}

Result<void> PasswordService::confirm_by_admin(const AppView& app, std::string_view email) {
  auto account = find_account(app, email);
  if (!account) return account.error();
  if (account->confirmed) return confirmed_already();
  auto done = accounts_.confirm(app.app.id, account->id);
  if (!done) return unavailable(done.error());
  if (!*done) return no_such_user();
  return {};
}

Result<void> PasswordService::change_email(const AppView& app, std::string_view user_id,
                                           std::string_view email) {
  if (auto checked = check_new_email(email); !checked) return checked;
  auto user = users_.find(app.app.id, user_id);
  if (!user) return unavailable(user.error());
  if (!*user) return no_such_user();
  const auto& identities = (*user)->identities;
  if (std::none_of(identities.begin(), identities.end(),
                   [](const Identity& i) { return i.provider_type == kType; })) {
    return bad_request("the user has no e-mail address to log in with");
  }
  auto changed = accounts_.change_email(app.app.id, user_id, email);
  if (!changed) return unavailable(changed.error());
  if (!*changed) return name_in_use();
  return {};
}

Result<void> PasswordService::set_password(const AppView& app, std::string_view email,
                                           std::string_view password) {
  if (auto checked = check_new_password(password, app.app.passwords, email); !checked) return checked;
  auto account = find_account(app, email);
  if (!account) return account.error();
  return replace_password(app, account->id, email, password);
}

}  // namespace keyturn::server
