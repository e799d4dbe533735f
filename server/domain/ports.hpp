// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "core/json/value.hpp"
#include "core/jwt/key.hpp"
#include "server/domain/apps/function_runtime.hpp"
#include "server/domain/types.hpp"

// What the rules need from the outside world besides the stores. Thread safety: all members of all of them.
namespace keyturn::server {

/// The signing keys of one app; different keys for different purposes (rule V8).
struct SigningKeys {
  jwt::Key access_es256;
  jwt::Key access_hs256;
  jwt::Key refresh_hs256;
};

/// Keeps signing keys, named by the app's domain id.
class SigningKeyStore {
 public:
  virtual ~SigningKeyStore() = default;
  /// Makes and durably stores new keys. Errors: `ServiceUnavailable`.
  virtual Result<std::shared_ptr<const SigningKeys>> create(std::string_view domain_id) = 0;
  /// Errors: `InvalidConfiguration` with one clear line when the keys are missing, damaged, too short or
  /// readable by others.
  virtual Result<std::shared_ptr<const SigningKeys>> load(std::string_view domain_id) = 0;
  virtual void remove(std::string_view domain_id) = 0;
};

struct EmailMessage {
  std::string to;
  std::string subject;
  std::string body;
};

class EmailSender {
 public:
  virtual ~EmailSender() = default;
  virtual Result<void> send(const EmailMessage& message) = 0;
};

/// What a provider found out about who is logging in.
struct ProvenIdentity {
  std::string identity_id;
  json::Object data;
  UserType user_type = UserType::normal;
  /// Set when the identity already has an owner that the provider knows (a user's API key).
  std::string existing_user_id;
  /// False: an unknown identity must not make a user (a setting of the provider).
  bool may_create_user = true;
  /// What the provider wants back in `still_holds`; never leaves the server.
  std::string evidence;
};

/// One way of proving identity (server/identity has one folder each).
class IdentityProvider {
 public:
  virtual ~IdentityProvider() = default;
  /// The wire name, "local-userpass".
  [[nodiscard]] virtual std::string_view type() const noexcept = 0;
  /// Checks the credentials of a log-in body (client-api.md 7.1). Errors as client-api.md 7.4, texts masked.
  virtual Result<ProvenIdentity> verify(const App& app, const AuthProvider& provider,
                                        const json::Object& credentials, WallTime now) = 0;
  /// Whether the proof is still good, asked when the session is open and before anybody gets its tokens: a
  /// password or key that was changed or disabled since `verify` must not open a session (problem 19). True
  /// where nothing can change.
  virtual Result<bool> still_holds(const App& /*app*/, const ProvenIdentity& /*proven*/) { return true; }
};

/// The outcome of a function that decides about a password account.
enum class AccountVerdict { success, pending, fail };

/// Fetches a JWK set document. Implementations bound size, time and addresses, and never follow redirects.
class JwksFetcher {
 public:
  virtual ~JwksFetcher() = default;
  virtual Result<std::string> fetch(const std::string& url) = 0;
};

}  // namespace keyturn::server
