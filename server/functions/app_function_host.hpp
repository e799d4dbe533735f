// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/domain/app_store.hpp"
#include "server/functions/function_host.hpp"

namespace keyturn::server::functions {

/// Answers `values.get` from the app's stored values and secrets; everything else goes to `next`.
///
/// Thread safety: all members. Lifetime: both outlive it; `next` may be null.
class AppFunctionHost final : public FunctionHost {
 public:
  AppFunctionHost(AppStore& apps, FunctionHost* next) : apps_(apps), next_(next) {}

  Result<json::Value> call(const App& app, const std::optional<Principal>& caller, bool as_system,
                           std::string_view method, const json::Array& arguments) override;

 private:
  [[nodiscard]] Result<json::Value> value_of(const App& app, std::string_view name);

  AppStore& apps_;
  FunctionHost* next_;
};

}  // namespace keyturn::server::functions
