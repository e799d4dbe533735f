// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <string>
#include <utility>

#include "core/json/json.hpp"
#include "server/functions/node_function_runtime.hpp"
#include "server/functions/testing/config_store.hpp"

namespace keyturn::server::functions::testing {

inline json::Value ejson(std::string_view text) {
  auto parsed = json::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? *std::move(parsed) : json::Value();
}

inline App app_named(std::string id) {
  App app;
  app.client_app_id = id + "-abcde";
  app.name = id;
  app.id = std::move(id);
  return app;
}

/// A runtime over real workers. `node` is Node.js of the machine, or the one that the build names.
class RuntimeTest : public ::testing::Test {
 protected:
  static RuntimeOptions defaults() {
    RuntimeOptions options;
    options.launcher = KEYTURN_FUNCTION_LAUNCHER;
    options.function_host = KEYTURN_FUNCTION_HOST;
    options.node = KEYTURN_NODE;
    options.default_time_limit = std::chrono::seconds(20);
    return options;
  }

  void start(RuntimeOptions options = defaults(), FunctionHost* host = nullptr) {
    auto created = NodeFunctionRuntime::create(std::move(options), store, host, system_clock());
    ASSERT_TRUE(created.has_value()) << created.error().message;
    runtime = *std::move(created);
  }

  Result<json::Value> run(const std::string& source, json::Array arguments = {},
                          std::optional<Principal> caller = std::nullopt) {
    store.define(app.id, "f", source);
    return runtime->run(app, "f", arguments, caller);
  }

  Result<json::Value> call_from_client(std::string_view name, json::Array arguments = {},
                                       std::optional<Principal> caller = std::nullopt,
                                       json::Object request = {}) {
    const FunctionCall call{name, arguments, std::move(caller), std::move(request), true};
    return runtime->execute(app, call).result;
  }

  /// The result's JSON text, or "<code>: <message>".
  std::string answer(const std::string& source, json::Array arguments = {}) {
    const auto result = run(source, std::move(arguments));
    if (result) return json::write(*result);
    return std::string(to_string(result.error().code)) + ": " + result.error().message;
  }

  /// Waits, at most half a minute, until the pool has the figures that a test needs. Leaves the processor to
  /// the workers meanwhile, which come after everybody else.
  template <class Condition>
  bool eventually(Condition holds) {
    const BootTime deadline = system_clock().boot_now() + std::chrono::seconds(30);
    while (!holds()) {
      if (system_clock().boot_now() > deadline) return false;
      ::poll(nullptr, 0, 1);
    }
    return true;
  }

  const App app = app_named("app1");
  ConfigStore store;
  std::unique_ptr<NodeFunctionRuntime> runtime;
};

}  // namespace keyturn::server::functions::testing
