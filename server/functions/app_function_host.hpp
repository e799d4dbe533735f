// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/data/data_service.hpp"
#include "server/functions/function_host.hpp"

namespace keyturn::server::functions {

/// Answers what functions ask from the stores of the server: values and secrets, the calling user, the
/// environment, and the linked data services under the caller's rules.
///
/// Thread safety: all members. Lifetime: the stores outlive it. Without `users` a user is known by id only;
/// without `data` an app has no services.
class AppFunctionHost final : public FunctionHost {
 public:
  explicit AppFunctionHost(AppStore& apps, UserStore* users = nullptr, DataService* data = nullptr)
      : apps_(apps), users_(users), data_(data) {}

  Result<json::Value> call(const App& app, const std::optional<Principal>& caller, bool as_system,
                           std::string_view method, const json::Array& arguments) override;

 private:
  [[nodiscard]] Result<json::Value> is_active(const App& app, const std::optional<Principal>& caller);
  [[nodiscard]] Result<json::Value> value_of(const App& app, std::string_view name);
  [[nodiscard]] Result<json::Value> call_service(const App& app, const std::optional<Principal>& caller,
                                                 bool as_system, const json::Array& arguments);
  [[nodiscard]] Result<json::Value> context_of(const App& app, const std::optional<Principal>& caller,
                                               bool as_system);
  [[nodiscard]] Result<json::Object> user_of(const App& app, const Principal& caller, bool as_system);
  [[nodiscard]] Result<json::Object> environment_of(const App& app);

  AppStore& apps_;
  UserStore* users_;
  DataService* data_;
};

}  // namespace keyturn::server::functions
