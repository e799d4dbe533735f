// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/domain/apps/app_store.hpp"
#include "server/domain/ports.hpp"

namespace keyturn::server::identity {

/// `custom-function`: a function of the app says who is logging in (functions.md 5.1).
///
/// Thread safety: all members. Waits for the function. `runtime` may be null: every log-in answers
/// `FunctionNotFound` then.
class FunctionProvider final : public IdentityProvider {
 public:
  FunctionProvider(FunctionRuntime* runtime, AppStore& apps) : runtime_(runtime), apps_(apps) {}

  [[nodiscard]] std::string_view type() const noexcept override { return "custom-function"; }
  /// The function gets the log-in body without `options` and answers the user's id, or `{id, name}`. Errors:
  /// 401 `AuthError` with what it threw, or why it is no function; "unauthorized" for an answer without a
  /// usable id.
  Result<ProvenIdentity> verify(const App& app, const AuthProvider& provider, const json::Object& credentials,
                                WallTime now) override;

 private:
  FunctionRuntime* runtime_;
  AppStore& apps_;
};

}  // namespace keyturn::server::identity
