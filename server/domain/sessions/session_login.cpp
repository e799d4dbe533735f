// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/base/error_codes.hpp"
#include "core/base/object_id.hpp"
#include "server/domain/accounts/random_names.hpp"
#include "server/domain/accounts/user_creation.hpp"
#include "server/domain/refusal.hpp"
#include "server/domain/sessions/session_family.hpp"
#include "server/domain/sessions/session_service.hpp"

namespace keyturn::server {
namespace {

constexpr std::size_t kMostDeviceMembers = 32;
constexpr std::size_t kLongestDeviceText = 256;
constexpr int kAttempts = 2;

Error user_disabled() { return refusal(ErrorCode::UserDisabled, "user disabled"); }
Error binding_required() {
  return refusal(ErrorCode::InvalidDpopProof, "this app opens only sessions that are bound to a key (DPoP)");
}
Error changing() { return refusal(ErrorCode::ServiceUnavailable, "the account is being changed"); }

/// What the device says of itself, without its id: plain values of a moderate length.
json::Object device_data(const json::Object* device) {
  json::Object data;
  if (device == nullptr) return data;
  for (const auto& [name, value] : *device) {
    const bool is_plain = value.as_array() == nullptr && value.as_object() == nullptr;
    const bool is_long = value.as_string() != nullptr && value.as_string()->size() > kLongestDeviceText;
    if (name == "deviceId" || name == kLinkedFrom || name.size() > kLongestDeviceText || !is_plain || is_long)
      continue;
    if (data.size() == kMostDeviceMembers) break;
    data.set(name, value);
  }
  return data;
}

/// The id that the device was given before: text or `{"$oid"}` (client-api.md 8). Empty when there is none.
std::string claimed_device_id(const json::Object& device) {
  const json::Value* id = device.find("deviceId");
  if (id != nullptr && id->as_object() != nullptr) id = id->find("$oid");
  if (id == nullptr || id->as_string() == nullptr || !is_object_id(*id->as_string())) return {};
  return *id->as_string() == kNoDevice ? std::string() : *id->as_string();
}

Error with_status(Error error) {
  if (error.http_status == 0) error.http_status = base::row_of(error.code).status;
  return error;
}

/// A refusal of a link must never look like one of the bearer: realm-web would refresh and repeat without end
/// (client-api.md 7.3).
Error as_link_refusal(Error error) {
  if (error.http_status != 401) return error;
  if (error.code == ErrorCode::InvalidSession)
    error = refusal(ErrorCode::AuthError, 401, std::move(error.message));
  if (error.message == "unauthorized") error.message = "unauthorized: the credentials were not accepted";
  return error;
}

Error link_refused(std::string_view why) {
  return refusal(ErrorCode::AuthError, 401, "unauthorized: " + std::string(why));
}

const Identity* find_identity(const User& user, const Identity& wanted) {
  const auto found = std::find_if(user.identities.begin(), user.identities.end(), [&](const Identity& each) {
    return each.provider_type == wanted.provider_type && each.id == wanted.id;
  });
  return found == user.identities.end() ? nullptr : &*found;
}

}  // namespace

struct SessionService::Proof {
  const AuthProvider* settings;
  IdentityProvider* provider;
};

struct SessionService::LoginAttempt {
  const AppView& app;
  Proof proof;
  const json::Object& credentials;
  const json::Object* device;
  std::string_view key_thumbprint;
  WallTime now;
  LoginOrigin* origin;

  [[nodiscard]] Result<ProvenIdentity> verify() const {
    return proof.provider->verify(app.app, *proof.settings, credentials, now);
  }
  /// Null unless the credentials are a name and a password.
  [[nodiscard]] const std::string* username() const {
    const json::Value* name = credentials.find("username");
    const json::Value* password = credentials.find("password");
    const bool is_password = proof.provider->type() == "local-userpass" && name != nullptr &&
                             password != nullptr && password->as_string() != nullptr;
    return is_password ? name->as_string() : nullptr;
  }
  [[nodiscard]] Identity identity(const ProvenIdentity& proven) const {
    return {proven.identity_id, proof.settings->type, proof.settings->id, proven.data};
  }
};

Result<SessionService::Proof> SessionService::find_provider(const AppView& app,
                                                            std::string_view provider_type) const {
  const AuthProvider* settings = app.provider(provider_type);
  const auto provider = std::find_if(providers_.begin(), providers_.end(), [&](const IdentityProvider* each) {
    return each->type() == provider_type;
  });
  if (settings == nullptr || settings->disabled || provider == providers_.end())
    return provider_unsupported(provider_type);
  return Proof{settings, *provider};
}

Result<LoginTokens> SessionService::log_in(const AppView& app, std::string_view provider_type,
                                           const json::Object& credentials, const json::Object* device,
                                           std::string_view key_thumbprint, LoginOrigin* origin) {
  auto proof = find_provider(app, provider_type);
  if (!proof) return proof.error();
  if (app.app.require_bound_sessions && key_thumbprint.empty()) return binding_required();
  for (int i = 0; i < kAttempts; ++i) {
    auto tokens = try_log_in({app, *proof, credentials, device, key_thumbprint, clock_.wall_now(), origin});
    if (!tokens) return tokens.error();
    if (*tokens) return std::move(**tokens);
  }
  return changing();
}

Result<std::optional<LoginTokens>> SessionService::try_log_in(const LoginAttempt& attempt) {
  auto proven = prove(attempt);
  if (!proven) return with_status(proven.error());
  const Identity identity = attempt.identity(*proven);
  auto user = find_or_create_user(attempt, *proven, identity);
  if (!user) return user.error();
  if (user->disabled) return user_disabled();
  auto opened = open_session(attempt, *proven, *user, identity, {});
  if (!opened) return opened.error();
  if (!*opened) return std::optional<LoginTokens>();
  return std::optional(std::move((*opened)->tokens));
}

Result<ProvenIdentity> SessionService::prove(const LoginAttempt& attempt) {
  const std::string* username = attempt.username();
  if (guesses_ == nullptr || username == nullptr) return attempt.verify();
  const std::string device = attempt.device == nullptr ? std::string() : claimed_device_id(*attempt.device);
  const std::string_view address = attempt.origin == nullptr ? std::string_view() : attempt.origin->address;
  auto guess = guesses_->begin({attempt.app.app.id, *username, device, address});
  if (guess.wait().count() > 0) {
    if (attempt.origin != nullptr) attempt.origin->retry_after = guess.wait();
    return refusal(ErrorCode::TooManyRequests, "too many wrong passwords");
  }
  auto proven = attempt.verify();
  if (proven) {
    guess.finish(GuessLimiter::Outcome::right);
  } else if (proven.error().code == ErrorCode::InvalidPassword) {
    guess.finish(GuessLimiter::Outcome::wrong);
  }
  return proven;
}

Result<ProvenIdentity> SessionService::prove_again(const LoginAttempt& attempt) {
  const std::string* username = attempt.username();
  if (username == nullptr) return attempt.verify();
  const std::string& password = *attempt.credentials.find("password")->as_string();
  const std::string key = proven_.key_of(attempt.app.app.id, *username, password);
  if (const auto known = proven_.find(key)) {
    auto holds = attempt.proof.provider->still_holds(attempt.app.app, *known);
    if (!holds) return unavailable(holds.error());
    if (*holds) return *known;
    proven_.forget(key);
  }
  auto proven = prove(attempt);
  if (proven) proven_.put(key, *proven);
  return proven;
}

Result<User> SessionService::identify(const AppView& app, std::string_view provider_type,
                                      const json::Object& credentials, bool may_create, LoginOrigin* origin) {
  auto proof = find_provider(app, provider_type);
  if (!proof) return proof.error();
  const LoginAttempt attempt{app, *proof, credentials, nullptr, {}, clock_.wall_now(), origin};
  auto proven = prove_again(attempt);
  if (!proven) return with_status(proven.error());
  proven->may_create_user = proven->may_create_user && may_create;
  auto user = find_or_create_user(attempt, *proven, attempt.identity(*proven));
  if (user && user->disabled) return user_disabled();
  return user;
}

bool SessionService::knows_password(const AppView& app, std::string_view email,
                                    std::string_view password) const {
  return proven_.find(proven_.key_of(app.app.id, email, password)).has_value();
}

Result<User> SessionService::find_or_create_user(const LoginAttempt& attempt, const ProvenIdentity& proven,
                                                 const Identity& identity) {
  const std::string& app_id = attempt.app.app.id;
  if (!proven.existing_user_id.empty()) {
    auto owner = users_.find(app_id, proven.existing_user_id);
    if (!owner) return unavailable(owner.error());
    if (!*owner) return not_accepted();
    if (!(*owner)->disabled && find_identity(**owner, identity) == nullptr) {
      auto linked = users_.link(app_id, (*owner)->id, identity);
      if (!linked) return unavailable(linked.error());
      if (*linked != LinkOutcome::linked && *linked != LinkOutcome::already_linked) return not_accepted();
    }
    return std::move(**owner);
  }
  for (int i = 0; i < kAttempts; ++i) {
    auto found = users_.find_by_identity(app_id, identity.provider_type, identity.id);
    if (!found) return unavailable(found.error());
    if (*found) {
      const Identity* known = find_identity(**found, identity);
      if (!(*found)->disabled && known != nullptr && !(known->data == identity.data)) {
        auto updated =
            users_.update_identity_data(app_id, identity.provider_type, identity.id, identity.data);
        if (!updated) return unavailable(updated.error());
      }
      return std::move(**found);
    }
    if (!proven.may_create_user) return not_accepted();
    User user;
    user.id = new_object_id(attempt.now);
    user.app_id = app_id;
    user.type = proven.user_type;
    user.identities.push_back(identity);
    user.created = attempt.now;
    user.last_authentication = attempt.now;
    if (auto asked = ask_before_creating(functions_, attempt.app.app, user); !asked) return asked.error();
    auto created = users_.create(user);
    if (!created) return unavailable(created.error());
    if (*created == CreateUserOutcome::created) return user;
  }
  return changing();
}

Result<LoginTokens> SessionService::link(const Caller& caller, std::string_view provider_type,
                                         const json::Object& credentials, const json::Object* device,
                                         LoginOrigin* origin) {
  const AppView& app = *caller.app;
  auto proof = find_provider(app, provider_type);
  if (!proof) return proof.error();
  if (provider_type == "anon-user") {
    return refusal(ErrorCode::InternalServerError, "linking an anonymous identity is not allowed");
  }
  if (app.app.require_bound_sessions && caller.claims.key_thumbprint.empty()) return binding_required();
  for (int i = 0; i < kAttempts; ++i) {
    auto tokens = try_link(
        caller, {app, *proof, credentials, device, caller.claims.key_thumbprint, clock_.wall_now(), origin});
    if (!tokens) return tokens.error();
    if (*tokens) return std::move(**tokens);
  }
  return changing();
}

Result<std::optional<LoginTokens>> SessionService::try_link(const Caller& caller,
                                                            const LoginAttempt& attempt) {
  const Principal& who = caller.principal;
  auto proven = prove(attempt);
  if (!proven) return as_link_refusal(with_status(proven.error()));
  const bool is_foreign_key = !proven->existing_user_id.empty() && proven->existing_user_id != who.user_id;
  if (is_foreign_key || proven->user_type == UserType::server)
    return link_refused("invalid user link request");

  const Identity identity = attempt.identity(*proven);
  auto linked = users_.link(who.app_id, who.user_id, identity);
  if (!linked) return unavailable(linked.error());
  switch (*linked) {
    case LinkOutcome::linked:
    case LinkOutcome::already_linked:
      break;
    case LinkOutcome::owned_by_other:
      return link_refused("a user already exists with the specified provider");
    case LinkOutcome::type_already_linked:
      return refusal(
          ErrorCode::InternalServerError,
          "unauthorized: linking a local-userpass identity is not allowed when one is already linked");
    case LinkOutcome::no_user:
      return session_over("invalid session", EndReason::user_deleted);
  }
  auto user = users_.find(who.app_id, who.user_id);
  if (!user) return unavailable(user.error());
  if (!*user) return session_over("invalid session", EndReason::user_deleted);
  auto live = sessions_.list(who.app_id, who.user_id);
  if (!live) return unavailable(live.error());
  std::string family = who.session_id;
  for (const Session& each : *live) {
    if (each.id == who.session_id) family = family_of(each);
  }
  auto opened = open_session(attempt, *proven, **user, identity, family);
  if (!opened) return opened.error();
  if (!*opened) return std::optional<LoginTokens>();

  // The bearer may have been revoked meanwhile: then its owner gets no new session either.
  auto bearer = sessions_.find(who.session_id);
  if (bearer && *bearer && !(*bearer)->ended) return std::optional(std::move((*opened)->tokens));
  static_cast<void>(
      sessions_.end(who.app_id, who.user_id, (*opened)->session_id, EndReason::revoked, attempt.now));
  if (!bearer) return unavailable(bearer.error());
  return session_over("invalid session", *bearer ? (*bearer)->reason : EndReason::none);
}

Result<std::optional<SessionService::Opened>> SessionService::open_session(const LoginAttempt& attempt,
                                                                           const ProvenIdentity& proven,
                                                                           const User& user,
                                                                           const Identity& identity,
                                                                           std::string_view family) {
  auto device_id = device_id_for(attempt, user);
  if (!device_id) return device_id.error();
  const App& app = attempt.app.app;
  Session session;
  session.id = new_object_id(attempt.now);
  session.app_id = app.id;
  session.user_id = user.id;
  session.device_id = *std::move(device_id);
  session.device = device_data(attempt.device);
  if (!family.empty()) session.device.set(std::string(kLinkedFrom), family);
  session.identity_id = identity.id;
  session.provider_type = identity.provider_type;
  session.provider_id = identity.provider_id;
  session.created = attempt.now;
  session.last_used = attempt.now;
  session.refresh_expires =
      std::chrono::floor<std::chrono::seconds>(attempt.now) +
      (identity.provider_type == "anon-user" ? kAnonymousRefreshLifetime : app.tokens.refresh_lifetime);

  auto outcome = sessions_.open(session, user.generation);
  if (!outcome) return unavailable(outcome.error());
  if (*outcome == OpenOutcome::user_disabled) return user_disabled();
  if (*outcome != OpenOutcome::opened) return std::optional<Opened>();

  auto holds = attempt.proof.provider->still_holds(app, proven);
  if (!holds || !*holds) {  // nobody has its tokens, so it does not matter whether this reaches the store
    static_cast<void>(sessions_.end(app.id, user.id, session.id, EndReason::revoked, attempt.now));
    if (!holds) return unavailable(holds.error());
    return std::optional<Opened>();
  }
  if (const std::string* username = attempt.username();
      guesses_ != nullptr && username != nullptr && session.device_id != kNoDevice) {
    guesses_->remember_device({app.id, *username, session.device_id, {}});
  }
  Opened opened;
  opened.tokens.access_token = Secret(mint_access_token(attempt.app, session, attempt.now,
                                                        user_data_for(app, user.id), attempt.key_thumbprint));
  opened.tokens.refresh_token = Secret(mint_refresh_token(attempt.app, session, attempt.key_thumbprint));
  opened.tokens.user_id = user.id;
  opened.tokens.device_id = session.device_id;
  opened.session_id = session.id;
  return std::optional(std::move(opened));
}

Result<std::string> SessionService::device_id_for(const LoginAttempt& attempt, const User& user) {
  if (attempt.device == nullptr) return std::string(kNoDevice);
  std::string claimed = claimed_device_id(*attempt.device);
  if (!claimed.empty()) {
    auto devices = sessions_.devices(user.app_id, user.id);
    if (!devices) return unavailable(devices.error());
    const bool is_known =
        std::any_of(devices->begin(), devices->end(), [&](const Device& d) { return d.id == claimed; });
    if (is_known) return claimed;
  }
  return new_object_id(attempt.now);
}

}  // namespace keyturn::server
